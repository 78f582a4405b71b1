//! The rules of one version as they fall on one target: which of its columns are masked, how, and what
//! becomes of the outputs of one statement.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Column, ColumnFacts, ColumnType, Format, Key, Mask, Nulls, Plan, Predicates, Rules,
    algorithm::Algorithm,
};
use crate::kernel::{
    catalog::Catalog,
    sql::{
        lineage::{ColumnId, Label, Lineage, Sensitive},
        seen::{Seen, SeenColumn},
    },
};

/// The masked columns of a target, by its catalog of one reading and the rules of one version.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    version: u64,
    sensitive: Sensitive,
    marked: HashMap<ColumnId, Marked>,
    /// What the users' types hold.
    kinds: Arc<HashMap<u32, ColumnType>>,
    users_types: bool,
    key: Option<Arc<Key>>,
    rules: Arc<Rules>,
    target: String,
}

/// A column that a rule holds for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marked {
    /// Its schema.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// The rule's place in its version, from 1.
    pub rule: usize,
    /// The rule goes by the column's comment.
    pub by_comment: bool,
    /// How it is masked.
    pub with: Arc<Algorithm>,
    /// What becomes of NULL.
    pub nulls: Nulls,
    /// What may be asked of it.
    pub predicates: Predicates,
}

impl std::fmt::Display for Marked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.schema, self.table, self.column)
    }
}

impl Marks {
    /// Looks each column of the catalog up in the rules. `holds` says what a type of the server's own of
    /// that oid holds.
    pub fn compile(
        rules: &Rules,
        target: &str,
        catalog: &Catalog,
        key: Arc<Key>,
        holds: impl Fn(u32) -> ColumnType,
    ) -> Self {
        if !rules.concern(target) {
            return Self { version: rules.version, ..Self::default() };
        }
        let mut marked = HashMap::new();
        let mut users_types = false;
        let users = catalog.relations().filter(|r| r.oid >= FIRST_USER_OID);
        for relation in users {
            for column in &relation.columns {
                let facts = ColumnFacts {
                    schema: &relation.schema,
                    table: &relation.name,
                    column: &column.name,
                    type_name: &column.type_name,
                    comment: catalog.comment(relation.oid, column.number),
                };
                let Some((place, rule)) = rules.first(target, &facts) else { continue };
                users_types |= column.type_oid >= FIRST_USER_OID;
                let held = catalog.kinds().get(&column.type_oid).copied();
                let of_type = || {
                    let held = held.unwrap_or_else(|| holds(column.type_oid));
                    Predicates::of(held, declared_length(&column.type_name))
                };
                let never = |value: &str| !catalog.has_label(column.type_oid, value);
                let with = if matches!(&rule.with, Algorithm::Fixed { value } if never(value)) {
                    Algorithm::Null
                } else {
                    rule.with.clone()
                };
                let id = ColumnId { relation: relation.oid, number: column.number };
                let mark = Marked {
                    schema: relation.schema.clone(),
                    table: relation.name.clone(),
                    column: column.name.clone(),
                    rule: place.saturating_add(1),
                    by_comment: rule.is_by_comment(),
                    with: Arc::new(with),
                    nulls: rule.nulls,
                    predicates: rule.predicates.unwrap_or_else(of_type),
                };
                marked.insert(id, mark);
            }
        }
        let sensitive = Sensitive::compile(marked.keys().copied(), catalog).watching();
        let kinds = Arc::clone(catalog.kinds());
        Self {
            version: rules.version,
            sensitive,
            marked,
            kinds,
            users_types,
            key: Some(key),
            rules: Arc::new(rules.clone()),
            target: target.to_owned(),
        }
    }

    /// Nobody knows which columns are masked: all of them may be. Without a key no result has a plan, so
    /// that no row of what may be masked goes out.
    pub fn blind(version: u64, key: Option<Arc<Key>>) -> Self {
        Self { version, sensitive: Sensitive::blind(), key, ..Self::default() }
    }

    /// The version of the rules.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// True if no column is masked, and none that the catalog doesn't know yet.
    pub fn is_empty(&self) -> bool {
        self.sensitive.is_empty()
    }

    /// What each column of the catalog tells of masked ones.
    pub fn sensitive(&self) -> &Sensitive {
        &self.sensitive
    }

    /// True if a masked column is of a type that isn't the server's own, or may be: a domain, an enum, a
    /// composite.
    pub fn has_users_types(&self) -> bool {
        self.users_types || self.sensitive.is_blind()
    }

    /// True if a rule means columns by their type.
    pub fn goes_by_types(&self) -> bool {
        self.rules.go_by_types(&self.target)
    }

    /// True if some rule hides what is NULL.
    pub fn hides_nulls(&self) -> bool {
        self.sensitive.is_blind() || self.marked.values().any(|mark| mark.nulls == Nulls::Hidden)
    }

    /// The rule's word on a column.
    pub fn marked(&self, column: ColumnId) -> Option<&Marked> {
        self.marked.get(&column)
    }

    /// True if the same columns are masked in the same way.
    pub fn masks_the_same(&self, other: &Self) -> bool {
        self.sensitive.is_blind() == other.sensitive.is_blind() && self.marked == other.marked
    }

    /// True if it hides a column that other marks hide in another way or not at all. `reached`: which ones
    /// matter; `None`: all do.
    pub fn hides_more(
        &self,
        than: Option<&Self>,
        shown: &Shown,
        reached: Option<&BTreeSet<ColumnId>>,
    ) -> bool {
        let hides = |column: &ColumnId, mark: &Marked| {
            let before = than.and_then(|marks| marks.marked(*column));
            let same = before.is_some_and(|old| old.with == mark.with && old.nulls == mark.nulls);
            let matters = reached.is_none_or(|columns| columns.contains(column));
            matters && !same && !shown.columns.contains(column)
        };
        let blind =
            self.sensitive.is_blind() && !than.is_some_and(|marks| marks.sensitive.is_blind());
        !shown.all && (blind || self.marked.iter().any(|(column, mark)| hides(column, mark)))
    }

    /// Masked columns that some column of these relations shows.
    pub fn reach(
        &self,
        relations: impl Iterator<Item = u32>,
        catalog: &Catalog,
    ) -> BTreeSet<ColumnId> {
        let mut reach = BTreeSet::new();
        for oid in relations.filter(|oid| self.sensitive.reaches(*oid)) {
            let columns =
                catalog.relation_by_oid(oid).map(|r| r.columns.as_slice()).unwrap_or_default();
            for column in columns {
                reach.extend(self.sensitive.label(oid, column.number).columns());
            }
        }
        reach
    }

    /// True if some rule may hold for a column that the catalog doesn't know yet.
    pub fn may_mean(&self, relation: &Seen, column: &SeenColumn) -> bool {
        let facts = ColumnFacts {
            schema: &relation.schema,
            table: &relation.name,
            column: &column.name,
            type_name: &column.type_name,
            comment: column.comment.as_deref(),
        };
        self.rules.may_mean(&self.target, &facts, column.of_users_type)
    }

    /// What becomes of a value that carries this label, where these columns may be seen.
    pub fn mask_of(&self, label: &Label, shown: &Shown) -> Option<(Mask, Nulls)> {
        if label.is_clear() || shown.all {
            return None;
        }
        if label.is_unknown() {
            return Some((Mask::Whole, Nulls::Hidden));
        }
        let hidden = || label.columns().filter(|c| !shown.columns.contains(c));
        let mut rules = hidden().map(|column| self.marked.get(&column));
        let first = rules.next()?;
        let nulls = |mark: &Marked| mark.nulls == Nulls::Hidden;
        let hides = hidden().filter_map(|c| self.marked.get(&c)).any(nulls);
        let nulls = if hides { Nulls::Hidden } else { Nulls::Stay };
        let mask = match first {
            Some(mark) if !label.is_derived() => rules
                .all(|other| other.is_some_and(|other| other.with == mark.with))
                .then(|| Mask::Column(Arc::clone(&mark.with))),
            _ => None,
        };
        Some(match mask {
            // It may be NULL because of a value: `NULLIF(salary, 1000)`.
            None if label.is_derived() => (Mask::Whole, Nulls::Hidden),
            None => (Mask::Whole, nulls),
            Some(mask) => (mask, nulls),
        })
    }
}

/// True of a value that doesn't go out as it is: it may tell of a column that isn't shown.
fn masks(label: &Label, shown: &Shown) -> bool {
    let may = label.is_unknown() || label.columns().any(|c| !shown.columns.contains(&c));
    may && !label.is_clear() && !shown.all
}

/// Oids below are the server's own.
pub(crate) const FIRST_USER_OID: u32 = 16_384;

/// `character varying(20)`: 20.
pub fn declared_length(type_name: &str) -> Option<u32> {
    let (name, rest) = type_name.split_once('(')?;
    let is_text = matches!(name, "character varying" | "character" | "varchar" | "bpchar");
    let length = rest.trim_end_matches("[]").strip_suffix(')')?;
    is_text.then(|| length.parse().ok()).flatten()
}

/// Which masked columns a session may see in clear.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// All of the target, unknown ones too.
    pub all: bool,
    /// These.
    pub columns: BTreeSet<ColumnId>,
}

/// What one statement does with masked columns.
#[derive(Clone, Debug)]
pub struct Masked {
    /// What its outputs tell.
    pub lineage: Lineage,
    /// Masked columns in any relation that it touches: errors and notices may quote them.
    pub reach: BTreeSet<ColumnId>,
    /// It runs code that may quote anything.
    pub reaches_anything: bool,
    /// By which rules.
    pub marks: Arc<Marks>,
}

impl PartialEq for Masked {
    fn eq(&self, other: &Self) -> bool {
        self.lineage == other.lineage
            && self.reach == other.reach
            && self.reaches_anything == other.reaches_anything
            && self.marks.version == other.marks.version
    }
}

impl Eq for Masked {}

impl Masked {
    /// All masked columns that its result or an error of it may tell of.
    pub fn columns(&self) -> BTreeSet<ColumnId> {
        let outputs = self.lineage.outputs.iter().flatten().flat_map(|o| o.label.columns());
        self.reach.iter().copied().chain(outputs).chain(self.lineage.rest.columns()).collect()
    }

    /// The masked columns that its result tells of, or that it asks something of.
    pub fn told(&self) -> BTreeSet<ColumnId> {
        let outputs = self.lineage.outputs.iter().flatten().flat_map(|o| o.label.columns());
        let uses = self.lineage.uses.iter().flat_map(|one| one.of.columns());
        outputs.chain(self.lineage.rest.columns()).chain(uses).collect()
    }

    /// True if nobody knows what some output tells.
    pub fn is_unknown(&self) -> bool {
        self.lineage.gives_unknown()
    }

    /// True if it does something with what nobody knows.
    pub fn guesses(&self) -> bool {
        self.is_unknown() || self.lineage.uses.iter().any(|one| one.of.is_unknown())
    }

    /// Of a statement that nobody has read.
    pub fn unknown(marks: &Arc<Marks>) -> Self {
        let lineage = Lineage { rest: Label::unknown(), ..Lineage::default() };
        let marks = Arc::clone(marks);
        Self { lineage, reach: BTreeSet::new(), reaches_anything: true, marks }
    }

    /// True if some output doesn't go out as it is.
    pub fn masks_any(&self, shown: &Shown) -> bool {
        let outputs = self.lineage.outputs.iter().flatten().map(|output| &output.label);
        let mut labels = outputs.chain([&self.lineage.rest]);
        labels.any(|label| masks(label, shown))
    }

    /// The same where its rows don't come out.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let lineage = Lineage { uses: self.lineage.uses.clone(), ..Lineage::default() };
        Self { lineage, ..self.clone() }
    }

    /// What has to happen to its result. `None`: nothing, all that it reaches may be seen.
    pub fn order(self: &Arc<Self>, shown: &Arc<Shown>) -> Option<Order> {
        if shown.all {
            return None;
        }
        let scrubs = self.reaches_anything || self.reach.iter().any(|c| !shown.columns.contains(c));
        let masks = self.masks_any(shown);
        (scrubs || masks).then(|| Order {
            masks,
            masked: Arc::clone(self),
            shown: Arc::clone(shown),
            scrubs,
            refuses: false,
        })
    }
}

/// What has to happen to the result of one statement that runs.
#[derive(Clone, Debug)]
pub struct Order {
    masked: Arc<Masked>,
    shown: Arc<Shown>,
    scrubs: bool,
    masks: bool,
    refuses: bool,
}

/// A column of a result as its header describes it: the second witness.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Described<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The relation that it comes from, 0 if it is computed.
    pub relation: u32,
    /// That relation's column; 0 if it is a whole row, or computed.
    pub number: i16,
    /// What it holds.
    pub holds: ColumnType,
    /// How its cells travel.
    pub format: Format,
}

/// Why a result has no plan, so that it must not go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mismatch {
    /// A header that isn't what the statement was judged to have: nobody knows which column is which.
    #[error("the result has another shape than the statement was judged to have")]
    Shape,
    /// Nobody knows what it tells, and what isn't known is refused.
    #[error("nobody knows what the result tells")]
    Unknown,
}

impl Order {
    /// The same where what isn't known is refused instead of being masked whole.
    #[must_use]
    pub fn refusing(self, refuses: bool) -> Self {
        Self { refuses, ..self }
    }

    /// What a user's type holds. `None`: nobody knows, or the type is the server's own.
    pub fn holds(&self, type_oid: u32) -> Option<ColumnType> {
        self.masked.marks.kinds.get(&type_oid).copied()
    }

    /// True if texts of the server's about the statement may quote masked values.
    pub fn scrubs(&self) -> bool {
        self.scrubs
    }

    /// True if some output is known not to go out as it is.
    pub fn masks(&self) -> bool {
        self.masks
    }

    /// What becomes of each cell. Either witness is enough for a mask.
    ///
    /// # Errors
    /// [`Mismatch`]: the result must not go out.
    pub fn plan(&self, columns: &[Described<'_>]) -> Result<Plan, Mismatch> {
        if self.refuses && self.masked.is_unknown() {
            return Err(Mismatch::Unknown);
        }
        if let Some(outputs) = &self.masked.lineage.outputs {
            let mut pairs = outputs.iter().zip(columns);
            let called = pairs.all(|(output, column)| output.may_be_called(column.name));
            if outputs.len() != columns.len() || !called {
                return Err(Mismatch::Shape);
            }
        }
        // Fail closed: without a key there are no rules, and then there is no order either.
        let key = self.masked.marks.key.as_ref().ok_or(Mismatch::Shape)?;
        let masks = columns.iter().enumerate().map(|(at, column)| {
            let mask = self.mask_at(at, column);
            Column { holds: column.holds, format: column.format, mask }
        });
        Ok(Plan::new(masks, key))
    }

    /// True if the cells of this column don't go out as they are.
    pub fn masks_at(&self, at: usize, column: &Described<'_>) -> bool {
        self.mask_at(at, column).is_some()
    }

    fn mask_at(&self, at: usize, column: &Described<'_>) -> Option<(Mask, Nulls)> {
        self.by_lineage(at).or_else(|| self.by_origin(column))
    }

    fn by_lineage(&self, at: usize) -> Option<(Mask, Nulls)> {
        let label = match &self.masked.lineage.outputs {
            Some(outputs) => &outputs.get(at)?.label,
            None if self.masked.lineage.rest.is_clear() => return None,
            // Any of them may be it.
            None => return Some((Mask::Whole, Nulls::Hidden)),
        };
        self.masked.marks.mask_of(label, &self.shown)
    }

    fn by_origin(&self, column: &Described<'_>) -> Option<(Mask, Nulls)> {
        let sensitive = &self.masked.marks.sensitive;
        match (column.relation, column.number) {
            (0, _) => None,
            (relation, number) if number > 0 => {
                self.masked.marks.mask_of(&sensitive.label(relation, number), &self.shown)
            }
            (relation, 0) if sensitive.reaches(relation) => Some((Mask::Whole, Nulls::Hidden)),
            // System columns.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
