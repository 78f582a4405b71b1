//! Which sessions the running gateways have, for people; and the wish that one should end.
//!
//! What stands here is for `session list` and `session kill` alone: no decision reads it.

use std::time::Duration;

use serde_json::json;

use crate::{
    kernel::{
        access::Duty,
        ids::{Principal, SessionId, TargetName},
        time::Timestamp,
    },
    store::{
        Actor, Error, Store,
        db::{Row, values},
    },
};

/// A session whose gateway hasn't shown it for so long is gone.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// A session of a running gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionInfo {
    /// Which gateway.
    pub node: String,
    /// Its number there.
    pub id: SessionId,
    /// Who.
    pub principal: Principal,
    /// Where to.
    pub target: TargetName,
    /// From which address.
    pub client: String,
    /// What the client calls itself.
    pub application: String,
    /// Since when.
    pub since: Timestamp,
    /// When its last statement began.
    pub last_statement: Option<Timestamp>,
    /// `active`, `idle`, `idle in transaction`: a word for people.
    pub state: String,
    /// When its gateway last said so.
    pub seen: Timestamp,
}

/// What changes in a session while it lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionBeat {
    /// Which.
    pub id: SessionId,
    /// What the client calls itself now.
    pub application: String,
    /// When its last statement began.
    pub last_statement: Option<Timestamp>,
    /// A word for people.
    pub state: String,
}

/// Somebody wants a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kill {
    /// The wish's number.
    pub id: u64,
    /// Which session.
    pub session: SessionId,
    /// Who wants it.
    pub by: String,
}

impl Store {
    /// Shows a new session.
    pub async fn session_opened(&self, session: &SessionInfo) -> Result<(), Error> {
        let sql = "INSERT INTO sessions (node, id, principal, target, client, application, since, \
             last_statement, state, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let values = values![
            session.node.as_str(),
            session.id.0 as i64,
            session.principal.as_str(),
            session.target.as_str(),
            session.client.as_str(),
            session.application.as_str(),
            session.since,
            session.last_statement,
            session.state.as_str(),
            session.seen,
        ];
        self.database.execute(sql, values).await?;
        Ok(())
    }

    /// Takes a session out.
    pub async fn session_closed(&self, node: &str, id: SessionId) -> Result<(), Error> {
        let sql = "DELETE FROM sessions WHERE node = $1 AND id = $2";
        self.database.execute(sql, values![node, id.0 as i64]).await?;
        Ok(())
    }

    /// Shows how a node's sessions are; all of them, at least twice a minute. Sessions of nodes
    /// that stopped saying so are taken out.
    pub async fn session_heartbeat(
        &self,
        node: &str,
        now: Timestamp,
        beats: &[SessionBeat],
    ) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        let sql = "UPDATE sessions SET application = $3, last_statement = $4, state = $5, \
             seen = $6 WHERE node = $1 AND id = $2";
        for beat in beats {
            let values = values![
                node,
                beat.id.0 as i64,
                beat.application.as_str(),
                beat.last_statement,
                beat.state.as_str(),
                now,
            ];
            tx.execute(sql, values).await?;
        }
        let gone = oldest_seen(now);
        tx.execute("DELETE FROM sessions WHERE seen < $1", values![gone]).await?;
        tx.commit().await
    }

    /// Takes out all sessions of a node, when it starts or stops.
    pub async fn sessions_clear(&self, node: &str) -> Result<(), Error> {
        self.database.execute("DELETE FROM sessions WHERE node = $1", values![node]).await?;
        self.database.execute("DELETE FROM kill_requests WHERE node = $1", values![node]).await?;
        Ok(())
    }

    /// The sessions of all running gateways, the oldest first.
    pub async fn sessions(&self, now: Timestamp) -> Result<Vec<SessionInfo>, Error> {
        let sql = "SELECT * FROM sessions WHERE seen >= $1 ORDER BY since, node, id";
        let rows = self.database.rows(sql, values![oldest_seen(now)]).await?;
        rows.iter().map(session_of).collect()
    }

    /// Asks the gateway of a session to end it: a user of the machine, an owner, or its principal.
    pub async fn request_kill(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: SessionId,
    ) -> Result<SessionInfo, Error> {
        let mut act = self.act(actor, now).await?;
        let sql = "SELECT * FROM sessions WHERE id = $1 AND seen >= $2 ORDER BY node";
        let row = act.tx.row(sql, values![id.0 as i64, oldest_seen(act.now)]).await?;
        let session = session_of(&row.ok_or(Error::NoSuchSession(id))?)?;
        if !actor.is(&session.principal) {
            act.require(&[Duty::Owner], "the duty owner").await?;
        }
        let kill = act.next_id("kill").await?;
        let sql = "INSERT INTO kill_requests (id, node, session, by_actor, at) \
             VALUES ($1, $2, $3, $4, $5)";
        let by = actor.to_string();
        let values = values![kill, session.node.as_str(), id.0 as i64, by, act.now];
        act.tx.execute(sql, values).await?;
        let fields = json!({
            "session": id,
            "node": session.node,
            "principal": session.principal,
            "target": session.target,
        });
        act.event("session_kill_requested", fields).await?;
        act.commit().await?;
        Ok(session)
    }

    /// What a node is asked to end.
    pub async fn kills_pending(&self, node: &str) -> Result<Vec<Kill>, Error> {
        let sql = "SELECT id, session, by_actor FROM kill_requests WHERE node = $1 ORDER BY id";
        let rows = self.database.rows(sql, values![node]).await?;
        let kill = |row: &Row| {
            Ok(Kill {
                id: row.count("id")?,
                session: SessionId(row.int("session")? as u64),
                by: row.text("by_actor")?,
            })
        };
        rows.iter().map(kill).collect()
    }

    /// The wish was seen to.
    pub async fn kill_done(&self, id: u64) -> Result<(), Error> {
        self.database.execute("DELETE FROM kill_requests WHERE id = $1", values![id]).await?;
        Ok(())
    }
}

fn oldest_seen(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(SEEN_WITHIN.as_micros() as i64))
}

fn session_of(row: &Row) -> Result<SessionInfo, Error> {
    Ok(SessionInfo {
        node: row.text("node")?,
        id: SessionId(row.int("id")? as u64),
        principal: Principal::new(row.text("principal")?),
        target: TargetName::new(row.text("target")?),
        client: row.text("client")?,
        application: row.text("application")?,
        since: row.time("since")?,
        last_statement: row.time_or_null("last_statement")?,
        state: row.text("state")?,
        seen: row.time("seen")?,
    })
}
