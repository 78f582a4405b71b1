//! From settings to what sessions see of them.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use ring::digest;

use crate::{
    cli::Error,
    config::{
        self, Address, Config, Durability, Engine, ListenTls, ParameterDetail, PasswordSource,
        RsaKey, StatementDetail, TargetTls,
    },
    kernel::{access::Level, audit::record, catalog::Catalog, mask::marks::Marks, sql::Trust},
    net::{
        network::{self, Network},
        stream::Peer,
        tls::{ClientTls, ClientTlsOptions, ServerTls, ServerTlsOptions, TlsMode},
    },
    session::{
        doorstep::TlsPolicy,
        services::{Limits, LogIns, Over, Readings, Server, Target, World},
    },
    trail::{self, identity},
    upstream::{self, ConnectOptions, Credential, credential::Source, mysql},
    wire::{mysql::auth::upstream::ServerKey, pg::FrontendLimits},
};

/// From connect to the upstream's ReadyForQuery.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// After how long without traffic an upstream is probed.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Prepared statements and portals of one session.
const NAMES: usize = 20_000;
/// How much of one parameter is kept for a record.
const PARAMETER_BYTES: usize = 4096;

/// Numbers for targets.
static NEXT_TARGET: AtomicU64 = AtomicU64::new(1);

/// Builds what sessions see. Targets whose database stays the same keep their catalog.
pub(super) fn build(config: &Config, before: Option<&World>) -> Result<World, Error> {
    let mut targets = HashMap::new();
    for setting in &config.targets {
        let known = before.and_then(|w| w.targets.get(&setting.name));
        let target = target(setting, known.map(AsRef::as_ref))?;
        targets.insert(setting.name.clone(), Arc::new(target));
    }
    let roles = config.roles.iter().map(|role| (role.name.clone(), role.clone())).collect();
    let networks = config.networks.iter().cloned().collect();
    Ok(World { targets, roles, networks, limits: limits(&config.limits) })
}

fn limits(limits: &config::Limits) -> Limits {
    let message = usize::try_from(limits.message_bytes).unwrap_or(usize::MAX);
    let statement = usize::try_from(limits.statement_bytes).unwrap_or(usize::MAX);
    Limits {
        caps: limits.caps(),
        over: match limits.over {
            config::Over::Error => Over::Error,
            config::Over::Cut => Over::Cut,
        },
        statement_bytes: statement,
        frames: FrontendLimits {
            // A text over the limit is refused as a statement, not as a broken protocol, as long as
            // it fits in a message at all.
            text: statement.max(message),
            bind: message,
            copy_data: message,
        },
        login_timeout: limits.login_timeout,
        idle_timeout: limits.idle_timeout,
        idle_in_transaction_timeout: limits.idle_in_transaction_timeout,
        connections_per_principal: limits.connections_per_principal as usize,
        log_ins_per_address: limits.log_ins_per_address as usize,
        names: NAMES,
        names_bytes: usize::try_from(limits.prepared_bytes).unwrap_or(usize::MAX),
        room_bytes: usize::try_from(limits.long_messages_bytes).unwrap_or(usize::MAX),
        max_duration: limits.max_duration,
        row_budget: limits.row_budget,
        mask_probes: limits.mask_probes,
        parameter_bytes: PARAMETER_BYTES,
    }
}

fn target(setting: &config::Target, before: Option<&Target>) -> Result<Target, Error> {
    let trust = trust(setting)?;
    // Until somebody has read the catalog, every column may be masked.
    let mut unread = Catalog::default();
    unread.marks = Arc::new(Marks::blind(0, None));
    let mut target = Target {
        name: setting.name.clone(),
        number: NEXT_TARGET.fetch_add(1, Ordering::Relaxed),
        server: match setting.engine {
            Engine::Postgres => Server::Postgres(Arc::new(LogIns {
                full: connect_options(setting)?,
                lower: lower_log_ins(setting)?,
            })),
            Engine::MySql | Engine::MariaDb => Server::MySql(Arc::new(mysql_log_ins(setting)?)),
        },
        database: setting.database.clone(),
        max_connections: setting.max_connections as usize,
        trust,
        catalog: ArcSwap::from_pointee(unread),
        readings: Readings::default(),
    };
    // What is known of one database says nothing about another.
    if let Some(before) = before.filter(|before| target.is_same_database(before)) {
        target.catalog = ArcSwap::new(before.catalog.load_full());
    }
    Ok(target)
}

/// Whose code is trusted on a target, which roles there are the gateway's own, and what holds for what is
/// masked there.
pub(in crate::cli) fn trust(setting: &config::Target) -> Result<Trust, Error> {
    let trust = Trust::parse(setting.trust.iter().map(String::as_str))?;
    Ok(trust.with_log_ins(setting.users().map(str::to_owned)).with_masking(setting.mask))
}

/// How the gateway reaches a target with the log-ins that can do less.
pub(in crate::cli) fn lower_log_ins(
    setting: &config::Target,
) -> Result<Vec<(Level, ConnectOptions)>, Error> {
    let highest = connect_options(setting)?;
    let lower = setting.lower.iter().map(|log_in| {
        let options = ConnectOptions {
            user: log_in.user.clone(),
            credential: credential(&log_in.password),
            ..highest.clone()
        };
        (log_in.level, options)
    });
    Ok(lower.collect())
}

fn credential(password: &PasswordSource) -> Arc<Credential> {
    Arc::new(Credential::new(match password {
        PasswordSource::Nothing => Source::None,
        PasswordSource::File(path) => Source::File(path.clone()),
        PasswordSource::Env(name) => Source::Environment(name.clone()),
        PasswordSource::Command(words) => Source::Command(words.clone()),
    }))
}

/// How the gateway reaches a target of MySQL or MariaDB, with all of its log-ins there.
pub(in crate::cli) fn mysql_log_ins(
    setting: &config::Target,
) -> Result<LogIns<mysql::ConnectOptions>, Error> {
    let (address, tls) = reached(setting)?;
    let full = mysql::ConnectOptions {
        address,
        tls,
        key: server_key(&setting.rsa_key)?,
        user: setting.user.clone(),
        credential: credential(&setting.password),
        timeout: CONNECT_TIMEOUT,
        keepalive: KEEPALIVE,
    };
    let lower = setting.lower.iter().map(|log_in| {
        let (user, credential) = (log_in.user.clone(), credential(&log_in.password));
        (log_in.level, mysql::ConnectOptions { user, credential, ..full.clone() })
    });
    Ok(LogIns { lower: lower.collect(), full })
}

fn server_key(setting: &RsaKey) -> Result<ServerKey, Error> {
    Ok(match setting {
        RsaKey::Nothing => ServerKey::None,
        RsaKey::Fetch => ServerKey::Fetched,
        RsaKey::File(file) => {
            let read = std::fs::read(file);
            ServerKey::Pinned(read.map_err(|cause| Error::File { path: file.clone(), cause })?)
        }
    })
}

/// How the gateway reaches a target.
pub(in crate::cli) fn connect_options(setting: &config::Target) -> Result<ConnectOptions, Error> {
    let (address, tls) = reached(setting)?;
    Ok(ConnectOptions {
        address,
        tls,
        user: setting.user.clone(),
        credential: credential(&setting.password),
        database: setting.database.clone(),
        minor: 2,
        timeout: CONNECT_TIMEOUT,
        keepalive: KEEPALIVE,
    })
}

fn reached(setting: &config::Target) -> Result<(upstream::Address, ClientTls), Error> {
    let address = match &setting.address {
        Address::Tcp { host, port } => upstream::Address::Tcp { host: host.clone(), port: *port },
        Address::Unix(path) => upstream::Address::Unix(path.clone()),
    };
    let mode = match setting.tls {
        TargetTls::Disable => TlsMode::Disable,
        TargetTls::Prefer => TlsMode::Prefer,
        TargetTls::Require => TlsMode::Require,
        TargetTls::VerifyCa => TlsMode::VerifyCa,
        TargetTls::VerifyFull => TlsMode::VerifyFull,
    };
    let tls =
        ClientTls::load(&ClientTlsOptions { mode, ca: setting.tls_ca.clone(), certificate: None })?;
    Ok((address, tls))
}

/// What a listener does about TLS, and the certificate to watch.
pub(super) fn tls_policy(
    setting: &config::Listener,
    data_dir: &Path,
) -> Result<(TlsPolicy, Option<Arc<ServerTls>>), Error> {
    if setting.tls == ListenTls::Disable {
        return Ok((TlsPolicy::Disable, None));
    }
    let server = Arc::new(ServerTls::open(ServerTlsOptions {
        certificate: setting.certificate.as_ref().map(|c| (c.cert.clone(), c.key.clone())),
        data_dir: data_dir.to_owned(),
    })?);
    let policy = match setting.tls {
        ListenTls::Require => TlsPolicy::Require(Arc::clone(&server)),
        ListenTls::Prefer | ListenTls::Disable => TlsPolicy::Prefer(Arc::clone(&server)),
    };
    Ok((policy, Some(server)))
}

/// True if clients may come from there. A socket in the file system is guarded by its own mode.
pub(super) fn is_allowed(allow: &[Network], peer: Peer) -> bool {
    allow.is_empty() || peer == Peer::Unix || network::is_from(allow, peer)
}

/// What the settings say about the trail.
pub(super) fn trail_options(config: &Config, options: &mut trail::Options) -> Result<(), Error> {
    options.durability = match config.audit.durability {
        Durability::Written => trail::Durability::Written,
        Durability::Synced => trail::Durability::Synced,
    };
    options.segment_bytes = config.audit.segment_bytes;
    options.quota_bytes = Some(config.audit.quota_bytes);
    options.checkpoint_interval = config.audit.checkpoint_interval;
    options.detail.statement = match config.audit.statement {
        StatementDetail::Full => record::StatementDetail::Full,
        StatementDetail::Normalized => record::StatementDetail::Normalized,
        StatementDetail::Fingerprint => record::StatementDetail::Fingerprint,
    };
    let key = identity::parameter_key(&config.data_dir)?;
    options.detail.parameters = match config.audit.parameters {
        ParameterDetail::Text => record::ParameterDetail::Text,
        ParameterDetail::None => record::ParameterDetail::None,
        ParameterDetail::Hmac => record::ParameterDetail::Hmac(key.clone()),
    };
    // One family of digests: a value is the same as a constant and as a parameter.
    options.detail.key = Some(key);
    Ok(())
}

/// Digest of the settings file, for the record of its loading.
pub(super) fn digest(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &bytes);
    hash.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
