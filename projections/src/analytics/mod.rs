//! How fast jobs are done: per partition, worker, model and pipeline, over all time and over the
//! last hours and days.
//!
//! This fold stands apart from [`crate::Projections`], since its memory grows with history: by at
//! most four bytes per sample and measure over all time, and the same again for the samples of the
//! last 31 days and of the last 25 hours. Nothing is decided by it, and it can be made anew from
//! the log at any time.

mod distribution;
mod speed;
mod table;

use std::collections::{BTreeMap, VecDeque};

use purser_events::intake::{Attribution, Fee, JobProcessed, JobReattributed};
use purser_events::{Event, Micros, ModelNo, PartitionNo, Position, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::paged::grown;

pub use distribution::{Distribution, Summary, summary};
pub use speed::{Measures, Window};
pub use table::{ModelSpeed, PartitionSpeed, WorkerSpeed};

use speed::Speed;

/// AI jobs whose worker may still turn out to be another are remembered; of those before, the log
/// is asked.
const REMEMBERED: usize = 1 << 16;

/// How fast jobs are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analytics {
    /// The last event that is folded in.
    pub position: Position,
    /// No window is asked for that ends earlier.
    horizon: Micros,
    partitions: Vec<Partition>,
    recent: VecDeque<(Position, Job)>,
}

/// How fast the jobs of one partition are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Partition {
    /// Grows with every change.
    changes: u64,
    groups: BTreeMap<(Option<ModelNo>, WorkerNo), Speed>,
}

/// What one job says of speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The source's time, in seconds since 1970; not later than we recorded it.
    second: u64,
    response_time: Option<i64>,
    units: Option<i64>,
    real_time_ratio: Option<i64>,
    duration_ms: Option<i64>,
    fee: u64,
    is_ai: bool,
}

impl Job {
    fn of(job: &JobProcessed, recorded_at: Micros) -> Self {
        let recorded = recorded_at.0 / 1_000_000;
        let occurred = u64::try_from(job.taken.occurred_at.0).unwrap_or(0);
        Self {
            second: occurred.min(recorded),
            response_time: job.response_time.filter(|time| *time > 0),
            units: job.units,
            real_time_ratio: job.real_time_ratio,
            duration_ms: job.duration_ms,
            fee: match job.fee {
                Fee::Payable(wei) => wei,
                Fee::NonPositive(_) | Fee::Bad(_) => 0,
            },
            is_ai: job.model.is_some(),
        }
    }
}

/// A job of the log, and when it was recorded.
pub type Looked = (JobProcessed, Micros);

impl Analytics {
    /// Says that no window will be asked for that ends before `now`: what a long history holds of
    /// older ones need not be kept on the way.
    pub fn foresee(&mut self, now: Micros) {
        self.horizon = self.horizon.max(now);
    }

    /// Folds one event in. `look_up` answers the job at a position of the log, and when it was
    /// recorded: it is asked for jobs of long ago whose worker turned out to be another. Where it
    /// has no answer, the log cannot be read, and the fold is not to be used any more.
    ///
    /// # Panics
    /// When the event is not the next one.
    pub fn apply(
        &mut self,
        fact: Recorded<'_>,
        look_up: &mut dyn FnMut(Position) -> Option<Looked>,
    ) {
        assert_eq!(
            fact.position,
            self.position.next(),
            "events are folded in order, without gaps"
        );
        match fact.event {
            Event::JobProcessed(job) => self.processed(job, fact),
            Event::JobReattributed(change) => self.reattributed(change, fact, look_up),
            _ => {}
        }
        self.position = fact.position;
    }

    /// The job that [`Self::apply`] would ask for, if there is one.
    #[must_use]
    pub fn wants(&self, event: &Event) -> Option<Position> {
        let Event::JobReattributed(change) = event else {
            return None;
        };
        let found = self.recent.binary_search_by_key(&change.job, |(at, _)| *at);
        found.is_err().then_some(change.job)
    }

    fn processed(&mut self, processed: &JobProcessed, fact: Recorded<'_>) {
        let job = Job::of(processed, fact.recorded_at);
        if job.is_ai {
            if self.recent.len() >= REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back((fact.position, job));
        }
        if let Attribution::Worker(worker) = processed.attribution {
            let now = fact.recorded_at.max(self.horizon);
            let group = (processed.model, worker);
            self.speed(processed.taken.partition, group).add(&job, now);
        }
    }

    fn reattributed(
        &mut self,
        change: &JobReattributed,
        fact: Recorded<'_>,
        look_up: &mut dyn FnMut(Position) -> Option<Looked>,
    ) {
        let found = self.recent.binary_search_by_key(&change.job, |(at, _)| *at);
        let job = match found {
            Ok(at) => Some(self.recent[at].1),
            Err(_) => look_up(change.job).map(|(job, recorded_at)| Job::of(&job, recorded_at)),
        };
        let Some(job) = job else {
            return;
        };
        let now = fact.recorded_at.max(self.horizon);
        if let Attribution::Worker(worker) = change.from {
            self.speed(change.partition, (change.model, worker))
                .remove(&job);
        }
        if let Attribution::Worker(worker) = change.to {
            self.speed(change.partition, (change.model, worker))
                .add(&job, now);
        }
    }

    fn speed(&mut self, at: PartitionNo, group: (Option<ModelNo>, WorkerNo)) -> &mut Speed {
        let partition = grown(&mut self.partitions, at.index());
        partition.changes += 1;
        partition.groups.entry(group).or_default()
    }

    /// A number that grows with every change of a partition.
    #[must_use]
    pub fn changes(&self, partition: PartitionNo) -> u64 {
        let partition = self.partitions.get(partition.index());
        partition.map_or(0, |partition| partition.changes)
    }

    /// How fast the jobs of a partition were done in a window that ends at `now`.
    #[must_use]
    pub fn partition(
        &self,
        partition: PartitionNo,
        (window, now): (Window, Micros),
    ) -> PartitionSpeed {
        let partition = self.partitions.get(partition.index());
        let groups = partition.into_iter().flat_map(|one| &one.groups);
        table::of(groups, window, now)
    }
}
