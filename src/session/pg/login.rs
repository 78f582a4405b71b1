//! From an accepted connection to a serving session: secured → identified → admitted → connected.
//!
//! Each step is a function that consumes what the one before it made; none can be left out.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::AsyncWriteExt;

use super::{
    Relay,
    cancel::UpstreamKey,
    conversation::{Conversation, Facts, Opening},
    settings,
    startup::{self, Negotiated, Secured},
    stead::Stead,
};
use crate::{
    kernel::{
        access::{Level, Rights},
        audit::record::{Event, LoginFailed, SessionOpened},
        ids::{SessionId, TargetName},
        refusal::{Refusal, RefusalKind},
        sql::{READ_ONLY_DEFAULT, SearchPath, charset::ClientText},
        time::Timestamp,
    },
    net::{
        link::Link,
        stream::{Peer, Stream},
    },
    session::{
        doorstep::Standing,
        login::{self, Claim, Identified, LoginError},
        registry::{Arriving, CancelKey, Registered},
        services::{CoreRef, Doorway, Target},
        signal::{Activity, SessionHandle, Signal},
    },
    store::PrincipalState,
    telemetry::metrics::ConnectionOutcome,
    upstream::{Connected, connect, door::Door},
    wire::pg::{backend, scram, startup::Startup},
};

/// How long a client's cancel waits for its session to pass it on.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);

/// One connection's life. Without room it may cancel a statement, or be told so, and nothing else.
pub async fn accept(
    core: CoreRef,
    stream: Stream,
    doorway: Arc<Doorway>,
    (has_room, standing): (bool, Standing),
) {
    let timeout = core.services.world.load().limits.login_timeout;
    match startup::negotiate(stream, &doorway.tls, timeout).await {
        Ok(Negotiated::Cancel { stream, request }) => {
            if let Some(handle) = core.services.registry.by_key(request.process, &request.key) {
                // The client takes our closing for the cancel's having been passed on.
                let passed = tokio::time::timeout(CANCEL_PATIENCE, handle.cancel()).await;
                drop(passed);
            }
            drop(stream);
        }
        Ok(Negotiated::Session(mut secured)) if !has_room => {
            let refusal = Refusal::new(
                RefusalKind::TooManyConnections,
                "the gateway has no room for another connection",
            )
            .with_hint("Try again later, or ask an operator to raise limits.connections.");
            login::tell(&mut secured.stream, &refusal).await;
        }
        Ok(Negotiated::Session(secured)) => {
            let session = SessionId(core.services.session_number());
            Login { core, doorway, session }.run(secured, standing).await;
        }
        Err(error) => tracing::debug!(error = %error, "no session came of a connection"),
    }
}

/// Somebody who wants to log in.
struct Login {
    core: CoreRef,
    doorway: Arc<Doorway>,
    session: SessionId,
}

/// What a start-up message asks for.
struct Wish {
    /// The name as it was sent: all that is said and done before the proof goes by it, so that nobody
    /// learns which part of it names a target.
    user: String,
    principal: String,
    target: Option<TargetName>,
    database: Option<String>,
    application: String,
    client: String,
    peer: Peer,
    tls: String,
}

/// Who has proven who she is, and may be here.
struct Admitted {
    identified: Identified,
    startup: Startup,
    wish: Wish,
    state: Arc<PrincipalState>,
    target: Arc<Target>,
    arriving: Arriving,
}

fn too_many_guesses() -> Refusal {
    let text = "too many wrong log-ins of this name from this address";
    Refusal::new(RefusalKind::TooManyConnections, text).with_hint("Try again in a minute.")
}

impl Login {
    async fn run(self, secured: Secured, standing: Standing) {
        self.core.services.look_at_store().await;
        let wish = self.wish(&secured);
        let Secured { mut stream, startup, leftover } = secured;
        let doorstep = &self.core.services.doorstep;
        let Some(turn) = doorstep.turn(wish.peer, &wish.user).await else {
            // Not on record: the wrong proofs before are, and this must cost less than they did.
            self.core.counts.connection(ConnectionOutcome::Refused);
            return login::tell(&mut stream, &too_many_guesses()).await;
        };
        let access = self.core.services.access.load_full();
        let state = access.principal(&wish.principal).cloned();
        let now = self.core.services.clock.now();
        let credentials = state.as_ref().map(|s| live_credentials(s, now.max(access.highest_time)));
        let claim = Claim { user: &wish.user, credentials, mock: &self.core.services.mock };
        let within = self.core.services.world.load().limits.login_timeout;
        let identified = login::authenticate(stream, &startup, leftover, claim, within).await;
        let identified = match identified {
            Ok(identified) => identified,
            Err(error) => {
                if matches!(error, LoginError::Scram(_)) {
                    turn.wrong();
                }
                self.note_failure(&wish, &error.to_string());
                return;
            }
        };
        drop(standing);
        // Fail closed: the mock's proof can't be made, but a name without a principal never passes.
        let Some(state) = state else {
            self.note_failure(&wish, "no such principal");
            return;
        };
        turn.proven();
        match self.admit(&wish, &state) {
            Ok((target, arriving)) => {
                let admitted = Admitted { identified, startup, wish, state, target, arriving };
                self.connect(admitted).await;
            }
            Err(refusal) => {
                self.note_failure(&wish, &refusal.message);
                let mut stream = identified.stream;
                say_then_tell(&mut stream, identified.reply, &refusal).await;
            }
        }
    }

    /// Who and where to: the listener's own target, else the name's suffix, else the database field.
    fn wish(&self, secured: &Secured) -> Wish {
        let text = |name: &str| {
            secured
                .startup
                .parameter(name)
                .and_then(|v| std::str::from_utf8(v).ok())
                .map(str::to_owned)
        };
        let user = text("user").unwrap_or_default();
        let sent = user.clone();
        // libpq sends the user's name as the database if it is given none.
        let database = text("database").filter(|d| !d.is_empty() && *d != user);
        let access = self.core.services.access.load();
        let world = self.core.services.world.load();
        let named = |name: &str| world.targets.get(name).map(|t| t.name.clone());
        let (principal, target, database) = if let Some(target) = &self.doorway.target {
            (user, Some(target.clone()), database)
        } else if access.principal(&user).is_none()
            && let Some((name, suffix)) = user.rsplit_once('@')
            && let Some(target) = named(suffix)
        {
            (name.to_owned(), Some(target), database)
        } else {
            let field = database.unwrap_or_else(|| user.clone());
            match field.split_once('/') {
                Some((first, rest)) if named(first).is_some() => {
                    (user, named(first), Some(rest.to_owned()))
                }
                _ => (user, named(&field), None),
            }
        };
        Wish {
            user: sent,
            principal,
            target,
            database,
            application: settings::kept(&settings::application_of(&secured.startup)).to_owned(),
            client: secured.stream.peer().to_string(),
            peer: secured.stream.peer(),
            tls: secured.stream.tls_description().unwrap_or_default(),
        }
    }

    /// Whether she may be here at all: she could hold a permission on the target, and there is room.
    fn admit(
        &self,
        wish: &Wish,
        state: &PrincipalState,
    ) -> Result<(Arc<Target>, Arriving), Refusal> {
        if state.disabled {
            let text = format!("{} is disabled", state.name);
            return Err(
                Refusal::new(RefusalKind::PrincipalDisabled, text).with_hint("Ask an operator.")
            );
        }
        let world = self.core.services.world.load();
        if let Some(refusal) = world.is_outside(state, wish.peer) {
            return Err(refusal);
        }
        let target = wish.target.as_ref().and_then(|name| world.targets.get(name));
        let Some(target) = target else {
            return Err(Refusal::new(RefusalKind::NoSuchTarget, "no such target")
                .with_hint("Give the target's name as the database, or log in as name@target."));
        };
        // A database other than the target's own is another target's business.
        if wish.database.as_ref().is_some_and(|d| *d != target.database) {
            return Err(Refusal::new(
                RefusalKind::NoSuchTarget,
                format!("target {} has no other database than its own", target.name),
            )
            .with_hint(format!("Leave the database out, or give {}.", target.database)));
        }
        let registry = &self.core.services.registry;
        let (arriving, (own, on_target)) = registry.arrive(&state.name, &target.name);
        if own >= world.limits.connections_per_principal {
            return Err(Refusal::new(
                RefusalKind::TooManyConnections,
                format!("{} has {own} connections, which is the limit", state.name),
            )
            .with_hint(
                "Close some, or ask an operator to raise limits.connections_per_principal.",
            ));
        }
        if on_target >= target.max_connections {
            return Err(Refusal::new(
                RefusalKind::TooManyConnections,
                format!("target {} has {on_target} connections, which is the limit", target.name),
            )
            .with_hint("Try again later, or ask an operator to raise max_connections."));
        }
        Ok((Arc::clone(target), arriving))
    }

    async fn connect(self, admitted: Admitted) {
        let Admitted { identified, startup, wish, state, target, arriving } = admitted;
        let Identified { mut stream, mut reply, leftover, .. } = identified;
        let name = settings::session_name(&wish.principal, &wish.application);
        let parameters = match settings::for_upstream(&startup, &name) {
            Ok(parameters) => parameters,
            Err(refusal) => {
                self.note_failure(&wish, &refusal.message);
                return say_then_tell(&mut stream, reply, &refusal).await;
            }
        };
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let rights = self.rights(&state, &target);
        let (log_in, options) = target.log_in(rights.level());
        let connected = match connect(options, &borrowed).await {
            Ok(connected) => connected,
            Err(error) => {
                tracing::warn!(target = %target.name, error = %error, "no upstream connection");
                self.note_failure(&wish, &format!("upstream: {error}"));
                let refusal =
                    settings::no_conversion(&error, &startup).unwrap_or_else(|| error.refusal());
                return say_then_tell(&mut stream, reply, &refusal).await;
            }
        };
        let registered = self.register(&wish, &state, &target, (&startup, connected.process));
        let Some((registered, handle, key)) = registered else {
            let refusal = Refusal::new(RefusalKind::Internal, "no cancel key could be made");
            return say_then_tell(&mut stream, reply, &refusal).await;
        };
        drop(arriving);
        let plus = if stream.is_tls() { "scram-sha-256 over tls" } else { "scram-sha-256" };
        if let Err(refusal) =
            self.note_opened(&wish, &state, &target, (&connected, plus, &options.user))
        {
            return say_then_tell(&mut stream, reply, &refusal).await;
        }
        let name = settings::application_of(&startup);
        if settings::kept(&name) != name {
            // As at a server, which converts nothing before the session has begun.
            backend::name_is_cut(&mut reply, (&name, settings::kept(&name)), ClientText::UTF8);
        }
        let read_only = settings::begin_read_only(&startup);
        greet(&mut reply, &connected, (&wish, read_only), &key);
        let path = own_path(&parameters, &target);
        let path = path.filter(|_| log_in == Level::Admin);
        let stale = path.is_none();
        // What has changed while it connected.
        let (now, rights) = (self.core.services.clock.now(), self.rights(&state, &target));
        let facts = Facts { handle, target: Arc::clone(&target) };
        let mut talk = Conversation::new(Opening {
            core: CoreRef::clone(&self.core),
            facts,
            rights,
            log_in,
            path: path.unwrap_or(SearchPath::Unknown),
            application: wish.application.clone(),
            now,
        });
        talk.follow_lexer(&connected);
        talk.begins_read_only(read_only);
        talk.path_stale = stale;
        talk.log_in_wanted = target.log_in(talk.rights.level()).0;
        let mut to_client = Link::with_unread(&connected.leftover);
        to_client.inject().extend_from_slice(&reply);
        let cancel_key = UpstreamKey {
            peer: connected.stream.peer(),
            process: connected.process,
            key: connected.cancel_key,
        };
        let door = Door::with_unread(&leftover, self.core.lane.borrow().progress());
        let known = (cancel_key, parameters.into_boxed_slice());
        let relay = Relay::new(talk, (stream, connected.stream), (door, to_client), known);
        let reason = relay.run().await;
        drop(registered);
        self.note_closed(&reason);
    }

    fn rights(&self, state: &PrincipalState, target: &Target) -> Rights {
        let now = self.core.services.clock.now();
        self.core.services.access.load().rights(&state.name, &target.name, now)
    }

    fn register(
        &self,
        wish: &Wish,
        state: &PrincipalState,
        target: &Target,
        (startup, upstream_process): (&Startup, i32),
    ) -> Option<(Registered, Arc<SessionHandle>, CancelKey)> {
        let handle = Arc::new(SessionHandle {
            id: self.session,
            principal: state.name.clone(),
            target: target.name.clone(),
            client_address: wish.client.clone(),
            peer: wish.peer,
            application: Mutex::new(wish.application.clone()),
            since: self.core.services.clock.now(),
            activity: Activity::default(),
            signal: Signal::default(),
            cancels: Mutex::new(Vec::new()),
            stead: Stead::default(),
        });
        let random = SystemRandom::new();
        let length = if startup.has_long_cancel_keys() { 32 } else { 4 };
        // Clients compare the process id with that of notifications and of pg_stat_activity, so it is
        // the server's own; another server's session may have it already.
        let mut process = upstream_process;
        for _ in 0..16 {
            let mut secret = vec![0; length];
            random.fill(&mut secret).ok()?;
            let key = CancelKey { process, secret };
            let registry = &self.core.services.registry;
            if let Some(registered) = registry.enter(Arc::clone(&handle), key.clone()) {
                return Some((registered, handle, key));
            }
            let mut drawn = [0; 4];
            random.fill(&mut drawn).ok()?;
            // Positive, as process ids are.
            process = (i32::from_be_bytes(drawn) & i32::MAX).max(1);
        }
        None
    }

    fn note_failure(&self, wish: &Wish, reason: &str) {
        let failed = LoginFailed {
            session: self.session,
            principal: &wish.principal,
            target: wish.target.as_ref().map(TargetName::as_str).unwrap_or_default(),
            client: &wish.client,
            application: &wish.application,
            tls: &wish.tls,
            reason,
        };
        let now = self.core.services.clock.now();
        self.core.counts.connection(ConnectionOutcome::Refused);
        self.core.lane.borrow_mut().note_later(now, &Event::LoginFailed(&failed));
        self.core.lane_waits.notify_one();
    }

    /// A session that the trail doesn't know of doesn't begin.
    fn note_opened(
        &self,
        wish: &Wish,
        state: &PrincipalState,
        target: &Target,
        (connected, login, upstream_user): (&Connected, &str, &str),
    ) -> Result<(), Refusal> {
        let roles: Vec<String> = state.roles.iter().map(ToString::to_string).collect();
        let opened = SessionOpened {
            session: self.session,
            principal: state.name.as_str(),
            roles: &roles,
            login,
            tls: &wish.tls,
            client: &wish.client,
            application: &wish.application,
            target: target.name.as_str(),
            upstream_user,
            backend: u64::try_from(connected.process).ok(),
        };
        let now = self.core.services.clock.now();
        let noted = self.core.lane.borrow_mut().note(now, &Event::SessionOpened(&opened));
        self.core.counts.connection(if noted.is_ok() {
            ConnectionOutcome::Opened
        } else {
            ConnectionOutcome::Refused
        });
        noted.map_err(|error| {
            tracing::error!(error = %error, "the trail takes no record; log-ins are refused");
            Refusal::new(
                RefusalKind::TrailUnavailable,
                "refused: the audit trail can't take the record",
            )
        })
    }

    fn note_closed(&self, reason: &str) {
        let now = self.core.services.clock.now();
        let event = Event::SessionClosed { session: self.session, reason };
        self.core.lane.borrow_mut().note_later(now, &event);
        self.core.lane_waits.notify_one();
    }
}

/// The client's proof was accepted before this was known: what the log-in owes goes out first.
async fn say_then_tell(stream: &mut Stream, reply: Vec<u8>, refusal: &Refusal) {
    if stream.write_all(&reply).await.is_ok() {
        login::tell(stream, refusal).await;
    }
}

/// Only secrets that are still accepted.
fn live_credentials(state: &PrincipalState, now: Timestamp) -> scram::Credentials {
    let kept = &state.credentials;
    let live = kept.verifiers.iter().filter(|v| v.is_live(now));
    scram::Credentials {
        salt: kept.salt.clone(),
        iterations: kept.iterations,
        verifiers: live
            .map(|v| scram::Verifier { stored_key: v.stored_key, server_key: v.server_key })
            .collect(),
    }
}

/// The path of a session that doesn't bring its own: the catalog was read under it. `None`: unknown,
/// ask.
fn own_path(parameters: &[(String, String)], target: &Target) -> Option<SearchPath> {
    let catalog = target.catalog.load();
    (!settings::bring_path(parameters) && !catalog.default_path.is_empty())
        .then(|| SearchPath::Known(catalog.default_path.clone()))
}

/// What a client expects between AuthenticationOk and its first statement.
fn greet(
    reply: &mut Vec<u8>,
    connected: &Connected,
    (wish, read_only): (&Wish, bool),
    key: &CancelKey,
) {
    for notice in &connected.notices {
        reply.extend_from_slice(notice);
    }
    report_parameters(reply, &connected.parameters, (&wish.application, read_only));
    backend::backend_key_data(reply, key.process, &key.secret);
    backend::ready_for_query(reply, backend::TransactionStatus::Idle);
}

/// The upstream's settings as the client sees them: its own application name, and whether it asked for
/// read-only transactions itself.
pub(super) fn report_parameters(
    out: &mut Vec<u8>,
    parameters: &[(String, String)],
    (application, read_only): (&str, bool),
) {
    for (name, value) in parameters {
        let value = match name.as_str() {
            "application_name" => application,
            // The wall doesn't show.
            READ_ONLY_DEFAULT if !read_only => "off",
            _ => value,
        };
        backend::parameter_status(out, name.as_bytes(), value.as_bytes());
    }
}
