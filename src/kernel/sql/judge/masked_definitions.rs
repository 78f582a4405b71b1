//! Changes of definitions where columns are masked: those that fail or not by a masked value, and those
//! that part masked columns from the rules that know them by name, need unmask. All others are a
//! migration like any other.

use crate::kernel::{
    access::Permission,
    catalog::Relation,
    mask::marks::Marks,
    sql::{
        analysis::{Analysis, Need, NeedOn},
        context::Context,
        judge::{meanings, names::Resolved},
        lineage::ColumnId,
        reading::{Access, Definition, RawName, Reading, StatementKind},
    },
};

/// Adds what the statement's definitions need.
pub(super) fn need(analysis: &mut Analysis, reading: &Reading, cx: &Context<'_>) {
    let mut needs = Needs { analysis, cx, marks: &cx.catalog.marks };
    let Some(definitions) = &reading.defines else { return needs.unknown(reading) };
    for definition in definitions {
        needs.definition(definition);
    }
    if definitions.contains(&Definition::Runs) {
        needs.code(reading);
    }
}

struct Needs<'n, 'c> {
    analysis: &'n mut Analysis,
    cx: &'c Context<'c>,
    marks: &'c Marks,
}

impl<'c> Needs<'_, 'c> {
    fn definition(&mut self, definition: &Definition) {
        match definition {
            Definition::Columns { of, columns, made, what } => {
                for relation in self.reached(of) {
                    for name in columns {
                        self.column(relation, name, made.contains(name), what);
                    }
                }
            }
            Definition::Whole { of, what } => {
                for relation in self.reached(of) {
                    self.whole(relation, format!("{what} {of}, which has masked columns"));
                }
            }
            Definition::Nulls { of, column } => {
                for relation in self.reached(of) {
                    if self.marks.hides_nulls() {
                        self.column(relation, column, false, "looks for NULL in");
                    }
                }
            }
            Definition::Runs => {}
            Definition::Drops { of, column } => {
                for relation in self.reached(of) {
                    self.drops(relation, column);
                }
            }
            Definition::Key(of) => {
                for relation in self.reached(of) {
                    self.numbers(relation, &relation.primary_key, "refers to");
                }
            }
            Definition::Partition(of) => {
                for relation in self.reached(of) {
                    self.numbers(relation, &relation.partition_key, "parts rows by");
                }
            }
            Definition::Joins { part, whole } => self.joins(part, whole),
            Definition::Leaves(part) => self.leaves(part),
            Definition::Schema(name) => {
                let sensitive = self.marks.sensitive();
                let mut inside = self.cx.catalog.relations().filter(|r| r.schema == *name);
                if inside.any(|r| sensitive.reaches(r.oid)) {
                    let why = format!("renames the schema {name}, which has masked columns");
                    self.anywhere(why);
                }
            }
            Definition::Types(what) => {
                if self.marks.has_users_types() {
                    self.anywhere(format!("{what}, and masked columns may be of it"));
                }
            }
        }
    }

    /// Nobody has read what it touches: all that it defines.
    fn unknown(&mut self, reading: &Reading) {
        let copies = reading.kinds.contains(&StatementKind::SchemaChange)
            || reading.kinds.contains(&StatementKind::CreateCode);
        let defined = reading.relations.iter().filter(|r| r.access == Access::Define && copies);
        for used in defined {
            for relation in self.reached(&used.name) {
                let why = format!("{} has masked columns, and its definition changes", used.name);
                self.whole(relation, why);
            }
        }
    }

    /// What code of the users' makes of the rows there are is stored: as defaults, in indexes.
    fn code(&mut self, reading: &Reading) {
        let untrusted = |name: &RawName| {
            let routines = self.cx.catalog.routines_named(name.base());
            routines
                .filter(|routine| name.schema().is_none_or(|schema| routine.schema == schema))
                .any(|r| r.extension.is_none() && self.cx.trust.permission_for(r).is_none())
        };
        let found = reading.routines.iter().find(|routine| untrusted(&routine.name));
        if let Some(routine) = found {
            let why = format!("stores what {} makes, which may be of masked columns", routine.name);
            self.anywhere(why);
        }
    }

    fn reached(&self, name: &RawName) -> Vec<&'c Relation> {
        let sensitive = self.marks.sensitive();
        self.known(name).into_iter().filter(|relation| sensitive.reaches(relation.oid)).collect()
    }

    fn known(&self, name: &RawName) -> Vec<&'c Relation> {
        let meanings = meanings(name, self.cx);
        let all = std::iter::once(meanings.first).chain(meanings.others);
        all.filter_map(|meaning| match meaning {
            Resolved::User(relation) => Some(relation),
            Resolved::Catalog { .. } | Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                None
            }
        })
        .collect()
    }

    /// Fail closed: a name that is no column that anybody knows may be a row, a function of it, or a column of
    /// a moment ago. `made`: the statement makes it, if it isn't there.
    fn column(&mut self, relation: &Relation, name: &str, made: bool, what: &str) {
        let seen = self.cx.overlay.sight().and_then(|sight| sight.of(relation.oid));
        let number = match seen {
            Some(seen) => match seen.columns.iter().find(|column| column.name == name) {
                // Nobody has read what it is computed from; and a rule may mean it.
                Some(column) if column.generated || self.marks.may_mean(seen, column) => {
                    let why = format!("{what} {}.{name}, which may be masked", relation.name);
                    return self.whole(relation, why);
                }
                Some(column) => Some(column.number),
                None => None,
            },
            None => relation.columns.iter().find(|c| c.name == name).map(|c| c.number),
        };
        match number {
            Some(number) => self.number(relation, number, what),
            None if made => {}
            None => {
                let why = format!(
                    "{what} {}.{name}, which nobody knows, beside masked columns",
                    relation.name
                );
                self.whole(relation, why);
            }
        }
    }

    fn numbers(&mut self, relation: &Relation, numbers: &[i16], what: &str) {
        for number in numbers {
            match number {
                0 => {
                    let why = format!(
                        "{what} an expression of {}, which has masked columns",
                        relation.name
                    );
                    self.whole(relation, why);
                }
                number => self.number(relation, *number, what),
            }
        }
    }

    fn number(&mut self, relation: &Relation, number: i16, what: &str) {
        if self.is_masked(relation, number) {
            let name =
                relation.columns.iter().find(|c| c.number == number).map(|c| c.name.as_str());
            let name = name.unwrap_or_default();
            let column = format!("{}.{}.{name}", relation.schema, relation.name);
            self.whole(relation, format!("{what} {column}, which is masked"));
        }
    }

    fn is_masked(&self, relation: &Relation, number: i16) -> bool {
        !self.marks.sensitive().label(relation.oid, number).is_clear()
    }

    /// A table that inherits a column may keep it where its parent's goes, and with that what the parent's
    /// rule knew it by.
    fn drops(&mut self, relation: &Relation, name: &str) {
        let column = relation.columns.iter().find(|column| column.name == name);
        let Some(column) = column.filter(|c| self.is_masked(relation, c.number)) else { return };
        let mut heirs = self.cx.catalog.relations().filter(|r| r.parents.contains(&relation.oid));
        if heirs.any(|heir| !heir.is_partition) {
            let of = format!("{}.{}.{}", relation.schema, relation.name, column.name);
            let why =
                format!("drops {of}, which is masked, and tables that inherit it may keep it");
            self.whole(relation, why);
        }
    }

    /// Where both call the same column masked, its rows are so under either name at once.
    fn joins(&mut self, part: &RawName, whole: &RawName) {
        let (parts, wholes) = (self.known(part), self.known(whole));
        for part in &parts {
            let reached = self.marks.sensitive().reaches(part.oid);
            if wholes.is_empty() && reached {
                let why = format!("shows rows of {} in {whole}, masked columns too", part.name);
                self.whole(part, why);
            }
            for whole in &wholes {
                self.alike(part, whole);
            }
        }
    }

    fn alike(&mut self, part: &Relation, whole: &Relation) {
        for column in &part.columns {
            let above = whole.columns.iter().find(|c| c.name == column.name);
            let above = above.is_some_and(|above| self.is_masked(whole, above.number));
            if above == self.is_masked(part, column.number) {
                continue;
            }
            let why = format!(
                "joins {} and {}, of which one has {} masked and the other has not",
                part.name, whole.name, column.name
            );
            self.whole(if above { whole } else { part }, why);
        }
    }

    /// What is masked because its parent's is needs a rule of its own from then on.
    fn leaves(&mut self, name: &RawName) {
        let meanings = meanings(name, self.cx);
        let is_known = meanings.all().all(|meaning| matches!(meaning, Resolved::User(_)));
        if !is_known {
            // Fail closed: it may have been made a part a moment ago.
            self.anywhere(format!("parts {name} from what it belongs to, which nobody knows yet"));
        }
        for relation in self.reached(name) {
            let bare = relation.columns.iter().find(|column| {
                let id = ColumnId { relation: relation.oid, number: column.number };
                self.is_masked(relation, column.number) && self.marks.marked(id).is_none()
            });
            if let Some(column) = bare {
                let why = format!(
                    "parts {name} from what it belongs to, and no rule by its own name masks {}",
                    column.name
                );
                self.whole(relation, why);
            }
        }
    }

    fn whole(&mut self, relation: &Relation, why: String) {
        let (schema, name) = (relation.schema.clone(), relation.name.clone());
        self.add(NeedOn::Relation { schema, name, of: Vec::new() }, why);
    }

    fn anywhere(&mut self, why: String) {
        self.add(NeedOn::WholeTarget, why);
    }

    fn add(&mut self, on: NeedOn, why: String) {
        self.analysis.needs.push(Need { permission: Permission::Unmask, on, why });
    }
}
