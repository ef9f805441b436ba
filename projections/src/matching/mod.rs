//! Matching: what workers have earned in trust, which jobs hold which slots, what was asked for in
//! vain; and the index that finds the best workers for a job.

pub mod index;
mod jobs;
mod recent;
mod region;
mod standing;

use purser_events::matching::{FeedbackGiven, MatchMade, Outcome, Reason};
use purser_events::{Event, Micros, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

pub use jobs::{Jobs, LiveJob, Slot};
pub use recent::{Ended, Recent};
pub use region::{contains, top_level};
pub use standing::{Counts, HALF_LIFE_MS, Standing, Trust, trust_ppm};

use crate::paged::Paged;

/// What matching remembers. It grows with workers and with jobs that go on, not with history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matching {
    standings: Paged<Standing>,
    /// The jobs that hold slots.
    pub jobs: Jobs,
    /// What was asked for.
    pub demand: Demand,
}

/// What recorded matches asked for, and what they did not find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Matches that were recorded.
    pub matches: u64,
    /// Those that found nobody.
    pub unmet: u64,
    /// Workers that those left out, by the first reason.
    pub reasons: [u64; Reason::ALL.len()],
}

impl Matching {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::MatchMade(made) => self.made(fact, made),
            Event::FeedbackGiven(given) => self.given(given, fact.recorded_at),
            Event::AssignmentExpired(expired) => {
                let held = self.jobs.end(&expired.job, expired.worker);
                let standing = self.of(expired.worker);
                standing.open -= u32::from(held);
                standing.counts.expired += 1;
                standing.recent.count(fact.recorded_at.millis(), None);
                standing.weigh(expired.evidence, fact.recorded_at.millis());
            }
            Event::WorkerSuspended(suspended) => {
                self.of(suspended.worker).suspended = Some(suspended.reason.clone());
            }
            Event::WorkerResumed(resumed) => {
                let standing = self.of(resumed.worker);
                standing.suspended = None;
                standing.fraud = false;
            }
            Event::RegionProbed(probed) => {
                let standing = self.of(probed.worker);
                standing.region = standing.region.max(probed.finding);
            }
            Event::ManifestChanged(changed) => {
                // The claim may be another one: what was found about the old one is void.
                let standing = self.of(changed.worker);
                standing.claim(changed.manifest.region.as_ref());
            }
            Event::WorkerRegistered(registered) => {
                let standing = self.of(registered.worker);
                standing.claim(registered.manifest.region.as_ref());
            }
            _ => {}
        }
    }

    fn of(&mut self, worker: WorkerNo) -> &mut Standing {
        self.standings.at(worker.index())
    }

    fn made(&mut self, fact: Recorded<'_>, made: &MatchMade) {
        self.demand.matches += 1;
        if made.candidates.is_empty() {
            self.demand.unmet += 1;
            for (reason, count) in &made.left_out {
                self.demand.reasons[*reason as usize] += u64::from(*count);
            }
        }
        for worker in &made.assigned {
            let slot = Slot {
                worker: *worker,
                held: true,
                accepted: false,
                deadline_ms: made.ask.deadline_ms,
                expires_at_ms: made.expires_at_ms,
            };
            self.jobs
                .begin(&made.job, (made.coordinator, fact.position), slot);
            self.of(*worker).open += 1;
        }
    }

    fn given(&mut self, given: &FeedbackGiven, at: Micros) {
        let now = at.millis();
        let standing = self.standings.at(given.worker.index());
        standing.weigh(given.evidence, now);
        standing.counts.count(given);
        if given.outcome.terminal() {
            let finished = given.outcome == Outcome::Completed;
            standing
                .recent
                .count(now, finished.then_some(given.latency_ms));
        }
        match given.outcome {
            Outcome::Accepted => {
                let by = given.coordinator;
                let expires_at_ms = given.expires_at_ms.expect("an acceptance runs out");
                self.jobs.accept(given, by, expires_at_ms);
            }
            _ => {
                if self.jobs.end(&given.job, given.worker) {
                    standing.open -= 1;
                }
            }
        }
    }

    /// How a worker stands.
    #[must_use]
    pub fn standing(&self, worker: WorkerNo) -> &Standing {
        static FRESH: Standing = Standing::FRESH;
        self.standings.get(worker.index()).unwrap_or(&FRESH)
    }
}
