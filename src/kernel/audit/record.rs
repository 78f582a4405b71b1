//! What a record of the trail says.
//!
//! Every record begins with its place: `node`, `lane`, `seq`, `time`, `record`. What follows depends
//! on the sort of record and keeps the order in which it is written here. Values that are empty or
//! unknown are left out. Everything is borrowed: a statement's record costs no allocation.

use std::{borrow::Cow, fmt, time::Duration};

use ring::hmac;

use crate::kernel::{
    access::PermissionSet,
    audit::{
        Digest,
        json::{Object, key, push_escaped, push_number, push_shown, push_text},
        masked, parameters,
        scrub::{scrub, scrub_read},
        shown::Shown,
    },
    ids::{GrantId, RequestId, SessionId, StatementId},
    mask::marks::Masked,
    policy::{Denial, Missing, Permit},
    refusal::Refusal,
    sql::{
        analysis::{NeedOn, ResolvedRelation, StatementClass},
        constants::Guard,
        mode::LexMode,
        reading::{Access, RoutineUse},
    },
    time::Timestamp,
};

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Which gateway.
    pub node: &'a str,
    /// Which of its lanes.
    pub lane: u16,
    /// Which record of the lane, from 1.
    pub seq: u64,
    /// When it was made.
    pub time: Timestamp,
}

/// How much of a statement's text is kept: `audit.statement`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StatementDetail {
    /// The text as sent, secrets hidden.
    #[default]
    Full,
    /// The text without its literals.
    Normalized,
    /// The fingerprint only.
    Fingerprint,
}

/// How much of the parameters is kept: `audit.parameters`.
#[derive(Clone, Debug, Default)]
pub enum ParameterDetail {
    /// As text, long ones cut.
    #[default]
    Text,
    /// Keyed digests: equal values can be found by who has the key, none can be read.
    Hmac(hmac::Key),
    /// Nothing but their number.
    None,
}

/// What the operator wants kept.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Of texts.
    pub statement: StatementDetail,
    /// Of parameters.
    pub parameters: ParameterDetail,
    /// What makes digests of constants and parameters that have to do with masked columns; without it
    /// they are hidden and can't be told apart.
    pub key: Option<hmac::Key>,
}

/// How a statement came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntentKind {
    /// Postgres Query, MySQL COM_QUERY.
    Query,
    /// Parse.
    Parse,
    /// Bind: input functions and planning run there.
    Bind,
    /// Execute, where it isn't part of the batch its Bind came with.
    Execute,
    /// COPY.
    Copy,
    /// Sent by the gateway itself.
    Gateway,
    /// Answered by the gateway itself.
    Local,
}

impl IntentKind {
    /// As on record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Parse => "parse",
            Self::Bind => "bind",
            Self::Execute => "execute",
            Self::Copy => "copy",
            Self::Gateway => "gateway",
            Self::Local => "local",
        }
    }
}

/// A parameter's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parameter<'a> {
    /// NULL.
    Null,
    /// As text, decoded by its type.
    Text(&'a str),
    /// Binary of a type that isn't decoded.
    Binary(&'a [u8]),
}

/// A statement that is about to be sent upstream, or that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// When it was judged.
    pub time: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// Whose, by name.
    pub principal: &'a str,
    /// Where to.
    pub target: &'a str,
    /// How it came.
    pub kind: IntentKind,
    /// The text as sent.
    pub text: &'a str,
    /// How many bytes were sent, where the text is not exactly these: its start only, or with signs in
    /// place of what is no UTF-8.
    pub inexact: Option<u64>,
    /// The text without literals, if the lexer could read it.
    pub normalized: Option<&'a str>,
    /// Hash of the normalized text; empty if there is none.
    pub fingerprint: &'a str,
    /// What it does in one word; `None`: not understood.
    pub class: Option<StatementClass>,
    /// What it touches.
    pub relations: &'a [ResolvedRelation],
    /// What it calls, beyond pure built-ins.
    pub routines: &'a [RoutineUse],
    /// What it does with masked columns.
    pub masked: Option<&'a Masked>,
    /// Which constants and parameters are not to be shown.
    pub guard: Guard<'a>,
    /// How the text is read.
    pub mode: LexMode,
    /// Its parameters.
    pub parameters: &'a [Parameter<'a>],
}

/// What was decided about an intent.
#[derive(Clone, Copy, Debug)]
pub enum Decided<'a> {
    /// Yes, on these grants.
    Permit(&'a Permit),
    /// No: a permission is missing.
    Denial(&'a Denial),
    /// No, for another reason.
    Refusal(&'a Refusal),
    /// The gateway sends it of its own accord: why.
    Gateway {
        /// `wall`, `fail`, `probe` …
        cause: &'a str,
    },
}

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// As it should.
    Completed,
    /// With an error of the upstream.
    Error,
    /// Cancelled, by the client or because a right ended.
    Cancelled,
    /// Cut at the cap.
    Cut,
    /// Refused after its record was made, before it was sent.
    Refused,
    /// Nobody knows: the connection broke first.
    Unknown,
}

impl Ended {
    /// As on record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Cut => "cut",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a statement.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// When it ended.
    pub time: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// Which intent's.
    pub statement: StatementId,
    /// How.
    pub ended: Ended,
    /// Rows returned.
    pub rows: u64,
    /// Rows changed, if it says so.
    pub affected: Option<u64>,
    /// Bytes of rows returned.
    pub bytes: u64,
    /// The error's code, if it ended with one.
    pub sqlstate: Option<&'a str>,
    /// Time spent judging it.
    pub policy: Duration,
    /// Time the upstream took.
    pub upstream: Duration,
    /// What became of it for good, if that is known already: of a transaction of several statements
    /// a settling record tells it later.
    pub transaction: Option<TransactionEnd>,
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionEnd {
    /// Committed.
    Committed,
    /// Rolled back, wholly or to a savepoint before the statements named.
    RolledBack,
    /// PREPARE TRANSACTION.
    Prepared,
    /// Nobody knows.
    Unknown,
}

impl TransactionEnd {
    /// As on record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled_back",
            Self::Prepared => "prepared",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of the statements of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Settled<'a> {
    /// When.
    pub time: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// How.
    pub transaction: TransactionEnd,
    /// Which.
    pub statements: &'a [StatementId],
}

/// A session that was opened.
#[derive(Clone, Copy, Debug)]
pub struct SessionOpened<'a> {
    /// Its number.
    pub session: SessionId,
    /// Who.
    pub principal: &'a str,
    /// The roles held.
    pub roles: &'a [String],
    /// How she proved it: `scram-sha-256-plus`.
    pub login: &'a str,
    /// TLS version and cipher; empty: none.
    pub tls: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// What the client calls itself.
    pub application: &'a str,
    /// Where to.
    pub target: &'a str,
    /// The log-in at the upstream.
    pub upstream_user: &'a str,
    /// The upstream's process or connection id, if known by now.
    pub backend: Option<u64>,
}

/// A log-in that failed.
#[derive(Clone, Copy, Debug)]
pub struct LoginFailed<'a> {
    /// The session it would have been.
    pub session: SessionId,
    /// The name as given.
    pub principal: &'a str,
    /// The target as given.
    pub target: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// What the client calls itself.
    pub application: &'a str,
    /// TLS version and cipher; empty: none.
    pub tls: &'a str,
    /// Why; more than the client was told.
    pub reason: &'a str,
}

/// What else happens.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A session was opened.
    SessionOpened(&'a SessionOpened<'a>),
    /// The upstream connection of a session was made, or made anew.
    UpstreamConnected {
        /// Whose.
        session: SessionId,
        /// The log-in there.
        upstream_user: &'a str,
        /// The upstream's process or connection id.
        backend: u64,
    },
    /// A client changed what it calls itself.
    ApplicationChanged {
        /// Whose.
        session: SessionId,
        /// The new name.
        application: &'a str,
    },
    /// A session was closed.
    SessionClosed {
        /// Which.
        session: SessionId,
        /// Why: `client`, `idle`, `killed` …
        reason: &'a str,
    },
    /// A log-in failed.
    LoginFailed(&'a LoginFailed<'a>),
    /// Something changed in the store: requests, grants, principals, settings.
    Stored {
        /// What: `grant.create`.
        kind: &'a str,
        /// Who: a principal, or the OS user of a command line.
        actor: &'a str,
        /// Made on the store from the command line.
        direct: bool,
        /// The particulars, one JSON value on one line.
        body: &'a serde_json::Value,
    },
    /// The settings were loaded.
    SettingsLoaded {
        /// Digest of the file.
        digest: &'a str,
    },
    /// Somebody read the audit.
    AuditRead {
        /// Who.
        actor: &'a str,
        /// What was asked for.
        what: &'a str,
    },
    /// The gateway started.
    Started {
        /// Its version.
        version: &'a str,
    },
    /// The gateway stopped.
    Stopped {
        /// Why.
        reason: &'a str,
    },
    /// Something an operator must look at: an outcome that nobody knows, witnesses that disagree.
    Alert {
        /// Whose, if a session's.
        session: Option<SessionId>,
        /// What.
        what: &'a str,
    },
}

/// Anything that can be written.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// The first record of a segment file.
    Segment {
        /// The digest that the segment before ended with.
        previous: Digest,
        /// The gateway's version.
        version: &'a str,
    },
    /// An intent and what was decided.
    Intent(&'a Intent<'a>, Decided<'a>),
    /// What became of it.
    Outcome(&'a Outcome<'a>),
    /// What became of a transaction.
    Settled(&'a Settled<'a>),
    /// What else happens.
    Event(&'a Event<'a>),
    /// A crash tore the line that stood here: its bytes were cut away and are described instead.
    Recovered {
        /// The torn bytes. A long line is kept by its start.
        torn: &'a [u8],
    },
    /// Outcomes that could not be kept while the trail could not be written.
    Lost {
        /// How many.
        outcomes: u64,
    },
}

impl Record<'_> {
    /// Appends the record's body: everything up to where its digest goes.
    pub fn write(&self, place: &Place<'_>, detail: &Detail, out: &mut Vec<u8>) {
        out.reserve(RECORD_BYTES);
        let mut line = Object::open(out);
        line.text(key!("node"), place.node);
        line.number(key!("lane"), u64::from(place.lane));
        line.number(key!("seq"), place.seq);
        line.time(key!("time"), place.time);
        match self {
            Self::Segment { previous, version } => {
                line.word(key!("record"), "segment");
                line.number(key!("format"), 1);
                line.text(key!("version"), version);
                line.shown(key!("previous"), previous);
            }
            Self::Intent(intent, decided) => {
                line.word(key!("record"), "intent");
                let id = statement_id(place.lane, place.seq);
                write_intent(&mut line, id, intent, *decided, detail);
            }
            Self::Outcome(outcome) => {
                line.word(key!("record"), "outcome");
                write_outcome(&mut line, outcome);
            }
            Self::Settled(settled) => {
                line.word(key!("record"), "settled");
                line.number(key!("session"), settled.session.0);
                line.word(key!("transaction"), settled.transaction.name());
                line.array(key!("statements"), settled.statements, |out, id| {
                    push_number(out, id.0);
                });
            }
            Self::Event(event) => {
                line.word(key!("record"), "event");
                write_event(&mut line, event);
            }
            Self::Recovered { torn } => {
                line.word(key!("record"), "recovered");
                line.number(key!("torn_bytes"), torn.len() as u64);
                line.shown(key!("torn_sha256"), Digest::of(torn));
                let start = torn.get(..PARAMETER_BYTES_MAX).unwrap_or(torn);
                line.text(key!("torn"), &String::from_utf8_lossy(start));
            }
            Self::Lost { outcomes } => {
                line.word(key!("record"), "lost");
                line.number(key!("outcomes"), *outcomes);
            }
        }
    }
}

/// The number of the statement whose intent stands at this place: unique on its node.
///
/// Shape: the lane above the 40 bits of the record's number, so that it stays below 2⁵³ for the
/// first 8,192 lanes and survives tools that read JSON numbers as doubles.
pub fn statement_id(lane: u16, seq: u64) -> StatementId {
    StatementId(u64::from(lane) << 40 | (seq & ((1 << 40) - 1)))
}

fn write_intent(
    line: &mut Object<'_>,
    id: StatementId,
    intent: &Intent<'_>,
    decided: Decided<'_>,
    detail: &Detail,
) {
    line.word(key!("kind"), intent.kind.name());
    line.number(key!("session"), intent.session.0);
    line.number(key!("statement"), id.0);
    line.text(key!("principal"), intent.principal);
    line.text(key!("target"), intent.target);
    line.word(key!("class"), intent.class.map_or("not_understood", StatementClass::name));
    line.text_if(key!("fingerprint"), intent.fingerprint);
    let shown = Shown::of(intent, detail);
    match detail.statement {
        StatementDetail::Full => {
            // What nobody could read may have its secrets anywhere.
            let text = if intent.class.is_some() && intent.inexact.is_none() {
                scrub_read(&shown.text, intent.mode)
            } else {
                scrub(&shown.text)
            };
            line.text(key!("text"), &text);
            if shown.digests > 0 {
                line.number(key!("digests"), shown.digests);
            }
            if let Some(bytes) = intent.inexact {
                line.number(key!("inexact_of_bytes"), bytes);
            }
        }
        // Fail closed: a text that could not be normalized may hold literals, and isn't kept.
        StatementDetail::Normalized => {
            line.text_if(key!("normalized"), intent.normalized.unwrap_or_default());
        }
        StatementDetail::Fingerprint => {}
    }
    if !intent.parameters.is_empty() {
        parameters::write(line, intent.parameters, (&shown, detail));
    }
    if !intent.relations.is_empty() {
        line.array(key!("relations"), intent.relations, push_relation);
    }
    if !intent.routines.is_empty() {
        line.array(key!("routines"), intent.routines, |out, routine| {
            push_shown(out, &routine.name);
        });
    }
    if let (Some(masked), Decided::Permit(permit)) = (intent.masked, decided) {
        masked::write(line, masked, permit);
    }
    write_decided(line, decided, (&shown, detail));
}

fn write_decided(
    line: &mut Object<'_>,
    decided: Decided<'_>,
    (shown, detail): (&Shown<'_>, &Detail),
) {
    match decided {
        Decided::Permit(permit) => {
            line.word(key!("decision"), "permit");
            if !permit.grants().is_empty() {
                line.array(key!("grants"), permit.grants(), |out, grant| {
                    let mut object = Object::open(out);
                    object.numbered(key!("grant"), GrantId::PREFIX, grant.id.0);
                    if let Some(request) = grant.request {
                        object.numbered(key!("request"), RequestId::PREFIX, request.0);
                    }
                    object.text(key!("approver"), &grant.approved_by);
                    object.text_if(key!("reason"), &grant.reason);
                    object.close();
                });
            }
            if let Some(rows) = permit.row_cap() {
                line.number(key!("row_cap"), rows);
            }
        }
        Decided::Denial(denial) => {
            line.word(key!("decision"), "denial");
            line.text(key!("refusal"), denial.refusal().kind.name());
            line.array(key!("missing"), &denial.missing, |out, missing| {
                push_shown(out, MissingShown(missing));
            });
            write_permissions(line, key!("held"), denial.held);
        }
        Decided::Refusal(refusal) => {
            line.word(key!("decision"), "denial");
            line.text(key!("refusal"), refusal.kind.name());
            line.text(key!("sqlstate"), refusal.kind.codes().sqlstate);
            // The message may quote the statement.
            if detail.statement == StatementDetail::Full {
                line.text(key!("message"), &scrub(&shown.message(&refusal.message)));
            }
        }
        Decided::Gateway { cause } => {
            line.word(key!("decision"), "gateway");
            line.text(key!("cause"), cause);
        }
    }
}

fn write_permissions(line: &mut Object<'_>, key: &'static str, permissions: PermissionSet) {
    line.array(key, permissions.iter(), |out, permission| push_text(out, permission.name()));
}

fn write_outcome(line: &mut Object<'_>, outcome: &Outcome<'_>) {
    line.number(key!("session"), outcome.session.0);
    line.number(key!("statement"), outcome.statement.0);
    line.word(key!("ended"), outcome.ended.name());
    line.number(key!("rows"), outcome.rows);
    if let Some(affected) = outcome.affected {
        line.number(key!("affected"), affected);
    }
    line.number(key!("bytes"), outcome.bytes);
    line.text_if(key!("sqlstate"), outcome.sqlstate.unwrap_or_default());
    line.number(key!("policy_us"), micros(outcome.policy));
    line.number(key!("upstream_us"), micros(outcome.upstream));
    if let Some(end) = outcome.transaction {
        line.word(key!("transaction"), end.name());
    }
}

fn write_event(line: &mut Object<'_>, event: &Event<'_>) {
    match event {
        Event::SessionOpened(opened) => {
            line.word(key!("kind"), "session.opened");
            line.number(key!("session"), opened.session.0);
            line.text(key!("principal"), opened.principal);
            line.array(key!("roles"), opened.roles, |out, role| push_text(out, role));
            line.text(key!("login"), opened.login);
            line.text_if(key!("tls"), opened.tls);
            line.text(key!("client"), opened.client);
            line.text_if(key!("application"), opened.application);
            line.text(key!("target"), opened.target);
            line.text_if(key!("upstream_user"), opened.upstream_user);
            if let Some(backend) = opened.backend {
                line.number(key!("backend"), backend);
            }
        }
        Event::UpstreamConnected { session, upstream_user, backend } => {
            line.word(key!("kind"), "session.upstream");
            line.number(key!("session"), session.0);
            line.text(key!("upstream_user"), upstream_user);
            line.number(key!("backend"), *backend);
        }
        Event::ApplicationChanged { session, application } => {
            line.word(key!("kind"), "session.application");
            line.number(key!("session"), session.0);
            line.text(key!("application"), application);
        }
        Event::SessionClosed { session, reason } => {
            line.word(key!("kind"), "session.closed");
            line.number(key!("session"), session.0);
            line.text(key!("reason"), reason);
        }
        Event::LoginFailed(failed) => {
            line.word(key!("kind"), "login.failed");
            line.number(key!("session"), failed.session.0);
            line.text(key!("principal"), failed.principal);
            line.text_if(key!("target"), failed.target);
            line.text(key!("client"), failed.client);
            line.text_if(key!("application"), failed.application);
            line.text_if(key!("tls"), failed.tls);
            line.text(key!("reason"), failed.reason);
        }
        Event::Stored { kind, actor, direct, body } => {
            line.text(key!("kind"), kind);
            line.text(key!("actor"), actor);
            line.flag(key!("direct"), *direct);
            line.raw(key!("body"), &body.to_string());
        }
        Event::SettingsLoaded { digest } => {
            line.word(key!("kind"), "settings.loaded");
            line.text(key!("digest"), digest);
        }
        Event::AuditRead { actor, what } => {
            line.word(key!("kind"), "audit.read");
            line.text(key!("actor"), actor);
            line.text(key!("what"), what);
        }
        Event::Started { version } => {
            line.word(key!("kind"), "gateway.started");
            line.text(key!("version"), version);
        }
        Event::Stopped { reason } => {
            line.word(key!("kind"), "gateway.stopped");
            line.text(key!("reason"), reason);
        }
        Event::Alert { session, what } => {
            line.word(key!("kind"), "alert");
            if let Some(session) = session {
                line.number(key!("session"), session.0);
            }
            line.text(key!("what"), what);
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// `read public.orders`: the access first, it has no blank in it; names are quoted as the server
/// would want them, so that a dot in a name can't pass for a schema.
fn push_relation(out: &mut Vec<u8>, relation: &ResolvedRelation) {
    let access: &[u8] = match relation.access {
        Access::Read => b"\"read ",
        Access::Write => b"\"write ",
        Access::LockRows => b"\"lock_rows ",
        Access::LockTable => b"\"lock_table ",
        Access::Define => b"\"define ",
        Access::Refer => b"\"refer ",
    };
    out.extend_from_slice(access);
    if !relation.schema.is_empty() {
        push_escaped(out, &quoted(&relation.schema));
        out.push(b'.');
    }
    push_escaped(out, &quoted(&relation.name));
    out.push(b'"');
}

/// `sql.select on public.orders`.
struct MissingShown<'a>(&'a Missing);

impl fmt::Display for MissingShown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.need.permission.name())?;
        match &self.0.need.on {
            NeedOn::Relation { schema, name, of: _ } => {
                f.write_str(" on ")?;
                write_name(f, schema, name)
            }
            NeedOn::WholeTarget | NeedOn::Code | NeedOn::Moved { .. } => {
                f.write_str(" on the whole target")
            }
            NeedOn::Nobody => f.write_str(", which is not enough: nobody may"),
            NeedOn::Anything => Ok(()),
        }
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, schema: &str, name: &str) -> fmt::Result {
    if !schema.is_empty() {
        write!(f, "{}.", quoted(schema))?;
    }
    f.write_str(&quoted(name))
}

fn quoted(name: &str) -> Cow<'_, str> {
    let plain = |b: u8| b == b'_' || b == b'$' || b.is_ascii_lowercase() || b.is_ascii_digit();
    if !name.is_empty() && name.bytes().all(plain) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

/// What most records take; more is fine.
const RECORD_BYTES: usize = 1024;
/// Parameters longer than this are kept by their start, length and digest.
pub(super) const PARAMETER_BYTES_MAX: usize = 8192;
