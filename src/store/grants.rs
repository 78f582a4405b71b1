//! Grants: made, used, revoked. Their expiry is a question of the time, not a job.

use std::time::Duration;

use serde_json::json;

use crate::{
    kernel::{
        access::{AtEnd, Duty, Grant, GrantStatus, PermissionSet, Scope, grant::Revocation},
        ids::{GrantId, Principal, RequestId, TargetName},
        time::{Timestamp, Window},
    },
    store::{
        Actor, Error, Store,
        db::{Row, values},
        outbox::Act,
        requests::check_reason,
    },
};

/// How far ahead a grant may begin.
const AHEAD_MAX: Duration = Duration::from_secs(366 * 86_400);

/// A grant to be made without a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewGrant {
    /// To whom.
    pub principal: Principal,
    /// On which target.
    pub target: TargetName,
    /// To do what.
    pub permissions: PermissionSet,
    /// On which tables.
    pub scope: Scope,
    /// From when on; `None`: now.
    pub from: Option<Timestamp>,
    /// For how long.
    pub duration: Duration,
    /// The most rows of one statement; `None`: `limits.max_rows`.
    pub max_rows: Option<u64>,
    /// The most rows of all statements together; `None`: `limits.row_budget`.
    pub row_budget: Option<u64>,
    /// What happens to what still runs when the window closes.
    pub at_end: AtEnd,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Makes a grant: a user of the machine, or an owner for somebody else.
    pub async fn grant_create(
        &self,
        actor: &Actor,
        now: Timestamp,
        new: &NewGrant,
    ) -> Result<Grant, Error> {
        let mut act = self.act(actor, now).await?;
        act.require(&[Duty::Owner], "the duty owner").await?;
        if !actor.is_direct() && actor.is(&new.principal) {
            return Err(Error::OwnGrant);
        }
        act.require_enabled(&new.principal).await?;
        act.check_terms(&new.target, new.permissions, &new.scope)?;
        act.check_duration(new.duration)?;
        check_reason(&new.reason)?;
        let from = new.from.unwrap_or(act.now);
        if from < act.now || from > act.now.plus(AHEAD_MAX) {
            let reason = "not in the past, and within a year";
            return Err(Error::Invalid { field: "from", reason });
        }
        let grant = Grant {
            id: GrantId(act.next_id("grant").await?),
            principal: new.principal.clone(),
            target: new.target.clone(),
            permissions: new.permissions,
            scope: new.scope.clone(),
            window: Window { from, until: from.plus(new.duration) },
            max_rows: new.max_rows,
            row_budget: new.row_budget.unwrap_or(act.rules.row_budget),
            rows_used: 0,
            at_end: new.at_end,
            request: None,
            approved_by: actor.to_string(),
            reason: new.reason.clone(),
            created: act.now,
            revoked: None,
        };
        act.insert_grant(&grant).await?;
        act.event("grant_created", json!({ "grant": grant })).await?;
        act.commit().await?;
        Ok(grant)
    }

    /// One grant.
    pub async fn grant(&self, id: GrantId) -> Result<Grant, Error> {
        let sql = "SELECT * FROM grants WHERE id = $1";
        let rows = self.database.rows(sql, values![id.0]).await?;
        grant_of(rows.first().ok_or(Error::NoSuchGrant(id))?)
    }

    /// The youngest grants first; only those that give rights at `now`, if asked so.
    pub async fn grants(
        &self,
        now: Timestamp,
        active: bool,
        limit: u32,
    ) -> Result<Vec<Grant>, Error> {
        let earliest = if active { now } else { Timestamp(i64::MIN) };
        let sql = "SELECT * FROM grants WHERE ends > $1 ORDER BY id DESC LIMIT $2";
        let rows = self.database.rows(sql, values![earliest, i64::from(limit)]).await?;
        let grants: Vec<Grant> = rows.iter().map(grant_of).collect::<Result<_, _>>()?;
        let wanted = |g: &Grant| !active || g.status_at(now) == GrantStatus::Active;
        Ok(grants.into_iter().filter(wanted).collect())
    }

    /// Takes a grant back: its holder, an owner, an approver or a user of the machine.
    pub async fn grant_revoke(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: GrantId,
    ) -> Result<Grant, Error> {
        let mut act = self.act(actor, now).await?;
        let grant = act.grant(id).await?;
        act.require_revoker(&grant.principal).await?;
        let status = grant.status_at(act.now);
        match status {
            GrantStatus::Revoked | GrantStatus::Expired => {
                return Err(Error::GrantOver { id, status });
            }
            // An exhausted one may get room again; revoked, it never does.
            GrantStatus::Active | GrantStatus::Scheduled | GrantStatus::Exhausted => {}
        }
        let grant = act.revoke(grant, None).await?;
        act.commit().await?;
        Ok(grant)
    }

    /// Takes back every grant of a principal that has not ended; which those were.
    pub async fn grant_revoke_all_of(
        &self,
        actor: &Actor,
        now: Timestamp,
        principal: &Principal,
    ) -> Result<Vec<Grant>, Error> {
        let mut act = self.act(actor, now).await?;
        act.principal_row(principal).await?;
        act.require_revoker(principal).await?;
        let sql = "SELECT * FROM grants \
             WHERE principal = $1 AND revoked IS NULL AND ends > $2 ORDER BY id";
        let rows = act.tx.rows(sql, values![principal.as_str(), act.now]).await?;
        let mut revoked = Vec::new();
        for row in &rows {
            revoked.push(act.revoke(grant_of(row)?, None).await?);
        }
        act.commit().await?;
        Ok(revoked)
    }

    /// Adds rows that were returned under grants. No act: it leaves no event.
    pub async fn rows_used(&self, used: &[(GrantId, u64)]) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'", values![])
            .await?;
        // Saturates, so that no count ever turns negative and gives rights back.
        let sql = "UPDATE grants SET rows_used = CASE WHEN rows_used > $3 - $2 THEN $3 \
             ELSE rows_used + $2 END WHERE id = $1";
        for (id, rows) in used {
            tx.execute(sql, values![id.0, *rows, i64::MAX]).await?;
        }
        if tx.is_postgres() {
            tx.execute("SELECT pg_notify('hallpass_change', '')", values![]).await?;
        }
        tx.commit().await
    }
}

impl Act<'_> {
    pub(super) async fn grant(&mut self, id: GrantId) -> Result<Grant, Error> {
        let row = self.tx.row("SELECT * FROM grants WHERE id = $1", values![id.0]).await?;
        grant_of(&row.ok_or(Error::NoSuchGrant(id))?)
    }

    async fn require_revoker(&mut self, holder: &Principal) -> Result<(), Error> {
        if self.actor.is(holder) {
            return Ok(());
        }
        self.require(&[Duty::Approver, Duty::Owner], "the duty owner or approver").await
    }

    /// `reason`: for the record, where it wasn't somebody's wish for this grant.
    pub(super) async fn revoke(
        &mut self,
        mut grant: Grant,
        reason: Option<&str>,
    ) -> Result<Grant, Error> {
        let by = self.actor.to_string();
        let sql = "UPDATE grants SET revoked = $2, revoked_by = $3 \
             WHERE id = $1 AND revoked IS NULL";
        self.tx.execute(sql, values![grant.id.0, self.now, by.as_str()]).await?;
        grant.revoked = Some(Revocation { at: self.now, by });
        let mut fields = json!({ "grant": grant });
        if let Some(reason) = reason {
            fields["reason"] = reason.into();
        }
        self.event("grant_revoked", fields).await?;
        Ok(grant)
    }

    pub(super) async fn insert_grant(&mut self, grant: &Grant) -> Result<(), Error> {
        let sql = "INSERT INTO grants (id, principal, target, permissions, scope, starts, ends, \
             max_rows, row_budget, rows_used, at_end, request, approved_by, reason, created) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, $14)";
        let values = values![
            grant.id.0,
            grant.principal.as_str(),
            grant.target.as_str(),
            grant.permissions.short_list(),
            scope_text(&grant.scope),
            grant.window.from,
            grant.window.until,
            grant.max_rows,
            grant.row_budget,
            at_end_text(grant.at_end),
            grant.request.map(|r| r.0),
            grant.approved_by.as_str(),
            grant.reason.as_str(),
            grant.created,
        ];
        self.tx.execute(sql, values).await?;
        Ok(())
    }
}

pub(super) fn grant_of(row: &Row) -> Result<Grant, Error> {
    let at_end = match row.text("at_end")?.as_str() {
        "cancel" => AtEnd::Cancel,
        "finish_statement" => AtEnd::FinishStatement,
        "finish_transaction" => AtEnd::FinishTransaction,
        _ => return Err(Error::corrupt("at_end of a grant")),
    };
    let number = |name: &str| -> Result<Option<u64>, Error> {
        match row.int_or_null(name)? {
            None => Ok(None),
            Some(_) => row.count(name).map(Some),
        }
    };
    let revoked = match row.time_or_null("revoked")? {
        None => None,
        Some(at) => {
            Some(Revocation { at, by: row.text_or_null("revoked_by")?.unwrap_or_default() })
        }
    };
    Ok(Grant {
        id: GrantId(row.count("id")?),
        principal: Principal::new(row.text("principal")?),
        target: TargetName::new(row.text("target")?),
        permissions: read_permissions(row)?,
        scope: read_scope(row)?,
        window: Window { from: row.time("starts")?, until: row.time("ends")? },
        max_rows: number("max_rows")?,
        row_budget: row.count("row_budget")?,
        rows_used: row.count("rows_used")?,
        at_end,
        request: number("request")?.map(RequestId),
        approved_by: row.text("approved_by")?,
        reason: row.text("reason")?,
        created: row.time("created")?,
        revoked,
    })
}

/// The word for what happens at the end, as stored and typed.
fn at_end_text(at_end: AtEnd) -> &'static str {
    match at_end {
        AtEnd::Cancel => "cancel",
        AtEnd::FinishStatement => "finish_statement",
        AtEnd::FinishTransaction => "finish_transaction",
    }
}

pub(super) fn read_permissions(row: &Row) -> Result<PermissionSet, Error> {
    PermissionSet::parse_list(&row.text("permissions")?)
        .map_err(|_| Error::corrupt("permissions of a grant or request"))
}

pub(super) fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::All => "*".to_owned(),
        Scope::Only(_) => scope.to_string(),
    }
}

pub(super) fn read_scope(row: &Row) -> Result<Scope, Error> {
    match row.text("scope")?.as_str() {
        "*" => Ok(Scope::All),
        // Fail closed: a scope that can't be read must not widen into all tables.
        list => Scope::parse_list(list).map_err(|_| Error::corrupt("scope of a grant or request")),
    }
}
