//! From an accepted connection to a serving session: greeted → secured → identified → admitted → connected.
//!
//! A server of MySQL speaks first, before it is known who comes and where to: what it says is the
//! listener's. Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>.

use std::{sync::Arc, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    Changing, Relay,
    talk::{Opening, Talk},
};
use crate::{
    kernel::{
        access::ScramVerifier,
        ids::SessionId,
        refusal::{Refusal, RefusalKind},
        sql::mode::{Dialect, LexMode},
    },
    net::{link::Link, stream::Stream},
    session::{
        doorstep::{Standing, TlsPolicy},
        entrance::{Entrance, Reached, Said, Wish, too_many_guesses},
        login::LoginError,
        registry::{Arriving, CancelKey, Registered},
        services::{CoreRef, Doorway, Greeted, Target},
        signal::SessionHandle,
    },
    store::PrincipalState,
    telemetry::metrics::ConnectionOutcome,
    upstream::{
        door::Door,
        mysql::{Wishes, connect, family, version_number},
    },
    wire::{
        WireError,
        mysql::{
            Capabilities,
            auth::{self, CACHING_SHA2, CLEAR, FAST, NATIVE, Sha1Digest, Sha2Digest},
            capability,
            compression::Algorithm,
            greeting::{Greeting, NONCE_LENGTH, Nonce},
            login::{Answer, Challenge, LENGTH_MAX, LogIn, PROOF_MAX},
            packet::{self, Extent},
            reply::{self, OkPacket, Status},
        },
    },
};

/// Bytes that are kept of what a client's program calls itself.
const APPLICATION_KEPT: usize = 64;

/// How long a client that listens no more is waited for.
const LAST_WORD: Duration = Duration::from_secs(2);

/// One connection's life.
pub async fn accept(
    core: CoreRef,
    stream: Stream,
    (doorway, greeted): (Arc<Doorway>, Option<Arc<Greeted>>),
    (has_room, standing): (bool, Standing),
) {
    let timeout_at = core.services.world.load().limits.login_timeout;
    let session = SessionId(core.services.session_number());
    let entrance = Entrance { core, doorway: Arc::clone(&doorway), session };
    let mut talking = Talking { stream, read: Vec::new(), next: 0 };
    if !has_room {
        let refusal = Refusal::new(
            RefusalKind::TooManyConnections,
            "the gateway has no room for another connection",
        )
        .with_hint("Try again later, or ask an operator to raise limits.connections.");
        return talking.tell(&refusal).await;
    }
    let Some(greeted) = greeted else {
        let text = "no target behind this listener has answered yet";
        let refusal = Refusal::new(RefusalKind::UpstreamUnavailable, text)
            .with_hint("Try again in a moment; `hallpass check` says which can't be reached.");
        return talking.tell(&refusal).await;
    };
    let mut login = Login { entrance, greeted };
    let number = connection_number();
    // PERFORMANCE: what a log-in takes is given back before its session begins.
    let begun = Box::pin(timeout(timeout_at, login.greet(talking, number))).await;
    let (mut coming, mut standing) = match begun.unwrap_or(Err(LoginError::TooSlow)) {
        Ok((talking, nonce, log_in)) => (Coming { talking, number, nonce, log_in }, Some(standing)),
        Err(error) => return tracing::debug!(error = %error, "no session came of a connection"),
    };
    loop {
        let (core, greeted) = (CoreRef::clone(&login.entrance.core), Arc::clone(&login.greeted));
        let mut capabilities = coming.log_in.capabilities;
        if greeted.family == Dialect::MariaDb {
            // Of a log-in; MariaDB forgets it with the change of user, and MySQL doesn't.
            capabilities = capabilities.without(Capabilities::IGNORE_SPACE);
        }
        let packet_max = coming.log_in.packet_max;
        let Some(opened) = Box::pin(login.run(coming, standing.take())).await else { return };
        let Opened { relay, registered, entrance } = opened;
        let (reason, changing) = relay.run().await;
        drop(registered);
        entrance.note_closed(&reason);
        let Some(changing) = changing else { return };
        // COM_CHANGE_USER: a session of its own in the same connection, whose client proves anew who it is.
        let session = SessionId(core.services.session_number());
        login =
            Login { entrance: Entrance { core, doorway: Arc::clone(&doorway), session }, greeted };
        let Some(next) = Coming::again(changing, (capabilities, packet_max), number) else {
            return;
        };
        coming = next;
    }
}

/// A client that has said who it is.
struct Coming {
    talking: Talking,
    number: u32,
    nonce: Nonce,
    log_in: Box<LogIn>,
}

impl Coming {
    /// One that was somebody else before. `None`: there are no random numbers.
    fn again(
        changing: Changing,
        (capabilities, packet_max): (Capabilities, u32),
        number: u32,
    ) -> Option<Self> {
        let Changing { stream, read, mut log_in, next } = changing;
        let mut random = [0; NONCE_LENGTH];
        SystemRandom::new().fill(&mut random).ok()?;
        (log_in.capabilities, log_in.packet_max) = (capabilities, packet_max);
        if log_in.method != CLEAR.as_bytes() {
            // Fail closed: a proof over the nonce of before may be one that somebody has overheard. It is
            // asked for anew, as servers do.
            if log_in.method != NATIVE.as_bytes() {
                log_in.method.clear();
            }
            log_in.proof.clear();
        }
        let talking = Talking { stream, read, next };
        Some(Self { talking, number, nonce: auth::nonce(random), log_in })
    }
}

/// Numbers of connections are where no server's own are, so that KILL of either can be told apart; and none
/// is negative to clients that keep it in 32 bits with a sign, as Connector/J does.
fn connection_number() -> u32 {
    let mut drawn = [0; 4];
    // Without random numbers no nonce is made either, and nobody logs in.
    SystemRandom::new().fill(&mut drawn).ok();
    u32::from_ne_bytes(drawn) & (u32::MAX >> 2) | 1 << 30
}

fn unreadable(error: &LoginError) -> Option<Refusal> {
    match error {
        LoginError::Gone | LoginError::Io(_) | LoginError::Tls(_) => None,
        LoginError::TooSlow => {
            Some(Refusal::new(RefusalKind::NotIdentified, "log-in took too long"))
        }
        LoginError::Wire(error) => Some(error.refusal()),
        LoginError::Random => Some(Refusal::new(RefusalKind::Internal, error.to_string())),
        // Postgres' own.
        LoginError::Startup(error) => Some(error.refusal()),
        LoginError::Scram(error) => Some(error.refusal("")),
    }
}

/// A connection that speaks in packets, one after the other.
struct Talking {
    stream: Stream,
    read: Vec<u8>,
    next: u8,
}

impl Talking {
    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>, u8) -> u8) -> Result<(), LoginError> {
        let mut out = Vec::new();
        self.next = write(&mut out, self.next);
        self.stream.write_all(&out).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// The next payload, of at most so many bytes.
    async fn receive(&mut self, most: usize) -> Result<Vec<u8>, LoginError> {
        loop {
            if let Extent::Here(span) = packet::extent(&self.read, self.next, most)? {
                let rest = self.read.split_off(span.length);
                let packets = std::mem::replace(&mut self.read, rest);
                self.next = span.next;
                return Ok(packet::payload(&packets).into_owned());
            }
            // Most log-ins come in one piece then.
            self.read.reserve(512);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(LoginError::Gone);
            }
        }
    }

    /// Asks for a proof by another method.
    async fn switch(&mut self, method: &str, nonce: &Nonce) -> Result<Vec<u8>, LoginError> {
        let challenge = Challenge::Switch { method: method.as_bytes(), data: nonce };
        self.send(|out, next| challenge.write(out, next)).await?;
        self.receive(PROOF_MAX).await
    }

    /// What a client answers to the greeting. It is told what is wrong with that.
    async fn answer(&mut self) -> Result<Answer, LoginError> {
        let payload = self.receive(LENGTH_MAX).await;
        let answer = payload.and_then(|payload| Ok(Answer::read(&payload)?));
        if let Err(error) = &answer
            && let Some(refusal) = unreadable(error)
        {
            self.tell(&refusal).await;
        }
        answer
    }

    /// Sends an error that ends the connection. Who doesn't listen isn't waited for.
    async fn tell(&mut self, refusal: &Refusal) {
        let mut out = Vec::new();
        reply::refuse(&mut out, self.next, refusal);
        let _ = timeout(LAST_WORD, async {
            self.stream.write_all(&out).await?;
            self.stream.flush().await?;
            self.stream.shutdown().await
        })
        .await;
    }
}

/// Somebody who wants to log in.
struct Login {
    entrance: Entrance,
    greeted: Arc<Greeted>,
}

/// Who has proven who she is, and may be here.
struct Admitted {
    talking: Talking,
    number: u32,
    log_in: Box<LogIn>,
    method: &'static str,
    wish: Wish,
    state: Arc<PrincipalState>,
    target: Arc<Target>,
    arriving: Arriving,
}

/// A session that is open. Its end is to be put on record too.
struct Opened {
    relay: Box<Relay>,
    registered: Registered,
    entrance: Entrance,
}

impl Login {
    /// The greeting, TLS as offered and asked for, and what the client says of itself.
    async fn greet(
        &self,
        mut talking: Talking,
        connection: u32,
    ) -> Result<(Talking, Nonce, Box<LogIn>), LoginError> {
        let mut random = [0; NONCE_LENGTH];
        SystemRandom::new().fill(&mut random).map_err(|_| LoginError::Random)?;
        let nonce = auth::nonce(random);
        let has_tls = self.entrance.doorway.tls.server().is_ok() && !talking.stream.is_private();
        let capabilities = capability::offered(self.greeted.capabilities, has_tls);
        let greeting = Greeting {
            version: self.greeted.version.clone().into_bytes(),
            connection,
            nonce,
            capabilities,
            collation: self.greeted.collation,
            status: Status::AUTOCOMMIT.0,
            method: CACHING_SHA2.as_bytes().to_vec(),
        };
        talking
            .send(|out, _| {
                greeting.write(out);
                1
            })
            .await?;
        let log_in = match talking.answer().await? {
            Answer::LogIn(log_in) => log_in,
            Answer::Tls => {
                let loaded = self.entrance.doorway.tls.server()?.current();
                let Talking { stream, next, read } = talking;
                // Clients don't wait for an answer to their request. What came behind it is the handshake's
                // or nobody's: in clear it isn't taken for something that came encrypted.
                let stream = stream.accept_tls(&loaded, read).await.map_err(LoginError::Tls)?;
                talking = Talking { stream, read: Vec::new(), next };
                match talking.answer().await? {
                    Answer::LogIn(log_in) => log_in,
                    Answer::Tls => {
                        let what = "a second request for TLS";
                        return Err(WireError::NotLegalNow { what }.into());
                    }
                }
            }
        };
        // As a server does: clients set flags that nobody has offered.
        let mut log_in = log_in;
        log_in.capabilities = log_in.capabilities & capabilities;
        Ok((talking, nonce, log_in))
    }

    /// From a name to a session that is open, and on record.
    async fn run(self, coming: Coming, standing: Option<Standing>) -> Option<Opened> {
        let (admitted, login) = self.admit(coming, standing).await?;
        login.connect(admitted).await
    }

    async fn admit(self, coming: Coming, standing: Option<Standing>) -> Option<(Admitted, Self)> {
        let Coming { mut talking, number, nonce, log_in } = coming;
        let core = &self.entrance.core;
        core.services.look_at_store().await;
        let wish = self.wish(&log_in, &talking.stream);
        if matches!(self.entrance.doorway.tls, TlsPolicy::Require(_))
            && !talking.stream.is_tls()
            && !talking.stream.is_private()
        {
            let refusal = Refusal::new(RefusalKind::TlsRequired, "this listener wants TLS")
                .with_hint("Connect with --ssl-mode=REQUIRED, or --ssl.");
            talking.tell(&refusal).await;
            return None;
        }
        let Some(turn) = core.services.doorstep.turn(wish.peer, &wish.user).await else {
            // Not on record: the wrong proofs before are, and this must cost less than they did.
            core.counts.connection(ConnectionOutcome::Refused);
            talking.tell(&too_many_guesses()).await;
            return None;
        };
        let access = core.services.access.load_full();
        let state = access.principal(&wish.principal).cloned();
        let now = core.services.clock.now().max(access.highest_time);
        let live: Vec<&ScramVerifier> =
            state.iter().flat_map(|state| state.credentials.live(now)).collect();
        let digests = Digests {
            sha2: live.iter().map(|verifier| verifier.sha2_digest).collect(),
            native: self
                .entrance
                .doorway
                .native_password
                .then(|| live.iter().filter_map(|verifier| verifier.native_digest).collect()),
        };
        let within = core.services.world.load().limits.login_timeout;
        let proven = timeout(within, prove(&mut talking, (&nonce, &log_in), &digests)).await;
        let method = match proven.unwrap_or(Err(LoginError::TooSlow)) {
            Ok(Some(method)) => method,
            Ok(None) => {
                turn.wrong();
                self.entrance.note_failure(&wish, "wrong password");
                let given = if log_in.proof.is_empty() { "NO" } else { "YES" };
                let text =
                    format!("Access denied for user '{}' (using password: {given})", wish.user);
                talking.tell(&Refusal::new(RefusalKind::NotIdentified, text)).await;
                return None;
            }
            Err(error) => {
                self.entrance.note_failure(&wish, &error.to_string());
                if let Some(refusal) = unreadable(&error) {
                    talking.tell(&refusal).await;
                }
                return None;
            }
        };
        drop(standing);
        let Some(state) = state else {
            // Fail closed: without a principal there is no digest that anything matches.
            self.entrance.note_failure(&wish, "no such principal");
            return None;
        };
        turn.proven();
        match self.entrance.admit(&wish, &state) {
            Ok((target, arriving)) => {
                let admitted =
                    Admitted { talking, number, log_in, method, wish, state, target, arriving };
                Some((admitted, self))
            }
            Err(refusal) => {
                self.entrance.note_failure(&wish, &refusal.message);
                talking.tell(&refusal).await;
                None
            }
        }
    }

    fn wish(&self, log_in: &LogIn, stream: &Stream) -> Wish {
        let user = String::from_utf8_lossy(&log_in.user).into_owned();
        let database =
            log_in.schema.as_ref().map(|schema| String::from_utf8_lossy(schema).into_owned());
        let application =
            log_in.attribute("program_name").or_else(|| log_in.attribute("_client_name"));
        let field = database.clone().unwrap_or_else(|| user.clone());
        let application = application.unwrap_or_default();
        let fits = |at: &usize| application.is_char_boundary(*at);
        let end = (0..=application.len().min(APPLICATION_KEPT)).rev().find(fits).unwrap_or(0);
        let application = application.get(..end).unwrap_or_default();
        self.entrance.wish(Said { user, database, field, application }, stream)
    }

    async fn connect(self, admitted: Admitted) -> Option<Opened> {
        let Admitted { mut talking, number, log_in, method, wish, state, target, arriving } =
            admitted;
        let entrance = &self.entrance;
        let Some(log_ins) = target.mysql() else {
            let text = format!("target {} doesn't speak MySQL", target.name);
            let refusal = Refusal::new(RefusalKind::NoSuchTarget, text)
                .with_hint("Connect to it by the gateway's listener for Postgres.");
            entrance.note_failure(&wish, &refusal.message);
            talking.tell(&refusal).await;
            return None;
        };
        let rights = entrance.rights(&state, &target);
        let (level, options) = log_ins.log_in(rights.level());
        let wishes = wishes(&log_in, (&wish, &target));
        let connected = match connect(options, &wishes).await {
            Ok(connected) => connected,
            Err(error) => {
                tracing::warn!(target = %target.name, error = %error, "no upstream connection");
                entrance.note_failure(&wish, &format!("upstream: {error}"));
                talking.tell(&error.refusal()).await;
                return None;
            }
        };
        if family(&connected.version) != self.greeted.family {
            let text =
                format!("target {} is a server of another kind than this listener's", target.name);
            let refusal = Refusal::new(RefusalKind::NoSuchTarget, text)
                .with_hint("Ask an operator for a listener of its own.");
            entrance.note_failure(&wish, &refusal.message);
            talking.tell(&refusal).await;
            return None;
        }
        let Some((registered, handle)) = self.register((&wish, &state, &target), number) else {
            let refusal =
                Refusal::new(RefusalKind::Internal, "no number could be given to the connection");
            talking.tell(&refusal).await;
            return None;
        };
        drop(arriving);
        let over = if talking.stream.is_tls() { " over tls" } else { "" };
        let reached = Reached {
            login: &format!("{method}{over}"),
            upstream_user: &options.user,
            backend: Some(u64::from(connected.connection)),
        };
        if let Err(refusal) = entrance.note_opened(&wish, &state, &target, &reached) {
            talking.tell(&refusal).await;
            return None;
        }
        let core = CoreRef::clone(&entrance.core);
        // What has changed while it connected.
        let (now, rights) = (core.services.clock.now(), entrance.rights(&state, &target));
        let talk = Talk::new(Opening {
            core,
            handle,
            target: Arc::clone(&target),
            connection: connected.connection,
            rights,
            log_in: level,
            client: log_in.capabilities,
            shared: connected.capabilities,
            status: connected.status,
            mode: mode(self.greeted.family, &connected.version),
            now,
        });
        let ok = OkPacket {
            status: connected.status,
            changes: &connected.changes,
            ..OkPacket::default()
        };
        let mut to_client = Link::with_unread(&[]);
        ok.write(to_client.inject(), (talking.next, reply::OK), log_in.capabilities);
        if let Some(algorithm) = Algorithm::of(log_in.capabilities)
            && !talking.stream.is_compressed()
        {
            // Spec: from behind the OK packet on.
            let last = talking.stream.write_all(to_client.inject()).await;
            if last.is_err() || talking.stream.flush().await.is_err() {
                drop(registered);
                entrance.note_closed("the client closed the connection");
                return None;
            }
            to_client = Link::with_unread(&[]);
            talking.stream.compress(algorithm, std::mem::take(&mut talking.read));
        }
        let door = Door::with_unread(&talking.read, talk.core.lane.borrow().progress());
        let relay = Relay::new(
            talk,
            (talking.stream, connected.stream),
            (door, to_client),
            options.clone(),
        );
        Some(Opened { relay: Box::new(relay), registered, entrance: self.entrance })
    }

    fn register(
        &self,
        (wish, state, target): (&Wish, &PrincipalState, &Target),
        number: u32,
    ) -> Option<(Registered, Arc<SessionHandle>)> {
        let handle = self.entrance.handle(wish, state, target);
        let mut secret = vec![0; 32];
        // Nobody is told: a cancel comes as KILL, from a session that has logged in.
        SystemRandom::new().fill(&mut secret).ok()?;
        let process = i32::from_ne_bytes(number.to_ne_bytes());
        let key = CancelKey { process, secret };
        let registered = self.entrance.core.services.registry.enter(Arc::clone(&handle), key)?;
        Some((registered, handle))
    }
}

/// What the session wants of its upstream.
fn wishes(log_in: &LogIn, (wish, target): (&Wish, &Target)) -> Wishes {
    let own = Some(target.database.clone()).filter(|database| !database.is_empty());
    let schema = wish.database.clone().or(own);
    let program = format!("hallpass/{}", wish.principal);
    Wishes {
        capabilities: log_in.capabilities,
        packet_max: log_in.packet_max,
        collation: log_in.collation,
        schema: schema.map(String::into_bytes),
        attributes: vec![
            (b"program_name".to_vec(), program.into_bytes()),
            (b"_client_program".to_vec(), wish.application.clone().into_bytes()),
        ],
    }
}

/// How an upstream of this version reads texts out of the box.
fn mode(family: Dialect, version: &str) -> LexMode {
    let plain = match family {
        Dialect::MariaDb => LexMode::MARIADB,
        Dialect::MySql | Dialect::Postgres => LexMode::MYSQL,
    };
    LexMode { version: version_number(version).unwrap_or(plain.version), ..plain }
}

/// What the proofs of one principal are checked by, one for each secret.
struct Digests {
    sha2: Vec<Sha2Digest>,
    /// `None`: the listener doesn't take [`NATIVE`].
    native: Option<Vec<Sha1Digest>>,
}

/// True if one of them matches. All are compared, in the same time; where there is none, one that nothing
/// matches: nobody can tell by it who exists.
fn any<const N: usize>(digests: &[[u8; N]], proves: impl Fn(&[u8; N]) -> bool) -> bool {
    let nobody = [[0xa5; N]];
    let all = if digests.is_empty() { &nobody[..] } else { digests };
    all.iter().fold(false, |found, digest| proves(digest) | found) && !digests.is_empty()
}

/// Asks for a proof until there is one. The method that it was made by, or `None`: it is wrong.
async fn prove(
    talking: &mut Talking,
    (nonce, log_in): (&Nonce, &LogIn),
    digests: &Digests,
) -> Result<Option<&'static str>, LoginError> {
    if log_in.method == CLEAR.as_bytes() && talking.stream.is_tls() {
        let password = log_in.proof.strip_suffix(&[0]).unwrap_or(&log_in.proof);
        let digest = auth::sha2_digest(password);
        let matches = any(&digests.sha2, |known| auth::is_same(&digest, known));
        return Ok((!password.is_empty() && matches).then_some(CLEAR));
    }
    if log_in.method == NATIVE.as_bytes()
        && let Some(native) = &digests.native
    {
        let proof = if log_in.proof.is_empty() {
            // After COM_CHANGE_USER, or from a client that sends no proof unasked.
            talking.switch(NATIVE, nonce).await?
        } else {
            log_in.proof.clone()
        };
        if any(native, |digest| auth::proves_sha1(&proof, nonce, digest)) {
            return Ok(Some(NATIVE));
        }
        // Of this secret no such digest may have been kept, which nobody shall be able to tell from a wrong one.
    }
    let proof = if log_in.method == CACHING_SHA2.as_bytes() {
        log_in.proof.clone()
    } else {
        talking.switch(CACHING_SHA2, nonce).await?
    };
    if !any(&digests.sha2, |digest| auth::proves_sha2(&proof, nonce, digest)) {
        return Ok(None);
    }
    talking.send(|out, next| Challenge::More(&[FAST]).write(out, next)).await?;
    Ok(Some(CACHING_SHA2))
}
