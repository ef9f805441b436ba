//! The S3-compatible service that the configuration names, and the runners that deal with it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purser_events::Actor;

use super::Failure;
use crate::config::Config;
use crate::delivery::{Archive, Inventory, Limits, Parts, Pass, Runner, RunnerSettings, Source};
use crate::objects::{Access, Address, Service as Buckets, ServiceSettings};
use crate::service::Service;

/// The bucket of event files where only the service is named.
const EVENTS_BUCKET: &str = "open-pool-events";

/// The file of the inventory in a data directory.
const INVENTORY_FILE: &str = "inventory.redb";

/// The runners of a server that deal with the service.
#[derive(Debug, Default)]
pub(super) struct Remote {
    intake: Option<Runner>,
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
        let parts = Parts {
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
        })
    }

    /// Ends them.
    pub(super) async fn stop(self) {
        if let Some(intake) = self.intake {
            intake.stop().await;
        }
    }
}

/// The service that the configuration names.
pub(super) fn buckets(config: &Config) -> Buckets {
    let secret = config.s3_secret_access_key.as_ref();
    let access = config.s3_access_key_id.as_ref().zip(secret);
    Buckets::new(&ServiceSettings {
        endpoint: config.s3_endpoint.clone(),
        region: config.s3_region.clone().unwrap_or_default(),
        access: access.map(|(key_id, secret)| Access {
            key_id: key_id.reveal().to_owned(),
            secret: secret.reveal().to_owned(),
        }),
        timeout: Duration::from_millis(config.s3_request_timeout_ms.get()),
        at_once: config.s3_requests_max.get(),
    })
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
