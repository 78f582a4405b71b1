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
    CREATE EXTENSION pg_trgm; CREATE EXTENSION postgres_fdw; CREATE EXTENSION pageinspect;
    CREATE EXTENSION dblink; CREATE EXTENSION xml2; CREATE EXTENSION intarray; CREATE EXTENSION btree_gist;
    CREATE EXTENSION cube; CREATE EXTENSION seg; CREATE EXTENSION file_fdw; CREATE EXTENSION pgstattuple;
    CREATE EXTENSION amcheck; CREATE EXTENSION bloom; CREATE EXTENSION tcn;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;";

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
    "SELECT encode(get_raw_page('stored', 0), 'hex')",
    "SELECT get_raw_page('stored', 0)",
    "SELECT t_data FROM heap_page_items(get_raw_page('stored', 0))",
    "SELECT t_attrs FROM heap_page_item_attrs(get_raw_page('stored', 0), 'stored')",
    "SELECT string_agg(encode(get_raw_page('customers_email_key', n), 'hex'), '') FROM generate_series(1, 5) AS n",
    "CREATE FOREIGN TABLE raw (line text) SERVER files OPTIONS (program 'grep -raoh ann.kn4ry pg_wal') | SELECT * FROM raw",
    "SELECT e || '' FROM dblink('itself', 'SELECT email FROM stored') AS t (e text)",
    "SELECT dblink_build_sql_insert('customers', '1', 1, '{900001}', '{900001}')",
    "SELECT dblink_build_sql_update('customers', '1', 1, '{900001}', '{900001}')",
    "SELECT dblink_connect('c', 'itself') | SELECT dblink_send_query('c', 'SELECT email FROM stored') | SELECT e || '' FROM dblink_get_result('c') AS t (e text)",
    "SELECT xpath_string('<a>' || email || '</a>', '/a') FROM stored",
    "SELECT xpath_nodeset('<a>' || email || '</a>', '/a') FROM stored",
    "SELECT * FROM xpath_table('id', 'x', '(SELECT id, ''<a>'' || email || ''</a>'' AS x FROM stored) AS q', '/a', 'true') AS t (id integer, a text)",
    "SELECT cube(credit::float8) FROM stored",
    "SELECT cube(ARRAY[credit]) FROM stored",
    "SELECT cube_ll_coord(cube(credit::float8), 1) FROM stored",
    "SELECT credit::text::seg FROM stored",
    "SELECT pgp_sym_decrypt(pgp_sym_encrypt(email, 'k'), 'k') FROM stored",
    "ALTER TABLE customers ADD EXCLUDE USING gist (email WITH =) | INSERT INTO customers (id, full_name, email, country, city) SELECT 5000000 + id, full_name, email, 'DE', 'Ulm' FROM customers WHERE id = 900001",
    "CREATE TABLE c (email text PRIMARY KEY) | CREATE TRIGGER t AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION triggered_change_notification() | LISTEN tcn | INSERT INTO c SELECT email FROM stored | COMMIT | SELECT 1",
];

/// What they tell of a guess.
const TOLD: &[(&str, [&str; 2])] = &[
    ("SELECT idx(ARRAY[{}], credit::int) FROM stored", ["7778", "1"]),
    ("SELECT ARRAY[{}] && ARRAY[credit::int] FROM stored", ["7778", "1"]),
    ("SELECT ARRAY[nullif(credit, {})::int] && ARRAY[1] FROM stored", ["7777.77", "1"]),
    ("SELECT birth_date <-> '{}' FROM customers WHERE id = 900001", ["1980-05-06", "1990-01-01"]),
    (
        "CREATE INDEX i ON customers USING bloom (email) | SELECT tuple_count FROM pgstattuple(('customers' || CASE WHEN (SELECT credit FROM stored) > {} THEN '' ELSE '_' END)::regclass)",
        ["7000", "7800"],
    ),
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
         ALTER ROLE {UPSTREAM_USER} SUPERUSER;
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
