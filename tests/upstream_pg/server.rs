//! A Postgres of this test's own: a temporary folder, a free port, gone at the end.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};

/// What decides who may come, and how; `tls` comes over TLS, `clear` without.
const HBA: &str = "\
local   all  all                  trust
host    all  md5user  127.0.0.1/32  md5
host    all  clearuser 127.0.0.1/32 password
hostssl all  all      127.0.0.1/32  scram-sha-256
hostnossl all all     127.0.0.1/32  scram-sha-256
";

/// Log-ins, and something of every kind that the catalog reader looks for.
const SETUP: &str = include_str!("setup.sql");

/// A running server.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    /// Starts one with TLS, its log-ins and its objects.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        own(folder.path());
        let data = folder.path().join("data");
        run(program("initdb").args(["-A", "trust", "-U", "postgres", "-N", "-D"]).arg(&data));
        fs::write(data.join("pg_hba.conf"), HBA).expect("writes");
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("makes one");
        fs::write(data.join("server.crt"), key.cert.pem()).expect("writes");
        let path = data.join("server.key");
        fs::write(&path, key.signing_key.serialize_pem()).expect("writes");
        own(&path);
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("sets rights");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("finds a port")
            .port();
        let log = fs::File::create(folder.path().join("log")).expect("creates");
        let child = program("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "ssl=on", "-c", "fsync=off"])
            .args(["-c", "listen_addresses=127.0.0.1", "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("starts postgres");
        let server = Self { folder, port, child };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !server.psql("postgres", "SELECT 1") {
            assert!(Instant::now() < deadline, "Postgres does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(server.psql("postgres", "CREATE DATABASE shop") && server.psql("shop", SETUP));
        server
    }

    /// The path of its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }

    /// The path of its certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("data/server.crt")
    }

    fn psql(&self, database: &str, sql: &str) -> bool {
        program("psql")
            .args(["-qX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-c", sql])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once, but with its shared memory given back.
        let process = Pid::from_raw(self.child.id().cast_signed());
        let _ = kill(process, Signal::SIGQUIT);
        let _ = self.child.wait();
    }
}

/// The newest installed one of these programs, run as somebody who isn't root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(folder().join(name));
    if let Some(user) = postgres() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command.current_dir("/").env_remove("PGPASSWORD").env("HOME", "/nonexistent");
    command
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("HALLPASS_TEST_POSTGRES") {
        return folder.into();
    }
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .expect("Postgres is installed (Debian: postgresql)")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort();
    versions.pop().expect("has a version").join("bin")
}

/// Servers refuse to run as root.
fn postgres() -> Option<User> {
    geteuid().is_root().then(|| {
        User::from_name("postgres").ok().flatten().expect("there is a user called postgres")
    })
}

fn own(path: &Path) {
    if let Some(user) = postgres() {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("changes the owner");
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{output:?}");
}
