//! Why a command failed, and with which exit code.

use std::{io, path::PathBuf, process::ExitCode};

use crate::{
    config::ConfigError,
    kernel::sql::context::BadTrust,
    net::tls::TlsError,
    store,
    trail::{TrailError, index::IndexError},
    upstream::UpstreamError,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The settings.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The store said no, or failed.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// The machinery of the program itself.
    #[error("can't start: {0}")]
    Runtime(io::Error),
    /// Standard output.
    #[error("can't write the answer: {0}")]
    Output(io::Error),
    /// A file or folder.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The trail.
    #[error("{0}")]
    Trail(#[from] TrailError),
    /// The audit table.
    #[error("{0}")]
    Index(#[from] IndexError),
    /// Certificates.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// `[[target]] trust`.
    #[error("{0}")]
    Trust(#[from] BadTrust),
    /// A target.
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
    /// A listener's address.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// A task that the gateway can't be without.
    #[error("a part of the gateway ended in a panic")]
    PartLost,
    /// No target of that name.
    #[error("there is no target {name}; there are: {known}")]
    NoSuchTarget {
        /// As asked.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A file of mask rules has none.
    #[error("{}: has no [[rule]]; to mask nothing any more, say --allow-empty", file.display())]
    NoRules {
        /// Which.
        file: PathBuf,
    },
    /// The destination of a backup holds something.
    #[error("{}: is there already; a backup goes into a new folder", path.display())]
    DestinationExists {
        /// Which.
        path: PathBuf,
    },
    /// The destination of a backup would be part of it.
    #[error("{}: lies inside data_dir", path.display())]
    DestinationInside {
        /// Which.
        path: PathBuf,
    },
}

impl Error {
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Store(error) if error.is_refusal() => 1,
            Self::NoSuchTarget { .. }
            | Self::NoRules { .. }
            | Self::DestinationExists { .. }
            | Self::DestinationInside { .. } => 1,
            Self::Config(_) | Self::Trust(_) => 3,
            Self::PartLost
            | Self::Trail(_)
            | Self::Index(_)
            | Self::Tls(_)
            | Self::Upstream(_)
            | Self::Listen { .. } => 4,
            Self::Store(_) | Self::Runtime(_) | Self::Output(_) | Self::File { .. } => 4,
        })
    }
}
