//! Prepared statements, portals and cursors of one session: a name leads to text and analysis, never
//! to a standing permit.
//!
//! SQL's PREPARE and the protocol's Parse share one namespace, cursors and portals another, as in
//! the server. What the protocol makes is entered when it is sent and taken back if the server
//! refuses or skips it ([`Undo`]); what SQL makes is entered when the server has said yes.

use std::{cell::Cell, collections::HashMap, rc::Rc, sync::Arc};

use crate::kernel::{
    ids::StatementId,
    sql::analysis::{Analysis, Batch},
};

/// A prepared statement.
#[derive(Debug)]
pub struct Prepared {
    /// The text it was made from, for records and for judging again.
    pub text: Rc<str>,
    /// What it does, as last read.
    pub batch: Arc<Batch>,
    /// Types of the parameters as the client gave them; 0 where the server infers.
    pub parameter_types: Vec<u32>,
    /// The record made at Parse for the Bind that came with it, and the number of their batch.
    pub recorded: Cell<Option<(StatementId, u64)>>,
    /// Made by SQL's PREPARE, so that the analysis is of the statement inside.
    pub by_sql: bool,
}

impl Prepared {
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
    /// The record made at Bind and the number of its batch, until an Execute has used it up.
    pub recorded: Cell<Option<(StatementId, u64)>>,
    /// Outlives its transaction: WITH HOLD.
    pub holds: bool,
}

/// How to take back a change that the server refused or skipped.
#[derive(Debug)]
pub enum Undo {
    /// A statement's name meant this before.
    Statement(Box<str>, Option<Rc<Prepared>>),
    /// A portal's name meant this before.
    Portal(Box<str>, Option<Rc<Portal>>),
}

/// The names of one session.
#[derive(Debug, Default)]
pub struct Names {
    statements: HashMap<Box<str>, Rc<Prepared>>,
    portals: HashMap<Box<str>, Rc<Portal>>,
}

impl Names {
    /// The prepared statement of that name.
    pub fn statement(&self, name: &str) -> Option<&Rc<Prepared>> {
        self.statements.get(name)
    }

    /// The portal or cursor of that name.
    pub fn portal(&self, name: &str) -> Option<&Rc<Portal>> {
        self.portals.get(name)
    }

    /// How many names there are, for the limit.
    pub fn len(&self) -> usize {
        self.statements.len() + self.portals.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Enters or replaces a statement.
    pub fn prepare(&mut self, name: &str, prepared: Rc<Prepared>) -> Undo {
        Undo::Statement(name.into(), self.statements.insert(name.into(), prepared))
    }

    /// Enters or replaces a portal.
    pub fn bind(&mut self, name: &str, portal: Rc<Portal>) -> Undo {
        Undo::Portal(name.into(), self.portals.insert(name.into(), portal))
    }

    /// Forgets a statement.
    pub fn forget_statement(&mut self, name: &str) -> Undo {
        Undo::Statement(name.into(), self.statements.remove(name))
    }

    /// Forgets a portal.
    pub fn forget_portal(&mut self, name: &str) -> Undo {
        Undo::Portal(name.into(), self.portals.remove(name))
    }

    /// DEALLOCATE ALL.
    pub fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// CLOSE ALL: cursors; harmless for portals, which the server would name anew.
    pub fn forget_portals(&mut self) {
        self.portals.clear();
    }

    /// The end of a transaction: portals go, cursors WITH HOLD stay.
    pub fn end_transaction(&mut self) {
        if !self.portals.is_empty() {
            self.portals.retain(|_, portal| portal.holds);
        }
    }

    /// Takes a change back. Several are taken back last one first.
    pub fn undo(&mut self, undo: Undo) {
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
            recorded: Cell::new(None),
            by_sql: false,
        })
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
            names.undo(change);
        }
        assert_eq!(names.statement("a").map(|p| p.text.to_string()).as_deref(), Some("first"));
        assert!(names.statement("b").is_none());
    }
}
