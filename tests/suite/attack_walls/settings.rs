//! Settings by every route: what may be set can be set as on a bare server by all of them, what may not
//! by none; and whatever a session's settings are, the gateway reads the text that the server reads.

use super::{Onlooker, WAYS, Way, extended, go, start, start_with};
use crate::support::{
    Message, Postgres, RawClient,
    gateway::{Gateway, Options, TARGET},
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{PROTOCOL_3_0, bind, error, parse, query, rows, sync},
};

/// Code that sets what it is told, at once or when it is planned.
const OBJECTS: &str = "
    CREATE FUNCTION encodes_at_once() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RETURN set_config('client_encoding', 'SJIS', false); END$$;
    CREATE SCHEMA open; CREATE SCHEMA closed;
    CREATE TABLE open.t AS SELECT 'open' AS v;
    CREATE TABLE closed.t AS SELECT 'closed' AS v;";

fn code(answer: &[Message]) -> String {
    error(answer).map(|e| e.field('C')).unwrap_or_default()
}

/// A log-in with these start-up parameters; `Err`: it was refused.
fn log_in(
    (address, user, password, database): (&str, &str, &str, &str),
    parameters: &[(&str, &str)],
) -> Result<RawClient, Message> {
    let mut client = RawClient::open(address);
    let own = [("user", user), ("database", database)];
    client.startup(PROTOCOL_3_0, &[&own[..], parameters].concat());
    client.login(password).map(|()| client)
}

fn value(client: &mut RawClient, name: &str) -> String {
    let answer = client.query(&format!("SELECT current_setting('{name}', true)"));
    rows(&answer).concat().concat()
}

/// Start-up options that hold blanks of all kinds, with and without a backslash before them.
#[test]
fn options_are_cut_where_the_server_cuts_them() {
    let (server, gateway) = start();
    server.sql(&format!("CREATE ROLE other; GRANT other TO {UPSTREAM_USER}"));
    let secret = gateway.principal("alice", "developer");
    let mut wrong = Vec::new();
    for blank in [" ", "\t", "\n", "\r", "\u{b}", "\u{c}"] {
        for escape in ["", "\\"] {
            for (name, hostile) in [("role", "other"), ("backslash_quote", "on")] {
                let gap = format!("{escape}{blank}");
                let options = format!("-c application_name=a{gap}-c{gap}{name}={hostile}");
                let parameters = [("options", options.as_str())];
                let address = gateway.address();
                let come_in = log_in((&address, "alice", &secret, TARGET), &parameters);
                if let Ok(mut client) = come_in
                    && value(&mut client, name) == hostile
                {
                    wrong.push(format!("{options:?}"));
                }
            }
        }
        // A value with blanks in it means the same on both.
        let options = format!("-c my.words=a\\{blank}b\\\\c");
        let parameters = [("options", options.as_str())];
        let (there, here) = (server.address(), gateway.address());
        let mut bare = log_in((&there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE), &parameters)
            .expect("logs in");
        let mut client = log_in((&here, "alice", &secret, TARGET), &parameters).expect("logs in");
        let expected = value(&mut bare, "my.words");
        let got = value(&mut client, "my.words");
        if expected != got {
            wrong.push(format!("{options:?}: {got:?} for {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value that one may set, for each setting: the one it has.
fn settings(server: &Postgres) -> Vec<(String, String)> {
    let sql = "SELECT name || '|' || current_setting(name) FROM pg_settings
               WHERE name !~ 'transaction_read_only|^application_name$' ORDER BY name";
    let known = server.sql(sql);
    let mut all: Vec<(String, String)> = known
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for name in [
        "my.own",
        "plpgsql.variable_conflict",
        "auto_explain.log_min_duration",
        "session_authorization",
        "no_such_setting",
    ] {
        all.push((name.to_owned(), "none".to_owned()));
    }
    // SET ROLE NONE goes back to the log-in, as RESET ROLE does: somebody else is another matter.
    all.push(("role".to_owned(), "somebody".to_owned()));
    all
}

#[test]
fn each_setting_is_set_as_on_a_bare_server_by_all_routes_or_by_none() {
    let (server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut bare =
        RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
    let mut client = gateway.connect("alice", &secret);
    let mut wrong = Vec::new();
    let (mut may, mut may_not) = (0, 0);
    for (at, (name, is)) in settings(&server).iter().enumerate() {
        let text = is.replace('\'', "''");
        let list = matches!(name.as_str(), "search_path" | "temp_tablespaces");
        let written = if list { is.clone() } else { format!("'{text}'") };
        if written.is_empty() {
            continue;
        }
        let routes = [
            format!("SET {name} = {written}"),
            format!("SET SESSION {name} TO {written}"),
            format!("SELECT set_config('{name}', '{text}', false)"),
            format!("SELECT pg_catalog.set_config('{}', '{text}', true)", name.to_uppercase()),
            format!("BEGIN; SET LOCAL {name} = {written}; COMMIT"),
        ];
        let mut refused = Vec::new();
        for text in &routes {
            let (expected, got) = (bare.query(text), client.query(text));
            bare.query("ROLLBACK");
            client.query("ROLLBACK");
            match (code(&expected).as_str(), code(&got).as_str()) {
                (_, "42501") if code(&expected) != "42501" => refused.push(true),
                // Superusers alone may: both refuse.
                ("42501", "42501") => refused.push(true),
                (expected, got) if expected == got => refused.push(false),
                (expected, got) => wrong.push(format!("{text}: {got:?} for {expected:?}")),
            }
        }
        if refused.iter().any(|r| *r != refused[0]) {
            wrong.push(format!("{name}: refused by some routes only: {refused:?}"));
        }
        let is_refused = refused.first() == Some(&true);
        // At log-in: every third, either way.
        if at % 3 == 0 && name != "no_such_setting" && !name.contains('.') {
            let option = format!("-c {name}={}", is.replace('\\', "\\\\").replace(' ', "\\ "));
            let parameters = if at % 2 == 0 {
                ("options", option.as_str())
            } else {
                (name.as_str(), is.as_str())
            };
            let address = gateway.address();
            let come_in = log_in((&address, "alice", &secret, TARGET), &[parameters]);
            let user_may = code(&bare.query(&routes[0])).is_empty();
            if come_in.is_ok() == is_refused && user_may {
                wrong.push(format!("{parameters:?} at log-in: {:?}", come_in.err()));
            }
        }
        let (is, was) = (value(&mut client, name), value(&mut bare, name));
        if !is_refused && is != was {
            wrong.push(format!("{name} is {is:?}, on a bare server {was:?}"));
        }
        if is_refused {
            may_not += 1;
        } else {
            may += 1;
        }
        for way in [
            format!("UPDATE pg_settings SET setting = '{text}' WHERE name = '{name}'"),
            format!("ALTER ROLE CURRENT_USER SET {name} = {written}"),
            format!("ALTER DATABASE shop SET {name} = {written}"),
            format!(
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET {name} = {written} AS 'SELECT 1'"
            ),
        ] {
            let refusal = code(&client.query(&way));
            if refusal != "42501" {
                wrong.push(format!("{way}: {refusal:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(may > 100 && may_not > 150, "{may} {may_not}");
}

#[test]
fn settings_that_cost_the_server_memory_have_an_upper_bound_by_all_routes() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let mut wrong = Vec::new();
    let many = [
        ("work_mem", "10GB"),
        ("work_mem", "2TB"),
        ("work_mem", "10485760"),
        ("work_mem", "1e7"),
        ("work_mem", "0x989680"),
        ("work_mem", " 10 GB "),
        ("work_mem", "10240.5MB"),
        ("maintenance_work_mem", "100GB"),
        ("temp_buffers", "10GB"),
        ("hash_mem_multiplier", "1000"),
        ("hash_mem_multiplier", "1e3"),
    ];
    let fair = [
        ("work_mem", "64MB"),
        ("work_mem", "1GB"),
        ("work_mem", "1048576"),
        ("maintenance_work_mem", "2GB"),
        ("temp_buffers", "64MB"),
        ("hash_mem_multiplier", "2.0"),
    ];
    for (settings, refused) in [(&many[..], true), (&fair[..], false)] {
        for (name, value) in settings {
            for text in [
                format!("SET {name} = '{value}'"),
                format!("BEGIN; SET LOCAL {name} TO '{value}'; COMMIT"),
                format!("SELECT set_config('{name}', '{value}', false)"),
            ] {
                let answer = client.query(&text);
                if (code(&answer) == "42501") != refused || !refused && error(&answer).is_some() {
                    wrong.push(format!("{text}: {answer:?}"));
                }
                client.query("ROLLBACK");
            }
            let option = format!("-c {name}={}", value.replace(' ', "\\ "));
            for parameter in [("options", option.as_str()), (*name, *value)] {
                let address = gateway.address();
                let come_in = log_in((&address, "alice", &secret, TARGET), &[parameter]);
                if come_in.is_err() != refused {
                    wrong.push(format!("{parameter:?}: {:?}", come_in.err()));
                }
            }
        }
    }
    let answer = client.query("SELECT set_config('work_mem', '10' || 'GB', false)");
    assert_eq!(code(&answer), "42501", "{answer:?}");
    for fine in ["RESET work_mem", "SET work_mem TO DEFAULT", "SET LOCAL hash_mem_multiplier = 1.5"]
    {
        assert!(error(&client.query(fine)).is_none(), "{fine}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_character_set_is_chosen_in_which_a_text_reads_otherwise() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut wrong = Vec::new();
    let sets = [
        "SJIS",
        "'sjis'",
        "BIG5",
        "GBK",
        "UHC",
        "GB18030",
        "JOHAB",
        "SHIFT_JIS_2004",
        "EUC_JP",
        "MULE_INTERNAL",
    ];
    for set in sets {
        let name = set.trim_matches('\'');
        let texts = [
            format!("SET client_encoding = {set}"),
            format!("SET LOCAL client_encoding TO '{name}'"),
            format!("SET \"Client_Encoding\" TO '{name}'"),
            format!("SET NAMES '{name}'"),
            format!("SELECT set_config('client_encoding', '{name}', false)"),
            format!("SELECT set_config('client_' || 'encoding', '{name}', false)"),
        ];
        let mut client = gateway.connect("alice", &secret);
        for text in texts {
            let answer = client.query(&text);
            if code(&answer) != "42501" {
                wrong.push(format!("{text}: {answer:?}"));
            }
        }
        let option = format!("-c client_encoding={name}");
        for parameter in [("options", option.as_str()), ("client_encoding", name)] {
            let address = gateway.address();
            if log_in((&address, "alice", &secret, TARGET), &[parameter]).is_ok() {
                wrong.push(format!("{parameter:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In SJIS the backslash of `ッ\` is the second half of a letter.
const IN_SJIS: &str = "SELECT E'ッ\\', pg_advisory_lock(4242) --'";
/// With standard_conforming_strings on.
const CONFORMING: &str = "SELECT '\\', pg_advisory_lock(4242) --'";
/// With it off.
const BACKSLASHES: &str = "SELECT '\\'', pg_advisory_lock(4242) --'";

#[test]
fn a_text_is_read_in_the_character_set_that_code_has_chosen() {
    let (server, gateway) = start_with(OBJECTS);
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export");
    let mut wrong = Vec::new();
    let sjis = "SELECT setting('client_encoding', 'SJIS')";
    let off = "SELECT setting('standard_conforming_strings', 'off')";
    let mut ran = |client: RawClient, said: &[Message], what: String, expected: bool| {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        if (rows(&onlooker.0.query(locks)) != [["0"]]) != expected {
            wrong.push(format!("{what}: {said:?}"));
        }
        client.terminate();
    };
    // At a bare server the hidden call runs, as each text reads there; here it needs dml, however it is
    // reached.
    for (texts, runs) in [
        (&[sjis, IN_SJIS][..], true),
        (&["BEGIN", sjis, IN_SJIS], true),
        (&["BEGIN", sjis, "COMMIT", IN_SJIS], true),
        (
            &["DECLARE c CURSOR WITH HOLD FOR SELECT setting('client_encoding', 'SJIS')", IN_SJIS],
            true,
        ),
        (&["SELECT encodes_at_once()", IN_SJIS], true),
        // The same but for its one constant, and read before.
        (&[sjis, "SELECT E'x'", "SELECT E'y'", IN_SJIS], true),
        (&["SELECT 1", IN_SJIS], false),
        (&[off, CONFORMING], false),
        (&[off, BACKSLASHES], true),
        (&["BEGIN", off, "COMMIT", BACKSLASHES], true),
        (&["SELECT 1", CONFORMING], true),
        (&["SELECT 1", BACKSLASHES], false),
    ] {
        let mut bare =
            RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
        let said = go(&mut bare, texts, Way::Queries);
        ran(bare, &said, format!("on a bare server {texts:?}"), runs);
        for way in WAYS {
            let mut client = gateway.connect("alice", &secret);
            let said = go(&mut client, texts, way);
            ran(client, &said, format!("{way:?} {texts:?}"), false);
        }
    }
    let bound = || [parse("", "SELECT encodes_at_once()", &[]), bind("", "", &[], 0)].concat();
    for packet in [
        vec![bound(), sync(), query(IN_SJIS)],
        vec![bound(), extended(IN_SJIS), sync(), query("SELECT 1")],
    ] {
        let mut client = gateway.connect("alice", &secret);
        let said = client.exchange(&packet, 2);
        ran(client, &said, "bound only".into(), false);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two letters of LATIN1 are one of UTF-8: who gives on bytes as they are must not take them for it.
#[test]
fn bytes_that_are_other_letters_to_the_server_name_no_table() {
    let server = Postgres::start();
    server.sql(&format!(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER {UPSTREAM_USER}"
    ));
    let there = server.address();
    let who = (there.as_str(), UPSTREAM_USER, UPSTREAM_PASSWORD, "latin");
    let mut owner = log_in(who, &[("client_encoding", "UTF8")]).expect("logs in");
    let made = owner.query(
        "CREATE SCHEMA open; CREATE TABLE open.\"é\" AS SELECT 'open' AS v;
         CREATE SCHEMA closed; CREATE TABLE closed.\"Ã©\" AS SELECT 'closed' AS v;
         CREATE TABLE open.\"Ã©\" AS SELECT 'closed' AS v;
         ALTER DATABASE latin SET client_encoding = 'SQL_ASCII'",
    );
    assert_eq!(code(&made), "");
    let ask = "SELECT v FROM open.\"é\"";
    // It works at a bare server.
    let mut bare = log_in(who, &[]).expect("logs in");
    assert_eq!(rows(&bare.query(ask)), [["closed"]]);
    let target = format!(
        "[[target]]\nname = \"latin\"\nengine = \"postgres\"\naddress = \"{there}\"\n\
         database = \"latin\"\nuser = \"{UPSTREAM_USER}\"\n\
         password_file = \"upstream.secret\"\ntls = \"disable\"\n",
    );
    let gateway = Gateway::start_with(&server, &Options { rest: target, ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    gateway.must(&[
        "grant", "create", "--to", "alice", "--target", "latin", "--allow", "select", "--scope",
        "open.é", "--for", "1h", "--reason", "a test",
    ]);
    let here = gateway.address();
    let who = (here.as_str(), "alice", secret.as_str(), "latin");
    let mut client = log_in(who, &[]).expect("logs in");
    assert_eq!(code(&client.query(ask)), "42501");
    let mut client = log_in(who, &[("client_encoding", "UTF8")]).expect("logs in");
    assert_eq!(rows(&client.query(ask)), [["open"]]);
}

/// A cursor that is held runs when its transaction is committed, and moves the path then.
#[test]
fn a_path_that_a_held_cursor_moves_is_asked_for() {
    let (_server, gateway) = start_with(OBJECTS);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select,export", &["--for", "30m", "--scope", "open.*"]);
    let moves = "DECLARE c CURSOR WITH HOLD FOR SELECT set_config('search_path', 'closed', false)";
    let mut wrong = Vec::new();
    for texts in [
        &[moves, "SELECT v FROM t"][..],
        &["BEGIN", moves, "COMMIT", "SELECT v FROM t"],
        &["BEGIN", moves, "COMMIT AND CHAIN", "SELECT v FROM t"],
    ] {
        for way in WAYS {
            let mut client = gateway.connect("alice", &secret);
            client.query("SET search_path = open");
            assert_eq!(rows(&client.query("SELECT v FROM t")), [["open"]]);
            let mut said = go(&mut client, texts, way);
            said.extend(client.query("SELECT v FROM t"));
            if rows(&said).concat().iter().any(|v| v == "closed") {
                wrong.push(format!("{way:?} {texts:?}: {said:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
