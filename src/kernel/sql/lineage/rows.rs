//! Rows in the making: columns side by side with their labels, and the names in sight.

use std::{cell::RefCell, rc::Rc};

use crate::kernel::{
    mask::Kind,
    sql::{
        lineage::{
            Label,
            names::{Names, Same},
        },
        reading::RawName,
    },
};

/// The columns of a source or of a query.
#[derive(Clone, Default, Debug)]
pub(super) struct Rows<'a> {
    /// In order; `None`: nobody knows which there are.
    pub(super) columns: Option<Vec<Named<'a>>>,
    /// What those may tell that nobody knows of.
    pub(super) rest: Label,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    /// `None`: the server makes up a name.
    pub(super) name: Option<&'a str>,
    /// What it makes up, if that is known.
    pub(super) made_up: Option<&'a str>,
    /// No bare word is what it makes up.
    pub(super) is_odd: bool,
    /// What it tells.
    pub(super) label: Label,
    /// `*` doesn't show it.
    pub(super) hidden: bool,
    /// What it holds, if it is the column of a table.
    pub(super) kind: Option<Holds<'a>>,
}

/// What the column of a table holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Holds<'a> {
    pub(super) kind: Kind,
    /// Its type as it was declared.
    pub(super) declared: &'a str,
}

impl<'a> Named<'a> {
    /// One that goes by this name.
    pub(super) fn known(name: &'a str, label: Label) -> Self {
        Self { name: Some(name), made_up: None, is_odd: false, label, hidden: false, kind: None }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn known(columns: Vec<Named<'a>>) -> Self {
        Self { columns: Some(columns), rest: Label::default() }
    }

    pub(super) fn unknown(rest: Label) -> Self {
        Self { columns: None, rest }
    }

    pub(super) fn width(&self) -> usize {
        self.columns.as_ref().map_or(0, Vec::len)
    }

    /// What `*` shows of it.
    pub(super) fn shown(mut self) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.retain(|column| !column.hidden);
        }
        self
    }

    /// All of it in one value.
    pub(super) fn whole(&self) -> Label {
        let mut all = self.rest.clone();
        for column in self.columns.iter().flatten() {
            all.or(&column.label);
        }
        all.computed()
    }

    /// Those of its values that may be NULL because of what they are computed from.
    pub(super) fn computed(&self) -> Label {
        let labels = self.columns.iter().flatten().map(|column| &column.label);
        let mut all = Label::default();
        labels.chain([&self.rest]).filter(|label| label.is_derived()).for_each(|l| all.or(l));
        all
    }

    /// The column of that name. `None`: there is none.
    pub(super) fn named(&self, name: &str, names: Names) -> Option<Found> {
        let Some(columns) = &self.columns else {
            return Some(Found { label: self.rest.clone(), certain: false });
        };
        let mut found: Option<Label> = None;
        let mut certain = false;
        for column in columns {
            match column.name.or(column.made_up).map(|known| names.column(known, name)) {
                Some(Same::Yes) => certain = true,
                Some(Same::Perhaps) => {}
                Some(Same::No) | None => continue,
            }
            found.get_or_insert_default().or(&column.label);
        }
        if certain {
            return found.map(|label| Found { label, certain });
        }
        // The server may have made up just this one.
        let is_word = is_word(name);
        let is_unnamed = |c: &&Named<'a>| c.name.or(c.made_up).is_none() && !(c.is_odd && is_word);
        let mut unnamed = columns.iter().filter(is_unnamed).peekable();
        if unnamed.peek().is_none() {
            return found.map(|label| Found { label, certain: false });
        }
        let mut label = found.unwrap_or_default();
        unnamed.for_each(|column| label.or(&column.label));
        Some(Found { label, certain: false })
    }

    /// Puts the other's columns behind its own.
    pub(super) fn append(&mut self, other: &Self) {
        self.rest.or(&other.rest);
        match (&mut self.columns, &other.columns) {
            (Some(columns), Some(others)) => columns.extend(others.iter().cloned()),
            (columns @ Some(_), None) => {
                for column in columns.take().into_iter().flatten() {
                    self.rest.or(&column.label);
                }
            }
            (None, Some(others)) => others.iter().for_each(|c| self.rest.or(&c.label)),
            (None, None) => {}
        }
    }

    /// Gives its first columns other names.
    pub(super) fn rename(&mut self, names: &'a [String]) {
        for (column, name) in self.columns.iter_mut().flatten().zip(names) {
            column.name = Some(name);
        }
    }

    /// The same place in another arm: names stay, labels add up. False if they don't fit.
    pub(super) fn or(&mut self, other: &Self) -> bool {
        self.rest.or(&other.rest);
        match (&mut self.columns, &other.columns) {
            (Some(columns), Some(others)) if columns.len() == others.len() => {
                for (column, other) in columns.iter_mut().zip(others) {
                    column.label.or(&other.label);
                    // Of two types, whichever both become.
                    column.kind = column.kind.filter(|kind| other.kind == Some(*kind));
                }
                true
            }
            _ => {
                let whole = other.whole();
                let columns = self.columns.take();
                columns.into_iter().flatten().for_each(|c| self.rest.or(&c.label));
                self.rest.or(&whole);
                false
            }
        }
    }
}

/// True of what may be a bare word, and is far shorter than what a server cuts names to.
fn is_word(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a name stands for.
pub(super) struct Found {
    pub(super) label: Label,
    /// It is this and nothing else.
    pub(super) certain: bool,
}

/// One of FROM.
#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    /// What may stand before a dot.
    pub(super) known_as: Option<&'a str>,
    /// The relation as written, if it goes by its own name: then its schema may stand before that.
    pub(super) relation: Option<&'a RawName>,
    /// Its columns may be named without it.
    pub(super) bare: bool,
    pub(super) rows: Rc<Rows<'a>>,
}

/// What names mean in one query: its FROM, and around it that of the queries it stands in.
#[derive(Clone, Debug, Default)]
pub(super) struct Level<'a> {
    pub(super) tables: Vec<Table<'a>>,
    /// MySQL: this query's outputs so far that have a name. Queries inside of it may name them.
    pub(super) outputs: Rc<RefCell<Vec<(&'a str, Label)>>>,
    pub(super) outer: Option<Rc<Level<'a>>>,
}

/// The queries of WITH in sight, the nearest first.
#[derive(Debug)]
pub(super) struct Ctes<'a> {
    pub(super) name: &'a str,
    pub(super) rows: Rc<Rows<'a>>,
    pub(super) before: Option<Rc<Ctes<'a>>>,
}

/// Where a query stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    pub(super) level: Option<Rc<Level<'a>>>,
    pub(super) ctes: Option<Rc<Ctes<'a>>>,
    /// The nearest query's own outputs may be named here.
    pub(super) sees_outputs: bool,
}

impl<'a> Place<'a> {
    /// The CTE of that name, and whether it is this one and nothing else.
    pub(super) fn cte(&self, name: &str, names: Names) -> Option<(Rc<Rows<'a>>, bool)> {
        let mut next = self.ctes.as_ref();
        while let Some(cte) = next {
            match names.table(cte.name, name) {
                Same::Yes => return Some((Rc::clone(&cte.rows), true)),
                Same::Perhaps => return Some((Rc::clone(&cte.rows), false)),
                Same::No => next = cte.before.as_ref(),
            }
        }
        None
    }

    pub(super) fn with_cte(&self, name: &'a str, rows: Rc<Rows<'a>>) -> Self {
        let before = self.ctes.clone();
        let ctes = Some(Rc::new(Ctes { name, rows, before }));
        Self { level: self.level.clone(), ctes, sees_outputs: self.sees_outputs }
    }

    /// Inside: these tables are nearer than all that is in sight.
    pub(super) fn inside(&self, tables: &[Table<'a>]) -> Self {
        let (tables, outputs) = (tables.to_vec(), Rc::default());
        let level = Level { tables, outputs, outer: self.level.clone() };
        Self { level: Some(Rc::new(level)), ctes: self.ctes.clone(), sees_outputs: false }
    }

    /// MySQL: an output of the nearest query that queries inside of it may name from now on.
    pub(super) fn names_output(&self, name: &'a str, label: &Label) {
        if let Some(level) = &self.level {
            level.outputs.borrow_mut().push((name, label.clone()));
        }
    }

    /// All levels, the nearest first.
    pub(super) fn levels(&self) -> impl Iterator<Item = &Level<'a>> {
        std::iter::successors(self.level.as_deref(), |level| level.outer.as_deref())
    }
}
