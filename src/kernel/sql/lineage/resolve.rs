//! Following labels through a shape.

mod change;
mod fits;
mod from;
mod names;
mod seen;
mod value;
mod write;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use crate::kernel::sql::{
    context::Context,
    lineage::{
        ColumnId, Label, Lineage, OutputColumn, Purpose, Sensitive, Use,
        names::Names,
        rows::{Named, Place, Rows},
        shape::{
            Body, Condition, Cte, Expression, Key, Output, Query, Reference, Select, SetOperation,
            Shape,
        },
    },
};

/// So many columns and names are looked at in one statement; a dashboard's query has some hundred.
const STEPS: usize = 400_000;

/// A recursive CTE's labels only grow; nobody chains more columns of one than this.
const ROUNDS: usize = 64;

/// What the outputs of views tell that the catalog doesn't know, by their oids; `None`: it isn't known, or not
/// yet.
type Views = Rc<RefCell<HashMap<u32, Option<Vec<Label>>>>>;

pub(super) fn follow(shape: &Shape, cx: &Context<'_>, sensitive: &Sensitive) -> Lineage {
    follow_with(shape, cx, sensitive, Views::default())
}

fn follow_with(shape: &Shape, cx: &Context<'_>, sensitive: &Sensitive, views: Views) -> Lineage {
    let mut follower = Follower {
        cx,
        sensitive,
        uses: BTreeSet::new(),
        equals: BTreeMap::new(),
        doubt: None,
        texts: BTreeSet::new(),
        names: Names::of(cx.mode.dialect),
        only_reads: only_reads(shape),
        views,
        steps: STEPS,
    };
    let place = Place::default();
    let rows = match shape {
        Shape::Query(query) => follower.query(query, &place),
        Shape::Explained(query) => {
            follower.query(query, &place);
            Rows::unknown(Label::default())
        }
        // Beside its plan it prints values of rows.
        Shape::Printed(query) => Rows::unknown(follower.query(query, &place).whole()),
        Shape::Stored(query) => {
            let rows = follower.query(query, &place);
            follower.used(Purpose::Stores, rows.whole());
            Rows::unknown(Label::default())
        }
        Shape::Copied { table, columns } => follower.copied(table, columns),
        Shape::Opaque(what) => {
            follower.doubt = Some((*what).to_owned());
            Rows::unknown(Label::unknown())
        }
    };
    follower.count_equals();
    if follower.steps == 0 {
        let rest = if sensitive.is_empty() { Label::default() } else { Label::unknown() };
        let doubt = Some("all of it, because it is too long to be followed".to_owned());
        let (uses, texts) = (follower.uses, BTreeSet::from([None]));
        return Lineage { outputs: None, rest, uses, doubt, texts };
    }
    // In which set of characters MySQL tells a name is the session's to say.
    let told = |name: &&str| follower.names == Names::AsWritten || name.is_ascii();
    let output = |column: Named<'_>| OutputColumn {
        name: column.name.filter(told).map(str::to_owned),
        any_case: follower.names == Names::Folded,
        label: column.label,
    };
    Lineage {
        outputs: rows.columns.map(|columns| columns.into_iter().map(output).collect()),
        rest: rows.rest,
        uses: follower.uses,
        doubt: follower.doubt,
        texts: follower.texts,
    }
}

/// SELECT and its like, or a plan of one.
fn only_reads(shape: &Shape) -> bool {
    let (Shape::Query(query) | Shape::Explained(query) | Shape::Printed(query)) = shape else {
        return false;
    };
    match query.body {
        Body::Select(_) | Body::Set(_) | Body::Values(_) => true,
        Body::Write(_) | Body::Change(_) => false,
    }
}

struct Follower<'c> {
    cx: &'c Context<'c>,
    sensitive: &'c Sensitive,
    uses: BTreeSet<Use>,
    /// How many constants each condition compares which columns with, by where the condition stands: a
    /// recursive query is followed several times.
    equals: BTreeMap<usize, (Label, usize)>,
    /// What wasn't understood first.
    doubt: Option<String>,
    /// Parameters that have to be strings.
    texts: BTreeSet<Option<u16>>,
    /// How this server compares names.
    names: Names,
    /// What the server warns of makes such a statement not fail.
    only_reads: bool,
    views: Views,
    /// How much may still be looked at.
    steps: usize,
}

impl<'a> Follower<'a> {
    /// Pays for some work. False once all is spent: then nothing is looked at any more, and all of the
    /// statement is unknown.
    fn spend(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps.max(1));
        self.steps > 0
    }

    fn used(&mut self, purpose: Purpose, of: Label) {
        if !of.is_clear() {
            self.uses.insert(Use { purpose, of });
        }
    }

    /// All conditions of the statement ask together: `a = 1 OR a = 2` is `a IN (1, 2)`.
    fn count_equals(&mut self) {
        let mut all: BTreeMap<ColumnId, usize> = BTreeMap::new();
        for (label, constants) in std::mem::take(&mut self.equals).into_values() {
            for column in label.columns() {
                let asked = all.entry(column).or_default();
                *asked = asked.saturating_add(constants);
            }
        }
        for (column, constants) in all {
            self.used(Purpose::Equals(constants), Label::of(column));
        }
    }

    fn query(&mut self, query: &'a Query, place: &Place<'a>) -> Rows<'a> {
        if !self.spend(1) {
            return Rows::unknown(Label::unknown());
        }
        let mut place = place.clone();
        // Spec: each query of WITH RECURSIVE may name those behind it, and what is called the same is out
        // of sight. Fail closed: what such a one gives out isn't known yet.
        for cte in query.ctes.iter().filter(|_| query.recursive) {
            place = place.with_cte(&cte.name, Rc::new(Rows::unknown(self.anything())));
        }
        for cte in &query.ctes {
            let rows = self.cte(cte, query.recursive, &place);
            place = place.with_cte(&cte.name, Rc::new(rows));
        }
        let (rows, inside) = match &query.body {
            Body::Select(select) => self.select(select, &place),
            Body::Set(set) => (self.set(set, &place), None),
            Body::Values(values) => (self.values(values, &place), Some(place.clone())),
            Body::Write(write) => (self.write(write, &place), None),
            Body::Change(change) => self.change(change, &place),
        };
        for key in &query.sorted {
            self.key(key, &rows, inside.as_ref().unwrap_or(&place));
        }
        for limit in &query.limits {
            let label = self.value(limit, &place);
            self.used(Purpose::Computes, label);
        }
        rows
    }

    fn cte(&mut self, cte: &'a Cte, recursive: bool, place: &Place<'a>) -> Rows<'a> {
        let mut rows =
            if recursive { self.recursive(cte, place) } else { self.query(&cte.query, place) };
        rows.rename(&cte.columns);
        for name in &cte.cycle {
            let label =
                rows.named(name, self.names).map_or_else(|| self.anything(), |found| found.label);
            self.used(Purpose::Compares, label);
        }
        if cte.adds_columns {
            let whole = rows.whole();
            rows.append(&Rows::unknown(whole));
        }
        rows
    }

    /// What it gives out goes into it again, until nothing is added.
    fn recursive(&mut self, cte: &'a Cte, place: &Place<'a>) -> Rows<'a> {
        let Body::Set(set) = &cte.query.body else { return self.query(&cte.query, place) };
        // MySQL: several arms may name it, all but the first.
        let mut first = &set.left;
        while let Body::Set(inner) = &first.body
            && self.names == Names::Folded
            && first.ctes.is_empty()
        {
            first = &inner.left;
        }
        let mut before = place.clone();
        for inner in &cte.query.ctes {
            let rows = self.cte(inner, cte.query.recursive, &before);
            before = before.with_cte(&inner.name, Rc::new(rows));
        }
        let mut rows = self.query(first, &before);
        for _ in 0..ROUNDS {
            rows.rename(&cte.columns);
            let itself = place.with_cte(&cte.name, Rc::new(rows.clone()));
            let next = self.query(&cte.query, &itself);
            let grown = labels(&next) != labels(&rows);
            let fits = rows.or(&next);
            if !fits || !grown {
                return rows;
            }
        }
        Rows::unknown(Label::unknown())
    }

    fn set(&mut self, set: &'a SetOperation, place: &Place<'a>) -> Rows<'a> {
        let mut rows = self.query(&set.left, place);
        let right = self.query(&set.right, place);
        rows.or(&right);
        if set.compares {
            self.used(Purpose::Compares, rows.whole());
        }
        rows
    }

    fn values(&mut self, values: &'a [Vec<Expression>], place: &Place<'a>) -> Rows<'a> {
        let mut rows: Option<Rows<'a>> = None;
        for row in values {
            let columns = row.iter().map(|value| self.unnamed(value, place)).collect();
            let row = Rows::known(columns);
            match &mut rows {
                Some(rows) => drop(rows.or(&row)),
                None => rows = Some(row),
            }
        }
        // Spec: VALUES calls its columns column1, column2 … which nobody needs to know here.
        rows.unwrap_or_default()
    }

    fn unnamed(&mut self, value: &'a Expression, place: &Place<'a>) -> Named<'a> {
        let label = self.value(value, place);
        Named { name: None, made_up: None, is_odd: false, label, hidden: false, kind: None }
    }

    fn select(&mut self, select: &'a Select, place: &Place<'a>) -> (Rows<'a>, Option<Place<'a>>) {
        let mut tables = Vec::new();
        let mut star = Rows::known(Vec::new());
        for source in &select.from {
            let rows = self.source(source, place, &mut tables);
            star.append(&rows);
        }
        let inside = place.inside(&tables);
        let rows = self.outputs(&select.outputs, &star, &inside);
        self.conditions(&select.conditions, &inside);
        let inside = Place { sees_outputs: true, ..inside };
        self.conditions(&select.having, &inside);
        for key in &select.groups {
            self.key(key, &rows, &inside);
        }
        for value in &select.compared {
            let label = self.value(value, &inside);
            self.used(Purpose::Compares, label);
        }
        if select.distinct {
            self.used(Purpose::Compares, rows.whole());
        }
        (rows, Some(inside))
    }

    fn outputs(&mut self, outputs: &'a [Output], star: &Rows<'a>, place: &Place<'a>) -> Rows<'a> {
        let mut rows = Rows::known(Vec::new());
        for output in outputs {
            match output {
                Output::Star(before) if before.is_empty() => {
                    self.spend(star.width());
                    rows.append(star);
                }
                Output::Star(before) => {
                    let of = self.row_named(before, place);
                    self.spend(of.as_ref().map_or(1, |rows| rows.width()));
                    match of {
                        Some(of) => rows.append(&Rows::clone(&of).shown()),
                        None => rows.append(&Rows::unknown(Label::unknown())),
                    }
                }
                Output::Fields(row) => {
                    let fields = self.fields(row, place);
                    self.spend(fields.width());
                    rows.append(&fields);
                }
                Output::Value { name, made_up, is_odd, value } => {
                    let label = self.value(value, place);
                    let (name, made_up) = (name.as_deref(), made_up.as_deref());
                    if let (Some(name), Names::Folded) = (name, self.names) {
                        place.names_output(name, &label);
                    }
                    let kind = value.column.as_ref().and_then(|column| match self.names {
                        Names::AsWritten => None,
                        Names::Folded => self.kind_of(column, place),
                    });
                    let is_odd = *is_odd;
                    let column = Named { name, made_up, is_odd, label, hidden: false, kind };
                    rows.append(&Rows::known(vec![column]));
                }
            }
            if self.steps == 0 {
                break;
            }
        }
        rows
    }

    /// Sorted or grouped by it. A bare name may be an output's or a column's: both count.
    fn key(&mut self, key: &'a Key, rows: &Rows<'a>, place: &Place<'a>) {
        let label = match key {
            Key::Place(number) => {
                let columns = rows.columns.as_deref();
                let column = number.checked_sub(1).and_then(|at| columns?.get(at));
                column.map_or_else(|| rows.whole(), |column| column.label.clone())
            }
            Key::Value(value) => {
                let bare = value.column.as_ref().and_then(Reference::bare);
                let output = bare.and_then(|name| rows.named(name, self.names));
                match (output, value.column.as_ref()) {
                    (Some(output), Some(column)) => {
                        let mut label = output.label;
                        let found = self.find(column, place);
                        // An output whose name nobody knows need not be meant.
                        let unknown =
                            || if output.certain { Label::default() } else { self.anything() };
                        label.or(&found.unwrap_or_else(unknown));
                        label
                    }
                    _ => self.value(value, place),
                }
            }
        };
        self.used(Purpose::Compares, label);
    }

    fn conditions(&mut self, conditions: &'a [Condition], place: &Place<'a>) {
        for condition in conditions {
            match condition {
                Condition::Equals { column, constants, classes } => {
                    let label = self.reference(column, place);
                    if label.is_derived() || !self.fits(&label, classes) {
                        self.used(Purpose::Filters, label);
                    } else {
                        let at = std::ptr::from_ref(condition).addr();
                        self.equals.insert(at, (label, *constants));
                    }
                }
                Condition::IsNull(column) => {
                    let label = self.asked_null(column, place);
                    self.used(Purpose::Filters, label);
                }
                Condition::Joins(left, right) => {
                    let mut label = self.reference(left, place);
                    label.or(&self.reference(right, place));
                    self.used(Purpose::Filters, label);
                }
                Condition::Other(value) => {
                    let label = self.value(value, place);
                    self.used(Purpose::Filters, label);
                }
            }
        }
    }
}

fn labels(rows: &Rows<'_>) -> (Option<Vec<Label>>, Label) {
    let columns = rows.columns.as_ref();
    (columns.map(|columns| columns.iter().map(|c| c.label.clone()).collect()), rows.rest.clone())
}
