//! Whole sessions, whose names move: whatever they say, nobody sees a value from where she may not read,
//! runs code that she may not run, or changes a row there.

use std::fmt::Write as _;

use super::{
    generate::{Dice, Grammar},
    laboratory::first_number,
    server::{say, status},
    support::{Gateway, Message, Postgres, RawClient, raw},
};

const GRAMMAR: &str = include_str!("sessions.grammar");

/// Steps of one session.
const STEPS: usize = 12;

/// Two schemas with the same names in them. Whatever is in `closed`, or comes of running it, says so.
const STAGE: &str = "
DROP SCHEMA IF EXISTS billing CASCADE;
CREATE SCHEMA open; CREATE SCHEMA closed;
CREATE TABLE open.t AS SELECT 'open'::text AS v; CREATE TABLE open.u AS TABLE open.t;
CREATE TABLE closed.t AS SELECT 'CANARY'::text AS v; CREATE TABLE closed.u AS TABLE closed.t;
CREATE TABLE closed.pg_class AS TABLE closed.t;
CREATE VIEW open.w AS SELECT * FROM closed.t;
CREATE VIEW closed.w AS SELECT * FROM closed.t;
CREATE SEQUENCE closed.numbers; CREATE SEQUENCE open.numbers;
CREATE FUNCTION closed.lower(text) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN RETURN 'CANARY'; END$$;
CREATE FUNCTION closed.f() RETURNS text LANGUAGE plpgsql STABLE AS $$BEGIN RETURN 'CANARY'; END$$;
CREATE FUNCTION closed.f(open.t) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN 'CANARY'; END$$;
CREATE FUNCTION closed.plus(integer, integer) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN RETURN 'CANARY'; END$$;
CREATE OPERATOR closed.+~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = closed.plus);
CREATE FUNCTION closed.kind_is(text) RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN RAISE INFO 'CANARY'; RETURN true; END$$;
CREATE DOMAIN closed.kind AS text CHECK (closed.kind_is(VALUE));
GRANT USAGE ON SCHEMA open, closed TO hallpass;
GRANT ALL ON ALL TABLES IN SCHEMA open, closed TO hallpass;
GRANT ALL ON ALL SEQUENCES IN SCHEMA open, closed TO hallpass;
GRANT TEMP ON DATABASE shop TO hallpass;";

/// What lies there.
const CLOSED: &str = "SELECT (SELECT string_agg(v, ',') FROM closed.t),
    (SELECT string_agg(v, ',') FROM closed.u), (SELECT string_agg(v, ',') FROM closed.pg_class),
    (SELECT is_called FROM closed.numbers)";

/// What went wrong in so many sessions.
pub(crate) fn findings(sessions: u64) -> Vec<String> {
    let server = Postgres::start();
    server.sql(STAGE);
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let scope = ["--for", "1h", "--scope", "open.*", "--row-budget", "100000000"];
    gateway.grant_with("alice", "select,dml", &scope);
    gateway.grant_with("alice", "ddl", &["--for", "1h"]);
    let grammar = Grammar::parse(GRAMMAR);
    grammar.check();
    let before = server.sql(CLOSED);
    let (mut found, mut read, mut said) = (Vec::new(), 0, 0);
    for number in first_number()..first_number() + sessions {
        let mut client = gateway.connect("alice", &secret);
        let mut dice = Dice::new(number);
        let mut told = String::new();
        let mut next = "first";
        for _ in 0..STEPS {
            let text = grammar.text(next, &mut dice);
            let answer = step(&mut client, &text);
            writeln!(told, "    {text}").expect("writes");
            let failed = status(&answer) == b'E' && !dice.once_in(4);
            next = if failed { "end" } else { "step" };
            said += 1;
            read += usize::from(shows(&answer, b"open"));
            if shows(&answer, b"CANARY") {
                found.push(format!("{number}: seen\n{told}    {answer:?}"));
                break;
            }
        }
        client.terminate();
        if server.sql(CLOSED) != before {
            found.push(format!("{number}: changed\n{told}"));
            break;
        }
    }
    eprintln!("{sessions} sessions, {said} steps, {read} of them read");
    assert!(read * 40 > said, "hardly anything was read: {read} of {said}");
    found
}

fn shows(answer: &[Message], token: &[u8]) -> bool {
    answer.iter().any(|message| message.body.windows(token.len()).any(|part| part == token))
}

fn step(client: &mut RawClient, text: &str) -> Vec<Message> {
    let Some((how, rest)) = text.strip_prefix('@').and_then(|rest| rest.split_once(' ')) else {
        return say(client, text);
    };
    let run = |statement: &str| [raw::bind("", statement, &[], 0), raw::execute("", 0)].concat();
    let mut packet = match how {
        "parse" => {
            let (name, sql) = rest.split_once(' ').expect("a name and a text");
            [raw::close(b'S', name), raw::parse(name, sql, &[])].concat()
        }
        "run" => run(rest),
        "drop" => raw::close(b'S', rest),
        "one" | "many" => {
            let texts = rest.split('|').map(str::trim);
            texts.flat_map(|sql| [raw::parse("", sql, &[]), run("")].concat()).collect()
        }
        other => panic!("@{other}"),
    };
    packet.extend(raw::sync());
    client.send_bytes(&packet);
    client.read_until(b'Z')
}
