mod reference;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::kernel::mask::{Column, ColumnType, Kind, Mask, Nulls, Width};

/// Text columns under these algorithms; `-` for none, `#` for a bucketed integer.
fn plan(algorithms: &[&str]) -> Plan {
    let key = Arc::new(Key::new(b"a key of the tests").expect("long enough"));
    let column = |algorithm: &&str| {
        let (holds, algorithm) = match *algorithm {
            "#" => (ColumnType::One(Kind::Integer(Width::Four)), "bucket(10)"),
            other => (ColumnType::TEXT, other),
        };
        let mask = (algorithm != "-")
            .then(|| (Mask::Column(Arc::new(algorithm.parse().expect(algorithm))), Nulls::Stay));
        // Not the copy's own format: that counts.
        Column { holds, format: Format::Binary, mask }
    };
    Plan::new(algorithms.iter().map(column), &key)
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    body::message(&mut out, COPY_DATA, |out| out.extend_from_slice(payload));
    out
}

fn rewritten(copy: &mut CopyRows, payload: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = b"before".to_vec();
    let result = copy.rewrite(&mut out, &frame(payload));
    let out = out.strip_prefix(b"before").expect("what was there stays");
    if let Err(error) = result {
        assert_eq!(out, b"", "nothing of a bad message is sent");
        return Err(error);
    }
    let header = frame::from_upstream(out).expect("a frame").expect("whole");
    assert_eq!(header.length, out.len());
    Ok(frame::body(out).to_vec())
}

fn one(format: CopyFormat, algorithms: &[&str], row: &str) -> String {
    let mut copy = CopyRows::new(plan(algorithms), format);
    let out =
        rewritten(&mut copy, row.as_bytes()).unwrap_or_else(|error| panic!("{row:?}: {error}"));
    String::from_utf8(out).expect("text")
}

fn csv(change: impl FnOnce(&mut Csv)) -> CopyFormat {
    let mut options = CopyFormat::csv();
    change(&mut options);
    CopyFormat::Csv(options)
}

#[test]
fn lines_of_text_are_masked_and_escaped() {
    let text = CopyFormat::text;
    for (algorithms, row, masked) in [
        (&["-", "inner(1, 1)", "-"][..], "1\tabc\tx\n", "1\ta*c\tx\n"),
        (&["inner(1, 1)", "-"], "abc\t\\N\n", "a*c\t\\N\n"),
        (&["inner(1, 1)", "-"], "\\N\tx\n", "\\N\tx\n"),
        (&["inner(1, 1)"], "\\\\N\n", "******\n"),
        (&["inner(1, 1)"], "\\\\N\\\\\n", "\\\\*\\\\\n"),
        (&["inner(1, 1)"], "\\tb\\n\n", "\\t*\\n\n"),
        (&["inner(1, 1)"], "\\b\\v\\f\\r\n", "\\b**\\r\n"),
        (&["inner(1, 1)"], "\n", "******\n"),
        (&["-", "inner(1, 1)"], "a\\\tb\tabc\n", "a\\\tb\ta*c\n"),
        (&["null", "#"], "abc\t17\n", "\\N\t10\n"),
        (&["inner(1, 1)", "#"], "abc\t17\nxyz\t-1\n", "a*c\t10\nx*z\t-10\n"),
        (&["full('\\')", "-"], "abc\tx\n", "\\\\\tx\n"),
    ] {
        assert_eq!(one(text(), algorithms, row), masked, "{row:?}");
    }
    let odd = CopyFormat::Text { delimiter: b'|', null: Box::new(*b"\\0"), header: Header::Yes };
    let mut copy = CopyRows::new(plan(&["inner(1, 1)", "full('|')"]), odd);
    assert_eq!(rewritten(&mut copy, b"secret|b\\|c\n"), Ok(b"secret|b\\|c\n".to_vec()));
    assert_eq!(rewritten(&mut copy, b"a\\|c|\\0\n"), Ok(b"a*c|\\0\n".to_vec()));
    assert_eq!(rewritten(&mut copy, b"\\0|abc\n"), Ok(b"\\0|\\|\n".to_vec()));
}

#[test]
fn a_null_text_that_a_value_may_be_written_as_finds_out_nothing() {
    let named = |null: &str, delimiter| CopyFormat::Text {
        delimiter,
        null: null.as_bytes().into(),
        header: Header::No,
    };
    let row = |null: &str, delimiter, row: &str| {
        one(named(null, delimiter), &["inner(1, 1)", "-", "#"], row)
    };
    // Without a mask it stays; of a number that no value is, NULL stays too.
    assert_eq!(row("guess", b'\t', "guess\tguess\tguess\n"), "g***s\tguess\tguess\n");
    assert_eq!(row("", b'\t', "\t\t\n"), "******\t\t\n");
    assert_eq!(row("17", b'\t', "17\t17\t17\n"), "******\t17\t10\n");
    // Written with an escape, as a value would be.
    assert_eq!(row("a\\\\b", b'\t', "a\\\\b\tx\t17\n"), "a*b\tx\t10\n");
    assert_eq!(row("a\\tb", b'|', "a\\tb|x|17\n"), "a*b|x|10\n");
    // No value is written so: N needs no escape.
    assert_eq!(row("\\N", b'\t', "\\N\tx\t\\N\n"), "\\N\tx\t\\N\n");
    assert_eq!(row("a\\Nb", b'\t', "a\\Nb\tx\t17\n"), "a\\Nb\tx\t10\n");
    // In CSV a value like it stands in quotes.
    let csv = csv(|options| options.null = Box::new(*b"guess"));
    assert_eq!(one(csv, &["inner(1, 1)", "inner(1, 1)"], "guess,\"guess\"\n"), "guess,g***s\n");
}

#[test]
fn lines_that_are_not_whole_are_errors() {
    for row in [
        "abc\tx",
        "abc\tx\\",
        "abc\tx\\\n",
        "abc\n",
        "abc\tx\ty\n",
        "a\\x41\tx\n",
        "a\\101\tx\n",
        "abc\tx\nabc",
    ] {
        let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-"]), CopyFormat::text());
        assert!(rewritten(&mut copy, row.as_bytes()).is_err(), "{row:?}");
    }
    let mut copy = CopyRows::new(plan(&["inner(1, 1)"]), CopyFormat::text());
    assert_eq!(rewritten(&mut copy, b""), Ok(vec![]));
    let mut out = Vec::new();
    assert!(copy.rewrite(&mut out, b"d\0\0\0\x08abc").is_err());
    assert!(copy.rewrite(&mut out, b"D\0\0\0\x08abc\n").is_err());
}

#[test]
fn csv_is_masked_and_quoted() {
    for (algorithms, row, masked) in [
        (&["-", "inner(1, 1)", "-"][..], "1,abc,x\n", "1,a*c,x\n"),
        (&["inner(1, 1)", "-"], "\"a,b\",\"x\ny\"\n", "a*b,\"x\ny\"\n"),
        (&["inner(1, 1)", "-"], "\"a\"\"\",x\n", "******,x\n"),
        (&["inner(1, 1)", "-"], "\"\"\"a\"\"\",x\n", "\"\"\"*\"\"\",x\n"),
        (&["inner(1, 1)", "-"], "\"a\nb\",x\n", "a*b,x\n"),
        (&["inner(1, 1)", "-"], ",x\n", ",x\n"),
        (&["inner(1, 1)", "-"], "\"\",x\n", "******,x\n"),
        (&["full('')", "-"], "abc,x\n", "\"\",x\n"),
        (&["full('\\.')"], "abc\n", "\"\\.\"\n"),
        (&["null", "#"], "abc,17\n", ",10\n"),
        (&["inner(1, 1)", "#"], "abc,17\n\"x\ny\nz\",-1\n", "a*c,10\n\"x***z\",-10\n"),
    ] {
        let masked = masked.replace("\"x***z\"", "x***z");
        assert_eq!(one(csv(|_| {}), algorithms, row), masked, "{row:?}");
    }
}

#[test]
fn csv_keeps_its_options() {
    let escaped = csv(|o| (o.escape, o.quote, o.delimiter) = (b'\\', b'\'', b';'));
    let row = "'a\\'\\\\';'x\\'y'\n";
    assert_eq!(one(escaped.clone(), &["range(0, 1, z)", "-"], row), "'z\\'\\\\';'x\\'y'\n");
    // Without quotes the escape is a character like others.
    assert_eq!(one(escaped, &["inner(1, 1)"], "a\\b\n"), "a*b\n");
    let null = csv(|o| o.null = Box::new(*b"nil"));
    assert_eq!(one(null.clone(), &["full(nil)", "-"], "abc,x\n"), "\"nil\",x\n");
    assert_eq!(one(null.clone(), &["full", "full"], "nil,\"nil\"\n"), "nil,******\n");
    assert_eq!(one(null, &["full", "full"], ",x\n"), "******,******\n");
    let forced = csv(|o| o.force_quote = ForceQuote::Columns(Box::new([1])));
    assert_eq!(one(forced, &["full", "full", "null"], "a,\"b\",\"c\"\n"), "******,\"******\",\n");
    let all = csv(|o| o.force_quote = ForceQuote::All);
    assert_eq!(one(all, &["full", "null"], "\"a\",\"b\"\n"), "\"******\",\n");
    let header = csv(|o| o.header = Header::Yes);
    let mut copy = CopyRows::new(plan(&["full", "-"]), header);
    assert_eq!(
        rewritten(&mut copy, b"email,\"odd,\nname\"\n"),
        Ok(b"email,\"odd,\nname\"\n".to_vec())
    );
    assert_eq!(rewritten(&mut copy, b"email,x\n"), Ok(b"******,x\n".to_vec()));
}

#[test]
fn csv_that_is_not_whole_is_an_error() {
    for row in [
        "abc,x",
        "abc\n",
        "abc,x,y\n",
        "\"abc,x\n",
        "\"a\"b,x\n",
        "a\"b,x\n",
        "abc,\"x\"",
        "abc,x\nabc",
    ] {
        let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-"]), csv(|_| {}));
        assert!(rewritten(&mut copy, row.as_bytes()).is_err(), "{row:?}");
    }
}

fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
    for cell in cells {
        body::put_value(&mut out, *cell);
    }
    out
}

const BEGINNING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

#[test]
fn binary_rows_are_masked_between_header_and_trailer() {
    let seventeen = 17_i32.to_be_bytes();
    let before = [row(&[Some(b"abc"), None, Some(&seventeen)]), row(&[None, Some(b"x"), None])];
    let after =
        [row(&[Some(b"a*c"), None, Some(&10_i32.to_be_bytes())]), row(&[None, Some(b"x"), None])];
    let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-", "#"]), CopyFormat::Binary);
    let first = [BEGINNING, &before[0]].concat();
    assert_eq!(rewritten(&mut copy, &first), Ok([BEGINNING, &after[0]].concat()));
    assert_eq!(rewritten(&mut copy, &before[1]), Ok(after[1].clone()));
    assert_eq!(rewritten(&mut copy, &before.concat()), Ok(after.concat()));
    assert_eq!(rewritten(&mut copy, b"\xff\xff"), Ok(b"\xff\xff".to_vec()));
    assert!(rewritten(&mut copy, &before[0]).is_err());
    // All in one message, and no rows at all.
    for rows in [after.concat(), vec![]] {
        let whole = [BEGINNING, &rows, b"\xff\xff"].concat();
        let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-", "-"]), CopyFormat::Binary);
        assert_eq!(rewritten(&mut copy, &whole), Ok(whole));
    }
}

#[test]
fn binary_rows_that_are_not_whole_are_errors() {
    let good = row(&[Some(b"abc"), None]);
    for payload in [
        good.clone(),
        BEGINNING[..18].to_vec(),
        [&b"PGCOPY\n\xff\r\n\0\0\x01\0\0\0\0\0\0"[..], &good].concat(),
        [&b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x01x"[..], &good].concat(),
        [BEGINNING, &good[..good.len() - 1]].concat(),
        [BEGINNING, &good, b"\0"].concat(),
        [BEGINNING, &row(&[Some(b"abc")])].concat(),
        [BEGINNING, &row(&[Some(b"abc"), None, None])].concat(),
        [BEGINNING, b"\xff\xff\0"].concat(),
        [BEGINNING, b"\xff\xfe"].concat(),
    ] {
        let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-"]), CopyFormat::Binary);
        assert!(rewritten(&mut copy, &payload).is_err(), "{payload:?}");
    }
}

#[test]
fn without_a_mask_a_copy_is_as_it_came() {
    let mut copy = CopyRows::new(Plan::none(), CopyFormat::text());
    assert_eq!(rewritten(&mut copy, b"not even a row"), Ok(b"not even a row".to_vec()));
}

/// Formats with all kinds of options, told by a number.
fn format_of(number: u8) -> CopyFormat {
    let header = if number & 1 == 0 { Header::No } else { Header::Yes };
    let text = |delimiter, null: &[u8]| CopyFormat::Text { delimiter, null: null.into(), header };
    let csv = |change: fn(&mut Csv)| {
        csv(|options| {
            options.header = header;
            change(options);
        })
    };
    match number / 2 {
        0 => text(b'\t', b"\\N"),
        1 => text(b',', b""),
        2 => text(b'|', b"a\\nb"),
        3 => text(b'"', b"\\'"),
        4 => csv(|_| {}),
        5 => csv(|o| (o.delimiter, o.escape) = (b'\t', b'\\')),
        6 => csv(|o| (o.delimiter, o.quote, o.null) = (b'|', b'\'', b"a".as_slice().into())),
        7 => csv(|o| (o.escape, o.force_quote) = (b',', ForceQuote::Columns(Box::new([1])))),
        _ => CopyFormat::Binary,
    }
}

const FORMATS: u8 = 18;

/// Rows of three cells, each as a server might write it; of some formats at least.
fn some_rows() -> impl Strategy<Value = Vec<[String; 3]>> {
    let cell = prop_oneof![
        "[a-z@. ]{0,40}",
        "\"[a-z,\n\t\\\\]{0,20}(\"\"[a-z,\n\t]{0,20}){0,2}\"",
        "'[a-z,|\n\\\\]{0,20}('')?[a-z]{0,3}'",
        r"([a-z]{0,20}\\[bnt,|'\x22\\\t]){0,3}[a-z]{0,20}",
        Just("\\N".to_owned()),
        Just("a\\nb".to_owned()),
        Just("\\'".to_owned()),
        "-?[0-9]{1,9}",
    ];
    prop::collection::vec([cell.clone(), cell.clone(), cell], 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_is_written_byte_by_byte(
        rows in some_rows(),
        number in 0..FORMATS,
        masks in prop::array::uniform3(prop::sample::select(vec!["-", "-", "inner(1, 1)", "email", "null", "#", "range(0, 1, '\"|')"])),
        odd in prop::option::weighted(0.2, (0_usize..200, "[a,\t\n\\\\\"|]")),
    ) {
        let format = format_of(number);
        let plan = plan(&masks);
        prop_assume!(!plan.is_none());
        let mut payload = Vec::new();
        let delimiter = match &format {
            CopyFormat::Text { delimiter, .. } => *delimiter,
            CopyFormat::Csv(csv) => csv.delimiter,
            CopyFormat::Binary => 0,
        };
        if format == CopyFormat::Binary {
            payload.extend_from_slice(BEGINNING);
            for cells in &rows {
                let cell = |cell: &'_ String| (cell != "\\N").then(|| cell.clone().into_bytes());
                let cells = cells.each_ref().map(cell);
                payload.extend(row(&cells.each_ref().map(Option::as_deref)));
            }
        } else {
            for [first, second, third] in &rows {
                let cells = [first.as_bytes(), second.as_bytes(), third.as_bytes()];
                payload.extend(cells.join(&delimiter));
                payload.push(b'\n');
            }
        }
        if let Some((at, byte)) = odd {
            payload.splice(at.min(payload.len())..(at + 1).min(payload.len()), byte.into_bytes());
        }
        let expected = reference::rewritten(&plan, &format, true, &payload);
        let mut copy = CopyRows::new(plan, format.clone());
        let mut out = Vec::new();
        let count = copy.rewrite(&mut out, &frame(&payload)).ok();
        let found = count.map(|count| (frame::body(&out).to_vec(), count));
        prop_assert_eq!(found, expected, "{:?} {:?}", format, String::from_utf8_lossy(&payload));
    }

    #[test]
    fn any_bytes_are_read_as_they_are_byte_by_byte(number in 0..FORMATS, payload in "[ab\\\\\t\n\",'|N]{0,60}") {
        let plan = plan(&["inner(1, 1)", "-"]);
        let format = format_of(number);
        let expected = reference::rewritten(&plan, &format, true, payload.as_bytes());
        let found = rewritten(&mut CopyRows::new(plan, format), payload.as_bytes()).ok();
        prop_assert_eq!(found, expected.map(|(out, _)| out));
    }
}

proptest! {
    /// A cell that is masked and one beside it that isn't, written by one rule and read by another.
    #[test]
    fn every_cell_survives_its_escapes(cell in "[ab\\\\\t\n\r,\"'N.]{0,6}", beside in "[ab\\\\\t\n\r,\"'N.]{0,6}") {
        let escaped = |text: &str| {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        };
        let row = |cell: &str| format!("{}\t{}\n", escaped(cell), escaped(&beside));
        let expected = if cell.is_empty() { "******".to_owned() } else { format!("x{}", cell.get(1..).unwrap_or_default()) };
        prop_assert_eq!(one(CopyFormat::text(), &["range(0, 1, x)", "-"], &row(&cell)), row(&expected));
        let quoted = |text: &str| {
            if text.is_empty() || text.contains([',', '"', '\n', '\r']) || text == "\\." {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let row = |cell: &str| format!("{},{}\n", quoted(cell), quoted(&beside));
        prop_assert_eq!(one(csv(|_| {}), &["range(0, 1, x)", "-"], &row(&cell)), row(&expected));
    }

    #[test]
    fn no_message_panics(payload: Vec<u8>, printed in "[ab\\\\\t\n\r,\"'N.]{0,30}") {
        for format in [CopyFormat::text(), csv(|_| {}), CopyFormat::Binary] {
            let mut copy = CopyRows::new(plan(&["inner(1, 1)", "-", "#"]), format);
            let _ = rewritten(&mut copy, &payload);
            let _ = rewritten(&mut copy, printed.as_bytes());
        }
    }
}
