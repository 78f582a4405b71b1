//! Which of the users' types a statement may hold values of.
//!
//! Operators, casts and operator classes of a type run unsaid: behind `=`, DISTINCT, ORDER BY, a
//! comparison of two columns. They can only run where there are values of their type: in a column, a
//! parameter, a written cast, or in what user code takes and returns.

use std::collections::BTreeSet;

use crate::kernel::sql::{
    analysis::{Analysis, SessionEffect},
    builtins,
    context::Context,
    judge::{
        Judge,
        names::{Resolved, resolve},
    },
    reading::{Access, Reading, RelationUse},
};

/// The users' types, of which the statement may hold values.
pub(super) enum Reach {
    /// Nobody knows: any.
    Any,
    /// Values of these, and arrays and ranges of them.
    Types(BTreeSet<u32>),
}

impl Reach {
    /// True if a value of this type may be there; `None` is a built-in type.
    pub(super) fn holds(&self, oid: Option<u32>) -> bool {
        match (self, oid) {
            (Self::Any, _) | (_, None) => true,
            (Self::Types(types), Some(oid)) => types.contains(&oid),
        }
    }

    /// True if one of these types' values may be there, or none is asked for.
    pub(super) fn holds_one_of(&self, oids: &[u32]) -> bool {
        oids.is_empty() || oids.iter().any(|oid| self.holds(Some(*oid)))
    }
}

impl Judge<'_> {
    /// The types that the statement names, the columns of its relations have, and its routines and
    /// written operators take, with all that is inside of them.
    pub(super) fn reach(&self) -> Reach {
        let catalog = self.cx.catalog;
        if self.reading.columns.is_none() {
            return Reach::Any;
        }
        let mut types = self.of_routines();
        let overlay = self.cx.overlay;
        if overlay.holds_names() {
            // Fail closed: the session itself may have made a type that holds another.
            let Some(sight) = overlay.whole_sight() else { return Reach::Any };
            let seen = sight.users_types();
            if seen.iter().any(|oid| catalog.shape(*oid).is_none()) {
                return Reach::Any;
            }
            types.extend(seen);
        }
        for used in &self.reading.relations {
            for meant in resolve(&used.name, self.cx).all() {
                match meant {
                    Resolved::User(relation) => {
                        types.extend(relation.columns.iter().map(|column| column.type_oid));
                        types.extend(catalog.shapes_named(&relation.name));
                    }
                    Resolved::Catalog { .. } | Resolved::Unreviewed { .. } => {}
                    // It names the types of its columns itself.
                    Resolved::Unknown { .. } if self.is_made_here(used) => {}
                    // Of whatever types its columns are now, these are among the types above.
                    Resolved::Unknown { name, .. }
                        if overlay
                            .whole_sight()
                            .is_some_and(|sight| sight.all_named(name).next().is_some()) => {}
                    // Fail closed: nobody knows its columns.
                    Resolved::Unknown { .. } => return Reach::Any,
                }
            }
        }
        for name in &self.reading.types {
            let shapes = catalog.shapes_named(name.base());
            // Fail closed: a type that came into being since the catalog was read.
            if shapes.is_empty()
                && !builtins::is_built_in_type(name.base())
                && !self.is_new_enum(name.base())
            {
                return Reach::Any;
            }
            types.extend(shapes);
        }
        for operator in self.reading.operators.iter().filter(|o| !is_common(o)) {
            types.extend(catalog.operators_named(operator).iter().flat_map(|o| &o.operands));
        }
        Reach::Types(self.closed(types))
    }

    fn is_made_here(&self, used: &RelationUse) -> bool {
        used.access == Access::Define && self.reading.made_table.as_ref() == Some(&used.name)
    }

    /// True of an enum that this session has made, of which no value runs code.
    pub(super) fn is_new_enum(&self, name: &str) -> bool {
        self.cx.overlay.sight().is_some_and(|sight| sight.is_plain_enum(name))
    }

    /// These types and what is inside of them.
    pub(super) fn closed(&self, mut left: Vec<u32>) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        while let Some(oid) = left.pop() {
            if found.insert(oid)
                && let Some(shape) = self.cx.catalog.shape(oid)
            {
                left.extend(&shape.parts);
            }
        }
        found
    }

    /// The types of what is called by its name, or as if it were a column.
    fn of_routines(&self) -> Vec<u32> {
        let named = self.reading.routines.iter().map(|used| used.name.base());
        let columns = self.reading.columns.iter();
        let dotted =
            columns.flat_map(|c| c.fields.iter().chain(c.dotted.iter().map(|(name, _)| name)));
        let routines = named
            .chain(dotted.map(String::as_str))
            .flat_map(|name| self.cx.catalog.routines_named(name));
        routines.flat_map(|routine| routine.types.iter().copied()).collect()
    }

    /// True if a literal may become a value of a type that nobody names, because something that takes
    /// any type has such a value beside it. COALESCE, CASE, ARRAY, IN and set operations make the base
    /// type of a domain, and so do operators of the domain's own values; but arrays keep it.
    fn takes_on_types(&self) -> bool {
        let catalog = self.cx.catalog;
        let mut routines = self.reading.routines.iter().map(|used| used.name.base());
        if routines
            .any(|name| is_polymorphic(name) || catalog.routines_named(name).next().is_some())
        {
            return true;
        }
        let operators = &self.reading.operators;
        let mut users = operators.iter().flat_map(|o| catalog.operators_named(o));
        if users.any(|operator| operator.operands.is_empty()) {
            return true;
        }
        let mut routines = self.reading.routines.iter().map(|used| used.name.base());
        let makes = self.reading.makes_arrays || routines.any(makes_arrays);
        makes && !operators.is_empty() || self.has_array_columns()
    }

    fn has_array_columns(&self) -> bool {
        let has = |meant: &Resolved<'_>| match meant {
            Resolved::User(relation) => relation.columns.iter().any(|column| {
                column.type_name.ends_with("[]") && self.cx.catalog.shape(column.type_oid).is_some()
            }),
            Resolved::Catalog { .. } | Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                false
            }
        };
        let mut used = self.reading.relations.iter();
        used.any(|used| resolve(&used.name, self.cx).all().any(has))
    }

    /// Adds what values of these types run unsaid: operator classes, and where rows are made of JSON
    /// and the like, or literals take on types, the checks of everything inside.
    pub(super) fn unsaid_of_types(&mut self, reach: &Reach) {
        let Reach::Types(types) = reach else { return };
        let populates =
            self.reading.routines.iter().any(|used| POPULATE.contains(&used.name.base()))
                || self.reading.operators.contains("#=")
                || self.takes_on_types();
        let catalog = self.cx.catalog;
        for shape in types.iter().filter_map(|oid| catalog.shape(*oid)) {
            for oid in &shape.compares {
                self.routine_behind(*oid);
            }
            for oid in shape.calls.iter().filter(|_| populates) {
                self.routine_behind(*oid);
            }
        }
    }

    /// Everything that values of these types may run: for parameters, of which nobody knows where they
    /// stand.
    fn code_of_parameters(&mut self, oids: &[u32]) {
        let catalog = self.cx.catalog;
        if oids.iter().any(|oid| catalog.shape(*oid).is_none()) {
            // Fail closed: it came into being since the catalog was read.
            self.needs.admin("a parameter's type is not known");
        }
        let types = self.closed(oids.to_vec());
        let mut behind = BTreeSet::new();
        for shape in types.iter().filter_map(|oid| catalog.shape(*oid)) {
            behind.extend(shape.calls.iter().chain(&shape.compares));
        }
        for operator in catalog.operators() {
            if operator.operands.iter().any(|oid| types.contains(oid)) {
                behind.insert(operator.routine);
            }
        }
        for cast in catalog.casts() {
            if cast.from.or(cast.to).is_some_and(|oid| types.contains(&oid)) {
                behind.insert(cast.routine);
            }
        }
        for oid in behind {
            self.routine_behind(oid);
        }
    }
}

/// What a prepared statement needs besides, because the client declared parameters of these types:
/// coercing a value to a domain runs its checks, at Bind already. `None`: nothing.
pub fn with_parameter_types(
    analysis: &Analysis,
    oids: impl IntoIterator<Item = u32>,
    cx: &Context<'_>,
) -> Option<Analysis> {
    // Spec: the server's own objects have lower numbers.
    let oids: Vec<u32> = oids.into_iter().filter(|oid| *oid >= FIRST_OF_USERS).collect();
    if oids.is_empty() {
        return None;
    }
    let reading = Reading::new(analysis.kind, analysis.span.clone());
    let mut judge = Judge::new(&reading, cx);
    judge.code_of_parameters(&oids);
    if judge.needs.is_empty() && !judge.user_code {
        return None;
    }
    let mut typed = analysis.clone();
    typed.writes |= judge.needs.writes;
    if judge.user_code {
        typed.effects.push(SessionEffect::RunsUserCode);
    }
    let (class, needs) = judge.needs.into_class_and_list();
    typed.class = typed.class.max(class);
    typed.needs.extend(needs);
    Some(typed)
}

/// `FirstNormalObjectId`: the server's own objects have lower numbers.
pub(super) const FIRST_OF_USERS: u32 = 16_384;

/// Operators that built-in types of several categories have: between two literals of no type, the
/// server never takes a user's. A user's operator of another name can be all there is.
fn is_common(operator: &str) -> bool {
    matches!(operator, "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=")
}

/// Built-ins with two arguments of any type, by `pg_proc` of the server: what is of no type beside a
/// domain's value becomes one.
fn is_polymorphic(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "array_append",
        "array_cat",
        "array_eq",
        "array_ge",
        "array_gt",
        "array_larger",
        "array_le",
        "array_lt",
        "array_ne",
        "array_position",
        "array_positions",
        "array_prepend",
        "array_remove",
        "array_replace",
        "array_smaller",
        "arraycontained",
        "arraycontains",
        "arrayoverlap",
        "btarraycmp",
        "lag",
        "lead",
        "width_bucket",
    ];
    const FAMILIES: [&str; 4] = ["elem_contained_by_", "enum_", "multirange_", "range_"];
    NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Built-ins that make arrays of what they are given.
fn makes_arrays(name: &str) -> bool {
    matches!(name, "array_agg" | "array_fill" | "percentile_disc")
}

/// Make rows of the type of their first argument, and coerce what they find to the types of its columns.
const POPULATE: [&str; 6] = [
    "json_populate_record",
    "json_populate_recordset",
    "jsonb_populate_record",
    "jsonb_populate_record_valid",
    "jsonb_populate_recordset",
    "populate_record",
];
