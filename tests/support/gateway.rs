//! The gateway under test: its settings file, its process, its command line.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    PATIENCE, Postgres, Psql, RawClient, eventually,
    mysql::{Family, MySql, SCHEMA, SUPERUSER},
    ports,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
};

/// The name of the target in tests: unlike the database's, so that nothing relies on both being one.
pub const TARGET: &str = "shop-test";

/// Settings of one gateway, written out as `proxy.toml`.
pub struct Options {
    /// `tls` of the Postgres listener.
    pub tls: &'static str,
    /// Further lines of the Postgres listener's section.
    pub listener: String,
    /// `user` of the target.
    pub upstream_user: String,
    /// What the password file holds.
    pub upstream_password: String,
    /// `tls` of the target.
    pub upstream_tls: &'static str,
    /// Further lines of the target's section.
    pub target: String,
    /// Everything after the sections above: `[limits]`, `[audit]`, more targets.
    pub rest: String,
    /// Faults can be made in it: see [`Gateway::faults`].
    pub faults: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: "disable",
            listener: String::new(),
            upstream_user: UPSTREAM_USER.to_owned(),
            upstream_password: UPSTREAM_PASSWORD.to_owned(),
            upstream_tls: "disable",
            target: String::new(),
            rest: String::new(),
            faults: false,
        }
    }
}

/// A running gateway. Dropping it stops it by SIGTERM and removes its folder.
pub struct Gateway {
    folder: TempDir,
    port: u16,
    http_port: u16,
    child: Child,
}

impl Gateway {
    /// Starts one in front of this server.
    pub fn start(postgres: &Postgres) -> Self {
        Self::start_with(postgres, &Options::default())
    }

    /// Starts one that differs.
    pub fn start_with(postgres: &Postgres, options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("hallpass-gw-").tempdir().expect("a folder");
        let secret = folder.path().join("upstream.secret");
        fs::write(&secret, format!("{}\n", options.upstream_password)).expect("writes it");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("protects it");
        let (port, http_port) = (ports::free(), ports::free());
        let settings = format!(
            r#"data_dir = "{folder}/data"

[[listen]]
protocol = "postgres"
address = "127.0.0.1:{port}"
tls = "{tls}"
{listener}

[[listen]]
protocol = "http"
address = "127.0.0.1:{http_port}"

[[target]]
name = "{TARGET}"
engine = "postgres"
address = "{address}"
database = "{DATABASE}"
user = "{user}"
password_file = "{folder}/upstream.secret"
tls = "{upstream_tls}"
{target}

{rest}
"#,
            folder = folder.path().display(),
            address = postgres.address(),
            tls = options.tls,
            listener = options.listener,
            user = options.upstream_user,
            upstream_tls = options.upstream_tls,
            target = options.target,
            rest = options.rest,
        );
        fs::write(folder.path().join("proxy.toml"), settings).expect("writes the settings");
        if options.faults {
            fs::write(folder.path().join("faults"), "").expect("writes it");
        }
        let child = spawn(folder.path());
        let mut gateway = Self { folder, port, http_port, child };
        gateway.wait_ready();
        gateway
    }

    /// Starts one in front of MariaDB or MySQL, whose superuser without a password it is there.
    /// `options.target` and `options.rest` count; `options.tls` is that of the listener.
    pub fn start_mysql(server: &MySql, options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("hallpass-gw-").tempdir().expect("a folder");
        let (port, http_port) = (ports::free(), ports::free());
        let engine = match server.family() {
            Family::MariaDb => "mariadb",
            Family::MySql => "mysql",
        };
        let settings = format!(
            r#"data_dir = "{folder}/data"

[[listen]]
protocol = "mysql"
address = "127.0.0.1:{port}"
tls = "{tls}"
{listener}

[[listen]]
protocol = "http"
address = "127.0.0.1:{http_port}"

[[target]]
name = "{TARGET}"
engine = "{engine}"
address = "{address}"
database = "{SCHEMA}"
user = "{SUPERUSER}"
tls = "disable"
{target}

{rest}
"#,
            folder = folder.path().display(),
            address = server.socket().display(),
            tls = options.tls,
            listener = options.listener,
            target = options.target,
            rest = options.rest,
        );
        fs::write(folder.path().join("proxy.toml"), settings).expect("writes the settings");
        if options.faults {
            fs::write(folder.path().join("faults"), "").expect("writes it");
        }
        let child = spawn(folder.path());
        let mut gateway = Self { folder, port, http_port, child };
        gateway.wait_ready();
        gateway
    }

    fn wait_ready(&mut self) {
        let mut exited = None;
        let ready = eventually(PATIENCE, || {
            exited = self.child.try_wait().expect("a child can be asked");
            exited.is_some() || self.http("/readyz").is_some_and(|(status, _)| status == 200)
        });
        assert!(exited.is_none(), "the gateway ended with {exited:?}:\n{}", self.log());
        assert!(ready, "the gateway isn't ready:\n{}", self.log());
    }

    /// Its Postgres listener, `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port of its Postgres listener.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its HTTP listener, `127.0.0.1:PORT`.
    pub fn http_address(&self) -> String {
        format!("127.0.0.1:{}", self.http_port)
    }

    /// A GET on its HTTP listener: status and body; `None` if nobody answers.
    pub fn http(&self, path: &str) -> Option<(u16, String)> {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.http_port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// The faults that are made in it from now on, one a line, as `src/net/faults.rs` says; needs
    /// [`Options::faults`].
    pub fn faults(&self, lines: &str) {
        let file = self.folder.path().join("faults");
        assert!(file.exists(), "this gateway was not started for faults");
        // Whole or not at all: the gateway reads it at any time.
        let staged = self.folder.path().join("faults.new");
        fs::write(&staged, lines).expect("writes it");
        fs::rename(staged, file).expect("renames it");
        let seen = self.folder.path().join("faults.seen");
        let is_running = || kill(Pid::from_raw(self.pid()), None).is_ok();
        let taken_over = || fs::read_to_string(&seen).is_ok_and(|seen| seen == lines);
        assert!(eventually(Duration::from_secs(10), || taken_over() || !is_running()));
    }

    /// A connection string for somebody.
    pub fn dsn(&self, principal: &str, secret: &str) -> String {
        format!("postgres://{principal}:{secret}@127.0.0.1:{}/{TARGET}", self.port)
    }

    /// `psql` of somebody.
    pub fn psql(&self, principal: &str, secret: &str) -> Psql {
        Psql::new(self.dsn(principal, secret))
    }

    /// A raw connection of somebody, logged in.
    pub fn connect(&self, principal: &str, secret: &str) -> RawClient {
        RawClient::connect(&self.address(), principal, secret, TARGET)
    }

    /// The folder with settings, data and log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its settings file.
    pub fn settings(&self) -> PathBuf {
        self.folder.path().join("proxy.toml")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything on its trail, as the lines stand in its segment files.
    pub fn trail(&self) -> String {
        self.segments().iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    /// How much is on its trail, in bytes.
    pub fn trail_bytes(&self) -> u64 {
        self.segments().iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.data().join("trail")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "jsonl") {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Runs one of its commands, whatever comes of it.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        command(self.folder.path()).args(arguments).output().expect("the command starts")
    }

    /// Runs a command that must succeed; what it printed.
    pub fn must(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let stdout = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "hallpass {arguments:?}\n{stdout}\n{stderr}");
        stdout
    }

    /// Runs a command with `--json` that must succeed and print one value.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.must(&[arguments, &["--json"]].concat());
        serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("hallpass {arguments:?}: {error}\n{printed}"))
    }

    /// Adds a principal; its secret.
    pub fn principal(&self, name: &str, role: &str) -> String {
        self.principal_with(name, &[role])
    }

    /// Adds a principal with several roles; its secret.
    pub fn principal_with(&self, name: &str, roles: &[&str]) -> String {
        let mut arguments = vec!["principal", "add", name];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        let added = self.json(&arguments);
        assert_eq!(added["name"], name, "{added}");
        wait_noticed();
        added["secret"].as_str().unwrap_or_else(|| panic!("no secret: {added}")).to_owned()
    }

    /// Creates a grant on the test's target for half an hour, without scope; its id as `G-42`.
    pub fn grant(&self, principal: &str, permissions: &str) -> String {
        self.grant_with(principal, permissions, &["--for", "30m"])
    }

    /// Creates a grant with the arguments of the caller's choice; `--for` among them.
    pub fn grant_with(&self, principal: &str, permissions: &str, more: &[&str]) -> String {
        let fixed = [
            "grant",
            "create",
            "--to",
            principal,
            "--target",
            TARGET,
            "--allow",
            permissions,
            "--reason",
            "a test",
        ];
        let made = self.json(&[&fixed[..], more].concat());
        let Value::String(id) = &made["id"] else { panic!("no id: {made}") };
        if permissions.contains("admin") && !more.contains(&"--from") {
            // It begins when its target has been looked at.
            let begun = || !self.json(&["grant", "show", id])["left_behind"].is_null();
            assert!(eventually(PATIENCE, begun), "{id} does not begin");
        }
        wait_noticed();
        id.clone()
    }

    /// A principal who may do everything there is, unmask included; its secret.
    pub fn almighty(&self, name: &str) -> String {
        let secret = self.principal(name, "developer");
        self.grant_with(
            name,
            "explain,info,select,export,dml,ddl,admin,unmask",
            &["--for", "1h", "--row-budget", "100000000"],
        );
        secret
    }

    /// The audit as a list of records, oldest first, through the command line.
    pub fn audit(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.must(&[&["audit", "list", "--json"], arguments].concat());
        printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// Waits until the audit holds a record like this; the record.
    pub fn audit_shows(&self, what: &str, like: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        eventually(Duration::from_secs(10), || {
            found = self.audit(&[]).into_iter().find(|record| like(record));
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("the audit doesn't show {what}: {:#?}", self.audit(&[])))
    }

    /// Sends its process a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the gateway runs");
    }

    /// Waits for the process to end by itself; its exit code.
    pub fn wait_end(&mut self) -> Option<i32> {
        let mut status = None;
        eventually(PATIENCE, || {
            status = self.child.try_wait().expect("a child can be asked");
            status.is_some()
        });
        status.expect("the gateway ends").code()
    }

    /// Waits for the process to end by a signal nobody can catch.
    pub fn wait_end_by_signal(&mut self) {
        let ended = || !matches!(self.child.try_wait(), Ok(None));
        assert!(eventually(PATIENCE, ended), "the gateway survives");
    }

    /// Starts the process again on the same folder.
    pub fn restart(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.child = spawn(self.folder.path());
        self.wait_ready();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
            // Sessions may be open: a second signal cuts them.
            let drained = || !matches!(self.child.try_wait(), Ok(None));
            if !eventually(Duration::from_millis(500), drained) {
                let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
            }
            let ended = || !matches!(self.child.try_wait(), Ok(None));
            if !eventually(Duration::from_secs(5), ended) {
                drop(self.child.kill());
            }
        }
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- the log of the gateway\n{}", self.log());
        }
    }
}

/// The gateway's program in this folder, with its settings.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command
        .current_dir(folder)
        .args(["--config", &folder.join("proxy.toml").display().to_string()])
        .stdin(Stdio::null());
    command
}

fn spawn(folder: &Path) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("opens the log");
    let also = log.try_clone().expect("a second handle");
    let mut command = command(folder);
    let faults = folder.join("faults");
    if faults.exists() {
        command.env("HALLPASS_TEST_FAULTS", faults);
    }
    command.arg("serve").stdout(log).stderr(also).spawn().expect("the gateway starts")
}

/// Changes on the store are noticed in under a second, not at once; from outside there is nothing to
/// see that by but trying, which would leave records of failed tries.
fn wait_noticed() {
    std::thread::sleep(Duration::from_millis(400));
}
