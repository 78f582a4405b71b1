//! Acts: one transaction each, in one order, with an event for the trail.

use std::{sync::Arc, time::Instant};

use serde_json::{Map, Value as Json};

use crate::{
    kernel::{access::Duty, time::Timestamp},
    store::{
        Actor, Error, NOTE_TIME, Rules, Store,
        db::{Row, Tx, values},
    },
};

/// An act that no gateway has put on the trail yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxEvent {
    /// Counted from 1 in the order of the acts.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// A JSON object: `kind`, `actor`, `direct`, `at`, and the fields of what was acted on.
    pub body: String,
}

impl OutboxEvent {
    pub(super) fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.count("id")?, at: row.time("at")?, body: row.text("body")? })
    }
}

impl Store {
    /// The oldest events that are on no trail yet.
    pub async fn outbox_pending(&self, limit: u32) -> Result<Vec<OutboxEvent>, Error> {
        let sql = "SELECT id, at, body FROM outbox ORDER BY id LIMIT $1";
        let rows = self.database.rows(sql, values![i64::from(limit)]).await?;
        rows.iter().map(OutboxEvent::from_row).collect()
    }

    /// Takes events out that are on a trail now.
    pub async fn outbox_mark_done(&self, ids: &[u64]) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        for id in ids {
            tx.execute("DELETE FROM outbox WHERE id = $1", values![*id]).await?;
        }
        tx.commit().await
    }

    /// Leaves an event that says who reads the audit, and what of it.
    pub async fn note_audit_read(
        &self,
        actor: &Actor,
        what: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut act = self.act(actor, now).await?;
        act.event("audit.read", serde_json::json!({ "what": what })).await?;
        act.commit().await
    }

    /// Begins an act. From here on no other act happens, on any machine, until it ends.
    pub(super) async fn act<'a>(&self, actor: &'a Actor, now: Timestamp) -> Result<Act<'a>, Error> {
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'", values![])
            .await?;
        let row = tx.row(NOTE_TIME, values![self.time(now)]).await?;
        let now = row.ok_or_else(|| Error::corrupt("no highest_time"))?.time("value")?;
        self.floor.raise(now, Instant::now());
        Ok(Act { tx, now, actor, rules: self.rules.load_full() })
    }
}

/// An act under way. Dropped before [`Act::commit`], it never was.
pub(super) struct Act<'a> {
    pub(super) tx: Tx,
    /// When it happens.
    pub(super) now: Timestamp,
    pub(super) actor: &'a Actor,
    pub(super) rules: Arc<Rules>,
}

impl Act<'_> {
    /// The next number of a counter.
    pub(super) async fn next_id(&mut self, counter: &'static str) -> Result<u64, Error> {
        let sql = "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value";
        let row = self.tx.row(sql, values![counter]).await?;
        row.ok_or_else(|| Error::corrupt(format!("no counter {counter}")))?.count("value")
    }

    /// Leaves an event. `fields` is an object.
    pub(super) async fn event(&mut self, kind: &'static str, fields: Json) -> Result<(), Error> {
        let mut body = Map::new();
        body.insert("kind".into(), kind.into());
        body.insert("actor".into(), self.actor.to_string().into());
        body.insert("direct".into(), self.actor.is_direct().into());
        body.insert("at".into(), self.now.to_string().into());
        if let Json::Object(fields) = fields {
            body.extend(fields);
        }
        let id = self.next_id("event").await?;
        let body = Json::Object(body).to_string();
        let sql = "INSERT INTO outbox (id, at, body) VALUES ($1, $2, $3)";
        self.tx.execute(sql, values![id, self.now, body]).await?;
        Ok(())
    }

    /// Refuses unless the actor has one of these duties, or is a user of the machine.
    pub(super) async fn require(
        &mut self,
        duties: &[Duty],
        needed: &'static str,
    ) -> Result<(), Error> {
        let Actor::Principal(name) = self.actor else { return Ok(()) };
        let name = name.clone();
        let row = self.principal_row(&name).await?;
        if row.truth("disabled")? {
            return Err(Error::PrincipalDisabled(name));
        }
        let held = super::principals::roles_of(&row)?;
        let has = |duty: &Duty| {
            self.rules.roles.iter().any(|r| held.contains(&r.name) && r.duties.contains(duty))
        };
        if duties.iter().any(has) {
            return Ok(());
        }
        Err(Error::NotAllowed { actor: self.actor.to_string(), needed })
    }

    /// Makes it so, and wakes the gateways.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        if self.tx.is_postgres() {
            self.tx.execute("SELECT pg_notify('hallpass_change', '')", values![]).await?;
        }
        self.tx.commit().await
    }
}
