//! Why a command did not end well, and the exit code that says so.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::log::AcquireError;
use crate::service::{ReplayError, SnapshotError};

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no ledger in the data directory.
    #[error("{path} holds no ledger; `purser serve` or `purser intake` makes one")]
    NoLedger {
        /// The directory.
        path: PathBuf,
    },
    /// A server holds the data directory.
    #[error("{path} is held by a running server; stop it, or go through it with --url {url}")]
    Held {
        /// The directory.
        path: PathBuf,
        /// Where the server listens, as far as is known.
        url: String,
    },
    /// The log cannot be opened.
    #[error(transparent)]
    Log(AcquireError),
    /// The log cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A snapshot cannot be taken.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A replay of the whole log ends elsewhere than the newest snapshot and the log behind it.
    #[error("the digests differ")]
    Digests,
    /// The configuration cannot be written as text.
    #[error("cannot print the configuration")]
    Print(#[from] toml::ser::Error),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 1 a finding, 2 usage, 3 cannot reach or read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(error) if !error.is_unreadable() => 2,
            Self::Digests => 1,
            _ => 3,
        }
    }

    /// Whether the reader of our output went away: it has what it wanted.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
