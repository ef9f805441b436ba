//! What recorded matches would have found under other weights: asked before a rule is changed. The
//! log is folded up to each match, and the match asked anew.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use purser_events::matching::{Candidate, MatchMade, Outcome, Weights};
use purser_events::{Envelope, Event, Label, Position, WorkerNo};
use purser_projections::Projections;
use purser_projections::matching::index::{Counting, MatchIndex, explain};
use serde::Serialize;
use utoipa::ToSchema;

use crate::log::LogReader;
use crate::service::{ReplayError, SnapshotStore, replay_until};

/// What is supposed, and which matches are asked anew.
#[derive(Clone, Copy, Debug)]
pub struct Supposed {
    /// The weights.
    pub weights: Weights,
    /// The first position.
    pub from: Position,
    /// The last position.
    pub to: Position,
    /// How many of the matches that change are shown.
    pub shown: usize,
}

/// What recorded matches found, and what they would have found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct WhatIf {
    /// Recorded matches that were asked anew.
    pub matches: u64,
    /// Those whose best worker stays the same.
    pub same: u64,
    /// Those whose best worker would be another.
    pub changed: u64,
    /// Those that found nobody, and would not have.
    pub nobody: u64,
    /// The best workers as they were recorded.
    pub before: Means,
    /// The best workers under the other weights.
    pub after: Means,
    /// The first matches that change.
    pub changes: Vec<Change>,
}

/// What the best workers were like on the average, rounded down; null where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Means {
    /// Millionths of a credit per kilosecond.
    pub price_micro: Option<u64>,
    /// When the job may be done, in milliseconds.
    pub eta_ms: Option<u64>,
    /// How far they were trusted, in millionths.
    pub trust_ppm: Option<u64>,
}

/// A match whose best worker would be another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// The match.
    pub position: u64,
    /// Its job.
    pub job_id: String,
    /// The best worker as it was recorded; null where nobody was found.
    pub before: Option<Best>,
    /// The best worker under the other weights.
    pub after: Option<Best>,
}

/// The best worker of a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Best {
    /// Its id.
    pub miner_id: String,
    /// Its score in millionths.
    pub score_ppm: u32,
    /// Millionths of a credit per kilosecond.
    pub price_micro: u64,
    /// When the job may be done, in milliseconds.
    pub eta_ms: Option<u64>,
    /// The parts of the score, cut to three places.
    pub explain: String,
}

/// Asks the recorded matches of a range of the log anew.
///
/// # Errors
/// When the log or the snapshots cannot be read.
pub fn what_if(
    store: &SnapshotStore,
    log: &dyn LogReader,
    supposed: Supposed,
) -> Result<WhatIf, ReplayError> {
    let before = Position(supposed.from.0.saturating_sub(1));
    let mut asking = Asking {
        supposed,
        folds: replay_until(store, log, before)?,
        index: None,
        over: BTreeMap::new(),
        sums: [Sums::default(); 2],
        found: WhatIf::default(),
    };
    log.read_batches(asking.folds.position.next(), &mut |batch| {
        for envelope in batch.iter() {
            if envelope.position > supposed.to {
                return ControlFlow::Break(());
            }
            asking.take(envelope);
        }
        ControlFlow::Continue(())
    })?;
    let [before, after] = asking.sums.map(Sums::means);
    Ok(WhatIf {
        before,
        after,
        ..asking.found
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    workers: u64,
    price_micro: u128,
    timed: u64,
    eta_ms: u128,
    trust_ppm: u128,
}

impl Sums {
    fn add(&mut self, best: &Candidate) {
        self.workers += 1;
        self.price_micro += u128::from(best.price_micro);
        self.trust_ppm += u128::from(best.components.trust);
        if let Some(eta_ms) = best.eta_ms {
            self.timed += 1;
            self.eta_ms += u128::from(eta_ms);
        }
    }

    fn means(self) -> Means {
        let mean = |sum: u128, of: u64| {
            let mean = sum.checked_div(of.into())?;
            u64::try_from(mean).ok()
        };
        Means {
            price_micro: mean(self.price_micro, self.workers),
            eta_ms: mean(self.eta_ms, self.timed),
            trust_ppm: mean(self.trust_ppm, self.workers),
        }
    }
}

struct Asking {
    supposed: Supposed,
    folds: Projections,
    index: Option<MatchIndex>,
    /// The workers whose part in a job is over while the job is not: they are not matched again.
    over: BTreeMap<Label, Vec<WorkerNo>>,
    /// As recorded, and as supposed.
    sums: [Sums; 2],
    found: WhatIf,
}

impl Asking {
    fn take(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::MatchMade(made) => self.ask(envelope, made),
            Event::FeedbackGiven(given) if given.outcome == Outcome::Completed => {
                self.over.remove(&given.job);
            }
            Event::FeedbackGiven(given) if given.outcome.terminal() => {
                self.over
                    .entry(given.job.clone())
                    .or_default()
                    .push(given.worker);
            }
            Event::AssignmentExpired(expired) => {
                let over = self.over.entry(expired.job.clone()).or_default();
                over.push(expired.worker);
            }
            _ => {}
        }
        self.folds.apply(envelope.recorded());
        if let Some(index) = &mut self.index {
            index.follow(&self.folds, &envelope.event);
            index.reach(envelope.position);
        }
    }

    fn ask(&mut self, envelope: &Envelope, made: &MatchMade) {
        let (folds, now) = (&self.folds, envelope.recorded_at);
        let weights = self.supposed.weights;
        let index = self
            .index
            .get_or_insert_with(|| MatchIndex::supposing(folds, now, weights));
        if index.is_due(now) {
            index.advance(now);
        }
        let over = self.over.get(&made.job).map_or(&[][..], Vec::as_slice);
        let mut ask = made.ask.clone();
        ask.top_k = 1 + u32::try_from(over.len()).unwrap_or(u32::MAX - 1);
        let found = index.find(&ask, Counting::None).candidates;
        let after = found.into_iter().find(|one| !over.contains(&one.worker));
        self.compare(envelope.position, made, after);
    }

    fn compare(&mut self, position: Position, made: &MatchMade, after: Option<Candidate>) {
        let before = made.candidates.first();
        let [recorded, supposed] = &mut self.sums;
        before.into_iter().for_each(|best| recorded.add(best));
        after.iter().for_each(|best| supposed.add(best));
        let found = &mut self.found;
        found.matches += 1;
        let workers = [before, after.as_ref()].map(|best| best.map(|best| best.worker));
        match workers {
            [None, None] => found.nobody += 1,
            [before, after] if before == after => found.same += 1,
            _ => {
                found.changed += 1;
                if found.changes.len() < self.supposed.shown {
                    let best = |candidate| Best::of(&self.folds, candidate);
                    found.changes.push(Change {
                        position: position.0,
                        job_id: made.job.to_string(),
                        before: before.map(best),
                        after: after.as_ref().map(best),
                    });
                }
            }
        }
    }
}

impl Best {
    fn of(folds: &Projections, candidate: &Candidate) -> Self {
        let name = folds.names.workers().get(candidate.worker.index());
        Self {
            miner_id: name.map_or_else(String::new, ToString::to_string),
            score_ppm: candidate.score_ppm,
            price_micro: candidate.price_micro,
            eta_ms: candidate.eta_ms,
            explain: explain(&candidate.components),
        }
    }
}
