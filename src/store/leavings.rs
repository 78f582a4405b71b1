//! What grants with `admin` leave behind: noted when they begin, compared when they have ended.

use std::collections::HashSet;

use serde_json::json;

use crate::{
    kernel::{
        access::{Grant, Leaving, Survey},
        ids::GrantId,
        time::Timestamp,
    },
    store::{
        Actor, Error, Store,
        db::{Row, Tx, values},
        grants::grant_of,
    },
};

/// The most differences of one grant that are kept; of the others their number is.
const ITEMS_MAX: usize = 500;

/// The most characters of a detail that are kept.
const DETAIL_CHARS_MAX: usize = 300;

/// What is known of what a grant leaves behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leavings {
    /// When the target was looked at first.
    pub taken: Timestamp,
    /// When it was looked at again; `None`: not yet.
    pub settled: Option<Timestamp>,
    /// The differences, at most 500.
    pub items: Vec<Leaving>,
    /// How many more there were.
    pub more: u64,
    /// Why it is not known.
    pub trouble: Option<String>,
}

/// A grant's first look at the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Baseline {
    /// What was there.
    Taken(Survey),
    /// Why it could not be read.
    Trouble(String),
}

/// Which grants have been looked at, for a snapshot.
pub(super) struct Known {
    /// Those of the last day whose beginning is noted.
    pub(super) begun: HashSet<GrantId>,
    /// Those that are not compared yet.
    pub(super) unsettled: Vec<Grant>,
}

impl Store {
    /// Notes what a target held when these grants began. What is noted already stays. No act: it
    /// leaves no event, and wakes the gateways.
    pub async fn leavings_begin(
        &self,
        grants: &[GrantId],
        baseline: &Baseline,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (survey, trouble) = match baseline {
            Baseline::Taken(survey) => (Some(write_json(survey)?), None),
            Baseline::Trouble(why) => (None, Some(why.clone())),
        };
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'", values![])
            .await?;
        let sql = "INSERT INTO leavings (grant_id, taken, baseline, items_more, trouble) \
             VALUES ($1, $2, $3, 0, $4) ON CONFLICT (grant_id) DO NOTHING";
        for id in grants {
            tx.execute(sql, values![id.0, self.time(now), survey.clone(), trouble.clone()]).await?;
        }
        if tx.is_postgres() {
            tx.execute("SELECT pg_notify('hallpass_change', '')", values![]).await?;
        }
        tx.commit().await
    }

    /// What a target held when the grant began; `None` if that is not known, or settled.
    pub async fn leavings_baseline(&self, id: GrantId) -> Result<Option<Survey>, Error> {
        let sql = "SELECT baseline FROM leavings WHERE grant_id = $1 AND settled IS NULL";
        let rows = self.database.rows(sql, values![id.0]).await?;
        let Some(text) =
            rows.first().map(|row| row.text_or_null("baseline")).transpose()?.flatten()
        else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|_| Error::corrupt("baseline of a grant"))
    }

    /// Puts down what a grant left behind, or why that is not known, and leaves an event for the
    /// trail. False if somebody else has done so.
    pub async fn leavings_settle(
        &self,
        actor: &Actor,
        now: Timestamp,
        id: GrantId,
        left: Result<Vec<Leaving>, String>,
    ) -> Result<bool, Error> {
        let (mut items, found) = match left {
            Ok(items) => (items, Ok(())),
            Err(why) => (Vec::new(), Err(why)),
        };
        let more = items.len().saturating_sub(ITEMS_MAX);
        items.truncate(ITEMS_MAX);
        for item in &mut items {
            shorten(&mut item.detail);
        }
        let mut act = self.act(actor, now).await?;
        let sql = "UPDATE leavings SET settled = $2, items = $3, items_more = $4, \
             trouble = coalesce($5, trouble), baseline = NULL \
             WHERE grant_id = $1 AND settled IS NULL";
        let trouble = found.err();
        let values = values![id.0, act.now, write_json(&items)?, more as u64, trouble];
        if act.tx.execute(sql, values).await? == 0 {
            return Ok(false);
        }
        let row = act.tx.row(ONE, values![id.0]).await?;
        let known = leavings_of(&row.ok_or(Error::NoSuchGrant(id))?)?;
        let grant = act.grant(id).await?;
        let body = json!({
            "grant": grant.id.to_string(),
            "principal": grant.principal,
            "target": grant.target,
            "since": known.taken.to_string(),
            "items": known.items,
            "more": known.more,
            "trouble": known.trouble,
        });
        act.event("grant_left_behind", body).await?;
        act.commit().await?;
        Ok(true)
    }

    /// What is known of what a grant leaves behind; `None` if it hasn't begun, or never could.
    pub async fn leavings(&self, id: GrantId) -> Result<Option<Leavings>, Error> {
        let rows = self.database.rows(ONE, values![id.0]).await?;
        rows.first().map(leavings_of).transpose()
    }
}

const ONE: &str = "SELECT taken, settled, items, items_more, trouble FROM leavings \
     WHERE grant_id = $1";

/// Reads which grants have been looked at.
pub(super) async fn known(tx: &mut Tx, since: Timestamp) -> Result<Known, Error> {
    let sql = "SELECT l.grant_id FROM leavings l JOIN grants g ON g.id = l.grant_id \
         WHERE g.ends > $1";
    let rows = tx.rows(sql, values![since]).await?;
    let begun =
        rows.iter().map(|row| row.count("grant_id").map(GrantId)).collect::<Result<_, _>>()?;
    let sql = "SELECT g.* FROM leavings l JOIN grants g ON g.id = l.grant_id \
         WHERE l.settled IS NULL ORDER BY g.id";
    let rows = tx.rows(sql, values![]).await?;
    let unsettled = rows.iter().map(grant_of).collect::<Result<_, _>>()?;
    Ok(Known { begun, unsettled })
}

fn leavings_of(row: &Row) -> Result<Leavings, Error> {
    let items = match row.text_or_null("items")? {
        Some(text) => {
            serde_json::from_str(&text).map_err(|_| Error::corrupt("what a grant left behind"))?
        }
        None => Vec::new(),
    };
    Ok(Leavings {
        taken: row.time("taken")?,
        settled: row.time_or_null("settled")?,
        items,
        more: row.count("items_more")?,
        trouble: row.text_or_null("trouble")?,
    })
}

fn write_json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|_| Error::corrupt("a value that can't be written"))
}

fn shorten(detail: &mut String) {
    if let Some((at, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
        detail.truncate(at);
        detail.push('…');
    }
}
