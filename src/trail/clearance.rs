//! The right to send a statement upstream: a permit whose intent is on the trail.

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
    ticket: Option<SyncTicket>,
}

impl Clearance {
    pub(super) fn new(
        permit: Permit,
        first: StatementId,
        count: u32,
        ticket: Option<SyncTicket>,
    ) -> Self {
        Self { permit, first, count, ticket }
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
