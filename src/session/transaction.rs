//! Where a session's transaction stands, what it used, and what becomes of its statements.

use smallvec::SmallVec;

use crate::kernel::{
    audit::record::TransactionEnd,
    ids::{GrantId, StatementId},
    refusal::Refusal,
    sql::reading::TransactionChange,
};

/// Statements of one transaction that are remembered for its settling record.
const STATEMENTS_MAX: usize = 10_000;

/// As the server says it in ReadyForQuery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Status {
    /// `I`.
    #[default]
    Idle,
    /// `T`.
    Open,
    /// `E`.
    Failed,
}

impl Status {
    /// From the byte of a ReadyForQuery.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'I' => Some(Self::Idle),
            b'T' => Some(Self::Open),
            b'E' => Some(Self::Failed),
            _ => None,
        }
    }

    /// The byte of a ReadyForQuery.
    pub fn byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::Open => b'T',
            Self::Failed => b'E',
        }
    }
}

/// The transaction of a session.
#[derive(Debug, Default)]
pub struct Transaction {
    /// As last reported.
    pub status: Status,
    /// Grants that its statements used.
    pub grants: Vec<GrantId>,
    /// Why it was rolled back by the gateway, until the client ends it.
    pub rolled_back: Option<Refusal>,
    /// It began behind the read-only wall.
    pub read_only: bool,
    /// The gateway has made it read-only when it was under way: savepoints from before go back behind that.
    pub closed_late: bool,
    /// What its client has said of it, if anything: READ ONLY is `true`.
    pub said_read_only: Option<bool>,
    statements: SmallVec<[StatementId; 4]>,
    savepoints: Vec<Savepoint>,
}

/// Where a savepoint stands.
#[derive(Debug)]
struct Savepoint {
    name: String,
    /// Statements before it.
    statements: usize,
    /// What the client had said of reading only. Spec: the server goes back to that when the savepoint
    /// is rolled back to, and when it is released (`CommitSubTransaction`).
    said_read_only: Option<bool>,
}

/// Statements to settle, and how.
pub type Settling = (TransactionEnd, SmallVec<[StatementId; 4]>);

impl Transaction {
    /// A statement ran in it.
    pub fn ran(&mut self, statement: StatementId) {
        if self.statements.len() < STATEMENTS_MAX {
            self.statements.push(statement);
        }
    }

    /// A grant was used in it.
    pub fn used(&mut self, grant: GrantId) {
        if !self.grants.contains(&grant) {
            self.grants.push(grant);
        }
    }

    /// A transaction statement has completed with this tag.
    pub fn changed(&mut self, change: &TransactionChange, tag: &str) -> Option<Settling> {
        match change {
            TransactionChange::Begin { read_write }
            | TransactionChange::Set { read_write, session: false } => {
                self.said_read_only = read_write.map(|writable| !writable).or(self.said_read_only);
                None
            }
            TransactionChange::Set { session: true, .. } => None,
            TransactionChange::Commit { chain } | TransactionChange::Rollback { chain } => {
                // The next one has the same characteristics.
                let said = self.said_read_only.filter(|_| *chain);
                // A COMMIT of a failed transaction answers ROLLBACK.
                let settling = self.end(if tag == "COMMIT" {
                    TransactionEnd::Committed
                } else {
                    TransactionEnd::RolledBack
                });
                self.said_read_only = said;
                settling
            }
            TransactionChange::Savepoint(name) => {
                self.savepoints.push(Savepoint {
                    name: name.clone(),
                    statements: self.statements.len(),
                    said_read_only: self.said_read_only,
                });
                None
            }
            TransactionChange::Release(name) => {
                if let Some(index) = self.find(name) {
                    self.back_to_what_was_said(index);
                    self.savepoints.truncate(index);
                }
                None
            }
            TransactionChange::RollbackTo(name) => {
                let index = self.find(name)?;
                self.back_to_what_was_said(index);
                let from = self.savepoints.get(index)?.statements.min(self.statements.len());
                self.savepoints.truncate(index + 1);
                let undone: SmallVec<_> = self.statements.drain(from..).collect();
                (!undone.is_empty()).then_some((TransactionEnd::RolledBack, undone))
            }
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|savepoint| savepoint.name == name)
    }

    fn back_to_what_was_said(&mut self, index: usize) {
        if let Some(savepoint) = self.savepoints.get(index) {
            self.said_read_only = savepoint.said_read_only;
        }
    }

    /// It has ended so.
    pub fn end(&mut self, end: TransactionEnd) -> Option<Settling> {
        self.savepoints.clear();
        self.closed_late = false;
        self.said_read_only = None;
        let statements = std::mem::take(&mut self.statements);
        (!statements.is_empty()).then_some((end, statements))
    }

    /// [`Transaction::idle`], where the client has still to be told that it was rolled back.
    pub fn idle_keeping_why(&mut self, failed: bool) -> Option<Settling> {
        let why = self.rolled_back.take();
        let settling = self.idle(failed);
        self.rolled_back = why;
        settling
    }

    /// The server is idle: nothing of it is left. What was not settled by a statement of its own was
    /// an implicit transaction; `failed` says whether an error ended it.
    pub fn idle(&mut self, failed: bool) -> Option<Settling> {
        self.grants.clear();
        self.rolled_back = None;
        self.end(if failed { TransactionEnd::RolledBack } else { TransactionEnd::Committed })
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    #[test]
    fn a_rollback_to_a_savepoint_settles_only_what_came_after_it() {
        let mut transaction = Transaction::default();
        transaction.ran(StatementId(1));
        transaction.changed(&TransactionChange::Savepoint("a".into()), "SAVEPOINT");
        transaction.ran(StatementId(2));
        transaction.changed(&TransactionChange::Savepoint("b".into()), "SAVEPOINT");
        transaction.ran(StatementId(3));
        let back = transaction.changed(&TransactionChange::RollbackTo("a".into()), "ROLLBACK");
        assert_eq!(
            back,
            Some((TransactionEnd::RolledBack, smallvec![StatementId(2), StatementId(3)]))
        );
        let end = transaction.changed(&TransactionChange::Commit { chain: false }, "COMMIT");
        assert_eq!(end, Some((TransactionEnd::Committed, smallvec![StatementId(1)])));
    }

    #[test]
    fn what_was_said_behind_a_savepoint_goes_with_it() {
        let read_only = || TransactionChange::Set { read_write: Some(false), session: false };
        for end in
            [TransactionChange::RollbackTo("a".into()), TransactionChange::Release("a".into())]
        {
            let mut transaction = Transaction::default();
            transaction.changed(&TransactionChange::Begin { read_write: Some(true) }, "BEGIN");
            transaction.changed(&TransactionChange::Savepoint("a".into()), "SAVEPOINT");
            transaction.changed(&read_only(), "SET");
            assert_eq!(transaction.said_read_only, Some(true));
            transaction.changed(&end, "");
            assert_eq!(transaction.said_read_only, Some(false), "{end:?}");
        }
    }

    #[test]
    fn a_transaction_chained_to_another_is_like_it() {
        for (chain, said) in [(true, Some(false)), (false, None)] {
            let mut transaction = Transaction::default();
            transaction.changed(&TransactionChange::Begin { read_write: Some(true) }, "BEGIN");
            transaction.changed(&TransactionChange::Commit { chain }, "COMMIT");
            assert_eq!(transaction.said_read_only, said);
        }
    }

    #[test]
    fn a_commit_that_answers_rollback_committed_nothing() {
        let mut transaction = Transaction::default();
        transaction.ran(StatementId(1));
        let end = transaction.changed(&TransactionChange::Commit { chain: false }, "ROLLBACK");
        assert_eq!(end, Some((TransactionEnd::RolledBack, smallvec![StatementId(1)])));
    }
}
