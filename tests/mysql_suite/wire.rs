//! What drivers do on the wire beyond texts and rows gives the same through the gateway as at the server.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use hallpass::wire::mysql::{Capabilities, response::Kind};

use crate::{
    client::Pair,
    drivers::{cache, direct_log_in, folder, same},
    raw::Raw,
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
fn by_command_line(
    pair: &Pair,
    (port, user, secret): (u16, &str, &str),
    (compress, script): (&str, &str),
) -> String {
    let mut client = Command::new("timeout");
    client.arg("120").arg(pair.server.family().program("client"));
    client.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", compress, "--force"]);
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
        let secret = pair.gateway.almighty("root");
        let user = format!("root@{TARGET}");
        let algorithms: &[&str] = match family {
            Family::MariaDb => &["--compress"],
            Family::MySql => &["--compress", "--compression-algorithms=zstd"],
        };
        for compress in algorithms {
            let asks = (*compress, &*script);
            let direct = by_command_line(&pair, (pair.server.port(), "driver", "secret"), asks);
            let through = by_command_line(&pair, (pair.gateway.port(), &user, &secret), asks);
            for (direct, through) in direct.lines().zip(through.lines()) {
                assert_eq!(direct, through, "{family:?} {compress}");
            }
            assert_eq!(direct, through, "{family:?} {compress}");
            assert!(direct.contains("60000"), "{family:?} {compress}: {direct}");
        }
    }
}

/// MySQL's own command line sends them along with its texts.
#[test]
fn query_attributes_come_as_they_were_sent() {
    let pair = Pair::start(Family::MySql);
    pair.server.sql("INSTALL COMPONENT 'file://component_query_attributes'");
    let root = pair.gateway.almighty("root");
    let text = "query_attributes n1 v1 n2 zwölf\n\
         SELECT mysql_query_attribute_string('n1'), mysql_query_attribute_string('n2');\n\
         SELECT mysql_query_attribute_string('n1');\n\
         SELECT 1 + 1;\n";
    let asked = |output: std::process::Output| {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (String::from_utf8_lossy(&output.stdout).into_owned(), errors)
    };
    let options = ["--skip-column-names", "--commands"];
    let (through, errors) = asked(pair.client("root", &root).run_with(&options, text));
    let (direct, _) =
        asked(pair.server.client(text.as_bytes(), &[&options[..], &["--batch"]].concat()));
    assert_eq!(through, direct, "{errors}");
    assert_eq!(through, "v1\tzwölf\nNULL\n2\n", "{errors}");
    // The text is on record without them, and who has less is judged by the text alone.
    pair.gateway.audit_shows("the text", |record| {
        record["statement"].as_str().is_some_and(|text| text.starts_with("SELECT mysql_query"))
    });
    let alice = pair.gateway.principal("alice", "developer");
    pair.gateway.grant("alice", "select");
    let text =
        "query_attributes n1 v1\nSELECT 'well';\nquery_attributes n1 v1\nDELETE FROM orders;\n";
    let (told, errors) = asked(pair.client("alice", &alice).run_with(&options, text));
    assert!(told == "well\n" && errors.contains("sql.dml"), "{told} {errors}");
}

#[test]
fn who_asks_for_what_changes_in_a_session_is_told() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let alice = pair.gateway.principal("alice", "developer");
        let basics = Capabilities::MYSQL | Capabilities::TRANSACTIONS;
        let who = ("alice", &*alice);
        let tracks = Raw::connect_with(&pair, who, basics | Capabilities::SESSION_TRACK);
        let (mut tracks, mut plain) =
            (tracks.expect("logs in"), Raw::connect_with(&pair, who, basics).expect("logs in"));
        let holds =
            |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        for (text, names) in [
            ("SET NAMES latin1", &["character_set_client", "latin1"][..]),
            ("SET time_zone = '+03:00'", &["time_zone", "+03:00"]),
            ("USE information_schema", &["information_schema"]),
            ("SET sql_mode = 'ANSI_QUOTES'", &["sql_mode", "ANSI_QUOTES"]),
        ] {
            let command = [b"\x03", text.as_bytes()].concat();
            for (raw, told) in [(&mut tracks, true), (&mut plain, false)] {
                raw.send(0, &command);
                let (_, payload) = raw.receive().expect("an answer");
                assert_eq!(payload.first(), Some(&0), "{family:?}: {text}: {payload:?}");
                for name in names {
                    assert_eq!(holds(&payload, name), told, "{family:?}: {text}: {payload:?}");
                }
                assert_eq!(told, payload.len() > 7, "{family:?}: {text}: {payload:?}");
            }
        }
        // The gateway has noticed as well: texts are read in the mode of now.
        assert_eq!(tracks.value("SELECT 'in' AS \"a name\""), "in");
    }
}

#[test]
fn who_says_nothing_for_too_long_is_told_and_ended() {
    let rest = "[limits]\nidle_timeout = \"4s\"\nidle_in_transaction_timeout = \"2s\"\n".to_owned();
    let pair = Pair::start_with(Family::MariaDb, &Options { rest, ..Options::default() });
    let secret = pair.gateway.almighty("alice");
    let log_in = || Raw::connect(&pair, "alice", &secret);
    let (mut idle, mut open, mut busy) = (log_in(), log_in(), log_in());
    idle.value("SELECT 1");
    open.query("BEGIN").expect("begins");
    busy.send(0, b"\x03SELECT SLEEP(6), 'busy is not idle'");
    let began = Instant::now();
    for (raw, why, after) in [
        (&mut open, "idle in a transaction for too long", 1500),
        (&mut idle, "idle for too long", 3500),
    ] {
        let (_, told) = raw.receive().expect("a word");
        let code = u16::from_le_bytes([told[1], told[2]]);
        assert_eq!((told[0], code), (0xff, 4031), "{told:?}");
        assert!(String::from_utf8_lossy(&told).contains(why), "{told:?}");
        assert!(began.elapsed() > Duration::from_millis(after), "{:?}", began.elapsed());
        assert!(raw.is_closed());
    }
    assert!(busy.answer(Kind::Result).is_ok());
}
