//! The S3-compatible service that the configuration names, and the runners that deal with it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purser_events::Actor;

use super::Failure;
use crate::archive::{self, ArchiveReader, Keeper, Local};
use crate::config::Config;
use crate::delivery::{self, Archive, Inventory, Limits, Pass, Runner, RunnerSettings, Source};
use crate::export::{self, Dashboards};
use crate::objects::{Access, Address, Service as Buckets, ServiceSettings};
use crate::service::Service;

/// The bucket of event files where only the service is named.
const EVENTS_BUCKET: &str = "open-pool-events";

/// The bucket of summaries where only the service is named.
const METRICS_BUCKET: &str = "open-pool-metrics";

/// The file of the inventory in a data directory.
const INVENTORY_FILE: &str = "inventory.redb";

/// The runners of a server that deal with the service.
#[derive(Debug, Default)]
pub(super) struct Remote {
    intake: Option<Runner>,
    dashboards: Option<Dashboards>,
    keeper: Option<Keeper>,
}

impl Remote {
    /// Starts those that the configuration asks for.
    pub(super) fn start(config: &Config, service: &Service) -> Result<Self, Failure> {
        let is_on = config.s3_bucket.is_some() || config.s3_endpoint.is_some();
        if !is_on {
            return Ok(Self::default());
        }
        let bucket = config.s3_bucket.as_deref().unwrap_or(EVENTS_BUCKET);
        let from = Address {
            bucket: bucket.into(),
            prefix: config.s3_prefix.clone().unwrap_or_default(),
        };
        let parts = delivery::Parts {
            pass: pass(config, service, (&from, Actor::Purser))?,
            clock: Arc::clone(&service.clock),
            runners: Arc::clone(&service.runners),
        };
        let settings = RunnerSettings {
            interval: config.s3_poll_interval_sec.duration(),
            gap_alarm_sec: config.s3_gap_alarm_sec.duration().as_secs(),
        };
        Ok(Self {
            intake: Some(Runner::start(parts, settings)),
            dashboards: Some(dashboards(config, service)),
            keeper: keeper(config, service),
        })
    }

    /// Ends them.
    pub(super) async fn stop(self) {
        if let Some(intake) = self.intake {
            intake.stop().await;
        }
        if let Some(dashboards) = self.dashboards {
            dashboards.stop().await;
        }
        if let Some(keeper) = self.keeper {
            keeper.stop().await;
        }
    }
}

/// Begins to keep the sealed ranges of the log, where a bucket for them is named.
fn keeper(config: &Config, service: &Service) -> Option<Keeper> {
    let bucket = config.s3_archive_bucket.as_deref()?;
    Some(Keeper::start(archive::Parts {
        store: Arc::new(buckets(config).bucket(bucket)),
        prefix: config.s3_log_prefix.clone().unwrap_or_default(),
        log: Arc::clone(&service.log),
        clock: Arc::clone(&service.clock),
        runners: Arc::clone(&service.runners),
        interval: config.s3_poll_interval_sec.duration(),
        local: local(config, service),
    }))
}

/// What of the log stays on the local disk, where not all of it does.
fn local(config: &Config, service: &Service) -> Option<Local> {
    let (events, days) = (config.s3_log_local_events, config.s3_log_local_days);
    if events == 0 && days == 0 {
        return None;
    }
    Some(Local {
        pruner: service.pruner.clone()?,
        needs: service.needs.clone(),
        events,
        age: Duration::from_secs(days.saturating_mul(86_400)),
    })
}

/// Who reads the ranges of the log that are in its archive only: of the one that the configuration
/// names, else of the one that the log names.
pub(super) fn pruned(config: &Config) -> Arc<ArchiveReader> {
    let bucket = config.s3_archive_bucket.as_ref();
    let at = bucket.map(|bucket| Address {
        bucket: bucket.clone(),
        prefix: config.s3_log_prefix.clone().unwrap_or_default(),
    });
    Arc::new(ArchiveReader::new(settings(config), at))
}

/// Begins to write what dashboards read.
fn dashboards(config: &Config, service: &Service) -> Dashboards {
    let bucket = config
        .s3_metrics_bucket
        .as_deref()
        .unwrap_or(METRICS_BUCKET);
    let parts = export::Parts {
        bucket: Arc::new(buckets(config).bucket(bucket)),
        view: Arc::clone(&service.view),
        analyst: Arc::clone(&service.analyst),
        clock: Arc::clone(&service.clock),
        runners: Arc::clone(&service.runners),
    };
    let settings = export::Settings {
        interval: config.s3_poll_interval_sec.duration(),
        with_connections: config.s3_metrics_connections,
    };
    Dashboards::start(parts, settings)
}

/// The service that the configuration names.
pub(super) fn buckets(config: &Config) -> Buckets {
    Buckets::new(&settings(config))
}

fn settings(config: &Config) -> ServiceSettings {
    let secret = config.s3_secret_access_key.as_ref();
    let access = config.s3_access_key_id.as_ref().zip(secret);
    ServiceSettings {
        endpoint: config.s3_endpoint.clone(),
        region: config.s3_region.clone().unwrap_or_default(),
        access: access.map(|(key_id, secret)| Access {
            key_id: key_id.reveal().to_owned(),
            secret: secret.reveal().to_owned(),
        }),
        timeout: Duration::from_millis(config.s3_request_timeout_ms.get()),
        at_once: config.s3_requests_max.get(),
    }
}

/// A pass over a bucket into a ledger of this process.
pub(super) fn pass(
    config: &Config,
    service: &Service,
    (from, actor): (&Address, Actor),
) -> Result<Pass, Failure> {
    let buckets = buckets(config);
    let archive = config.s3_archive_bucket.as_deref().map(|bucket| Archive {
        bucket: Arc::new(buckets.bucket(bucket)),
        prefix: config.s3_archive_prefix.clone().unwrap_or_default(),
    });
    let path = Path::new(&config.data).join(INVENTORY_FILE);
    Ok(Pass {
        source: Source {
            bucket: Arc::new(buckets.bucket(&from.bucket)),
            prefix: from.prefix.clone(),
            archive,
        },
        inventory: Arc::new(Inventory::open(&path, &from.bucket)?),
        writer: service.writer.clone(),
        view: Arc::clone(&service.view),
        actor,
        limits: Limits {
            files: config.s3_files_per_batch.get(),
            bytes: config.s3_bytes_per_batch.get(),
            at_once: config.s3_requests_max.get(),
            file_bytes: config.file_bytes_max.get() as u64,
        },
    })
}
