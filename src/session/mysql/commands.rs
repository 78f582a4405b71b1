//! A client's commands, each by name: what carries a statement goes to [`super::query`] and
//! [`super::prepared`], the few others pass or are refused here.

use super::{
    answer::{Answer, Of},
    query::Came,
    talk::{End, Knows, Pass, Talk, Wall, not_offered},
};
use crate::{
    kernel::{
        audit::record::IntentKind,
        refusal::{Refusal, RefusalKind},
    },
    upstream::mysql::own::Relayed,
    wire::{
        WireError,
        mysql::{
            command::Command,
            login::LogIn,
            response::{Kind, Response},
        },
    },
};

impl Talk {
    /// One whole command. `next`: the sequence number of its answer.
    pub(super) fn command(&mut self, payload: &[u8], next: u8) -> Result<Pass, End> {
        let command = match Command::read(payload, self.shared) {
            Ok(command) => command,
            // The packet was right, so both sides still know where they are.
            Err(error) => return Ok(self.bad_command(payload, next, &error)),
        };
        Ok(match command {
            Command::Quit => return Err(End::Quit),
            Command::Query { text, .. } => self.text(text, Came { kind: IntentKind::Query, next }),
            Command::InitDb(schema) => self.use_schema(schema, next),
            Command::FieldList { table, .. } => self.list_columns(table, next),
            Command::Ping => self.passes(Relayed::Ping, (Kind::Done, next)),
            Command::Statistics => self.passes(Relayed::Ping, (Kind::Line, next)),
            Command::SetOption(_) => self.passes(Relayed::Option, (Kind::Done, next)),
            Command::ResetConnection => self.reset(next),
            Command::Kill(connection) => self.kill_command(connection, next),
            Command::Prepare(text) => self.text(text, Came { kind: IntentKind::Parse, next }),
            Command::Execute(execute) => self.execute(&execute, next),
            Command::BulkExecute(bulk) => self.execute_bulk(&bulk, next),
            Command::LongData { statement, parameter, data } => {
                self.long_data(statement, parameter, data)
            }
            Command::Fetch { statement, .. } => self.fetch(statement, next),
            Command::Reset(statement) => self.reset_statement(statement, next),
            Command::Close(statement) => self.close_statement(statement),
            Command::ChangeUser(rest) => match LogIn::read_change(rest, self.client) {
                Ok(log_in) => Pass::ChangeUser(Box::new(log_in)),
                Err(error) => return Err(End::Refused(error.refusal())),
            },
            Command::NotOffered(command) => self.tell_no(next, &not_offered(command.name())),
        })
    }

    fn bad_command(&mut self, payload: &[u8], next: u8, error: &WireError) -> Pass {
        let refusal = Refusal::new(RefusalKind::BadMessage, error.to_string());
        let start = String::from_utf8_lossy(payload.get(1..64).unwrap_or_default()).into_owned();
        self.scribe().bad_text(IntentKind::Query, (&start, payload.len()), &refusal);
        self.tell_no(next, &refusal)
    }

    /// A command without a statement, whose answer passes as it is.
    fn passes(&mut self, what: Relayed, (kind, next): (Kind, u8)) -> Pass {
        self.answer =
            Some(Answer { response: Response::new(kind, next, self.shared), of: Of::Plain });
        Pass::Relay(what)
    }

    /// The session as it was after its log-in: what the gateway had put into it is gone too.
    fn reset(&mut self, next: u8) -> Pass {
        self.answer =
            Some(Answer { response: Response::new(Kind::Done, next, self.shared), of: Of::Reset });
        Pass::Relay(Relayed::Reset)
    }

    /// The upstream's session is as it was after its log-in.
    pub(super) fn was_reset(&mut self) {
        self.wall = Wall::Unknown;
        self.knows = Knows::Nothing;
        self.tracks = false;
        self.client_read_only = false;
        self.over = None;
        self.transaction.rolled_back = None;
        self.forget_statements();
        self.named.clear();
        self.set_reading(|r| r.overlay.forget_all_temporary());
    }

    /// COM_INIT_DB is USE.
    fn use_schema(&mut self, schema: &[u8], next: u8) -> Pass {
        let Ok(schema) = std::str::from_utf8(schema) else {
            let what = "the name of a schema that is no UTF-8";
            return self.tell_no(next, &Refusal::new(RefusalKind::NotAnalyzable, what));
        };
        let text = format!("USE {}", quoted(schema));
        self.judged_as(&text, (Kind::Done, next))
    }

    /// COM_FIELD_LIST is SHOW COLUMNS.
    fn list_columns(&mut self, table: &[u8], next: u8) -> Pass {
        let Ok(table) = std::str::from_utf8(table) else {
            let what = "the name of a table that is no UTF-8";
            return self.tell_no(next, &Refusal::new(RefusalKind::NotAnalyzable, what));
        };
        let text = format!("SHOW COLUMNS FROM {}", quoted(table));
        self.judged_as(&text, (Kind::Listed, next))
    }
}

/// A name as both families read it in any mode.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
