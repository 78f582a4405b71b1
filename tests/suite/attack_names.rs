//! Attacks on names with code: what runs under admin can make a prepared statement or a cursor anew
//! without a word of it on the wire, and the name outlives the grant.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::TARGET,
    raw::{Message, PROTOCOL_3_0, bind, error, execute, parse, rows, sync},
};

/// Alice may read one table for as long as she likes, and do everything until the grant that is
/// returned ends.
fn start() -> (Postgres, Gateway, RawClient, String) {
    start_with(&[])
}

/// The same where the server was told something more.
fn start_with(more: &[&str]) -> (Postgres, Gateway, RawClient, String) {
    let server = Postgres::start();
    for sql in more {
        server.sql(sql);
    }
    server.sql("CREATE TABLE open (v text)");
    server.sql("INSERT INTO open VALUES ('open')");
    server.sql("CREATE TABLE secret (v text)");
    server.sql("INSERT INTO secret VALUES ('secret')");
    server.sql("GRANT SELECT ON open, secret TO PUBLIC");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.open"]);
    let admin = gateway.grant("alice", "admin");
    let mut client = gateway.connect("alice", &secret);
    let both = || error(&client.query("SELECT * FROM secret")).is_none();
    assert!(eventually(Duration::from_secs(3), both));
    (server, gateway, client, admin)
}

fn end_admin(gateway: &Gateway, client: &mut RawClient, admin: &str) {
    gateway.must(&["grant", "revoke", admin]);
    let ended = || error(&client.query("SELECT * FROM secret")).is_some();
    assert!(eventually(Duration::from_secs(3), ended));
}

/// Nothing but a refusal that says what to do.
fn refused(answer: &[Message], code: &str) {
    let shown = rows(answer);
    assert!(shown.is_empty(), "{shown:?} came through");
    let error = error(answer).unwrap_or_else(|| panic!("not refused: {answer:?}"));
    assert_eq!(error.field('C'), code, "{answer:?}");
    assert!(error.field('H').contains("again"), "{answer:?}");
}

fn swap(name: &str) -> String {
    format!(
        "DO $$ BEGIN EXECUTE 'DEALLOCATE {name}'; \
         EXECUTE 'PREPARE {name} AS SELECT * FROM secret'; END $$"
    )
}

const PREPARED: &str = "PREPARE x AS SELECT * FROM public.open";

#[test]
fn a_statement_that_code_made_anew_is_not_judged_by_its_old_text() {
    let (_server, gateway, mut client, admin) = start();
    client.query(PREPARED);
    assert_eq!(rows(&client.query("EXECUTE x")), [["open"]]);
    assert!(error(&client.query(&swap("x"))).is_none());
    // Admin may do all, and what it sees is what the name means now.
    assert_eq!(rows(&client.query("EXECUTE x")), [["secret"]]);
    end_admin(&gateway, &mut client, &admin);
    refused(&client.query("EXECUTE x"), "26000");
    let extended = client.exchange(&[parse("", "EXECUTE x", &[]), bind("", "", &[], 0), sync()], 1);
    refused(&extended, "26000");
    client.query("DEALLOCATE x");
    client.query(PREPARED);
    assert_eq!(rows(&client.query("EXECUTE x")), [["open"]], "made again it is known again");
}

#[test]
fn a_statement_of_the_protocol_that_code_made_anew_is_not_judged_by_its_old_text() {
    let (_server, gateway, mut client, admin) = start();
    client.exchange(&[parse("x", "SELECT * FROM public.open", &[]), sync()], 1);
    client.query(&swap("x"));
    let run = || [bind("", "x", &[], 0), execute("", 0), sync()];
    assert_eq!(rows(&client.exchange(&run(), 1)), [["secret"]]);
    end_admin(&gateway, &mut client, &admin);
    refused(&client.exchange(&run(), 1), "26000");
    let again =
        [crate::support::raw::close(b'S', "x"), parse("x", "SELECT * FROM public.open", &[])];
    client.exchange(&[&again[..], &run()[..]].concat(), 1);
    assert_eq!(rows(&client.exchange(&run(), 1)), [["open"]]);
}

#[test]
fn code_that_fails_or_is_not_fetched_to_its_end_has_run_all_the_same() {
    let (_server, gateway, mut client, admin) = start();
    client.query(
        "CREATE FUNCTION pg_temp.swap(n text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN \
         EXECUTE 'DEALLOCATE '||n; EXECUTE 'PREPARE '||n||' AS SELECT * FROM secret'; \
         RETURN 1; END $$",
    );
    for name in ["a", "b", "c", "d", "e"] {
        client.query(&format!("PREPARE {name} AS SELECT * FROM public.open"));
    }
    let fails = swap("a").replace("END $$", "RAISE 'no'; END $$");
    assert!(error(&client.query(&fails)).is_some());
    let suspended = client.exchange(
        &[
            parse("", "SELECT pg_temp.swap('b') UNION ALL SELECT 2", &[]),
            bind("", "", &[], 0),
            execute("", 1),
            sync(),
        ],
        1,
    );
    assert_eq!(rows(&suspended), [["1"]], "{suspended:?}");
    client.query("PREPARE outer_one AS SELECT pg_temp.swap('c')");
    assert_eq!(rows(&client.query("EXECUTE outer_one")), [["1"]]);
    let by_text = client.query("SELECT query_to_xml('SELECT pg_temp.swap(''d'')', true, true, '')");
    assert!(error(&by_text).is_none(), "{by_text:?}");
    // Made and swapped in one text.
    client.query(&format!("PREPARE f AS SELECT * FROM public.open; {}", swap("f")));
    assert_eq!(rows(&client.query("EXECUTE d")), [["secret"]]);
    end_admin(&gateway, &mut client, &admin);
    for name in ["a", "b", "c", "d", "e", "f"] {
        refused(&client.query(&format!("EXECUTE {name}")), "26000");
    }
}

#[test]
fn a_cursor_that_code_made_anew_is_not_judged_by_its_old_text() {
    let (_server, gateway, mut client, admin) = start();
    client.query("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM public.open; COMMIT");
    let swapped = client.query(
        "DO $$ BEGIN EXECUTE 'CLOSE c'; \
         EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM secret'; END $$",
    );
    assert!(error(&swapped).is_none(), "{swapped:?}");
    end_admin(&gateway, &mut client, &admin);
    refused(&client.query("FETCH ALL FROM c"), "34000");
    refused(&client.exchange(&[execute("c", 0), sync()], 1), "34000");
    client.query("CLOSE c");
    client.query("BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.open");
    assert_eq!(rows(&client.query("FETCH ALL FROM c")), [["open"]]);
    client.query("ROLLBACK");
}

#[test]
fn statements_of_drivers_survive_the_code_that_ordinary_rights_run() {
    let server = Postgres::start();
    server.sql("CREATE TABLE t (v int)");
    server.sql("INSERT INTO t VALUES (1)");
    server.sql("GRANT ALL ON t TO PUBLIC");
    server.sql(
        "CREATE FUNCTION twice(n int) RETURNS int STABLE LANGUAGE plpgsql AS \
         'BEGIN RETURN n * 2; END'",
    );
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml");
    let mut client = gateway.connect("alice", &secret);
    client.exchange(&[parse("s1", "SELECT v FROM t", &[]), sync()], 1);
    assert_eq!(rows(&client.query("SELECT twice(v) FROM t")), [["2"]]);
    let answer = client.exchange(&[bind("", "s1", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(rows(&answer), [["1"]], "{answer:?}");
}

/// The next batch gives the unnamed statement, or portal, another text while the server still skips the
/// first one's. Judged as it was before both, it would read on when the grant has ended.
#[test]
fn a_name_given_anew_behind_a_skipped_batch_is_judged_by_its_new_text() {
    let (_server, gateway, mut client, admin) = start();
    let fails = "SELECT v::int FROM public.open";
    client.send_bytes(
        &[
            parse("", fails, &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("", "SELECT 2", &[]),
            bind("", "", &[], 0),
            sync(),
            parse("", "SELECT * FROM secret", &[]),
            sync(),
        ]
        .concat(),
    );
    let failed = client.read_until(b'Z');
    assert_eq!(error(&failed).expect("it fails").field('C'), "22P02", "{failed:?}");
    assert!(error(&client.read_until(b'Z')).is_none());
    gateway.must(&["grant", "revoke", &admin]);
    std::thread::sleep(Duration::from_millis(1500));
    let asked = client.exchange(&[bind("", "", &[], 0), execute("", 0), sync()], 1);
    assert!(rows(&asked).is_empty(), "{asked:?}");
    assert_eq!(error(&asked).expect("refused").field('C'), "42501", "{asked:?}");
}

#[test]
fn the_schema_of_a_role_comes_and_goes_with_the_role() {
    let (_server, gateway, mut client, admin) = start_with(&[
        "CREATE ROLE deputy",
        "GRANT deputy TO hallpass",
        "CREATE SCHEMA deputy AUTHORIZATION deputy",
        "CREATE TABLE deputy.open AS SELECT 'deputy''s' AS v",
        "GRANT SELECT ON deputy.open TO PUBLIC",
    ]);
    assert_eq!(rows(&client.query("SELECT v FROM open")), [["open"]]);
    assert!(error(&client.query("SET ROLE deputy")).is_none());
    end_admin(&gateway, &mut client, &admin);
    // The server reads deputy.open now, which is out of her scope.
    let answer = client.query("SELECT v FROM open");
    assert!(rows(&answer).is_empty(), "{answer:?}");
    assert_eq!(error(&answer).expect("refused").field('C'), "42501");
    // What a pool sends when it takes a connection back needs nothing.
    for back in ["RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT"] {
        assert!(error(&client.query(back)).is_none(), "{back}");
        assert_eq!(rows(&client.query("SELECT v FROM open")), [["open"]], "{back}");
    }
}

#[test]
fn a_path_from_the_start_up_counts_however_its_name_is_written() {
    let server = Postgres::start();
    server.sql("CREATE TABLE open (v text)");
    server.sql("INSERT INTO open VALUES ('open')");
    server.sql("CREATE SCHEMA closed");
    server.sql("CREATE TABLE closed.open (v text)");
    server.sql("INSERT INTO closed.open VALUES ('secret')");
    server.sql("GRANT USAGE ON SCHEMA closed TO PUBLIC");
    server.sql("GRANT SELECT ON open, closed.open TO PUBLIC");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.open"]);
    let read_by = |setting: (&str, &str)| {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET), setting]);
        client.login(&secret).expect("is let in");
        let answer = client.query("SELECT v FROM open");
        (rows(&answer), error(&answer).map(|error| error.field('C')))
    };
    let open = || vec![vec!["open".to_owned()]];
    let usual = || read_by(("DateStyle", "ISO"));
    assert!(eventually(Duration::from_secs(3), || usual() == (open(), None)));
    for path in [
        ("search_path", "closed"),
        ("Search_Path", "closed"),
        ("SEARCH_PATH", "closed, public"),
        ("options", "-c search_path=closed"),
        ("options", "--Search-Path=closed"),
    ] {
        assert_eq!(read_by(path), (Vec::new(), Some("42501".to_owned())), "{path:?}");
    }
    for path in [("Search_Path", "public"), ("options", "-cSEARCH_PATH=public")] {
        assert_eq!(read_by(path), (open(), None), "{path:?}");
    }
}
