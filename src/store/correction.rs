//! Setting the store's time right, after some clock was far ahead.
//!
//! Time never runs back for whoever serves: from the highest time seen it goes on. A person may set
//! it right while nobody serves. Nobody gains by that: what would live again, or longer, ends in the same
//! transaction, for good.

use serde_json::json;

use crate::{
    kernel::{
        access::Grant,
        ids::{Principal, RequestId},
        time::Timestamp,
    },
    store::{
        Actor, Error, Store,
        db::{Tx, values},
        grants::grant_of,
        outbox::Act,
    },
};

/// Why grants end with it, on record.
const REASON: &str = "the store's time was set right";

/// What setting the time right comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeCorrection {
    /// The highest time that any node has noted.
    pub seen: Timestamp,
    /// The time from which it would go on instead.
    pub to: Timestamp,
    /// Grants that would live again, or longer: they end.
    pub grants: Vec<Grant>,
    /// Requests that could be approved again, or longer: they go stale.
    pub requests: Vec<RequestId>,
    /// Whose secrets would be accepted again, or longer, and how many: they end.
    pub secrets: Vec<(Principal, u64)>,
}

impl Store {
    /// What it would come to if the time went on from `to`. Changes nothing.
    pub async fn time_correction(&self, to: Timestamp) -> Result<TimeCorrection, Error> {
        let mut tx = self.database.begin_read().await?;
        let correction = look(&mut tx, to).await?;
        tx.commit().await?;
        Ok(correction)
    }

    /// Makes the time go on from where `shown` says, and ends what would gain by it. For a user of the
    /// machine, while no gateway serves.
    ///
    /// # Errors
    /// [`Error::TimeMoves`]: some gateway has noted another time since that was shown.
    pub async fn set_time_right(
        &self,
        actor: &Actor,
        shown: &TimeCorrection,
    ) -> Result<TimeCorrection, Error> {
        let to = shown.to;
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'", values![])
            .await?;
        let sql = "UPDATE counters SET value = $1 WHERE name = 'highest_time' AND value = $2";
        if tx.execute(sql, values![to, shown.seen]).await? != 1 {
            return Err(Error::TimeMoves);
        }
        let done = TimeCorrection { seen: shown.seen, ..look(&mut tx, to).await? };
        // Not by `Store::act`: that would go on from the highest time.
        let mut act = Act { tx, now: to, actor, rules: self.rules.load_full() };
        act.require(&[], "to be a user of the machine").await?;
        let secrets: Vec<_> =
            done.secrets.iter().map(|(name, count)| json!({"of": name, "count": count})).collect();
        let fields = json!({
            "from": done.seen.to_string(),
            "to": to.to_string(),
            "grants_ended": done.grants.iter().map(|g| g.id.to_string()).collect::<Vec<_>>(),
            "requests_ended": done.requests.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "secrets_ended": secrets,
        });
        act.event("time_set_right", fields).await?;
        for grant in done.grants.clone() {
            act.revoke(grant, Some(REASON)).await?;
        }
        for sql in [
            // Taken back at a time that has not come yet, it would give rights until then.
            "UPDATE grants SET revoked = $1 WHERE revoked > $1",
            "UPDATE requests SET expires = $1 WHERE state = 'pending' AND expires > $1",
            "UPDATE secrets SET expires = $1 WHERE expires > $1",
        ] {
            act.tx.execute(sql, values![to]).await?;
        }
        // Nobody serves, and these would look alive until their time has come.
        act.tx.execute("DELETE FROM sessions", values![]).await?;
        act.tx.execute("DELETE FROM kill_requests", values![]).await?;
        act.commit().await?;
        Ok(done)
    }
}

async fn look(tx: &mut Tx, to: Timestamp) -> Result<TimeCorrection, Error> {
    let sql = "SELECT value FROM counters WHERE name = 'highest_time'";
    let row = tx.row(sql, values![]).await?;
    let seen = row.ok_or_else(|| Error::corrupt("no highest_time"))?.time("value")?;
    let sql = "SELECT * FROM grants WHERE ends > $1 AND revoked IS NULL ORDER BY id";
    let rows = tx.rows(sql, values![to]).await?;
    let grants = rows.iter().map(grant_of).collect::<Result<_, _>>()?;
    let sql = "SELECT id FROM requests WHERE state = 'pending' AND expires > $1 ORDER BY id";
    let rows = tx.rows(sql, values![to]).await?;
    let requests =
        rows.iter().map(|row| row.count("id").map(RequestId)).collect::<Result<_, _>>()?;
    let sql = "SELECT principal, count(*) AS count FROM secrets WHERE expires > $1 \
         GROUP BY principal ORDER BY principal";
    let mut secrets = Vec::new();
    for row in tx.rows(sql, values![to]).await? {
        secrets.push((Principal::new(row.text("principal")?), row.count("count")?));
    }
    Ok(TimeCorrection { seen, to, grants, requests, secrets })
}
