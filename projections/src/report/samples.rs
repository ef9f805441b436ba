//! Samples of how fast jobs were done, and their medians.

use std::collections::BTreeMap;

use purser_events::intake::{Attribution, JobProcessed, JobReattributed};
use purser_events::{Event, ModelNo, PartitionNo, Recorded, WorkerNo};

use super::{ModelReport, ModelWorker, Performance};
use crate::names::Names;

/// Samples of a scan over all jobs. It grows with history: made for one report, then dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    ai: BTreeMap<(PartitionNo, ModelNo), BTreeMap<WorkerNo, Times>>,
    transcode: BTreeMap<PartitionNo, BTreeMap<WorkerNo, Vec<Transcoded>>>,
}

/// Response times, and those that turned out to be another worker's.
#[derive(Clone, Debug, Default)]
struct Times {
    taken: Vec<i64>,
    retracted: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Transcoded {
    response_time_ms: i64,
    real_time_ratio: i64,
    real_time_milli: i128,
}

impl Samples {
    pub(super) fn fold(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::JobProcessed(job) => self.processed(job),
            Event::JobReattributed(change) => self.reattributed(change),
            _ => {}
        }
    }

    fn processed(&mut self, job: &JobProcessed) {
        let Attribution::Worker(worker) = job.attribution else {
            return;
        };
        let Some(time) = job.response_time.filter(|time| *time > 0) else {
            return;
        };
        let partition = job.taken.partition;
        match job.model {
            Some(model) => self.times(partition, model, worker).taken.push(time),
            None => {
                let of_partition = self.transcode.entry(partition).or_default();
                of_partition.entry(worker).or_default().push(Transcoded {
                    response_time_ms: time,
                    real_time_ratio: job.real_time_ratio.unwrap_or(0),
                    real_time_milli: real_time_milli(job.duration_ms.unwrap_or(0), time),
                });
            }
        }
    }

    fn reattributed(&mut self, change: &JobReattributed) {
        let time = change.response_time.filter(|time| *time > 0);
        let (Some(model), Some(time)) = (change.model, time) else {
            return;
        };
        if let Attribution::Worker(worker) = change.from {
            let times = self.times(change.partition, model, worker);
            times.retracted.push(time);
        }
        if let Attribution::Worker(worker) = change.to {
            self.times(change.partition, model, worker).taken.push(time);
        }
    }

    fn times(&mut self, partition: PartitionNo, model: ModelNo, worker: WorkerNo) -> &mut Times {
        let of_model = self.ai.entry((partition, model)).or_default();
        of_model.entry(worker).or_default()
    }

    pub(super) fn models(
        &self,
        partition: PartitionNo,
        names: &Names,
    ) -> BTreeMap<String, ModelReport> {
        let models = self.ai.iter().filter(|((of, _), _)| *of == partition);
        let named = models.map(|((_, model), workers)| {
            let (model, pipeline) = &names.models()[model.index()];
            (
                format!("{model} | {pipeline}"),
                model_report(workers, names),
            )
        });
        named.filter(|(_, model)| model.samples > 0).collect()
    }

    pub(super) fn performance(
        &self,
        partition: PartitionNo,
        names: &Names,
    ) -> BTreeMap<String, Performance> {
        let workers = self.transcode.get(&partition).into_iter().flatten();
        workers
            .map(|(worker, jobs)| {
                (
                    names.workers()[worker.index()].to_string(),
                    performance(jobs),
                )
            })
            .collect()
    }
}

/// How many thousandths of real time a job ran at, rounded down. `response_time_ms` is positive.
fn real_time_milli(duration_ms: i64, response_time_ms: i64) -> i128 {
    (i128::from(duration_ms) * 1_000).div_euclid(i128::from(response_time_ms))
}

fn model_report(workers: &BTreeMap<WorkerNo, Times>, names: &Names) -> ModelReport {
    let mut all = Vec::new();
    let mut named = BTreeMap::new();
    for (worker, times) in workers {
        let times = times.remaining();
        if !times.is_empty() {
            let worker = names.workers()[worker.index()].to_string();
            named.insert(
                worker,
                ModelWorker {
                    response_time_ns_median_x2: median_x2(times.iter().copied()),
                    samples: times.len() as u64,
                },
            );
        }
        all.extend(times);
    }
    ModelReport {
        response_time_ns_median_x2: median_x2(all.iter().copied()),
        samples: all.len() as u64,
        workers: named,
    }
}

impl Times {
    /// What was taken and not retracted, sorted.
    fn remaining(&self) -> Vec<i128> {
        let mut taken = self.taken.clone();
        let mut retracted = self.retracted.clone();
        taken.sort_unstable();
        retracted.sort_unstable();
        let mut retracted = retracted.into_iter().peekable();
        taken.retain(|time| retracted.next_if_eq(time).is_none());
        taken.into_iter().map(i128::from).collect()
    }
}

fn performance(jobs: &[Transcoded]) -> Performance {
    let times = jobs.iter().map(|job| i128::from(job.response_time_ms));
    let ratios = jobs.iter().map(|job| i128::from(job.real_time_ratio));
    Performance {
        real_time_milli_median_x2: median_x2(jobs.iter().map(|job| job.real_time_milli)),
        real_time_ratio_median_x2: median_x2(ratios),
        response_time_ms_median_x2: median_x2(times),
        samples: jobs.len() as u64,
    }
}

/// Twice the median: of an even count, the sum of the middle two; of none, zero.
fn median_x2(samples: impl Iterator<Item = i128>) -> i128 {
    let mut sorted: Vec<i128> = samples.collect();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0,
        odd if odd % 2 == 1 => 2 * sorted[middle],
        _ => sorted[middle - 1] + sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_doubled_so_that_it_stays_whole() {
        assert_eq!(median_x2([].into_iter()), 0);
        assert_eq!(median_x2([7].into_iter()), 14);
        assert_eq!(median_x2([9, 1].into_iter()), 10);
        assert_eq!(median_x2([9, 1, 4].into_iter()), 8);
        let largest = i128::from(i64::MAX);
        assert_eq!(median_x2([largest, largest].into_iter()), 2 * largest);
    }

    #[test]
    fn real_time_is_rounded_down_also_below_zero() {
        assert_eq!(real_time_milli(2_000, 3), 666_666);
        assert_eq!(real_time_milli(-1, 3_000), -1);
    }

    #[test]
    fn a_retracted_time_is_taken_out_once() {
        let times = Times {
            taken: vec![3, 1, 3, 2],
            retracted: vec![3, 1],
        };
        assert_eq!(times.remaining(), vec![2, 3]);
    }
}
