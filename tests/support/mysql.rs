//! A private MariaDB 10.11 or MySQL 9.7: its own folder, its own port, gone at the end of the test.
//!
//! The first one of a build makes a data folder and loads the sample; every later one starts on a copy of
//! it. A machine without the server fails the test: nothing is skipped.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use tempfile::TempDir;

use super::{PATIENCE, eventually, ports};

/// The schema with the sample data; `billing` lies beside it.
pub const SCHEMA: &str = "shop";
/// The log-in the gateway uses: everything in the schemas of the sample, nothing beyond.
pub const UPSTREAM_USER: &str = "hallpass";
/// Its password.
pub const UPSTREAM_PASSWORD: &str = "upstream-secret";
/// The superuser; over the unix socket it needs no password.
pub const SUPERUSER: &str = "root";

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// MariaDB 10.11, Debian's own.
    MariaDb,
    /// MySQL 9.7, by `tests/mysql9/fetch`.
    MySql,
}

impl Family {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::MariaDb, Self::MySql];

    fn name(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        }
    }

    /// A program of this server: `server`, `client` or `dump`.
    pub fn program(self, which: &str) -> PathBuf {
        let path = match (self, which) {
            (Self::MariaDb, "server") => PathBuf::from("/usr/sbin/mariadbd"),
            (Self::MariaDb, "client") => PathBuf::from("/usr/bin/mariadb"),
            (Self::MariaDb, "dump") => PathBuf::from("/usr/bin/mariadb-dump"),
            (Self::MySql, "server") => mysql_root().join("usr/sbin/mysqld"),
            (Self::MySql, "client") => mysql_root().join("usr/bin/mysql"),
            (Self::MySql, "dump") => mysql_root().join("usr/bin/mysqldump"),
            (Self::MariaDb | Self::MySql, other) => panic!("no program is called {other}"),
        };
        assert!(
            path.is_file(),
            "there is no {}: these tests need the server ({}); .ci/run installs it",
            path.display(),
            "Debian: apt-get install mariadb-server mariadb-client"
        );
        path
    }
}

/// What a server of a test may differ in.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Further arguments of the server: `--sql-mode=ANSI_QUOTES`.
    pub arguments: Vec<String>,
}

/// A running server. Dropping it stops it and removes its folder.
pub struct MySql {
    family: Family,
    folder: TempDir,
    port: u16,
    child: Child,
}

impl MySql {
    /// Starts one with the sample.
    pub fn start(family: Family) -> Self {
        Self::start_with(family, &Options::default())
    }

    /// Starts one that differs.
    pub fn start_with(family: Family, options: &Options) -> Self {
        let source = template(family);
        for _ in 0..3 {
            let folder = private_folder();
            run(Command::new("cp").arg("-a").arg(source).arg(folder.path().join("data")));
            // A server's own number: two of one number are one to a replica.
            drop(fs::remove_file(folder.path().join("data/auto.cnf")));
            if let Some(server) = launch(family, folder, &options.arguments) {
                return server;
            }
        }
        panic!("{} found its port taken three times in a row", family.name());
    }

    /// Which server it is.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`, as a target's `address`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// The general log: every statement that reached the server, as it read it.
    pub fn log(&self) -> String {
        text_of(&self.folder.path().join("general.log"))
    }

    /// What the server said about itself.
    pub fn error_log(&self) -> String {
        text_of(&self.folder.path().join("error.log"))
    }

    /// Runs SQL as superuser in the sample's schema: tabs between values, no headings.
    pub fn sql(&self, text: &str) -> String {
        let output = self.client(text.as_bytes(), &["--batch", "--skip-column-names", "--raw"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        let shown: String = text.chars().take(400).collect();
        assert!(output.status.success(), "{errors}\nin: {shown}");
        String::from_utf8(output.stdout).expect("the client prints UTF-8").trim_end().to_owned()
    }

    /// Runs SQL that may fail by the command-line client, with further options of that.
    pub fn client(&self, input: &[u8], options: &[&str]) -> Output {
        let mut child = Command::new(self.family.program("client"))
            .arg("--no-defaults")
            .arg("--socket")
            .arg(self.socket())
            .args(["--user", SUPERUSER, "--default-character-set=utf8mb4", "--comments"])
            .args(options)
            .args(if template_is_made(self) { &[SCHEMA][..] } else { &[] })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts");
        let mut stdin = child.stdin.take().expect("piped");
        std::thread::scope(|scope| {
            // Beside reading what it says: of a long script it may say more than a pipe holds. That one failed
            // is told by its exit code; a broken pipe here would only hide it.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().expect("the client ends")
        })
    }

    /// Stops at once, as when the machine loses power; [`MySql::restart`] brings it back.
    pub fn stop(&mut self) {
        stop(&mut self.child, Signal::SIGKILL);
    }

    /// Starts again on the same folder and port after [`MySql::stop`].
    pub fn restart(&mut self) {
        self.child = spawn(self.family, self.folder.path(), self.port, &[]);
        assert!(
            wait_ready(self.family, &mut self.child, self.folder.path()),
            "{}",
            self.error_log()
        );
    }
}

impl Drop for MySql {
    fn drop(&mut self) {
        stop(&mut self.child, Signal::SIGKILL);
        if std::thread::panicking() {
            eprintln!("--- the last lines of the log of {}", self.family.name());
            let log = self.error_log();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            for line in tail.iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}

fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// True once the sample's schema is there.
fn template_is_made(server: &MySql) -> bool {
    server.folder.path().join("data").join(SCHEMA).is_dir()
}

/// The folder with MySQL's programs, fetched at the first call on a machine.
fn mysql_root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mysql9/fetch");
        let output = Command::new(fetch).stdin(Stdio::null()).output().expect("bash runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/mysql9/fetch failed: {errors}");
        let printed = String::from_utf8(output.stdout).expect("prints a path");
        PathBuf::from(printed.lines().last().expect("prints a path"))
    })
}

fn private_folder() -> TempDir {
    // Short: a unix socket's path has 107 bytes at most.
    tempfile::Builder::new().prefix("hallpass-my-").tempdir().expect("a folder")
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The folder that every server of a family starts as a copy of.
fn template(family: Family) -> &'static Path {
    static MARIADB: OnceLock<PathBuf> = OnceLock::new();
    static MYSQL: OnceLock<PathBuf> = OnceLock::new();
    let made = match family {
        Family::MariaDb => &MARIADB,
        Family::MySql => &MYSQL,
    };
    made.get_or_init(|| {
        let name = format!("{}-template-{:016x}", family.name(), fingerprint(family));
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !kept.join("ibdata1").is_file() {
            let fresh = make_template(family);
            let staged = kept.with_extension(std::process::id().to_string());
            run(Command::new("cp").arg("-a").arg(fresh.path().join("data")).arg(&staged));
            // Another test binary may have been quicker; its folder is as good.
            if fs::rename(&staged, &kept).is_err() {
                fs::remove_dir_all(&staged).expect("removes what it just made");
            }
        }
        kept
    })
}

fn make_template(family: Family) -> TempDir {
    let folder = private_folder();
    let data = folder.path().join("data");
    match family {
        Family::MariaDb => {
            run(server_command(Path::new("/usr/bin/mariadb-install-db"), folder.path())
                .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
                .args(["--skip-name-resolve", "--innodb-log-file-size=8M"])
                .arg(format!("--datadir={}", data.display())));
        }
        Family::MySql => run(server_command(&family.program("server"), folder.path())
            .args(["--initialize-insecure", "--innodb-redo-log-capacity=16M", "--skip-log-bin"])
            .args(places(family))
            .arg(format!("--datadir={}", data.display()))),
    }
    let mut server = launch(family, folder, &[]).expect("a fresh server starts");
    match family {
        Family::MariaDb => {
            server.sql(SAMPLE);
        }
        // MD5 is a component's since MySQL 9.6; the sample needs it, a server as it comes hasn't it.
        Family::MySql => {
            let component = "'file://component_classic_hashing'";
            server.sql(&format!(
                "INSTALL COMPONENT {component};\n{SAMPLE}\nUNINSTALL COMPONENT {component};"
            ));
        }
    }
    server.sql(&format!(
        "CREATE USER {UPSTREAM_USER}@'%' IDENTIFIED BY '{UPSTREAM_PASSWORD}';
         GRANT ALL ON shop.* TO {UPSTREAM_USER}@'%';
         GRANT ALL ON billing.* TO {UPSTREAM_USER}@'%';"
    ));
    // A clean stop: copies must not have to recover.
    stop(&mut server.child, Signal::SIGTERM);
    std::mem::replace(&mut server.folder, private_folder())
}

fn launch(family: Family, folder: TempDir, arguments: &[String]) -> Option<MySql> {
    let port = ports::free();
    let mut child = spawn(family, folder.path(), port, arguments);
    if wait_ready(family, &mut child, folder.path()) {
        return Some(MySql { family, folder, port, child });
    }
    stop(&mut child, Signal::SIGKILL);
    let log = text_of(&folder.path().join("error.log"));
    assert!(log.contains("Address already in use"), "{} doesn't start:\n{log}", family.name());
    None
}

/// Where a server finds its messages and plugins.
fn places(family: Family) -> Vec<String> {
    match family {
        Family::MariaDb => Vec::new(),
        Family::MySql => {
            let root = mysql_root().display();
            vec![
                format!("--basedir={root}/usr"),
                format!("--lc-messages-dir={root}/usr/share/mysql"),
                format!("--character-sets-dir={root}/usr/share/mysql/charsets"),
                format!("--plugin-dir={root}/usr/lib/mysql/plugin"),
            ]
        }
    }
}

fn server_command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin");
    // MariaDB removes all temporary tables from there when it starts, those of others too, which crash by that.
    command.env("TMPDIR", folder);
    command.env("LC_ALL", "C.UTF-8").arg("--no-defaults");
    // These servers run as root where they are told to; nobody else's files are within their reach then.
    if geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

fn spawn(family: Family, folder: &Path, port: u16, arguments: &[String]) -> Child {
    let mut command = server_command(&family.program("server"), folder);
    let at = folder.display();
    command
        .args(places(family))
        .args([
            format!("--datadir={at}/data"),
            format!("--socket={at}/socket"),
            format!("--pid-file={at}/pid"),
            format!("--log-error={at}/error.log"),
            format!("--general-log-file={at}/general.log"),
            format!("--port={port}"),
        ])
        // No waiting for the disk: the folder is thrown away. All statements in the log: tests ask what
        // reached the server.
        .args([
            "--bind-address=127.0.0.1",
            "--general-log=1",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=32M",
            "--performance-schema=OFF",
            "--max-connections=120",
            "--skip-name-resolve",
            "--default-time-zone=+00:00",
            "--character-set-server=utf8mb4",
        ])
        .args(match family {
            Family::MariaDb => &["--innodb-log-file-size=8M"][..],
            Family::MySql => {
                &["--innodb-redo-log-capacity=16M", "--mysqlx=OFF", "--secure-file-priv=NULL"][..]
            }
        })
        .args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts")
}

fn wait_ready(family: Family, child: &mut Child, folder: &Path) -> bool {
    let log = folder.join("error.log");
    let before = text_of(&log).matches(READY).count();
    let mut exited = false;
    let ready = eventually(PATIENCE, || {
        exited = child.try_wait().expect("a child can be asked").is_some();
        exited || text_of(&log).matches(READY).count() > before
    });
    assert!(ready, "{} takes too long to start:\n{}", family.name(), text_of(&log));
    !exited
}

/// What both servers write when they take connections.
const READY: &str = "ready for connections";

fn stop(child: &mut Child, signal: Signal) {
    let Ok(None) = child.try_wait() else { return };
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let _ = kill(pid, signal);
    if !eventually(Duration::from_secs(20), || !matches!(child.try_wait(), Ok(None))) {
        drop(child.kill());
        drop(child.wait());
    }
}

/// A template is good for one server version, one sample and one version of this file.
fn fingerprint(family: Family) -> u64 {
    let version = Command::new(family.program("server"))
        .args(["--no-defaults", "--version"])
        .output()
        .expect("the server tells its version");
    let parts = [
        String::from_utf8_lossy(&version.stdout).into_owned(),
        SAMPLE.into(),
        include_str!("mysql.rs").into(),
    ];
    let digest = ring::digest::digest(&ring::digest::SHA256, parts.join("\n").as_bytes());
    let first: [u8; 8] = digest.as_ref()[..8].try_into().expect("eight bytes");
    u64::from_be_bytes(first)
}

const SAMPLE: &str = include_str!("../../samples/shop_mysql.sql");
