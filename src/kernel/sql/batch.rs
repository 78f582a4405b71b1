//! Several statements in one text: each is judged as it will find the session.

use crate::kernel::{
    access::Permission,
    sql::{
        analysis::{Analysis, Need, NeedOn, SessionEffect, StatementClass},
        context::{AtEnd, Context, Overlay, SearchPath},
        judge::judge,
        mode::{ClientSet, Dialect, SqlMode},
        reading::{Reading, TransactionChange},
    },
};

/// The context of the next statement of a text.
pub(super) struct Unfolding<'a> {
    before: &'a Context<'a>,
    /// A statement before this one may have changed where names are looked up.
    path_moved: bool,
    /// What the end of the transaction does to that.
    at_end: AtEnd,
    /// One may have changed what stands there.
    schema_moved: bool,
    /// MySQL: the database that one has chosen.
    database: Option<SearchPath>,
    /// MySQL: one may have changed how texts are read.
    reading_moved: bool,
    overlay: Overlay,
}

impl<'a> Unfolding<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self {
            before: cx,
            path_moved: false,
            at_end: cx.overlay.at_end(),
            schema_moved: false,
            database: None,
            reading_moved: false,
            overlay: cx.overlay.clone(),
        }
    }

    /// Judges the next statement.
    pub(super) fn judge(&mut self, reading: &Reading) -> Analysis {
        let unknown = SearchPath::Unknown;
        let cx = Context {
            path: match &self.database {
                _ if self.path_moved => &unknown,
                Some(chosen) => chosen,
                None => self.before.path,
            },
            overlay: &self.overlay,
            ..*self.before
        };
        let mut analysis = judge(reading, &cx);
        if (self.path_moved || self.schema_moved) && analysis.executes.is_some() {
            // Fail closed: what it does was judged under another path, or when its names stood for
            // something else. The server looks them up anew.
            let what = if self.path_moved { "search_path" } else { "schema" };
            analysis.class = StatementClass::Admin;
            analysis.needs.push(Need {
                permission: Permission::Admin,
                on: NeedOn::WholeTarget,
                why: format!(
                    "runs a prepared statement right after the {what} was changed: send it by itself"
                ),
            });
        }
        if self.reading_moved {
            // Fail closed: the rest of the text was cut as the server reads texts until then.
            analysis.class = StatementClass::Admin;
            for permission in [Permission::Admin, Permission::Unmask] {
                analysis.needs.push(Need {
                    permission,
                    on: NeedOn::WholeTarget,
                    why: "stands behind a SET that changes how SQL is read: send it by itself"
                        .to_owned(),
                });
            }
        }
        // What a name runs may change settings.
        if analysis.executes.is_some() || analysis.fetches.is_some() {
            self.at_end = AtEnd::Moves;
        }
        for effect in &analysis.effects {
            self.after(effect);
        }
        analysis
    }

    /// MySQL: true if texts may be read otherwise behind this.
    fn changes_reading(&self, name: &str, value: Option<&str>) -> bool {
        let mode = self.before.mode;
        match (name, value) {
            ("sql_mode", Some(value)) => SqlMode::of(value) != Some(mode.sql),
            ("character_set_client", Some(value)) => ClientSet::of(value) != mode.client,
            ("sql_mode" | "character_set_client", None) => true,
            ("character_set_connection" | "collation_connection", value) => {
                let is_bytes = value.map(|value| value == "binary");
                mode.dialect == Dialect::MySql && is_bytes != Some(mode.quotes_bytes)
            }
            _ => false,
        }
    }

    fn after(&mut self, effect: &SessionEffect) {
        // What the server has said is of before this text.
        self.overlay.lose_sight();
        match effect {
            SessionEffect::Setting(change) => {
                let moves = ["search_path", "*", "role", "session_authorization"];
                let name = change.name.as_str();
                if self.before.mode.dialect == Dialect::Postgres {
                    self.path_moved |= moves.contains(&name);
                } else {
                    self.reading_moved |= self.changes_reading(name, change.value.as_deref());
                }
            }
            // What was SET in it before this text comes back or goes: what this text has SET is known to move.
            SessionEffect::Transaction(change) => {
                if self.before.mode.dialect != Dialect::Postgres {
                    return;
                }
                self.overlay.forget_all_temporary();
                match change {
                    TransactionChange::Commit { .. }
                    | TransactionChange::Rollback { .. }
                    | TransactionChange::RollbackTo(_) => {
                        self.path_moved |= self.at_end == AtEnd::Moves;
                    }
                    TransactionChange::Begin { .. }
                    | TransactionChange::Savepoint(_)
                    | TransactionChange::Release(_)
                    | TransactionChange::Set { .. } => {}
                }
            }
            SessionEffect::SchemaChange(names) => {
                self.schema_moved = true;
                if names.is_empty() {
                    self.overlay.add_anything();
                }
                self.overlay.add(names.iter().cloned());
                self.overlay.forget_temporary(names);
            }
            SessionEffect::Renamed(names) => self.overlay.add_moved(names.iter().cloned()),
            SessionEffect::DiscardAll => {
                self.path_moved = true;
                self.overlay.forget_all_temporary();
            }
            SessionEffect::RunsUserCode => {
                // Code of MySQL's can't choose another database.
                self.path_moved |= self.before.mode.dialect == Dialect::Postgres;
                self.overlay.add_anything();
            }
            // Planning its query may have run code. What a held one runs is behind a COMMIT.
            SessionEffect::Declare { inner, .. }
                if inner.effects.contains(&SessionEffect::RunsUserCode) =>
            {
                self.after(&SessionEffect::RunsUserCode);
            }
            SessionEffect::Use(database) => {
                self.database = Some(SearchPath::Known(vec![database.clone()]));
            }
            SessionEffect::Quotes => self.overlay.quote(),
            SessionEffect::Commits => {}
            // Temporary tables go, and stand in front of nothing any more.
            SessionEffect::DiscardPart => {
                self.schema_moved = true;
                self.overlay.forget_all_temporary();
            }
            SessionEffect::MadeType(name) => self.overlay.add_type(name.clone()),
            // The next statement of the same text doesn't know of it: the path isn't asked for between.
            SessionEffect::MadeTemporary(..)
            | SessionEffect::Prepare { .. }
            | SessionEffect::Deallocate(_)
            | SessionEffect::Declare { .. }
            | SessionEffect::Close(_) => {}
        }
    }
}
