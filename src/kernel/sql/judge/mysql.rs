//! What is otherwise at MySQL and MariaDB: functions, variables, names, and what commits unsaid.

use std::collections::BTreeSet;

use crate::kernel::{
    access::Permission,
    catalog::Relation,
    sql::{
        analysis::{Hidden, SessionEffect},
        builtins::{FunctionRule, SettingRule, mysql},
        context::{Context, SearchPath},
        judge::{
            Judge,
            code::Called,
            names::{Resolved, touched, unknown, users_named},
        },
        mode::{ClientSet, Dialect, LexMode, SqlMode},
        mysql::routines_of,
        reading::{RawName, RoutineUse, SettingChange, StatementKind},
    },
};

impl Judge<'_> {
    /// A routine that is called by its name.
    pub(super) fn mysql_routine(&mut self, used: &RoutineUse) {
        let name = used.name.base();
        let rule = mysql::function(name).filter(|_| used.name.schema().is_none());
        if rule != Some(FunctionRule::Pure) {
            self.routines.push(used.clone());
        }
        if self.cx.overlay.contains(name) {
            self.calls_unknown();
            self.needs.admin(format!("calls {}(), which this session touched", used.name));
            return;
        }
        // Spec: the server's own functions come before those of the database. But what is called with a
        // blank before its parenthesis may be the user's.
        let called = if rule.is_some() { Called::Implicitly } else { Called::ByName };
        let found = self.mysql_routines(&used.name, called);
        match (rule, used.name.schema()) {
            // Without an argument it only tells.
            (Some(_), _) if name == "last_insert_id" && used.literals.is_empty() => {
                self.mysql_built_in(FunctionRule::Info, name);
            }
            (Some(rule), _) => self.mysql_built_in(rule, name),
            (None, Some("sys")) if mysql::is_pure_in_sys(name) => {}
            (None, _) if found => {}
            (None, _) => {
                self.calls_unknown();
                self.needs.admin(format!("calls {}(), which is not known", used.name));
            }
        }
    }

    fn calls_unknown(&mut self) {
        self.user_code = true;
        self.needs.writes = true;
    }

    /// Adds what every user routine of the name needs; false if there is none.
    fn mysql_routines(&mut self, name: &RawName, called: Called) -> bool {
        let catalog = self.cx.catalog;
        let mut found = false;
        for routine in catalog.routines_folded(name.base()) {
            let meant = match name.schema() {
                Some(written) => written == routine.schema,
                None => self.cx.path.may_contain(&routine.schema),
            };
            if meant {
                found = true;
                self.user_routine(routine, called);
            }
        }
        found
    }

    fn mysql_built_in(&mut self, rule: FunctionRule, name: &str) {
        let why = format!("calls {name}()");
        match rule {
            FunctionRule::Pure => {}
            FunctionRule::Info => self.needs.anything(Permission::Info, why),
            FunctionRule::Select => self.needs.anything(Permission::Select, why),
            FunctionRule::Source => self.needs.whole(Permission::Select, why),
            FunctionRule::Dml => {
                self.needs.writes |= !self.only_planned;
                self.needs.anything(Permission::Dml, why);
            }
            FunctionRule::SetConfig | FunctionRule::CurrentSetting | FunctionRule::Admin => {
                self.needs.writes |= !self.only_planned;
                self.needs.admin(why);
            }
        }
    }

    /// What the query of a view calls, which its catalog has as the server prints it.
    pub(super) fn calls_of_mysql_view(&mut self, view: &Relation) {
        let definition = view.definition.as_deref().filter(|text| !text.is_empty());
        let Some(definition) = definition.filter(|_| self.is_mysql() && !self.only_planned) else {
            return;
        };
        let mode = LexMode { sql: SqlMode::PLAIN, client: ClientSet::Utf8, ..self.cx.mode };
        match routines_of(definition, mode) {
            Some(routines) => {
                for used in &routines {
                    self.mysql_routine(used);
                }
            }
            // Fail closed: it may call anything.
            None => self.needs.admin(format!(
                "reads through {}.{}, whose query is not understood",
                view.schema, view.name
            )),
        }
    }

    /// Variables of the server that are read.
    pub(super) fn system_variables(&mut self) {
        for name in &self.reading.mysql.system {
            if mysql::setting_is_hidden(name) {
                self.needs.admin(format!("shows {name}"));
            } else {
                self.needs.anything(Permission::Info, format!("shows {name}"));
            }
        }
    }

    /// One variable that is set.
    pub(super) fn mysql_setting(&mut self, change: &SettingChange) {
        self.effects.push(SessionEffect::Setting(change.clone()));
        let (name, value) = (change.name.as_str(), change.value.as_deref());
        if value.is_some_and(|value| mysql::setting_is_usual(name, value)) {
            return;
        }
        match mysql::setting(name) {
            SettingRule::Harmless | SettingRule::Wall => {}
            SettingRule::Resource => {
                self.needs.anything(Permission::Info, format!("sets {name}"));
                if value.is_some_and(|v| !mysql::setting_is_fair(name, v)) {
                    self.needs
                        .admin(format!("sets {name} higher than a session may without admin"));
                }
            }
            // A value that is computed is asked of the server before the next text is read.
            SettingRule::Encoding => {
                if value.is_some_and(|v| !mysql::is_read_encoding(name, v)) {
                    self.needs.admin(format!("sets {name} to one in which texts are not read"));
                }
            }
            SettingRule::Lexer => {
                if value.is_some_and(|v| !mysql::is_read_mode(v)) {
                    self.needs.admin(format!("sets {name} to one in which SQL is not read"));
                }
            }
            SettingRule::Path
            | SettingRule::Identity
            | SettingRule::Custom
            | SettingRule::Admin => self.needs.admin(format!("sets {name}")),
        }
    }

    /// SHOW PROCESSLIST: other people's statements are hidden.
    pub(super) fn process_list(&mut self) {
        if self.reading.top == StatementKind::Show
            && self.reading.object.as_deref() == Some("processlist")
        {
            // Spec: `fill_schema_processlist`, `mysqld_list_processes`: Id, User, Host, db, Command, Time,
            // State, Info, and MariaDB's Progress.
            let width = if self.cx.mode.dialect == Dialect::MariaDb { 9 } else { 8 };
            self.hidden = Some(Hidden { width, columns: BTreeSet::from([7]), only: None });
        }
    }

    /// SHOW STATUS: how much a session was sent tells how long the values were that it was shown masked.
    pub(super) fn status_list(&mut self) {
        let shows = self.reading.object.as_deref() == Some("status");
        if self.reading.top == StatementKind::Show && shows && !self.cx.catalog.marks.is_empty() {
            let columns = BTreeSet::from([1]);
            self.hidden = Some(Hidden { width: 2, columns, only: Some(&mysql::TELLING_STATUS) });
        }
    }

    /// SHOW WARNINGS and its like tell again what was told already, but for what plans, changes and code
    /// say of rows that they return to nobody.
    pub(super) fn shows_messages(&mut self) {
        let (needs, why) = if self.cx.overlay.is_quoted() {
            (Permission::Select, "shows messages of statements that may have quoted values")
        } else {
            (Permission::Info, "shows messages")
        };
        self.needs.anything(needs, why);
    }

    /// Whether it may leave values of rows in the session's messages which needed no select.
    ///
    /// Spec: EXPLAIN reads tables of one row and runs subqueries that it takes for constants.
    pub(super) fn messages(&mut self) {
        use StatementKind::{CopyFromClient, CopyServer, Delete, Explain, Insert, Merge, Update};
        let quoting = [CopyFromClient, CopyServer, Delete, Explain, Insert, Merge, Update];
        // Where something is masked, so does what returns its values masked.
        let hides = !self.cx.catalog.marks.is_empty() && !self.reading.relations.is_empty();
        let quotes = self.reading.mysql.quotes
            || self.user_code
            || hides
            || quoting.into_iter().any(|kind| self.has(kind));
        if self.is_mysql() && quotes && self.reading.top != StatementKind::Prepare {
            self.effects.push(SessionEffect::Quotes);
        }
    }

    /// What it does to the session beside what is told by its own kind.
    pub(super) fn mysql_effects(&mut self) {
        if self.reading.mysql.commits {
            self.effects.push(SessionEffect::Commits);
        }
        if self.reading.top == StatementKind::Use
            && let Some(database) = &self.reading.object
        {
            self.effects.push(SessionEffect::Use(database.clone()));
        }
    }
}

/// Looks a relation up as the server would: in the database that is written, or in the session's own.
pub(in crate::kernel::sql) fn resolve<'a>(raw: &RawName, cx: &Context<'a>) -> Vec<Resolved<'a>> {
    let name = raw.base();
    match (raw.schema(), cx.path) {
        (Some(schema), _) => qualified(schema, name, cx),
        (None, SearchPath::Known(path)) => match path.as_slice() {
            [database] => qualified(database, name, cx),
            _ => vec![unknown("", name)],
        },
        // Fail closed: any database may be the session's.
        (None, SearchPath::Unknown) => {
            let mut found = vec![unknown("", name)];
            found.extend(users_named(name, cx.catalog).map(Resolved::User));
            found.extend(mysql::SCHEMAS.iter().filter_map(|schema| catalog(schema, name)));
            found
        }
    }
}

fn qualified<'a>(schema: &str, name: &str, cx: &Context<'a>) -> Vec<Resolved<'a>> {
    if let Some(system) = mysql::SCHEMAS.into_iter().find(|s| s.eq_ignore_ascii_case(schema)) {
        // Spec: information_schema is found in any case. Another database may be called like one of the
        // others in another case.
        let same = system == schema || system == "information_schema";
        let found = if same { catalog(system, name) } else { None };
        let unreviewed =
            || Resolved::Unreviewed { schema: schema.to_owned(), name: name.to_owned() };
        return vec![found.unwrap_or_else(unreviewed)];
    }
    if cx.overlay.contains(name) {
        let mut found = vec![unknown("", name)];
        found.extend(touched(name, cx));
        return found;
    }
    vec![cx.catalog.relation(schema, name).map_or_else(|| unknown(schema, name), Resolved::User)]
}

fn catalog<'a>(schema: &'static str, name: &str) -> Option<Resolved<'a>> {
    let name =
        if schema == "information_schema" { name.to_ascii_lowercase() } else { name.to_owned() };
    let rule = mysql::catalog_relation(schema, &name)?;
    Some(Resolved::Catalog { schema, name, rule })
}
