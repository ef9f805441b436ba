//! Workers in order of their speed.

use std::collections::BTreeMap;

use purser_events::{Micros, ModelNo, WorkerNo};

use super::distribution::{Summary, summary};
use super::speed::{Measures, Speed, Window};

/// How fast the jobs of a partition were done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionSpeed {
    /// Workers, of AI partitions once for each model; ranked within each model.
    pub workers: Vec<WorkerSpeed>,
    /// Models and pipelines, over all workers.
    pub models: Vec<ModelSpeed>,
}

/// How fast one worker did jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSpeed {
    /// The worker.
    pub worker: WorkerNo,
    /// The model and pipeline; only AI jobs have them.
    pub model: Option<ModelNo>,
    /// What its jobs add up to.
    pub measures: Measures,
    /// Its rank, from 1, the best; equally fast workers share the better one. Absent where no job
    /// of its says how long it took.
    pub rank: Option<u32>,
    /// How many workers are ranked with it.
    pub ranked: u32,
}

/// How fast the jobs of one model and pipeline were done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelSpeed {
    /// The model and pipeline.
    pub model: ModelNo,
    /// Response times in nanoseconds, over all workers.
    pub response_time: Summary,
}

type Groups<'a> = (&'a (Option<ModelNo>, WorkerNo), &'a Speed);

pub(super) fn of<'a>(
    groups: impl Iterator<Item = Groups<'a>>,
    window: Window,
    now: Micros,
) -> PartitionSpeed {
    let mut by_model: BTreeMap<Option<ModelNo>, Vec<(WorkerNo, &Speed)>> = BTreeMap::new();
    for ((model, worker), speed) in groups {
        by_model.entry(*model).or_default().push((*worker, speed));
    }
    let mut table = PartitionSpeed::default();
    for (model, workers) in by_model {
        if let Some(model) = model {
            let times: Vec<_> = workers
                .iter()
                .flat_map(|(_, speed)| speed.response_times(window, now))
                .collect();
            let response_time = summary(times.iter().copied());
            if response_time.count > 0 {
                table.models.push(ModelSpeed {
                    model,
                    response_time,
                });
            }
        }
        let measured = workers.into_iter().map(|(worker, speed)| WorkerSpeed {
            worker,
            model,
            measures: speed.measures(window, now),
            rank: None,
            ranked: 0,
        });
        let mut measured: Vec<_> = measured.filter(|one| one.measures.jobs > 0).collect();
        rank(&mut measured);
        table.workers.extend(measured);
    }
    table
}

/// Puts the fastest worker first: of transcoding the one with the highest ratio of duration to
/// response time, of AI the one with the lowest response time.
fn rank(workers: &mut [WorkerSpeed]) {
    let speed = |one: &WorkerSpeed| {
        let measures = &one.measures;
        let is_unmeasured = measures.response_time.count == 0;
        let slowness = match one.model {
            Some(_) => measures.response_time.median_x2,
            None => -measures.real_time_milli.median_x2,
        };
        (is_unmeasured, slowness)
    };
    workers.sort_by_key(|one| (speed(one), one.worker));
    let ranked = workers.iter().filter(|one| !speed(one).0).count();
    let ranked = u32::try_from(ranked).expect("workers are numbered with 32 bits");
    let mut best = None;
    for (one, place) in workers.iter_mut().zip(1..=ranked) {
        let speed = speed(one);
        let (_, rank) = *best.get_or_insert((speed, place));
        let rank = if best.is_some_and(|(best, _)| best == speed) {
            rank
        } else {
            place
        };
        best = Some((speed, rank));
        one.rank = Some(rank);
        one.ranked = ranked;
    }
}
