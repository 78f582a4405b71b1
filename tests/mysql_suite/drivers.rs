//! What drivers see through the gateway is what they see at the server.

use std::process::Command;

use crate::{
    client::Pair,
    support::{
        gateway::TARGET,
        mysql::{Family, SCHEMA},
    },
};

/// A log-in of its own at the server, as clients of the gateway have one there.
pub(crate) fn direct_log_in(pair: &Pair) {
    // Does nothing where the drivers are there already.
    runs(&Command::new(folder("setup")), "installing the drivers");
    pair.server.sql(
        "CREATE USER driver IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO driver WITH GRANT OPTION;",
    );
    // MySQL knows a password by its digest from then on, so that drivers without TLS get in.
    let mut first = Command::new(pair.server.family().program("client"));
    first.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=driver"]);
    first.args(["--password=secret", "-e", "SELECT 1", &format!("--port={}", pair.server.port())]);
    runs(&first, "the first log-in");
}

pub(crate) fn folder(name: &str) -> String {
    format!("{}/tests/drivers/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn cache(name: &str) -> String {
    format!("{}/tests/.cache/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// How long a driver may take.
const PATIENCE: &str = "300";

fn runs(command: &Command, what: &str) -> String {
    let mut bounded = Command::new("timeout");
    bounded.arg(PATIENCE).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        bounded.env(name, value.unwrap_or_default());
    }
    let output = bounded.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}\nprinted:\n{printed}");
    printed
}

pub(crate) fn same(pair: &Pair, make: impl Fn(&[String]) -> Command, what: &str) {
    let secret = pair.gateway.almighty("root");
    let user = format!("root@{TARGET}");
    let by = |port: u16, user: &str, secret: &str| {
        let arguments: Vec<String> =
            ["127.0.0.1", &port.to_string(), user, secret, SCHEMA].map(str::to_owned).to_vec();
        runs(&make(&arguments), what)
    };
    let direct = by(pair.server.port(), "driver", "secret");
    let through = by(pair.gateway.port(), &user, &secret);
    for (direct, through) in direct.lines().zip(through.lines()) {
        assert_eq!(direct, through, "{what}");
    }
    assert_eq!(direct, through, "{what}");
    assert!(direct.lines().count() > 10, "{what}: {direct}");
}

fn python(library: &'static str) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new(cache("venv/bin/python"));
            command.arg(folder("mysql_python.py")).arg(library).args(arguments);
            command
        };
        same(&pair, make, &format!("{library} at {family:?}"));
    }
}

fn node(library: &'static str) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new("node");
            command.env("NODE_PATH", cache("node_modules"));
            command.arg(folder("mysql_node.js")).arg(library).args(arguments);
            command
        };
        same(&pair, make, &format!("{library} at {family:?}"));
    }
}

#[test]
fn pymysql_sees_the_same() {
    python("pymysql");
}

#[test]
fn connector_python_sees_the_same() {
    python("connector");
}

#[test]
fn mysql2_sees_the_same() {
    node("mysql2");
}

#[test]
fn mariadbs_own_for_node_sees_the_same() {
    node("mariadb");
}

/// Debian's libmariadb-java, which logs in at both.
#[test]
fn mariadb_connector_j_sees_the_same() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new("java");
            command.args(["-cp", "/usr/share/java/mariadb-java-client.jar"]);
            command.arg(folder("MysqlJdbc.java")).args(arguments);
            command
        };
        same(&pair, make, &format!("Connector/J at {family:?}"));
    }
}

/// Debian's php-mysql, which speaks the protocol by itself (mysqlnd).
#[test]
fn php_sees_the_same() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new("php");
            command.arg(folder("mysql_php.php")).args(arguments);
            command
        };
        same(&pair, make, &format!("PHP at {family:?}"));
    }
}
