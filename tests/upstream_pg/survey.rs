//! What a database holds that gives power, read before and after each thing that changes it.

use hallpass::{
    kernel::access::{Change, Survey},
    upstream::{Control, survey},
};

use super::{TlsMode, control, options, root};
use crate::server::Server;

/// What somebody does, and what must be told of it: the change, the kind and the name.
const LEFT: &[(&str, &[&str])] = &[
    ("CREATE ROLE evil LOGIN SUPERUSER", &["made role evil"]),
    ("ALTER ROLE evil VALID UNTIL '2030-01-01'", &["changed role evil"]),
    ("ALTER ROLE evil PASSWORD 'one'", &["made password evil"]),
    ("ALTER ROLE evil PASSWORD 'two'", &["changed password evil"]),
    ("GRANT pg_monitor TO evil WITH ADMIN OPTION", &["made membership evil in pg_monitor"]),
    (
        "ALTER ROLE evil IN DATABASE shop SET work_mem = '1MB'",
        &["made setting evil in database shop"],
    ),
    ("ALTER DATABASE shop SET search_path = billing", &["made setting all roles in database shop"]),
    ("GRANT SELECT ON plain TO evil", &["made privilege table public.plain to evil"]),
    (
        "GRANT UPDATE ON plain TO evil WITH GRANT OPTION",
        &["changed privilege table public.plain to evil"],
    ),
    ("GRANT SELECT (id) ON plain TO reader", &["made privilege column public.plain.id to reader"]),
    ("GRANT CREATE ON SCHEMA billing TO PUBLIC", &["made privilege schema billing to PUBLIC"]),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA billing GRANT SELECT ON TABLES TO evil",
        &["made privilege tables that postgres makes in billing to evil"],
    ),
    (
        "GRANT SET ON PARAMETER log_statement TO evil",
        &["made privilege setting log_statement to evil"],
    ),
    (
        "ALTER TABLE plain OWNER TO evil",
        &["changed owner table public.plain", "gone privilege table public.plain to evil"],
    ),
    ("CREATE TABLE fresh (id int)", &[]),
    (
        "CREATE FUNCTION backdoor() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        &["made routine public.backdoor()"],
    ),
    (
        "CREATE OR REPLACE FUNCTION backdoor() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2'",
        &["changed routine public.backdoor()"],
    ),
    (
        "CREATE TRIGGER sneaks BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION stamp()",
        &["made trigger sneaks on public.plain"],
    ),
    (
        "ALTER TABLE customers DISABLE TRIGGER stamps",
        &["changed trigger stamps on public.customers"],
    ),
    ("DROP TRIGGER stamps ON customers", &["gone trigger stamps on public.customers"]),
    (
        "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
         CREATE EVENT TRIGGER watches ON ddl_command_end EXECUTE FUNCTION watch()",
        &["made event trigger watches", "made routine public.watch()"],
    ),
    ("CREATE RULE loud AS ON UPDATE TO plain DO NOTIFY x", &["made rule loud on public.plain"]),
    ("CREATE POLICY all_of_it ON plain USING (true)", &["made policy all_of_it on public.plain"]),
    ("ALTER TABLE plain ENABLE ROW LEVEL SECURITY", &["made row security public.plain"]),
    (
        "CREATE EXTENSION postgres_fdw",
        &["made extension postgres_fdw", "made foreign-data wrapper postgres_fdw"],
    ),
    (
        "CREATE FUNCTION hides() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
         ALTER EXTENSION postgres_fdw ADD FUNCTION hides()",
        &["changed extension postgres_fdw", "made routine public.hides()"],
    ),
    (
        "CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'example.com')",
        &["made server away"],
    ),
    (
        "CREATE USER MAPPING FOR reader SERVER away OPTIONS (user 'x', password 'y')",
        &["made user mapping reader on away"],
    ),
    (
        "ALTER USER MAPPING FOR reader SERVER away OPTIONS (SET password 'z')",
        &["changed user mapping reader on away"],
    ),
    (
        "CREATE SUBSCRIPTION gets CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p \
         WITH (connect = false)",
        &["made subscription gets"],
    ),
    ("CREATE PUBLICATION gives FOR TABLE plain", &["made publication gives"]),
    ("CREATE CAST (text AS mood) WITH INOUT AS IMPLICIT", &["made cast text as public.mood"]),
    (
        "CREATE OPERATOR public.## (LEFTARG = text, RIGHTARG = text, FUNCTION = same)",
        &["made operator public.##(text,text)"],
    ),
    (
        "CREATE ROLE \"evil in pg_monitor\"; GRANT evil TO \"evil in pg_monitor\"",
        &["made membership \"evil in pg_monitor\" in evil", "made role evil in pg_monitor"],
    ),
    ("CREATE DATABASE more", &["made database more"]),
    ("ALTER SYSTEM SET work_mem = '2MB'", &["changed server setting work_mem"]),
    ("SELECT lo_create(4711)", &[]),
    ("GRANT SELECT ON LARGE OBJECT 4711 TO evil", &["made privilege large object 4711 to evil"]),
    (
        "BEGIN; CREATE TEMP TABLE t (i int); CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT",
        &[],
    ),
];

#[tokio::test]
async fn whatever_gives_power_is_told_and_nothing_else() {
    let server = Server::start();
    let (mut admin, mut asks) = (control(&root(&server)).await, control(&root(&server)).await);
    admin.simple_query("SET default_transaction_read_only = off").await.expect("sets");
    admin.simple_query("ALTER SYSTEM SET work_mem = '3MB'").await.expect("sets");
    let mut before = survey::read(&mut asks).await.expect("reads");
    for (text, told) in LEFT {
        for part in text.split("; ") {
            admin.simple_query(part).await.unwrap_or_else(|e| panic!("{part}: {e:?}"));
        }
        let now = survey::read(&mut asks).await.expect("reads");
        let found: Vec<String> = Survey::of(&before)
            .compare(&now)
            .into_iter()
            .map(|left| {
                let change = match left.change {
                    Change::Made => "made",
                    Change::Changed => "changed",
                    Change::Gone => "gone",
                };
                format!("{change} {} {}", left.kind, left.name)
            })
            .collect();
        assert_eq!(found, *told, "{text}");
        before = now;
    }
    let detail = |kind: &str, name: &str| {
        before.iter().find(|h| h.kind == kind && h.name == name).map(|h| h.detail.clone())
    };
    assert_eq!(
        detail("role", "evil").as_deref(),
        Some("superuser, may log in, until 2030-01-01 00:00:00+00"),
        "a name stands for its role"
    );
    assert_eq!(detail("membership", "evil in pg_monitor").as_deref(), Some("may give it on"));
    assert!(before.iter().all(|h| !h.detail.contains("password")), "no secret is told");
}

#[tokio::test]
async fn a_log_in_without_any_privilege_may_look_too() {
    let server = Server::start();
    let options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    let (mut admin, mut asks): (Control, Control) =
        (control(&root(&server)).await, control(&options).await);
    admin.simple_query("SET default_transaction_read_only = off").await.expect("sets");
    let before = Survey::of(&survey::read(&mut asks).await.expect("reads"));
    for text in ["CREATE ROLE evil", "GRANT pg_monitor TO evil", "CREATE EXTENSION dblink"] {
        admin.simple_query(text).await.expect("does");
    }
    let left = before.compare(&survey::read(&mut asks).await.expect("reads"));
    let kinds: Vec<&str> = left.iter().map(|l| l.kind.as_str()).collect();
    assert_eq!(kinds, ["extension", "foreign-data wrapper", "membership", "role"]);
}
