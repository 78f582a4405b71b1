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
    /// What its client has said of it, if anything: READ ONLY is `true`.
    pub said_read_only: Option<bool>,
    statements: SmallVec<[StatementId; 4]>,
    savepoints: Vec<(String, usize)>,
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
            TransactionChange::Commit { .. } | TransactionChange::Rollback { .. } => {
                // A COMMIT of a failed transaction answers ROLLBACK.
                self.end(if tag == "COMMIT" {
                    TransactionEnd::Committed
                } else {
                    TransactionEnd::RolledBack
                })
            }
            TransactionChange::Savepoint(name) => {
                self.savepoints.push((name.clone(), self.statements.len()));
                None
            }
            TransactionChange::Release(name) => {
                if let Some(index) = self.find(name) {
                    self.savepoints.truncate(index);
                }
                None
            }
            TransactionChange::RollbackTo(name) => {
                let index = self.find(name)?;
                let from = self.savepoints.get(index)?.1.min(self.statements.len());
                self.savepoints.truncate(index + 1);
                let undone: SmallVec<_> = self.statements.drain(from..).collect();
                (!undone.is_empty()).then_some((TransactionEnd::RolledBack, undone))
            }
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|(n, _)| n == name)
    }

    /// It has ended so.
    pub fn end(&mut self, end: TransactionEnd) -> Option<Settling> {
        self.savepoints.clear();
        self.said_read_only = None;
        let statements = std::mem::take(&mut self.statements);
        (!statements.is_empty()).then_some((end, statements))
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
    fn a_commit_that_answers_rollback_committed_nothing() {
        let mut transaction = Transaction::default();
        transaction.ran(StatementId(1));
        let end = transaction.changed(&TransactionChange::Commit { chain: false }, "ROLLBACK");
        assert_eq!(end, Some((TransactionEnd::RolledBack, smallvec![StatementId(1)])));
    }
}
