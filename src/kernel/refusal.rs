//! Why we say no, and the one table from there to SQLSTATE and MySQL error number.

use std::borrow::Cow;

/// What kind of no. The names are in the README, the codes are the servers' own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RefusalKind {
    /// Wrong password, unknown principal: alike on purpose.
    NotIdentified,
    /// The principal is switched off.
    PrincipalDisabled,
    /// No target of that name, or none that this principal could ever use: alike on purpose.
    NoSuchTarget,
    /// The listener wants TLS.
    TlsRequired,
    /// A permission is missing.
    StatementDenied,
    /// A permission is missing on a relation.
    RelationDenied,
    /// The server's own grammar can't read the statement.
    SyntaxError,
    /// The statement was read but not understood.
    NotAnalyzable,
    /// Understood, and not offered.
    NotSupported,
    /// A call of the gateway's own functions that can't be carried out.
    BadRequest,
    /// A prepared statement that the gateway has not seen being made.
    UnknownStatement,
    /// A portal or cursor that the gateway has not seen being made.
    UnknownCursor,
    /// A message whose frame is right and whose body is not.
    BadMessage,
    /// The peer broke the protocol.
    ProtocolViolation,
    /// A limit on text, rows, bytes or time was passed.
    LimitExceeded,
    /// No room for another connection.
    TooManyConnections,
    /// The gateway stops.
    ShuttingDown,
    /// A grant ended under a statement or transaction.
    GrantEnded,
    /// Writing in a transaction that began read-only.
    ReadOnlyTransaction,
    /// The statement was cancelled.
    StatementCancelled,
    /// Nothing was sent for too long.
    IdleTooLong,
    /// Idle in a transaction for too long.
    IdleInTransactionTooLong,
    /// The upstream can't be reached or refused the gateway.
    UpstreamUnavailable,
    /// The trail can't take the record.
    TrailUnavailable,
    /// Names may have been given to something masked, and the catalog can't be read.
    CatalogUnread,
    /// A broken invariant.
    Internal,
}

/// How bad it is for the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The statement fails, the session lives.
    Error,
    /// The session ends.
    Fatal,
}

/// The codes of one kind, for both protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Codes {
    /// Postgres severity.
    pub severity: Severity,
    /// Postgres SQLSTATE.
    pub sqlstate: &'static str,
    /// MySQL error number.
    pub mysql_number: u16,
    /// MySQL SQLSTATE.
    pub mysql_sqlstate: &'static str,
}

impl RefusalKind {
    /// All kinds, for the tests that hold the README and the servers' own codes against them.
    pub const ALL: [Self; 26] = [
        Self::NotIdentified,
        Self::PrincipalDisabled,
        Self::NoSuchTarget,
        Self::TlsRequired,
        Self::StatementDenied,
        Self::RelationDenied,
        Self::SyntaxError,
        Self::NotAnalyzable,
        Self::NotSupported,
        Self::BadRequest,
        Self::UnknownStatement,
        Self::UnknownCursor,
        Self::BadMessage,
        Self::ProtocolViolation,
        Self::LimitExceeded,
        Self::TooManyConnections,
        Self::ShuttingDown,
        Self::GrantEnded,
        Self::ReadOnlyTransaction,
        Self::StatementCancelled,
        Self::IdleTooLong,
        Self::IdleInTransactionTooLong,
        Self::UpstreamUnavailable,
        Self::TrailUnavailable,
        Self::CatalogUnread,
        Self::Internal,
    ];

    /// The one table.
    pub fn codes(self) -> Codes {
        use Severity::{Error, Fatal};
        let (severity, sqlstate, mysql_number, mysql_sqlstate) = match self {
            Self::NotIdentified => (Fatal, "28P01", 1045, "28000"),
            Self::PrincipalDisabled => (Fatal, "28000", 1045, "28000"),
            Self::NoSuchTarget => (Fatal, "3D000", 1049, "42000"),
            Self::TlsRequired => (Fatal, "28000", 3159, "HY000"),
            Self::StatementDenied => (Error, "42501", 1227, "42000"),
            Self::RelationDenied => (Error, "42501", 1142, "42000"),
            Self::SyntaxError => (Error, "42601", 1064, "42000"),
            Self::NotAnalyzable => (Error, "42501", 1227, "42000"),
            Self::NotSupported => (Error, "0A000", 1235, "42000"),
            Self::BadRequest => (Error, "22023", 1210, "HY000"),
            Self::UnknownStatement => (Error, "26000", 1243, "HY000"),
            Self::UnknownCursor => (Error, "34000", 1324, "42000"),
            Self::BadMessage => (Error, "08P01", 1835, "HY000"),
            Self::ProtocolViolation => (Fatal, "08P01", 1835, "HY000"),
            Self::LimitExceeded => (Error, "54000", 1153, "08S01"),
            Self::TooManyConnections => (Fatal, "53300", 1040, "08004"),
            Self::ShuttingDown => (Fatal, "57P01", 1053, "08S01"),
            Self::GrantEnded => (Error, "42501", 1142, "42000"),
            Self::ReadOnlyTransaction => (Error, "25006", 1792, "25006"),
            Self::StatementCancelled => (Error, "57014", 1317, "70100"),
            Self::IdleTooLong => (Fatal, "57P05", 4031, "HY000"),
            Self::IdleInTransactionTooLong => (Fatal, "25P03", 4031, "HY000"),
            Self::UpstreamUnavailable => (Fatal, "08006", 1429, "HY000"),
            Self::TrailUnavailable => (Error, "58000", 1290, "HY000"),
            Self::CatalogUnread => (Error, "55P03", 1205, "HY000"),
            Self::Internal => (Error, "XX000", 1105, "HY000"),
        };
        Codes { severity, sqlstate, mysql_number, mysql_sqlstate }
    }

    /// The name as in the README, in records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotIdentified => "not_identified",
            Self::PrincipalDisabled => "principal_disabled",
            Self::NoSuchTarget => "no_such_target",
            Self::TlsRequired => "tls_required",
            Self::StatementDenied => "statement_denied",
            Self::RelationDenied => "relation_denied",
            Self::SyntaxError => "syntax_error",
            Self::NotAnalyzable => "not_analyzable",
            Self::NotSupported => "not_supported",
            Self::BadRequest => "bad_request",
            Self::UnknownStatement => "unknown_statement",
            Self::UnknownCursor => "unknown_cursor",
            Self::BadMessage => "bad_message",
            Self::ProtocolViolation => "protocol_violation",
            Self::LimitExceeded => "limit_exceeded",
            Self::TooManyConnections => "too_many_connections",
            Self::ShuttingDown => "shutting_down",
            Self::GrantEnded => "grant_ended",
            Self::ReadOnlyTransaction => "read_only_transaction",
            Self::StatementCancelled => "statement_cancelled",
            Self::IdleTooLong => "idle_too_long",
            Self::IdleInTransactionTooLong => "idle_in_transaction_too_long",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::TrailUnavailable => "trail_unavailable",
            Self::CatalogUnread => "catalog_unread",
            Self::Internal => "internal",
        }
    }
}

/// What the client is told: what happened, why, and what to do next. The only thing of ours that is
/// ever written to a client as an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Which no.
    pub kind: RefusalKind,
    /// One line, lower case, no full stop.
    pub message: Cow<'static, str>,
    /// More, if it helps.
    pub detail: Option<String>,
    /// The exact text to paste, or what to do.
    pub hint: Option<String>,
    /// Where in the statement, counted in characters from 1 (Postgres field `P`).
    pub position: Option<u32>,
}

impl Refusal {
    /// A refusal with its message; the rest is added by the `with_` methods.
    pub fn new(kind: RefusalKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), detail: None, hint: None, position: None }
    }

    /// Adds the hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the position.
    #[must_use]
    pub fn at(mut self, position: u32) -> Self {
        self.position = Some(position);
        self
    }

    /// True if the session ends with it.
    pub fn is_fatal(&self) -> bool {
        self.kind.codes().severity == Severity::Fatal
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.codes().sqlstate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_form_of_one() {
        for kind in RefusalKind::ALL {
            let codes = kind.codes();
            let form = |s: &str| {
                s.len() == 5 && s.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            };
            assert!(form(codes.sqlstate) && form(codes.mysql_sqlstate), "{kind:?}");
        }
    }
}
