//! What a job asks for, answered: who fits, the best of them, and why the others do not.

use purser_events::matching::{Ask, Candidate, Components, Reason, Weights};
use purser_events::{Label, WorkerNo};

use super::MatchIndex;
use super::best::Best;
use super::bits::{Bits, ones, place};
use super::region::ALLOWANCE;
use super::scale::Limit;
use super::score;

/// Up to so many workers are scored one by one.
const FEW: u32 = 192;

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

    fn offers(&mut self, ask: &Ask) {
        let (index, words) = (self.index, &self.index.words);
        let size = index.size();
        if let Some(task) = &ask.task {
            let named = Label::new(&format!("task:{task}")).ok();
            let wanted: Vec<Label> = named.into_iter().chain([task.clone()]).collect();
            let made = words.capabilities.any(&wanted, size);
            self.add(Reason::Task, Test::Made(made));
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
            let made = words.accel.any(&ask.accel, size);
            self.add(Reason::Accel, Test::Made(made));
        }
        let (any, all) = (&ask.capabilities_any, &ask.capabilities_all);
        if !any.is_empty() || !all.is_empty() {
            let some = match any.is_empty() {
                true => index.sets.registered.clone(),
                false => words.capabilities.any(any, size),
            };
            let made = words.capabilities.all(all, some);
            self.add(Reason::Capabilities, Test::Made(made));
        }
        if !ask.tags_any.is_empty() {
            let made = words.tags.any(&ask.tags_any, size);
            self.add(Reason::Tags, Test::Made(made));
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

    /// Of the workers `among` in a word, those that pass a test.
    fn pass(&self, test: &Test<'_>, word: usize, among: u64) -> u64 {
        match test {
            Test::In(bits) => among & bits.words()[word],
            Test::NotIn(bits) => among & !bits.words()[word],
            Test::Made(bits) => among & bits.words()[word],
            Test::AtLeast(limit) => limit.at_least(word, among),
            Test::AtMost(limit) => limit.at_most(word, among),
            Test::InTime(deadline) => {
                let in_time = ones(among).filter(|bit| {
                    let eta = self.index.eta_ms(word * 64 + bit);
                    eta.is_some_and(|eta| eta <= u64::from(*deadline))
                });
                in_time.fold(0, |kept, bit| kept | 1 << bit)
            }
        }
    }

    /// Who passes every test; counts those that do not by their first reason.
    fn sieve(&self, left_out: &mut [u32; Reason::ALL.len()]) -> Bits {
        let mut fit = Bits::of_words(self.index.size());
        let registered = self.index.sets.registered.words();
        for (word, fit) in fit.words_mut().iter_mut().enumerate() {
            let mut left = registered[word];
            for (reason, test) in &self.tests {
                if left == 0 {
                    break;
                }
                let passed = self.pass(test, word, left);
                left_out[*reason as usize] += (left & !passed).count_ones();
                left = passed;
            }
            *fit = left;
        }
        fit
    }

    /// Counts every reason of everybody.
    fn count_all(&self) -> [u32; Reason::ALL.len()] {
        let mut left_out = [0; Reason::ALL.len()];
        for (word, registered) in self.index.sets.registered.words().iter().enumerate() {
            for (reason, test) in &self.tests {
                let passed = self.pass(test, word, *registered);
                left_out[*reason as usize] += (registered & !passed).count_ones();
            }
        }
        left_out
    }

    /// Every reason of one worker.
    fn reasons(&self, worker: usize) -> Vec<Reason> {
        let (word, bit) = place(worker);
        let failed = self
            .tests
            .iter()
            .filter(|(_, test)| self.pass(test, word, bit) == 0);
        failed.map(|(reason, _)| *reason).collect()
    }
}

impl MatchIndex {
    /// How many words a set has.
    fn size(&self) -> usize {
        self.sets.registered.words().len()
    }

    pub(super) fn eta_ms(&self, worker: usize) -> Option<u64> {
        let row = &self.rows[worker];
        let latency = row.latency?;
        Some(score::eta_ms(latency, row.parallel, row.jobs))
    }

    /// Who fits a job, and who fits it best.
    #[must_use]
    pub fn find(&self, ask: &Ask, counting: Counting) -> Found {
        let mut left_out = [0; Reason::ALL.len()];
        if counting == Counting::None
            && let Some(candidates) = self.quick(ask)
        {
            return Found {
                candidates,
                eligible: None,
                left_out,
            };
        }
        let tests = Tests::new(self, ask);
        let fit = tests.sieve(&mut left_out);
        match counting {
            Counting::None => left_out = [0; Reason::ALL.len()],
            Counting::First => {}
            Counting::All => left_out = tests.count_all(),
        }
        let fitting = fit.words().iter().map(|word| word.count_ones()).sum();
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        if ask.top_k > 0 && fitting > 0 {
            for (share, who) in self.shares(ask, fit) {
                self.choose(ask, share, &who, &mut best);
            }
        }
        Found {
            candidates: best.into_found(),
            eligible: (counting != Counting::None).then_some(fitting),
            left_out,
        }
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
        let count: u32 = who.words().iter().map(|word| word.count_ones()).sum();
        if count <= FEW {
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
