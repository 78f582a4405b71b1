//! Which columns are sensitive and how they are masked: versions of the rules, and the key of hashes.
//!
//! A change makes a new version that holds all rules; older ones stay as they were. What cores go by
//! is a [`Masks`], read in the same transaction as the rest of a snapshot.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    kernel::{
        access::Duty,
        ids::TargetName,
        mask::{
            Algorithm, Key, Nulls, Predicates, Rule, Rules,
            pattern::{ColumnPattern, PatternError, TextPattern},
            rule::Selector,
        },
        secret::Secret,
        time::Timestamp,
    },
    store::{
        Actor, Error, Store,
        db::{Row, Tx, values},
        outbox::Act,
        schema::{KEY_BYTES, random},
        snapshot::meta,
    },
};

/// The most rules of one version.
pub const MASK_RULES_MAX: usize = 1000;

/// The most rules that one record names; of the others their number is.
const NAMED_MAX: usize = 100;

/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 500;

const OWNER: &[Duty] = &[Duty::Owner];

const CURRENT: &str = "SELECT version, at, by_actor, note, rules FROM mask_versions \
     ORDER BY version DESC LIMIT 1";

/// What masking goes by: the rules in force, and the key of hashes and shifts.
#[derive(Clone, Debug)]
pub struct Masks {
    /// The rules, with their version.
    pub rules: Arc<Rules>,
    /// The same for all gateways that share the store.
    pub key: Arc<Key>,
    /// Why the store's rules can't be read. Then `rules` hides every column of every target.
    pub trouble: Option<Arc<str>>,
}

impl Masks {
    /// True if nothing that is masked would be masked otherwise by the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.rules == other.rules
            && self.trouble == other.trouble
            && self.key.hash(b"") == other.key.hash(b"")
    }

    /// What these rules add to known ones, and nothing that they take from them: for when the change
    /// can't be put on the trail. Every column stays masked as it was, and those that only these rules
    /// mean are masked too.
    #[must_use]
    pub fn only_more_than(&self, known: &Self) -> Self {
        if self.trouble.is_some() {
            return known.clone();
        }
        let mut list = known.rules.list.clone();
        let news = self.rules.list.iter().filter(|rule| !known.rules.list.contains(rule));
        list.extend(news.cloned());
        // Still the older version: the next look tries to take the younger one whole.
        let rules = Rules { version: known.rules.version, list };
        Self { rules: Arc::new(rules), ..known.clone() }
    }
}

/// One version of the rules, as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaskVersion {
    /// All rules, with the version's number; 0 and none before the first change.
    pub rules: Rules,
    /// Since when; `None` before the first change.
    pub at: Option<Timestamp>,
    /// Whose change it was.
    pub by: Option<String>,
    /// What its maker said of it; may be empty.
    pub note: String,
}

/// A change of the rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MaskChange {
    /// All of them, unless somebody else changed them since the version that the caller has seen.
    Replace {
        /// That version.
        expected: u64,
        /// The new rules, in order.
        list: Vec<Rule>,
    },
    /// One more.
    Add {
        /// Which.
        rule: Rule,
        /// Where.
        place: MaskPlace,
    },
    /// One less.
    Remove {
        /// Its number, counted from 1.
        number: usize,
        /// Only if nobody changed the rules since this version, so that the number means what it meant.
        expected: Option<u64>,
    },
}

/// Where a rule is added: the first that means a column holds for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaskPlace {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
    /// Where the rule for the same columns of the same targets stands, instead of that.
    InPlace,
}

/// How two versions differ. Rules for the same columns of the same targets are one rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MaskChanges {
    /// Only in the younger.
    pub added: Vec<Rule>,
    /// Only in the older.
    pub removed: Vec<Rule>,
    /// In both, with another algorithm or other conditions: before and now.
    pub changed: Vec<(Rule, Rule)>,
    /// What is in both stands in another order.
    pub reordered: bool,
}

impl MaskChanges {
    /// From the rules of one version to those of another.
    pub fn between(before: &[Rule], after: &[Rule]) -> Self {
        let twin = |of: &Rule, list: &[Rule]| list.iter().position(|rule| is_same(rule, of));
        let mut changes = Self::default();
        let mut places = Vec::new();
        for rule in after {
            match twin(rule, before).and_then(|at| Some((at, before.get(at)?))) {
                None => changes.added.push(rule.clone()),
                Some((at, old)) => {
                    places.push(at);
                    if old != rule {
                        changes.changed.push((old.clone(), rule.clone()));
                    }
                }
            }
        }
        changes.reordered = !places.is_sorted();
        changes.removed =
            before.iter().filter(|rule| twin(rule, after).is_none()).cloned().collect();
        changes
    }

    /// True if the two are the same.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn event(&self) -> Json {
        let named = |list: &[Rule]| json!(list.get(..NAMED_MAX).unwrap_or(list));
        let (before, after): (Vec<Rule>, Vec<Rule>) = self.changed.iter().cloned().unzip();
        json!({
            "added": named(&self.added),
            "removed": named(&self.removed),
            "changed_from": named(&before),
            "changed_to": named(&after),
            "added_count": self.added.len(),
            "removed_count": self.removed.len(),
            "changed_count": self.changed.len(),
            "reordered": self.reordered,
        })
    }
}

/// True if both are for the same columns of the same targets, so that the second never holds.
fn is_same(one: &Rule, other: &Rule) -> bool {
    one.target == other.target && one.columns == other.columns
}

/// The first rule that can never hold because an earlier one is for the same columns: both places.
pub fn mask_rule_twice(list: &[Rule]) -> Option<(usize, usize)> {
    list.iter().enumerate().find_map(|(second, rule)| {
        let first = list.iter().take(second).position(|earlier| is_same(earlier, rule))?;
        Some((first, second))
    })
}

impl Store {
    /// The rules in force.
    ///
    /// # Errors
    /// [`Error::MasksUnreadable`] if a newer gateway wrote what this one doesn't know.
    pub async fn masks(&self) -> Result<MaskVersion, Error> {
        let rows = self.database.rows(CURRENT, values![]).await?;
        rows.first().map_or_else(|| Ok(MaskVersion::none()), MaskVersion::from_row)
    }

    /// The rules as they were in one version.
    ///
    /// # Errors
    /// There was none of that number.
    pub async fn mask_version(&self, version: u64) -> Result<MaskVersion, Error> {
        let sql = "SELECT version, at, by_actor, note, rules FROM mask_versions WHERE version = $1";
        let rows = self.database.rows(sql, values![version]).await?;
        let row = rows.first().ok_or(Error::NoSuchMaskVersion { version })?;
        MaskVersion::from_row(row)
    }

    /// The last versions, the youngest first.
    pub async fn mask_history(&self, limit: u32) -> Result<Vec<MaskVersion>, Error> {
        let sql = "SELECT version, at, by_actor, note, rules FROM mask_versions \
             ORDER BY version DESC LIMIT $1";
        let rows = self.database.rows(sql, values![i64::from(limit)]).await?;
        rows.iter().map(MaskVersion::from_row).collect()
    }

    /// Changes the rules: a new version, unless the rules stay the same. Returns what is in force now,
    /// and what became different.
    ///
    /// # Errors
    /// The actor isn't an owner, somebody else was faster, or a rule can't be.
    pub async fn masks_change(
        &self,
        actor: &Actor,
        now: Timestamp,
        change: MaskChange,
        note: &str,
    ) -> Result<(MaskVersion, MaskChanges), Error> {
        check_note(note)?;
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        // No other act happens until this one ends: what is read here is what is replaced.
        let before = current(&mut act.tx).await?;
        let list = before.with(change)?;
        act.change_masks(before, list, note).await
    }

    /// Gives hashes and shifts another key: the given one, or one made at random. Returns what tells the old
    /// one and the new one apart from others: [`Key::name`]. The old one is gone.
    ///
    /// # Errors
    /// The actor isn't an owner, or the given key is in force already.
    pub async fn mask_key_rotate(
        &self,
        actor: &Actor,
        now: Timestamp,
        note: &str,
        given: Option<Secret>,
    ) -> Result<(String, String), Error> {
        check_note(note)?;
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        let before = key(&mut act.tx).await?.name();
        let bytes = match &given {
            Some(given) => given.reveal().to_vec(),
            None => random(KEY_BYTES)?,
        };
        let after = Key::new(&bytes).map_err(|_| Error::corrupt("mask_key"))?.name();
        if before == after {
            return Err(Error::MaskKeyThere { name: before });
        }
        let sql = "UPDATE meta SET value = $1 WHERE name = 'mask_key'";
        act.tx.execute(sql, values![bytes]).await?;
        let from = if given.is_some() { "file" } else { "random" };
        let fields = json!({"key_before": before, "key": after, "key_from": from, "note": note});
        act.event("mask_key_rotated", fields).await?;
        act.commit().await?;
        Ok((before, after))
    }

    /// What tells the key of hashes and shifts from others.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn mask_key_name(&self) -> Result<String, Error> {
        let mut tx = self.database.begin().await?;
        let name = key(&mut tx).await?.name();
        tx.commit().await?;
        Ok(name)
    }

    /// Leaves an event that says who has values of a target's columns read, to propose rules.
    pub async fn note_samples_read(
        &self,
        actor: &Actor,
        now: Timestamp,
        target: &str,
        columns: usize,
    ) -> Result<(), Error> {
        let mut act = self.act(actor, now).await?;
        let fields = json!({"target": target, "columns": columns});
        act.event("mask_samples_read", fields).await?;
        act.commit().await
    }
}

impl Act<'_> {
    /// Makes the next version, with its event, and ends the act.
    async fn change_masks(
        mut self,
        before: MaskVersion,
        list: Vec<Rule>,
        note: &str,
    ) -> Result<(MaskVersion, MaskChanges), Error> {
        self.check_rules(&before.rules.list, &list)?;
        let changes = MaskChanges::between(&before.rules.list, &list);
        if changes.is_none() {
            return Ok((before, changes));
        }
        let version = before.rules.version.saturating_add(1);
        let text = serde_json::to_string(&list).map_err(|_| Error::corrupt("mask rules"))?;
        let by = self.actor.to_string();
        let sql = "INSERT INTO mask_versions (version, at, by_actor, note, rules) \
             VALUES ($1, $2, $3, $4, $5)";
        self.tx.execute(sql, values![version, self.now, by.clone(), note, text]).await?;
        let mut fields = changes.event();
        fields["version"] = version.into();
        fields["version_before"] = before.rules.version.into();
        fields["rules_count"] = list.len().into();
        fields["note"] = note.into();
        self.event("masks_changed", fields).await?;
        let at = Some(self.now);
        self.commit().await?;
        let rules = Rules { version, list };
        Ok((MaskVersion { rules, at, by: Some(by), note: note.to_owned() }, changes))
    }

    fn check_rules(&self, before: &[Rule], list: &[Rule]) -> Result<(), Error> {
        if list.len() > MASK_RULES_MAX {
            return Err(Error::TooManyMaskRules { most: MASK_RULES_MAX });
        }
        if let Some((first, second)) = mask_rule_twice(list) {
            return Err(Error::MaskRuleTwice { first: number(first), second: number(second) });
        }
        let targets = &self.rules.targets;
        for (at, rule) in list.iter().enumerate() {
            let is_known = targets.iter().any(|target| rule.target.matches(target.as_str()));
            // Fail closed: a name that is mistyped masks nothing, and nobody would notice. What stands
            // already may outlive its target.
            if !is_known && !before.contains(rule) {
                let known: Vec<&str> = targets.iter().map(TargetName::as_str).collect();
                return Err(Error::MaskTarget {
                    number: number(at),
                    pattern: rule.target.to_string(),
                    known: if known.is_empty() { "none".into() } else { known.join(", ") },
                });
            }
        }
        Ok(())
    }
}

impl MaskVersion {
    fn none() -> Self {
        Self { rules: Rules::default(), at: None, by: None, note: String::new() }
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        let version = row.count("version")?;
        let list = serde_json::from_str(&row.text("rules")?)
            .map_err(|error| Error::MasksUnreadable { version, why: error.to_string() })?;
        Ok(Self {
            rules: Rules { version, list },
            at: Some(row.time("at")?),
            by: Some(row.text("by_actor")?),
            note: row.text("note")?,
        })
    }

    /// All rules as they are after a change.
    fn with(&self, change: MaskChange) -> Result<Vec<Rule>, Error> {
        let mut list = self.rules.list.clone();
        match change {
            MaskChange::Replace { expected, list } => {
                self.must_be(expected)?;
                return Ok(list);
            }
            MaskChange::Add { rule, place } => {
                match (place, list.iter().position(|known| is_same(known, &rule))) {
                    (MaskPlace::InPlace, Some(at)) => {
                        if let Some(known) = list.get_mut(at) {
                            *known = rule;
                        }
                    }
                    (MaskPlace::InPlace, None) => return Err(Error::NoMaskRuleFor),
                    (MaskPlace::First | MaskPlace::Last, Some(at)) => {
                        return Err(Error::MaskRuleThere { number: number(at) });
                    }
                    (MaskPlace::First, None) => list.insert(0, rule),
                    (MaskPlace::Last, None) => list.push(rule),
                }
            }
            MaskChange::Remove { number, expected } => {
                expected.map_or(Ok(()), |expected| self.must_be(expected))?;
                let at = number.checked_sub(1).filter(|at| *at < list.len());
                list.remove(at.ok_or(Error::NoSuchMaskRule { number, count: list.len() })?);
            }
        }
        Ok(list)
    }

    fn must_be(&self, expected: u64) -> Result<(), Error> {
        if self.rules.version == expected {
            return Ok(());
        }
        let by = self.by.clone().unwrap_or_default();
        Err(Error::MasksChanged { expected, found: self.rules.version, by })
    }
}

/// What a snapshot holds of masks.
pub(super) async fn read(tx: &mut Tx) -> Result<Masks, Error> {
    let key = key(tx).await?;
    let (rules, trouble) = match current(tx).await {
        Ok(version) => (version.rules, None),
        // Fail closed: rules that can't be read hide everything.
        Err(Error::MasksUnreadable { version, why }) => {
            let all = everything().map_err(|_| Error::corrupt("mask rules"))?;
            (Rules { version, list: vec![all] }, Some(why.into()))
        }
        Err(error) => return Err(error),
    };
    Ok(Masks { rules: Arc::new(rules), key: Arc::new(key), trouble })
}

async fn key(tx: &mut Tx) -> Result<Key, Error> {
    Key::new(&meta(tx, "mask_key").await?).map_err(|_| Error::corrupt("mask_key"))
}

async fn current(tx: &mut Tx) -> Result<MaskVersion, Error> {
    let row = tx.row(CURRENT, values![]).await?;
    row.as_ref().map_or_else(|| Ok(MaskVersion::none()), MaskVersion::from_row)
}

/// A rule by which nothing is shown and nothing may be asked.
fn everything() -> Result<Rule, PatternError> {
    Ok(Rule {
        target: TextPattern::parse("*")?,
        columns: Selector::Column(ColumnPattern::parse("*.*.*")?),
        with: Algorithm::Null,
        predicates: Some(Predicates::Deny),
        nulls: Nulls::Stay,
    })
}

/// The number that people see of a place in the list.
fn number(at: usize) -> usize {
    at.saturating_add(1)
}

fn check_note(note: &str) -> Result<(), Error> {
    if note.chars().count() <= NOTE_CHARS_MAX && !note.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::Invalid { field: "note", reason: "one line of at most 500 characters" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<Rule> {
        let read = |text: &&str| {
            let (column, with) = text.split_once('=').expect("column=algorithm");
            let json = json!({"target": "shop", "column": column, "with": with});
            serde_json::from_value(json).expect("a rule")
        };
        texts.iter().map(read).collect()
    }

    fn masks(version: u64, texts: &[&str]) -> Masks {
        Masks {
            rules: Arc::new(Rules { version, list: rules(texts) }),
            key: Arc::new(Key::new(&[7; 32]).expect("long enough")),
            trouble: None,
        }
    }

    #[test]
    fn changes_are_told_by_column() {
        let before = rules(&["a.b.c=email", "a.b.d=full", "a.b.e=hash"]);
        let after = rules(&["a.b.d=full", "a.b.c=null", "a.b.f=card"]);
        let changes = MaskChanges::between(&before, &after);
        assert_eq!(changes.added, rules(&["a.b.f=card"]));
        assert_eq!(changes.removed, rules(&["a.b.e=hash"]));
        let changed = rules(&["a.b.c=email", "a.b.c=null"]);
        assert_eq!(changes.changed, [(changed[0].clone(), changed[1].clone())]);
        assert!(changes.reordered);
        assert!(MaskChanges::between(&before, &before).is_none());
        assert!(!MaskChanges::between(&before, &after[..1]).reordered);
        assert_eq!(
            mask_rule_twice(&rules(&["A.b.c=email", "a.b.d=full", "a.b.c=hash"])),
            Some((0, 2))
        );
    }

    #[test]
    fn a_change_that_is_not_on_record_hides_more_and_shows_nothing() {
        let known = masks(4, &["a.b.c=email", "a.b.d=full"]);
        let young = masks(5, &["a.b.d=inner(1, 1)", "a.b.e=hash"]);
        let merged = young.only_more_than(&known);
        assert_eq!(merged.rules.version, 4);
        let wanted = rules(&["a.b.c=email", "a.b.d=full", "a.b.d=inner(1, 1)", "a.b.e=hash"]);
        assert_eq!(merged.rules.list, wanted, "d stays as it was: the first rule holds");
        assert!(young.only_more_than(&merged).is_same(&merged), "however often it is tried");
        let torn = Masks { trouble: Some("torn".into()), ..masks(6, &["*.*.*=null"]) };
        assert!(torn.only_more_than(&known).is_same(&known), "the last ones stay");
    }

    #[test]
    fn a_rule_of_everything_means_every_column() {
        let rule = everything().expect("is one");
        let column = crate::kernel::mask::ColumnFacts {
            schema: "Odd Schema",
            table: "t",
            column: "c",
            type_name: "integer",
            comment: None,
        };
        assert!(rule.means("any", &column));
    }
}
