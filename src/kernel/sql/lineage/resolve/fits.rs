//! MySQL compares what is of different types by turning one side into the other's: to a number nearly
//! every text is 0, so that `email = 0` finds nearly every row. What it can't turn it warns of, and quotes
//! it.

use std::collections::BTreeSet;

use crate::kernel::{
    catalog::Routine,
    mask::{ColumnType, Kind},
    sql::{
        builtins::{mysql, never_fails},
        lineage::{
            Label,
            resolve::Follower,
            rows::Place,
            shape::{Constant, Step, Wanted},
        },
        reading::RawName,
    },
};

impl Follower<'_> {
    /// True if comparing the column with constants of these classes asks for one of its values each.
    /// Parameters that have to be strings for that are noted.
    pub(super) fn fits(&mut self, label: &Label, classes: &BTreeSet<Constant>) -> bool {
        let (number, moment) = (self.all_are(label, is_number), self.all_are(label, is_moment));
        classes.iter().all(|class| match class {
            Constant::Null | Constant::Text => true,
            Constant::Number => number || moment,
            Constant::Moment => moment,
            Constant::Parameter(at) => {
                if !number && !moment {
                    self.texts.insert(*at);
                }
                true
            }
        })
    }

    /// True if all marked columns are declared as such, and nothing else is known to be in it.
    fn all_are(&self, label: &Label, what: impl Fn(Kind) -> bool) -> bool {
        let catalog = self.cx.catalog;
        !label.is_unknown()
            && label.columns().all(|id| {
                let relation = catalog.relation_by_oid(id.relation);
                let columns = relation.iter().flat_map(|relation| &relation.columns);
                let mut kinds = columns
                    .filter(|column| column.number == id.number)
                    .map(|column| catalog.kinds().get(&column.type_oid));
                kinds.any(|kind| match kind {
                    Some(ColumnType::One(kind)) => what(*kind),
                    Some(ColumnType::Array(_)) | None => false,
                })
            })
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Integer(_) | Kind::Decimal | Kind::Single | Kind::Double | Kind::Enumeration
    )
}

fn is_moment(kind: Kind) -> bool {
    matches!(kind, Kind::Date | Kind::Timestamp | Kind::Time)
}

impl<'a> Follower<'a> {
    /// True unless the step is known to give one value, and no warning, whatever it gets.
    pub(super) fn may_warn(&mut self, step: &'a Step, label: &Label, place: &Place<'a>) -> bool {
        match step {
            Step::Function(name) => {
                // Spec: a built-in function comes before a user's of that name.
                let [name] = name.0.as_slice() else { return true };
                // What those of a type turn into it stands beside them.
                !never_fails::mysql_function(name)
                    && !never_fails::mysql_function_of_numbers(name)
                    && !never_fails::mysql_function_of_moments(name)
                    && name != "json_extract"
            }
            Step::Operator(name) => name != "like",
            Step::Wants(wanted, column) => {
                !self.kind_of(column, place).is_some_and(|kind| is_wanted(kind, *wanted))
            }
            Step::Cast(to) => match to.as_str() {
                "binary" => false,
                "char" | "char in utf8mb4" => !self.all_are(label, |kind| kind != Kind::Bytes),
                _ => true,
            },
            Step::Converts | Step::Part => true,
        }
    }

    /// True of what isn't one of the server's own functions: it reads what it likes, unless the settings
    /// trust it.
    pub(super) fn may_read_rows(&self, name: &RawName) -> bool {
        let own = |name: &str| mysql::function(name).is_some() || SYNTAX.contains(&name);
        if let [name] = name.0.as_slice()
            && own(name)
        {
            return false;
        }
        if let [schema, name] = name.0.as_slice()
            && schema.eq_ignore_ascii_case("sys")
        {
            return !mysql::is_pure_in_sys(name);
        }
        let called =
            |routine: &&Routine| name.schema().is_none_or(|schema| schema == routine.schema);
        let mut found = self.cx.catalog.routines_folded(name.base()).filter(called).peekable();
        found.peek().is_none() || found.any(|r| self.cx.trust.permission_for(r).is_none())
    }
}

/// What has a syntax of its own, so that nobody calls it as a function.
const SYNTAX: [&str; 11] = [
    "cast",
    "convert",
    "default",
    "extract",
    "match",
    "member_of",
    "position",
    "row",
    "trim",
    "value",
    "values",
];

fn is_wanted(kind: Kind, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Comparable => is_number(kind) || is_moment(kind),
        Wanted::Number => is_number(kind),
        Wanted::Quantity => matches!(kind, Kind::Integer(_) | Kind::Decimal),
        Wanted::Moment => is_moment(kind),
        Wanted::Json => kind == Kind::Json,
    }
}
