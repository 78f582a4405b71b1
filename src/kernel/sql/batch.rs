//! Several statements in one text: each is judged as it will find the session.

use crate::kernel::{
    access::Permission,
    sql::{
        analysis::{Analysis, Need, NeedOn, SessionEffect, StatementClass},
        context::{AtEnd, Context, Overlay, SearchPath},
        judge::judge,
        mode::{ClientSet, Dialect, SqlMode},
        reading::{Moved, Reading, StatementKind, TransactionChange},
        seen::Foreseen,
    },
};

/// The context of the next statement of a text.
pub(super) struct Unfolding<'a> {
    before: &'a Context<'a>,
    /// A statement before this one may have changed where names are looked up.
    path_moved: bool,
    /// Where the text itself has said that they are from now on.
    path: Option<SearchPath>,
    /// What the end of the transaction does to that.
    at_end: AtEnd,
    /// One may have changed what stands there.
    schema_moved: bool,
    /// MySQL: the database that one has chosen.
    database: Option<SearchPath>,
    /// MySQL: one may have changed how texts are read.
    reading_moved: bool,
    overlay: Overlay,
    /// What is there under the session's own names.
    foreseen: Foreseen,
}

impl<'a> Unfolding<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self {
            before: cx,
            path_moved: false,
            path: None,
            at_end: cx.overlay.at_end(),
            schema_moved: false,
            database: None,
            reading_moved: false,
            overlay: cx.overlay.clone(),
            foreseen: Foreseen::new(cx),
        }
    }

    /// Judges the next statement.
    pub(super) fn judge(&mut self, reading: &Reading) -> Analysis {
        let mut analysis = judge(reading, &self.context());
        let path = self.sets_path(reading, &analysis);
        self.foresee(reading, &analysis);
        let path_changed = self.path_moved || self.path.is_some();
        if (path_changed || self.schema_moved) && analysis.executes.is_some() {
            // Fail closed: what it does was judged under another path, or when its names stood for
            // something else. The server looks them up anew.
            let what = if path_changed { "search_path" } else { "schema" };
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
            if self.overlay.names_may_move() {
                self.after(&SessionEffect::RunsUserCode, false);
            }
        }
        for effect in &analysis.effects {
            self.after(effect, path.is_some());
        }
        if let Some(path) = path {
            self.path = Some(path);
            // What it has set lasts or goes by then.
            self.at_end = AtEnd::Moves;
        }
        // What is found in it is found in another, which may be on the path.
        self.path_moved |= reading.moved.iter().any(|moved| matches!(moved, Moved::Schema(_)));
        if self.before.mode.dialect == Dialect::Postgres && !analysis.effects.is_empty() {
            self.overlay.foresee(self.foreseen.sight().cloned());
        }
        analysis
    }

    /// What the next statement is judged against.
    fn context(&self) -> Context<'_> {
        Context {
            path: match self.database.as_ref().or(self.path.as_ref()) {
                _ if self.path_moved => &SearchPath::Unknown,
                Some(chosen) => chosen,
                None => self.before.path,
            },
            overlay: &self.overlay,
            ..*self.before
        }
    }

    /// What is there under the session's own names behind a statement.
    fn foresee(&mut self, reading: &Reading, analysis: &Analysis) {
        if analysis.effects.is_empty() {
            return;
        }
        // Shared, it would have to be copied.
        self.overlay.lose_sight();
        let mut foreseen = std::mem::take(&mut self.foreseen);
        foreseen.after(reading, analysis, &self.context());
        self.foreseen = foreseen;
    }

    /// Where the next statement's names are looked up, if this one says so: `current_schemas(true)`, with
    /// those too that aren't there or that the server may not look into. Everything that a name may lead to
    /// counts. `None`: it doesn't, or nobody knows.
    fn sets_path(&self, reading: &Reading, analysis: &Analysis) -> Option<SearchPath> {
        let names = reading.path.as_ref()?;
        // Fail closed: a function of the users' may go by this name.
        let catalog = self.before.catalog;
        let calls = reading.top != StatementKind::Set
            && catalog.routines_named("set_config").next().is_some();
        let sets = |effect: &SessionEffect| match effect {
            SessionEffect::Setting(change) => change.name == "search_path",
            _ => false,
        };
        let SearchPath::Known(before) = self.path.as_ref().unwrap_or(self.before.path) else {
            return None;
        };
        // `$user` and `pg_temp` stand for others; the server cuts what is longer.
        let is_odd =
            |name: &String| name.starts_with("pg_temp") || name == "$user" || name.len() > 63;
        let plain = names.iter().all(|name| name.is_ascii() && !is_odd(name));
        if self.path_moved || calls || !plain || !analysis.effects.iter().all(sets) {
            return None;
        }
        let first = before.iter().filter(|schema| schema.starts_with("pg_temp"));
        let implied = "pg_catalog".to_owned();
        let implied = Some(&implied).filter(|own| !names.contains(own));
        Some(SearchPath::Known(first.chain(implied).chain(names).cloned().collect()))
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

    /// `known`: where names are looked up behind it is known.
    fn after(&mut self, effect: &SessionEffect, known: bool) {
        // What the server has said is of before this text.
        self.overlay.lose_sight();
        match effect {
            SessionEffect::Setting(change) => {
                let moves = ["search_path", "*", "role", "session_authorization"];
                let name = change.name.as_str();
                if self.before.mode.dialect == Dialect::Postgres {
                    self.path_moved |= moves.contains(&name) && !known;
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
                if names.is_empty() && self.foreseen.sight().is_none() {
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
                self.after(&SessionEffect::RunsUserCode, false);
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
