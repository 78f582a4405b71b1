//! From an accepted connection to a serving session: secured → identified → admitted → connected.
//!
//! Each step is a function that consumes what the one before it made; none can be left out.

use std::{sync::Arc, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::AsyncWriteExt;

use super::{
    Relay,
    cancel::UpstreamKey,
    conversation::{Conversation, Facts, Opening},
    settings,
    startup::{self, Negotiated, Secured},
};
use crate::{
    kernel::{
        access::Level,
        ids::SessionId,
        refusal::{Refusal, RefusalKind},
        sql::{READ_ONLY_DEFAULT, SearchPath, charset::ClientText},
        time::Timestamp,
    },
    net::{link::Link, stream::Stream},
    session::{
        doorstep::Standing,
        entrance::{Entrance, Reached, Said, Wish, too_many_guesses},
        login::{self, Claim, Identified, LoginError},
        registry::{Arriving, CancelKey, Registered},
        services::{CoreRef, Doorway, PgTarget, Target},
        signal::SessionHandle,
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
            Login(Entrance { core, doorway, session }).run(secured, standing).await;
        }
        Err(error) => tracing::debug!(error = %error, "no session came of a connection"),
    }
}

/// Somebody who wants to log in.
struct Login(Entrance);

/// Who has proven who she is, and may be here.
struct Admitted {
    identified: Identified,
    startup: Startup,
    wish: Wish,
    state: Arc<PrincipalState>,
    target: PgTarget,
    arriving: Arriving,
}

impl Login {
    async fn run(self, secured: Secured, standing: Standing) {
        self.0.core.services.look_at_store().await;
        let wish = self.wish(&secured);
        let Secured { mut stream, startup, leftover } = secured;
        let doorstep = &self.0.core.services.doorstep;
        let Some(turn) = doorstep.turn(wish.peer, &wish.user).await else {
            // Not on record: the wrong proofs before are, and this must cost less than they did.
            self.0.core.counts.connection(ConnectionOutcome::Refused);
            return login::tell(&mut stream, &too_many_guesses()).await;
        };
        let access = self.0.core.services.access.load_full();
        let state = access.principal(&wish.principal).cloned();
        let now = self.0.core.services.clock.now();
        let credentials = state.as_ref().map(|s| live_credentials(s, now.max(access.highest_time)));
        let claim = Claim { user: &wish.user, credentials, mock: &self.0.core.services.mock };
        let within = self.0.core.services.world.load().limits.login_timeout;
        let identified = login::authenticate(stream, &startup, leftover, claim, within).await;
        let identified = match identified {
            Ok(identified) => identified,
            Err(error) => {
                if matches!(error, LoginError::Scram(_)) {
                    turn.wrong();
                }
                self.0.note_failure(&wish, &error.to_string());
                return;
            }
        };
        drop(standing);
        // Fail closed: the mock's proof can't be made, but a name without a principal never passes.
        let Some(state) = state else {
            self.0.note_failure(&wish, "no such principal");
            return;
        };
        turn.proven();
        match self.0.admit(&wish, &state) {
            Ok((target, arriving)) => {
                let Some(target) = PgTarget::of(&target) else {
                    let text = format!("target {} doesn't speak Postgres", target.name);
                    let refusal = Refusal::new(RefusalKind::NoSuchTarget, text)
                        .with_hint("Connect to it by the gateway's listener for MySQL.");
                    self.0.note_failure(&wish, &refusal.message);
                    let mut stream = identified.stream;
                    return say_then_tell(&mut stream, identified.reply, &refusal).await;
                };
                let admitted = Admitted { identified, startup, wish, state, target, arriving };
                self.connect(admitted).await;
            }
            Err(refusal) => {
                self.0.note_failure(&wish, &refusal.message);
                let mut stream = identified.stream;
                say_then_tell(&mut stream, identified.reply, &refusal).await;
            }
        }
    }

    /// Who and where to, by the start-up message.
    fn wish(&self, secured: &Secured) -> Wish {
        let text = |name: &str| {
            let value = secured.startup.parameter(name).map(std::str::from_utf8);
            value.and_then(Result::ok).map(str::to_owned)
        };
        let user = text("user").unwrap_or_default();
        // libpq sends the user's name as the database if it is given none.
        let database = text("database").filter(|d| !d.is_empty() && *d != user);
        let application = settings::application_of(&secured.startup);
        let field = database.clone().unwrap_or_else(|| user.clone());
        let said = Said { user, database, field, application: settings::kept(&application) };
        self.0.wish(said, &secured.stream)
    }

    async fn connect(self, admitted: Admitted) {
        let Admitted { identified, startup, wish, state, target, arriving } = admitted;
        let Identified { mut stream, mut reply, leftover, .. } = identified;
        let name = settings::session_name(&wish.principal, &wish.application);
        let parameters = match settings::for_upstream(&startup, &name) {
            Ok(parameters) => parameters,
            Err(refusal) => {
                self.0.note_failure(&wish, &refusal.message);
                return say_then_tell(&mut stream, reply, &refusal).await;
            }
        };
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let rights = self.0.rights(&state, &target);
        let (log_in, options) = target.log_in(rights.level());
        let connected = match connect(options, &borrowed).await {
            Ok(connected) => connected,
            Err(error) => {
                tracing::warn!(target = %target.name, error = %error, "no upstream connection");
                self.0.note_failure(&wish, &format!("upstream: {error}"));
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
        let login = if stream.is_tls() { "scram-sha-256 over tls" } else { "scram-sha-256" };
        let reached = Reached {
            login,
            upstream_user: &options.user,
            backend: u64::try_from(connected.process).ok(),
        };
        if let Err(refusal) = self.0.note_opened(&wish, &state, &target, &reached) {
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
        let (now, rights) = (self.0.core.services.clock.now(), self.0.rights(&state, &target));
        let facts = Facts { handle, target: target.clone() };
        let mut talk = Conversation::new(Opening {
            core: CoreRef::clone(&self.0.core),
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
        let door = Door::with_unread(&leftover, self.0.core.lane.borrow().progress());
        let known = (cancel_key, parameters.into_boxed_slice());
        let relay = Relay::new(talk, (stream, connected.stream), (door, to_client), known);
        let reason = relay.run().await;
        drop(registered);
        self.0.note_closed(&reason);
    }

    fn register(
        &self,
        wish: &Wish,
        state: &PrincipalState,
        target: &Target,
        (startup, upstream_process): (&Startup, i32),
    ) -> Option<(Registered, Arc<SessionHandle>, CancelKey)> {
        let handle = self.0.handle(wish, state, target);
        let random = SystemRandom::new();
        let length = if startup.has_long_cancel_keys() { 32 } else { 4 };
        // Clients compare the process id with that of notifications and of pg_stat_activity, so it is
        // the server's own; another server's session may have it already.
        let mut process = upstream_process;
        for _ in 0..16 {
            let mut secret = vec![0; length];
            random.fill(&mut secret).ok()?;
            let key = CancelKey { process, secret };
            let registry = &self.0.core.services.registry;
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
