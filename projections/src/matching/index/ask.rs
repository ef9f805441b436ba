//! What a job asks for, answered: who fits, the best of them, and why the others do not.

use purser_events::matching::{Ask, Candidate, Components, Reason, Weights};
use purser_events::{Label, WorkerNo};

use super::asked::Sieved;
use super::best::Best;
use super::bits::{Bits, Postings};
use super::conditions::{Conditions, Tally};
use super::quick::Fitting;
use super::region::ALLOWANCE;
use super::score::{self, WHOLE};
use super::{MatchIndex, UNKNOWN};

/// Up to so many workers are scored one by one.
const FEW: u32 = 192;

/// Of a question that is asked again, up to so many workers that changed are looked at again: with
/// more, looking for the best anew is quicker.
const LOOKED_AT_AGAIN: u64 = 64;

/// Which reasons are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// None: only the best workers are looked for.
    None,
    /// Of each worker the first.
    First,
    /// Of each worker every one.
    All,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The best workers, the best first.
    pub candidates: Vec<Candidate>,
    /// How many workers fit; not known when no reasons were counted.
    pub eligible: Option<u32>,
    /// How many workers were left out, by reason.
    pub left_out: [u32; Reason::ALL.len()],
}

impl Found {
    /// The reasons that left somebody out.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, u32)> {
        let counts = Reason::ALL.into_iter().zip(self.left_out);
        counts.filter(|(_, count)| *count > 0)
    }
}

/// What is asked of a worker, whatever its price and whenever it answers.
fn kind(ask: &Ask) -> Ask {
    Ask {
        max_price_micro: None,
        deadline_ms: None,
        top_k: 0,
        ..ask.clone()
    }
}

/// The wanted capabilities: one is needed; the more, the better.
pub(super) struct Wanted<'a> {
    sets: Vec<&'a Postings>,
    /// Of how many.
    of: usize,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(index: &'a MatchIndex, ask: &Ask) -> Self {
        let mut distinct: Vec<&Label> = ask.capabilities_any.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let known = distinct.iter();
        let sets = known.filter_map(|word| index.words.capabilities.get(word));
        Self {
            sets: sets.collect(),
            of: distinct.len(),
        }
    }

    /// The share that a worker has which fits.
    pub(super) fn share(&self, worker: usize) -> u32 {
        if self.of < 2 {
            return WHOLE;
        }
        let has = self.sets.iter().filter(|set| set.has(worker)).count();
        score::share(has, self.of)
    }
}

impl MatchIndex {
    /// How many words a set has.
    pub(super) fn size(&self) -> usize {
        self.sets.registered.words().len()
    }

    fn eta_ms(&self, worker: usize) -> Option<u64> {
        Some(self.etas[worker]).filter(|eta| *eta != UNKNOWN)
    }

    /// Who fits a job, and who fits it best.
    #[must_use]
    pub fn find(&self, ask: &Ask, counting: Counting) -> Found {
        match counting {
            Counting::None => self.find_best(ask),
            Counting::First => self.find_counted(ask),
            Counting::All => {
                let conditions = Conditions::new(self, ask);
                let (fit, tally) = conditions.sieve(|_| ());
                Found {
                    left_out: conditions.count_all(),
                    ..self.found(ask, &fit, &tally)
                }
            }
        }
    }

    /// Looks for the best only.
    fn find_best(&self, ask: &Ask) -> Found {
        let again = |sieved: &Sieved| self.best(ask, sieved.fit(), sieved.tally().left());
        let known = self.asked.recall(self, ask, LOOKED_AT_AGAIN, again);
        let candidates = known.unwrap_or_else(|| {
            let conditions = Conditions::new(self, ask);
            if conditions.nobody_fits() {
                return Vec::new();
            }
            let quick = self.quick(ask, &Fitting::Tested(&conditions));
            quick.unwrap_or_else(|| {
                let (fit, tally) = conditions.sieve(|_| ());
                self.best(ask, &fit, tally.left())
            })
        });
        Found {
            candidates,
            eligible: None,
            left_out: [0; Reason::ALL.len()],
        }
    }

    /// Counts the first reasons too. Who fits at any price and any time is kept apart: jobs of one
    /// kind come at many prices, and would leave no room for other kinds.
    fn find_counted(&self, ask: &Ask) -> Found {
        // A worker costs as much as a few words of everybody's sets.
        let changes_max = LOOKED_AT_AGAIN.max(self.size() as u64 / 4);
        let again = |sieved: &Sieved| self.found(ask, sieved.fit(), sieved.tally());
        let known = self.asked.recall(self, ask, changes_max, again);
        let known = known.or_else(|| {
            let on = |sieved: &Sieved| {
                // The last sieve is that of the capacity, which stands after that of the price.
                let (fit, tally) = sieved.but_the_last();
                let conditions = Conditions::new(self, ask);
                let (fit, tally) = conditions.sieve_on(fit.clone(), tally, |_| ());
                self.found(ask, &fit, &tally)
            };
            let kind = kind(ask);
            self.asked_kinds.recall(self, &kind, changes_max, on)
        });
        known.unwrap_or_else(|| {
            let (fit, tally) = Conditions::new(self, ask).sieve(|_| ());
            self.found(ask, &fit, &tally)
        })
    }

    fn found(&self, ask: &Ask, fit: &Bits, tally: &Tally) -> Found {
        let mut left_out = self.out;
        tally.add_to(&mut left_out);
        Found {
            candidates: self.best(ask, fit, tally.left()),
            eligible: Some(tally.left()),
            left_out,
        }
    }

    /// The best of the workers that fit.
    fn best(&self, ask: &Ask, fit: &Bits, fitting: u32) -> Vec<Candidate> {
        if fitting > FEW {
            let quick = self.quick(ask, &Fitting::Known(fit));
            return quick.unwrap_or_else(|| self.best_of_many(ask, fit));
        }
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        let wanted = Wanted::new(self, ask);
        let fitting = fit.iter();
        fitting.for_each(|worker| best.offer(self.candidate(worker, ask, wanted.share(worker))));
        best.into_found()
    }

    /// The best of the workers that fit, with a look at all of them where it must be.
    fn best_of_many(&self, ask: &Ask, fit: &Bits) -> Vec<Candidate> {
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        for (share, who) in self.shares(ask, fit) {
            self.choose(ask, share, &who, &mut best);
        }
        best.into_found()
    }

    /// The workers that do not fit, from number `from` on, each with every reason, at most `limit`.
    #[must_use]
    pub fn left_out(
        &self,
        ask: &Ask,
        from: WorkerNo,
        limit: usize,
    ) -> Vec<(WorkerNo, Vec<Reason>)> {
        let conditions = Conditions::new(self, ask);
        let workers = self.sets.registered.iter();
        let workers = workers.skip_while(|worker| *worker < from.index());
        workers
            .map(|worker| (WorkerNo::following(worker), conditions.reasons(worker)))
            .filter(|(_, reasons)| !reasons.is_empty())
            .take(limit)
            .collect()
    }

    /// The fitting workers by their share of the wanted capabilities, the greatest first.
    fn shares(&self, ask: &Ask, fit: &Bits) -> Vec<(u32, Bits)> {
        let wanted = Wanted::new(self, ask);
        if wanted.of < 2 {
            return vec![(WHOLE, fit.clone())];
        }
        // Counts in binary, one plane per digit, all workers of a word at once.
        let digits = usize::BITS - wanted.of.leading_zeros();
        let mut planes = vec![Bits::of_words(self.size()); digits as usize];
        for postings in &wanted.sets {
            for (word, mut carry) in postings.words() {
                for plane in &mut planes {
                    let digit = &mut plane.words_mut()[word];
                    (*digit, carry) = (*digit ^ carry, *digit & carry);
                }
            }
        }
        let with = |count: usize| {
            let mut who = fit.clone();
            for (digit, plane) in planes.iter().enumerate() {
                let is_set = count >> digit & 1 == 1;
                for (who, digit) in who.words_mut().iter_mut().zip(plane.words()) {
                    *who &= if is_set { *digit } else { !*digit };
                }
            }
            (score::share(count, wanted.of), who)
        };
        (1..=wanted.of).rev().map(with).collect()
    }

    /// Looks through workers that have the same share of the wanted capabilities.
    fn choose(&self, ask: &Ask, share: u32, who: &Bits, best: &mut Best<'_>) {
        if who.count() <= FEW {
            who.iter()
                .for_each(|worker| best.offer(self.candidate(worker, ask, share)));
            return;
        }
        self.climb_down(ask, share, |bound, _, workers| {
            if best.leaves_out(bound) {
                return false;
            }
            let fitting = workers.iter().filter(|worker| who.has(**worker as usize));
            fitting.for_each(|worker| best.offer(self.candidate(*worker as usize, ask, share)));
            true
        });
    }

    /// Shows the workers that can be matched, group by group, each with what nobody of it scores
    /// more than, and how much of that is not for the price; the greatest first, for as long as
    /// `visit` wants more. Nobody's share of the wanted capabilities is greater than `share`.
    pub(super) fn climb_down(
        &self,
        ask: &Ask,
        share: u32,
        mut visit: impl FnMut(u32, u32, &[u32]) -> bool,
    ) {
        let weight = |part: u32, whole: u32| u64::from(part) * u64::from(whole);
        // Rounded up, and the rounding of the rest with it.
        let fixed = weight(self.weights.cap, share) + weight(self.weights.latency, ALLOWANCE);
        let fixed = fixed.div_ceil(Weights::WHOLE) as u32 + 2;
        let best_price = |least: u64| {
            if ask.max_price_micro.is_some_and(|cap| least > cap) {
                return None;
            }
            Some(self.price_bound(ask, least))
        };
        self.ladder.walk(best_price, |price, rest, workers| {
            visit(price + rest + fixed, rest + fixed, workers)
        });
    }

    /// What a price adds to a score at most.
    pub(super) fn price_bound(&self, ask: &Ask, price_micro: u64) -> u32 {
        let part = score::price(price_micro, ask.max_price_micro);
        let part = u64::from(self.weights.price) * u64::from(part);
        part.div_ceil(Weights::WHOLE) as u32
    }

    pub(super) fn candidate(&self, worker: usize, ask: &Ask, share: u32) -> Candidate {
        let row = &self.rows[worker];
        let components = Components {
            cap: share,
            price: score::price(row.price_micro, ask.max_price_micro),
            latency: self.regions.of(row.region).quickness(row.latency),
            trust: row.trust,
            load: row.load,
        };
        Candidate {
            worker: WorkerNo::following(worker),
            score_ppm: components.score(&self.weights),
            components,
            price_micro: row.price_micro,
            eta_ms: self.eta_ms(worker),
        }
    }
}
