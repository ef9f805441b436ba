//! The intake from a bucket, pass after pass. Whatever goes wrong, it waits and begins anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use purser_events::PartitionNo;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::gaps::{Gap, Gaps};
use super::{IntakeStatus, Pass, PassError, Passed, Taken};
use crate::clock::Clock;
use crate::service::{Reported, RunnerStatus, Runners};
use crate::view::View;

/// What the runner is called in `/v1/status`.
const NAME: &str = "intake_s3";

/// The wait after the first pass that failed; it doubles up to the time between two passes.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How the intake from a bucket is run.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    /// How long to wait between two passes.
    pub interval: Duration,
    /// How long a live partition may deliver no file, in seconds.
    pub gap_alarm_sec: u64,
}

/// What the runner is told.
pub struct Parts {
    /// What a pass needs.
    pub pass: Pass,
    /// Our clock.
    pub clock: Arc<Clock>,
    /// Where it says how it is.
    pub runners: Arc<Runners>,
}

/// The intake from a bucket, until it is stopped.
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

struct State {
    pass: Pass,
    settings: RunnerSettings,
    clock: Arc<Clock>,
    runners: Arc<Runners>,
    gaps: Mutex<Gaps>,
    status: Mutex<(RunnerStatus, IntakeStatus)>,
}

impl Runner {
    /// Begins with the first pass at once.
    #[must_use]
    pub fn start(parts: Parts, settings: RunnerSettings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let Parts {
            pass,
            clock,
            runners,
        } = parts;
        let source = &pass.source;
        let status = IntakeStatus {
            bucket: format!("{}/{}", source.bucket.name(), source.prefix),
            archive: source
                .archive
                .as_ref()
                .map(|archive| format!("{}/{}", archive.bucket.name(), archive.prefix)),
            ..IntakeStatus::default()
        };
        let state = Arc::new(State {
            gaps: Mutex::new(Gaps::new(settings.gap_alarm_sec)),
            pass,
            settings,
            clock,
            runners,
            status: Mutex::new((RunnerStatus::default(), status)),
        });
        let task = tokio::spawn(run(state, stopped));
        Self { stop, task }
    }

    /// Ends it. What is under way is dropped: nothing of it counts as done.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the intake from the bucket had ended badly");
        }
    }
}

async fn run(state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    state.remember();
    let mut failures = 0;
    loop {
        state.waits_for(None);
        let outcome = tokio::select! {
            outcome = state.pass() => outcome,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let wait = match state.note(&outcome) {
            true => {
                failures = 0;
                state.settings.interval
            }
            false => {
                failures += 1;
                let grown = FIRST_WAIT * (1 << (failures - 1_u32).min(10));
                grown.min(state.settings.interval.max(FIRST_WAIT))
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

impl State {
    /// Takes over what earlier runs knew of the partitions.
    fn remember(&self) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.pass.inventory.each_key(|key| gaps.note(key));
        drop(gaps);
        if let Err(error) = read {
            tracing::warn!(%error, "earlier gaps are not known");
        }
    }

    async fn pass(&self) -> Result<Passed, PassError> {
        self.pass.run(&mut |taken| self.took(taken)).await
    }

    fn took(&self, taken: &Taken) {
        self.gaps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(&taken.key);
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let intake = &mut status.1;
        intake.taken += 1;
        intake.repeated += u64::from(taken.answer.repeated);
        intake.quarantined += u64::from(taken.answer.quarantined.is_some());
        intake.last_key = Some(taken.key.clone());
    }

    /// Says how a pass ended; whether all went well.
    fn note(&self, outcome: &Result<Passed, PassError>) -> bool {
        let (error, lost) = match outcome {
            Ok(passed) => (
                passed.last_error.as_ref().map(ToString::to_string),
                passed.lost,
            ),
            Err(error) => (Some(describe(error)), 0),
        };
        if let Some(error) = &error {
            tracing::warn!(%error, "the intake from the bucket waits and tries again");
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let (runner, intake) = &mut *status;
        runner.runs += 1;
        runner.last_run_at = Some(self.clock.now());
        runner.last_error.clone_from(&error);
        intake.lost = lost;
        if let Ok(passed) = outcome {
            intake.listed = passed.listed;
        }
        drop(status);
        let is_well = error.is_none();
        self.waits_for(Some(
            error.unwrap_or_else(|| "the next poll of the bucket".into()),
        ));
        is_well
    }

    /// Says what it waits for now; nothing while it works.
    fn waits_for(&self, what: Option<String>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let (runner, intake) = &mut *status;
        runner.waits_for = what;
        let live = live(&self.pass.view);
        intake.gaps = self.gaps_now(&live);
        self.runners.report_gaps(counted(&live, &intake.gaps));
        self.runners.report(
            NAME,
            Reported {
                status: runner.clone(),
                detail: serde_json::json!(intake),
            },
        );
    }

    fn gaps_now(&self, live: &BTreeSet<String>) -> Vec<Gap> {
        let now_sec = self.clock.now().0 / 1_000_000;
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.all(now_sec, |partition| live.contains(partition))
    }
}

/// How many gaps each partition has that is live, or that has any.
fn counted(live: &BTreeSet<String>, gaps: &[Gap]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = live.iter().map(|one| (one.as_str(), 0)).collect();
    for gap in gaps {
        *counts.entry(&gap.partition).or_default() += 1;
    }
    let owned = |(partition, count): (&str, u64)| (partition.to_owned(), count);
    counts.into_iter().map(owned).collect()
}

/// The partitions that somebody is connected to: files are to be expected of them.
fn live(view: &View) -> BTreeSet<String> {
    let folds = view.read();
    let numbered = folds.names.partitions().iter().enumerate();
    let live = numbered.filter(|(index, _)| {
        let number = PartitionNo::following(*index);
        let connections = folds.connections.partition(number);
        connections.is_some_and(|connections| connections.open().next().is_some())
    });
    live.map(|(_, one)| format!("{}|{}", one.node_type.as_str(), one.region))
        .collect()
}

/// An error with its causes, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
