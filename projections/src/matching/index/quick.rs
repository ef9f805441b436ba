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

impl MatchIndex {
    /// The best workers for a job; `None` where too many would have to be looked at.
    pub(super) fn quick(&self, ask: &Ask, fitting: &Fitting<'_>) -> Option<Vec<Candidate>> {
        let wanted = Wanted::new(self, ask);
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        let (mut looked_at, mut few) = (0, true);
        self.climb_down(ask, WHOLE, |bound, rest, workers| {
            if best.is_full() && bound < best.least() {
                return false;
            }
            looked_at += workers.len();
            few = looked_at <= LOOKED_AT_MAX;
            if few {
                for worker in workers {
                    self.look(*worker as usize, ask, fitting, &wanted, rest, &mut best);
                }
            }
            few
        });
        few.then(|| best.into_found())
    }

    /// Looks at one worker of a group of which nobody scores more than `rest`, but for the price.
    fn look(
        &self,
        worker: usize,
        ask: &Ask,
        fitting: &Fitting<'_>,
        wanted: &Wanted<'_>,
        rest: u32,
        best: &mut Best<'_>,
    ) {
        if matches!(fitting, Fitting::Known(fit) if !fit.has(worker)) {
            return;
        }
        // A worker's own price says more than the least one of its class.
        let price = self.price_bound(ask, self.rows[worker].price_micro);
        let bound = price + rest;
        if best.is_full() && bound < best.least() {
            return;
        }
        if matches!(fitting, Fitting::Tested(conditions) if !conditions.fits(worker)) {
            return;
        }
        // The same for its own share of the wanted capabilities.
        let share = wanted.share(worker);
        let lacks = u64::from(self.weights.cap) * u64::from(WHOLE - share) / Weights::WHOLE;
        if best.is_full() && bound - (lacks as u32) < best.least() {
            return;
        }
        best.offer(self.candidate(worker, ask, share));
    }
}
