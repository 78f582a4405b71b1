//! What masking makes of values, against a real Postgres: of every type in text and in binary, and of
//! copies with every option. What is written must be a value of its type to the server, in both formats
//! the same one.
//!
//! How long a row takes, and judging a query where columns are masked, is measured on demand:
//! `HALLPASS_TIME_MASKS=1 cargo test --release --test masked_values time -- --nocapture`.

#[path = "support/analysis_time.rs"]
mod analysis_time;
#[path = "support/masked_rows.rs"]
mod masked_rows;
#[path = "support/row_time.rs"]
mod row_time;
#[path = "support/mod.rs"]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use hallpass::{
    kernel::mask::{Column, ColumnType, Format, Key, Kind, Mask, Nulls, Plan},
    wire::pg::{
        backend::RowDescription,
        copy_rows::{CopyFormat, CopyRows, Csv, ForceQuote, Header},
        row,
        types::column_type,
    },
};
use support::{
    Postgres, RawClient,
    postgres::{DATABASE, SUPERUSER, SUPERUSER_PASSWORD},
    raw::{
        Message, bind, copy_data, copy_done, describe, error, execute, frame, parse, query, rows,
        sync,
    },
};

static KEY: LazyLock<Arc<Key>> =
    LazyLock::new(|| Arc::new(Key::new(b"a key of the tests").expect("long enough")));

const ALGORITHMS: &[&str] = &[
    "null",
    "full",
    "full('\"x,\\y{}')",
    "fixed('2020-02-03')",
    "fixed(7)",
    "fixed('-1.50')",
    "fixed('')",
    "fixed(t)",
    "fixed('[1, \"x\"]')",
    "fixed('00000000-0000-0000-0000-00000000000a')",
    "partial",
    "range(0, 2, '#', -3, -1, '\"')",
    "inner(1, 1)",
    "outer(1, 2, 'ß')",
    "email",
    "card",
    "hash",
    "bucket(10)",
    "bucket(0.25)",
    "bucket(1000000)",
    "truncate(year)",
    "truncate(quarter)",
    "truncate(month)",
    "truncate(week)",
    "truncate(day)",
    "truncate(hour)",
    "truncate(minute)",
    "shift(400)",
    "json($.a, inner(1, 1), $.b[*], hash, $.c.d, bucket(10), $.\"e f\", full)",
];

/// Types, and expressions that give values of them; `g` counts from 1 to 40.
const VALUES: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "'alice@example.com'",
            "''",
            "'äöüß 日本 😀'",
            "'4111 1111 1111 1234'",
            "E'a\\tb\\n\\\\'",
            "repeat('x', g)",
            "NULL",
        ],
    ),
    ("varchar", &["'abcdef'", "repeat('ä', g)"]),
    ("bpchar", &["'abc   '", "''", "rpad(repeat('y', g), 50)"]),
    ("name", &["'pg_class'"]),
    ("int2", &["32767", "(-32768)", "0", "(g * 811 - 16000)"]),
    ("int4", &["2147483647", "(-2147483648)", "(g * g * 7919 - 100000)"]),
    ("int8", &["9223372036854775807", "'-9223372036854775808'", "(g::int8 ^ 9)::int8"]),
    (
        "float4",
        &[
            "'NaN'",
            "'Infinity'",
            "'-0'",
            "1.1",
            "3e38",
            "1e-40",
            "(random() * 1000 - 500)",
            "16777217",
            "(random() * 1e-3)",
        ],
    ),
    (
        "float8",
        &[
            "'NaN'",
            "'-Infinity'",
            "1.1",
            "1e300",
            "5e-324",
            "(random() * 1000000 - 500000)",
            "123456789012.5",
        ],
    ),
    (
        "numeric",
        &[
            "'NaN'",
            "'Infinity'",
            "0",
            "0.00",
            "(-0.05)",
            "12.30",
            "1e30",
            "1e-30",
            "99999999999999999999.99",
            "12345678901234567890123456789012345678",
            "'0.12345678901234567890123456789012345678'",
            "1e60",
            "1e-60",
            "(random() * 10 ^ (g % 12))::numeric(30, 6)",
            "(-g)::numeric / 7",
            "30000",
            "10000",
        ],
    ),
    ("money", &["12.34"]),
    ("bool", &["true", "false"]),
    (
        "date",
        &[
            "'infinity'",
            "'-infinity'",
            "'2000-01-01'",
            "'0044-03-15 BC'",
            "'4714-11-24 BC'",
            "'0001-02-28'",
            "'5874897-12-31'",
            "('1890-05-06'::date + g * 997)",
            "'2024-02-29'",
            "'0001-12-31 BC'",
            "'0005-02-28 BC'",
        ],
    ),
    (
        "time",
        &[
            "'00:00'",
            "'24:00'",
            "'23:59:59.999999'",
            "('00:00'::time + g * '37 min 11.5 s'::interval)",
        ],
    ),
    ("timetz", &["'10:00+02'"]),
    (
        "timestamp",
        &[
            "'infinity'",
            "'2000-01-01'",
            "'1999-12-31 23:59:59.999999'",
            "'4714-11-24 BC'",
            "'294276-12-31 23:59:59.9'",
            "'0044-03-15 10:20:30 BC'",
            "('1890-05-06'::timestamp + g * '997 d 7 h 11.123456 s'::interval)",
        ],
    ),
    (
        "timestamptz",
        &[
            "'-infinity'",
            "'2000-01-01 00:00:00+00'",
            "'1883-01-01 12:00:00+00'",
            "'4714-11-25 BC'",
            "('1890-05-06'::timestamptz + g * '997 d 7 h 11.123456 s'::interval)",
            "'0044-03-15 10:20:30 BC'",
        ],
    ),
    ("interval", &["'1 day'"]),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "gen_random_uuid()"]),
    (
        "json",
        &[
            r#"'{"a" : "secret", "b":["x",1,null], "c":{"d":17.5}, "e f":{"g":1}, "h":[1]}'"#,
            "'null'",
            "'\"x\"'",
            "'17'",
            r#"'{"a": "\u00e4\"\\\n", "a": [true]}'"#,
            "'[]'",
            "'{}'",
            "'  [\"abc\", 1e3] '",
            "to_json(repeat('z', g))",
        ],
    ),
    (
        "jsonb",
        &[
            r#"'{"a" : "secret", "b":["x",1,null], "c":{"d":17.5}, "e f":{"g":1}, "h":[1]}'"#,
            "'null'",
            "'\"x\"'",
            "'17'",
            r#"'{"a": "ä\"\\\n"}'"#,
            "'[]'",
            "'{}'",
            "'[\"abc\", 1e3]'",
            "to_jsonb(g)",
        ],
    ),
    ("bytea", &["''", "'\\x00ff'", "decode(md5(g::text), 'hex')", "'abc'"]),
    ("inet", &["'127.0.0.1'"]),
    ("xml", &["'<a>x</a>'"]),
    ("\"char\"", &["'x'"]),
    ("int4range", &["'[1,5)'"]),
    ("point", &["'(1,2)'"]),
    (
        "text[]",
        &[
            "'{}'",
            "ARRAY['abc', NULL, '', 'NULL', 'a b', 'x,y', '{z}', 'q\"r\\s']",
            "'{{abc,def},{ghi,NULL}}'",
            "'[0:1]={abc,xyz}'",
            "ARRAY[repeat('x', g), 'null']",
            "'[-2:-1][3:4]={{a,b},{c,d}}'",
        ],
    ),
    ("int4[]", &["'{17,NULL,-1}'", "ARRAY[g, g * 11]", "'{{1,2},{3,4}}'"]),
    ("int8[]", &["'{9223372036854775807}'"]),
    ("numeric[]", &["'{1.50,NaN,NULL,-7}'"]),
    ("date[]", &["'{2024-05-16,infinity,0044-03-15 BC}'"]),
    ("timestamptz[]", &["'{2024-05-16 10:20:30+00,NULL}'"]),
    ("uuid[]", &["ARRAY[gen_random_uuid(), NULL]"]),
    ("jsonb[]", &[r#"ARRAY['{"a": "secret"}', '"x"', NULL]::jsonb[]"#]),
    ("bytea[]", &[r"ARRAY['\x00ff', '', NULL]::bytea[]"]),
    ("bool[]", &["'{t,f,NULL}'"]),
    ("float8[]", &["'{1.5,NaN,1e300}'"]),
    ("bpchar[]", &["'{\"abc  \",x}'"]),
    ("inet[]", &["'{127.0.0.1,NULL}'"]),
];

fn connect(server: &Postgres) -> RawClient {
    RawClient::connect(&server.address(), SUPERUSER, SUPERUSER_PASSWORD, DATABASE)
}

fn must(client: &mut RawClient, text: &str) -> Vec<Vec<String>> {
    let answer = client.query(text);
    assert!(error(&answer).is_none(), "{text}: {:?}", error(&answer));
    rows(&answer)
}

/// One column, fetched in a format: its type as the wire tells it, and the rows.
fn fetch(client: &mut RawClient, text: &str, format: Format) -> (ColumnType, Vec<Message>) {
    let code = i16::from(format == Format::Binary);
    let packet =
        [parse("", text, &[]), bind("", "", &[], code), describe(b'P', ""), execute("", 0), sync()];
    let answer = client.exchange(&packet, 1);
    assert!(error(&answer).is_none(), "{text}: {:?}", error(&answer));
    let header = answer.iter().find(|m| m.tag == b'T').expect("a RowDescription");
    let header = RowDescription::new(&header.body).expect("it reads");
    let column = header.iter().next().expect("a column");
    let rows = answer.iter().filter(|m| m.tag == b'D').cloned().collect();
    (column_type(column.type_oid), rows)
}

fn plan(holds: ColumnType, format: Format, algorithm: &str) -> Plan {
    let algorithm = algorithm.parse().unwrap_or_else(|error| panic!("{algorithm}: {error}"));
    let mask = Some((Mask::Column(Arc::new(algorithm)), Nulls::Stay));
    Plan::new([Column { holds, format, mask }], &KEY)
}

/// The one cell of a row as the plan shows it.
fn masked(row: &Message, plan: &Plan) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let rewritten = row::rewrite(&mut out, &frame(b'D', &row.body), plan).expect("a row");
    assert_eq!(rewritten, 1);
    let message = Message { tag: b'D', body: out[5..].to_vec() };
    message.values().pop().expect("one cell")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[test]
fn every_mask_is_a_value_of_its_type_and_the_same_in_both_formats() {
    let server = Postgres::start();
    let mut client = connect(&server);
    must(&mut client, "SET TimeZone = 'UTC'");
    must(&mut client, "SELECT setseed(0.25)");
    let mut shown = BTreeMap::new();
    for (name, values) in VALUES {
        // Kept, so that both formats are of the same random values.
        let selects: Vec<String> = values
            .iter()
            .map(|v| format!("SELECT g, ({v})::{name} AS v FROM generate_series(1, 40) g"))
            .collect();
        must(&mut client, "DROP TABLE IF EXISTS v");
        must(&mut client, &format!("CREATE TEMP TABLE v AS {}", selects.join(" UNION ALL ")));
        let (holds, texts) = fetch(&mut client, "SELECT v FROM v", Format::Text);
        let (_, binaries) = fetch(&mut client, "SELECT v FROM v", Format::Binary);
        assert_eq!(texts.len(), binaries.len());
        let send = &must(
            &mut client,
            &format!("SELECT typsend::text FROM pg_type WHERE oid = '{name}'::regtype"),
        )[0][0];
        for algorithm in ALGORITHMS {
            let (text_plan, binary_plan) =
                (plan(holds, Format::Text, algorithm), plan(holds, Format::Binary, algorithm));
            let mut pairs = BTreeSet::new();
            for (text, binary) in texts.iter().zip(&binaries) {
                let clear = text.values().pop().expect("one cell");
                let text = masked(text, &text_plan).map(|t| String::from_utf8(t).expect("UTF-8"));
                let binary = masked(binary, &binary_plan);
                let clear_text = clear.as_deref().map(String::from_utf8_lossy);
                assert_eq!(
                    text.is_some(),
                    binary.is_some(),
                    "{algorithm} of {name} {clear_text:?}: {text:?} {binary:?}"
                );
                if clear.is_none() {
                    assert_eq!(text, None, "NULL stays NULL");
                }
                if let (Some(text), Some(binary)) = (text, binary) {
                    pairs.insert((text, hex(&binary)));
                }
            }
            if pairs.is_empty() {
                continue;
            }
            *shown.entry(*name).or_insert(0) += 1;
            // The server reads the text as a value of the type, of which it sends just that binary form.
            let literal = |text: &str| format!("('{}')", text.replace('\'', "''"));
            let list: Vec<String> = pairs.iter().map(|(text, _)| literal(text)).collect();
            let asked = format!(
                "SELECT encode({send}(v::{name}), 'hex'), format('%s', v::{name}) FROM (VALUES {}) AS t (v)",
                list.join(", ")
            );
            for ((text, binary), row) in pairs.iter().zip(must(&mut client, &asked)) {
                assert_eq!(row[0], *binary, "{algorithm} of {name}: {text}");
                // And prints it as we do, save for exponents of floats.
                if !name.starts_with("float") {
                    assert_eq!(row[1], *text, "{algorithm} of {name}");
                }
            }
        }
    }
    // What only NULL masks, and nothing else, shows nothing.
    let hidden: Vec<&str> =
        VALUES.iter().map(|(name, _)| *name).filter(|name| !shown.contains_key(name)).collect();
    assert_eq!(
        hidden,
        ["name", "money", "timetz", "interval", "inet", "xml", "\"char\"", "int4range", "point"]
    );
}

#[test]
fn the_servers_own_types_are_known_by_their_oids() {
    let server = Postgres::start();
    let mut client = connect(&server);
    let known = must(
        &mut client,
        "SELECT t.oid, t.typname, t.typcategory, e.oid FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid \
         WHERE t.oid < 10000 AND t.typtype IN ('b', 'p')",
    );
    for row in known {
        let oid: u32 = row[0].parse().expect("an oid");
        let holds = column_type(oid);
        if let Ok(element) = row[3].parse::<u32>() {
            let ColumnType::One(kind) = column_type(element) else { panic!("{row:?}") };
            let expected = if kind == Kind::Unknown && holds == ColumnType::UNKNOWN {
                // Whether it is known for an array makes no difference.
                ColumnType::UNKNOWN
            } else {
                ColumnType::Array(kind)
            };
            assert_eq!(holds, expected, "{row:?}");
            continue;
        }
        // Of each category the kinds that it may be.
        let ColumnType::One(kind) = holds else { panic!("{row:?}") };
        let fits = match kind {
            Kind::Text => matches!(row[1].as_str(), "text" | "varchar" | "unknown"),
            Kind::Padded => row[1] == "bpchar",
            Kind::Integer(_) => row[1].starts_with("int"),
            Kind::Single => row[1] == "float4",
            Kind::Double => row[1] == "float8",
            Kind::Decimal => row[1] == "numeric",
            Kind::Money => row[1] == "money",
            Kind::Boolean => row[1] == "bool",
            Kind::Date => row[1] == "date",
            Kind::Time => row[1] == "time",
            Kind::Timestamp => row[1] == "timestamp",
            Kind::TimestampTz => row[1] == "timestamptz",
            Kind::Interval => row[1] == "interval",
            Kind::Uuid => row[1] == "uuid",
            Kind::Json => row[1] == "json",
            Kind::Jsonb => row[1] == "jsonb",
            Kind::Bytes => row[1] == "bytea",
            Kind::Inet => matches!(row[1].as_str(), "inet" | "cidr" | "macaddr" | "macaddr8"),
            Kind::Composite => row[1] == "record",
            Kind::Enumeration => false,
            Kind::Unknown => true,
        };
        assert!(fits, "{row:?} is {kind:?}");
    }
}

/// The masks of the copied table: of its eight columns four.
const COPIED: [&str; 8] = [
    "-",
    "range(0, 1, '\"')",
    "-",
    "bucket(10)",
    "inner(0, 1)",
    "-",
    "json($.a, full('\\'))",
    "null",
];

const COPY_TABLE: &str = r#"
    CREATE TEMP TABLE c (id int, a text, b text, n numeric, t text[], d date, j jsonb, x text);
    INSERT INTO c
    SELECT row_number() OVER (), a, b, 17.30, ARRAY[a, 'NULL', NULL, b], '2024-05-16', jsonb_build_object('a', a, 'b', b), a
    FROM unnest(ARRAY[E'plain', '', E'a\tb', E'a\nb', E'a\rb', E'a\bb', E'a\fb', E'a\vb', E'a\\b', '\N', '\.', 'NULL', 'nil',
        'a,b', '"', '""', 'a"b', '''', 'a''b', ' lead', 'trail ', 'a|b', 'a;b', 'äö ü', '😀', 'A', 'xAx', E'\\', '\\N', '.', NULL]) a,
      unnest(ARRAY['y', E'a,\t"\\\n|;''', '', NULL]) b;
"#;

fn copied_plan(columns: &[ColumnType]) -> Plan {
    let column = |(holds, algorithm): (&ColumnType, &&str)| Column {
        holds: *holds,
        format: Format::Text,
        mask: (*algorithm != "-")
            .then(|| (Mask::Column(Arc::new(algorithm.parse().expect(algorithm))), Nulls::Stay)),
    };
    Plan::new(columns.iter().zip(&COPIED).map(column), &KEY)
}

#[test]
fn masked_copies_are_read_back_as_the_masked_rows() {
    let server = Postgres::start();
    let mut client = connect(&server);
    must(&mut client, COPY_TABLE);
    let answer = client.query("SELECT * FROM c ORDER BY id");
    let header = answer.iter().find(|m| m.tag == b'T').expect("a RowDescription");
    let header = RowDescription::new(&header.body).expect("it reads");
    let columns: Vec<ColumnType> =
        header.iter().map(|column| column_type(column.type_oid)).collect();
    let plan = copied_plan(&columns);
    // What the rows show under the same plan.
    let expected: Vec<Vec<String>> = answer
        .iter()
        .filter(|m| m.tag == b'D')
        .map(|m| {
            let mut out = Vec::new();
            row::rewrite(&mut out, &frame(b'D', &m.body), &plan).expect("a row");
            rows(&[Message { tag: b'D', body: out[5..].to_vec() }]).remove(0)
        })
        .collect();
    assert_eq!(expected.len(), 124);
    let text = |delimiter, null: &str, header| CopyFormat::Text {
        delimiter,
        null: null.as_bytes().into(),
        header,
    };
    let csv = |change: fn(&mut Csv)| {
        let mut options = CopyFormat::csv();
        change(&mut options);
        CopyFormat::Csv(options)
    };
    for (options, format) in [
        ("", CopyFormat::text()),
        // No value is written so.
        (", DELIMITER '|', NULL '\\0'", text(b'|', "\\0", Header::No)),
        (", DELIMITER 'A', NULL '\\z'", text(b'A', "\\z", Header::No)),
        (", FORMAT csv", csv(|_| {})),
        (", FORMAT csv, HEADER", csv(|o| o.header = Header::Yes)),
        (
            ", FORMAT csv, NULL 'NULL', DELIMITER ';'",
            csv(|o| (o.null, o.delimiter) = (Box::new(*b"NULL"), b';')),
        ),
        (", FORMAT csv, QUOTE '''', ESCAPE '\\'", csv(|o| (o.quote, o.escape) = (b'\'', b'\\'))),
        (
            ", FORMAT csv, FORCE_QUOTE (a, n)",
            csv(|o| o.force_quote = ForceQuote::Columns(Box::new([1, 3]))),
        ),
        (
            ", FORMAT csv, FORCE_QUOTE *, DELIMITER '|'",
            csv(|o| (o.force_quote, o.delimiter) = (ForceQuote::All, b'|')),
        ),
        (", FORMAT binary", CopyFormat::Binary),
    ] {
        let out = client.query(&format!(
            "COPY (SELECT * FROM c ORDER BY id) TO STDOUT (ENCODING 'UTF8'{options})"
        ));
        assert!(error(&out).is_none(), "{options}: {:?}", error(&out));
        let mut copy = CopyRows::new(plan.clone(), format);
        let mut packet = Vec::new();
        let mut rewritten = 0;
        for message in out.iter().filter(|m| m.tag == b'd') {
            rewritten += copy.rewrite(&mut packet, &copy_data(&message.body)).expect(options);
        }
        assert_eq!(rewritten, 5 * 124, "{options}");
        must(&mut client, "CREATE TEMP TABLE back (LIKE c)");
        // What only COPY TO knows is left out.
        let back = options.replace(", FORCE_QUOTE (a, n)", "").replace(", FORCE_QUOTE *", "");
        client.send_bytes(&query(&format!("COPY back FROM STDIN (ENCODING 'UTF8'{back})")));
        client.read_until(b'G');
        client.send_bytes(&[packet, copy_done()].concat());
        let answer = client.read_until(b'Z');
        assert!(error(&answer).is_none(), "{options}: {:?}", error(&answer));
        let found = must(&mut client, "SELECT * FROM back ORDER BY id");
        must(&mut client, "DROP TABLE back");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{options}");
        }
        assert_eq!(found.len(), expected.len(), "{options}");
    }
}

#[test]
fn a_copy_does_not_tell_where_its_null_is_a_value() {
    let server = Postgres::start();
    let mut client = connect(&server);
    must(&mut client, COPY_TABLE);
    let columns = [ColumnType::One(Kind::Text); 2];
    for (guess, masked) in
        [("nil", "\"il"), ("plain", "\"lain"), ("", "******"), ("a\\\\b", "\"\\\\b")]
    {
        let out = client.query(&format!("COPY (SELECT '-', a FROM c) TO STDOUT (NULL '{guess}')"));
        assert!(error(&out).is_none(), "{guess}: {:?}", error(&out));
        let format = CopyFormat::Text {
            delimiter: b'\t',
            null: guess.as_bytes().into(),
            header: Header::No,
        };
        let mut copy = CopyRows::new(copied_plan(&columns), format);
        let mut found = 0;
        for message in out.iter().filter(|m| m.tag == b'd') {
            let mut packet = Vec::new();
            copy.rewrite(&mut packet, &copy_data(&message.body)).expect(guess);
            let (before, after) =
                (&message.body[..], String::from_utf8(packet[5..].to_vec()).expect("UTF-8"));
            if before == format!("-\t{guess}\n").as_bytes() {
                assert_eq!(after, format!("-\t{masked}\n"));
                found += 1;
            }
        }
        // The value and NULL, each beside four others.
        assert_eq!(found, 8, "{guess}");
    }
}
