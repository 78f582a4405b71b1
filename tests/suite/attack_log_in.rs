//! Attacks on the role that the gateway itself logs in as: who changes it changes everybody's walls.

use crate::support::{
    Gateway, Postgres, RawClient,
    postgres::UPSTREAM_USER,
    raw::{bind, error, execute, parse, sync},
};

/// Everything about the role that a statement could change.
const STATE: &str = "
    SELECT (SELECT array_agg(to_jsonb(a) ORDER BY oid) FROM pg_authid a WHERE oid >= 16384),
        (SELECT array_agg(to_jsonb(m)) FROM pg_auth_members m WHERE roleid >= 16384 OR member >= 16384),
        (SELECT array_agg(to_jsonb(s)) FROM pg_db_role_setting s)";

/// What a superuser can do to it: each works on the bare server.
const ATTACKS: [&str; 24] = [
    "ALTER ROLE hallpass NOSUPERUSER",
    "ALTER USER hallpass PASSWORD 'mine now'",
    "ALTER ROLE hallpass NOLOGIN",
    "ALTER ROLE hallpass SET default_transaction_read_only = off",
    "ALTER ROLE hallpass IN DATABASE shop SET role = 'other'",
    "ALTER ROLE hallpass RESET ALL",
    "ALTER ROLE CURRENT_USER SET work_mem = '1MB'",
    "ALTER ROLE SESSION_USER VALID UNTIL '2001-01-01'",
    "ALTER USER CURRENT_ROLE CONNECTION LIMIT 1",
    "ALTER ROLE ALL SET default_transaction_read_only = off",
    "ALTER ROLE ALL IN DATABASE shop SET work_mem = '1MB'",
    "ALTER ROLE \"hallpass\" BYPASSRLS",
    "ALTER ROLE U&\"h\\0061llpass\" BYPASSRLS",
    "GRANT pg_execute_server_program TO hallpass",
    "GRANT other, pg_monitor TO hallpass WITH ADMIN OPTION",
    "GRANT hallpass TO other",
    "ALTER GROUP hallpass ADD USER other",
    "ALTER GROUP other ADD USER hallpass",
    "CREATE ROLE friend IN ROLE hallpass",
    "CREATE ROLE friend ROLE hallpass",
    "CREATE ROLE friend ADMIN hallpass",
    "REASSIGN OWNED BY hallpass TO other",
    "UPDATE pg_authid SET rolbypassrls = true WHERE rolname = 'hallpass'",
    "DELETE FROM pg_catalog.pg_db_role_setting",
];

fn start() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    assert_eq!(UPSTREAM_USER, "hallpass", "the attacks name it");
    server.sql("CREATE ROLE other LOGIN; ALTER ROLE hallpass SET work_mem = '5MB'");
    // The worst case: an operator gave the gateway a superuser.
    server.sql("ALTER ROLE hallpass SUPERUSER");
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let client = gateway.connect("alice", &secret);
    (server, gateway, client)
}

#[test]
fn nobody_changes_the_log_in_of_the_gateway_through_it() {
    let (server, _gateway, mut client) = start();
    let before = server.sql(STATE);
    for text in ATTACKS {
        let direct = format!("SET SESSION AUTHORIZATION hallpass; BEGIN; {text};");
        let shown = server.sql(&format!("{direct}RESET SESSION AUTHORIZATION;{STATE}; ROLLBACK"));
        let owned = "SELECT count(*) FROM pg_class WHERE relowner = 'hallpass'::regrole";
        let owner = server.sql(&format!("{direct}{owned}; ROLLBACK")) != server.sql(owned);
        assert!(shown != before || owner, "changes nothing on the server: {text}");

        let answer = client.query(text);
        let told = error(&answer).unwrap_or_else(|| panic!("it ran: {text}"));
        assert_eq!(told.field('C'), "42501", "{text}");
        assert!(told.field('M').contains("nobody may do this here"), "{text}: {}", told.field('M'));
        let messages = [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()];
        let answer = client.exchange(&messages, 1);
        assert!(error(&answer).is_some_and(|e| e.field('C') == "42501"), "{text}: {answer:?}");
    }
    for text in [
        "SELECT 1; ALTER ROLE hallpass SUPERUSER",
        "PREPARE x AS UPDATE pg_authid SET rolbypassrls = true",
        "WITH x AS (DELETE FROM pg_auth_members RETURNING 1) SELECT * FROM x",
        "DROP ROLE hallpass",
        "DROP ROLE IF EXISTS nobody, hallpass",
        "ALTER ROLE hallpass RENAME TO gone",
        "DROP OWNED BY hallpass",
        "DROP OWNED BY CURRENT_USER CASCADE",
        "REVOKE hallpass FROM other",
    ] {
        let answer = client.query(text);
        let told = error(&answer).unwrap_or_else(|| panic!("it ran: {text}"));
        assert!(told.field('M').contains("nobody may do this here"), "{text}: {}", told.field('M'));
    }
    assert_eq!(server.sql(STATE), before);
}

#[test]
fn an_admin_goes_on_managing_other_roles() {
    let (_server, _gateway, mut client) = start();
    for text in [
        "CREATE ROLE hallpass2 LOGIN",
        "ALTER ROLE other SET work_mem = '1MB'",
        "GRANT other TO hallpass2",
        "GRANT SELECT ON orders TO hallpass2",
        "ALTER ROLE other RENAME TO another",
        "REASSIGN OWNED BY another TO hallpass",
        "ALTER TABLE orders OWNER TO hallpass",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO another",
        "SELECT rolname FROM pg_roles",
        "REVOKE SELECT ON orders FROM hallpass2",
        "DROP OWNED BY another",
        "DROP ROLE another, hallpass2",
    ] {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
}

#[test]
fn what_cannot_be_read_and_only_reads_stays_allowed_under_admin() {
    let (_server, _gateway, mut client) = start();
    for text in [
        "SELECT U&'d\\0061t\\+000061' AS U&\"d\\0061t\\+000061\"",
        "SELECT p, percentile_cont(0.5) WITHIN GROUP (ORDER BY x::float8 USING <) FROM \
         generate_series(1, 5) x, (VALUES (0.1), (0.5)) v (p) GROUP BY p ORDER BY p",
    ] {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
}
