//! Everything that isn't a row: errors, notices, notifications.

use super::{World, tells};
use crate::support::raw::{bind, execute, parse, sync};

const SPEAKERS: &str = "
    CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        RAISE EXCEPTION 'not %', (SELECT email FROM public.stored); END$$;
    CREATE FUNCTION raises_a_state() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        RAISE EXCEPTION 'not %', (SELECT email FROM public.stored) USING ERRCODE = '55000'; END$$;
    CREATE FUNCTION raises_names() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        RAISE EXCEPTION 'no' USING ERRCODE = '23505', TABLE = (SELECT email FROM public.stored),
            CONSTRAINT = (SELECT email FROM public.stored), HINT = (SELECT email FROM public.stored); END$$;
    CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        RAISE WARNING 'see %', (SELECT email FROM public.stored); RETURN NULL; END$$;
    CREATE FUNCTION notifies() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        PERFORM pg_notify('news', (SELECT email FROM public.stored)); RETURN NULL; END$$;
    CREATE TABLE one (id integer); CREATE TABLE two (id integer); CREATE TABLE three (id integer);
    CREATE TABLE four (id integer); CREATE TABLE five (id integer); CREATE TABLE six (id integer);
    CREATE TRIGGER t AFTER INSERT ON one FOR EACH ROW EXECUTE FUNCTION raises();
    CREATE TRIGGER t AFTER INSERT ON two FOR EACH ROW EXECUTE FUNCTION raises_a_state();
    CREATE TRIGGER t AFTER INSERT ON three FOR EACH ROW EXECUTE FUNCTION raises_names();
    CREATE CONSTRAINT TRIGGER t AFTER INSERT ON four DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION raises();
    CREATE CONSTRAINT TRIGGER t AFTER INSERT ON five DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION notes();
    CREATE TRIGGER t AFTER INSERT ON six FOR EACH ROW EXECUTE FUNCTION notifies();";

const TEXTS: &[&str] = &[
    "SELECT email::int FROM stored",
    "SELECT email::date FROM stored",
    "SELECT (email || '.x')::regclass FROM stored",
    "INSERT INTO customers SELECT id + 1, full_name, email, phone, birth_date, country, city FROM customers WHERE id = 900001",
    "UPDATE customers SET city = NULL WHERE id = 900001",
    "UPDATE customers SET id = NULL WHERE id = 900001",
    "UPDATE mails SET id = NULL WHERE id = 900001",
    "INSERT INTO one VALUES (1)",
    "INSERT INTO two VALUES (1)",
    "INSERT INTO three VALUES (1)",
    "INSERT INTO four VALUES (1) | COMMIT",
    "INSERT INTO four VALUES (1) | SET CONSTRAINTS ALL IMMEDIATE",
    "COMMIT | INSERT INTO four VALUES (1); SELECT 1",
    "INSERT INTO five VALUES (1) | COMMIT",
    "LISTEN news | INSERT INTO six VALUES (1) | COMMIT",
    "LISTEN news | COMMIT | INSERT INTO six VALUES (1) | SELECT 1",
];

#[test]
fn no_error_notice_or_notification_quotes_a_value() {
    World::start(SPEAKERS).shows(TEXTS);
}

#[test]
fn what_is_said_at_sync_quotes_no_value() {
    let world = World::start(SPEAKERS);
    for table in ["four", "five"] {
        let packet = [
            parse("", &format!("INSERT INTO {table} VALUES (1)"), &[]),
            bind("", "", &[], 0),
            execute("", 0),
            sync(),
        ];
        assert!(tells(&world.bare().exchange(&packet, 1)), "{table}");
        let through = world.through().exchange(&packet, 1);
        assert!(!tells(&through), "{table}: {through:?}");
    }
}
