//! What the code that a statement runs needs: functions, operators, casts, types.
//!
//! We don't infer types, so a name stands for every routine it may mean: a built-in is trusted only
//! as far as every user routine of its name on the search path is allowed too.

use std::collections::BTreeSet;

use crate::kernel::{
    access::Permission,
    catalog::{Routine, UserCast, Volatility},
    sql::{
        analysis::NeedOn,
        builtins::{self, ExtensionRule, FunctionRule},
        judge::{
            Judge,
            names::{Resolved, resolve},
            reach::{FIRST_OF_USERS, Reach},
        },
        mode::Dialect,
        reading::{RawName, RoutineUse, StatementKind},
    },
};

/// How a user routine comes to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// By its own name.
    ByName,
    /// By an operator, a cast, a type, a view, or because it shares a name with a built-in.
    Implicitly,
}

/// The targets of casts that a statement writes.
struct Written<'a> {
    names: BTreeSet<&'a str>,
    oids: BTreeSet<u32>,
    /// It names a type that nobody knows.
    any: bool,
}

impl Written<'_> {
    fn is_target(&self, cast: &UserCast) -> bool {
        self.any
            || self.names.contains(cast.target.as_str())
            || self.oids.contains(&cast.target_oid)
    }
}

impl<'a> Judge<'a> {
    /// Adds what every routine, operator, cast and type needs.
    pub(super) fn code(&mut self) {
        let reading = self.reading;
        for used in &reading.routines {
            self.routine(used);
        }
        if self.computes() {
            self.unsaid_code();
        }
        self.attribute_calls();
    }

    /// False for statements that have no place for an expression. What a cursor or a prepared statement
    /// computes is told where that is judged.
    fn computes(&self) -> bool {
        use StatementKind::*;
        let reading = self.reading;
        let written = reading.routines.len() + reading.operators.len() + reading.types.len();
        written > 0
            || reading.kinds.iter().any(|kind| match kind {
                Show | Set | SetRole | SetConstraints | Transaction | TwoPhase | Deallocate
                | Fetch | Move | Close | Listen | Unlisten | Notify | LockShare | Lock
                | Discard | Use | Kill | Unlock | ShowSource | ShowWarnings | ShowAdmin => false,
                Select | Values | CreateTableAs | Insert | Update | Delete | Merge
                | CopyToClient | CopyFromClient | CopyServer | Explain | ExplainAnalyze
                | Prepare | Execute | Declare | Refresh | SchemaChange | Truncate | CreateCode
                | DropCode | Do | Call | Privileges | Server | Maintenance | Handler | Other => {
                    true
                }
            })
    }

    /// What every operator, cast and type needs, said or not.
    fn unsaid_code(&mut self) {
        let reading = self.reading;
        let catalog = self.cx.catalog;
        // USING, CASE x WHEN y, DISTINCT and ORDER BY compare without saying so.
        let reach = self.reach();
        self.unsaid_of_types(&reach);
        let unsaid = ["=", "<"];
        let operators = reading.operators.iter().map(String::as_str).chain(unsaid);
        for operator in operators.flat_map(|o| catalog.operators_named(o)) {
            if reach.holds_one_of(&operator.operands) || self.is_made(&operator.operands, &reach) {
                self.routine_behind(operator.routine);
            }
        }
        for name in &reading.types {
            if self.names_values() && !self.is_known_type(name) {
                self.unknown_type(name);
            }
            for user_type in catalog.types_named(name.base()) {
                for oid in &user_type.calls {
                    self.routine_behind(*oid);
                }
            }
        }
        self.unsaid_casts(&reach);
    }

    /// False for what defines something: it names types, and words that are none, without making values
    /// of them.
    fn names_values(&self) -> bool {
        let defines =
            [StatementKind::SchemaChange, StatementKind::CreateCode, StatementKind::DropCode];
        !defines.into_iter().any(|kind| self.has(kind))
    }

    /// The casts that are written, and those that nobody writes.
    fn unsaid_casts(&mut self, reach: &Reach) {
        let reading = self.reading;
        let catalog = self.cx.catalog;
        // What a parameter becomes is settled where it stands; EXECUTE casts to the types that PREPARE
        // declared.
        let unsure = reading.parameters > 0 || self.has(StatementKind::Execute);
        let written = self.written();
        for cast in catalog.casts() {
            let unsaid = cast.implicit
                && (unsure
                    || reach.holds(cast.to)
                    || cast.in_expressions && self.is_operand(cast.to));
            // Spec: `to_json` and its like, `row_to_json` of a row's columns too, ask for a cast to
            // `json` before they print a value.
            let asked =
                unsaid || cast.target == "json" && self.prints_json() || written.is_target(cast);
            if asked
                && (unsure || reach.holds(cast.from) || self.is_made(cast.from.as_slice(), reach))
            {
                self.routine_behind(cast.routine);
            }
        }
    }

    fn prints_json(&self) -> bool {
        let columns = self.reading.columns.as_ref();
        let called = self.reading.routines.iter().map(|used| used.name.base());
        self.reading.makes_json
            || called.into_iter().any(prints_json)
            || columns.is_none_or(|c| c.fields.iter().chain(&c.qualified).any(|n| prints_json(n)))
    }

    /// A view's query prints values as JSON: of which types isn't known.
    pub(super) fn casts_to_json(&mut self) {
        for cast in self.cx.catalog.casts().iter().filter(|cast| cast.target == "json") {
            self.routine_behind(cast.routine);
        }
    }

    /// The types that the statement names and what is inside of them: `ROW(a, b)::pair` casts each
    /// value to the type of a column, and a cast to a domain is one to what it restricts.
    fn written(&self) -> Written<'a> {
        let catalog = self.cx.catalog;
        let reading = self.reading;
        let mut written = Written { names: BTreeSet::new(), oids: BTreeSet::new(), any: false };
        let mut oids = Vec::new();
        for name in &reading.types {
            let base = name.base();
            let element = base.strip_prefix('_').unwrap_or(base);
            let shapes = [base, element].into_iter().flat_map(|name| catalog.shapes_named(name));
            let before = oids.len();
            oids.extend(shapes);
            // Fail closed: a type that came into being since the catalog was read.
            written.any |= oids.len() == before
                && !builtins::is_built_in_type(element)
                && !self.is_new_enum(base)
                && self.names_values();
            written.names.extend([base, element]);
        }
        written.oids = self.closed(oids);
        written
    }

    /// It may be a domain, whose check runs what it calls.
    fn unknown_type(&mut self, name: &RawName) {
        let why = format!("names the type {name}, which is not known");
        if self.cx.catalog.is_unread() {
            // Fail closed: nothing is known yet.
            self.unknown_code();
            self.needs.admin(why);
        } else {
            self.user_code = true;
            // It came into being since the catalog was read: another session of a migration made it a
            // moment ago. Whoever may make a domain may not put a call that needs more behind it.
            self.needs.whole(Permission::Select, why.clone());
            self.needs.add(Permission::Select, NeedOn::Code, why);
        }
    }

    /// True if there is nothing behind the type's name that the catalog doesn't tell. What this session
    /// has made itself it may name.
    fn is_known_type(&self, name: &RawName) -> bool {
        let base = name.base();
        let element = base.strip_prefix('_').unwrap_or(base);
        let is_system = matches!(name.schema(), None | Some("pg_catalog" | "information_schema"));
        let catalog = self.cx.catalog;
        let of_system = || {
            ["pg_catalog", "information_schema"].into_iter().any(|schema| {
                builtins::catalog_relation(schema, element).is_some()
                    || catalog.relation(schema, element).is_some()
            })
        };
        self.cx.overlay.holds_names()
            || self.cx.overlay.contains(base)
            || self.is_new_enum(base)
            || !catalog.shapes_named(base).is_empty()
            || !catalog.types_named(base).is_empty()
            || is_system && (builtins::is_built_in_type(element) || of_system())
            || name.schema() == Some("information_schema")
    }

    /// True if values at hand become values of one of these types unsaid, by a cast.
    fn is_made(&self, oids: &[u32], reach: &Reach) -> bool {
        self.cx.catalog.casts().iter().any(|cast| {
            cast.in_expressions
                && reach.holds(cast.from)
                && cast.to.is_some_and(|oid| oids.contains(&oid))
        })
    }

    /// True if an operator takes values of this type.
    fn is_operand(&self, oid: Option<u32>) -> bool {
        oid.is_some_and(|oid| self.cx.catalog.operators().any(|o| o.operands.contains(&oid)))
    }

    /// `(x).f` calls `f(x)` if `x` has no field `f`, whatever the type of `x`; `t.f` does so with
    /// the whole row. Tried: `SELECT (4711).pg_terminate_backend` terminates.
    fn attribute_calls(&mut self) {
        let reading = self.reading;
        let Some(columns) = &reading.columns else {
            // Fail closed: nobody looked for them.
            self.needs.admin(match self.cx.mode.dialect {
                Dialect::Postgres => "may call functions in attribute notation",
                Dialect::MySql | Dialect::MariaDb => "is in a form that isn't known here",
            });
            return;
        };
        for field in &columns.fields {
            let used = RoutineUse { name: RawName(vec![field.clone()]), literals: Vec::new() };
            if !is_harmless_on_values(field) || self.has_user_code(&used.name) {
                self.routine(&used);
            }
        }
        for (name, relation) in &columns.dotted {
            let is_column = relation.as_ref().is_some_and(|r| self.has_column(r, name));
            if !is_column {
                self.called_on_row(&RawName(vec![name.clone()]));
            }
        }
    }

    fn has_column(&self, relation: &RawName, name: &str) -> bool {
        resolve(relation, self.cx).all().all(|meant| {
            let relation = match meant {
                Resolved::User(relation) => Some(*relation),
                Resolved::Catalog { schema, name, .. } => self.cx.catalog.relation(schema, name),
                Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => None,
            };
            relation.is_some_and(|r| r.columns.iter().any(|c| c.name == name))
        })
    }

    /// `t.f`, where `t` has no column `f`: the user's routines that take rows, and types that rows
    /// may be cast to.
    fn called_on_row(&mut self, name: &RawName) {
        let catalog = self.cx.catalog;
        for routine in catalog.routines_named(name.base()).filter(|r| r.takes_rows) {
            if self.may_mean(name, &routine.schema) {
                self.user_routine(routine, Called::ByName);
            }
        }
        self.user_types(name);
    }

    fn routine(&mut self, used: &RoutineUse) {
        if self.is_mysql() {
            return self.mysql_routine(used);
        }
        let name = used.name.base();
        if matches!(used.name.schema(), Some("pg_catalog" | "information_schema")) {
            return self.built_in(used);
        }
        self.note_routine(used);
        if self.cx.overlay.contains(name) {
            self.unknown_code();
            self.needs.admin(format!("calls {}(), which this session touched", used.name));
            return;
        }
        let built_in = used.name.schema().is_none()
            && (builtins::function(name).is_some() || TYPES.contains(&name));
        let called = if built_in { Called::Implicitly } else { Called::ByName };
        let found = self.user_routines(&used.name, called);
        if built_in {
            self.built_in(used);
        } else if !found {
            self.unknown_code();
            self.needs.admin(format!("calls {}(), which is not known", used.name));
        }
    }

    fn unknown_code(&mut self) {
        // Planning evaluates what calls itself immutable.
        self.user_code = true;
        self.needs.writes |= !self.only_planned;
    }

    /// Routines that are more than reviewed pure built-ins go on record.
    fn note_routine(&mut self, used: &RoutineUse) {
        let pure = builtins::function(used.name.base()) == Some(FunctionRule::Pure);
        if !pure || self.has_user_code(&used.name) {
            self.routines.push(used.clone());
        }
    }

    /// True if the name may mean user code: a routine, or a type whose coercion runs some.
    fn has_user_code(&self, name: &RawName) -> bool {
        let catalog = self.cx.catalog;
        catalog.routines_named(name.base()).any(|r| self.may_mean(name, &r.schema))
            || catalog.types_named(name.base()).iter().any(|t| self.may_mean(name, &t.schema))
    }

    /// True if a bare name of the server's own may mean what a user has made. Extensions' overloads
    /// take types of their own, and say nothing.
    pub(super) fn may_be_of_users(&self, name: &str) -> bool {
        let catalog = self.cx.catalog;
        let within = |schema: &str| self.cx.path.may_contain(schema);
        self.cx.overlay.holds_type(name)
            || catalog.routines_named(name).any(|r| r.extension.is_none() && within(&r.schema))
            || catalog.types_named(name).iter().any(|t| within(&t.schema))
            || !catalog.shapes_named(name).is_empty()
    }

    fn may_mean(&self, name: &RawName, schema: &str) -> bool {
        match name.schema() {
            Some(written) => written == schema,
            None => self.cx.path.may_contain(schema),
        }
    }

    /// Adds what every user routine of the name needs; false if there is none.
    fn user_routines(&mut self, name: &RawName, called: Called) -> bool {
        let catalog = self.cx.catalog;
        let mut found = false;
        for routine in catalog.routines_named(name.base()) {
            if self.may_mean(name, &routine.schema) {
                found = true;
                self.user_routine(routine, called);
            }
        }
        found | self.user_types(name)
    }

    /// Adds what every user type of the name needs; false if there is none.
    fn user_types(&mut self, name: &RawName) -> bool {
        let catalog = self.cx.catalog;
        let mut found = false;
        for user_type in catalog.types_named(name.base()) {
            if self.may_mean(name, &user_type.schema) {
                found = true;
                for oid in &user_type.calls {
                    self.routine_behind(*oid);
                }
            }
        }
        found
    }

    /// A routine that the statement doesn't name.
    pub(super) fn routine_behind(&mut self, oid: u32) {
        match self.cx.catalog.routine_by_oid(oid) {
            Some(routine) => self.user_routine(routine, Called::Implicitly),
            // Built-in routines aren't in the catalog.
            None if oid < FIRST_OF_USERS => {}
            // Fail closed: it came into being since the catalog was read.
            None => self.needs.admin("calls a routine that nobody knows"),
        }
    }

    pub(super) fn user_routine(&mut self, routine: &Routine, called: Called) {
        let why = format!("calls {}.{}()", routine.schema, routine.name);
        let reviewed = reviewed(routine);
        if reviewed == Some(ExtensionRule::Pure) {
            return;
        }
        let trusted = self.cx.trust.permission_for(routine);
        let shows = match reviewed {
            Some(ExtensionRule::Info) => Some(Permission::Info),
            Some(ExtensionRule::Select) => Some(Permission::Select),
            Some(ExtensionRule::Pure | ExtensionRule::Statements | ExtensionRule::Admin) | None => {
                None
            }
        };
        if let (Some(permission), None) = (shows, trusted) {
            return self.needs.anything(permission, why);
        }
        let steady = match routine.volatility {
            Volatility::Immutable | Volatility::Stable => !routine.security_definer,
            Volatility::Volatile => false,
        };
        // An extension's own operators, casts and overloads: only who may do everything can install
        // an extension, and every second database has citext, hstore or PostGIS.
        if called == Called::Implicitly && steady && routine.extension.is_some() {
            return;
        }
        // Planning evaluates what calls itself immutable.
        self.user_code = true;
        self.user_rows |= called == Called::ByName && !self.only_planned;
        if self.arguments_seen.insert(routine.oid) {
            for oid in &routine.argument_code {
                self.routine_behind(*oid);
            }
        }
        match trusted {
            Some(permission) => {
                self.needs.writes |= permission.writes() && !self.only_planned;
                self.needs.anything(permission, why);
            }
            None if reviewed == Some(ExtensionRule::Admin) => {
                self.needs.writes |= !self.only_planned;
                self.needs.admin(format!("{why}, which executes a text or reads a file"));
            }
            None if reviewed == Some(ExtensionRule::Statements) => {
                self.needs.admin(format!("{why}, which shows other people's SQL"));
            }
            None if steady => {
                // Behind the read-only wall; where the wall must open, it may write too.
                self.needs.add(Permission::Select, NeedOn::Code, why.clone());
                if self.statement_writes() {
                    self.needs.whole(Permission::Dml, why);
                }
            }
            None => {
                self.needs.writes |= !self.only_planned;
                self.needs.admin(format!("{why}, which may write and is not trusted"));
            }
        }
    }

    /// Code that belongs to a table that is written.
    pub(super) fn table_code(&mut self, oid: u32, verb: &str, table: &str) {
        let Some(routine) = self.cx.catalog.routine_by_oid(oid) else { return };
        let steady = routine.volatility != Volatility::Volatile && !routine.security_definer;
        self.user_code = true;
        if routine.extension.is_some() && (steady || routine.language == "c") {
            return;
        }
        let why = format!("{verb} {}.{}() of {table}", routine.schema, routine.name);
        match self.cx.trust.permission_for(routine) {
            Some(permission) => self.needs.anything(permission.max(Permission::Dml), why),
            None => self.needs.whole(Permission::Dml, why),
        }
    }

    fn statement_writes(&self) -> bool {
        use StatementKind::*;
        [Insert, Update, Delete, Merge, CopyFromClient, CreateTableAs, SchemaChange, Refresh]
            .into_iter()
            .any(|kind| self.has(kind))
    }

    fn built_in(&mut self, used: &RoutineUse) {
        let name = used.name.base();
        let why = format!("calls {name}()");
        match builtins::function(name) {
            Some(FunctionRule::Pure) => {}
            Some(FunctionRule::Info) => self.needs.anything(Permission::Info, why),
            Some(FunctionRule::Select) => self.needs.anything(Permission::Select, why),
            Some(FunctionRule::Source) => self.needs.whole(Permission::Select, why),
            Some(FunctionRule::Dml) => {
                self.needs.writes |= !self.only_planned;
                let on = self.sequence_of(used);
                let why = match &on {
                    NeedOn::Relation { schema, name, of: _ } if schema.is_empty() => {
                        format!("{why} on {name}")
                    }
                    NeedOn::Relation { schema, name, of: _ } => format!("{why} on {schema}.{name}"),
                    NeedOn::Anything
                    | NeedOn::WholeTarget
                    | NeedOn::Code
                    | NeedOn::Moved { .. }
                    | NeedOn::Nobody => why,
                };
                self.needs.add(Permission::Dml, on, why);
            }
            Some(FunctionRule::SetConfig) => self.set_config(used),
            Some(FunctionRule::CurrentSetting) => self.current_setting(used),
            // With three arguments it puts one query in another's place; with two it executes a text.
            Some(FunctionRule::Admin) if name == "ts_rewrite" && used.literals.len() == 3 => {}
            Some(FunctionRule::Admin) => {
                self.needs.writes |= !self.only_planned;
                // `query_to_xml('SELECT set_config(…)', …)`.
                self.user_code = true;
                self.needs.admin(why);
            }
            // `regclass('t')` is `'t'::regclass`.
            None if TYPES.contains(&name) => self.needs.anything(Permission::Info, why),
            None => {
                self.needs.writes |= !self.only_planned;
                self.user_code = true;
                self.needs.admin(format!("{why}, which is not on the list of reviewed functions"));
            }
        }
    }

    /// nextval and setval change the sequence that their text names.
    fn sequence_of(&self, used: &RoutineUse) -> NeedOn {
        if !matches!(used.name.base(), "nextval" | "setval") {
            return NeedOn::Anything;
        }
        let text = used.literals.first().and_then(Option::as_deref);
        let text = text.filter(|text| !self.cx.mode.names.may_differ(text, true));
        let Some(name) = text.and_then(plain_name) else {
            return NeedOn::WholeTarget;
        };
        match resolve(&name, self.cx).only() {
            Some(Resolved::User(relation)) => self.on(relation),
            Some(Resolved::Unknown { schema, name }) => {
                NeedOn::Relation { schema, name, of: Vec::new() }
            }
            None | Some(Resolved::Catalog { .. } | Resolved::Unreviewed { .. }) => {
                NeedOn::WholeTarget
            }
        }
    }
}

/// What the list of the server's own extensions says of a routine. Only a superuser can make one in
/// C, so that nobody can put another in its place.
pub(super) fn reviewed(routine: &Routine) -> Option<ExtensionRule> {
    let extension = routine.extension.as_deref().filter(|_| routine.language == "c")?;
    builtins::extension_function(extension, &routine.name)
}

/// True if calling the built-in of this name on whatever value does no more than info allows, or if
/// there is none.
fn is_harmless_on_values(name: &str) -> bool {
    match builtins::function(name) {
        // Fail closed: a later server version may bring a function that no list knows.
        None => !name.starts_with("pg_") && !name.starts_with("lo_"),
        Some(FunctionRule::Pure | FunctionRule::Info) => true,
        Some(
            FunctionRule::Select
            | FunctionRule::Source
            | FunctionRule::Dml
            | FunctionRule::SetConfig
            | FunctionRule::CurrentSetting
            | FunctionRule::Admin,
        ) => false,
    }
}

/// True for built-ins that may print a value as JSON: `to_json`, `jsonb_agg`.
pub(super) fn prints_json(name: &str) -> bool {
    name.contains("json")
}

/// Built-in types that can be written like a call and are no function on the list.
const TYPES: [&str; 26] = [
    "bytea",
    "cid",
    "daterange",
    "json",
    "jsonb",
    "jsonpath",
    "macaddr",
    "macaddr8",
    "oid",
    "pg_lsn",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "tid",
    "tsquery",
    "tsvector",
    "uuid",
    "xid",
];

/// A name in a text as `regclass` reads it, if it is of the everyday kind.
fn plain_name(text: &str) -> Option<RawName> {
    let plain = |part: &str| {
        let first = part.bytes().next()?;
        let rest = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (rest && !first.is_ascii_digit()).then(|| part.to_ascii_lowercase())
    };
    let quoted = |part: &str| {
        let inner = part.strip_prefix('"')?.strip_suffix('"')?;
        (!inner.is_empty() && !inner.contains(['"', '.'])).then(|| inner.to_owned())
    };
    let parts: Option<Vec<String>> =
        text.split('.').map(|part| plain(part).or_else(|| quoted(part))).collect();
    parts.filter(|p| p.len() <= 2).map(RawName)
}

/// The bare name of a type as `format_type` prints it: `public."Mood"[]` is `Mood`.
pub(super) fn bare_type(printed: &str) -> &str {
    let end = printed.find(['(', '[']).unwrap_or(printed.len());
    let name = printed.get(..end).unwrap_or(printed).trim();
    let base = name.rsplit('.').next().unwrap_or(name);
    base.trim_matches('"')
}
