//! The quick way to the best workers: along the ladder, one worker after the other, for as long as
//! few have to be looked at.

use purser_events::matching::{Ask, Candidate, Weights};

use super::MatchIndex;
use super::ask::Wanted;
use super::best::Best;
use super::bits::Bits;
use super::conditions::Conditions;
use super::score::WHOLE;

/// So many workers are looked at; with more, the sets of everybody are quicker.
const LOOKED_AT_MAX: usize = 4_096;

/// Who fits a job.
pub(super) enum Fitting<'a> {
    /// These.
    Known(&'a Bits),
    /// Whoever passes these conditions.
    Tested(&'a Conditions<'a>),
}

/// The looking for the best workers for a job.
struct Search<'a> {
    index: &'a MatchIndex,
    ask: &'a Ask,
    fitting: &'a Fitting<'a>,
    wanted: Wanted<'a>,
    best: Best<'a>,
}

impl Search<'_> {
    /// Looks at one worker of a group of which nobody scores more than `rest`, but for the price.
    fn look(&mut self, worker: usize, rest: u32) {
        let (index, ask) = (self.index, self.ask);
        if matches!(self.fitting, Fitting::Known(fit) if !fit.has(worker)) {
            return;
        }
        // A worker's own price says more than the least one of its class.
        let bound = rest + index.price_bound(ask, index.rows[worker].price_micro);
        if self.best.leaves_out(bound) {
            return;
        }
        if matches!(self.fitting, Fitting::Tested(conditions) if !conditions.fits(worker)) {
            return;
        }
        // The same for its own share of the wanted capabilities.
        let share = self.wanted.share(worker);
        let lacks = u64::from(index.weights.cap) * u64::from(WHOLE - share) / Weights::WHOLE;
        if !self.best.leaves_out(bound - lacks as u32) {
            self.best.offer(index.candidate(worker, ask, share));
        }
    }
}

impl MatchIndex {
    /// The best workers for a job; `None` where too many would have to be looked at.
    pub(super) fn quick(&self, ask: &Ask, fitting: &Fitting<'_>) -> Option<Vec<Candidate>> {
        let mut search = Search {
            index: self,
            ask,
            fitting,
            wanted: Wanted::new(self, ask),
            best: Best::new(ask.top_k as usize, &self.offers),
        };
        let (mut looked_at, mut few) = (0, true);
        self.climb_down(ask, WHOLE, |bound, rest, workers| {
            if search.best.leaves_out(bound) {
                return false;
            }
            looked_at += workers.len();
            few = looked_at <= LOOKED_AT_MAX;
            if few {
                let workers = workers.iter();
                workers.for_each(|worker| search.look(*worker as usize, rest));
            }
            few
        });
        few.then(|| search.best.into_found())
    }
}
