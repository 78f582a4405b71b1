//! Answers of our own as Postgres messages.

use std::{rc::Rc, sync::Arc};

use super::{
    conversation::{Conversation, Held, Pass, wire_status},
    extended::{as_parameters, parameter_texts},
    owed::{Local, LocalRun, Tag},
    refused::Asked,
};
use crate::{
    kernel::{
        audit::record::{Ended, IntentKind, Outcome},
        policy::Decision,
        refusal::{Refusal, RefusalKind},
        sql::{
            OWN_NAME, READ_ONLY, READ_ONLY_DEFAULT,
            analysis::{LocalCall, LocalShape},
            charset::ClientText,
        },
        time::Timestamp,
    },
    session::{
        desk::{self, Cell, Kind, Table},
        names::{Portal, Prepared},
        services::Over,
        transaction::Status,
    },
    wire::pg::{
        Format,
        backend::{self, OwnColumn},
        exchange::{Step, Whose},
        frontend::Bind,
        types,
    },
};

/// Microseconds from 1970 to 2000, where the server's own count begins.
const EPOCH_2000: i64 = 946_684_800_000_000;

impl Conversation {
    /// What is answered without asking the store: settings of the gateway.
    pub(super) fn answer_setting(&mut self, run: &LocalRun) -> Option<Result<Table, Refusal>> {
        let unknown = || {
            Err(Refusal::new(
                RefusalKind::BadRequest,
                format!("there is no setting hallpass.{}", run.call.name),
            )
            .with_hint("There is hallpass.over, with the values error and cut."))
        };
        match &run.call.shape {
            LocalShape::Set(value) => Some(match (run.call.name.as_str(), value.as_deref()) {
                ("over", None) => {
                    self.over = None;
                    Ok(Table::default())
                }
                ("over", Some("error")) => {
                    self.over = Some(Over::Error);
                    Ok(Table::default())
                }
                ("over", Some("cut")) => {
                    self.over = Some(Over::Cut);
                    Ok(Table::default())
                }
                ("over", Some(_)) => {
                    Err(Refusal::new(RefusalKind::BadRequest, "hallpass.over is error or cut"))
                }
                _ => unknown(),
            }),
            LocalShape::Show => Some(match run.call.name.as_str() {
                "over" => {
                    let over = self.over.unwrap_or(self.core.services.world.load().limits.over);
                    let word = match over {
                        Over::Error => "error",
                        Over::Cut => "cut",
                    };
                    Ok(Table {
                        columns: vec![("hallpass.over".to_owned(), Kind::Text)],
                        rows: vec![vec![Cell::Text(word.to_owned())]],
                        notice: None,
                    })
                }
                name => match self.own_setting(name) {
                    Some(value) => Ok(Table {
                        columns: vec![(name.to_owned(), Kind::Text)],
                        rows: vec![vec![Cell::Text(value)]],
                        notice: None,
                    }),
                    None => unknown(),
                },
            }),
            LocalShape::Function(_) | LocalShape::Procedure(_) | LocalShape::View(_) => None,
        }
    }

    /// What the client has said itself, where the upstream's value is the gateway's.
    fn own_setting(&self, name: &str) -> Option<String> {
        let word = |on| Some(if on { "on" } else { "off" }.to_owned());
        match name {
            OWN_NAME => Some(self.application.clone()),
            READ_ONLY => word(self.transaction.said_read_only.unwrap_or(self.client_read_only)),
            READ_ONLY_DEFAULT => word(self.client_read_only),
            _ => None,
        }
    }

    /// Bind of a call: kept here, with its arguments.
    pub(super) fn bind_local(
        &mut self,
        portal: &str,
        prepared: &Rc<Prepared>,
        bind: &Bind<'_>,
    ) -> Pass {
        let parameters = parameter_texts(bind, &prepared.parameter_types, self.client_text);
        let entry = Rc::new(Portal {
            age: self.names.age(),
            prepared: Rc::clone(prepared),
            parameters,
            result_formats: bind.result_formats.iter().map(|f| f == Format::Binary).collect(),
            fetched: std::cell::Cell::new((0, 0)),
            recorded: std::cell::RefCell::new(None),
            holds: false,
        });
        drop(self.names.bind(portal, entry));
        let mut bytes = Vec::new();
        backend::bind_complete(&mut bytes);
        self.owe(Step::Local, Whose::Client, Tag::Local(Local::Say(bytes)));
        Pass::Drop
    }

    /// Execute of a call: answered in its place.
    pub(super) fn execute_local(&mut self, portal: &Rc<Portal>) -> Pass {
        let prepared = &portal.prepared;
        let Some(analysis) = prepared.analysis().map(Arc::clone) else { return Pass::Drop };
        let Some(call) = analysis.local.clone() else { return Pass::Drop };
        let permit = match self.judge(std::iter::once(&*analysis)) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => {
                return self.denied(Asked::again(IntentKind::Local, prepared), &denial, None);
            }
        };
        let parameters = as_parameters(&portal.parameters);
        let what = (&*prepared.batch.fingerprint, Some(&*analysis));
        match self.scribe().local(&permit, &prepared.text, what, &parameters) {
            Ok(statement) => {
                let run = LocalRun {
                    call,
                    parameters: portal.parameters.clone(),
                    binary: portal.result_formats.clone(),
                    simple: false,
                    statement,
                    started: self.now,
                };
                self.owe(Step::Local, Whose::Client, Tag::Local(Local::Call(Box::new(run))));
                self.held = Held::UntilAnswered;
                Pass::Drop
            }
            Err(refusal) => self.refused(Asked::again(IntentKind::Local, prepared), refusal),
        }
    }

    /// Writes the answer of a call in its place, and closes its record.
    pub(super) fn local_done(&mut self, run: &LocalRun, answer: Result<Table, Refusal>) {
        self.local_runs = false;
        let rows = answer.as_ref().map_or(0, |table| table.rows.len() as u64);
        let failed = answer.as_ref().err().map(|refusal| refusal.kind.codes().sqlstate);
        self.core.lane.borrow_mut().outcome(&Outcome {
            time: self.now,
            session: self.facts.handle.id,
            statement: run.statement,
            ended: if failed.is_some() { Ended::Error } else { Ended::Completed },
            rows,
            affected: None,
            bytes: 0,
            sqlstate: failed,
            policy: std::time::Duration::ZERO,
            upstream: self.now.since(run.started),
            transaction: None,
        });
        self.core.lane_waits.notify_one();
        let text = self.client_text;
        match answer {
            Ok(table) => {
                if let Some(notice) = &table.notice {
                    backend::notice(&mut self.down, notice, text);
                }
                let out = &mut self.down;
                if run.simple && !table.columns.is_empty() {
                    row_description(out, &table.columns, (&run.binary, text));
                }
                for row in &table.rows {
                    data_row(out, row, (&run.binary, text));
                }
                backend::command_complete(out, &tag_of(&run.call, table.rows.len()));
            }
            Err(refusal) if run.simple => backend::error(&mut self.down, &refusal, text),
            // In a batch that the server knows of, the server must fail too.
            Err(refusal) => return self.refuse_message(refusal),
        }
        if run.simple {
            backend::ready_for_query(&mut self.down, wire_status(self.transaction.status));
        }
    }

    /// True if a transaction of the client is open, as far as is known.
    pub(super) fn in_transaction(&self) -> bool {
        self.transaction.status != Status::Idle
    }
}

fn tag_of(call: &LocalCall, rows: usize) -> String {
    match &call.shape {
        LocalShape::Function(_) | LocalShape::View(_) => format!("SELECT {rows}"),
        LocalShape::Procedure(_) => "CALL".to_owned(),
        LocalShape::Show => "SHOW".to_owned(),
        LocalShape::Set(_) => "SET".to_owned(),
    }
}

/// ParameterDescription of a local call: as the client said, else text.
pub(super) fn describe_parameters(out: &mut Vec<u8>, count: u16, given: &[u32]) {
    let types: Vec<u32> = (0..usize::from(count).max(given.len()))
        .map(|index| match given.get(index) {
            None | Some(0) => types::TEXT,
            Some(oid) => *oid,
        })
        .collect();
    backend::parameter_description(out, &types);
}

/// RowDescription or NoData of a local call.
pub(super) fn describe_rows(
    out: &mut Vec<u8>,
    call: &LocalCall,
    how: (&[bool], ClientText),
) -> Result<(), Refusal> {
    let columns = desk::columns(call)?;
    if columns.is_empty() {
        backend::no_data(out);
    } else {
        row_description(out, &columns, how);
    }
    Ok(())
}

fn format_of(binary: &[bool], index: usize) -> Format {
    let wanted = match binary {
        [] => false,
        [one] => *one,
        several => several.get(index).copied().unwrap_or(false),
    };
    if wanted { Format::Binary } else { Format::Text }
}

fn row_description(
    out: &mut Vec<u8>,
    columns: &[(String, Kind)],
    (binary, text): (&[bool], ClientText),
) {
    let columns: Vec<OwnColumn<'_>> = columns
        .iter()
        .enumerate()
        .map(|(index, (name, kind))| OwnColumn {
            name,
            type_oid: match kind {
                Kind::Text => types::TEXT,
                Kind::Number => types::INT8,
                Kind::Time => types::TIMESTAMPTZ,
            },
            format: format_of(binary, index),
        })
        .collect();
    backend::row_description(out, &columns, text);
}

fn data_row(out: &mut Vec<u8>, row: &[Cell], (binary, text): (&[bool], ClientText)) {
    let cells: Vec<Option<Vec<u8>>> = row
        .iter()
        .enumerate()
        .map(|(index, cell)| cell_bytes(cell, format_of(binary, index), text))
        .collect();
    let borrowed: Vec<Option<&[u8]>> = cells.iter().map(Option::as_deref).collect();
    backend::data_row(out, &borrowed);
}

fn cell_bytes(cell: &Cell, format: Format, how: ClientText) -> Option<Vec<u8>> {
    Some(match (cell, format) {
        (Cell::Null, _) => return None,
        (Cell::Text(text), _) => how.write(text).into_owned(),
        (Cell::Number(number), Format::Text) => number.to_string().into_bytes(),
        (Cell::Number(number), Format::Binary) => number.to_be_bytes().to_vec(),
        (Cell::Time(time), Format::Text) => timestamptz_text(*time).into_bytes(),
        (Cell::Time(time), Format::Binary) => {
            time.0.saturating_sub(EPOCH_2000).to_be_bytes().to_vec()
        }
    })
}

/// As the server prints it in UTC with `DateStyle` ISO.
fn timestamptz_text(time: Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{text}+00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_the_server_prints_them() {
        let time = Timestamp::parse_rfc3339("2026-11-23T14:05:00.5Z").expect("a time");
        assert_eq!(timestamptz_text(time), "2026-11-23 14:05:00.5+00");
        let whole = Timestamp::parse_rfc3339("2026-11-23T14:05:10Z").expect("a time");
        assert_eq!(timestamptz_text(whole), "2026-11-23 14:05:10+00");
        assert_eq!(
            cell_bytes(&Cell::Time(Timestamp(EPOCH_2000 + 1)), Format::Binary, ClientText::UTF8),
            Some(1_i64.to_be_bytes().to_vec())
        );
    }
}
