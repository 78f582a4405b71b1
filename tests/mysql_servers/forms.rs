//! Values of all types as the servers send them: in binary they are what they are in text.

use std::{sync::Arc, time::Duration};

use hallpass::{
    kernel::mask::{self, Format, Key, Mask, Nulls, Plan},
    net::{Stream, tls::ClientTls},
    upstream::{
        Address, Credential,
        credential::Source,
        mysql::{ConnectOptions, Wishes, connect},
    },
    wire::mysql::{
        Capabilities,
        auth::upstream::ServerKey,
        capability,
        cell::{Shape, column_type},
        column::{self, Column},
        command,
        packet::{self, Extent, Header},
        response::{Kind, Reply, Response},
        row::{self, BinaryRow, TextRow},
        value::{TypeCode, Value},
    },
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::mysql::{Family, MySql, SCHEMA, UPSTREAM_PASSWORD, UPSTREAM_USER};

/// One value of each type, besides NULL and odd ones.
const TYPES: [(&str, &[&str]); 27] = [
    ("TINYINT", &["-128", "0", "127"]),
    ("TINYINT UNSIGNED", &["0", "255"]),
    ("SMALLINT", &["-32768", "32767"]),
    ("SMALLINT UNSIGNED", &["65535"]),
    ("MEDIUMINT", &["-8388608", "8388607"]),
    ("MEDIUMINT UNSIGNED", &["16777215"]),
    ("INT", &["-2147483648", "2147483647"]),
    ("INT UNSIGNED", &["4294967295"]),
    ("BIGINT", &["-9223372036854775808", "9223372036854775807"]),
    ("BIGINT UNSIGNED", &["18446744073709551615"]),
    ("DECIMAL(20, 5)", &["-12345.67890", "0"]),
    ("DOUBLE", &["-1.5", "0.1", "1e15", "1e14", "1e-5", "1e-16", "1e300", "0"]),
    ("FLOAT", &["-1.5", "0.25", "16777216", "3.4e38", "1e-20"]),
    ("BOOLEAN", &["TRUE"]),
    ("YEAR", &["2026", "1901"]),
    ("DATE", &["'2026-11-26'", "'9999-12-31'", "'1000-01-01'"]),
    ("DATETIME", &["'2026-11-26 10:20:30'", "'2026-11-26'"]),
    ("DATETIME(6)", &["'2026-11-26 10:20:30.123456'", "'2026-11-26 00:00:00.000001'"]),
    ("TIMESTAMP NULL", &["'2026-11-26 10:20:30'"]),
    ("TIME", &["'10:20:30'", "'-838:59:59'", "'00:00:00'"]),
    ("TIME(3)", &["'10:20:30.125'"]),
    ("VARCHAR(200)", &["'abc'", "''", "'ä€😀'", "repeat('x', 200)"]),
    ("CHAR(20)", &["'abc'"]),
    ("TEXT", &["repeat('y', 300)", "repeat('z', 65535)"]),
    ("VARBINARY(200)", &["'abc'", "x'00ff'"]),
    ("ENUM('new', 'paid')", &["'paid'"]),
    ("SET('a', 'b')", &["'a,b'", "''"]),
];

pub(super) struct Client {
    stream: Stream,
    capabilities: Capabilities,
    read: Vec<u8>,
    failed: Option<String>,
}

/// A result: columns and rows, as payloads.
type Answer = (Vec<Vec<u8>>, Vec<Vec<u8>>);

impl Client {
    pub(super) async fn connect(server: &MySql, capabilities: Capabilities) -> Self {
        let options = ConnectOptions {
            address: Address::Unix(server.socket()),
            tls: ClientTls::disabled(),
            key: ServerKey::None,
            user: UPSTREAM_USER.to_owned(),
            credential: Arc::new(Credential::new(Source::Command(vec![
                "printf".into(),
                "%s".into(),
                UPSTREAM_PASSWORD.into(),
            ]))),
            timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(60),
        };
        let wishes = Wishes {
            capabilities: capability::NEEDED | Capabilities::MYSQL | capabilities,
            packet_max: 1 << 24,
            collation: 45,
            schema: Some(SCHEMA.as_bytes().to_vec()),
            attributes: Vec::new(),
        };
        let connected = connect(&options, &wishes).await.expect("connects");
        assert!(connected.capabilities.has(capabilities | Capabilities::SESSION_TRACK));
        Self {
            stream: connected.stream,
            capabilities: connected.capabilities,
            read: Vec::new(),
            failed: None,
        }
    }

    /// The number of what was prepared, and the result's columns and rows.
    async fn ask(&mut self, kind: Kind, payload: &[u8]) -> (u32, Answer) {
        let mut out = Vec::new();
        let mut next = packet::put(&mut out, 0, |out| out.extend_from_slice(payload));
        self.stream.write_all(&out).await.expect("writes");
        let mut response = Response::new(kind, next, self.capabilities);
        let (mut statement, mut columns, mut rows) = (0, Vec::new(), Vec::new());
        while !response.is_over() {
            let span = loop {
                match packet::extent(&self.read, next, 1 << 24).expect("packets") {
                    Extent::Here(span) => break span,
                    Extent::Wants(_) => {
                        let count = self.stream.read_buf(&mut self.read).await.expect("reads");
                        assert_ne!(count, 0, "the server has hung up");
                    }
                }
            };
            let header = Header::read(&self.read).expect("it is here");
            let payload = packet::payload(&self.read[..span.length]).into_owned();
            self.read.drain(..span.length);
            next = span.next;
            match response.take(header, &payload).expect("in order") {
                Reply::Prepared(prepared) => statement = prepared.statement,
                Reply::Column(column) => columns.push(column.to_vec()),
                Reply::Row => rows.push(payload),
                Reply::Failed(error) => {
                    self.failed = Some(error.message.escape_ascii().to_string());
                }
                Reply::Begins(_)
                | Reply::Parameter(_)
                | Reply::ColumnsEnd(_)
                | Reply::RowsEnd(_)
                | Reply::Done(_)
                | Reply::LocalFile(_)
                | Reply::Line(_) => {}
            }
        }
        (statement, (columns, rows))
    }

    async fn text(&mut self, sql: &str) -> Answer {
        let (_, answer) =
            self.ask(Kind::Result, &[&[command::QUERY], sql.as_bytes()].concat()).await;
        assert_eq!(self.failed, None, "{sql}");
        answer
    }

    /// The columns of a result, or what the server says instead.
    pub(super) async fn header(&mut self, sql: &str) -> Result<Vec<Vec<u8>>, String> {
        let query = [&[command::QUERY], sql.as_bytes()].concat();
        let (_, (columns, _)) = self.ask(Kind::Result, &query).await;
        self.failed.take().map_or(Ok(columns), Err)
    }

    async fn binary(&mut self, sql: &str) -> Answer {
        let prepare = [&[command::PREPARE], sql.as_bytes()].concat();
        let (statement, _) = self.ask(Kind::Prepared, &prepare).await;
        let execute =
            [&[command::EXECUTE], &statement.to_le_bytes()[..], &[0, 1, 0, 0, 0]].concat();
        let (_, answer) = self.ask(Kind::Result, &execute).await;
        let rows = self.fetched(statement).await;
        assert_eq!(rows, answer.1, "a cursor gives the same rows");
        answer
    }

    /// The same rows by a cursor, two at a time.
    async fn fetched(&mut self, statement: u32) -> Vec<Vec<u8>> {
        let number = statement.to_le_bytes();
        let execute = [&[command::EXECUTE], &number[..], &[1, 1, 0, 0, 0]].concat();
        let (_, (_, none)) = self.ask(Kind::Result, &execute).await;
        assert!(none.is_empty(), "they wait");
        let mut rows = Vec::new();
        loop {
            let fetch = [&[0x1c], &number[..], &2_u32.to_le_bytes()].concat();
            let (_, (_, mut some)) = self.ask(Kind::Rows, &fetch).await;
            let is_last = some.len() < 2;
            rows.append(&mut some);
            if is_last {
                return rows;
            }
        }
    }
}

pub(super) fn columns(payloads: &[Vec<u8>]) -> Vec<Column<'_>> {
    payloads
        .iter()
        .map(|payload| Column::read(payload, false, Capabilities::NONE).expect("a column"))
        .collect()
}

fn text_cells(columns: &[Column<'_>], payload: &[u8]) -> Vec<Option<String>> {
    let mut row = TextRow::new(payload);
    let mut next = || row.cell().expect("a cell");
    let text = |bytes: &[u8]| Value::Bytes(bytes).to_string();
    let cells = columns.iter().map(|_| next().map(text)).collect();
    row.end().expect("all of it");
    cells
}

fn binary_cells(columns: &[Column<'_>], payload: &[u8]) -> Vec<Option<String>> {
    let mut row = BinaryRow::new(payload, columns.len()).expect("a row");
    let mut shown = |column: &Column<'_>| {
        let cell = row.cell(column.code).expect("a cell")?;
        let unsigned = column.flags & column::UNSIGNED != 0;
        let value = Value::of(column.code, unsigned, cell).expect("a value").to_string();
        // In text a fraction has all digits of its column.
        let digits = usize::from(column.decimals);
        let is_moment = matches!(column.code, TypeCode::DATETIME | TypeCode::TIME);
        Some(match value.split_once('.') {
            Some((whole, fraction)) if is_moment => format!("{whole}.{}", &fraction[..digits]),
            None if is_moment && digits > 0 => format!("{value}.{}", "0".repeat(digits)),
            _ => value,
        })
    };
    let cells = columns.iter().map(&mut shown).collect();
    row.end().expect("all of it");
    cells
}

#[tokio::test]
async fn binary_rows_say_what_text_rows_say() {
    for family in Family::ALL {
        let server = MySql::start(family);
        for capabilities in [Capabilities::NONE, Capabilities::DEPRECATE_EOF] {
            let mut client = Client::connect(&server, capabilities).await;
            for (kind, values) in TYPES {
                client.text("DROP TEMPORARY TABLE IF EXISTS t").await;
                client.text(&format!("CREATE TEMPORARY TABLE t (id INT, v {kind})")).await;
                for (at, value) in values.iter().chain(&["NULL"]).enumerate() {
                    client.text(&format!("INSERT INTO t VALUES ({at}, {value})")).await;
                }
                let question = "SELECT v, id, v AS again FROM t ORDER BY id";
                let (heads, text_rows) = client.text(question).await;
                let (binary_heads, binary_rows) = client.binary(question).await;
                let (heads, binary_heads) = (columns(&heads), columns(&binary_heads));
                assert_eq!(heads[0].org_name, b"v");
                assert_eq!(text_rows.len(), values.len() + 1);
                for (text, binary) in text_rows.iter().zip(&binary_rows) {
                    let (text, binary) =
                        (text_cells(&heads, text), binary_cells(&binary_heads, binary));
                    assert_eq!(text, binary, "{family:?} {kind}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_masked_value_is_the_same_in_both_forms_and_a_row_that_a_client_can_read() {
    let key = Arc::new(Key::new(b"a key of the tests").expect("long enough"));
    for family in Family::ALL {
        let server = MySql::start(family);
        let mut client = Client::connect(&server, Capabilities::DEPRECATE_EOF).await;
        let question = "SELECT id, full_name, email, birth_date, country, credit FROM customers \
                        ORDER BY id LIMIT 50";
        let (heads, text_rows) = client.text(question).await;
        let (_, binary_rows) = client.binary(question).await;
        let heads = columns(&heads);
        let shapes: Vec<_> = heads.iter().map(Shape::of).collect();
        let algorithms = ["hash", "inner(1, 1)", "email", "truncate(year)", "full", "bucket(100)"];
        let plan = |format| {
            let masked = heads.iter().zip(algorithms).map(|(head, algorithm)| mask::Column {
                holds: column_type(head),
                format,
                mask: Some((Mask::Column(Arc::new(algorithm.parse().expect("one"))), Nulls::Stay)),
            });
            Plan::new(masked, &key)
        };
        for (text, binary) in text_rows.iter().zip(&binary_rows) {
            let clear = text_cells(&heads, text);
            let (mut masked_text, mut masked_binary) = (Vec::new(), Vec::new());
            let how = (&shapes[..], &plan(Format::Text), Format::Text);
            row::rewrite(&mut masked_text, text, how).expect("a row");
            let how = (&shapes[..], &plan(Format::Binary), Format::Binary);
            row::rewrite(&mut masked_binary, binary, how).expect("a row");
            let masked = text_cells(&heads, &masked_text);
            assert_eq!(masked, binary_cells(&heads, &masked_binary), "{family:?}");
            for (at, (clear, masked)) in clear.iter().zip(&masked).enumerate() {
                assert!(clear.is_none() || clear != masked || at > 2, "{clear:?} {masked:?}");
                assert_eq!(clear.is_none(), masked.is_none(), "{family:?} {at}");
            }
        }
    }
}
