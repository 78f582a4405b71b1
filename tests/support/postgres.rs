//! A private Postgres: its own folder, its own port, gone at the end of the test.
//!
//! The first one of a build runs `initdb` and loads the sample database; every later one starts on a
//! copy of that. A machine without a Postgres server fails the test: nothing is skipped.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tempfile::TempDir;

use super::{PATIENCE, eventually, ports};

/// The database with the sample data, owned by [`UPSTREAM_USER`].
pub const DATABASE: &str = "shop";
/// The log-in the gateway uses. Not a superuser; owns everything in the database.
pub const UPSTREAM_USER: &str = "hallpass";
/// Its password.
pub const UPSTREAM_PASSWORD: &str = "upstream-secret";
/// The superuser; over the unix socket it needs no password.
pub const SUPERUSER: &str = "postgres";
/// Its password over TCP.
pub const SUPERUSER_PASSWORD: &str = "superuser-secret";

/// What a server of a test may differ in.
#[derive(Default)]
pub struct Options {
    /// Take TLS connections, with a certificate for `localhost` that nobody else knows.
    pub tls: bool,
    /// Lines put before the default ones of `pg_hba.conf`.
    pub hba: String,
    /// Further settings.
    pub settings: Vec<(&'static str, String)>,
}

/// A running server. Dropping it stops it and removes its folder.
pub struct Postgres {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Postgres {
    /// Starts one with the sample database, no TLS, SCRAM passwords over TCP.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one that differs.
    pub fn start_with(options: &Options) -> Self {
        for _ in 0..3 {
            if let Some(server) = Self::try_start(template(), options) {
                return server;
            }
        }
        panic!("Postgres found its port taken three times in a row");
    }

    fn try_start(source: &Path, options: &Options) -> Option<Self> {
        let folder = private_folder();
        let data = folder.path().join("data");
        run(Command::new("cp").arg("-a").arg(source).arg(&data));
        let mut settings = options.settings.clone();
        if options.tls {
            settings.push(("ssl", "on".into()));
            write_certificate(&data);
        }
        let hba = data.join("pg_hba.conf");
        let lines = format!("{}\n{HBA}", options.hba);
        fs::write(&hba, lines).expect("writes pg_hba.conf");
        launch(folder, &settings)
    }

    /// Its TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`, as a target's `address`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The folder its unix socket lies in.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate it shows, if it takes TLS.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("data/server.crt")
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Everything the server has logged, each statement it ran included.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Runs SQL as superuser in the sample database and gives what `psql -At` prints.
    pub fn sql(&self, text: &str) -> String {
        sql_over_socket(self.socket_folder(), self.port, DATABASE, text)
    }

    /// A connection string for somebody, straight to the server.
    pub fn dsn(&self, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// The connection string of the gateway's own log-in.
    pub fn upstream_dsn(&self) -> String {
        self.dsn(UPSTREAM_USER, UPSTREAM_PASSWORD)
    }

    /// Stops at once, as when the machine loses power; [`Postgres::restart`] brings it back.
    pub fn stop(&mut self) {
        stop(&mut self.child, Signal::SIGQUIT);
    }

    /// Starts again on the same folder and port after [`Postgres::stop`].
    pub fn restart(&mut self) {
        let data = self.folder.path().join("data");
        drop(fs::remove_file(data.join("postmaster.pid")));
        self.child = spawn(self.folder.path(), self.port, &[]);
        assert!(wait_ready(&mut self.child, self.folder.path()), "{}", self.log());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&mut self.child, Signal::SIGQUIT);
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            eprintln!("--- the last lines of the Postgres log");
            for line in tail.iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}

/// The path of a program of the server (`initdb`, `postgres`) or of its clients.
pub fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("HALLPASS_TEST_POSTGRES") {
        let program = Path::new(&folder).join(name);
        assert!(program.is_file(), "HALLPASS_TEST_POSTGRES has no {name}");
        return program;
    }
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|e| e.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.sort_by_key(|f| !f.starts_with("/usr/lib/postgresql/15"));
    folders.extend(std::env::split_paths(&on_path));
    folders.into_iter().map(|f| f.join(name)).find(|p| p.is_file()).unwrap_or_else(|| {
        panic!(
            "no `{name}` on the PATH or in /usr/lib/postgresql/*/bin: these tests need a Postgres \
             server (Debian: apt-get install postgresql); .ci/run installs it"
        )
    })
}

/// A folder that the server's user owns. Postgres refuses to run as root, so as root it is run as
/// `postgres`, or as `nobody` where there is no such user.
fn private_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("hallpass-pg-").tempdir().expect("a folder");
    give_to_server(folder.path());
    folder
}

fn give_to_server(path: &Path) {
    if let Some(user) = server_user() {
        chown(path, Some(user.0), Some(user.1)).expect("root may give files away");
    }
}

fn server_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .expect("a system has the user nobody");
    Some((user.uid.as_raw(), user.gid.as_raw()))
}

fn server_command(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    // std clears the supplementary groups when root changes the user.
    if let Some((uid, gid)) = server_user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command
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

/// The folder that every server starts as a copy of.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("pg-template-{:016x}", fingerprint());
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !kept.join("PG_VERSION").is_file() {
            let fresh = make_template();
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

fn make_template() -> TempDir {
    let folder = private_folder();
    let data = folder.path().join("data");
    let secret = folder.path().join("secret");
    fs::write(&secret, SUPERUSER_PASSWORD).expect("writes the password");
    give_to_server(&secret);
    run(server_command(program("initdb"))
        .args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .args(["--auth-host=scram-sha-256", "--auth-local=trust", "--wal-segsize=1"])
        .arg("--pwfile")
        .arg(&secret)
        .arg("--pgdata")
        .arg(&data));
    let mut server = launch(folder, &[]).expect("a fresh Postgres starts");
    let (at, port) = (server.socket_folder(), server.port());
    sql_over_socket(
        at,
        port,
        "postgres",
        &format!(
            "CREATE ROLE {UPSTREAM_USER} LOGIN PASSWORD '{UPSTREAM_PASSWORD}';
             CREATE DATABASE {DATABASE} OWNER {UPSTREAM_USER};"
        ),
    );
    let load = format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{SAMPLE}");
    sql_over_socket(at, port, DATABASE, &load);
    // A clean stop: copies must not have to recover.
    stop(&mut server.child, Signal::SIGINT);
    drop(fs::remove_file(server.folder.path().join("data/postmaster.opts")));
    std::mem::replace(&mut server.folder, private_folder())
}

fn launch(folder: TempDir, settings: &[(&'static str, String)]) -> Option<Postgres> {
    let port = ports::free();
    let data = folder.path().join("data");
    let mut lines = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n{SETTINGS}",
        folder.path().display()
    );
    for (name, value) in settings {
        lines.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
    }
    fs::write(data.join("postgresql.auto.conf"), lines).expect("writes the settings");
    let mut child = spawn(folder.path(), port, &[]);
    if wait_ready(&mut child, folder.path()) {
        return Some(Postgres { folder, port, child });
    }
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    stop(&mut child, Signal::SIGQUIT);
    assert!(log.contains("Address already in use"), "Postgres doesn't start:\n{log}");
    None
}

fn spawn(folder: &Path, port: u16, more: &[&str]) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("opens the log");
    let also = log.try_clone().expect("a second handle");
    server_command(program("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string()])
        .args(more)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(also)
        .spawn()
        .expect("postgres starts")
}

fn wait_ready(child: &mut Child, folder: &Path) -> bool {
    let lock = folder.join("data/postmaster.pid");
    let mut exited = false;
    let ready = eventually(PATIENCE, || {
        exited = child.try_wait().expect("a child can be asked").is_some();
        let state = fs::read_to_string(&lock).unwrap_or_default();
        exited || state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    });
    ready && !exited
}

fn stop(child: &mut Child, signal: Signal) {
    let Ok(None) = child.try_wait() else { return };
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let _ = kill(pid, signal);
    if !eventually(Duration::from_secs(20), || !matches!(child.try_wait(), Ok(None))) {
        drop(child.kill());
        drop(child.wait());
    }
}

fn sql_over_socket(folder: &Path, port: u16, database: &str, text: &str) -> String {
    let mut child = Command::new(program("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER])
        .args(["-d", database, "-p", &port.to_string(), "-h"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql starts");
    let mut input = child.stdin.take().expect("piped");
    // A failing script is told by its exit code; a broken pipe here would only hide it.
    drop(input.write_all(text.as_bytes()));
    drop(input);
    let output = child.wait_with_output().expect("psql ends");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{errors}\nin: {}",
        text.chars().take(400).collect::<String>()
    );
    String::from_utf8(output.stdout).expect("psql prints UTF-8").trim_end().to_owned()
}

fn write_certificate(data: &Path) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
    for (name, text) in
        [("server.crt", made.cert.pem()), ("server.key", made.signing_key.serialize_pem())]
    {
        let path = data.join(name);
        fs::write(&path, text).expect("writes it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("may be protected");
        give_to_server(&path);
    }
}

/// A template is good for one server version, one sample and one version of this file.
fn fingerprint() -> u64 {
    let parts = [
        program("postgres").display().to_string(),
        SAMPLE.into(),
        include_str!("postgres.rs").into(),
    ];
    let digest = ring::digest::digest(&ring::digest::SHA256, parts.join("\n").as_bytes());
    let first: [u8; 8] = digest.as_ref()[..8].try_into().expect("eight bytes");
    u64::from_be_bytes(first)
}

const SAMPLE: &str = include_str!("../../samples/shop.sql");

const HBA: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

// No fsync: the folder is thrown away. All statements in the log: tests ask what reached the server.
const SETTINGS: &str = "fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 120
shared_buffers = '32MB'
log_statement = 'all'
log_line_prefix = '%m [%p] %u %a '
log_min_messages = 'log'
password_encryption = 'scram-sha-256'
max_wal_size = '256MB'
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
";
