//! `hallpass serve`: builds the services from the settings, top to bottom; runs; drains.

mod access;
pub(super) mod catalogs;
mod faces;
mod index;
mod leavings;
mod ledger;
mod sessions;
mod stand_in;
pub(super) mod world;

use std::{
    io,
    os::fd::AsFd,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;
use nix::sys::signal::Signal;
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::{Notify, mpsc, oneshot, watch},
};

use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::{
    api,
    cli::{
        Error,
        audit::index_options,
        serve::{
            index::Indexing,
            ledger::{Ledger, Note},
        },
        workplace::{backend, rules},
    },
    config::{Config, Listener as ListenSetting, LogFormat, LogLevel, Protocol},
    net::{
        clock::{Clock, NODES_DIFFER},
        faults,
        listener::{Admission, Listener, ListenerOptions, Permits},
        stream::Peer,
        tls,
    },
    session::{
        budget::Budgets,
        cores::{Arrival, Cores},
        probes::Probes,
        registry::Registry,
        services::{Doorway, Face, Services, Spoken},
        signal::Wake,
    },
    store::{self, Store},
    telemetry::{metrics::Metrics, panics},
    trail::{self, CONTROL_LANE, Identity, Pace, Trail},
    wire::pg::scram::MockSecret,
};

/// Threads of the control runtime: store, catalogs, HTTP, cancels.
const CONTROL_THREADS: usize = 2;

/// Log-ins that may wait for a look at the store.
const LOOKS: usize = 1024;

/// How long the stop waits for the gateway's own last records.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// How long the stop waits until others act for sessions that are held up.
const STAND_IN: Duration = Duration::from_millis(500);

/// How often certificates are looked at.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(5);

/// What the control side shares.
struct Gateway {
    services: Arc<Services>,
    /// The control lane: what isn't a session's.
    ledger: Ledger,
    /// Whether writes to the trail return.
    pace: Pace,
    node: String,
    /// Grants wait for a look at their target.
    to_begin: Notify,
    config: ArcSwap<Config>,
    permits: Permits,
    health: api::Health,
}

pub(super) fn run(file: &Path) -> Result<ExitCode, Error> {
    let config = Config::load(file)?;
    log_to_stderr(&config);
    panics::watch();
    faults::follow();
    tls::install_provider();
    let runtime = Builder::new_multi_thread().worker_threads(CONTROL_THREADS).enable_all().build();
    let runtime = runtime.map_err(Error::Runtime)?;
    let clock = Clock::System;
    let store = runtime.block_on(Store::open(backend(&config), rules(&config)))?;
    let wall = clock.now();
    let seen = runtime.block_on(store.note_time(wall))?;
    if seen.since(wall) > NODES_DIFFER {
        tracing::warn!(%seen, "the store has seen a time far ahead of this clock: time goes on from there; `hallpass store set-time` sets it right");
    }
    clock.not_before(seen);
    let trail = open_trail(&config, &store, &clock, &runtime)?;
    let cores_wanted = std::thread::available_parallelism().map_or(2, usize::from);
    let mut lanes = Vec::new();
    for index in 1..=cores_wanted {
        lanes.push(trail.lane(index as u16)?);
    }
    let told = clock.clone();
    let indexed = index_options(&config);
    let metrics = Arc::new(Metrics::default());
    let watched = (Arc::new(move || told.now()) as trail::Clock, Arc::clone(&metrics));
    let indexing = Indexing::start(runtime.handle(), indexed, watched);
    let (sender, looks) = mpsc::channel(LOOKS);
    let parts = Parts { config, store, clock, metrics, looks: sender };
    let gateway = runtime.block_on(build(parts, &trail, runtime.handle()))?;
    let gateway = Arc::new(gateway);
    let cores = Cores::start(&gateway.services, lanes).map_err(Error::Runtime)?;
    let cores = Arc::new(cores);
    gateway.ledger.note(Note::Started);
    let served = runtime.block_on(serve(&gateway, &cores, looks));
    // Sessions are told to end; the last ones are cut when patience runs out, in `serve`.
    match Arc::try_unwrap(cores) {
        Ok(cores) => cores.join(),
        Err(_) => tracing::error!("a listener still holds the session cores"),
    }
    gateway.ledger.note(Note::Stopped);
    gateway.ledger.settle(LAST_RECORDS);
    let Services { store, clock, .. } = &*gateway.services;
    // The next start goes on from here. A store that is away has had its two seconds.
    let noted =
        async { tokio::time::timeout(Duration::from_secs(2), store.note_time(clock.now())).await };
    if !matches!(runtime.block_on(noted), Ok(Ok(_))) {
        tracing::warn!("the time of the stop could not be stored");
    }
    drop(gateway);
    indexing.finish(&runtime);
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(trail);
    served.map(|()| ExitCode::SUCCESS)
}

fn log_to_stderr(config: &Config) {
    let level = match config.log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Libraries at their warnings: sqlx would log its statements.
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,hallpass={level}"));
    // A copy of the descriptor: the server's grammar puts another file in its place while it parses,
    // and what is written there in that moment is lost.
    let copy = io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let writer = match copy {
        Ok(file) => BoxMakeWriter::new(Mutex::new(file)),
        Err(_) => BoxMakeWriter::new(io::stderr),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A line that can't be written, on a full disk for example, is lost: to say so on the same stderr
    // would be a panic of whoever had something to tell.
    let builder = builder.log_internal_errors(false);
    let set = match config.log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
    };
    // A second subscriber exists in tests only.
    drop(set);
}

fn open_trail(
    config: &Config,
    store: &Store,
    clock: &Clock,
    runtime: &Runtime,
) -> Result<Trail, Error> {
    let identity = Identity::load_or_create(&config.data_dir)?;
    let node = identity.node().to_owned();
    let public = identity.public_key().to_string().into_bytes();
    let told = clock.clone();
    let mut options =
        trail::Options::new(config.data_dir.join("trail"), identity, Arc::new(move || told.now()));
    world::trail_options(config, &mut options)?;
    let (store, handle) = (store.clone(), runtime.handle().clone());
    let now = clock.now();
    let kept = (store.clone(), node.clone());
    runtime.block_on(async move { kept.0.save_node_key(&kept.1, &public, now).await })?;
    options.sink = Box::new(move |checkpoint| {
        tracing::info!(checkpoint = checkpoint.number(), "{}", checkpoint.line());
        let (store, node) = (store.clone(), node.clone());
        let time = checkpoint.time();
        let line = checkpoint.line().to_owned();
        handle.spawn(async move {
            if let Err(error) = store.save_checkpoint(&node, &line, time).await {
                tracing::warn!(error = %error, "a checkpoint could not be copied to the store");
            }
        });
    });
    Ok(Trail::open(options)?)
}

/// What a gateway is built from.
struct Parts {
    config: Config,
    store: Store,
    clock: Clock,
    metrics: Arc<Metrics>,
    looks: mpsc::Sender<oneshot::Sender<()>>,
}

async fn build(
    parts: Parts,
    trail: &Trail,
    control: &tokio::runtime::Handle,
) -> Result<Gateway, Error> {
    let Parts { config, store, clock, metrics, looks } = parts;
    let mut snapshot = store.snapshot(clock.now()).await?;
    if let Some(why) = &snapshot.masks.trouble {
        // Fail closed: without the rules nobody knows what may be shown.
        let version = snapshot.masks.rules.version;
        return Err(store::Error::MasksUnreadable { version, why: why.to_string() }.into());
    }
    leavings::withhold(&mut snapshot, clock.now());
    let mock = MockSecret::new(snapshot.mock_secret.clone());
    let mut lane = trail.lane(CONTROL_LANE)?;
    access::record(&store, &mut lane, &clock, &snapshot).await?;
    let world = world::build(&config, None)?;
    let permits = Permits::new(config.limits.connections);
    let first_session = u64::try_from(clock.now().0 / 1_000_000).unwrap_or(0) << 20;
    let ledger = Ledger::start(lane, clock.clone()).map_err(Error::Runtime)?;
    let services = Arc::new(Services {
        masks: watch::Sender::new(Arc::clone(&snapshot.masks)),
        access: ArcSwap::from_pointee(snapshot),
        world: ArcSwap::from_pointee(world),
        registry: Arc::new(Registry::default()),
        doorstep: Arc::default(),
        room: Arc::default(),
        budgets: Budgets::default(),
        probes: Probes::default(),
        clock,
        metrics,
        store,
        control: control.clone(),
        mock,
        // Unique across restarts: seconds since the epoch, then a count.
        next_session: AtomicU64::new(first_session),
        store_changed: Notify::new(),
        looks,
    });
    Ok(Gateway {
        services,
        ledger,
        pace: trail.pace(),
        node: trail.node().to_owned(),
        to_begin: Notify::new(),
        config: ArcSwap::from_pointee(config),
        permits,
        health: api::Health::default(),
    })
}

async fn serve(
    gateway: &Arc<Gateway>,
    cores: &Arc<Cores>,
    looks: mpsc::Receiver<oneshot::Sender<()>>,
) -> Result<(), Error> {
    let mut background = tokio::task::JoinSet::new();
    background.spawn(access::watch(Arc::clone(gateway), looks));
    background.spawn(access::tick(Arc::clone(gateway)));
    background.spawn(access::confirm(Arc::clone(gateway)));
    background.spawn(access::follow_clock(Arc::clone(gateway)));
    background.spawn(stand_in::keep(Arc::clone(gateway)));
    background.spawn(sessions::keep(Arc::clone(gateway)));
    background.spawn(leavings::begin(Arc::clone(gateway)));
    background.spawn(leavings::settle(Arc::clone(gateway)));
    catalogs::read_all_once(gateway).await;
    background.spawn(catalogs::keep(Arc::clone(gateway)));
    let mut listeners = tokio::task::JoinSet::new();
    for setting in &gateway.config.load().listeners {
        listen(gateway, cores, setting, (&mut listeners, &mut background)).await?;
    }
    gateway.health.set_ready(true);
    tracing::info!(node = %gateway.node, "ready");
    let mut hangup = signal(SignalKind::hangup()).map_err(Error::Runtime)?;
    // Where files may not grow any more a write fails, as it does on a full disk: nobody dies of it.
    let _too_large =
        signal(SignalKind::from_raw(Signal::SIGXFSZ as i32)).map_err(Error::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
    let mut lost = false;
    loop {
        tokio::select! {
            _ = hangup.recv() => reload(gateway),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(ended) = background.join_next() => {
                // Fail closed: whoever followed the store may be gone, and nobody would notice a
                // revocation any more. Who watches the process starts it again.
                lost = ended.is_err() || gateway.ledger.is_gone();
                if lost {
                    tracing::error!("a part of the gateway ended in a panic: it stops");
                    break;
                }
            }
        }
    }
    gateway.health.set_ready(false);
    tracing::info!("draining: no new connections; sessions end when they are idle");
    listeners.shutdown().await;
    let patience = gateway.config.load().limits.drain_timeout;
    gateway.services.registry.raise_all(Wake::Drain);
    tokio::select! {
        () = gateway.permits.drained() => {}
        () = tokio::time::sleep(patience) => tracing::warn!("patience is out; sessions are cut"),
        _ = terminate.recv() => tracing::warn!("asked again; sessions are cut"),
        _ = interrupt.recv() => tracing::warn!("asked again; sessions are cut"),
    }
    gateway.services.registry.raise_all(Wake::Stop);
    if gateway.pace.longest() >= stand_in::HELD_UP {
        // Sessions that are held up can't end what they run by themselves.
        tokio::time::sleep(STAND_IN).await;
    }
    background.shutdown().await;
    access::store_budgets(gateway).await;
    sessions::forget(gateway).await;
    if lost { Err(Error::PartLost) } else { Ok(()) }
}

/// SIGHUP: takes over what can be changed while sessions run.
fn reload(gateway: &Gateway) {
    let old = gateway.config.load_full();
    let new = match Config::load(&old.file) {
        Ok(new) => new,
        Err(error) => {
            tracing::error!(error = %error, "the settings were not taken over; the old ones stay");
            return;
        }
    };
    let stays = old.restart_keys(&new);
    if !stays.is_empty() {
        tracing::warn!(keys = ?stays, "these settings take a restart; their old values stay");
    }
    let before = gateway.services.world.load_full();
    match world::build(&new, Some(&before)) {
        Ok(world) => {
            gateway.services.store.set_rules(rules(&new));
            gateway.services.world.store(Arc::new(world));
            gateway.config.store(Arc::new(new));
            // What a role may no longer do ends now, also while the store doesn't answer.
            gateway.services.registry.raise_all(Wake::Access);
            gateway.services.store_changed.notify_one();
            gateway.ledger.note(Note::SettingsLoaded { digest: world::digest(&old.file) });
            tracing::info!("settings reloaded");
        }
        Err(error) => {
            tracing::error!(error = %error, "the settings were not taken over; the old ones stay");
        }
    }
}

/// What the settings say of a listener now; one that they no longer name stays as it was.
fn current(gateway: &Gateway, setting: &ListenSetting) -> ListenSetting {
    let config = gateway.config.load();
    let same = |l: &&ListenSetting| l.protocol == setting.protocol && l.address == setting.address;
    config.listeners.iter().find(same).unwrap_or(setting).clone()
}

type Tasks<'t> = (&'t mut tokio::task::JoinSet<()>, &'t mut tokio::task::JoinSet<()>);

async fn listen(
    gateway: &Arc<Gateway>,
    cores: &Arc<Cores>,
    setting: &ListenSetting,
    (listeners, background): Tasks<'_>,
) -> Result<(), Error> {
    let options = ListenerOptions::new(setting.address.to_string());
    let failed = |error: io::Error| Error::Listen { address: setting.address.to_string(), error };
    match setting.protocol {
        Protocol::Http => {
            let router = api::router(api::State {
                health: gateway.health.clone(),
                services: Arc::clone(&gateway.services),
            });
            let socket = tokio::net::TcpListener::bind(&options.address).await.map_err(failed)?;
            tracing::info!(address = %options.address, "listening for http");
            let (known, setting) = (Arc::clone(gateway), setting.clone());
            let allowed =
                move |peer| world::is_allowed(&current(&known, &setting).allow, Peer::Tcp(peer));
            let listener = api::Guarded::new(socket, Box::new(allowed));
            // Health answers while sessions drain.
            background.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(error = %error, "http ended");
                }
            });
        }
        Protocol::Postgres | Protocol::MySql => {
            let listener =
                Listener::bind(&options, gateway.permits.clone()).await.map_err(failed)?;
            let address = listener.address().map_err(failed)?;
            let face = (setting.protocol == Protocol::MySql).then(Arc::<Face>::default);
            let spoken = if face.is_some() { "mysql" } else { "postgres" };
            tracing::info!(address = %address, "listening for {spoken}");
            if let Some(face) = &face {
                faces::look(gateway, setting, face).await;
                background.spawn(faces::keep(
                    Arc::clone(gateway),
                    setting.clone(),
                    Arc::clone(face),
                ));
            }
            let (policy, server) = world::tls_policy(setting, &gateway.config.load().data_dir)?;
            if let Some(server) = server {
                background.spawn(async move { server.watch(CERTIFICATES_EVERY).await });
            }
            let (gateway, cores, setting) =
                (Arc::clone(gateway), Arc::clone(cores), setting.clone());
            listeners.spawn(async move {
                loop {
                    let accepted = listener.accept().await;
                    let now = current(&gateway, &setting);
                    if !world::is_allowed(&now.allow, accepted.stream.peer()) {
                        tracing::debug!(peer = %accepted.stream.peer(), "not from an allowed address");
                        continue;
                    }
                    let services = &gateway.services;
                    let most = services.world.load().limits.log_ins_per_address;
                    let peer = accepted.stream.peer();
                    let Some(standing) = services.doorstep.enter(peer, most) else {
                        // Cheaper than any answer; whoever floods doesn't read it.
                        tracing::debug!(%peer, "too many connections that have not logged in");
                        continue;
                    };
                    let admission: Admission = accepted.admission;
                    match accepted.stream.detach() {
                        Ok(stream) => {
                            let (tls, target) = (policy.clone(), now.target);
                            let protocol = face.as_ref().map_or(Spoken::Postgres, |face| {
                                Spoken::MySql(Arc::clone(face))
                            });
                            let native_password = now.native_password;
                            let doorway =
                                Arc::new(Doorway { protocol, tls, target, native_password });
                            cores.hand_over(Arrival { stream, admission, doorway, standing });
                        }
                        Err(error) => tracing::debug!(error = %error, "a connection was gone"),
                    }
                }
            });
        }
    }
    Ok(())
}
