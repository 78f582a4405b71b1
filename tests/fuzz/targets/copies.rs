//! COPY, as far as it is read: its frames, its shape, and how much of it goes out. The rows inside,
//! whether text, CSV or binary, pass unread in both directions.

use hallpass::{
    kernel::{
        access::{Permission, Rights},
        ids::StatementId,
        policy::{Decision, decide, decide::Caps},
        sql::{
            analyze,
            context::{Context, Overlay, SearchPath, Trust},
            mode::LexMode,
            text::StatementText,
        },
        time::Timestamp,
    },
    session::result::{Cap, Run},
    wire::pg::{FrontendLimits, backend, frame, frontend},
};

use crate::{catalog, harness::Target, written};

const ROWS: u64 = 3;
const BYTES: u64 = 64;

/// A copy of a table's rows under caps that are soon reached.
fn copy_out() -> Run {
    let catalog = catalog::shop();
    let (path, overlay, trust) = (SearchPath::usual(), Overlay::default(), Trust::default());
    let text = StatementText::new(b"COPY customers TO STDOUT", 100).expect("a text");
    let (mode, path, overlay, trust) = (LexMode::POSTGRES, &path, &overlay, &trust);
    let batch = analyze(&text, &Context { mode, catalog: &catalog, path, overlay, trust });
    let batch = batch.expect("it is understood");
    let rights = Rights {
        standing: [Permission::Select, Permission::Export].into_iter().collect(),
        ..Rights::default()
    };
    let caps = Caps { rows: ROWS, bytes: BYTES, catalog_bytes: BYTES };
    let analyses = batch.statements.iter().map(|analysis| &**analysis);
    let Decision::Permit(permit) = decide(analyses, &rights, caps, Timestamp(0)) else {
        panic!("export is enough for it");
    };
    let mut run = Run::new(StatementId(1), &permit, Timestamp(0));
    // Whoever may export has none; budgets count the same.
    run.cap = Some(Cap { rows: ROWS, bytes: BYTES });
    run
}

#[test]
fn copy_data() {
    let frame = |tag: u8, body: &[u8]| {
        written(|o| {
            o.push(tag);
            o.extend_from_slice(&u32::try_from(body.len() + 4).expect("short").to_be_bytes());
            o.extend_from_slice(body);
        })
    };
    let seeds = [
        [frame(b'H', b"\0\0\x02\0\0\0\0"), frame(b'd', b"1\tx\n").repeat(5), frame(b'c', b"")],
        [frame(b'G', b"\x01\0\x01\0\x01"), frame(b'd', b"PGCOPY\n\xff\r\n\0"), frame(b'c', b"")],
        [frame(b'd', b"\"a\"\"b\",\\.\n"), frame(b'd', b"\\.\n"), frame(b'f', b"no\0")],
        [frame(b'd', b""), frame(b'd', &[b'x'; 60]), frame(b'd', &[b'y'; 2])],
    ];
    let words = ["d\0\0\0\x04", "d\0\0\0\x05x", "c\0\0\0\x04", "f\0\0\0\x05\0", "\\.\n"];
    Target::new("copy_data", seeds.map(|parts| parts.concat())).words(words).run(|bytes| {
        to_the_client(bytes);
        from_the_client(bytes);
    });
}

/// A frame is the same however much of it is there, and no more rows and bytes than the caps go out.
fn to_the_client(bytes: &[u8]) {
    let (mut run, mut rows, mut sent, mut over) = (copy_out(), 0, 0, false);
    let mut rest = bytes;
    while let Ok(Some(header)) = frame::from_upstream(rest) {
        assert_eq!(frame::from_upstream(rest.get(..5).expect("a header")), Ok(Some(header)));
        assert!((0..5).all(|n| frame::from_upstream(&rest[..n]) == Ok(None)));
        let Some(whole) = rest.get(..header.length) else { break };
        rest = &rest[header.length..];
        let body = frame::body(whole);
        if matches!(header.tag, backend::COPY_IN_RESPONSE | backend::COPY_OUT_RESPONSE)
            && let Ok(shape) = backend::CopyResponse::new(header.tag, body)
        {
            assert_eq!(body.len(), 3 + 2 * shape.columns());
        }
        if header.tag == backend::COPY_DATA {
            let length = header.length as u64;
            over |= rows == ROWS || sent + length > BYTES;
            assert_eq!(run.row(header.length), !over);
            if !over {
                (rows, sent) = (rows + 1, sent + length);
            }
        }
    }
    assert_eq!((run.rows, run.bytes, run.cut.is_some()), (rows, sent, over));
}

fn from_the_client(bytes: &[u8]) {
    let limits = FrontendLimits { copy_data: 64, ..FrontendLimits::default() };
    let mut rest = bytes;
    while let Ok(Some(header)) = frame::from_client(rest, &limits) {
        let Some(whole) = rest.get(..header.length) else { break };
        rest = &rest[header.length..];
        match frontend::decode(whole) {
            Ok(frontend::FrontendMessage::CopyData(data)) => {
                assert!(header.length <= 65);
                assert_eq!(data, frame::body(whole));
            }
            Ok(frontend::FrontendMessage::CopyDone) => assert_eq!(whole, b"c\0\0\0\x04"),
            Ok(frontend::FrontendMessage::CopyFail { reason }) => {
                assert!(!reason.contains(&0) && reason.len() + 6 == whole.len());
            }
            Ok(_) | Err(_) => {}
        }
    }
}
