//! Where the values of a result come from, and what else a statement asks of a column.
//!
//! A statement's [`shape::Shape`] is followed from its relations to its outputs. Only columns that
//! somebody has marked are followed, each as a [`Label`] that travels with the value: through aliases,
//! CTEs, set operations, subqueries, views. A value that is computed from a marked column carries its
//! label too, as [`Label::is_derived`]. What decides which rows come out, or in what order, or is stored
//! elsewhere, is a [`Use`].
//!
//! Fail closed: what isn't known carries [`Label::is_unknown`], and whoever masks must take it for
//! anything.

mod names;
mod resolve;
mod rows;
mod sensitive;
pub mod shape;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use sensitive::Sensitive;

use crate::kernel::sql::{context::Context, lineage::shape::Shape};

/// A column of a relation: `pg_class.oid`, `pg_attribute.attnum`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ColumnId {
    /// The relation.
    pub relation: u32,
    /// The column's number, from 1.
    pub number: i16,
}

/// Which marked columns a value may tell something of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Label {
    columns: BTreeSet<ColumnId>,
    derived: bool,
    unknown: bool,
    noticed: bool,
}

impl Label {
    /// Exactly the value of this column.
    pub fn of(column: ColumnId) -> Self {
        Self { columns: BTreeSet::from([column]), ..Self::default() }
    }

    /// May be anything.
    pub fn unknown() -> Self {
        Self { unknown: true, derived: true, ..Self::default() }
    }

    /// Tells nothing of any marked column.
    pub fn is_clear(&self) -> bool {
        self.columns.is_empty() && !self.unknown
    }

    /// Nobody knows what it is made of.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Computed: no column's own rule fits its value. If it isn't, the value is that of one of its
    /// columns, of which there are several behind an arm of UNION or in a table with partitions.
    pub fn is_derived(&self) -> bool {
        self.derived
    }

    /// Whether the value is computed at all shows: it may fail, or a query of its own runs for it. Beside
    /// a marked column that says whether to compute it, it would tell of that.
    pub fn is_noticed(&self) -> bool {
        self.noticed
    }

    /// The marked columns.
    pub fn columns(&self) -> impl Iterator<Item = ColumnId> {
        self.columns.iter().copied()
    }

    /// The same value, or that of the other: an arm of UNION, a side of a merged column.
    fn or(&mut self, other: &Self) {
        self.columns.extend(&other.columns);
        self.derived |= other.derived;
        self.unknown |= other.unknown;
        self.noticed |= other.noticed;
    }

    /// The same, computed where that shows.
    fn noticed(self) -> Self {
        Self { noticed: true, ..self }
    }

    /// A value that is computed from it.
    fn computed(mut self) -> Self {
        self.derived = !self.is_clear();
        self
    }
}

/// What a statement asks of marked columns besides handing them out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Compared with this many constants or parameters, all the statement's counted: `=`, `IN`.
    Equals(usize),
    /// Rows are found, joined or counted by it in another way.
    Filters,
    /// Asked whether it is NULL, or counted where it isn't.
    AsksNull,
    /// Rows are sorted, grouped or made distinct by it.
    Compares,
    /// How many rows come out, or whether the statement fails, hangs on its value.
    Computes,
    /// Copied to where it isn't marked.
    Stores,
    /// Given a new value in an existing row.
    Assigns,
}

/// One use of marked columns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// What for.
    pub purpose: Purpose,
    /// Of what.
    pub of: Label,
}

/// One column of a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputColumn {
    /// Its name; `None`: the server makes one up.
    pub name: Option<String>,
    /// Its name is told in the case in which the table's column has it, not in the statement's: MySQL.
    pub any_case: bool,
    /// What it tells.
    pub label: Label,
}

impl OutputColumn {
    /// True unless a column that a server calls this can't be it.
    pub fn may_be_called(&self, name: &[u8]) -> bool {
        match self.name.as_ref().map(String::as_bytes) {
            None => true,
            Some(own) if self.any_case => own.eq_ignore_ascii_case(name),
            Some(own) => own == name,
        }
    }
}

/// What becomes of marked columns in one statement.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lineage {
    /// The result's columns, in order; `None`: nobody knows how many there are.
    pub outputs: Option<Vec<OutputColumn>>,
    /// What any output may tell if nobody knows which they are.
    pub rest: Label,
    /// What else is asked of them.
    pub uses: BTreeSet<Use>,
    /// What wasn't understood first, in words, if anything is unknown.
    pub doubt: Option<String>,
    /// Parameters, from 1, that have to be strings: what they are compared with would else be read as
    /// numbers, and one would fit many. `None`: one of them, nobody knows which.
    pub texts: BTreeSet<Option<u16>>,
}

impl Lineage {
    /// True if it touches no marked column at all.
    pub fn is_clear(&self) -> bool {
        self.rest.is_clear()
            && self.uses.is_empty()
            && self.outputs.iter().flatten().all(|output| output.label.is_clear())
    }

    /// True if nobody knows what some output tells.
    pub fn gives_unknown(&self) -> bool {
        let outputs = || self.outputs.iter().flatten();
        self.rest.is_unknown() || outputs().any(|output| output.label.is_unknown())
    }
}

/// Follows the marked columns through a statement.
///
/// Never fails: what isn't understood is unknown. Work and memory are bounded whatever the statement.
pub fn follow(shape: &Shape, cx: &Context<'_>, sensitive: &Sensitive) -> Lineage {
    resolve::follow(shape, cx, sensitive)
}
