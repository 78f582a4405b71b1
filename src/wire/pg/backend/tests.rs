use proptest::prelude::*;

use super::*;
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::charset::ClientText,
    },
    wire::pg::{frame, types},
};

fn refusal() -> Refusal {
    Refusal::new(RefusalKind::RelationDenied, "permission select is missing on shop.orders")
        .with_hint("SELECT hallpass.request('select', '30m', 'why')")
        .with_detail("standing permissions: explain, info")
        .at(15)
}

/// Everything the gateway itself says, in one buffer.
fn everything() -> Vec<u8> {
    let mut out = Vec::new();
    authentication_sasl(&mut out, &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    authentication_sasl_continue(&mut out, b"r=x,s=y,i=4096");
    authentication_sasl_final(&mut out, b"v=z");
    authentication_ok(&mut out);
    negotiate_protocol_version(&mut out, 2, &[b"_pq_.grease".to_vec()]);
    parameter_status(&mut out, b"server_version", b"15.18");
    backend_key_data(&mut out, 7, &[1, 2, 3, 4]);
    notice(&mut out, "G-7 ends in five minutes", ClientText::UTF8);
    warning(&mut out, "cut", ClientText::UTF8);
    ready_for_query(&mut out, TransactionStatus::Idle);
    parse_complete(&mut out);
    parameter_description(&mut out, &[types::INT4, types::TEXT]);
    let columns = [
        OwnColumn { name: "id", type_oid: types::INT4, format: Format::Text },
        OwnColumn { name: "name", type_oid: types::TEXT, format: Format::Text },
    ];
    row_description(&mut out, &columns, ClientText::UTF8);
    no_data(&mut out);
    bind_complete(&mut out);
    data_row(&mut out, &[Some(b"1"), None]);
    portal_suspended(&mut out);
    command_complete(&mut out, "SELECT 1");
    empty_query_response(&mut out);
    close_complete(&mut out);
    error(&mut out, &refusal(), ClientText::UTF8);
    out
}

#[test]
fn pgwire_reads_everything_we_say() {
    use pgwire::messages::{DecodeContext, PgWireBackendMessage, ProtocolVersion};

    let mut buffer = bytes::BytesMut::from(&everything()[..]);
    let context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
    let mut seen = 0;
    while let Some(message) = PgWireBackendMessage::decode(&mut buffer, &context).expect("decodes")
    {
        seen += 1;
        if let PgWireBackendMessage::ErrorResponse(error) = message {
            let field = |code: u8| error.fields.iter().find(|f| f.0 == code).map(|f| f.1.as_str());
            assert_eq!(field(b'C'), Some("42501"));
            assert_eq!(field(b'P'), Some("15"));
            assert!(field(b'H').is_some_and(|hint| hint.starts_with("SELECT hallpass.request")));
        }
    }
    assert_eq!((seen, buffer.len()), (21, 0));
}

#[test]
fn our_own_frames_pass_our_own_limits_whole_and_cut_anywhere() {
    let all = everything();
    let mut rest = &all[..];
    while !rest.is_empty() {
        for cut in 0..5 {
            assert_eq!(frame::from_upstream(&rest[..cut]), Ok(None));
        }
        let header = frame::from_upstream(rest).expect("is legal").expect("is whole");
        rest = &rest[header.length..];
    }
}

#[test]
fn error_fields_read_back() {
    let mut out = Vec::new();
    error(&mut out, &refusal(), ClientText::UTF8);
    let fields = ErrorFields::new(frame::body(&out)).expect("reads");
    assert_eq!(fields.sqlstate(), b"42501");
    assert!(!fields.is_fatal() && fields.field(b'D').is_some());
    for cut in 0..frame::body(&out).len() {
        assert!(ErrorFields::new(&frame::body(&out)[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn a_row_says_when_its_cells_do_not_fit() {
    let cells = |body: &[u8]| {
        DataRow::new(body).and_then(|row| {
            row.iter()
                .map(|cell| cell.map(|c| c.map(<[u8]>::to_vec)))
                .collect::<Result<Vec<_>, _>>()
        })
    };
    assert_eq!(cells(b"\0\x02\0\0\0\x01a\xff\xff\xff\xff"), Ok(vec![Some(b"a".to_vec()), None]));
    assert!(cells(b"\0\x02\0\0\0\x01a").is_err());
    assert!(cells(b"\0\x01\0\0\0\x01ab").is_err());
    assert!(cells(b"\0").is_err());
}

#[test]
fn columns_read_as_the_server_sends_them() {
    let body = b"\0\x01id\0\0\0\x40\x01\0\x02\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01";
    let columns = RowDescription::new(body).expect("reads");
    let column = columns.iter().next().expect("one");
    assert_eq!((column.name, column.table_oid), (&b"id"[..], 0x4001));
    assert_eq!((column.column_number, column.type_oid), (2, 23));
    assert_eq!(column.format, Format::Binary);
    for cut in 0..body.len() {
        assert!(RowDescription::new(&body[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn row_counts_are_the_last_word_of_a_tag() {
    assert_eq!(rows_of_tag(b"INSERT 0 12"), Some(12));
    assert_eq!(rows_of_tag(b"SELECT 3"), Some(3));
    for tag in [&b"BEGIN"[..], b"", b"CREATE TABLE", b"SELECT 99999999999999999999"] {
        assert_eq!(rows_of_tag(tag), None);
    }
}

#[test]
fn cancel_keys_have_four_to_256_bytes() {
    for (length, good) in [(0, false), (3, false), (4, true), (32, true), (256, true), (257, false)]
    {
        assert_eq!(key_data(&vec![0; 4 + length]).is_ok(), good, "{length}");
    }
}

#[test]
fn mechanisms_are_a_closed_list() {
    let names = |body: &[u8]| match Authentication::new(body) {
        Ok(Authentication::Sasl(names)) => Some(names.iter().count()),
        _ => None,
    };
    assert_eq!(names(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), Some(2));
    assert_eq!(names(b"\0\0\0\x0aSCRAM-SHA-256"), None);
}

#[test]
fn a_negotiated_version_is_its_minor_part() {
    let mut out = Vec::new();
    negotiate_protocol_version(&mut out, 0, &[b"_pq_.x".to_vec()]);
    let read = negotiated_version(frame::body(&out)).expect("reads");
    assert_eq!(read, (0, vec![&b"_pq_.x"[..]]));
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(body: Vec<u8>) {
        if let Ok(fields) = ErrorFields::new(&body) { fields.iter().for_each(drop); }
        if let Ok(row) = DataRow::new(&body) { row.iter().for_each(drop); }
        if let Ok(columns) = RowDescription::new(&body) {
            prop_assert_eq!(columns.iter().count(), columns.len());
        }
        if let Ok(Authentication::Sasl(names)) = Authentication::new(&body) {
            names.iter().for_each(drop);
        }
        let _ = (key_data(&body).is_ok(), parameter_types(&body).is_ok());
        let _ = (negotiated_version(&body).is_ok(), parameter_status_of(&body).is_ok());
        let _ = CopyResponse::new(COPY_IN_RESPONSE, &body).is_ok();
        let _ = ready_for_query_status(&body).is_ok();
    }
}
