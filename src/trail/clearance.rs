//! The right to send a statement upstream: a permit whose intent is on the trail.
//!
//! Intents of sessions that come at the same time go to the file with one write. Until it is done
//! their clearances stand behind a [`Bar`], and the door keeps the bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    kernel::{ids::StatementId, policy::Permit},
    trail::{SyncTicket, TrailError},
};

/// A permit whose intent is on the trail. Only [`super::Lane`] makes one; the upstream sends
/// statements for nothing else.
#[derive(Debug)]
#[must_use = "a statement on record that is not sent needs an outcome that says so"]
pub struct Clearance {
    permit: Permit,
    first: StatementId,
    count: u32,
    bar: Option<Bar>,
    ticket: Option<SyncTicket>,
}

impl Clearance {
    pub(super) fn new(
        permit: Permit,
        first: StatementId,
        count: u32,
        (bar, ticket): (Option<Bar>, Option<SyncTicket>),
    ) -> Self {
        Self { permit, first, count, bar, ticket }
    }

    /// What its bytes stand behind, if its intent isn't in the file yet.
    pub fn bar(&self) -> Option<Bar> {
        self.bar
    }

    /// What it allows, and what it obliges to.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The statement's number: what its outcome names. Of several, the first.
    pub fn statement(&self) -> StatementId {
        self.first
    }

    /// The numbers of all statements that were admitted together, in order.
    pub fn statements(&self) -> impl Iterator<Item = StatementId> + use<> {
        let first = self.first.0;
        (0..u64::from(self.count)).map(move |n| StatementId(first + n))
    }

    /// True unless the disk has yet to confirm. Sending must wait until it is.
    pub fn is_durable(&self) -> bool {
        self.ticket.is_none()
    }

    /// Waits until the disk has confirmed, if that was asked for. Safe to cancel.
    ///
    /// # Errors
    /// [`TrailError::NotSynced`]: the statement must be refused.
    pub async fn synced(&mut self) -> Result<(), TrailError> {
        if let Some(ticket) = &mut self.ticket {
            ticket.synced().await?;
            self.ticket = None;
        }
        Ok(())
    }
}

/// The number of a record that must be in its lane's file before something may happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bar(u64);

impl Bar {
    pub(super) fn new(record: u64) -> Self {
        Self(record)
    }
}

/// What a bar says now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// The record is in the file.
    Open,
    /// It is about to be written.
    Waits,
    /// It could not be written. Stays so, even if it is written later.
    Closed,
}

/// How far a lane's file has come. Only its [`super::Lane`] moves it.
#[derive(Debug, Default)]
pub struct Progress {
    /// The last record in the file.
    written: AtomicU64,
    /// The last record that was waiting when a write failed.
    failed: AtomicU64,
}

impl Progress {
    /// Whether what stands behind the bar may leave.
    pub fn passage(&self, bar: Bar) -> Passage {
        // Both are written and read on the lane's own thread; there is nothing to order.
        if bar.0 <= self.failed.load(Ordering::Relaxed) {
            Passage::Closed
        } else if bar.0 <= self.written.load(Ordering::Relaxed) {
            Passage::Open
        } else {
            Passage::Waits
        }
    }

    pub(super) fn has_written(&self, record: u64) {
        self.written.store(record, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self, record: u64) {
        self.failed.store(record, Ordering::Relaxed);
    }
}

/// The right to send a text of the gateway's own upstream: its record is on the trail.
#[derive(Debug)]
#[must_use = "a statement on record that is not sent needs an outcome that says so"]
pub struct GatewayClearance {
    statement: StatementId,
    ticket: Option<SyncTicket>,
}

impl GatewayClearance {
    pub(super) fn new(statement: StatementId, ticket: Option<SyncTicket>) -> Self {
        Self { statement, ticket }
    }

    /// The number that its outcome names.
    pub fn statement(&self) -> StatementId {
        self.statement
    }

    /// As [`Clearance::is_durable`].
    pub fn is_durable(&self) -> bool {
        self.ticket.is_none()
    }

    /// As [`Clearance::synced`].
    ///
    /// # Errors
    /// [`TrailError::NotSynced`]: the text must not be sent.
    pub async fn synced(&mut self) -> Result<(), TrailError> {
        if let Some(ticket) = &mut self.ticket {
            ticket.synced().await?;
            self.ticket = None;
        }
        Ok(())
    }
}
