//! The servers' own command-line clients at the gateway.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
};

use crate::support::{
    Gateway, PATIENCE,
    gateway::{Options, TARGET},
    mysql::{Family, MySql},
};

/// A server, and a gateway in front of it.
pub(crate) struct Pair {
    /// The server.
    pub(crate) server: MySql,
    /// The gateway.
    pub(crate) gateway: Gateway,
}

impl Pair {
    pub(crate) fn start(family: Family) -> Self {
        Self::start_with(family, &Options::default())
    }

    pub(crate) fn start_with(family: Family, options: &Options) -> Self {
        let server = MySql::start(family);
        let gateway = Gateway::start_mysql(&server, options);
        Self { server, gateway }
    }

    /// The client of this server's family, as this principal.
    pub(crate) fn client(&self, principal: &str, secret: &str) -> Client<'_> {
        Client { pair: self, user: format!("{principal}@{TARGET}"), secret: secret.to_owned() }
    }
}

/// A principal at the command line.
pub(crate) struct Client<'p> {
    pair: &'p Pair,
    user: String,
    secret: String,
}

impl Client<'_> {
    /// A command that runs the client with these further arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.pair.server.family().program("client"));
        command
            .arg("--no-defaults")
            .args(["--protocol=tcp", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.pair.gateway.port()))
            .arg(format!("--user={}", self.user))
            .arg(format!("--password={}", self.secret))
            .args(["--default-character-set=utf8mb4", "--batch", "--raw", "--force"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a script; what was printed, and what was complained of.
    pub(crate) fn run(&self, text: &str) -> (String, String) {
        let output = self.run_with(&["--skip-column-names"], text);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let errors = text(output.stderr);
        let errors: Vec<&str> = errors.lines().filter(|line| line.starts_with("ERROR")).collect();
        (text(output.stdout).trim_end().to_owned(), errors.join("\n"))
    }

    pub(crate) fn run_with(&self, arguments: &[&str], text: &str) -> Output {
        let mut child = self.command(arguments).spawn().expect("the client starts");
        let mut stdin = child.stdin.take().expect("piped");
        std::thread::scope(|scope| {
            scope.spawn(move || drop(stdin.write_all(text.as_bytes())));
            child.wait_with_output().expect("the client ends")
        })
    }

    /// Runs a script that must not fail.
    pub(crate) fn must(&self, text: &str) -> String {
        let (printed, errors) = self.run(text);
        assert!(errors.is_empty(), "{errors}\nin: {text}\nprinted: {printed}");
        printed
    }

    /// Runs a script that must be refused; gives the complaint.
    pub(crate) fn refused(&self, text: &str) -> String {
        let (printed, errors) = self.run(text);
        assert!(!errors.is_empty(), "not refused: {text}\nprinted: {printed}");
        errors
    }
}

/// A client that stays: what it says comes line by line.
pub(crate) struct Open {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Open {
    pub(crate) fn start(client: &Client<'_>) -> Self {
        Self::start_with(client, &[])
    }

    /// With these further options.
    pub(crate) fn start_with(client: &Client<'_>, options: &[&str]) -> Self {
        let arguments = [&["--skip-column-names", "--unbuffered"], options].concat();
        let mut child = client.command(&arguments).spawn().expect("the client starts");
        let stdin = child.stdin.take();
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let also = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                if line.starts_with("ERROR") {
                    drop(also.send(line));
                }
            }
        });
        Self { child, stdin, lines }
    }

    pub(crate) fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("open");
        writeln!(stdin, "{text}").expect("it listens");
        stdin.flush().expect("it listens");
    }

    /// The next line.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it says something")
    }

    pub(crate) fn asks(&mut self, text: &str) -> String {
        self.say(text);
        self.line()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stdin.take();
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
