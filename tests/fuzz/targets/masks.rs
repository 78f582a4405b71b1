//! Masks: cells and rows of a server, copies, documents, and the rules of an operator. Nothing is shown
//! that a mask hides.

use std::sync::{Arc, LazyLock};

use hallpass::{
    kernel::mask::{
        Algorithm, CellMask, Column, ColumnType, Format, Key, Kind, Mask, Nulls, Plan, Rule, Shown,
        Width, path::Path, pattern::ColumnPattern,
    },
    wire::pg::{
        backend::DataRow,
        cell,
        copy_rows::{CopyFormat, CopyRows, ForceQuote, Header},
        row,
    },
};

use crate::harness::{Target, length_behind_tag};

static KEY: LazyLock<Arc<Key>> =
    LazyLock::new(|| Arc::new(Key::new(b"a key of the tests").expect("long enough")));

const KINDS: [Kind; 23] = [
    Kind::Text,
    Kind::Padded,
    Kind::Integer(Width::Two),
    Kind::Integer(Width::Four),
    Kind::Integer(Width::Eight),
    Kind::Single,
    Kind::Double,
    Kind::Decimal,
    Kind::Money,
    Kind::Boolean,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::TimestampTz,
    Kind::Interval,
    Kind::Uuid,
    Kind::Json,
    Kind::Jsonb,
    Kind::Bytes,
    Kind::Inet,
    Kind::Enumeration,
    Kind::Composite,
    Kind::Unknown,
];

fn algorithms(texts: &[&str]) -> Vec<Arc<Algorithm>> {
    texts.iter().map(|text| Arc::new(text.parse().expect(text))).collect()
}

fn shown(mask: &CellMask, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    let shown = cell::apply(mask, Some(bytes), &KEY, &mut out);
    let out = out.strip_prefix(b"before").expect("what was there stays").to_vec();
    assert!(shown == Shown::Value || out.is_empty());
    (shown == Shown::Value).then_some(out)
}

#[test]
fn masked_cells() {
    let seeds: [&[u8]; 16] = [
        b"alice@example.com",
        b"4111 1111 1111 1234",
        b"-12.50",
        b"2024-05-16 10:20:30.5+02",
        b"0044-03-15 BC",
        b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        br#"{"a":["x",1e5,null,{"b":"\u00e4\n"}],"b":"y"}"#,
        b"\\x00ff",
        b"a\\\\\\001",
        b"[0:1]={\"a\\\"b\",NULL}",
        b"{{1,2},{3,4}}",
        b"\0\x02\0\0\0\0\0\x02\0\x0c\x0d\x48",
        b"\0\0\0\x01\0\0\0\0\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff",
        b"\x01{}",
        &[0; 8],
        &[0x7f; 4],
    ];
    let words =
        ["NULL", "{", "}", ",", "\"", "e+300", "infinity", " BC", "+05:30", "NaN", "@", "\\u"];
    let algorithms = algorithms(&[
        "full",
        "fixed(1)",
        "partial",
        "range(0, 2, '*', -3, -1, '*')",
        "inner(1, 1)",
        "outer(1, 2)",
        "email",
        "card",
        "hash",
        "bucket(10)",
        "truncate(month)",
        "shift(400)",
        "json($.a, hash, $[*].b, inner(1, 1), $.*.c, full)",
    ]);
    let seeds = seeds.map(<[u8]>::to_vec);
    Target::new("masked_cells", seeds).words(words).run(|bytes| {
        for (kind, algorithm) in KINDS.iter().flat_map(|k| algorithms.iter().map(move |a| (*k, a)))
        {
            for holds in [ColumnType::One(kind), ColumnType::Array(kind)] {
                let masked = |format| {
                    let mask = Mask::Column(Arc::clone(algorithm));
                    shown(&CellMask { mask, nulls: Nulls::Stay, holds, format }, bytes)
                };
                let (text, binary) = (masked(Format::Text), masked(Format::Binary));
                if matches!(holds, ColumnType::One(Kind::Text | Kind::Padded | Kind::Json)) {
                    assert_eq!(text, binary, "{algorithm} of {holds:?}");
                }
                let Some(text) = text else { continue };
                assert!(std::str::from_utf8(&text).is_ok());
                // What is masked already may be as its mask, and what is fixed by chance.
                let is_text = matches!(holds, ColumnType::One(Kind::Text));
                if is_text
                    && !bytes.contains(&b'*')
                    && !matches!(**algorithm, Algorithm::Fixed { .. })
                {
                    assert_ne!(text, bytes, "{algorithm} shows it");
                }
            }
        }
    });
}

#[test]
fn masked_documents() {
    let seeds = [
        r#"{"a":["x",1e5,null,{"b":"\u00e4\n"}],"b":"y"}"#,
        r#"[{"a":1},[{"a":"{\"b\":2}"}],true,false,null,-0.5E+7]"#,
        r#"{"\u0061":{"":[[]]},"a":{}}"#,
    ];
    let words = [
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        ":",
        ",",
        "null",
        "\\u0061",
        "\\\"",
        "1e9",
        "\"\\ud83d\\ude00\"",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let algorithms =
        algorithms(&["json($.a, full)", "json($[*].a.b, null, $.b[0], hash)", "inner(1, 1)"]);
    Target::new("masked_documents", seeds).words(words).run(|bytes| {
        let read = serde_json::from_slice::<serde_json::Value>(bytes);
        for algorithm in &algorithms {
            let (holds, mask) = (ColumnType::One(Kind::Json), Mask::Column(Arc::clone(algorithm)));
            let mask = CellMask { mask, nulls: Nulls::Stay, holds, format: Format::Text };
            let Some(masked) = shown(&mask, bytes) else { continue };
            // What another reader takes for JSON is JSON masked as well; and where it stands masked now.
            if read.is_ok() {
                let masked: serde_json::Value = serde_json::from_slice(&masked).expect("JSON");
                if let Some(value) =
                    masked.get("a").filter(|_| algorithm.to_string() == "json($.a, full)")
                {
                    assert!(value.is_null() || value == "******", "{value}");
                }
            }
        }
        // Without anything to mask it is as it was, wherever both readers take it.
        let nothing = Mask::Column(Arc::new("json($.zz.zz, full)".parse().expect("an algorithm")));
        let holds = ColumnType::One(Kind::Json);
        let mask = CellMask { mask: nothing, nulls: Nulls::Stay, holds, format: Format::Text };
        if read.is_ok_and(|read| read.is_object() && read.get("zz").is_none()) {
            assert_eq!(shown(&mask, bytes).as_deref(), Some(bytes));
        }
    });
}

/// Columns of text, masked where the sign says so: `f` in full, `n` by NULL, `i` by its inner part.
fn plan(signs: &str) -> Plan {
    let column = |sign: char| {
        let algorithm = match sign {
            'f' => Some("full"),
            'n' => Some("null"),
            'i' => Some("inner(1, 1)"),
            _ => None,
        };
        let mask = algorithm
            .map(|a| (Mask::Column(Arc::new(a.parse().expect("an algorithm"))), Nulls::Stay));
        Column { holds: ColumnType::TEXT, format: Format::Text, mask }
    };
    Plan::new(signs.chars().map(column), &KEY)
}

#[test]
fn masked_rows() {
    let seeds = [
        b"D\0\0\0\x18\0\x03\0\0\0\x03abc\xff\xff\xff\xff\0\0\0\x03xyz".to_vec(),
        b"D\0\0\0\x06\0\0".to_vec(),
    ];
    let plans = ["f-n", "--i", "iii", "f", "---f"].map(plan);
    Target::new("masked_rows", seeds).mended(length_behind_tag).run(|frame| {
        for plan in &plans {
            let mut out = b"before".to_vec();
            if row::rewrite(&mut out, frame, plan).is_err() {
                assert_eq!(out, b"before");
                continue;
            }
            let (masks, _) = plan.masks().expect("something is masked");
            let new = DataRow::new(&out[6 + 5..]).expect("a row");
            let old = DataRow::new(&frame[5..]).expect("it was read");
            assert_eq!((new.len(), out.len() - 6 - 1), (old.len(), length_of(&out[6..])));
            // Behind the last masked one nothing was read; the server's own bytes go on.
            for (at, (old, new)) in old.iter().zip(new.iter()).take(masks.len()).enumerate() {
                let (old, new) = (old.expect("it was read"), new.expect("a cell"));
                if masks[at].is_none() {
                    assert_eq!(old, new);
                } else if old.is_none() {
                    assert_eq!(new, None);
                }
            }
        }
    });
}

fn length_of(frame: &[u8]) -> usize {
    u32::from_be_bytes(frame[1..5].try_into().expect("four bytes")) as usize
}

#[test]
fn masked_copies() {
    let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    let seeds = [
        b"abc\tx\\ty\t\\N\n".to_vec(),
        b"a\\\\b\t\\N\tz\nabc\tx\ty\n".to_vec(),
        b"\"a,\"\"b\",,\"x\ny\"\n".to_vec(),
        b"'a\\'b';x;\n".to_vec(),
        [&header[..], b"\0\x03\0\0\0\x03abc\xff\xff\xff\xff\0\0\0\x01x\xff\xff"].concat(),
    ];
    let words = ["\t", "\\", "\\N", "\n", ",", "\"\"", "'", ";", "\r", "\\."];
    let mut odd = CopyFormat::csv();
    (odd.delimiter, odd.quote, odd.escape) = (b';', b'\'', b'\\');
    let mut forced = CopyFormat::csv();
    (forced.header, forced.force_quote) = (Header::Yes, ForceQuote::All);
    let formats = [
        CopyFormat::text(),
        CopyFormat::Text { delimiter: b',', null: Box::default(), header: Header::Yes },
        CopyFormat::Csv(CopyFormat::csv()),
        CopyFormat::Csv(odd),
        CopyFormat::Csv(forced),
        CopyFormat::Binary,
    ];
    let plans = ["f-n", "-i-"].map(plan);
    Target::new("masked_copies", seeds).words(words).run(|payload| {
        let frame =
            [&b"d"[..], &u32::try_from(payload.len() + 4).expect("short").to_be_bytes(), payload];
        for (format, plan) in formats.iter().flat_map(|f| plans.iter().map(move |p| (f, p))) {
            let rewritten = |frame: &[u8]| {
                let mut copy = CopyRows::new(plan.clone(), format.clone());
                let mut out = Vec::new();
                let result = copy.rewrite(&mut out, frame);
                assert!(result.is_ok() || out.is_empty());
                result.map(|count| (count, out))
            };
            // What was written reads as the same rows, and masks to itself; but where a value may be
            // written as NULL is, a NULL that a mask has made is masked as that value.
            if let Ok((count, out)) = rewritten(&frame.concat()) {
                assert_eq!(length_of(&out), out.len() - 1);
                let again = rewritten(&out);
                if matches!(format, CopyFormat::Text { null, .. } if null.is_empty()) {
                    assert_eq!(again.map(|(count, _)| count), Ok(count), "{format:?}");
                } else {
                    assert_eq!(again, Ok((count, out)), "{format:?}");
                }
            }
        }
    });
}

#[test]
fn mask_rules() {
    let seeds = [
        "inner(0, 4)",
        "range(0, 3, \"***\", -3, -1, 'x''y')",
        "json($.a.\"b c\"[0].*, full, $[*], bucket(0.5))",
        "fixed(\"say \"\"hi\"\"\")",
        "truncate(month)",
        "public.customers.email",
        "*.\"odd \"\"name\"\".*\".ssn_*",
        r#"{"target":"shop*","column":"*.*.ssn","with":"inner(0,4)","predicates":"deny","mask_null":true}"#,
    ];
    let words = [
        "(",
        ")",
        ",",
        "\"",
        "'",
        "$.",
        "[*]",
        "*",
        "full",
        "json",
        "range",
        "\"with\":",
        "\"tag\":",
        "ä",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    Target::new("mask_rules", seeds).words(words).run(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        match text.parse::<Algorithm>() {
            Ok(read) => assert_eq!(read.to_string().parse(), Ok(read)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        if let Ok(read) = Path::parse(text) {
            assert_eq!(Path::parse(&read.to_string()), Ok(read));
        }
        if let Ok(read) = ColumnPattern::parse(text) {
            let _ = read.matches(text, text, text);
            assert_eq!(ColumnPattern::parse(&read.to_string()), Ok(read));
        }
        if let Ok(read) = serde_json::from_str::<Rule>(text) {
            let written = serde_json::to_string(&read).expect("writes");
            assert_eq!(serde_json::from_str::<Rule>(&written).expect("reads"), read);
        }
    });
}
