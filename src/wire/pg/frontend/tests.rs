use proptest::prelude::*;

use super::*;

/// A frame of that tag around that body.
fn framed(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    body::message(&mut out, tag, |out| out.extend_from_slice(body));
    out
}

/// One of each message the gateway writes, and one of each a client may write.
fn samples() -> Vec<Vec<u8>> {
    let make = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    vec![
        make(&|out| query(out, "SELECT 1")),
        make(&|out| parse(out, b"s1", "SELECT $1", &[23, 0])),
        make(&|out| bind(out, b"p", b"s1", &[Some(b"7"), None, Some(b"")])),
        make(&|out| describe(out, NameKind::Statement, b"s1")),
        make(&|out| close(out, NameKind::Portal, b"p")),
        make(&|out| execute(out, b"p", 100)),
        make(&sync),
        make(&flush),
        make(&terminate),
        make(&|out| copy_fail(out, "no more")),
        make(&|out| password(out, b"hunter2")),
        framed(COPY_DATA, b"1\tx\n"),
        framed(COPY_DONE, b""),
        framed(FUNCTION_CALL, b"\0\0\0\x01\0\0\0\0\0\0"),
        framed(FUNCTION_CALL, b"\0\0\x03\xb8\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01"),
    ]
}

#[test]
fn what_is_written_reads_back() {
    let mut out = Vec::new();
    bind(&mut out, b"p", b"s", &[Some(b"7"), None]);
    let Ok(FrontendMessage::Bind(read)) = decode(&out) else { unreachable!("a Bind") };
    assert_eq!((read.portal, read.statement), (&b"p"[..], &b"s"[..]));
    assert_eq!(read.parameters.iter().collect::<Vec<_>>(), [Some(&b"7"[..]), None]);
    assert_eq!(read.formats.of(1), Some(Format::Text));

    out.clear();
    parse(&mut out, b"s", "SELECT $1", &[23, 25]);
    let Ok(FrontendMessage::Parse(read)) = decode(&out) else { unreachable!("a Parse") };
    assert_eq!(read.text, b"SELECT $1");
    assert_eq!(read.parameter_types.iter().collect::<Vec<_>>(), [23, 25]);
}

#[test]
fn a_message_cut_anywhere_does_not_decode() {
    for sample in samples() {
        assert!(decode(&sample).is_ok(), "{sample:?}");
        for cut in 5..sample.len() {
            // Messages whose body is free can be cut: the header says where they end.
            let free = [COPY_DATA, PASSWORD].contains(&sample[0]);
            assert!(free || decode(&sample[..cut]).is_err(), "{sample:?} cut to {cut}");
        }
    }
}

#[test]
fn a_message_with_a_byte_too_many_does_not_decode() {
    for mut sample in samples() {
        let free = [COPY_DATA, PASSWORD].contains(&sample[0]);
        sample.push(0);
        assert!(free || decode(&sample).is_err(), "{sample:?}");
    }
}

#[test]
fn a_query_with_a_nul_inside_is_not_two_queries() {
    assert!(decode(&framed(QUERY, b"SELECT 1\0DROP TABLE t\0")).is_err());
    assert!(decode(&framed(QUERY, b"SELECT 1")).is_err());
}

#[test]
fn counts_that_do_not_fit_are_refused() {
    assert!(decode(&framed(PARSE, b"\0SELECT 1\0\0\x02\0\0\0\x17")).is_err());
    // Two formats for one parameter.
    assert!(decode(&framed(BIND, b"\0\0\0\x02\0\0\0\x01\0\x01\0\0\0\x01x\0\0")).is_err());
    // A format that doesn't exist, for a parameter and for a result.
    assert!(decode(&framed(BIND, b"\0\0\0\x01\0\x02\0\x01\0\0\0\x01x\0\0")).is_err());
    assert!(decode(&framed(BIND, b"\0\0\0\0\0\0\0\x01\0\x02")).is_err());
    // A parameter longer than its message, and one of length -2.
    assert!(decode(&framed(BIND, b"\0\0\0\0\0\x01\x7f\xff\xff\xffx\0\0")).is_err());
    assert!(decode(&framed(BIND, b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0")).is_err());
}

#[test]
fn one_format_stands_for_all() {
    let frame = framed(BIND, b"\0\0\0\x01\0\x01\0\x02\0\0\0\x01x\0\0\0\x01y\0\x01\0\x01");
    let Ok(FrontendMessage::Bind(read)) = decode(&frame) else { unreachable!("a Bind") };
    assert_eq!(read.formats.of(1), Some(Format::Binary));
    assert_eq!(read.result_formats.of(41), Some(Format::Binary));
}

#[test]
fn a_name_is_a_statement_or_a_portal() {
    assert!(decode(&framed(DESCRIBE, b"Xname\0")).is_err());
    assert!(decode(&framed(CLOSE, b"")).is_err());
}

#[test]
fn sasl_answers_read_exactly() {
    let mut out = Vec::new();
    sasl_initial_response(&mut out, "SCRAM-SHA-256", b"n,,n=,r=x");
    let read = decode_sasl_initial(frame::body(&out)).expect("reads");
    assert_eq!(read, (&b"SCRAM-SHA-256"[..], Some(&b"n,,n=,r=x"[..])));
    out.push(0);
    assert!(decode_sasl_initial(frame::body(&out)).is_err());
    assert!(decode_password(b"one\0two\0").is_err());
}

/// Whatever we decode, pgwire decodes to the same; the reverse doesn't hold (it panics, and reads
/// past the message), so it is asked only about what we took.
#[test]
fn pgwire_reads_the_same() {
    use pgwire::messages::{DecodeContext, PgWireFrontendMessage, ProtocolVersion};

    let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
    context.awaiting_frontend_ssl = false;
    context.awaiting_frontend_startup = false;
    for sample in samples() {
        if [PASSWORD, FUNCTION_CALL].contains(&sample[0]) {
            continue;
        }
        let mut buffer = bytes::BytesMut::from(&sample[..]);
        let other = PgWireFrontendMessage::decode(&mut buffer, &context)
            .expect("decodes")
            .expect("is whole");
        assert!(buffer.is_empty(), "{sample:?}");
        match (decode(&sample).expect("decodes"), other) {
            (FrontendMessage::Query { text }, PgWireFrontendMessage::Query(other)) => {
                assert_eq!(text, other.query.as_bytes());
            }
            (FrontendMessage::Parse(ours), PgWireFrontendMessage::Parse(other)) => {
                assert_eq!(ours.text, other.query.as_bytes());
                assert_eq!(ours.parameter_types.iter().collect::<Vec<_>>(), other.type_oids);
            }
            (FrontendMessage::Bind(ours), PgWireFrontendMessage::Bind(other)) => {
                let theirs: Vec<_> = other.parameters.iter().map(|p| p.as_deref()).collect();
                assert_eq!(ours.parameters.iter().collect::<Vec<_>>(), theirs);
            }
            (FrontendMessage::Execute(ours), PgWireFrontendMessage::Execute(other)) => {
                assert_eq!(ours.max_rows, other.max_rows);
            }
            (FrontendMessage::Describe(ours), PgWireFrontendMessage::Describe(other)) => {
                assert_eq!(ours.kind.code(), other.target_type);
            }
            (FrontendMessage::Close(ours), PgWireFrontendMessage::Close(other)) => {
                assert_eq!(ours.kind.code(), other.target_type);
            }
            (FrontendMessage::CopyFail { reason }, PgWireFrontendMessage::CopyFail(other)) => {
                assert_eq!(reason, other.message.as_bytes());
            }
            (FrontendMessage::CopyData(data), PgWireFrontendMessage::CopyData(other)) => {
                assert_eq!(data, &other.data[..]);
            }
            (FrontendMessage::Sync, PgWireFrontendMessage::Sync(_))
            | (FrontendMessage::Flush, PgWireFrontendMessage::Flush(_))
            | (FrontendMessage::CopyDone, PgWireFrontendMessage::CopyDone(_))
            | (FrontendMessage::Terminate, PgWireFrontendMessage::Terminate(_)) => {}
            (ours, other) => unreachable!("{ours:?} against {other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(tag in 0u8..=255, body: Vec<u8>) {
        if let Ok(FrontendMessage::Bind(bind)) = decode(&framed(tag, &body)) {
            prop_assert_eq!(bind.parameters.iter().count(), bind.parameters.len());
        }
        let _ = (decode_sasl_initial(&body).is_ok(), decode_password(&body).is_ok());
    }

    #[test]
    fn a_bind_body_with_damage_never_panics(at in 0usize..40, value: u8) {
        let mut frame = framed(BIND, b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x01");
        if let Some(byte) = frame.get_mut(at) {
            *byte = value;
        }
        if let Ok(FrontendMessage::Bind(bind)) = decode(&frame) {
            prop_assert_eq!(bind.parameters.iter().count(), bind.parameters.len());
        }
    }
}
