//! Conversations by Parse, Bind, Describe, Execute, Close, Flush and Sync.

use super::Conversation;
use crate::support::{
    RawClient,
    raw::{bind, bind_mixed, close, describe, execute, flush, parse, query, sync},
};

const TEXT: i16 = 0;
const BINARY: i16 = 1;
const INT4: u32 = 23;

/// One statement the way most drivers send it.
fn ask(client: &mut RawClient, text: &str, values: &[Option<&str>], format: i16) {
    client.exchange(
        &[
            parse("", text, &[]),
            describe(b'S', ""),
            bind("", "", values, format),
            describe(b'P', ""),
            execute("", 0),
            sync(),
        ],
        1,
    );
}

pub(super) const CONVERSATIONS: &[Conversation] = &[
    ("statements as drivers send them", |c| {
        ask(c, "SELECT 1", &[], TEXT);
        ask(c, "SELECT $1::int + $2::int AS sum", &[Some("1"), Some("2")], BINARY);
        ask(c, "SELECT $1", &[None], TEXT);
        ask(c, "SELECT * FROM customers WHERE id = $1", &[Some("42")], BINARY);
        ask(c, "SELECT * FROM orders WHERE status = $1 ORDER BY id LIMIT 5", &[Some("paid")], TEXT);
        ask(c, "UPDATE customers SET city = $2 WHERE id = $1", &[Some("1"), Some("Oslo")], TEXT);
        ask(
            c,
            "INSERT INTO billing.invoices VALUES ($1, $2, $3, 1, 1) RETURNING *",
            &[Some("X-1"), Some("1"), Some("2024-01-01")],
            TEXT,
        );
        ask(c, "CREATE TEMP TABLE made (x int)", &[], TEXT);
        ask(c, "DROP TABLE made", &[], TEXT);
        ask(c, "", &[], TEXT);
        ask(c, "-- nothing", &[], TEXT);
        ask(c, "SET TimeZone = 'Europe/Paris'", &[], TEXT);
        ask(c, "BEGIN", &[], TEXT);
        ask(c, "SELECT 1/0", &[], TEXT);
        ask(c, "SELECT 1", &[], TEXT);
        ask(c, "ROLLBACK", &[], TEXT);
    }),
    ("named statements, kept and replaced", |c| {
        c.exchange(&[parse("s", "SELECT id FROM orders WHERE id < $1", &[INT4]), sync()], 1);
        for value in ["3", "5", "2"] {
            c.exchange(&[bind("", "s", &[Some(value)], TEXT), execute("", 0), sync()], 1);
        }
        c.exchange(&[describe(b'S', "s"), sync()], 1);
        c.exchange(&[parse("s", "SELECT 2", &[]), sync()], 1);
        c.exchange(&[close(b'S', "s"), sync()], 1);
        c.exchange(
            &[parse("s", "SELECT 2", &[]), bind("", "s", &[], TEXT), execute("", 0), sync()],
            1,
        );
        c.exchange(&[bind("", "unknown", &[], TEXT), execute("", 0), sync()], 1);
        c.exchange(&[describe(b'S', "unknown"), sync()], 1);
        c.exchange(&[describe(b'P', "unknown"), sync()], 1);
        c.exchange(&[execute("unknown", 0), sync()], 1);
        c.exchange(&[close(b'S', "unknown"), close(b'P', "unknown"), sync()], 1);
        c.query("SELECT name, statement FROM pg_prepared_statements");
        c.query("DEALLOCATE ALL");
        c.exchange(&[bind("", "s", &[], TEXT), sync()], 1);
    }),
    ("portals with row limits", |c| {
        c.exchange(
            &[
                parse("", "SELECT n FROM generate_series(1, 7) AS n", &[]),
                bind("p", "", &[], TEXT),
                describe(b'P', "p"),
                execute("p", 3),
                execute("p", 3),
                execute("p", 3),
                execute("p", 3),
                sync(),
            ],
            1,
        );
        c.query("BEGIN");
        c.exchange(&[parse("q", "SELECT id FROM orders ORDER BY id", &[]), sync()], 1);
        c.exchange(&[bind("one", "q", &[], TEXT), bind("two", "q", &[], BINARY), sync()], 1);
        for _ in 0..3 {
            c.exchange(&[execute("one", 2), sync()], 1);
            c.exchange(&[execute("two", 1), sync()], 1);
        }
        c.query("FETCH 2 FROM one");
        c.exchange(&[close(b'P', "one"), execute("one", 1), sync()], 1);
        c.query("ROLLBACK");
        c.exchange(
            &[
                parse("", "UPDATE customers SET credit = 0 WHERE id < 4 RETURNING id", &[]),
                bind("", "", &[], TEXT),
                execute("", 1),
                execute("", 0),
                sync(),
            ],
            1,
        );
    }),
    ("a portal of a declared cursor", |c| {
        c.query("BEGIN; DECLARE cu CURSOR FOR SELECT id FROM orders ORDER BY id");
        c.exchange(&[describe(b'P', "cu"), execute("cu", 2), execute("cu", 1), sync()], 1);
        c.query("CLOSE cu; COMMIT");
    }),
    ("Flush instead of Sync", |c| {
        c.send_bytes(&[parse("", "SELECT $1::text", &[]), describe(b'S', ""), flush()].concat());
        c.read_until(b'T');
        c.send_bytes(&[bind("", "", &[Some("x")], TEXT), execute("", 0), flush()].concat());
        c.read_until(b'C');
        c.exchange(&[sync()], 1);
        c.exchange(&[flush(), flush(), sync(), sync(), sync()], 3);
    }),
    ("pipelines of many statements", |c| {
        let statement = |n: usize, end: Vec<u8>| {
            let value = n.to_string();
            [
                parse("", "SELECT $1::int, count(*) FROM orders WHERE id < $1::int", &[]),
                bind("", "", &[Some(&value)], TEXT),
                describe(b'P', ""),
                execute("", 0),
                end,
            ]
            .concat()
        };
        let synced: Vec<Vec<u8>> = (0..100).map(|n| statement(n, sync())).collect();
        c.exchange(&synced, 100);
        let mut unsynced: Vec<Vec<u8>> = (0..100).map(|n| statement(n, Vec::new())).collect();
        unsynced.push(sync());
        c.exchange(&unsynced, 1);
    }),
    ("a Query behind an error is skipped too", |c| {
        c.exchange(&[parse("", "SELEC", &[]), query("SELECT 1"), sync()], 1);
        c.exchange(&[parse("", "SELECT 1", &[]), query("SELECT 2"), sync()], 2);
        c.exchange(&[parse("", "SELEC", &[]), query("SELECT 1"), query("SELECT 2"), sync()], 1);
        c.send_bytes(&[parse("", "SELEC", &[]), flush()].concat());
        c.read_until(b'E');
        c.exchange(&[query("SELECT 3"), parse("", "SELECT 4", &[]), sync()], 1);
        c.send_bytes(&[parse("", "SELECT 5", &[]), flush()].concat());
        c.read_until(b'1');
        c.exchange(&[query("SELECT 6")], 1);
        c.exchange(&[sync()], 1);
        c.query("SELECT 7");
    }),
    ("cursors that functions have opened, and the path in a transaction", |c| {
        c.query(
            "CREATE FUNCTION opens(refcursor) RETURNS refcursor LANGUAGE plpgsql AS
             $$ BEGIN OPEN $1 FOR SELECT generate_series(1, 3); RETURN $1; END $$",
        );
        ask(c, "BEGIN", &[], TEXT);
        ask(c, "SET LOCAL search_path TO billing, public", &[], TEXT);
        ask(c, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", &[], TEXT);
        ask(c, "SELECT opens($1)", &[Some("made")], TEXT);
        ask(c, "FETCH 2 FROM made", &[], BINARY);
        ask(c, "FETCH ALL FROM made", &[], TEXT);
        ask(c, "FETCH ALL FROM not_made", &[], TEXT);
        ask(c, "FETCH ALL FROM made", &[], TEXT);
        ask(c, "ROLLBACK", &[], TEXT);
        c.query("DO $$ BEGIN EXECUTE 'PREPARE inside AS SELECT 42'; END $$");
        ask(c, "EXECUTE inside", &[], TEXT);
        ask(c, "EXECUTE not_inside", &[], TEXT);
        c.exchange(&[parse("kept", "EXECUTE inside", &[]), sync()], 1);
        c.exchange(&[bind("", "kept", &[], TEXT), execute("", 0), sync()], 1);
        c.query("DEALLOCATE inside");
        c.exchange(&[bind("", "kept", &[], TEXT), execute("", 0), sync()], 1);
    }),
    ("an error in a pipeline skips to Sync", |c| {
        c.exchange(
            &[
                parse("", "INSERT INTO billing.invoices VALUES ('Y-1', 1, now(), 1, 1)", &[]),
                bind("", "", &[], TEXT),
                execute("", 0),
                parse("", "SELECT 1/0", &[]),
                bind("", "", &[], TEXT),
                execute("", 0),
                parse("kept?", "SELECT 'never'", &[]),
                describe(b'S', "kept?"),
                query("SELECT 'skipped as well'"),
                sync(),
                query("SELECT count(*) FROM billing.invoices WHERE number = 'Y-1'"),
                bind("", "kept?", &[], TEXT),
                sync(),
            ],
            3,
        );
    }),
    ("errors at every step", |c| {
        c.exchange(&[parse("", "SELEC", &[]), bind("", "", &[], TEXT), execute("", 0), sync()], 1);
        c.exchange(&[parse("", "SELECT nothing", &[]), sync()], 1);
        c.exchange(&[parse("", "SELECT 1; SELECT 2", &[]), sync()], 1);
        c.exchange(&[parse("e", "SELECT $1::int", &[]), bind("", "e", &[], TEXT), sync()], 1);
        c.exchange(&[bind("", "e", &[Some("not a number")], TEXT), execute("", 0), sync()], 1);
        c.exchange(&[bind_mixed("", "e", &[(BINARY, Some("abc"))], &[TEXT]), sync()], 1);
        c.exchange(&[bind_mixed("", "e", &[(TEXT, Some("1"))], &[TEXT, TEXT, BINARY]), sync()], 1);
        c.exchange(&[parse("", "SELECT $1", &[999_999]), sync()], 1);
        c.exchange(&[describe(b'X', ""), sync()], 1);
        c.query("SELECT 'alive'");
    }),
    ("a duplicate portal", |c| {
        c.query("BEGIN");
        c.exchange(
            &[
                parse("d", "SELECT 1", &[]),
                bind("p", "d", &[], TEXT),
                bind("p", "d", &[], TEXT),
                sync(),
            ],
            1,
        );
        c.query("ROLLBACK");
    }),
    ("mixed formats", |c| {
        c.exchange(
            &[
                parse("", "SELECT $1::int4, $2::text, $3::bytea, $1::int4", &[]),
                bind_mixed(
                    "",
                    "",
                    &[
                        (BINARY, Some("\0\0\0\x2a")),
                        (TEXT, Some("text")),
                        (BINARY, Some("raw\x01")),
                    ],
                    &[TEXT, BINARY, TEXT, BINARY],
                ),
                execute("", 0),
                sync(),
            ],
            1,
        );
    }),
    ("a simple Query between extended messages", |c| {
        c.send_bytes(
            &[
                parse("mix", "SELECT 'mixed'", &[]),
                query("SELECT 'simple'"),
                bind("", "mix", &[], TEXT),
                execute("", 0),
                sync(),
            ]
            .concat(),
        );
        c.read_until(b'Z');
        c.read_until(b'Z');
    }),
    ("SQL EXECUTE of a protocol statement and the reverse", |c| {
        c.exchange(&[parse("byparse", "SELECT 'protocol'", &[]), sync()], 1);
        c.query("EXECUTE byparse");
        c.query("PREPARE bysql AS SELECT 'sql'");
        c.exchange(
            &[describe(b'S', "bysql"), bind("", "bysql", &[], TEXT), execute("", 0), sync()],
            1,
        );
    }),
    ("many rows in binary", |c| {
        ask(c, "SELECT * FROM orders ORDER BY id", &[], BINARY);
        ask(c, "SELECT * FROM payments ORDER BY id", &[], BINARY);
    }),
    ("the portal of a Query that failed in a transaction", |c| {
        c.query("BEGIN READ ONLY");
        c.query("DELETE FROM orders");
        c.exchange(&[describe(b'P', ""), sync()], 1);
        c.query("ROLLBACK");
    }),
];
