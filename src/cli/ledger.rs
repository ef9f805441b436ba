//! The ledger of a data directory that no server holds.

use std::fs;
use std::path::{Path, PathBuf};

use purser_events::Position;

use super::Failure;
use super::remote;
use super::server::Timekeeping;
use crate::config::Config;
use crate::log::redb_log::RedbLog;
use crate::log::{AcquireError, Log, LogReader, directory};
use crate::service::{
    Genesis, GrantsGenesis, OpenError, Replayed, Running, Settings, SnapshotStore, replay,
};

/// The file in a data directory that says where its server listens. It is only a hint: a server
/// that was killed leaves it behind.
pub(super) const ADDRESS_FILE: &str = "ADDRESS";

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
        log.read_pruned_from(remote::pruned(config));
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

    /// Packs the log; answers up to where it is sealed now.
    pub(super) fn compact(&mut self) -> Result<Position, Failure> {
        Ok(self.log.compact()?)
    }

    /// The folds at the end of the log.
    pub(super) fn folds(&self) -> Result<Replayed, Failure> {
        Ok(replay(&self.snapshots(), &*self.reader())?)
    }
}

/// Starts the ledger of a data directory; makes the directory when it does not exist.
pub(super) fn start(config: &Config, time: Timekeeping) -> Result<Running, Failure> {
    let settings = Settings {
        data: config.data.clone(),
        test_clock: time == Timekeeping::Test,
        genesis: genesis(config),
        queue_max: config.queue_len_max.get(),
        commands_max: config.commit_commands_max.get(),
        snapshot_every: config.snapshot_every_events.get(),
        ranges: Some(remote::pruned(config)),
    };
    Running::open(&settings).map_err(|error| match error {
        OpenError::Log(error) => unopened(error, &config.data),
        other => Failure::Open(other),
    })
}

/// The rules that a new log starts with.
fn genesis(config: &Config) -> Genesis {
    let partitions = config.partitions.as_slice().iter();
    Genesis {
        commission: config.commission_bps.basis_points(),
        payout_threshold: config.payout_threshold_wei.wei(),
        lease_ttl_ms: config.lease_ttl_sec.millis(),
        heartbeat_grace_ms: config.heartbeat_grace_sec.millis(),
        heartbeat_interval_ms: config.heartbeat_interval_sec.millis(),
        match_weights: config.match_weights.weights(),
        grants: grants(config),
        payout_interval_ms: interval_ms(config.payout_interval_sec),
        payout_run_max: config.payout_run_max_wei.wei(),
        payout_day_max: config.payout_day_max_wei.wei(),
        partitions: partitions
            .map(|one| (one.node_type, one.region.clone()))
            .collect(),
    }
}

/// The rules and the pool that grants start with.
fn grants(config: &Config) -> GrantsGenesis {
    let (asset, exponent) = config.pool_asset.parts();
    GrantsGenesis {
        asset,
        exponent,
        seed: config.pool_seed.amount(),
        credit_share: config.pool_credit_pct.basis_points(),
        budgets: [
            config.grant_budget_new.amount(),
            config.grant_budget_established.amount(),
            config.grant_budget_trusted.amount(),
            config.grant_budget_elite.amount(),
        ],
    }
}

/// Seconds in milliseconds; an interval past 49 days is 49 days.
fn interval_ms(seconds: u64) -> u32 {
    u32::try_from(seconds.saturating_mul(1_000)).unwrap_or(u32::MAX)
}

/// A command that reads makes no directory: a typing mistake would otherwise look like an empty
/// ledger.
pub(super) fn must_exist(data: &Path) -> Result<(), Failure> {
    if directory::is_there(data) {
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
