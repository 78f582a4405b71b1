//! What drivers do on the wire beyond texts and rows gives the same through the gateway as at the server.

use std::process::Command;

use crate::{
    client::Pair,
    drivers::{cache, direct_log_in, folder, same},
    support::{
        gateway::{Options, TARGET},
        mysql::{Family, SCHEMA},
    },
};

fn python(what: &'static str) {
    for family in Family::ALL {
        let rest = "[limits]\nstatement_bytes = \"32MiB\"\n".to_owned();
        let pair = Pair::start_with(family, &Options { rest, ..Options::default() });
        pair.server.sql("SET GLOBAL local_infile = 1, GLOBAL max_allowed_packet = 67108864");
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new(cache("venv/bin/python"));
            command.arg(folder("mysql_wire.py")).arg(what).args(arguments);
            command
        };
        same(&pair, make, &format!("{what} at {family:?}"));
    }
}

fn node(library: &'static str, families: &[Family]) {
    for family in families.iter().copied() {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        let make = |arguments: &[String]| {
            let mut command = Command::new("node");
            command.env("NODE_PATH", cache("node_modules"));
            command.arg(folder("mysql_change_user.js")).arg(library).args(arguments);
            command
        };
        same(&pair, make, &format!("{library} at {family:?}"));
    }
}

#[test]
fn connector_python_changes_its_user() {
    python("change_user");
}

#[test]
fn mysql2_changes_its_user() {
    node("mysql2", &Family::ALL);
}

#[test]
fn mariadbs_own_for_node_changes_its_user() {
    // At MySQL it says itself that it can't.
    node("mariadb", &[Family::MariaDb]);
}

#[test]
fn connector_python_compresses() {
    python("compressed");
}

#[test]
fn long_packets_pass_in_both_directions() {
    python("long");
}

/// Everything of a run of the command line: what it printed, and what it complained of.
fn by_command_line(pair: &Pair, (port, user, secret): (u16, &str, &str), script: &str) -> String {
    let mut client = Command::new("timeout");
    client.arg("120").arg(pair.server.family().program("client"));
    client.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--compress", "--force"]);
    client.args(["--local-infile=1", "--default-character-set=utf8mb4", "-vvv", "--table"]);
    client.args([&format!("--port={port}"), &format!("--user={user}")]);
    client.args([&format!("--password={secret}"), SCHEMA, "-e", script]);
    let output = client.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    // How long it took is told, and is not the same.
    let timed = |line: &&str| !line.contains(" sec)") && !line.contains("WARNING");
    let lines = printed.lines().chain(errors.lines()).filter(timed);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_command_lines_compress() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        direct_log_in(&pair);
        pair.server.sql("SET GLOBAL local_infile = 1; CREATE TABLE shop.lines (line varchar(900))");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let line = |n: usize| format!("{n}{}\n", "x".repeat(n % 800));
        let lines: String = (0..60_000).map(line).collect();
        std::fs::write(file.path(), lines).expect("is written");
        let script = format!(
            "TRUNCATE TABLE `lines`; SELECT * FROM order_items ORDER BY 1, 2; SELECT REPEAT('y', 3000000) AS y; \
             LOAD DATA LOCAL INFILE '{}' INTO TABLE `lines`; \
             SELECT count(*), sum(length(line)), md5(group_concat(line ORDER BY line)) IS NULL FROM `lines`; \
             SELECT nope; SHOW STATUS LIKE 'nothing'; SELECT 'end'",
            file.path().display()
        );
        let direct = by_command_line(&pair, (pair.server.port(), "driver", "secret"), &script);
        let secret = pair.gateway.almighty("root");
        let user = format!("root@{TARGET}");
        let through = by_command_line(&pair, (pair.gateway.port(), &user, &secret), &script);
        for (direct, through) in direct.lines().zip(through.lines()) {
            assert_eq!(direct, through, "{family:?}");
        }
        assert_eq!(direct, through, "{family:?}");
        assert!(direct.contains("| 60000 |") || direct.contains("60000"), "{family:?}: {direct}");
    }
}
