//! The files that dashboards of the OpenPool read, written to a bucket whenever they change.
//!
//! Each is one object that is put whole: a reader sees the old one or the new one. What is written
//! depends on the log alone, the time in it included, so it can be deleted and comes back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use purser_events::{PartitionNo, Position};
use purser_projections::analytics::Window;
use purser_projections::names::{Names, Partition};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_128;

use crate::analytics::Analyst;
use crate::clock::Clock;
use crate::objects::{ObjectError, Objects};
use crate::render::{Performance, Summary, compact_time};
use crate::service::{Reported, RunnerStatus, Runners};
use crate::view::View;

/// What the runner is called in `/v1/status`.
const NAME: &str = "export_metrics";

/// The wait after the first failure; it doubles up to the time between two looks.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long the analytics may take to reach what is durable.
const CATCH_UP: Duration = Duration::from_secs(60);

const MEDIA: &str = "application/json";

/// How the files are written.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long to wait between two looks at what changed.
    pub interval: Duration,
    /// Whether the addresses of connections are shown. The bucket is usually public.
    pub with_connections: bool,
}

/// What the files are made of, and where they go.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The bucket.
    pub bucket: Arc<dyn Objects>,
    /// The folds.
    pub view: Arc<View>,
    /// The analytics.
    pub analyst: Arc<Analyst>,
    /// Our clock.
    pub clock: Arc<Clock>,
    /// Where the runner says how it is.
    pub runners: Arc<Runners>,
}

/// The runner that writes the files, until it is stopped.
#[derive(Debug)]
pub struct Dashboards {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

struct State {
    parts: Parts,
    settings: Settings,
    /// What stands in the bucket, by key: digests of all but the time.
    written: HashMap<String, u128>,
    status: RunnerStatus,
    files: u64,
}

/// A file that is to be written.
struct File {
    key: String,
    digest: u128,
    bytes: Bytes,
}

impl Dashboards {
    /// Begins to write.
    #[must_use]
    pub fn start(parts: Parts, settings: Settings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let state = State {
            parts,
            settings,
            written: HashMap::new(),
            status: RunnerStatus::default(),
            files: 0,
        };
        let task = tokio::spawn(run(state, stopped));
        Self { stop, task }
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the export to dashboards had ended badly");
        }
    }
}

async fn run(mut state: State, mut stopped: watch::Receiver<bool>) {
    let mut durable = state.parts.view.subscribe();
    let mut failures = 0_u32;
    loop {
        let outcome = tokio::select! {
            outcome = state.write_changes() => outcome,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let wait = match &outcome {
            Ok(()) => {
                failures = 0;
                state.settings.interval
            }
            Err(_) => {
                failures += 1;
                let grown = FIRST_WAIT * (1 << (failures - 1).min(10));
                grown.min(state.settings.interval.max(FIRST_WAIT))
            }
        };
        state.note(outcome.err().map(|error| error.to_string()));
        let failed = failures > 0;
        let changed = async {
            tokio::time::sleep(wait).await;
            // What could not be written is tried again though nothing changes.
            failed || durable.changed().await.is_ok()
        };
        tokio::select! {
            goes_on = changed => if !goes_on { return },
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

impl State {
    async fn write_changes(&mut self) -> Result<(), ObjectError> {
        self.status.waits_for = None;
        let end = self.parts.view.position();
        self.parts.analyst.reached(end, CATCH_UP).await;
        let (parts, settings) = (self.parts.clone(), self.settings);
        let written = self.written.clone();
        let changed = tokio::task::spawn_blocking(move || changes(&parts, settings, &written));
        for File { key, digest, bytes } in changed.await.expect("writing texts does not panic") {
            self.parts.bucket.put(&key, bytes, MEDIA).await?;
            self.written.insert(key, digest);
            self.files += 1;
        }
        Ok(())
    }

    fn note(&mut self, error: Option<String>) {
        if let Some(error) = &error {
            tracing::warn!(%error, "the export to dashboards waits and tries again");
        }
        let status = &mut self.status;
        status.runs += 1;
        status.last_run_at = Some(self.parts.clock.now());
        status.last_error.clone_from(&error);
        status.waits_for = Some(error.unwrap_or_else(|| "the next change".into()));
        let detail = serde_json::json!({
            "bucket": self.parts.bucket.name(),
            "written": self.files,
        });
        let status = self.status.clone();
        self.parts.runners.report(NAME, Reported { status, detail });
    }
}

/// The files that say something else than what stands in the bucket.
fn changes(parts: &Parts, settings: Settings, written: &HashMap<String, u128>) -> Vec<File> {
    let (names, recorded_at, at_least) = {
        let folds = parts.view.read();
        // Not more than the analyst has reached: else every table would be made anew.
        let at_least = folds.position.min(parts.analyst.position());
        (folds.names.clone(), folds.recorded_at, at_least)
    };
    let mut files = Vec::new();
    for (index, partition) in names.partitions().iter().enumerate() {
        let number = PartitionNo::following(index);
        let of_partition = OfPartition {
            parts,
            names: &names,
            number,
            partition,
            at_least,
        };
        let (region, node_type) = (&partition.region, partition.node_type.as_str());
        let mut push = |name: &str, write: &dyn Fn(&str) -> Vec<u8>| {
            let key = format!("{region}/{node_type}/{name}.json");
            let digest = xxh3_128(&write(""));
            if written.get(&key) != Some(&digest) {
                let bytes = Bytes::from(write(&compact_time(recorded_at)));
                files.push(File { key, digest, bytes });
            }
        };
        push("worker_summary", &|timestamp| {
            of_partition.summary(timestamp, settings.with_connections)
        });
        push("worker_performance", &|timestamp| {
            of_partition.performance(timestamp)
        });
    }
    files
}

struct OfPartition<'a> {
    parts: &'a Parts,
    names: &'a Names,
    number: PartitionNo,
    partition: &'a Partition,
    at_least: Position,
}

impl OfPartition<'_> {
    fn summary(&self, timestamp: &str, with_connections: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let folds = self.parts.view.read();
        let summary = Summary {
            folds: &folds,
            number: self.number,
            partition: self.partition,
            timestamp,
            with_connections,
        };
        summary.write(&mut out);
        out
    }

    fn performance(&self, timestamp: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let key = (self.number, Window::All);
        let shown = self.parts.analyst.speed(key, self.at_least);
        let performance = Performance {
            partition: self.partition,
            names: self.names,
            speed: &shown.table.speed,
            window: Window::All,
            timestamp,
        };
        performance.write(&mut out);
        out
    }
}
