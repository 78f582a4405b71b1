//! Answers of our own as MySQL's packets: `hallpass.*`.

use std::{sync::Arc, time::Duration};

use super::{
    query::Came,
    talk::{Pass, Talk},
};
use crate::{
    kernel::{
        audit::record::{Ended, IntentKind, Outcome},
        ids::StatementId,
        mask::Format,
        refusal::{Refusal, RefusalKind},
        sql::analysis::{Batch, LocalCall, LocalShape},
        time::Timestamp,
    },
    session::{
        desk::{Cell, Kind, Table},
        services::Over,
    },
    upstream::mysql::own::{Variable, Word},
    wire::mysql::{
        Capabilities,
        column::{BINARY, Column},
        field::{put_cell, put_number, put_string},
        packet,
        reply::{self, EofPacket, OkPacket},
        row::BINARY_ROW,
        value::TypeCode,
    },
};

/// `utf8mb4_general_ci`, which all servers know.
pub(super) const UTF8MB4: u16 = 45;

/// A call of `hallpass.*` that waits for its answer.
#[derive(Debug)]
pub(super) struct Call {
    /// What is called.
    pub(super) call: LocalCall,
    /// Its parameters.
    pub(super) parameters: Vec<Option<String>>,
    /// How its rows are written.
    pub(super) format: Format,
    /// The sequence number of the answer.
    pub(super) next: u8,
    /// Its record.
    pub(super) statement: StatementId,
    /// When it came.
    pub(super) started: Timestamp,
}

impl Talk {
    /// Asks the server for the variables that a call names: the command is held until it has told.
    pub(super) fn ask_variables(
        &mut self,
        (text, batch): (&str, &Arc<Batch>),
        variables: &[String],
        came: Came,
    ) -> Pass {
        let names: Option<Vec<Variable>> =
            variables.iter().map(|name| Variable::new(name)).collect();
        let why = match names {
            // What it was read from would have to be read again.
            _ if came.kind != IntentKind::Query => {
                Some("variables can't be arguments of a call that is prepared")
            }
            // Fail closed: others would read what is masked in a request's reason.
            _ if self.has_masks() && self.reading.overlay.is_tainted() => Some(
                "this session's variables may hold masked values, which a call would tell others",
            ),
            None => {
                Some("a variable's name is too long, or has letters that are not looked up here")
            }
            Some(names) => {
                self.say(Word::Variables(names), "arguments");
                return Pass::Hold;
            }
        };
        let why = Refusal::new(RefusalKind::BadRequest, why.unwrap_or_default())
            .with_hint("Write the values themselves.");
        self.refused((text, Some(batch)), came, &why)
    }

    /// The server has told the values of variables.
    pub(super) fn arguments_told(&mut self, row: &[Option<String>]) {
        self.arguments = Some(row.iter().map(|cell| of_hex(cell.as_deref())).collect());
    }

    /// What is answered without asking the store: settings of the gateway.
    pub(super) fn answer_setting(&mut self, call: &LocalCall) -> Option<Result<Table, Refusal>> {
        let bad = |text: String| Some(Err(Refusal::new(RefusalKind::BadRequest, text)));
        match (&call.shape, call.name.as_str()) {
            (LocalShape::Set(value), "over") => {
                self.over = match value.as_deref() {
                    None => None,
                    Some("error") => Some(Over::Error),
                    Some("cut") => Some(Over::Cut),
                    Some(_) => return bad("hallpass.over is error or cut".to_owned()),
                };
                Some(Ok(Table::default()))
            }
            (LocalShape::Show, "over") => {
                let word = match self.over() {
                    Over::Error => "error",
                    Over::Cut => "cut",
                };
                Some(Ok(Table {
                    columns: vec![("hallpass.over".to_owned(), Kind::Text)],
                    rows: vec![vec![Cell::Text(word.to_owned())]],
                    notice: None,
                }))
            }
            (LocalShape::Set(_) | LocalShape::Show, name) => {
                bad(format!("there is no setting hallpass.{name}; there is hallpass.over"))
            }
            (LocalShape::Function(_) | LocalShape::Procedure(_) | LocalShape::View(_), _) => None,
        }
    }

    /// Writes the answer of a call, and closes its record.
    pub(super) fn call_done(&mut self, call: &Call, answer: Result<Table, Refusal>) {
        let rows = answer.as_ref().map_or(0, |table| table.rows.len() as u64);
        let failed = answer.as_ref().err().map(|refusal| refusal.kind.codes().mysql_sqlstate);
        self.core.lane.borrow_mut().outcome(&Outcome {
            time: self.now,
            session: self.handle.id,
            statement: call.statement,
            ended: if failed.is_some() { Ended::Error } else { Ended::Completed },
            rows,
            affected: None,
            bytes: 0,
            sqlstate: failed,
            policy: Duration::ZERO,
            upstream: self.now.since(call.started),
            transaction: None,
        });
        self.core.lane_waits.notify_one();
        match answer {
            Err(refusal) => {
                reply::refuse(&mut self.down, call.next, &refusal);
            }
            Ok(table) if table.columns.is_empty() => {
                let ok = OkPacket { status: self.status, ..OkPacket::default() };
                ok.write(&mut self.down, (call.next, reply::OK), self.client);
            }
            Ok(table) => self.table(call, &table),
        }
    }

    fn table(&mut self, call: &Call, table: &Table) {
        let ends = !self.client.has(Capabilities::DEPRECATE_EOF);
        let eof = EofPacket { warnings: 0, status: self.status };
        let out = &mut self.down;
        let mut next =
            packet::put(out, call.next, |out| put_number(out, table.columns.len() as u64));
        for (name, kind) in &table.columns {
            next = column(name, *kind).write(out, next, self.client);
        }
        if ends {
            next = eof.write(out, next);
        }
        for row in &table.rows {
            next = packet::put(out, next, |out| match call.format {
                Format::Text => {
                    for cell in row {
                        put_cell(out, cell_text(cell).as_deref().map(str::as_bytes));
                    }
                }
                Format::Binary => binary_row(out, row),
            });
        }
        if ends {
            eof.write(out, next);
        } else {
            let ok = OkPacket { status: self.status, ..OkPacket::default() };
            ok.write(out, (next, reply::EOF), self.client);
        }
    }
}

/// Numbers are numbers; times are texts, as the server prints them.
pub(super) fn column(name: &str, kind: Kind) -> Column<'_> {
    let mut column = Column::text(name.as_bytes(), UTF8MB4);
    if kind == Kind::Number {
        column.code = TypeCode::LONGLONG;
        column.collation = BINARY;
        column.length = 21;
        column.decimals = 0;
    }
    column
}

fn cell_text(cell: &Cell) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => {
            let text = time.to_string().replace('T', " ");
            text.trim_end_matches('Z').to_owned()
        }
    })
}

/// The text that these digits stand for; what isn't one is as NULL.
fn of_hex(digits: Option<&str>) -> Option<String> {
    let digits = digits?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match *pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

fn binary_row(out: &mut Vec<u8>, row: &[Cell]) {
    out.push(BINARY_ROW);
    // Spec: the first two bits are always 0.
    let start = out.len();
    out.resize(start + (row.len() + 2).div_ceil(8), 0);
    for (at, cell) in row.iter().enumerate() {
        match cell {
            Cell::Null => {
                if let Some(byte) = out.get_mut(start + (at + 2) / 8) {
                    *byte |= 1 << ((at + 2) % 8);
                }
            }
            Cell::Number(number) => out.extend(number.to_le_bytes()),
            Cell::Text(_) | Cell::Time(_) => {
                put_string(out, cell_text(cell).unwrap_or_default().as_bytes());
            }
        }
    }
}
