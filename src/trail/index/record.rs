//! From a line of the trail to rows of the table.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::kernel::audit::Digest;

/// A line, as far as the table knows it. Fields that a later version adds are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Raw {
    pub(super) node: String,
    pub(super) lane: i64,
    pub(super) seq: i64,
    pub(super) time: String,
    record: String,
    kind: Option<String>,
    session: Option<i64>,
    statement: Option<i64>,
    principal: Option<String>,
    target: Option<String>,
    class: Option<String>,
    fingerprint: Option<String>,
    text: Option<String>,
    normalized: Option<String>,
    parameters: Option<Box<RawValue>>,
    relations: Option<Box<RawValue>>,
    routines: Option<Box<RawValue>>,
    masked: Option<Box<RawValue>>,
    unmasked: Option<Box<RawValue>>,
    decision: Option<String>,
    refusal: Option<String>,
    message: Option<String>,
    missing: Option<Vec<String>>,
    grants: Option<Box<RawValue>>,
    cause: Option<String>,
    ended: Option<String>,
    rows: Option<i64>,
    affected: Option<i64>,
    bytes: Option<i64>,
    sqlstate: Option<String>,
    policy_us: Option<i64>,
    upstream_us: Option<i64>,
    transaction: Option<String>,
    statements: Option<Vec<i64>>,
    actor: Option<String>,
    direct: Option<bool>,
    body: Option<Box<RawValue>>,
    roles: Option<Box<RawValue>>,
    login: Option<String>,
    tls: Option<String>,
    client: Option<String>,
    application: Option<String>,
    upstream_user: Option<String>,
    backend: Option<i64>,
    reason: Option<String>,
    what: Option<String>,
    outcomes: Option<i64>,
    torn: Option<String>,
}

/// What a line means for the table.
pub(super) enum Meaning {
    /// A row of its own.
    Row(Box<Row>),
    /// The end of a statement's row.
    Outcome(Outcome),
    /// How the transaction of these statements ended.
    Settled { transaction: String, statements: Vec<i64> },
    /// Nothing.
    Nothing,
}

/// A row of `audit_record`.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) node: String,
    pub(super) lane: i64,
    pub(super) seq: i64,
    pub(super) time: String,
    pub(super) kind: String,
    pub(super) session: Option<i64>,
    pub(super) statement: Option<i64>,
    pub(super) principal: Option<String>,
    pub(super) target: Option<String>,
    pub(super) class: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) text: Option<String>,
    pub(super) text_hash: Option<String>,
    pub(super) parameters: Option<String>,
    pub(super) relations: Option<String>,
    pub(super) routines: Option<String>,
    pub(super) masked: Option<String>,
    pub(super) unmasked: Option<String>,
    pub(super) missing: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) message: Option<String>,
    pub(super) grants: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) direct: Option<i64>,
    pub(super) body: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) transaction: Option<String>,
    /// What it says of its session.
    pub(super) opens: Option<Session>,
}

/// The end of a statement.
#[derive(Debug, Default, Clone)]
pub(super) struct Outcome {
    pub(super) statement: i64,
    pub(super) finished: Option<String>,
    pub(super) ended: Option<String>,
    pub(super) rows: Option<i64>,
    pub(super) affected: Option<i64>,
    pub(super) bytes: Option<i64>,
    pub(super) sqlstate: Option<String>,
    pub(super) policy_us: Option<i64>,
    pub(super) upstream_us: Option<i64>,
    /// How its transaction ended, if that was known at once.
    pub(super) transaction: Option<String>,
}

/// What is known of a session; what a line doesn't say is `None` and changes nothing.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) session: i64,
    pub(super) opened: Option<String>,
    pub(super) closed: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) roles: Option<String>,
    pub(super) login: Option<String>,
    pub(super) tls: Option<String>,
    pub(super) client: Option<String>,
    pub(super) application: Option<String>,
    pub(super) target: Option<String>,
    pub(super) upstream_user: Option<String>,
    pub(super) backend: Option<i64>,
    pub(super) reason: Option<String>,
}

impl Raw {
    /// Reads a line. `None`: it is damaged, which `verify` reports.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// The time of a start, which ends all that was open on its node.
    pub(super) fn started(&self) -> Option<(String, String)> {
        (self.kind.as_deref() == Some("gateway.started"))
            .then(|| (self.node.clone(), self.time.clone()))
    }

    pub(super) fn meaning(self) -> Meaning {
        match self.record.as_str() {
            "intent" => Meaning::Row(Box::new(self.intent())),
            "outcome" => Meaning::Outcome(self.outcome()),
            "settled" => Meaning::Settled {
                transaction: self.transaction.unwrap_or_default(),
                statements: self.statements.unwrap_or_default(),
            },
            "event" | "recovered" | "lost" => Meaning::Row(Box::new(self.event())),
            _ => Meaning::Nothing,
        }
    }

    fn intent(self) -> Row {
        let text = self.text.or(self.normalized).map(clean);
        let denied = self.decision.as_deref() == Some("denial");
        Row {
            text_hash: text.as_ref().map(|t| hash(t)),
            text,
            node: self.node,
            lane: self.lane,
            seq: self.seq,
            kind: self.kind.unwrap_or_default(),
            session: self.session,
            statement: self.statement,
            principal: self.principal.map(clean),
            target: self.target.map(clean),
            class: self.class,
            decision: self.decision,
            fingerprint: self.fingerprint,
            parameters: self.parameters.map(json),
            relations: self.relations.map(json),
            routines: self.routines.map(json),
            masked: self.masked.map(json),
            unmasked: self.unmasked.map(json),
            missing: self.missing.map(|missing| clean(missing.join(", "))),
            refusal: self.refusal,
            message: self.message.or(self.cause).map(clean),
            grants: self.grants.map(json),
            outcome: Outcome {
                ended: denied.then(|| "refused".to_owned()),
                sqlstate: self.sqlstate,
                ..Outcome::default()
            },
            time: self.time,
            ..Row::default()
        }
    }

    fn outcome(self) -> Outcome {
        Outcome {
            statement: self.statement.unwrap_or_default(),
            finished: Some(self.time),
            ended: self.ended,
            rows: self.rows,
            affected: self.affected,
            bytes: self.bytes,
            sqlstate: self.sqlstate,
            policy_us: self.policy_us,
            upstream_us: self.upstream_us,
            transaction: self.transaction,
        }
    }

    fn event(self) -> Row {
        let kind = self.kind.unwrap_or_else(|| format!("trail.{}", self.record));
        let lost = self.outcomes.map(|n| format!("{n} outcomes could not be kept"));
        let anew = match (kind.as_str(), &self.upstream_user, self.backend) {
            ("session.upstream", Some(user), Some(backend)) => {
                Some(format!("connected anew as {user}, backend {backend}"))
            }
            _ => None,
        };
        let message = self.reason.clone().or(self.what).or(lost).or(self.torn).or(anew).map(clean);
        let of_session = kind.starts_with("session.");
        let opened = (kind == "session.opened").then(|| self.time.clone());
        let closed = (kind == "session.closed").then(|| self.time.clone());
        let opens =
            self.session.filter(|_| of_session || kind == "login.failed").map(|session| Session {
                session,
                opened,
                reason: self.reason.filter(|_| closed.is_some()).map(clean),
                closed,
                principal: self.principal.clone().map(clean),
                roles: self.roles.map(json),
                login: self.login,
                tls: self.tls,
                client: self.client.map(clean),
                application: self.application.map(clean),
                target: self.target.clone().map(clean),
                upstream_user: self.upstream_user.map(clean),
                backend: self.backend,
            });
        Row {
            node: self.node,
            lane: self.lane,
            seq: self.seq,
            time: self.time,
            session: self.session,
            principal: self.principal.map(clean),
            target: self.target.map(clean),
            message,
            actor: self.actor.map(clean),
            direct: self.direct.map(i64::from),
            body: self.body.map(json),
            kind,
            opens,
            ..Row::default()
        }
    }
}

/// Postgres takes no NUL in a text; a client's name for itself may have one.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// The same in JSON, where it is written `\u0000`.
fn json(raw: Box<RawValue>) -> String {
    let text = String::from(Box::<str>::from(raw));
    if text.contains("\\u0000") { text.replace("\\u0000", "\\ufffd") } else { text }
}

fn hash(text: &str) -> String {
    let mut digits = Digest::of(text.as_bytes()).to_string();
    digits.truncate(32);
    digits
}
