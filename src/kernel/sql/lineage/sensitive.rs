//! Which columns are marked, and which others show the same values: those of views, partitions and
//! generated columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::kernel::{
    catalog::{Catalog, Relation},
    sql::{
        context::{Context, Overlay, SearchPath, Trust},
        lex,
        lineage::{ColumnId, Label, follow, shape::Shape},
        mode::{Dialect, LexMode},
        mysql, server_grammar,
        text::StatementText,
    },
};

/// The marked columns of one target, with all that shows them, as its catalog has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sensitive {
    labels: HashMap<u32, BTreeMap<i16, Label>>,
    /// Columns of views, and generated ones, of which it shows whether they are computed.
    noticed: BTreeSet<(u32, i16)>,
    marks: usize,
    blind: bool,
    /// There are rules: what the catalog doesn't know may be marked.
    watches: bool,
}

impl Sensitive {
    /// Nothing is marked, and nothing will be.
    pub fn is_empty(&self) -> bool {
        self.marks == 0 && !self.blind && !self.watches
    }

    /// The same where rules may hold for what the catalog doesn't know yet.
    #[must_use]
    pub fn watching(self) -> Self {
        Self { watches: true, ..self }
    }

    /// Nobody knows what is marked: every column may be.
    pub fn blind() -> Self {
        Self { blind: true, ..Self::default() }
    }

    /// True if nobody knows what is marked.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// What a column tells.
    pub fn label(&self, relation: u32, column: i16) -> Label {
        if self.blind {
            return Label::unknown();
        }
        let labels = self.labels.get(&relation);
        let mut label = labels.and_then(|labels| labels.get(&column)).cloned().unwrap_or_default();
        label.noticed |= self.noticed.contains(&(relation, column));
        label
    }

    /// True if any column of the relation tells something.
    pub fn reaches(&self, relation: u32) -> bool {
        self.blind || self.labels.contains_key(&relation)
    }

    /// From the marked columns to all that show them: what inherits from them or is a partition, what
    /// these belong to, generated columns, and views and materialized views, by their queries.
    pub fn compile(marked: impl IntoIterator<Item = ColumnId>, catalog: &Catalog) -> Self {
        let mut sensitive = Self::default();
        for column in marked {
            sensitive.marks += 1;
            sensitive.add(column.relation, column.number, &Label::of(column));
        }
        if sensitive.is_empty() {
            return sensitive;
        }
        let views: Vec<_> = catalog.relations().filter(|r| r.definition.is_some()).collect();
        let mode = mode_of(catalog);
        let shapes: Vec<_> = views.iter().map(|view| (*view, shape_of(view, mode))).collect();
        // Each round adds at least one label, and there are so many columns only.
        while sensitive.inherit(catalog)
            | sensitive.generate(catalog)
            | sensitive.view(&shapes, catalog)
        {}
        sensitive
    }

    /// True if that is news.
    fn add(&mut self, relation: u32, column: i16, label: &Label) -> bool {
        let shows = label.noticed && self.noticed.insert((relation, column));
        if label.is_clear() {
            return shows;
        }
        let known = self.labels.entry(relation).or_default().entry(column).or_default();
        let before = known.clone();
        known.or(label);
        shows || *known != before
    }

    /// A table's rows are its parents' too, and what is said of a parent's column holds for its own.
    fn inherit(&mut self, catalog: &Catalog) -> bool {
        let mut grown = false;
        for child in catalog.relations().filter(|r| !r.parents.is_empty()) {
            for parent in child.parents.iter().filter_map(|oid| catalog.relation_by_oid(*oid)) {
                for column in &child.columns {
                    let Some(above) = parent.columns.iter().find(|c| c.name == column.name) else {
                        continue;
                    };
                    let (down, up) = (
                        self.label(parent.oid, above.number),
                        self.label(child.oid, column.number),
                    );
                    grown |= self.add(child.oid, column.number, &down);
                    grown |= self.add(parent.oid, above.number, &up);
                }
            }
        }
        grown
    }

    /// A generated column tells what its expression does.
    fn generate(&mut self, catalog: &Catalog) -> bool {
        let mut grown = false;
        for table in catalog.relations() {
            for column in &table.columns {
                let Some(expression) = &column.generated else { continue };
                if catalog.dialect != Dialect::Postgres {
                    let label = self.named_in(expression, table);
                    grown |= self.add(table.oid, column.number, &label);
                    continue;
                }
                let text = format!("SELECT {expression} FROM {}", quoted(table));
                // A generated column is made of its own row.
                let unknown = || {
                    if self.reaches(table.oid) {
                        Label::unknown()
                    } else {
                        Label::default().noticed()
                    }
                };
                let shape = read(&text, LexMode::POSTGRES);
                let outputs = shape.and_then(|shape| self.outputs(&shape, catalog, table));
                let label = outputs
                    .map_or_else(unknown, |labels| labels.into_iter().next().unwrap_or_default());
                grown |= self.add(table.oid, column.number, &label.computed());
            }
        }
        grown
    }

    /// What the columns of its own row tell that an expression of MySQL may name: the server prints every
    /// name in backticks. What stands in its texts may look like one; then it is said to tell more.
    fn named_in(&self, expression: &str, table: &Relation) -> Label {
        let printed = expression.to_lowercase();
        if !printed.contains('`') && self.reaches(table.oid) {
            return Label::unknown();
        }
        let mut label = Label::default();
        for column in &table.columns {
            let quoted = format!("`{}`", column.name.replace('`', "``").to_lowercase());
            if printed.contains(&quoted) {
                label.or(&self.label(table.oid, column.number));
            }
        }
        label.computed().noticed()
    }

    fn view(&mut self, shapes: &[(&Relation, Option<Shape>)], catalog: &Catalog) -> bool {
        let mut grown = false;
        for (view, shape) in shapes {
            let reads = view.reads.iter().any(|oid| self.labels.contains_key(oid));
            let outputs = shape.as_ref().and_then(|shape| self.outputs(shape, catalog, view));
            for (at, column) in view.columns.iter().enumerate() {
                let label = match &outputs {
                    Some(outputs) if outputs.len() == view.columns.len() => {
                        outputs.get(at).cloned()
                    }
                    // Fail closed: nobody knows which column is which.
                    _ => None,
                };
                let unknown = if reads { Label::unknown() } else { Label::default().noticed() };
                grown |= self.add(view.oid, column.number, &label.unwrap_or(unknown));
            }
        }
        grown
    }

    /// The labels of a query's outputs; `None`: nobody knows how many there are.
    fn outputs(&self, shape: &Shape, catalog: &Catalog, of: &Relation) -> Option<Vec<Label>> {
        // The catalog prints every name with its schema.
        let schema = match catalog.dialect {
            Dialect::Postgres => "pg_catalog",
            Dialect::MySql | Dialect::MariaDb => &of.schema,
        };
        let cx = Context {
            mode: mode_of(catalog),
            catalog,
            path: &SearchPath::Known(vec![schema.to_owned()]),
            overlay: &Overlay::default(),
            trust: &Trust::default(),
        };
        let lineage = follow(shape, &cx, self);
        let outputs = lineage.outputs?;
        Some(outputs.into_iter().map(|output| output.label).collect())
    }
}

/// How the server's own texts of definitions are to be read.
fn mode_of(catalog: &Catalog) -> LexMode {
    match catalog.dialect {
        Dialect::Postgres => LexMode::POSTGRES,
        Dialect::MySql => LexMode { version: catalog.server_version_num, ..LexMode::MYSQL },
        Dialect::MariaDb => LexMode { version: catalog.server_version_num, ..LexMode::MARIADB },
    }
}

fn shape_of(view: &Relation, mode: LexMode) -> Option<Shape> {
    read(view.definition.as_deref()?, mode)
}

pub(super) fn read(text: &str, mode: LexMode) -> Option<Shape> {
    let readings = match mode.dialect {
        Dialect::Postgres => server_grammar::read(text, mode).ok()?,
        Dialect::MySql | Dialect::MariaDb => {
            let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
            let tokens = lex::tokenize(&checked, mode, &lex::Limits::DEFAULT).ok()?;
            mysql::read_tokens(text, &tokens, mode).ok()?
        }
    };
    let [only] = readings.as_slice() else { return None };
    only.shape.as_deref().cloned()
}

fn quoted(relation: &Relation) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quote(&relation.schema), quote(&relation.name))
}
