//! `psql`, as people use it: one command at a time, or a session that stays open while somebody
//! else does something in theirs.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use super::{PATIENCE, postgres::program};

/// How to start `psql`: a connection string and, if wanted, environment variables.
#[derive(Clone)]
pub struct Psql {
    dsn: String,
    environment: Vec<(String, String)>,
}

/// How one run ended.
#[derive(Debug)]
pub struct Printed {
    /// Standard output, without the last line break.
    pub stdout: String,
    /// Standard error: errors and notices.
    pub stderr: String,
    /// The exit code.
    pub code: Option<i32>,
}

impl Psql {
    /// With a connection string of any form `psql` takes.
    pub fn new(dsn: impl Into<String>) -> Self {
        Self { dsn: dsn.into(), environment: Vec::new() }
    }

    /// With an environment variable more, `PGSSLMODE` for example.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("psql"));
        command
            .args(["-X", "-d", &self.dsn])
            .env("PGCONNECT_TIMEOUT", "20")
            .env("PAGER", "cat")
            .env_remove("PGSERVICE")
            .env_remove("PGPASSFILE")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs SQL and backslash commands from standard input, rows unaligned and without headers.
    pub fn run(&self, text: &str) -> Printed {
        self.run_with(&["-A", "-t", "-q"], text)
    }

    /// Runs with arguments of the caller's choice.
    pub fn run_with(&self, arguments: &[&str], text: &str) -> Printed {
        let output = self.run_bytes(arguments, text.as_bytes());
        Printed {
            stdout: String::from_utf8_lossy(&output.stdout).trim_end().to_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
            code: output.status.code(),
        }
    }

    /// The same in bytes, of whatever encoding.
    pub fn run_bytes(&self, arguments: &[&str], text: &[u8]) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql starts");
        let mut input = child.stdin.take().expect("piped");
        // A refused log-in closes the pipe; the exit code tells.
        drop(input.write_all(text));
        drop(input);
        child.wait_with_output().expect("psql ends")
    }

    /// Runs SQL that must succeed and gives what it printed.
    pub fn must(&self, text: &str) -> String {
        let printed = self.run_with(&["-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"], text);
        assert!(printed.code == Some(0) && printed.stderr.is_empty(), "{text}\n{printed:?}");
        printed.stdout
    }

    /// Opens a session that stays.
    pub fn open(&self) -> PsqlSession {
        PsqlSession::start(self.command())
    }
}

/// An open `psql`. Everything it prints, results and errors in their order, is one text.
pub struct PsqlSession {
    child: Child,
    input: ChildStdin,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    seen: usize,
    asked: u32,
}

/// What has been printed so far, and whether anything can still come.
#[derive(Default)]
struct Screen {
    text: String,
    ended: bool,
}

impl PsqlSession {
    fn start(mut command: Command) -> Self {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let mut child = command
            .args(["-A", "-t"])
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().expect("a second handle"))
            .stderr(writer)
            .spawn()
            .expect("psql starts");
        // The command holds the writing ends; without this the reader would never see the end.
        drop(command);
        let screen = Arc::new((Mutex::new(Screen::default()), Condvar::new()));
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                bytes.extend_from_slice(&chunk[..count]);
                shared.0.lock().expect("no panic while held").text =
                    String::from_utf8_lossy(&bytes).into_owned();
                shared.1.notify_all();
            }
            shared.0.lock().expect("no panic while held").ended = true;
            shared.1.notify_all();
        });
        let input = child.stdin.take().expect("piped");
        Self { child, input, screen, seen: 0, asked: 0 }
    }

    /// Types a line and waits for everything it prints.
    pub fn say(&mut self, text: &str) -> String {
        self.begin(text);
        self.finish(PATIENCE)
    }

    /// Types a line and doesn't wait.
    pub fn begin(&mut self, text: &str) {
        self.asked += 1;
        let line = format!("{text}\n\\echo -- answer {} ends\n", self.asked);
        self.input.write_all(line.as_bytes()).expect("psql still reads");
        self.input.flush().expect("psql still reads");
    }

    /// Waits for everything that the last [`PsqlSession::begin`] prints, or for `psql` to end.
    pub fn finish(&mut self, limit: Duration) -> String {
        let mark = format!("-- answer {} ends\n", self.asked);
        let started = Instant::now();
        let mut screen = self.screen.0.lock().expect("no panic while held");
        loop {
            let fresh = &screen.text[self.seen..];
            let end = match fresh.find(&mark) {
                Some(at) => Some((at, mark.len())),
                None => screen.ended.then_some((fresh.len(), 0)),
            };
            if let Some((at, skipped)) = end {
                let answer = fresh[..at].trim_end().to_owned();
                self.seen += at + skipped;
                return answer;
            }
            let left = limit.saturating_sub(started.elapsed());
            assert!(!left.is_zero(), "psql says nothing; so far: {fresh}");
            screen = self.screen.1.wait_timeout(screen, left).expect("no panic while held").0;
        }
    }

    /// Waits until something that contains this has been printed since the last answer.
    pub fn wait_for(&self, part: &str) {
        let started = Instant::now();
        let mut screen = self.screen.0.lock().expect("no panic while held");
        while !screen.text[self.seen..].contains(part) {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let fresh = &screen.text[self.seen..];
            assert!(!left.is_zero() && !screen.ended, "psql doesn't say `{part}`: {fresh}");
            screen = self.screen.1.wait_timeout(screen, left).expect("no panic while held").0;
        }
    }

    /// The process id of this `psql`.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// What Ctrl-C does: `psql` sends a cancel request and, as it reads a script here, ends.
    pub fn interrupt(&self) {
        let pid = nix::unistd::Pid::from_raw(self.pid());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("psql runs");
    }
}

impl Drop for PsqlSession {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
