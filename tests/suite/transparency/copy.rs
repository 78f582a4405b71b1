//! Conversations by COPY, and large objects.

use super::Conversation;
use crate::support::{
    RawClient,
    raw::{bind, copy_data, copy_done, copy_fail, execute, flush, frame, parse, query, sync},
};

/// Begins a COPY FROM STDIN, sends pieces, and reads to the end.
fn copy_in(client: &mut RawClient, text: &str, pieces: &[&[u8]]) {
    client.send_bytes(&query(text));
    client.read_until(b'G');
    for piece in pieces {
        client.send_bytes(&copy_data(piece));
    }
    client.send_bytes(&copy_done());
    client.read_until(b'Z');
}

fn prepare(client: &mut RawClient) {
    client.query("CREATE TEMP TABLE target (id int PRIMARY KEY, word text, at timestamptz)");
}

/// Parse, Bind and Execute of a COPY into `target (id)`.
fn begin_extended() -> Vec<u8> {
    [parse("", "COPY target (id) FROM STDIN", &[]), bind("", "", &[], 0), execute("", 0)].concat()
}

/// Sends all of it at once, and then waits for as many ReadyForQuery.
fn at_once(client: &mut RawClient, packet: &[Vec<u8>], readies: usize) {
    client.exchange(packet, readies);
    client.query("SELECT 'still in step'");
}

/// The same, but the server is in copy mode when the rest comes.
fn in_copy_mode(client: &mut RawClient, start: &[u8], packet: &[Vec<u8>], readies: usize) {
    client.send_bytes(start);
    client.read_until(b'G');
    at_once(client, packet, readies);
}

/// Copy data around which Sync and Flush stand in every way, and how many ReadyForQuery come of it
/// by the extended protocol: those behind bad data, or behind the end.
fn with_strays() -> Vec<(Vec<Vec<u8>>, usize)> {
    let (good, bad) = (copy_data(b"1\n"), copy_data(b"bad\n"));
    let clear = copy_data(b"2\n");
    vec![
        (vec![good.clone(), sync(), flush(), clear.clone(), copy_done(), sync()], 1),
        (vec![sync(), flush(), sync(), copy_fail("no"), sync()], 1),
        (vec![copy_fail("no"), sync(), sync()], 2),
        (vec![sync(), bad.clone(), copy_done(), sync()], 1),
        (vec![bad.clone(), sync(), copy_done(), sync()], 2),
        (vec![bad.clone(), flush(), sync(), good, sync(), copy_fail("no"), sync()], 3),
        (vec![bad.clone(), copy_done(), sync(), sync(), clear, sync()], 3),
        (vec![bad, sync(), copy_done(), sync(), query("SELECT 'behind it'")], 3),
    ]
}

/// A FunctionCall with binary arguments.
fn call(oid: u32, arguments: &[&[u8]]) -> Vec<u8> {
    let count = u16::try_from(arguments.len()).expect("few arguments").to_be_bytes();
    let mut body = [&oid.to_be_bytes()[..], &[0, 1, 0, 1], &count].concat();
    for argument in arguments {
        let length = u32::try_from(argument.len()).expect("short arguments");
        body.extend(length.to_be_bytes());
        body.extend_from_slice(argument);
    }
    body.extend([0, 1]);
    frame(b'F', &body)
}

pub(super) const CONVERSATIONS: &[Conversation] = &[
    ("out: text, CSV, binary, a query", |c| {
        for text in [
            "COPY orders TO STDOUT",
            "COPY customers (id, full_name, email) TO STDOUT WITH (FORMAT csv, HEADER)",
            "COPY (SELECT * FROM payments ORDER BY id) TO STDOUT WITH (FORMAT binary)",
            "COPY (SELECT repeat('z', 100000) FROM generate_series(1, 20)) TO STDOUT",
            "COPY (SELECT 1 WHERE false) TO STDOUT",
            "COPY (SELECT 1/(n - 500) FROM generate_series(1, 1000) AS n) TO STDOUT",
            "COPY no_such_table TO STDOUT",
        ] {
            c.query(text);
        }
    }),
    ("in: text, CSV, quotes and NULLs, rows split anywhere", |c| {
        prepare(c);
        copy_in(
            c,
            "COPY target FROM STDIN",
            &[b"1\tone\t2024-01-01\n2\t", b"two\t\\N\n", b"\\.\n"],
        );
        copy_in(
            c,
            "COPY target (id, word) FROM STDIN WITH (FORMAT csv)",
            &[b"3,\"a \"\"b\"\",c\"\n"],
        );
        copy_in(c, "COPY target (id) FROM STDIN", &[]);
        c.query("SELECT * FROM target ORDER BY id");
    }),
    ("in: binary", |c| {
        c.query("CREATE TEMP TABLE numbers (n int)");
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for n in 0..1000_i32 {
            bytes.extend_from_slice(&[0, 1, 0, 0, 0, 4]);
            bytes.extend_from_slice(&n.to_be_bytes());
        }
        bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        let pieces: Vec<&[u8]> = bytes.chunks(777).collect();
        copy_in(c, "COPY numbers FROM STDIN WITH (FORMAT binary)", &pieces);
        c.query("SELECT count(*), sum(n) FROM numbers");
    }),
    ("in: the client gives up, the data is wrong", |c| {
        prepare(c);
        c.send_bytes(&query("COPY target FROM STDIN"));
        c.read_until(b'G');
        c.send_bytes(&[copy_data(b"1\tone\t\\N\n"), copy_fail("no more")].concat());
        c.read_until(b'Z');
        copy_in(c, "COPY target (id) FROM STDIN", &[b"1\n", b"not a number\n", b"3\n"]);
        copy_in(c, "COPY target (id) FROM STDIN", &[b"1\n1\n"]);
        c.query("SELECT count(*) FROM target");
        c.query("BEGIN");
        copy_in(c, "COPY target (id) FROM STDIN", &[b"bad\n"]);
        c.query("SELECT 1");
        c.query("ROLLBACK");
    }),
    ("in: inside a message of several statements", |c| {
        prepare(c);
        c.send_bytes(&query(
            "SELECT 1; COPY target (id) FROM STDIN; SELECT 2; COPY target (id) FROM STDIN",
        ));
        c.read_until(b'G');
        c.send_bytes(&[copy_data(b"1\n"), copy_done()].concat());
        c.read_until(b'G');
        c.send_bytes(&[copy_data(b"2\n"), copy_done()].concat());
        c.read_until(b'Z');
        c.query("SELECT id FROM target ORDER BY id");
    }),
    ("in: by the extended protocol, with Sync and Flush in between", |c| {
        prepare(c);
        c.send_bytes(
            &[
                parse("", "COPY target (id) FROM STDIN", &[]),
                bind("", "", &[], 0),
                execute("", 0),
                sync(),
            ]
            .concat(),
        );
        c.read_until(b'G');
        c.send_bytes(&[copy_data(b"7\n"), sync(), copy_data(b"8\n"), copy_done(), sync()].concat());
        c.read_until(b'Z');
        c.exchange(
            &[
                parse("", "COPY (SELECT id FROM target ORDER BY id) TO STDOUT", &[]),
                bind("", "", &[], 0),
                execute("", 0),
                sync(),
            ],
            1,
        );
    }),
    ("in: Sync and Flush among the data, by the extended protocol, all at once", |c| {
        c.query("CREATE TEMP TABLE target (id int)");
        for (packet, readies) in with_strays() {
            at_once(c, &[vec![begin_extended()], packet].concat(), readies);
        }
        c.query("SELECT count(*) FROM target");
    }),
    ("in: Sync and Flush among the data, by the extended protocol, in copy mode", |c| {
        c.query("CREATE TEMP TABLE target (id int)");
        for (packet, readies) in with_strays() {
            in_copy_mode(c, &begin_extended(), &packet, readies);
            in_copy_mode(c, &[begin_extended(), sync()].concat(), &packet, readies);
        }
        c.query("SELECT count(*) FROM target");
    }),
    ("in: Sync and Flush among the data, in a Query", |c| {
        c.query("CREATE TEMP TABLE target (id int)");
        for (packet, readies) in with_strays() {
            // Its own ReadyForQuery besides: a Sync behind the end is answered by itself.
            in_copy_mode(c, &query("COPY target FROM STDIN"), &packet, readies + 1);
        }
        for (packet, readies) in with_strays() {
            let start = query("COPY target FROM STDIN");
            at_once(c, &[vec![start], packet].concat(), readies + 1);
        }
        c.query("SELECT count(*) FROM target");
    }),
    ("in: several in one Query, with Sync among them", |c| {
        c.query("CREATE TEMP TABLE target (id int)");
        let text = "COPY target FROM STDIN; SELECT 1; COPY target FROM STDIN";
        let (one, bad) = (copy_data(b"1\n"), copy_data(b"bad\n"));
        let ends = [sync(), one.clone(), copy_done()].concat();
        at_once(c, &[query(text), ends.clone(), ends.clone()], 1);
        at_once(c, &[query(text), ends.clone(), bad.clone(), sync(), copy_done()], 2);
        at_once(c, &[query(text), bad, ends.clone(), ends, sync()], 4);
        c.query("BEGIN");
        at_once(c, &[query("COPY target FROM STDIN"), copy_data(b"bad\n"), copy_done()], 1);
        c.query("ROLLBACK");
    }),
    ("in: it fails before it begins, and the data comes all the same", |c| {
        at_once(c, &[query("COPY no_such FROM STDIN"), copy_data(b"1\n"), copy_done()], 1);
        let start = [parse("", "COPY no_such FROM STDIN", &[]), bind("", "", &[], 0)].concat();
        at_once(c, &[start, execute("", 0), copy_data(b"1\n"), copy_done(), sync()], 1);
        c.query("CREATE TEMP TABLE target (id int)");
        c.query("BEGIN");
        c.query("SELECT 1/0");
        at_once(c, &[query("COPY target FROM STDIN"), copy_data(b"1\n"), copy_done()], 1);
        at_once(c, &[begin_extended(), copy_data(b"1\n"), copy_done(), sync()], 1);
        c.query("ROLLBACK");
    }),
    ("copy data without a copy", |c| {
        at_once(c, &[copy_data(b"1\n"), copy_done(), copy_fail("no"), query("SELECT 1")], 1);
        let select = [parse("", "SELECT 2", &[]), bind("", "", &[], 0), execute("", 0)].concat();
        at_once(c, &[select, copy_data(b"1\n"), copy_done(), sync()], 1);
    }),
    ("in: a message that doesn't belong there ends the session", |c| {
        c.query("CREATE TEMP TABLE target (id int)");
        c.send_bytes(&query("COPY target FROM STDIN"));
        c.read_until(b'G');
        drop(c.try_send_bytes(&query("SELECT 1")));
        while let Ok(Some(_)) = c.try_read() {}
    }),
    ("in: a lot", |c| {
        c.query("CREATE TEMP TABLE many (n int, t text)");
        let rows: Vec<u8> =
            (0..50_000_u32).flat_map(|n| format!("{n}\trow number {n}\n").into_bytes()).collect();
        let pieces: Vec<&[u8]> = rows.chunks(8192).collect();
        copy_in(c, "COPY many FROM STDIN", &pieces);
        c.query("SELECT count(*), sum(n), sum(length(t)) FROM many");
    }),
    ("large objects", |c| {
        for text in [
            "BEGIN",
            "SELECT lo_create(424242)",
            "SELECT lo_put(424242, 0, '\\x68616c6c6f')",
            "SELECT lo_open(424242, 262144)",
            "SELECT loread(0, 3)",
            "SELECT lo_close(0)",
            "SELECT lo_get(424242)",
            "SELECT lo_unlink(424242)",
            "COMMIT",
        ] {
            c.query(text);
        }
    }),
    ("large objects by fast-path calls", |c| {
        let number = |n: u32| n.to_be_bytes();
        for (oid, arguments) in
            [(715, vec![&number(434_343)[..]]), (952, vec![&number(434_343)[..], &number(0x60000)])]
        {
            c.exchange(&[call(oid, &arguments)], 1);
        }
        c.query("BEGIN");
        c.exchange(&[call(952, &[&number(434_343), &number(0x60000)])], 1);
        c.exchange(&[call(955, &[&number(0), b"hallo"]), call(956, &[&number(0)[..]; 3])], 2);
        c.exchange(&[call(954, &[&number(0), &number(100)]), query("SELECT 1")], 2);
        c.exchange(&[call(953, &[&number(0)])], 1);
        c.query("COMMIT");
        c.query("SELECT lo_get(434343)");
        // No such object, no such function, too few arguments, and a transaction that has failed.
        c.query("BEGIN");
        c.exchange(&[call(964, &[&number(1)])], 1);
        c.exchange(&[call(964, &[&number(434_343)])], 1);
        c.query("ROLLBACK");
        c.exchange(&[call(999_999, &[])], 1);
        c.exchange(&[call(964, &[])], 1);
        // Behind an error it is skipped like everything else until Sync.
        c.exchange(&[parse("", "SELEC", &[]), call(964, &[&number(434_343)]), sync()], 1);
        c.exchange(&[call(964, &[&number(434_343)])], 1);
        c.query("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 434343");
    }),
];
