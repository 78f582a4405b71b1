//! Prepared statements, portals and cursors of one session: a name leads to text and analysis, never
//! to a standing permit.
//!
//! SQL's PREPARE and the protocol's Parse share one namespace, cursors and portals another, as in
//! the server. What the protocol makes is entered when it is sent and taken back if the server
//! refuses or skips it ([`Undo`]); what SQL makes is entered when the server has said yes.
//!
//! Code that runs in the server can make a name anew without a word of it here. Behind a statement
//! that may have run some, every name known by then is doubtful ([`Names::doubt`]).

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};

use super::cache::{Edition, StateId};
use crate::kernel::{
    audit::record::Ended,
    ids::StatementId,
    sql::{
        analysis::{Analysis, Batch, StatementClass},
        mode::NAME_BYTES_MAX,
    },
};

/// Statements on record that will never run, because what would have run them has gone; and how
/// their records are to be closed.
pub type Orphans = Rc<RefCell<Vec<(StatementId, Ended)>>>;

/// A record made for something that hasn't run yet. Whoever runs it takes the statement out; if it
/// goes before that, however it goes, the statement is left with the orphans: every record is closed.
#[derive(Debug)]
pub struct Unused {
    statement: Option<StatementId>,
    /// The batch that it came with.
    pub batch: u64,
    ended: Ended,
    orphans: Orphans,
}

impl Unused {
    /// `ended`: how the record is closed if nobody runs it.
    pub fn new(statement: StatementId, batch: u64, ended: Ended, orphans: &Orphans) -> Self {
        Self { statement: Some(statement), batch, ended, orphans: Rc::clone(orphans) }
    }

    /// Takes the statement out: its record is somebody else's to close.
    pub fn take(mut self) -> Option<StatementId> {
        self.statement.take()
    }
}

impl Drop for Unused {
    fn drop(&mut self) {
        if let Some(statement) = self.statement.take() {
            self.orphans.borrow_mut().push((statement, self.ended));
        }
    }
}

/// A prepared statement.
#[derive(Debug)]
pub struct Prepared {
    /// The text it was made from, for records and for judging again: of SQL's PREPARE the whole.
    pub text: Rc<str>,
    /// What it does, as last read.
    pub batch: Arc<Batch>,
    /// Types of the parameters as the client gave them; 0 where the server infers.
    pub parameter_types: Vec<u32>,
    /// The record made at Parse for the Bind that came with it.
    pub recorded: RefCell<Option<Unused>>,
    /// Made by SQL's PREPARE, so that the analysis is of the statement inside.
    pub by_sql: bool,
    /// What names meant when it was read; `None`: it was read with more caution than it needs alone.
    pub read_in: Option<(StateId, Edition)>,
    /// The age of the names when it was made.
    pub age: Age,
}

impl Prepared {
    /// The same statement, read again as something else.
    pub fn read_as(before: &Self, batch: Arc<Batch>, read_in: Option<(StateId, Edition)>) -> Self {
        Self {
            text: Rc::clone(&before.text),
            batch,
            parameter_types: before.parameter_types.clone(),
            recorded: RefCell::new(before.recorded.take()),
            by_sql: before.by_sql,
            read_in,
            age: before.age,
        }
    }

    /// The one statement, if there is one: an empty text has none.
    pub fn analysis(&self) -> Option<&Arc<Analysis>> {
        self.batch.statements.first()
    }
}

/// A portal or cursor.
#[derive(Debug)]
pub struct Portal {
    /// What it was made of.
    pub prepared: Rc<Prepared>,
    /// Parameters, for local calls and for records; `None` is NULL.
    pub parameters: Vec<Option<String>>,
    /// Formats of the result columns, for local calls: none, one for all, or one each; true is
    /// binary.
    pub result_formats: Vec<bool>,
    /// Rows and bytes fetched from it so far: the cap counts over all fetches.
    pub fetched: Cell<(u64, u64)>,
    /// The record made at Bind, until an Execute has used it up.
    pub recorded: RefCell<Option<Unused>>,
    /// Outlives its transaction: WITH HOLD.
    pub holds: bool,
    /// The age of the names when it was made.
    pub age: Age,
}

/// Names grow older with every statement that may have made them anew unseen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Age(u64);

/// How to take back a change that the server refused or skipped.
#[derive(Debug)]
pub enum Undo {
    /// A statement's name meant this before.
    Statement(Key, Option<Rc<Prepared>>),
    /// A portal's name meant this before.
    Portal(Key, Option<Rc<Portal>>),
}

impl Undo {
    /// True if both changed the same name.
    fn is_of_same_name(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Statement(one, _), Self::Statement(two, _))
            | (Self::Portal(one, _), Self::Portal(two, _)) => one == two,
            (Self::Statement(..), Self::Portal(..)) | (Self::Portal(..), Self::Statement(..)) => {
                false
            }
        }
    }

    /// A change before this one is taken back, which stands: this one's name meant before it what it
    /// meant before that.
    fn stands_on(&mut self, earlier: Self) {
        *self = earlier;
    }
}

/// The names of one session.
#[derive(Debug, Default)]
pub struct Names {
    statements: Table<Prepared>,
    portals: Table<Portal>,
    age: Age,
}

/// What is kept for a name, in memory.
trait Weigh {
    /// An estimate, in bytes.
    fn weight(&self) -> usize;
}

impl Weigh for Prepared {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.batch.weight() + 4 * self.parameter_types.len()
    }
}

impl Weigh for Portal {
    fn weight(&self) -> usize {
        let parameters = self.parameters.iter().flatten().map(String::len).sum::<usize>();
        // What it was made of may be known by no other name any more.
        size_of::<Self>() + parameters + self.prepared.weight()
    }
}

/// Names of one sort. The unnamed one has a place of its own: most drivers know no other, and use it
/// several times a statement.
#[derive(Debug)]
struct Table<T> {
    unnamed: Option<Rc<T>>,
    named: HashMap<Key, Rc<T>>,
    /// What the named ones weigh.
    weight: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { unnamed: None, named: HashMap::new(), weight: 0 }
    }
}

impl<T: Weigh> Table<T> {
    fn get(&self, name: &[u8]) -> Option<&Rc<T>> {
        if name.is_empty() { self.unnamed.as_ref() } else { self.named.get(name) }
    }

    fn insert(&mut self, name: Key, value: Rc<T>) -> Option<Rc<T>> {
        if name.is_empty() {
            return self.unnamed.replace(value);
        }
        self.weight += value.weight();
        let before = self.named.insert(name, value);
        self.lighter(before.as_deref());
        before
    }

    fn remove(&mut self, name: &[u8]) -> Option<Rc<T>> {
        if name.is_empty() {
            return self.unnamed.take();
        }
        let before = self.named.remove(name);
        self.lighter(before.as_deref());
        before
    }

    fn lighter(&mut self, gone: Option<&T>) {
        self.weight = self.weight.saturating_sub(gone.map_or(0, Weigh::weight));
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn retain(&mut self, stays: impl Fn(&[u8], &T) -> bool) {
        if self.unnamed.as_ref().is_some_and(|value| !stays(&[], value)) {
            self.unnamed = None;
        }
        let Self { named, weight, .. } = self;
        named.retain(|name, value| {
            let stays = stays(name, value);
            if !stays {
                *weight = weight.saturating_sub(value.weight());
            }
            stays
        });
    }

    fn len(&self) -> usize {
        self.named.len() + usize::from(self.unnamed.is_some())
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A name as the server keeps it.
pub type Key = Box<[u8]>;

/// Spec: the server's hash tables of prepared statements and portals have keys of `NAMEDATALEN`, so
/// that two longer names that begin alike are one, cut without regard to characters.
fn key(name: &str) -> &[u8] {
    let bytes = name.as_bytes();
    bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes)
}

impl Names {
    /// The prepared statement of that name.
    pub fn statement(&self, name: &str) -> Option<&Rc<Prepared>> {
        self.statements.get(key(name))
    }

    /// The portal or cursor of that name.
    pub fn portal(&self, name: &str) -> Option<&Rc<Portal>> {
        self.portals.get(key(name))
    }

    /// The age of what is made now.
    pub fn age(&self) -> Age {
        self.age
    }

    /// Code runs that may make any name anew: from now on nothing is sure of those known by now, nor
    /// of those that are taken back to what they were.
    pub fn doubt(&mut self) {
        self.age.0 += 1;
    }

    /// True if what was made at that age may mean something else than this by now. What needs admin
    /// as it is known is never doubtful: nothing needs more.
    pub fn is_doubtful(&self, age: Age, batch: &Batch) -> bool {
        age != self.age && batch.statements.iter().any(|a| a.class != StatementClass::Admin)
    }

    /// How many names there are, for the limit.
    pub fn len(&self) -> usize {
        self.statements.len() + self.portals.len()
    }

    /// True if there are some beside the unnamed ones.
    pub fn has_named(&self) -> bool {
        !self.statements.named.is_empty() || !self.portals.named.is_empty()
    }

    /// An estimate of what is kept for them in memory, in bytes.
    pub fn weight(&self) -> usize {
        self.statements.weight + self.portals.weight
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Enters or replaces a statement.
    pub fn prepare(&mut self, name: &str, prepared: Rc<Prepared>) -> Undo {
        Undo::Statement(key(name).into(), self.statements.insert(key(name).into(), prepared))
    }

    /// Enters or replaces a portal.
    pub fn bind(&mut self, name: &str, portal: Rc<Portal>) -> Undo {
        Undo::Portal(key(name).into(), self.portals.insert(key(name).into(), portal))
    }

    /// Forgets a statement.
    pub fn forget_statement(&mut self, name: &str) -> Undo {
        Undo::Statement(key(name).into(), self.statements.remove(key(name)))
    }

    /// Forgets a portal.
    pub fn forget_portal(&mut self, name: &str) -> Undo {
        Undo::Portal(key(name).into(), self.portals.remove(key(name)))
    }

    /// DEALLOCATE ALL. Spec: `DropAllPreparedStatements` knows named ones only.
    pub fn forget_statements(&mut self) {
        self.statements.named.clear();
    }

    /// DISCARD ALL.
    pub fn discard_all(&mut self) {
        self.forget_statements();
        self.forget_portals();
    }

    /// CLOSE ALL: cursors; harmless for portals, which the server would name anew.
    pub fn forget_portals(&mut self) {
        self.portals.clear();
    }

    /// The end of a transaction: portals go, cursors WITH HOLD stay, and so do those whose Bind was
    /// sent behind it.
    pub fn end_transaction(&mut self, younger: impl Fn(&[u8]) -> bool) {
        if !self.portals.is_empty() {
            self.portals.retain(|name, portal| portal.holds || younger(name));
        }
    }

    /// The portal that a change gave that name. `later`: changes that were made behind it, in order.
    pub fn portal_of<'n>(
        &'n self,
        undo: &Undo,
        later: impl IntoIterator<Item = &'n Undo>,
    ) -> Option<&'n Rc<Portal>> {
        let Undo::Portal(name, _) = undo else { return None };
        match later.into_iter().find(|later| later.is_of_same_name(undo)) {
            Some(Undo::Portal(_, given)) => given.as_ref(),
            Some(Undo::Statement(..)) => None,
            None => self.portals.get(name),
        }
    }

    /// The statement that a change gave that name. `later`: as above.
    pub fn statement_of<'n>(
        &'n self,
        undo: &Undo,
        later: impl IntoIterator<Item = &'n Undo>,
    ) -> Option<&'n Rc<Prepared>> {
        let Undo::Statement(name, _) = undo else { return None };
        match later.into_iter().find(|later| later.is_of_same_name(undo)) {
            Some(Undo::Statement(_, given)) => given.as_ref(),
            Some(Undo::Portal(..)) => None,
            None => self.statements.get(name),
        }
    }

    /// Takes a change back. Several are taken back last one first. `later`: changes that were made
    /// behind it and stand, in order.
    ///
    /// Fail closed: a name that was given anew behind it, in the next batch, means what it was given
    /// there. Anything else would be judged by a text that doesn't run.
    pub fn undo<'n>(&mut self, undo: Undo, later: impl IntoIterator<Item = &'n mut Undo>) {
        if let Some(later) = later.into_iter().find(|later| later.is_of_same_name(&undo)) {
            return later.stands_on(undo);
        }
        match undo {
            Undo::Statement(name, Some(before)) => {
                self.statements.insert(name, before);
            }
            Undo::Statement(name, None) => {
                self.statements.remove(&name);
            }
            Undo::Portal(name, Some(before)) => {
                self.portals.insert(name, before);
            }
            Undo::Portal(name, None) => {
                self.portals.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Rc<Prepared> {
        Rc::new(Prepared {
            text: text.into(),
            batch: Arc::new(Batch { statements: Vec::new(), fingerprint: "".into() }),
            parameter_types: Vec::new(),
            recorded: RefCell::new(None),
            by_sql: false,
            age: Age::default(),
            read_in: None,
        })
    }

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        let mut names = Names::default();
        let stem = "é".repeat(31);
        names.prepare(&format!("{stem}xy"), prepared("one"));
        let known = |n: &Names, end| n.statement(&format!("{stem}{end}")).is_some();
        assert!(known(&names, "xz") && known(&names, "x"));
        assert!(!known(&names, "y") && !known(&names, ""));
        names.forget_statement(&format!("{stem}xxx"));
        assert!(names.is_empty());
    }

    #[test]
    fn a_statement_that_the_server_skipped_is_not_known() {
        let mut names = Names::default();
        names.prepare("a", prepared("first"));
        let undo = [
            names.prepare("a", prepared("second")),
            names.forget_statement("a"),
            names.prepare("b", prepared("third")),
        ];
        for change in undo.into_iter().rev() {
            names.undo(change, []);
        }
        assert_eq!(names.statement("a").map(|p| p.text.to_string()).as_deref(), Some("first"));
        assert!(names.statement("b").is_none());
    }

    #[test]
    fn what_was_made_behind_a_skipped_statement_stays() {
        let mut names = Names::default();
        names.prepare("", prepared("first"));
        let skipped = [names.prepare("", prepared("second")), names.prepare("", prepared("third"))];
        let mut stands = names.prepare("", prepared("fourth"));
        let text = |p: Option<&Rc<Prepared>>| p.map(|p| p.text.to_string());
        let [second, third] = skipped;
        assert_eq!(text(names.statement_of(&third, [&stands])).as_deref(), Some("third"));
        names.undo(third, [&mut stands]);
        names.undo(second, [&mut stands]);
        assert_eq!(text(names.statement("")).as_deref(), Some("fourth"));
        // And if that is taken back too, it means what it meant before all of them.
        names.undo(stands, []);
        assert_eq!(text(names.statement("")).as_deref(), Some("first"));
    }
}
