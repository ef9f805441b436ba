//! What a job asks for, answered: who fits, the best of them, and why the others do not.

use purser_events::matching::{Ask, Candidate, Components, Reason, Weights};
use purser_events::{Label, WorkerNo};

use super::best::Best;
use super::bits::{Bits, Postings, ones, place};
use super::labels::Labels;
use super::region::ALLOWANCE;
use super::scale::Limit;
use super::score;
use super::{MatchIndex, UNKNOWN};

/// Up to so many workers are scored one by one.
const FEW: u32 = 192;

/// The first conditions are the same for every job; the index keeps account of them.
const STANDING: usize = 3;

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

/// One condition.
enum Test<'a> {
    In(&'a Bits),
    NotIn(&'a Bits),
    Carries(&'a Postings),
    Made(Bits),
    AtLeast(Limit<'a>),
    AtMost(Limit<'a>),
    InTime(u32),
}

/// What a job asks for, as conditions in the order of the reasons.
struct Tests<'a> {
    index: &'a MatchIndex,
    tests: Vec<(Reason, Test<'a>)>,
}

impl<'a> Tests<'a> {
    fn new(index: &'a MatchIndex, ask: &Ask) -> Self {
        let mut these = Self {
            index,
            tests: Vec::with_capacity(Reason::ALL.len()),
        };
        let sets = &index.sets;
        these.add(Reason::Inactive, Test::In(&sets.active));
        these.add(Reason::StaleHeartbeat, Test::In(&sets.fresh));
        these.add(Reason::Suspended, Test::In(&sets.trusted));
        these.offers(ask);
        these.regions(ask);
        if let Some(cap) = ask.max_price_micro {
            these.add(Reason::Price, Test::AtMost(index.price.limit(cap)));
        }
        these.add(Reason::Capacity, Test::In(&sets.room));
        if let Some(deadline) = ask.deadline_ms {
            these.add(Reason::Deadline, Test::InTime(deadline));
        }
        these
    }

    fn add(&mut self, reason: Reason, test: Test<'a>) {
        self.tests.push((reason, test));
    }

    /// One of these words is needed.
    fn one_of(&mut self, reason: Reason, labels: &'a Labels, wanted: &[Label]) {
        let mut sets = labels.sets(wanted);
        let test = match (sets.next(), sets.next()) {
            (Some(lone), None) => Test::Carries(lone),
            _ => Test::Made(labels.any(wanted, self.index.size())),
        };
        self.add(reason, test);
    }

    fn offers(&mut self, ask: &Ask) {
        let (index, words) = (self.index, &self.index.words);
        let size = index.size();
        if let Some(task) = &ask.task {
            let named = Label::new(&format!("task:{task}")).ok();
            let wanted: Vec<Label> = named.into_iter().chain([task.clone()]).collect();
            self.one_of(Reason::Task, &words.capabilities, &wanted);
        }
        if ask.min_vram_mb > 0 {
            let limit = index.vram.limit(ask.min_vram_mb.into());
            self.add(Reason::Vram, Test::AtLeast(limit));
        }
        if ask.min_ram_mb > 0 {
            let limit = index.ram.limit(ask.min_ram_mb.into());
            self.add(Reason::Ram, Test::AtLeast(limit));
        }
        if !ask.accel.is_empty() {
            self.one_of(Reason::Accel, &words.accel, &ask.accel);
        }
        let (any, all) = (&ask.capabilities_any, &ask.capabilities_all);
        if all.is_empty() && !any.is_empty() {
            self.one_of(Reason::Capabilities, &words.capabilities, any);
        } else if !all.is_empty() {
            let some = match any.is_empty() {
                true => index.sets.registered.clone(),
                false => words.capabilities.any(any, size),
            };
            let made = words.capabilities.all(all, some);
            self.add(Reason::Capabilities, Test::Made(made));
        }
        if !ask.tags_any.is_empty() {
            self.one_of(Reason::Tags, &words.tags, &ask.tags_any);
        }
    }

    fn regions(&mut self, ask: &Ask) {
        let index = self.index;
        let Some(region) = &ask.region else { return };
        let made = index.words.regions.within(region, index.size());
        self.add(Reason::Region, Test::Made(made));
        if ask.region_verified {
            self.add(Reason::RegionUnverified, Test::NotIn(&index.sets.bare));
        }
        let contradicted = &index.sets.contradicted;
        self.add(Reason::RegionContradicted, Test::NotIn(contradicted));
    }

    /// Keeps of these workers those that pass a test.
    fn keep(&self, test: &Test<'_>, among: &mut Bits) {
        match test {
            Test::In(bits) => among.keep(bits),
            Test::NotIn(bits) => among.drop(bits),
            Test::Carries(postings) => postings.keep_in(among),
            Test::Made(bits) => among.keep(bits),
            Test::AtLeast(limit) => limit.keep_at_least(among),
            Test::AtMost(limit) => limit.keep_at_most(among),
            Test::InTime(deadline) => {
                let deadline = u64::from(*deadline);
                let etas = self.index.etas.chunks_exact(64);
                for (word, etas) in among.words_mut().iter_mut().zip(etas) {
                    let in_time = |at: usize| u64::from(etas[at] <= deadline) << at;
                    *word &= match word.count_ones() {
                        0 => 0,
                        1..16 => ones(*word).fold(0, |kept, at| kept | in_time(at)),
                        _ => (0..64).fold(0, |kept, at| kept | in_time(at)),
                    };
                }
            }
        }
    }

    /// Who passes every test; counts those that do not by their first reason.
    fn sieve(&self) -> (Bits, [u32; Reason::ALL.len()]) {
        let mut left_out = self.index.out;
        let mut fit = self.index.sets.sound.clone();
        let mut left = fit.count();
        for (reason, test) in &self.tests[STANDING..] {
            if left == 0 {
                break;
            }
            self.keep(test, &mut fit);
            let passed = fit.count();
            left_out[*reason as usize] += left - passed;
            left = passed;
        }
        (fit, left_out)
    }

    /// Counts every reason of everybody.
    fn count_all(&self) -> [u32; Reason::ALL.len()] {
        let registered = &self.index.sets.registered;
        let (everybody, mut passed) = (registered.count(), registered.clone());
        let mut left_out = [0; Reason::ALL.len()];
        for (reason, test) in &self.tests {
            passed.clone_from(registered);
            self.keep(test, &mut passed);
            left_out[*reason as usize] += everybody - passed.count();
        }
        left_out
    }

    /// Whether one worker passes a test.
    fn passes(&self, test: &Test<'_>, worker: usize) -> bool {
        let (word, bit) = place(worker);
        match test {
            Test::In(bits) => bits.has(worker),
            Test::NotIn(bits) => !bits.has(worker),
            Test::Carries(postings) => postings.has(worker),
            Test::Made(bits) => bits.has(worker),
            Test::AtLeast(limit) => limit.at_least(word, bit) != 0,
            Test::AtMost(limit) => limit.at_most(word, bit) != 0,
            Test::InTime(deadline) => self.index.etas[worker] <= u64::from(*deadline),
        }
    }

    /// Every reason of one worker.
    fn reasons(&self, worker: usize) -> Vec<Reason> {
        let tests = self.tests.iter();
        let failed = tests.filter(|(_, test)| !self.passes(test, worker));
        failed.map(|(reason, _)| *reason).collect()
    }
}

impl MatchIndex {
    /// How many words a set has.
    fn size(&self) -> usize {
        self.sets.registered.words().len()
    }

    pub(super) fn eta_ms(&self, worker: usize) -> Option<u64> {
        Some(self.etas[worker]).filter(|eta| *eta != UNKNOWN)
    }

    /// Who fits a job, and who fits it best.
    #[must_use]
    pub fn find(&self, ask: &Ask, counting: Counting) -> Found {
        let quick = match counting {
            Counting::None | Counting::First => self.quick(ask),
            Counting::All => None,
        };
        let quick = match quick {
            Some(candidates) if counting == Counting::None => {
                return Found {
                    candidates,
                    eligible: None,
                    left_out: [0; Reason::ALL.len()],
                };
            }
            quick => quick,
        };
        let tests = Tests::new(self, ask);
        let (fit, first) = tests.sieve();
        let eligible = fit.count();
        Found {
            candidates: quick.unwrap_or_else(|| self.best(ask, fit, eligible)),
            eligible: (counting != Counting::None).then_some(eligible),
            left_out: match counting {
                Counting::None => [0; Reason::ALL.len()],
                Counting::First => first,
                Counting::All => tests.count_all(),
            },
        }
    }

    /// The best of the workers that fit, with a look at all of them where it must be.
    fn best(&self, ask: &Ask, fit: Bits, fitting: u32) -> Vec<Candidate> {
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        if ask.top_k > 0 && fitting > 0 {
            for (share, who) in self.shares(ask, fit) {
                self.choose(ask, share, &who, &mut best);
            }
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
        let tests = Tests::new(self, ask);
        let workers = self.sets.registered.iter();
        let workers = workers.skip_while(|worker| *worker < from.index());
        workers
            .map(|worker| (WorkerNo::following(worker), tests.reasons(worker)))
            .filter(|(_, reasons)| !reasons.is_empty())
            .take(limit)
            .collect()
    }

    /// The fitting workers by their share of the wanted capabilities, the greatest first.
    fn shares(&self, ask: &Ask, fit: Bits) -> Vec<(u32, Bits)> {
        let mut wanted: Vec<&Label> = ask.capabilities_any.iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() < 2 {
            return vec![(score::share(1, 1), fit)];
        }
        // Counts in binary, one plane per digit, all workers of a word at once.
        let digits = usize::BITS - wanted.len().leading_zeros();
        let mut planes = vec![Bits::of_words(self.size()); digits as usize];
        let known = wanted.iter();
        for postings in known.filter_map(|word| self.words.capabilities.get(word)) {
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
            (score::share(count, wanted.len()), who)
        };
        (1..=wanted.len()).rev().map(with).collect()
    }

    /// Looks through workers that have the same share of the wanted capabilities.
    fn choose(&self, ask: &Ask, share: u32, who: &Bits, best: &mut Best<'_>) {
        if who.count() <= FEW {
            who.iter()
                .for_each(|worker| best.offer(self.candidate(worker, ask, share)));
            return;
        }
        self.climb_down(ask, share, |bound, _, workers| {
            if best.is_full() && bound < best.least() {
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
