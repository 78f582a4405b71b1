//! What the attacker sends: a random sequence of messages, in two versions. One goes through the
//! gateway; the other is for a bare server, where a text that must fail stands for each that is to be
//! refused, so that whatever follows a refusal is the server's own doing.

use std::collections::BTreeMap;

use crate::{
    random::Random,
    support::raw::{
        bind, close, copy_data, copy_done, copy_fail, describe, execute, flush, frame, parse,
        query, sync,
    },
    texts::{self, ADMIN, DDL, DML, EXPORT, Rights, Text},
};

/// One message, or several that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// For the failure message.
    pub(crate) shown: String,
    /// Through the gateway.
    pub(crate) sent: Vec<u8>,
    /// Directly.
    pub(crate) twin: Vec<u8>,
    /// SQL in it, and what it needs.
    pub(crate) says: Vec<(String, Rights)>,
    /// The rows of its result carry this, and there may be so many of them as the cap says.
    pub(crate) tag: Option<String>,
}

/// A text that no server reads: it stands where a refused one stood.
const FAILS: &str = "SELECT refused_here";

/// Composes sequences for one principal.
pub(crate) struct Composer<'r> {
    pub(crate) random: &'r mut Random,
    pub(crate) holds: Rights,
    /// Only what a bare server answers alike.
    pub(crate) alike: bool,
    pub(crate) application: String,
    pub(crate) next: u64,
}

impl Composer<'_> {
    /// A sequence, its end left out.
    pub(crate) fn sequence(&mut self) -> Vec<Move> {
        let length = 3 + self.random.below(32);
        let mut moves = Vec::new();
        while moves.len() < length {
            match self.random.below(100) {
                0..18 => moves.push(self.simple()),
                18..40 => moves.extend(self.whole()),
                40..48 => moves.push(self.parse()),
                48..56 => moves.push(self.bind()),
                56..65 => moves.push(self.execute()),
                65..69 => moves.push(self.describe()),
                69..73 => moves.push(self.close()),
                73..76 => moves.push(both("Flush", flush())),
                76..90 => moves.push(both("Sync", sync())),
                90..96 => moves.extend(self.copy()),
                96..98 => moves.push(self.function_call()),
                _ => moves.push(self.malformed()),
            }
        }
        moves
    }

    fn refused(&self, needs: Rights) -> bool {
        needs & !self.holds != 0
    }

    fn text(&mut self) -> Text {
        self.next += 1;
        let random = &mut *self.random;
        match random.below(100) {
            0..45 => texts::query(random),
            45..65 => loop {
                let text = texts::transaction(random);
                // Where a query has been, a server whose transaction is read-only takes no READ WRITE.
                if !self.alike || !text.opens || self.holds & DML != 0 {
                    break text;
                }
            },
            65..75 => texts::setting(random, &self.application),
            75..90 => texts::other(random),
            _ if self.alike => texts::query(random),
            _ => texts::odd(random, self.next),
        }
    }

    /// A text as the bare server gets it.
    fn as_twin(&self, text: &str, needs: Rights) -> String {
        if self.refused(needs) { FAILS.to_owned() } else { text.to_owned() }
    }

    fn simple(&mut self) -> Move {
        if self.random.percent(30) {
            return self.by_name();
        }
        if self.random.percent(25) {
            return self.several();
        }
        let text = self.text();
        let tag = text.sql.strip_prefix("SELECT 'k").and_then(|rest| rest.split('\'').next());
        Move {
            shown: format!("Query {}", text.sql),
            sent: query(&text.sql),
            twin: query(&self.as_twin(&text.sql, text.needs)),
            tag: tag.map(|tag| format!("k{tag}")),
            says: vec![(text.sql, text.needs)],
        }
    }

    /// Several statements in one Query.
    fn several(&mut self) -> Move {
        let count = 2 + self.random.below(3);
        let parts: Vec<Text> = (0..count).map(|_| self.text()).collect();
        let mut needs = parts.iter().fold(0, |needs, part| needs | part.needs);
        let mixes = |(at, one): (usize, &Text)| {
            one.rows && parts.iter().enumerate().any(|(other, two)| other != at && two.lasts)
        };
        if parts.iter().enumerate().any(mixes) {
            needs |= EXPORT;
        }
        let texts: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
        let sql = texts.join("; ");
        Move {
            shown: format!("Query {sql}"),
            sent: query(&sql),
            twin: query(&self.as_twin(&sql, needs)),
            says: parts.into_iter().map(|part| (part.sql, needs)).collect(),
            tag: None,
        }
    }

    /// SQL that makes, runs or forgets a name.
    fn by_name(&mut self) -> Move {
        let (sql, needs) = self.sql_by_name();
        Move {
            shown: format!("Query {sql}"),
            sent: query(&sql),
            twin: query(&self.as_twin(&sql, needs)),
            says: vec![(sql, needs)],
            tag: None,
        }
    }

    fn sql_by_name(&mut self) -> (String, Rights) {
        let name = self.sql_name();
        let count = *self.random.of(&["1", "2", "ALL", "BACKWARD 1", "FORWARD ALL"]);
        match self.random.below(100) {
            0..25 => {
                let inner = texts::query(self.random);
                (format!("PREPARE {name} AS {}", inner.sql), inner.needs)
            }
            25..45 => (format!("EXECUTE {name}"), 0),
            45..55 => (format!("DEALLOCATE {name}"), 0),
            55..58 => ("DEALLOCATE ALL".into(), 0),
            58..75 => {
                let inner = loop {
                    let inner = texts::query(self.random);
                    if inner.needs & DML == 0 {
                        break inner;
                    }
                };
                let hold =
                    if self.random.percent(25) { "SCROLL CURSOR WITH HOLD" } else { "CURSOR" };
                (format!("DECLARE {name} {hold} FOR {}", inner.sql), inner.needs)
            }
            75..90 => (format!("FETCH {count} FROM {name}"), 0),
            90..93 => (format!("MOVE {count} FROM {name}"), 0),
            93..98 => (format!("CLOSE {name}"), 0),
            _ => ("CLOSE ALL".into(), 0),
        }
    }

    fn sql_name(&mut self) -> String {
        format!("\"{}\"", self.random.of(&[short(0), short(1), long(1), long(2)]))
    }

    fn name(&mut self) -> String {
        let names = [String::new(), String::new(), short(0), short(1), long(1), long(2)];
        self.random.of(&names).clone()
    }

    /// Parse, Bind, Execute as drivers send them, of any text.
    fn whole(&mut self) -> Vec<Move> {
        let parameter = self.random.percent(20);
        if parameter {
            return self.tagged();
        }
        let text = if self.random.percent(20) {
            // A name that leads nowhere is refused at Parse; a bare server finds out at Execute.
            let runs = |sql: &str| ["EXECUTE", "FETCH", "MOVE"].iter().any(|w| sql.starts_with(w));
            let (sql, needs) = loop {
                let (sql, needs) = self.sql_by_name();
                if !self.alike || !runs(&sql) {
                    break (sql, needs);
                }
            };
            Text { sql, needs, ..texts::transaction(self.random) }
        } else {
            self.text()
        };
        let portal = self.name();
        let rows = *self.random.of(&[0, 0, 0, 1, 2]);
        let mut moves = vec![
            self.parse_of("", &text),
            both(&format!("Bind {portal:?} of unnamed"), bind(&portal, "", &[], 0)),
        ];
        if self.random.percent(30) {
            moves.push(both(&format!("Describe P {portal:?}"), describe(b'P', &portal)));
        }
        moves.push(both(&format!("Execute {portal:?} {rows}"), execute(&portal, rows)));
        if self.random.percent(40) {
            moves.push(both("Sync", sync()));
        }
        moves
    }

    /// A portal whose rows carry a word of their own.
    fn tagged(&mut self) -> Vec<Move> {
        self.next += 1;
        let tag = format!("k{}k", self.next);
        let sql = if self.alike {
            "SELECT $1::text, v FROM public.many ORDER BY v LIMIT 9"
        } else {
            "SELECT $1::text, v FROM public.many"
        };
        let text = Text { sql: sql.into(), needs: texts::ALL, ..texts::transaction(self.random) };
        let portal = self.name();
        let format = i16::from(self.random.percent(50));
        let rows = *self.random.of(&[0, 3, 5, 60]);
        let mut moves = vec![self.parse_of("", &text)];
        moves.push(Move {
            tag: Some(tag.clone()),
            ..both(&format!("Bind {portal:?} {tag}"), bind(&portal, "", &[Some(&tag)], format))
        });
        for _ in 0..=self.random.below(3) {
            moves.push(both(&format!("Execute {portal:?} {rows}"), execute(&portal, rows)));
        }
        moves
    }

    fn parse(&mut self) -> Move {
        let name = self.name();
        let text = if name.is_empty() || !self.alike {
            self.text()
        } else {
            // EXECUTE runs queries only.
            texts::query(self.random)
        };
        self.parse_of(&name, &text)
    }

    fn parse_of(&self, name: &str, text: &Text) -> Move {
        Move {
            shown: format!("Parse {name:?} {}", text.sql),
            sent: parse(name, &text.sql, &[]),
            twin: parse(name, &self.as_twin(&text.sql, text.needs), &[]),
            says: vec![(text.sql.clone(), text.needs)],
            tag: None,
        }
    }

    fn bind(&mut self) -> Move {
        let (portal, statement) = (self.name(), self.name());
        let format = i16::from(self.random.percent(30));
        let values: &[Option<&str>] = if self.random.percent(5) { &[Some("x")] } else { &[] };
        both(
            &format!("Bind {portal:?} of {statement:?} {values:?} {format}"),
            bind(&portal, &statement, values, format),
        )
    }

    fn execute(&mut self) -> Move {
        let portal = self.name();
        let rows = *self.random.of(&[0, 0, 1, 2, 5, -1]);
        both(&format!("Execute {portal:?} {rows}"), execute(&portal, rows))
    }

    fn describe(&mut self) -> Move {
        let (kind, name) = (*self.random.of(b"SP"), self.name());
        both(&format!("Describe {} {name:?}", char::from(kind)), describe(kind, &name))
    }

    fn close(&mut self) -> Move {
        let (kind, name) = (*self.random.of(b"SP"), self.name());
        both(&format!("Close {} {name:?}", char::from(kind)), close(kind, &name))
    }

    /// Copy data, for a copy or for nobody.
    fn copy(&mut self) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.random.percent(60) {
            let text = Text {
                sql: "COPY public.w FROM STDIN".into(),
                needs: DML,
                ..texts::transaction(self.random)
            };
            if self.random.percent(50) {
                moves.push(Move {
                    shown: format!("Query {}", text.sql),
                    sent: query(&text.sql),
                    twin: query(&self.as_twin(&text.sql, DML)),
                    says: vec![(text.sql, DML)],
                    tag: None,
                });
            } else {
                moves.push(self.parse_of("", &text));
                moves.push(both("Bind", bind("", "", &[], 0)));
                moves.push(both("Execute", execute("", 0)));
                if self.random.percent(40) {
                    moves.push(both("Sync", sync()));
                }
            }
        }
        for _ in 0..self.random.below(3) {
            let data = *self.random.of(&["one\n", "two\nthree\n", "bad\tcolumns\n", "", "half"]);
            moves.push(both(&format!("CopyData {data:?}"), copy_data(data.as_bytes())));
        }
        // Whether a message behind data without an end meets a copy that has failed is a matter of luck.
        match self.random.below(if self.alike { 3 } else { 4 }) {
            0 => moves.push(both("CopyFail", copy_fail("enough"))),
            3 => {}
            _ => moves.push(both("CopyDone", copy_done())),
        }
        moves
    }

    fn function_call(&mut self) -> Move {
        // now(), lo_creat(), one that nobody has.
        let oid = *self.random.of(&[1299_u32, 957, 4_000_000_000]);
        let call = |oid: u32| {
            let arguments: &[u8] =
                if oid == 957 { &[0, 0, 0, 1, 0, 0, 0, 2, b'-', b'1', 0, 0] } else { &[0; 6] };
            frame(b'F', &[&oid.to_be_bytes(), arguments].concat())
        };
        let twin = if self.holds & ADMIN == 0 { 4_000_000_000 } else { oid };
        Move {
            shown: format!("FunctionCall {oid}"),
            sent: call(oid),
            twin: call(twin),
            says: Vec::new(),
            tag: None,
        }
    }

    /// A message whose length is right and whose inside is not.
    fn malformed(&mut self) -> Move {
        let (tag, body): (u8, &[u8]) = *self.random.of(&[
            (b'P', &b"name\0text\0\0\x05\0\0\0\x17"[..]),
            (b'B', &b"\0\0\0\0\0\x01\0\0\0\x09xy\0\0"[..]),
            (b'E', &b"no end of a name"[..]),
            (b'D', &b"X\0\0"[..]),
            (b'C', &b"?\0\0"[..]),
        ]);
        both(&format!("malformed {}", char::from(tag)), frame(tag, body))
    }
}

/// What ends every sequence, whatever came before it: out of a copy, out of a batch, out of a
/// transaction, and a row to recognise.
pub(crate) fn ending(mark: &str) -> Move {
    let bytes =
        [copy_fail("over"), sync(), query("ROLLBACK"), query(&format!("SELECT '{mark}'"))].concat();
    let says = vec![("ROLLBACK".to_owned(), 0), (format!("SELECT '{mark}'"), 0)];
    Move { says, ..both("the end", bytes) }
}

/// Names of statements that hold everything which was said, and what it needs.
pub(crate) fn said(moves: &[Move]) -> BTreeMap<String, Rights> {
    let mut said: BTreeMap<String, Rights> = BTreeMap::new();
    for (sql, needs) in moves.iter().flat_map(|m| &m.says) {
        // The same text may stand in a batch that needs more than it does by itself.
        let least = said.entry(sql.clone()).or_insert(*needs);
        *least &= needs;
    }
    said
}

/// True if a principal below dml may not make this without being told so.
pub(crate) fn writes(rights: Rights) -> bool {
    rights & (DML | DDL | ADMIN) != 0
}

fn both(shown: &str, bytes: Vec<u8>) -> Move {
    Move { shown: shown.to_owned(), twin: bytes.clone(), sent: bytes, says: Vec::new(), tag: None }
}

fn short(index: usize) -> String {
    ["a", "b"][index].to_owned()
}

/// Two names that are one to the server.
fn long(end: u8) -> String {
    format!("{}{end}", "n".repeat(63))
}
