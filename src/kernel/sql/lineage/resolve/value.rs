//! What a value tells, and what a name in it stands for.

use std::{collections::BTreeSet, rc::Rc};

use crate::kernel::{
    mask::marks::FIRST_USER_OID,
    sql::{
        builtins::never_fails,
        lineage::{
            ColumnId, Label, Purpose,
            names::Names,
            resolve::Follower,
            rows::{Found, Place, Rows},
            shape::{Expression, Reference, Step},
        },
        mode::Dialect,
        reading::RawName,
    },
};

/// Columns that every table has and no catalog lists: where a row lies and who made it.
const SYSTEM: [&str; 6] = ["ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"];

/// Types whose sum is of the same type.
const INTERVAL: u32 = 1186;
const MONEY: u32 = 790;
/// Types of which more is known than of others.
const JSON: u32 = 114;
const NUMERIC: u32 = 1700;
const INT2: u32 = 21;
const INT4: u32 = 23;
const INT8: u32 = 20;

impl<'a> Follower<'a> {
    pub(super) fn value(&mut self, value: &'a Expression, place: &Place<'a>) -> Label {
        if !self.spend(1) {
            return Label::unknown();
        }
        if let Some(column) = &value.column {
            return self.reference(column, place);
        }
        let mut parts = Vec::new();
        for column in value.columns.iter().collect::<BTreeSet<_>>() {
            parts.push(self.reference(column, place));
        }
        for column in value.counted.iter().collect::<BTreeSet<_>>() {
            parts.push(self.asked_null(column, place));
        }
        for query in &value.queries {
            parts.push(self.query(query, place).whole().noticed());
        }
        for query in &value.asked {
            self.query(query, place);
            parts.push(Label::default().noticed());
        }
        // Spec: what MariaDB fills a column with may be computed from others of the row.
        if self.cx.mode.dialect == Dialect::MariaDb && value.through.iter().any(is_default) {
            let level = place.levels().next();
            let rows = level.iter().flat_map(|level| level.tables.iter().map(|t| t.rows.whole()));
            parts.extend(rows.filter(|label| !label.is_clear()));
        }
        let mut label = Label::default();
        for part in &parts {
            label.or(part);
        }
        if let Some(what) = value.opaque {
            label.or(&self.doubts(|| what.to_owned()));
        }
        if let Some(name) = value.through.iter().find_map(|step| self.may_read_anything(step)) {
            label.or(&self.doubts(|| format!("what {name}() reads, which is not trusted")));
        }
        // What a variable holds was weighed when it was put there, unless somebody saw it unmasked then.
        if value.variable && self.cx.overlay.is_tainted() {
            label.or(&self.doubts(|| "a variable that may hold what is masked".to_owned()));
        }
        let mut label = label.computed();
        if value.kept {
            self.used(Purpose::Stores, label.clone());
        }
        self.conditions(&value.conditions, place);
        for column in &value.compared {
            let compared = self.reference(column, place);
            self.used(Purpose::Compares, compared);
        }
        let fails = value.through.iter().any(|step| self.fails(step, &label, place))
            || self.takes_bytes_for_text(value, place);
        label.noticed |= fails || value.opaque.is_some();
        // A variable may be so long that the result has no room for what stands beside it.
        let beside = parts.iter().any(|part| !part.is_clear());
        let may_burst = value.variable && !value.kept && beside && self.names == Names::Folded;
        if !label.is_clear() && (fails || may_burst || decides(&parts)) {
            self.used(Purpose::Computes, label.clone());
        }
        label
    }

    /// [`Self::null_of`] where somebody asks for it: a rule may hide even what is NULL in a marked column.
    pub(super) fn asked_null(&mut self, reference: &'a Reference, place: &Place<'a>) -> Label {
        let label = self.reference(reference, place);
        if !label.is_derived() {
            self.used(Purpose::AsksNull, label);
        } else if let Some(row) = self.row_of(reference, place) {
            // `t IS NOT NULL` asks each of its columns.
            for column in row.columns.iter().flatten().filter(|c| !c.label.is_derived()) {
                self.used(Purpose::AsksNull, column.label.clone());
            }
        }
        self.null_of(reference, place)
    }

    /// The row, if it is a whole one.
    fn row_of(&mut self, reference: &'a Reference, place: &Place<'a>) -> Option<Rc<Rows<'a>>> {
        match reference {
            Reference::Row(names) if !names.is_empty() => self.row_named(names, place),
            Reference::Column(names) => match names.as_slice() {
                [name]
                    if self.names == Names::AsWritten
                        && self.bare_column(name, place).is_none() =>
                {
                    self.row_named(names, place)
                }
                _ => None,
            },
            Reference::Row(_) | Reference::Field(..) => None,
        }
    }

    /// What it tells whether a value is NULL. A mask leaves NULL what is NULL, so that a marked column
    /// tells no more; but what is computed may be NULL because of whatever value:
    /// `CASE WHEN salary > 1000 THEN 1 END`.
    fn null_of(&mut self, reference: &'a Reference, place: &Place<'a>) -> Label {
        let label = self.reference(reference, place);
        if !label.is_derived() {
            return Label::default();
        }
        // A whole row tells what its columns tell.
        let row = self.row_of(reference, place);
        row.map_or(label, |rows| rows.computed())
    }

    /// A function of the users' own reads what it likes. Those that the settings trust, and those of
    /// extensions, give back no rows that they weren't given.
    fn may_read_anything<'s>(&self, step: &'s Step) -> Option<&'s RawName> {
        let (Step::Function(name) | Step::Harmless(name) | Step::Keyed(name, _)) = step else {
            return None;
        };
        if self.names == Names::Folded {
            return self.may_read_rows(name).then_some(name);
        }
        let routines = self.cx.catalog.routines_named(name.base());
        routines
            .filter(|routine| name.schema().is_none_or(|schema| routine.schema == schema))
            .any(|r| r.extension.is_none() && self.cx.trust.permission_for(r).is_none())
            .then_some(name)
    }

    fn fails(&mut self, step: &'a Step, label: &Label, place: &Place<'a>) -> bool {
        match self.names {
            Names::AsWritten => self.may_fail(step, label, place) || self.overflows(step, label),
            Names::Folded => self.may_warn(step, label, place),
        }
    }

    /// True unless the step is known to give one value for whatever value it gets. What a user has made
    /// may go by the same name.
    fn may_fail(&mut self, step: &'a Step, label: &Label, place: &Place<'a>) -> bool {
        match step {
            Step::Function(name) => !never_fails::function(name.base()) || self.may_be_users(name),
            Step::Harmless(name) => self.may_be_users(name),
            Step::Keyed(name, key) => {
                self.may_be_users(name) || !self.reference(key, place).is_clear()
            }
            Step::Operator(name) => {
                let known = never_fails::operator(name)
                    || never_fails::part(name)
                        && !self.is_of_type(label, |oid| oid == JSON)
                        && !self.is_of_intarray(name);
                !known || self.has_operator(name)
            }
            Step::HarmlessOperator(name) => self.has_operator(name),
            Step::Scales(name, column) => {
                let fits = |oid| match name.as_str() {
                    "/" => matches!(oid, NUMERIC | INT2 | INT4 | INT8),
                    _ => oid == NUMERIC,
                };
                self.has_operator(name) || !self.all_of_type(column, place, fits)
            }
            Step::Cast(to) => !never_fails::cast(to) || self.has_type(to),
            Step::Turns(to, column) => {
                let fits = |oid| never_fails::turn(oid, to);
                let always = never_fails::cast(to) || self.all_of_type(column, place, fits);
                !always || self.has_type(to)
            }
            Step::Part
            | Step::Wants(..)
            | Step::Converts
            | Step::ReadsJson
            | Step::Nests(_)
            | Step::Bytes
            | Step::Quoted
            | Step::Reckons(_)
            | Step::Unmarked(_) => true,
        }
    }

    /// True unless a call of this name is one of the server's own functions. Spec: `f(x)` may be a cast to
    /// a type that is called f.
    fn may_be_users(&self, name: &RawName) -> bool {
        match name.0.as_slice() {
            [name] => {
                self.cx.catalog.routines_named(name).any(|routine| routine.extension.is_none())
                    || self.has_type(name)
            }
            [schema, _] => schema != "pg_catalog",
            _ => true,
        }
    }

    fn has_operator(&self, name: &str) -> bool {
        let catalog = self.cx.catalog;
        let of_users = |oid: u32| {
            catalog.routine_by_oid(oid).is_some_and(|routine| routine.extension.is_none())
        };
        catalog.operators_named(name).iter().any(|overload| of_users(overload.routine))
    }

    /// True of an operator of an extension whose operators of arrays fail where these hold NULL.
    fn is_of_intarray(&self, name: &str) -> bool {
        let catalog = self.cx.catalog;
        let extension = |oid| catalog.routine_by_oid(oid).and_then(|r| r.extension.as_deref());
        let mut overloads = catalog.operators_named(name).iter();
        overloads.any(|overload| extension(overload.routine) == Some("intarray"))
    }

    /// True if users have a type of this name, or this session may have made one a moment ago.
    fn has_type(&self, name: &str) -> bool {
        let catalog = self.cx.catalog;
        !catalog.shapes_named(name).is_empty()
            || !catalog.types_named(name).is_empty()
            || self.cx.overlay.holds_type(name)
    }

    /// True if some marked column in it is of such a type.
    fn is_of_type(&self, label: &Label, is: impl Fn(u32) -> bool) -> bool {
        label.columns().any(|id| self.type_of(id).is_none_or(&is))
    }

    /// True if the values are those of marked columns, all of such types.
    fn all_of_type(
        &mut self,
        column: &'a Reference,
        place: &Place<'a>,
        is: impl Fn(u32) -> bool,
    ) -> bool {
        let label = self.reference(column, place);
        let is_column = !label.is_derived() && !label.is_clear();
        is_column && label.columns().all(|id| self.type_of(id).is_some_and(&is))
    }

    fn type_of(&self, id: ColumnId) -> Option<u32> {
        let relation = self.cx.catalog.relation_by_oid(id.relation)?;
        relation.columns.iter().find(|c| c.number == id.number).map(|c| c.type_oid)
    }

    /// True of a sum of what a few values beside it may take beyond its type's range: the sum of the usual
    /// numbers has room for all of them.
    fn overflows(&self, step: &Step, label: &Label) -> bool {
        let Step::Function(name) = step else { return false };
        let is_narrow = |oid| matches!(oid, INTERVAL | MONEY) || oid >= FIRST_USER_OID;
        matches!(name.base(), "sum" | "avg") && self.is_of_type(label, is_narrow)
    }

    /// What a column as written tells. What is found nowhere may be a column that the catalog doesn't
    /// know yet.
    pub(super) fn reference(&mut self, reference: &'a Reference, place: &Place<'a>) -> Label {
        let found = self.find(reference, place);
        found.unwrap_or_else(|| self.doubts(|| written(reference)))
    }

    /// `None`: nothing in sight is called this.
    pub(super) fn find(&mut self, reference: &'a Reference, place: &Place<'a>) -> Option<Label> {
        match reference {
            Reference::Column(names) if self.names == Names::Folded => self.column(names, place),
            Reference::Row(names) if names.is_empty() => {
                let level = place.levels().next()?;
                let mut label = Label::default();
                level.tables.iter().for_each(|table| label.or(&table.rows.whole()));
                Some(label)
            }
            Reference::Row(names) => self.row_named(names, place).map(|rows| rows.whole()),
            Reference::Column(names) => match names.as_slice() {
                [name] => match self.bare_column(name, place) {
                    Some(Found { label, certain: true }) => Some(label),
                    perhaps => {
                        let row = self.row_named(names, place).map(|rows| rows.whole());
                        either(perhaps.map(|found| found.label), row)
                    }
                },
                [before @ .., name] => self.column_of(before, name, place),
                [] => None,
            },
            Reference::Field(names, field) => match names.as_slice() {
                [name] => match self.bare_column(name, place) {
                    Some(Found { label, certain: true }) => Some(label.computed()),
                    perhaps => {
                        let field = self.column_of(names, field, place);
                        either(perhaps.map(|found| found.label.computed()), field)
                    }
                },
                [before @ .., name] => match self.column_of(before, name, place) {
                    Some(label) => Some(label.computed()),
                    None => self.column_of(names, field, place),
                },
                [] => None,
            },
        }
    }

    /// A name without anything before it. Spec: the nearest query in whose FROM it is a column.
    fn bare_column(&mut self, name: &str, place: &Place<'a>) -> Option<Found> {
        let mut label: Option<Label> = None;
        for level in place.levels() {
            let mut certain = false;
            for table in level.tables.iter().filter(|table| table.bare) {
                if !self.spend(table.rows.width()) {
                    return Some(Found { label: Label::unknown(), certain: true });
                }
                if let Some(found) = table.rows.named(name, self.names) {
                    certain |= found.certain;
                    label.get_or_insert_default().or(&found.label);
                }
            }
            if certain {
                return label.map(|label| Found { label, certain });
            }
        }
        if label.is_none() && SYSTEM.contains(&name) {
            // A subquery has no such columns, but may be called so: then it is its row.
            let mut tables = place.levels().flat_map(|level| level.tables.iter());
            let certain = !tables.any(|table| table.known_as == Some(name));
            return Some(Found { label: Label::default(), certain });
        }
        label.map(|label| Found { label, certain: false })
    }

    /// `t.c`, `s.t.c`: the nearest table of that name.
    fn column_of(&mut self, before: &[String], name: &str, place: &Place<'a>) -> Option<Label> {
        let rows = self.row_named(before, place)?;
        if !self.spend(rows.width()) {
            return Some(Label::unknown());
        }
        match rows.named(name, self.names) {
            Some(found) => Some(found.label),
            None if SYSTEM.contains(&name) => Some(Label::default()),
            // Spec: `t.c` calls c(t) if t has no column c. What that does with the row, nobody knows.
            None => {
                let label = rows.whole();
                self.used(Purpose::Computes, label.clone());
                Some(label)
            }
        }
    }

    /// The fields of a row. Spec: a column in sight comes before a table of its name.
    pub(super) fn fields(&mut self, names: &'a [String], place: &Place<'a>) -> Rows<'a> {
        let column = match names {
            [name] => self.bare_column(name, place),
            [before @ .., name] if self.row_named(before, place).is_some() => {
                let label = self.column_of(before, name, place);
                label.map(|label| Found { label, certain: true })
            }
            _ => None,
        };
        match (column, self.row_named(names, place)) {
            (Some(Found { label, certain: true }), _) => Rows::unknown(label.computed()),
            (None, Some(rows)) => Rows::clone(&rows),
            (Some(Found { mut label, certain: false }), Some(rows)) => {
                label.or(&rows.whole());
                Rows::unknown(label.computed())
            }
            (Some(Found { certain: false, .. }) | None, None) => Rows::unknown(Label::unknown()),
        }
    }

    /// The row of the nearest table of that name. Of two tables of one name, it is the one and the other.
    pub(super) fn row_named(
        &mut self,
        names: &[String],
        place: &Place<'a>,
    ) -> Option<Rc<Rows<'a>>> {
        if self.names == Names::Folded {
            return self.table_named(names, place);
        }
        let name = names.last()?;
        if let [.., schema, name] = names {
            return self.row_of_relation(schema, name, place);
        }
        for level in place.levels() {
            self.spend(level.tables.len());
            let mut found: Option<Rc<Rows<'a>>> = None;
            for table in level.tables.iter().filter(|t| t.known_as == Some(name.as_str())) {
                match &mut found {
                    None => found = Some(Rc::clone(&table.rows)),
                    Some(rows) => {
                        let mut both = Rows::clone(rows);
                        both.append(&table.rows);
                        let whole = both.whole();
                        found = Some(Rc::new(Rows::unknown(whole)));
                    }
                }
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The row of `schema.name`. Spec: only a relation that goes by its own name can be called so, be it
    /// farther than a CTE, a subquery or a table of another schema that is called the same. One that is
    /// written without a schema may be it or not: then it is that one and the next.
    fn row_of_relation(
        &mut self,
        schema: &str,
        name: &str,
        place: &Place<'a>,
    ) -> Option<Rc<Rows<'a>>> {
        let mut found: Option<Rc<Rows<'a>>> = None;
        for level in place.levels() {
            self.spend(level.tables.len());
            let mut certain = false;
            for table in level.tables.iter().filter(|t| t.known_as == Some(name)) {
                let Some(relation) = table.relation else { continue };
                match relation.schema() {
                    Some(written) if written != schema => continue,
                    Some(_) => certain = true,
                    None => {}
                }
                found = Some(match found {
                    None => Rc::clone(&table.rows),
                    Some(rows) => {
                        let mut both = Rows::clone(&rows);
                        both.append(&table.rows);
                        Rc::new(Rows::unknown(both.whole()))
                    }
                });
            }
            if certain {
                break;
            }
        }
        found
    }
}

fn is_default(step: &Step) -> bool {
    matches!(step, Step::Function(name) if name.0 == ["default"])
}

/// What may be the one or the other.
fn either(one: Option<Label>, other: Option<Label>) -> Option<Label> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.or(&other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

/// True if some part that tells something may decide whether another one is computed, and that shows:
/// `CASE WHEN salary > 1000 THEN (SELECT …) END`. Queries and columns of subqueries are only computed
/// where they are asked for, and EXPLAIN ANALYZE tells how often.
fn decides(parts: &[Label]) -> bool {
    let noticed =
        |but: usize| parts.iter().enumerate().any(|(at, part)| at != but && part.is_noticed());
    parts.iter().enumerate().any(|(at, part)| !part.is_clear() && noticed(at))
}

/// A reference as somebody may have written it, for people.
fn written(reference: &Reference) -> String {
    match reference {
        Reference::Column(names) => names.join("."),
        Reference::Row(names) if names.is_empty() => "*".to_owned(),
        Reference::Row(names) => format!("{}.*", names.join(".")),
        Reference::Field(names, field) => format!("({}).{field}", names.join(".")),
    }
}
