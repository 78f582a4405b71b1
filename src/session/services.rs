//! What sessions share: snapshots of access and targets, the registry, the trail's lanes.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::{
    budget::Budgets,
    cache::Cache,
    doorstep::{Doorstep, TlsPolicy},
    probes::Probes,
    registry::Registry,
    room::Room,
};
use crate::{
    kernel::{
        access::{Level, Role},
        catalog::Catalog,
        ids::{RoleName, TargetName},
        policy::decide::Caps,
        refusal::{Refusal, RefusalKind},
        sql::{Trust, mode::Dialect, normalize::Normal},
    },
    net::{
        clock::Clock,
        network::{self, Network},
        stream::Peer,
    },
    store::{AccessSnapshot, Masks, PrincipalState, Store},
    telemetry::{
        metrics::{Counts, Metrics},
        seldom::Seldom,
    },
    trail::Lane,
    upstream::{self, ConnectOptions},
    wire::{
        mysql::Capabilities,
        pg::{FrontendLimits, scram::MockSecret},
    },
};

/// Limits that hold for every session; `[limits]` of the settings.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Caps of results without export.
    pub caps: Caps,
    /// A result over its cap is cut with a warning instead of an error.
    pub over: Over,
    /// The longest statement text, in bytes.
    pub statement_bytes: usize,
    /// Sizes of the client's frames.
    pub frames: FrontendLimits,
    /// From accept to the end of the log-in.
    pub login_timeout: Duration,
    /// Nothing from the client for so long ends the session; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// The same within a transaction.
    pub idle_in_transaction_timeout: Option<Duration>,
    /// Connections of one principal.
    pub connections_per_principal: usize,
    /// Connections of one address that have not logged in yet.
    pub log_ins_per_address: usize,
    /// Prepared statements and portals of one session.
    pub names: usize,
    /// What is kept for them in memory, in bytes.
    pub names_bytes: usize,
    /// Memory for long messages, of all sessions together, in bytes.
    pub room_bytes: usize,
    /// The longest grant that can be asked for.
    pub max_duration: Duration,
    /// Rows of a grant that doesn't say.
    pub row_budget: u64,
    /// How many values one principal may ask a masked column for in an hour.
    pub mask_probes: u64,
    /// How much of a parameter is kept for the record, in bytes.
    pub parameter_bytes: usize,
}

/// What happens to a result over its cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// It ends in an error.
    Error,
    /// It ends after the rows that fit, with a warning.
    Cut,
}

/// A target as sessions see it.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Unlike that of every other value there ever was in this process: what was judged for a target
    /// of this name under other settings doesn't count for this one.
    pub number: u64,
    /// How to reach the upstream and who to be there, by what speaks there.
    pub server: Server,
    /// The database at the upstream.
    pub database: String,
    /// The most connections to it.
    pub max_connections: usize,
    /// Routines trusted by setting.
    pub trust: Trust,
    /// What it contains.
    pub catalog: ArcSwap<Catalog>,
    /// When it is to be read again, and whether it was.
    pub readings: Readings,
}

/// What speaks at a target's address, and the gateway's log-ins there.
#[derive(Debug)]
pub enum Server {
    /// Postgres.
    Postgres(Arc<LogIns<ConnectOptions>>),
    /// MySQL or MariaDB.
    MySql(Arc<LogIns<upstream::mysql::ConnectOptions>>),
}

/// The gateway's log-ins at one upstream.
#[derive(Clone, Debug)]
pub struct LogIns<O> {
    /// May do everything.
    pub full: O,
    /// Can do less, the lowest first, each with the most that it is for.
    pub lower: Vec<(Level, O)>,
}

impl<O> LogIns<O> {
    /// The log-in for rights of this level: the lowest that is enough, and what it is for.
    pub fn log_in(&self, level: Level) -> (Level, &O) {
        let enough = self.lower.iter().find(|(most, _)| *most >= level);
        enough.map_or((Level::Admin, &self.full), |(most, options)| (*most, options))
    }
}

/// A target that is known to speak Postgres.
#[derive(Clone, Debug)]
pub struct PgTarget {
    target: Arc<Target>,
    log_ins: Arc<LogIns<ConnectOptions>>,
}

impl PgTarget {
    /// `None`: it speaks something else.
    pub fn of(target: &Arc<Target>) -> Option<Self> {
        let log_ins = target.postgres().map(Arc::clone)?;
        Some(Self { target: Arc::clone(target), log_ins })
    }

    /// How to reach it with the log-in that may do everything.
    pub fn full(&self) -> &ConnectOptions {
        &self.log_ins.full
    }

    /// The log-in for rights of this level, and what it is for.
    pub fn log_in(&self, level: Level) -> (Level, &ConnectOptions) {
        self.log_ins.log_in(level)
    }
}

impl std::ops::Deref for PgTarget {
    type Target = Arc<Target>;

    fn deref(&self) -> &Arc<Target> {
        &self.target
    }
}

/// Questions for a new reading of a catalog, and how far they are answered.
#[derive(Debug, Default)]
pub struct Readings {
    stale: Notify,
    asked: AtomicU64,
    answered: AtomicU64,
    moved: AtomicU64,
}

impl Readings {
    /// Asks for a reading that begins from now on. Returns the number of the question.
    pub fn ask(&self) -> u64 {
        let number = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.stale.notify_one();
        number
    }

    /// The same, of somebody who has used `unmask` for what has changed: what is masked may have another
    /// name since.
    pub fn ask_as_masked_moved(&self) -> u64 {
        let number = self.ask();
        self.moved.fetch_max(number, Ordering::AcqRel);
        number
    }

    /// The number of the last question.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    /// True if the catalog in force was read behind the question of this number.
    pub fn has_answered(&self, number: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= number
    }

    /// The same, and nobody has asked since: else another session has changed something, which that
    /// catalog doesn't know.
    pub fn has_settled(&self, number: u64) -> bool {
        self.has_answered(number) && self.unanswered().is_none()
    }

    /// The last question, if it isn't answered yet.
    pub fn unanswered(&self) -> Option<u64> {
        let asked = self.asked();
        (asked > self.answered.load(Ordering::Acquire)).then_some(asked)
    }

    /// The last question that was asked because what is masked may have another name, if it isn't answered
    /// yet.
    pub fn moved(&self) -> Option<u64> {
        let number = self.moved.load(Ordering::Acquire);
        (!self.has_answered(number)).then_some(number)
    }

    /// Until somebody asks.
    pub async fn is_asked(&self) {
        self.stale.notified().await;
    }

    /// The questions that a reading answers which begins now.
    pub fn begin(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    /// What [`Readings::begin`] gave, when the catalog that was read since is in force.
    pub fn end(&self, number: u64) {
        self.answered.fetch_max(number, Ordering::AcqRel);
    }
}

impl Target {
    /// The log-ins, if it speaks Postgres.
    pub fn postgres(&self) -> Option<&Arc<LogIns<ConnectOptions>>> {
        match &self.server {
            Server::Postgres(log_ins) => Some(log_ins),
            Server::MySql(_) => None,
        }
    }

    /// The log-ins, if it speaks MySQL.
    pub fn mysql(&self) -> Option<&Arc<LogIns<upstream::mysql::ConnectOptions>>> {
        match &self.server {
            Server::MySql(log_ins) => Some(log_ins),
            Server::Postgres(_) => None,
        }
    }

    /// True if sessions may log in as others than who reads the catalog.
    pub fn has_lower(&self) -> bool {
        match &self.server {
            Server::Postgres(log_ins) => !log_ins.lower.is_empty(),
            Server::MySql(log_ins) => !log_ins.lower.is_empty(),
        }
    }

    fn place(&self) -> (bool, &upstream::Address, &str) {
        match &self.server {
            Server::Postgres(log_ins) => (true, &log_ins.full.address, &log_ins.full.user),
            Server::MySql(log_ins) => (false, &log_ins.full.address, &log_ins.full.user),
        }
    }

    /// True if it is where another value of that name was, under the same log-in.
    pub fn is_same_database(&self, other: &Self) -> bool {
        self.place() == other.place() && self.database == other.database
    }
}

/// Everything that can change while sessions run, swapped whole.
#[derive(Debug)]
pub struct World {
    /// Targets by name.
    pub targets: HashMap<TargetName, Arc<Target>>,
    /// Roles by name.
    pub roles: HashMap<RoleName, Role>,
    /// From where holders of a role may log in; a role that isn't here: from everywhere.
    pub networks: HashMap<RoleName, Vec<Network>>,
    /// Limits.
    pub limits: Limits,
}

impl World {
    /// A refusal if one of the principal's roles may not log in from there.
    ///
    /// Fail closed: of several roles each must allow it, or a second role would open what the first
    /// has shut.
    pub fn is_outside(&self, state: &PrincipalState, peer: Peer) -> Option<Refusal> {
        let networks = state.roles.iter().filter_map(|role| Some((role, self.networks.get(role)?)));
        let mut shut = networks.filter(|(_, networks)| !network::is_from(networks, peer));
        let (role, _) = shut.next()?;
        let text = format!("{} may not log in from this address", state.name);
        let hint = format!("Role {role} is for some networks only: roles.{role}.allow says which.");
        Some(Refusal::new(RefusalKind::PrincipalDisabled, text).with_hint(hint))
    }
}

/// What all sessions of the process share.
#[derive(Debug)]
pub struct Services {
    /// Principals, secrets and grants.
    pub access: ArcSwap<AccessSnapshot>,
    /// Targets, roles and limits.
    pub world: ArcSwap<World>,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// Who has not logged in yet, and who failed to.
    pub doorstep: Arc<Doorstep>,
    /// Memory for long messages.
    pub room: Arc<Room>,
    /// Row budgets.
    pub budgets: Budgets,
    /// What has been asked of masked columns.
    pub probes: Probes,
    /// What time it is.
    pub clock: Clock,
    /// What operators watch.
    pub metrics: Arc<Metrics>,
    /// The store, for `hallpass.*`; its work is done on the control runtime.
    pub store: Store,
    /// Where work that may wait for the outside world is done.
    pub control: tokio::runtime::Handle,
    /// What unknown principals are answered with.
    pub mock: MockSecret,
    /// Numbers for sessions.
    pub next_session: AtomicU64,
    /// Asks the control runtime to look at the store at once.
    pub store_changed: Notify,
    /// The same, for who wants to know when it has.
    pub looks: mpsc::Sender<oneshot::Sender<()>>,
    /// The masks of `access`, for who waits until they are others: what was made from them is made
    /// anew then. Unlike `access` it wakes up for nothing else.
    pub masks: watch::Sender<Arc<Masks>>,
}

/// How long a log-in waits for a look at the store; then it goes by what is known. A little longer than grants
/// wait for a look at their target.
const LOOK_PATIENCE: Duration = Duration::from_millis(3500);

impl Services {
    /// Waits until what is known is what the store says now. Every log-in does, whoever it is: a
    /// principal made a moment ago can come in, and nobody can tell by the time it takes who exists.
    pub async fn look_at_store(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.looks.send(sender).await.is_ok() {
            drop(tokio::time::timeout(LOOK_PATIENCE, receiver).await);
        }
    }

    /// A number for a new session.
    pub fn session_number(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a listener speaks.
#[derive(Debug)]
pub enum Spoken {
    /// Postgres.
    Postgres,
    /// MySQL or MariaDB, with what clients are greeted with.
    MySql(Arc<Face>),
}

/// What clients of a listener are greeted with, before it is known where to: from the servers behind it.
#[derive(Default, Debug)]
pub struct Face {
    /// As it is known now; empty until one of them has answered.
    pub now: ArcSwapOption<Greeted>,
}

/// What the servers behind a listener have in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeted {
    /// The version, as the server says it.
    pub version: String,
    /// What all of them offer.
    pub capabilities: Capabilities,
    /// The number of the server's collation.
    pub collation: u8,
    /// Which of the two it is.
    pub family: Dialect,
}

/// What a listener hands on with each of its connections.
#[derive(Debug)]
pub struct Doorway {
    /// What it speaks.
    pub protocol: Spoken,
    /// TLS, if it is offered.
    pub tls: TlsPolicy,
    /// The one target of a sidecar's listener.
    pub target: Option<TargetName>,
    /// Clients of MySQL may prove who they are by mysql_native_password.
    pub native_password: bool,
}

/// One session core: a thread with its own runtime, lane and cache. Not shared between threads.
pub struct Core {
    /// What all cores share.
    pub services: Arc<Services>,
    /// Its lane of the trail.
    pub lane: RefCell<Lane>,
    /// Outcomes wait in the lane: somebody must write them soon.
    pub lane_waits: Notify,
    /// Intents wait in the lane: they are written before this thread sleeps.
    pub intents_wait: Notify,
    /// Who sleeps until they are.
    pub unwritten: RefCell<Vec<Waker>>,
    /// What it counts for operators.
    pub counts: Arc<Counts>,
    /// Says in the log that the layers disagree about a text.
    pub disagreements: Seldom,
    /// Its analyses.
    pub cache: RefCell<Cache>,
    /// Reused for cache keys.
    pub normal: RefCell<Normal>,
    /// Sessions it serves now.
    pub sessions: Cell<usize>,
}

impl Core {
    /// Wakes the session when the intents that wait have been written, or could not be.
    pub fn wake_when_written(&self, session: &Waker) {
        let mut unwritten = self.unwritten.borrow_mut();
        if unwritten.is_empty() {
            self.intents_wait.notify_one();
        }
        unwritten.push(session.clone());
    }

    /// Writes the intents that wait, and wakes whose they are. A failure is told by their bars.
    pub fn write_intents(&self) {
        let mut unwritten = self.unwritten.take();
        // The lane itself logs it.
        self.lane.borrow_mut().flush().ok();
        for session in unwritten.drain(..) {
            session.wake();
        }
        self.unwritten.replace(unwritten);
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("lane", &self.lane.borrow().index()).finish_non_exhaustive()
    }
}

/// A core as its sessions hold it.
pub type CoreRef = Rc<Core>;
