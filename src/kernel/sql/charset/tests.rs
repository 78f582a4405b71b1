use super::*;

fn named(name: &str) -> &'static Charset {
    match Encoding::named(name) {
        Encoding::Table(charset) => charset,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn names_are_compared_as_the_server_does() {
    for (name, is) in [
        ("WIN1252", "WIN1252"),
        ("windows-1252", "WIN1252"),
        ("'Latin1'", "LATIN1"),
        ("iso-8859-15", "LATIN9"),
        ("KOI8", "KOI8R"),
        ("iso_8859_5", "ISO_8859_5"),
    ] {
        assert_eq!(named(name).name, is);
    }
    for name in ["UTF8", "utf-8", "Unicode", "'UTF8'"] {
        assert_eq!(Encoding::named(name), Encoding::Utf8, "{name}");
    }
    assert_eq!(Encoding::named("sql-ascii"), Encoding::Bytes);
    for name in ["GBK", "SJIS", "EUC_JP", "UTF16", "", "ＵTF8", "LATIN11", "ISO88598I"] {
        assert_eq!(Encoding::named(name), Encoding::Other, "{name}");
    }
}

#[test]
fn every_encoding_is_ascii_below_0x80_and_reads_back_what_it_writes() {
    for charset in Charset::all() {
        for byte in 0..=u8::MAX {
            let Some(c) = charset.character(byte) else { continue };
            assert_eq!(c.is_ascii(), byte.is_ascii(), "{charset:?} {byte:#x}");
            assert!(!byte.is_ascii() || char::from(byte) == c, "{charset:?} {byte:#x}");
            assert_eq!(charset.byte(c), Some(byte), "{charset:?} {byte:#x}");
        }
    }
}

/// Bytes are UTF-8 only where the server takes them for it; in a database of LATIN1 they are letters of
/// that, also for a client that says nothing of an encoding.
#[test]
fn texts_are_read_as_the_server_converts_them() {
    let latin1 = Code::Table(named("LATIN1"));
    for (client, server, reads) in [
        ("UTF8", "UTF8", Code::Utf8),
        ("unicode", "LATIN1", Code::Utf8),
        ("SQL_ASCII", "UTF8", Code::Utf8),
        ("sql_ascii", "SQL_ASCII", Code::Utf8),
        ("SQL_ASCII", "LATIN1", latin1),
        ("SQL_ASCII", "EUC_JP", Code::Ascii),
        ("SQL_ASCII", "", Code::Ascii),
        ("LATIN1", "UTF8", latin1),
        ("LATIN1", "LATIN1", latin1),
        ("LATIN1", "LATIN2", Code::Ascii),
        ("LATIN1", "SQL_ASCII", Code::Ascii),
        ("LATIN1", "EUC_JP", Code::Ascii),
        ("SJIS", "UTF8", Code::Ascii),
        ("SJIS", "SQL_ASCII", Code::Ascii),
    ] {
        assert_eq!(ClientText::of(client, server).reads, reads, "{client} {server}");
    }
}

#[test]
fn a_byte_that_is_no_character_makes_no_text() {
    let text = ClientText::of("WIN1252", "UTF8");
    assert_eq!(text.read(b"caf\xe9 5\x80").as_deref(), Ok("café 5€"));
    let none = text.read(b"caf\x81").expect_err("no character");
    assert_eq!(
        none.to_string(),
        "character with byte sequence 0x81 in encoding \"WIN1252\" has no equivalent in encoding \"UTF8\""
    );
    assert_eq!(text.read_lossy(b"\xe9\x81"), "é\u{fffd}");
}

#[test]
fn what_is_said_to_a_client_is_in_its_encoding() {
    let said = "café – 5 € … ж";
    let to = |client, server| ClientText::of(client, server).write(said).into_owned();
    assert_eq!(to("UTF8", "UTF8"), said.as_bytes());
    assert_eq!(to("SQL_ASCII", "UTF8"), said.as_bytes());
    assert_eq!(to("WIN1252", "UTF8"), b"caf\xe9 \x96 5 \x80 \x85 ?");
    assert_eq!(to("LATIN1", "LATIN2"), b"caf\xe9 - 5 ? ... ?");
    assert_eq!(to("KOI8R", "UTF8"), b"caf? - 5 ? ... \xd6");
    assert_eq!(to("SJIS", "UTF8"), b"caf? - 5 ? ... ?");
}

#[test]
fn names_must_be_ascii_where_nothing_else_is_sure() {
    let unsure = ClientText::of("SJIS", "UTF8");
    assert_eq!(unsure.read_name("é".as_bytes()), Err(NoText::NotAscii));
    assert_eq!(unsure.read_name(b"e").as_deref(), Ok("e"));
    assert_eq!(ClientText::of("LATIN1", "UTF8").read_name(b"\xe9").as_deref(), Ok("é"));
}
