//! Requests: asked, and answered by somebody else.

use std::time::Duration;

use serde_json::json;

use crate::{
    kernel::{
        access::{AccessRequest, AtEnd, Duty, Grant, PermissionSet, RequestState, Scope},
        ids::{GrantId, Principal, RequestId, TargetName},
        time::{Timestamp, Window},
    },
    store::{
        Actor, Error, Store,
        db::{Row, values},
        grants::{read_permissions, read_scope, scope_text},
        outbox::Act,
        state_name,
    },
};

/// The most requests of one principal that may wait for an answer: approvers have to read them.
const PENDING_MAX: i64 = 20;

const APPROVERS: &[Duty] = &[Duty::Approver, Duty::Owner];

/// What somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRequest {
    /// For whom; a principal asks for itself only.
    pub principal: Principal,
    /// On which target.
    pub target: TargetName,
    /// To do what.
    pub permissions: PermissionSet,
    /// On which tables.
    pub scope: Scope,
    /// For how long from the approval on.
    pub duration: Duration,
    /// Why.
    pub reason: String,
}

/// What an approver adds to a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Approval {
    /// The most rows of one statement; `None`: `limits.max_rows`.
    pub max_rows: Option<u64>,
    /// The most rows of all statements together; `None`: `limits.row_budget`.
    pub row_budget: Option<u64>,
    /// What happens to what still runs when the window closes.
    pub at_end: AtEnd,
}

impl Store {
    /// Asks.
    pub async fn request_create(
        &self,
        actor: &Actor,
        now: Timestamp,
        new: &NewRequest,
    ) -> Result<AccessRequest, Error> {
        let mut act = self.act(actor, now).await?;
        if let Actor::Principal(name) = actor
            && *name != new.principal
        {
            let needed = "to be that principal";
            return Err(Error::NotAllowed { actor: actor.to_string(), needed });
        }
        act.require_enabled(&new.principal).await?;
        act.check_terms(&new.target, new.permissions, &new.scope)?;
        act.check_duration(new.duration)?;
        check_reason(&new.reason)?;
        let sql = "SELECT count(*) AS pending FROM requests \
             WHERE principal = $1 AND state = 'pending' AND expires > $2";
        let row = act.tx.row(sql, values![new.principal.as_str(), act.now]).await?;
        if row.map_or(Ok(0), |r| r.int("pending"))? >= PENDING_MAX {
            let principal = new.principal.clone();
            return Err(Error::TooManyPending { principal, most: PENDING_MAX });
        }
        let id = RequestId(act.next_id("request").await?);
        let sql = "INSERT INTO requests (id, principal, target, permissions, scope, \
             duration_seconds, reason, asked_by, created, expires, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending')";
        let values = values![
            id.0,
            new.principal.as_str(),
            new.target.as_str(),
            new.permissions.short_list(),
            scope_text(&new.scope),
            new.duration.as_secs(),
            new.reason.as_str(),
            actor.to_string(),
            act.now,
            act.now.plus(act.rules.request_expires),
        ];
        act.tx.execute(sql, values).await?;
        let request = act.request(id).await?;
        act.event("request_created", json!({ "request": request })).await?;
        act.commit().await?;
        Ok(request)
    }

    /// One request.
    pub async fn request(&self, now: Timestamp, id: RequestId) -> Result<AccessRequest, Error> {
        let sql = "SELECT * FROM requests WHERE id = $1";
        let rows = self.database.rows(sql, values![id.0]).await?;
        let row = rows.first().ok_or(Error::NoSuchRequest(id))?;
        request_of(row, now)
    }

    /// The youngest requests first; only those that wait for an answer, if asked so.
    pub async fn requests(
        &self,
        now: Timestamp,
        pending: bool,
        limit: u32,
    ) -> Result<Vec<AccessRequest>, Error> {
        let limit = i64::from(limit);
        let rows = if pending {
            let sql = "SELECT * FROM requests WHERE state = 'pending' AND expires > $1 \
                 ORDER BY id DESC LIMIT $2";
            self.database.rows(sql, values![now, limit]).await?
        } else {
            let sql = "SELECT * FROM requests ORDER BY id DESC LIMIT $1";
            self.database.rows(sql, values![limit]).await?
        };
        rows.iter().map(|row| request_of(row, now)).collect()
    }

    /// Says yes: the grant begins now. Only one of several answers at the same time wins.
    pub async fn request_approve(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: RequestId,
        approval: &Approval,
    ) -> Result<Grant, Error> {
        let mut act = self.act(actor, now).await?;
        act.require(APPROVERS, "the duty approver").await?;
        let request = act.request_to_decide(id).await?;
        act.require_enabled(&request.principal).await?;
        // The settings may have changed since it was asked.
        act.check_terms(&request.target, request.permissions, &request.scope)?;
        let duration = Duration::from_secs(request.duration_seconds);
        act.check_duration(duration)?;
        let grant = Grant {
            id: GrantId(act.next_id("grant").await?),
            principal: request.principal.clone(),
            target: request.target.clone(),
            permissions: request.permissions,
            scope: request.scope.clone(),
            window: Window { from: act.now, until: act.now.plus(duration) },
            max_rows: approval.max_rows,
            row_budget: approval.row_budget.unwrap_or(act.rules.row_budget),
            rows_used: 0,
            at_end: approval.at_end,
            request: Some(id),
            approved_by: actor.to_string(),
            reason: request.reason.clone(),
            created: act.now,
            revoked: None,
        };
        act.insert_grant(&grant).await?;
        act.decide(id, RequestState::Approved, Some(grant.id)).await?;
        act.event("request_approved", json!({"id": id, "grant": grant})).await?;
        act.commit().await?;
        Ok(grant)
    }

    /// Says no.
    pub async fn request_deny(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: RequestId,
    ) -> Result<AccessRequest, Error> {
        let mut act = self.act(actor, now).await?;
        act.require(APPROVERS, "the duty approver").await?;
        act.request_to_decide(id).await?;
        act.decide(id, RequestState::Denied, None).await?;
        act.finish_request(id, "request_denied").await
    }

    /// Takes it back: its own principal, or a user of the machine.
    pub async fn request_withdraw(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: RequestId,
    ) -> Result<AccessRequest, Error> {
        let mut act = self.act(actor, now).await?;
        let request = act.request(id).await?;
        if !actor.is_direct() && !actor.is(&request.principal) {
            let needed = "to be the principal who asked";
            return Err(Error::NotAllowed { actor: actor.to_string(), needed });
        }
        act.decide(id, RequestState::Withdrawn, None).await?;
        act.finish_request(id, "request_withdrawn").await
    }
}

impl Act<'_> {
    async fn request(&mut self, id: RequestId) -> Result<AccessRequest, Error> {
        let row = self.tx.row("SELECT * FROM requests WHERE id = $1", values![id.0]).await?;
        request_of(&row.ok_or(Error::NoSuchRequest(id))?, self.now)
    }

    /// The request, unless it is the actor's own.
    async fn request_to_decide(&mut self, id: RequestId) -> Result<AccessRequest, Error> {
        let request = self.request(id).await?;
        // Fail closed: a namesake on the machine counts as the principal herself.
        if self.actor.is(&request.principal) {
            return Err(Error::OwnRequest { id, principal: request.principal });
        }
        Ok(request)
    }

    /// Moves a request out of `pending`, or says why it can't.
    async fn decide(
        &mut self,
        id: RequestId,
        state: RequestState,
        grant: Option<GrantId>,
    ) -> Result<(), Error> {
        let sql = "UPDATE requests SET state = $2, decided_by = $3, decided = $4, grant_id = $5 \
             WHERE id = $1 AND state = 'pending' AND expires > $4";
        let by = self.actor.to_string();
        let values = values![id.0, state_name(state), by, self.now, grant.map(|g| g.0)];
        if self.tx.execute(sql, values).await? == 1 {
            return Ok(());
        }
        let request = self.request(id).await?;
        Err(Error::Decided { id, state: request.state, by: request.decided_by })
    }

    async fn finish_request(
        mut self,
        id: RequestId,
        kind: &'static str,
    ) -> Result<AccessRequest, Error> {
        let request = self.request(id).await?;
        self.event(kind, json!({ "request": request })).await?;
        self.commit().await?;
        Ok(request)
    }

    pub(super) fn check_terms(
        &self,
        target: &TargetName,
        permissions: PermissionSet,
        scope: &Scope,
    ) -> Result<(), Error> {
        if !self.rules.targets.contains(target) {
            let known: Vec<&str> = self.rules.targets.iter().map(TargetName::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Error::NoSuchTarget { name: target.to_string(), known });
        }
        if permissions.is_empty() {
            return Err(Error::Invalid { field: "permissions", reason: "at least one" });
        }
        if matches!(scope, Scope::Only(items) if items.is_empty()) {
            return Err(Error::Invalid { field: "scope", reason: "at least one table or schema" });
        }
        Ok(())
    }

    pub(super) fn check_duration(&self, asked: Duration) -> Result<(), Error> {
        if asked.as_secs() == 0 {
            return Err(Error::Invalid { field: "duration", reason: "at least one second" });
        }
        let most = self.rules.max_duration;
        if asked > most { Err(Error::TooLong { asked, most }) } else { Ok(()) }
    }
}

/// A reason is one line for people: it stands in messages, records and tables.
pub(super) fn check_reason(reason: &str) -> Result<(), Error> {
    let fits = !reason.trim().is_empty()
        && reason.chars().count() <= 500
        && !reason.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(Error::Invalid { field: "reason", reason: "one line of 1 to 500 characters" })
}

/// A request as it stands at `now`.
pub(super) fn request_of(row: &Row, now: Timestamp) -> Result<AccessRequest, Error> {
    let state = match row.text("state")?.as_str() {
        "pending" if row.time("expires")? <= now => RequestState::Stale,
        "pending" => RequestState::Pending,
        "approved" => RequestState::Approved,
        "denied" => RequestState::Denied,
        "withdrawn" => RequestState::Withdrawn,
        "stale" => RequestState::Stale,
        _ => return Err(Error::corrupt("state of a request")),
    };
    Ok(AccessRequest {
        id: RequestId(row.count("id")?),
        principal: Principal::new(row.text("principal")?),
        target: TargetName::new(row.text("target")?),
        permissions: read_permissions(row)?,
        scope: read_scope(row)?,
        duration_seconds: row.count("duration_seconds")?,
        reason: row.text("reason")?,
        created: row.time("created")?,
        state,
        decided_by: row.text_or_null("decided_by")?,
        decided: row.time_or_null("decided")?,
        grant: match row.int_or_null("grant_id")? {
            None => None,
            Some(_) => Some(GrantId(row.count("grant_id")?)),
        },
    })
}
