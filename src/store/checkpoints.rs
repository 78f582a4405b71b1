//! Copies of what the nodes' trails vouch for: their public keys and signed checkpoints.
//!
//! A checkpoint here is what makes a cut end of a trail visible: the store is usually on another
//! machine, or at least in another file, than the segments. The text of a line is the trail's.

use crate::{
    kernel::time::Timestamp,
    store::{Error, Store, db::values},
};

/// How many of a node's latest checkpoints are kept whole; of older ones, the first of each hour.
const RECENT: i64 = 360;
const HOUR_MICROS: i64 = 3_600_000_000;

/// A key that a node signs with, or did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeKey {
    /// Which node.
    pub node: String,
    /// Its Ed25519 public key.
    pub public_key: Vec<u8>,
    /// When it was first shown.
    pub since: Timestamp,
}

impl Store {
    /// Shows a node's public key. Those it had before stay: they signed what is older.
    pub async fn save_node_key(
        &self,
        node: &str,
        public_key: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO node_keys (node, public_key, since) VALUES ($1, $2, $3) \
             ON CONFLICT (node, public_key) DO NOTHING";
        self.database.execute(sql, values![node, public_key, now]).await?;
        Ok(())
    }

    /// All keys of all nodes, each node's oldest first.
    pub async fn node_keys(&self) -> Result<Vec<NodeKey>, Error> {
        let sql = "SELECT node, public_key, since FROM node_keys ORDER BY node, since";
        let rows = self.database.rows(sql, values![]).await?;
        rows.iter()
            .map(|row| {
                Ok(NodeKey {
                    node: row.text("node")?,
                    public_key: row.bytes("public_key")?,
                    since: row.time("since")?,
                })
            })
            .collect()
    }

    /// Keeps a copy of a signed checkpoint.
    pub async fn save_checkpoint(
        &self,
        node: &str,
        line: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        let latest = "SELECT seq, at FROM checkpoints WHERE node = $1 ORDER BY seq DESC LIMIT 1";
        let (seq, kept) = match tx.row(latest, values![node]).await? {
            None => (1, true),
            Some(row) => {
                let hour = |at: i64| at.div_euclid(HOUR_MICROS);
                (row.int("seq")?.saturating_add(1), hour(row.int("at")?) != hour(now.0))
            }
        };
        let sql = "INSERT INTO checkpoints (node, seq, at, kept, line) VALUES ($1, $2, $3, $4, $5)";
        tx.execute(sql, values![node, seq, now, kept, line]).await?;
        let sql = "DELETE FROM checkpoints WHERE node = $1 AND seq < $2 AND kept = 0";
        tx.execute(sql, values![node, seq - RECENT]).await?;
        tx.commit().await
    }

    /// The checkpoints of a node, the oldest first.
    pub async fn checkpoints(&self, node: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT line FROM checkpoints WHERE node = $1 ORDER BY seq";
        let rows = self.database.rows(sql, values![node]).await?;
        rows.iter().map(|row| row.text("line")).collect()
    }
}
