//! The ledger of a data directory that no server holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::Config;
use crate::log::redb_log::RedbLog;
use crate::log::{AcquireError, Log, LogReader};
use crate::service::{Replayed, SnapshotStore, replay};

/// The file in a data directory that says where its server listens. It is only a hint: a server
/// that was killed leaves it behind.
const ADDRESS_FILE: &str = "ADDRESS";

/// A ledger that is only read. While it lives, no server can take the directory.
pub(super) struct Books {
    log: RedbLog,
    data: PathBuf,
}

impl Books {
    /// Opens what is there; makes nothing.
    pub(super) fn open(config: &Config) -> Result<Self, Failure> {
        let data = config.data.clone();
        must_exist(&data)?;
        let log = RedbLog::open(&data).map_err(|error| unopened(error, &data))?;
        Ok(Self { log, data })
    }

    pub(super) fn reader(&self) -> std::sync::Arc<dyn LogReader> {
        self.log.reader()
    }

    pub(super) fn snapshots(&self) -> SnapshotStore {
        SnapshotStore::of(&self.data)
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The folds at the end of the log.
    pub(super) fn folds(&self) -> Result<Replayed, Failure> {
        Ok(replay(&self.snapshots(), &*self.reader())?)
    }
}

/// A command that reads makes no directory: a typing mistake would otherwise look like an empty
/// ledger.
pub(super) fn must_exist(data: &Path) -> Result<(), Failure> {
    if data.join("log.redb").exists() {
        Ok(())
    } else {
        Err(Failure::NoLedger {
            path: data.to_owned(),
        })
    }
}

/// Says how to go on beside a running server.
pub(super) fn unopened(error: AcquireError, data: &Path) -> Failure {
    match error {
        AcquireError::Held { .. } => {
            let found = fs::read_to_string(data.join(ADDRESS_FILE)).ok();
            let url = found.map_or_else(|| "http://HOST:PORT".into(), |url| url.trim().into());
            Failure::Held {
                path: data.to_owned(),
                url,
            }
        }
        other => Failure::Log(other),
    }
}
