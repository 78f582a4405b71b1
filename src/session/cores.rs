//! Session cores: one thread each, with its own runtime, its own lane of the trail and its own cache
//! of analyses. Connections are handed to the least loaded one and stay there.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime,
    sync::{Notify, mpsc},
    task::LocalSet,
};

use super::{
    cache::Cache,
    doorstep::Standing,
    mysql, pg,
    services::{Core, CoreRef, Doorway, Services, Spoken},
};
use crate::{
    net::{listener::Admission, stream::Detached},
    telemetry::seldom::Seldom,
    trail::{Began, Lane},
};

/// Stack of a core's thread, in bytes: small texts are parsed on it. Only what is used is backed by
/// memory.
const STACK: usize = 256 << 20;

/// How long what became of statements may wait to be written, if no later statement takes it along.
const FLUSH_AFTER: Duration = Duration::from_millis(20);

/// A core whose record has been on its way to the file for so long gets no connections.
const HELD_UP: Duration = Duration::from_millis(500);

/// A connection on its way to a core.
#[derive(Debug)]
pub struct Arrival {
    /// The connection, not bound to any runtime.
    pub stream: Detached,
    /// Its room.
    pub admission: Admission,
    /// Where it came in.
    pub doorway: Arc<Doorway>,
    /// Its place among those that have not logged in.
    pub standing: Standing,
}

/// All cores of the process.
#[derive(Debug)]
pub struct Cores {
    cores: Vec<Handle>,
}

#[derive(Debug)]
struct Handle {
    sender: mpsc::UnboundedSender<Arrival>,
    load: Arc<AtomicUsize>,
    /// The write of a record that it is in.
    writing: Arc<Began>,
    thread: JoinHandle<()>,
}

impl Cores {
    /// Starts one core for each lane.
    ///
    /// # Errors
    /// A thread or its runtime can't be made.
    pub fn start(services: &Arc<Services>, lanes: Vec<Lane>) -> io::Result<Self> {
        let mut cores = Vec::new();
        for lane in lanes {
            let (sender, arrivals) = mpsc::unbounded_channel();
            let load = Arc::new(AtomicUsize::new(0));
            let services = Arc::clone(services);
            let counted = Arc::clone(&load);
            let counts = services.metrics.counts();
            let writing = lane.writing();
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = thread::Builder::new()
                .name(format!("core-{}", lane.index()))
                .stack_size(STACK)
                .spawn(move || {
                    let core = Rc::new(Core {
                        services,
                        lane: RefCell::new(lane),
                        lane_waits: Notify::new(),
                        intents_wait: Notify::new(),
                        unwritten: RefCell::default(),
                        counts,
                        disagreements: Seldom::default(),
                        cache: RefCell::new(Cache::default()),
                        normal: RefCell::default(),
                        sessions: Cell::new(0),
                    });
                    LocalSet::new().block_on(&runtime, run(core, arrivals, counted));
                })?;
            cores.push(Handle { sender, load, writing, thread });
        }
        Ok(Self { cores })
    }

    /// Hands a connection to the least loaded core; to one that is held up by a disk that hangs only if
    /// all are.
    pub fn hand_over(&self, arrival: Arrival) {
        let least = self.cores.iter().min_by_key(|core| {
            let held_up = core.writing.lasts() >= HELD_UP;
            (held_up, core.load.load(Ordering::Relaxed))
        });
        if let Some(core) = least {
            core.load.fetch_add(1, Ordering::Relaxed);
            // A core that is gone (it panicked outside a session) drops the connection.
            if core.sender.send(arrival).is_err() {
                tracing::error!("a session core is gone");
            }
        }
    }

    /// Takes no more connections, and waits until all sessions have ended.
    pub fn join(self) {
        for core in self.cores {
            drop(core.sender);
            if core.thread.join().is_err() {
                tracing::error!("a session core ended in a panic");
            }
        }
    }
}

async fn run(
    core: CoreRef,
    mut arrivals: mpsc::UnboundedReceiver<Arrival>,
    load: Arc<AtomicUsize>,
) {
    let outcomes = tokio::task::spawn_local(write_outcomes(Rc::clone(&core)));
    let intents = tokio::task::spawn_local(write_intents(Rc::clone(&core)));
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            arrival = arrivals.recv() => {
                let Some(arrival) = arrival else { break };
                let (core, load) = (Rc::clone(&core), Arc::clone(&load));
                sessions.spawn_local(async move {
                    let _counted = Counted(load);
                    serve(core, arrival).await;
                });
            }
            Some(ended) = sessions.join_next() => report(ended),
        }
    }
    while let Some(ended) = sessions.join_next().await {
        report(ended);
    }
    outcomes.abort();
    intents.abort();
    if let Err(error) = core.lane.borrow_mut().flush() {
        tracing::error!(error = %error, "the last records could not be written");
    }
}

/// A panic costs one connection.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a session ended in a panic");
    }
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(core: CoreRef, arrival: Arrival) {
    match arrival.stream.attach() {
        Ok(stream) => {
            let room = (matches!(arrival.admission, Admission::Session(_)), arrival.standing);
            let doorway = arrival.doorway;
            // PERFORMANCE: each by itself, else sessions of either protocol take the room of the larger one.
            match &doorway.protocol {
                Spoken::Postgres => Box::pin(pg::accept(core, stream, doorway, room)).await,
                Spoken::MySql(face) => {
                    let greeted = face.now.load_full();
                    Box::pin(mysql::accept(core, stream, (doorway, greeted), room)).await;
                }
            }
        }
        Err(error) => tracing::debug!(error = %error, "a connection was gone before it was served"),
    }
    drop(arrival.admission);
}

/// Writes the intents of all sessions that were awake together. The first of them wakes this task,
/// which then runs behind the others: they share one write.
async fn write_intents(core: CoreRef) {
    loop {
        core.intents_wait.notified().await;
        core.write_intents();
    }
}

/// Writes what became of statements soon after it is known, for whoever reads the trail meanwhile.
async fn write_outcomes(core: CoreRef) {
    loop {
        core.lane_waits.notified().await;
        tokio::time::sleep(FLUSH_AFTER).await;
        let flushed = core.lane.borrow_mut().flush();
        if let Err(error) = flushed {
            tracing::error!(error = %error, "records could not be written; trying again");
            core.lane_waits.notify_one();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, path::Path, task::Poll};

    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::{
        kernel::{
            access::Rights,
            audit::{Intent, record::IntentKind},
            ids::SessionId,
            policy::{Decision, decide, decide::Caps},
            sql::{constants::Guard, mode::LexMode},
            time::Timestamp,
        },
        trail::{Clearance, Identity, Lane, Options, Trail},
        upstream::door::{Door, Relayed},
    };

    fn trail(dir: &Path) -> Trail {
        let identity = Identity::load_or_create(dir).expect("a key");
        let clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
        Trail::open(Options::new(dir.join("trail"), identity, clock)).expect("opens")
    }

    fn cleared(lane: &mut Lane) -> Clearance {
        let caps = Caps { rows: 1000, bytes: 1 << 20, catalog_bytes: 1 << 20 };
        let Decision::Permit(permit) = decide([], &Rights::default(), caps, Timestamp(0)) else {
            panic!("nothing needed and yet denied")
        };
        let intent = Intent {
            time: Timestamp(1_700_000_000_000_000),
            session: SessionId(7),
            principal: "alice",
            target: "shop",
            kind: IntentKind::Query,
            text: "SELECT 1",
            inexact: None,
            normalized: None,
            fingerprint: "",
            class: None,
            relations: &[],
            routines: &[],
            masked: None,
            guard: Guard::Nothing,
            mode: LexMode::POSTGRES,
            parameters: &[],
        };
        lane.admit(permit, &intent).expect("is admitted")
    }

    #[tokio::test]
    async fn nothing_leaves_before_its_record_is_in_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let trail = trail(dir.path());
        let mut lane = trail.lane(1).expect("a lane");
        let mut door = Door::with_unread(b"statement, sync", lane.progress());
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 10);
        door.send_statement(&cleared(&mut lane), 9);
        door.relay(Relayed::Sync, 6);
        let left = poll_fn(|cx| Poll::Ready(door.poll_flush(cx, &mut ours))).await;
        assert!(left.is_pending() && door.waiting() == 15);
        lane.flush().expect("is written");
        poll_fn(|cx| door.poll_flush(cx, &mut ours)).await.expect("leaves");
        let mut got = [0; 15];
        theirs.read_exact(&mut got).await.expect("comes");
        assert_eq!(&got, b"statement, sync");
    }
}
