//! Who comes in and where to: what a log-in is in either protocol, once it is known what the client has
//! said of itself.

use std::sync::{Arc, Mutex};

use super::{
    pg::stead::Stead,
    registry::Arriving,
    services::{CoreRef, Doorway, Target},
    signal::{Activity, SessionHandle, Signal},
};
use crate::{
    kernel::{
        access::Rights,
        audit::record::{Event, LoginFailed, SessionOpened},
        ids::{SessionId, TargetName},
        refusal::{Refusal, RefusalKind},
    },
    net::stream::{Peer, Stream},
    store::PrincipalState,
    telemetry::metrics::ConnectionOutcome,
};

/// A connection that wants to become a session.
pub struct Entrance {
    /// Where it is served.
    pub core: CoreRef,
    /// Where it came in.
    pub doorway: Arc<Doorway>,
    /// Its number.
    pub session: SessionId,
}

/// What a client says of itself before it has proven anything.
pub struct Said<'a> {
    /// Its name.
    pub user: String,
    /// The database, if it names one.
    pub database: Option<String>,
    /// What names the target where the name doesn't.
    pub field: String,
    /// What its program calls itself.
    pub application: &'a str,
}

/// Who wants to come in, and where to.
pub struct Wish {
    /// The name as it was sent: all that is said and done before the proof goes by it, so that nobody
    /// learns which part of it names a target.
    pub user: String,
    /// Whose log-in it is.
    pub principal: String,
    /// Where to; `None`: to nothing that there is.
    pub target: Option<TargetName>,
    /// The database there.
    pub database: Option<String>,
    /// What its program calls itself.
    pub application: String,
    /// Its address, for records.
    pub client: String,
    /// The same, to be held against networks.
    pub peer: Peer,
    /// What protects the connection, for records.
    pub tls: String,
}

/// What is known of the upstream's side of a session.
pub struct Reached<'a> {
    /// By which method the client has proven who it is.
    pub login: &'a str,
    /// The gateway's log-in there.
    pub upstream_user: &'a str,
    /// The number of the server's process or connection.
    pub backend: Option<u64>,
}

/// What a client is told whose name has been guessed at too often from there.
pub fn too_many_guesses() -> Refusal {
    let text = "too many wrong log-ins of this name from this address";
    Refusal::new(RefusalKind::TooManyConnections, text).with_hint("Try again in a minute.")
}

impl Entrance {
    /// Who and where to: the listener's own target, else the name's suffix, else the database field.
    pub fn wish(&self, said: Said<'_>, stream: &Stream) -> Wish {
        let Said { user, database, field, application } = said;
        let sent = user.clone();
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
            application: application.to_owned(),
            client: stream.peer().to_string(),
            peer: stream.peer(),
            tls: stream.tls_description().unwrap_or_default(),
        }
    }

    /// Whether she may be here at all: she could hold a permission on the target, and there is room.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(
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
        // With MySQL it is a schema, among which a session moves by USE.
        let other = wish.database.as_ref().is_some_and(|d| *d != target.database);
        if other && target.postgres().is_some() {
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

    /// What the principal may do on the target now.
    pub fn rights(&self, state: &PrincipalState, target: &Target) -> Rights {
        let now = self.core.services.clock.now();
        self.core.services.access.load().rights(&state.name, &target.name, now)
    }

    /// The session as others see it.
    pub fn handle(
        &self,
        wish: &Wish,
        state: &PrincipalState,
        target: &Target,
    ) -> Arc<SessionHandle> {
        Arc::new(SessionHandle {
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
        })
    }

    /// Puts a log-in that came to nothing on the trail.
    pub fn note_failure(&self, wish: &Wish, reason: &str) {
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
    ///
    /// # Errors
    /// The trail takes no record.
    pub fn note_opened(
        &self,
        wish: &Wish,
        state: &PrincipalState,
        target: &Target,
        reached: &Reached<'_>,
    ) -> Result<(), Refusal> {
        let roles: Vec<String> = state.roles.iter().map(ToString::to_string).collect();
        let opened = SessionOpened {
            session: self.session,
            principal: state.name.as_str(),
            roles: &roles,
            login: reached.login,
            tls: &wish.tls,
            client: &wish.client,
            application: &wish.application,
            target: target.name.as_str(),
            upstream_user: reached.upstream_user,
            backend: reached.backend,
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

    /// Puts the end of a session on the trail.
    pub fn note_closed(&self, reason: &str) {
        let now = self.core.services.clock.now();
        let event = Event::SessionClosed { session: self.session, reason };
        self.core.lane.borrow_mut().note_later(now, &event);
        self.core.lane_waits.notify_one();
    }
}
