//! `[limits]`, `[audit]`, `[log]`: how much, what is kept, what is said.

use std::{path::PathBuf, time::Duration};

use crate::{
    config::{address::DatabaseUrl, section::Section},
    kernel::policy::decide::Caps,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What happens to a result that passes the cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The statement fails.
    Error,
    /// The rows so far, then a warning.
    Cut,
}

/// Everything has a limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Rows of one statement without `export`.
    pub max_rows: u64,
    /// Bytes of rows of one statement without `export`.
    pub max_bytes: u64,
    /// Bytes of one result that reads no user tables, without `export`.
    pub max_catalog_bytes: u64,
    /// What happens beyond them.
    pub over: Over,
    /// The longest a grant may last.
    pub max_duration: Duration,
    /// Rows that all statements under a grant may return together, unless the grant says otherwise.
    pub row_budget: u64,
    /// After how long without a statement a session ends.
    pub idle_timeout: Option<Duration>,
    /// After how long without a statement inside a transaction a session ends.
    pub idle_in_transaction_timeout: Option<Duration>,
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// Client connections of one principal.
    pub connections_per_principal: u32,
    /// Client connections in all.
    pub connections: u32,
    /// Client connections of one address that have not logged in yet.
    pub log_ins_per_address: u32,
    /// The longest statement text.
    pub statement_bytes: u64,
    /// The longest single message of a client: a Bind with its parameters, a piece of COPY data.
    pub message_bytes: u64,
    /// Memory that long messages may take at one time, of all clients together.
    pub long_messages_bytes: u64,
    /// How many values one principal may ask a masked column for in an hour, where its rule allows `=`.
    pub mask_probes: u64,
    /// Memory that the prepared statements and portals of one session may take.
    pub prepared_bytes: u64,
    /// After how long an unanswered request goes stale.
    pub request_expires: Duration,
    /// How long grants go on while the store doesn't answer.
    pub store_offline_max: Duration,
    /// How long a stop waits for sessions to end by themselves.
    pub drain_timeout: Duration,
}

impl Limits {
    /// What a result may hold without `export`.
    pub fn caps(&self) -> Caps {
        Caps { rows: self.max_rows, bytes: self.max_bytes, catalog_bytes: self.max_catalog_bytes }
    }
}

pub(super) fn read_limits(section: Section<'_>) -> Limits {
    let seconds = Duration::from_secs;
    let message_bytes = section.bytes("message_bytes", 64 << 20);
    let limits = Limits {
        max_rows: section.count("max_rows", 1_000, 1_000_000_000),
        max_bytes: section.bytes("max_bytes", 10 << 20),
        max_catalog_bytes: section.bytes("max_catalog_bytes", 100 << 20),
        over: section
            .choice("over", &[("error", Over::Error), ("cut", Over::Cut)])
            .map_or(Over::Error, |(over, _)| over),
        max_duration: section.duration("max_duration", seconds(DAY)),
        row_budget: section.count("row_budget", 50_000, i64::MAX as u64),
        idle_timeout: section.duration_or_off("idle_timeout", seconds(12 * HOUR)),
        idle_in_transaction_timeout: section
            .duration_or_off("idle_in_transaction_timeout", seconds(HOUR)),
        login_timeout: section.duration("login_timeout", seconds(MINUTE)),
        connections_per_principal: section.count("connections_per_principal", 50, 100_000) as u32,
        connections: section.count("connections", 1_000, 1_000_000) as u32,
        log_ins_per_address: section.count("log_ins_per_address", 200, 1_000_000) as u32,
        statement_bytes: section.bytes("statement_bytes", 1 << 20),
        message_bytes,
        long_messages_bytes: section
            .bytes("long_messages_bytes", message_bytes.saturating_mul(4).max(256 << 20)),
        mask_probes: section.count("mask_probes", 100, i64::MAX as u64),
        prepared_bytes: section.bytes("prepared_bytes", 16 << 20),
        request_expires: section.duration("request_expires", seconds(DAY)),
        store_offline_max: section.duration("store_offline_max", seconds(MINUTE)),
        drain_timeout: section.duration("drain_timeout", seconds(30)),
    };
    if limits.connections_per_principal > limits.connections
        && section.place("connections_per_principal").is_some()
    {
        let span = section.place("connections_per_principal").unwrap_or_else(|| section.span());
        section.issue(span, "connections_per_principal is more than connections");
    }
    // A statement travels in a message; Postgres itself stops at 1 GiB.
    for (key, size) in
        [("statement_bytes", limits.statement_bytes), ("message_bytes", limits.message_bytes)]
    {
        if size > 1 << 30 {
            let span = section.place(key).unwrap_or_else(|| section.span());
            section.issue(span, format!("{key} is more than 1GiB, the most a message can carry"));
        }
    }
    if limits.long_messages_bytes / 2 < limits.message_bytes {
        let span = section.place("long_messages_bytes").unwrap_or_else(|| section.span());
        let text =
            "long_messages_bytes is less than twice message_bytes: one principal may take half";
        section.issue(span, text);
    }
    if limits.statement_bytes > limits.message_bytes {
        let span = section.place("statement_bytes").unwrap_or_else(|| section.span());
        section.issue(span, "statement_bytes is more than message_bytes");
    }
    section.finish();
    limits
}

/// How much of a statement's text is on record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatementDetail {
    /// As sent.
    Full,
    /// Literals taken out.
    Normalized,
    /// Only the hash of the normalized text.
    Fingerprint,
}

/// How parameters are on record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterDetail {
    /// Decoded.
    Text,
    /// As keyed digests: equal values can be found, none can be read.
    Hmac,
    /// Not at all.
    None,
}

/// When a record counts as taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Written: survives a killed gateway.
    Written,
    /// Synced: survives a power cut.
    Synced,
}

/// Where the audit table is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IndexSetting {
    /// `audit.db` in `data_dir`.
    Embedded,
    /// A Postgres database by its URL.
    Postgres(DatabaseUrl),
}

/// What the trail keeps, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    /// How much of a statement's text.
    pub statement: StatementDetail,
    /// How its parameters.
    pub parameters: ParameterDetail,
    /// When a record counts as taken.
    pub durability: Durability,
    /// How long segments are kept.
    pub keep: Duration,
    /// How much they may take on disk.
    pub quota_bytes: u64,
    /// How often lanes are signed.
    pub checkpoint_interval: Duration,
    /// How large a segment grows before the next begins.
    pub segment_bytes: u64,
    /// Where the audit table is.
    pub index: IndexSetting,
}

pub(super) fn read_audit(section: Section<'_>) -> Audit {
    let seconds = Duration::from_secs;
    let audit = Audit {
        statement: section
            .choice(
                "statement",
                &[
                    ("full", StatementDetail::Full),
                    ("normalized", StatementDetail::Normalized),
                    ("fingerprint", StatementDetail::Fingerprint),
                ],
            )
            .map_or(StatementDetail::Full, |(detail, _)| detail),
        parameters: section
            .choice(
                "parameters",
                &[
                    ("text", ParameterDetail::Text),
                    ("hmac", ParameterDetail::Hmac),
                    ("none", ParameterDetail::None),
                ],
            )
            .map_or(ParameterDetail::Text, |(detail, _)| detail),
        durability: section
            .choice(
                "durability",
                &[("written", Durability::Written), ("synced", Durability::Synced)],
            )
            .map_or(Durability::Written, |(durability, _)| durability),
        keep: section.duration("keep", seconds(400 * DAY)),
        quota_bytes: section.bytes("quota_bytes", 50 << 30),
        checkpoint_interval: section.duration("checkpoint_interval", seconds(10)),
        segment_bytes: section.bytes("segment_bytes", 64 << 20),
        index: section
            .parsed("index", "\"sqlite\" or a URL \"postgres://…\"", |text| match text {
                "sqlite" => Some(IndexSetting::Embedded),
                url => DatabaseUrl::parse(url).map(IndexSetting::Postgres),
            })
            .map_or(IndexSetting::Embedded, |(index, _)| index),
    };
    if audit.segment_bytes > audit.quota_bytes {
        let span = section.place("segment_bytes").or_else(|| section.place("quota_bytes"));
        section.issue(
            span.unwrap_or_else(|| section.span()),
            "segment_bytes is more than quota_bytes: not one segment would fit",
        );
    }
    section.finish();
    audit
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The least important line that is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// An operator must act.
    Error,
    /// Somebody was protected, and it was unusual.
    Warn,
    /// Sessions, grants, settings.
    Info,
    /// Decisions.
    Debug,
    /// Tags and lengths, never contents.
    Trace,
}

/// What the gateway says about itself; never a statement, a parameter or a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Which are written.
    pub level: LogLevel,
}

pub(super) fn read_log(section: Section<'_>) -> Log {
    let log = Log {
        format: section
            .choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            .map_or(LogFormat::Text, |(format, _)| format),
        level: section
            .choice(
                "level",
                &[
                    ("error", LogLevel::Error),
                    ("warn", LogLevel::Warn),
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                    ("trace", LogLevel::Trace),
                ],
            )
            .map_or(LogLevel::Info, |(level, _)| level),
    };
    section.finish();
    log
}

/// Where the gateway's own state is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreSetting {
    /// An SQLite file, `hallpass.db` in `data_dir`.
    Embedded(PathBuf),
    /// A Postgres database by its URL.
    Postgres(DatabaseUrl),
}
