//! Types, operators and functions of extensions, tables that are elsewhere, constraints that quote rows, and
//! names that the server cuts.

use std::time::Duration;

use super::{World, tells};
use crate::support::{
    eventually,
    gateway::TARGET,
    postgres::{UPSTREAM_PASSWORD, UPSTREAM_USER},
};

const EXTENSIONS: &str = "
    RESET SESSION AUTHORIZATION;
    CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION tablefunc;
    CREATE EXTENSION unaccent; CREATE EXTENSION pgcrypto; CREATE EXTENSION fuzzystrmatch;
    CREATE EXTENSION pg_trgm; CREATE EXTENSION postgres_fdw;";

/// What they show of a value.
const SHOWN: &[&str] = &[
    "SELECT hstore('a', email) FROM stored",
    "SELECT hstore(c) FROM customers c WHERE id = 900001",
    "SELECT hstore(c) -> 'email' FROM customers c WHERE id = 900001",
    "SELECT (each(hstore(c))).value FROM customers c WHERE id = 900001",
    "SELECT hstore_to_json(hstore(c)) FROM customers c WHERE id = 900001",
    "SELECT hstore_to_array(hstore(ARRAY['a'], ARRAY[email])) FROM stored",
    "SELECT avals(hstore('a', email)) FROM stored",
    "SELECT ('a=>' || email)::hstore -> 'a' FROM stored",
    "SELECT (populate_record(NULL::customers, hstore(c))).email FROM customers c WHERE id = 900001",
    "SELECT (NULL::customers #= hstore(c)).email FROM customers c WHERE id = 900001",
    "CREATE TABLE h AS SELECT hstore(c) AS h FROM customers c WHERE id = 900001 | SELECT h -> 'email' FROM h",
    "SELECT email::citext FROM stored",
    "SELECT (email::citext)::text || '' FROM stored",
    "SELECT max(email::citext) FROM stored",
    "SELECT replace(email::citext, 'x', 'y') FROM stored",
    "SELECT regexp_split_to_array(email::citext, '@') FROM stored",
    "SELECT text2ltree(split_part(email, '@', 1)) FROM stored",
    "SELECT subpath(text2ltree(split_part(email, '@', 1)), 1) FROM stored",
    "SELECT * FROM crosstab('SELECT 1, ''a'', email FROM stored') AS t (i integer, v text)",
    "SELECT unaccent(email) FROM stored",
    "SELECT convert_from(decrypt(encrypt(email::bytea, 'k', 'aes'), 'k', 'aes'), 'UTF8') FROM stored",
    "SELECT dearmor(armor(email::bytea)) FROM stored",
    "ALTER TABLE customers ADD EXCLUDE (email WITH =) | INSERT INTO customers (id, full_name, email, country, city) SELECT 5000000 + id, full_name, email, 'DE', 'Ulm' FROM customers WHERE id = 900001",
    "CREATE FOREIGN TABLE far (id bigint, mail text OPTIONS (column_name 'email')) SERVER itself OPTIONS (table_name 'customers') | SELECT mail || '' FROM far WHERE id = 900001",
    "IMPORT FOREIGN SCHEMA public LIMIT TO (stored) FROM SERVER itself INTO elsewhere | SELECT email || '' FROM elsewhere.stored",
    "CREATE FOREIGN TABLE away (id bigint, mail text OPTIONS (column_name 'email')) SERVER itself OPTIONS (table_name 'notes') | ALTER FOREIGN TABLE away OPTIONS (SET table_name 'customers') | SELECT mail || '' FROM away WHERE id = 900001",
];

/// What they tell of a guess.
const TOLD: &[(&str, [&str; 2])] = &[
    ("SELECT levenshtein(email, '{}') FROM stored", ["ann.kn4ry@example.org", "nobody"]),
    ("SELECT similarity(email, '{}') FROM stored", ["ann.kn4ry@example.org", "nobody"]),
    ("SELECT count(*) FROM stored WHERE email % '{}'", ["ann.kn4ry@example.org", "nobody"]),
    ("SELECT count(*) FROM stored WHERE email::citext = '{}'", ["ANN.kn4ry@example.org", "nobody"]),
    ("SELECT count(*) FROM stored WHERE soundex(email) = soundex('{}')", ["ann kn", "zz"]),
    (
        "SELECT count(*) FROM stored WHERE hstore('a', email) @> 'a=>\"{}\"'",
        ["ann.kn4ry@example.org", "nobody"],
    ),
];

#[test]
fn no_extension_shows_a_value_or_tells_of_a_guess() {
    let world = World::start(&format!(
        "{EXTENSIONS}
         CREATE SCHEMA elsewhere AUTHORIZATION {UPSTREAM_USER};
         DO $$BEGIN EXECUTE format('CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
             OPTIONS (host ''127.0.0.1'', port %L, dbname %L)', current_setting('port'), current_database());
         END$$;
         CREATE USER MAPPING FOR {UPSTREAM_USER} SERVER itself
             OPTIONS (user '{UPSTREAM_USER}', password '{UPSTREAM_PASSWORD}');
         GRANT USAGE ON FOREIGN SERVER itself TO {UPSTREAM_USER};"
    ));
    world.shows(SHOWN);
    world.tells(TOLD);
}

#[test]
fn a_name_that_the_server_cuts_is_the_masked_column() {
    let name = "m".repeat(63);
    let world = World::start(&format!(
        "CREATE TABLE wide (id integer, {name} text); INSERT INTO wide VALUES (1, 'w.kn4ry@x.org');"
    ));
    let column = format!("public.wide.{name}");
    world.gateway.must(&["mask", "add", "--target", TARGET, "--column", &column, "--with", "full"]);
    let hides = || !tells(&world.through().query("SELECT * FROM wide"));
    assert!(eventually(Duration::from_secs(10), hides), "{}", world.gateway.log());
    let longer = [
        format!("SELECT {name}mmm FROM wide"),
        format!("SELECT {name}mmm || '' FROM wide"),
        format!("SELECT w.{name}n FROM wide w"),
        format!("SELECT \"{name}MORE\" FROM wide"),
        format!("SELECT t.{name}a FROM (SELECT {name}b FROM wide) t"),
        format!("SELECT x.{name}2 FROM (SELECT id, {name} FROM wide) x (id, {name}3)"),
        format!("CREATE TABLE alike AS SELECT {name}4 FROM wide | SELECT {name}5 FROM alike"),
        format!("PREPARE p AS SELECT {name}6 FROM wide | EXECUTE p"),
        format!("COPY wide ({name}7) TO STDOUT"),
    ];
    world.shows(&longer.iter().map(String::as_str).collect::<Vec<_>>());
}
