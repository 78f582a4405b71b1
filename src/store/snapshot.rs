//! One state of the store as an immutable value: what session cores decide and log in from.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    kernel::{
        access::{
            AccessRequest, Duty, Grant, PermissionSet, Rights, ScramCredentials, ScramVerifier,
        },
        ids::{GrantId, Principal, RoleName, TargetName},
        secret::Secret,
        time::Timestamp,
    },
    store::{
        Error, Masks, Rules, Store,
        db::{Row, Tx, values},
        grants::grant_of,
        leavings, masks,
        outbox::OutboxEvent,
        principals::{iterations_of, roles_of},
        requests::request_of,
    },
};

/// How long what has ended stays in a snapshot, so that people can be told what became of it.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// One state of the store. All of it was read at the same instant.
#[derive(Clone, Debug)]
pub struct AccessSnapshot {
    /// The `change` counter: a higher one is younger.
    pub version: u64,
    /// The highest time any node has seen.
    pub highest_time: Timestamp,
    /// All principals, the disabled ones too.
    pub principals: HashMap<Principal, Arc<PrincipalState>>,
    /// The grants of each principal that have not ended for more than a day.
    pub grants: HashMap<Principal, Vec<Arc<Grant>>>,
    /// The pending requests, and those decided within a day; the youngest first.
    pub requests: Vec<Arc<AccessRequest>>,
    /// Acts that are part of this state and on no trail yet, the oldest first. They must be on one
    /// before the snapshot takes effect.
    pub unrecorded: Vec<OutboxEvent>,
    /// What the challenges for unknown principals are made from, the same on every node.
    pub mock_secret: Secret,
    /// The store's own name: 16 random bytes.
    pub store_id: Vec<u8>,
    /// The store has not answered for too long: no grant counts, because it may have been revoked.
    pub unconfirmed: bool,
    /// Grants of the last day whose target has been looked at when they began.
    pub begun: HashSet<GrantId>,
    /// Grants that have ended, or will, and whose target is to be looked at again then.
    pub unsettled: Vec<Arc<Grant>>,
    /// Grants that give nothing until their target has been looked at. The gateway says which.
    pub withheld: HashSet<GrantId>,
    /// Which columns are masked, and how.
    pub masks: Arc<Masks>,
}

/// A principal as a session needs it.
#[derive(Clone, Debug)]
pub struct PrincipalState {
    /// Its name.
    pub name: Principal,
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// What its roles hold without any grant.
    pub standing: PermissionSet,
    /// What its roles may decide.
    pub duties: Vec<Duty>,
    /// It may not log in, and its sessions end.
    pub disabled: bool,
    /// What a log-in is checked against.
    pub credentials: ScramCredentials,
}

impl PrincipalState {
    /// True if it may answer other people's requests.
    pub fn may_approve(&self) -> bool {
        self.duties.iter().any(|d| matches!(d, Duty::Approver | Duty::Owner))
    }
}

impl AccessSnapshot {
    /// The principal of that name.
    pub fn principal(&self, name: &str) -> Option<&Arc<PrincipalState>> {
        self.principals.get(name)
    }

    /// The grants of a principal on a target, of any status.
    pub fn grants_on<'a>(
        &'a self,
        principal: &Principal,
        target: &'a TargetName,
    ) -> impl Iterator<Item = &'a Arc<Grant>> {
        self.grants.get(principal).into_iter().flatten().filter(move |g| g.target == *target)
    }

    /// What this state takes away from a known one, and nothing that it gives: for when the acts that
    /// led to it can't be put on the trail, or the rules of masking can't be read. Revocations, disabled
    /// principals, ended secrets and further masks hold; new grants, principals, secrets, roles and what
    /// isn't masked any more wait.
    #[must_use]
    pub fn only_taken_away(&self, known: &Self) -> Self {
        let principals = known.principals.iter().filter_map(|(name, before)| {
            let now = self.principals.get(name)?;
            let mut state = (**now).clone();
            if state.roles != before.roles || state.standing != before.standing {
                // Fail closed: roles that changed give nothing until the change is on record.
                state.standing = PermissionSet::NONE;
                state.duties.clear();
            }
            state.disabled |= before.disabled;
            let was_good = |v: &ScramVerifier| {
                before.credentials.verifiers.iter().any(|b| b.stored_key == v.stored_key)
            };
            state.credentials.verifiers.retain(was_good);
            Some((name.clone(), Arc::new(state)))
        });
        let grants = known.grants.iter().map(|(name, before)| {
            let now = self.grants.get(name).map(Vec::as_slice).unwrap_or_default();
            let kept = now.iter().filter(|g| before.iter().any(|b| b.id == g.id));
            (name.clone(), kept.cloned().collect())
        });
        Self {
            principals: principals.collect(),
            grants: grants.collect(),
            requests: known.requests.clone(),
            unrecorded: Vec::new(),
            masks: Arc::new(self.masks.only_more_than(&known.masks)),
            // Still the older state: the next look tries to take the younger one whole.
            version: known.version,
            ..self.clone()
        }
    }

    /// What a principal may do on a target now; nothing if it is unknown or disabled.
    pub fn rights(&self, principal: &Principal, target: &TargetName, now: Timestamp) -> Rights {
        match self.principals.get(principal) {
            Some(state) if !state.disabled => {
                let now = now.max(self.highest_time);
                if self.unconfirmed {
                    return Rights::at(now, state.standing, std::iter::empty());
                }
                let grants = self.grants_on(principal, target);
                let grants = grants.filter(|grant| !self.withheld.contains(&grant.id));
                Rights::at(now, state.standing, grants)
            }
            // Fail closed: a snapshot without the principal gives it nothing.
            _ => Rights::default(),
        }
    }
}

impl Store {
    /// Reads the whole state.
    pub async fn snapshot(&self, now: Timestamp) -> Result<AccessSnapshot, Error> {
        let rules = self.rules.load_full();
        let mut tx = self.database.begin_read().await?;
        let counter = "SELECT value FROM counters WHERE name = $1";
        let count = async |tx: &mut Tx, name: &'static str| -> Result<Row, Error> {
            let row = tx.row(counter, values![name]).await?;
            row.ok_or_else(|| Error::corrupt(format!("no counter {name}")))
        };
        let version = count(&mut tx, "change").await?.count("value")?;
        let highest_time = count(&mut tx, "highest_time").await?.time("value")?;
        self.floor.raise(highest_time, Instant::now());
        let now = self.time(now);
        let since = Timestamp(now.0.saturating_sub(REMEMBERED.as_micros() as i64));

        let principals = principals(&mut tx, &rules, now).await?;
        let sql = "SELECT * FROM grants WHERE ends > $1 \
             AND (revoked IS NULL OR revoked > $1) ORDER BY id";
        let mut grants: HashMap<Principal, Vec<Arc<Grant>>> = HashMap::new();
        for row in tx.rows(sql, values![since]).await? {
            let grant = grant_of(&row)?;
            grants.entry(grant.principal.clone()).or_default().push(Arc::new(grant));
        }
        let sql = "SELECT * FROM requests WHERE (state = 'pending' AND expires > $1) \
             OR decided > $1 ORDER BY id DESC";
        let mut requests = Vec::new();
        for row in tx.rows(sql, values![since]).await? {
            requests.push(Arc::new(request_of(&row, now)?));
        }
        let sql = "SELECT id, at, body FROM outbox ORDER BY id";
        let rows = tx.rows(sql, values![]).await?;
        let unrecorded = rows.iter().map(OutboxEvent::from_row).collect::<Result<_, _>>()?;
        let leavings = leavings::known(&mut tx, since).await?;
        let masks = Arc::new(masks::read(&mut tx).await?);
        let mock_secret = Secret::new(meta(&mut tx, "mock_secret").await?);
        let store_id = meta(&mut tx, "store_id").await?;
        tx.commit().await?;
        Ok(AccessSnapshot {
            version,
            highest_time,
            principals,
            grants,
            requests,
            unrecorded,
            mock_secret,
            store_id,
            unconfirmed: false,
            begun: leavings.begun,
            unsettled: leavings.unsettled.into_iter().map(Arc::new).collect(),
            withheld: HashSet::new(),
            masks,
        })
    }
}

async fn principals(
    tx: &mut Tx,
    rules: &Rules,
    now: Timestamp,
) -> Result<HashMap<Principal, Arc<PrincipalState>>, Error> {
    let sql = "SELECT * FROM secrets WHERE expires IS NULL OR expires > $1 ORDER BY id";
    let mut verifiers: HashMap<String, Vec<ScramVerifier>> = HashMap::new();
    for row in tx.rows(sql, values![now]).await? {
        verifiers.entry(row.text("principal")?).or_default().push(ScramVerifier {
            stored_key: row.array("stored_key")?,
            server_key: row.array("server_key")?,
            sha2_digest: row.array("sha2_digest")?,
            native_digest: row.native_digest()?,
            expires: row.time_or_null("expires")?,
        });
    }
    let mut principals = HashMap::new();
    for row in tx.rows("SELECT * FROM principals", values![]).await? {
        let name = row.text("name")?;
        let roles = roles_of(&row)?;
        let held = || rules.roles.iter().filter(|role| roles.contains(&role.name));
        let state = PrincipalState {
            standing: held().fold(PermissionSet::NONE, |set, role| set.union(role.standing)),
            duties: held().flat_map(|role| role.duties.iter().copied()).collect(),
            disabled: row.truth("disabled")?,
            credentials: ScramCredentials {
                salt: row.bytes("salt")?,
                iterations: iterations_of(&row)?.get(),
                verifiers: verifiers.remove(&name).unwrap_or_default(),
            },
            name: Principal::new(name),
            roles,
        };
        principals.insert(state.name.clone(), Arc::new(state));
    }
    Ok(principals)
}

pub(super) async fn meta(tx: &mut Tx, name: &'static str) -> Result<Vec<u8>, Error> {
    let row = tx.row("SELECT value FROM meta WHERE name = $1", values![name]).await?;
    row.ok_or_else(|| Error::corrupt(format!("no {name}")))?.bytes("value")
}
