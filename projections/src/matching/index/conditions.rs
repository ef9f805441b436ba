//! What a job asks for, as conditions in the order of the reasons: who passes them, and who fails
//! at which.

use purser_events::Label;
use purser_events::matching::{Ask, Reason};

use super::super::contains;
use super::bits::{Bits, Postings, ones};
use super::labels::Labels;
use super::scale::Limit;
use super::{MatchIndex, Offer};

/// The first conditions are the same for every job; the index keeps account of them.
const STANDING: usize = 3;

/// Sets that are looked through for one worker; of more, what it offers is quicker read.
const SETS_MAX: usize = 8;

/// One condition.
enum Condition<'a> {
    In(&'a Bits),
    NotIn(&'a Bits),
    /// Carries all of some words, and one of others.
    Carries(Vec<&'a Postings>, Option<Vec<&'a Postings>>),
    /// Claims a region or a part of it: the sets of those that anybody claims.
    Within(Vec<&'a Postings>, &'a Label, &'a [Option<Offer>]),
    AtLeast(Limit<'a>),
    AtMost(Limit<'a>),
    /// Answers in so many milliseconds.
    InTime(&'a [u64], u64),
}

impl<'a> Condition<'a> {
    /// One of these words is carried.
    fn one_of(labels: &'a Labels, wanted: &[Label]) -> Self {
        Self::Carries(Vec::new(), Some(labels.sets(wanted).collect()))
    }

    fn nobody_passes(&self) -> bool {
        match self {
            Self::Carries(_, Some(sets)) | Self::Within(sets, ..) => sets.is_empty(),
            _ => false,
        }
    }

    fn passes(&self, worker: usize) -> bool {
        match self {
            Self::In(bits) => bits.has(worker),
            Self::NotIn(bits) => !bits.has(worker),
            Self::Carries(all, one_of) => {
                let has_one = |sets: &Vec<_>| is_in_one_of(sets, worker);
                all.iter().all(|set| set.has(worker)) && one_of.as_ref().is_none_or(has_one)
            }
            Self::Within(sets, ..) if sets.len() <= SETS_MAX => is_in_one_of(sets, worker),
            Self::Within(_, wanted, offers) => {
                let offer = offers[worker].as_ref();
                let claimed = offer.and_then(|offer| offer.file.manifest.region.as_ref());
                claimed.is_some_and(|claimed| contains(wanted.as_str(), claimed.as_str()))
            }
            Self::AtLeast(limit) => limit.at_least(worker),
            Self::AtMost(limit) => limit.at_most(worker),
            Self::InTime(etas, deadline) => etas[worker] <= *deadline,
        }
    }

    /// Keeps of these workers those that pass.
    fn keep(&self, among: &mut Bits) {
        match self {
            Self::In(bits) => among.keep(bits),
            Self::NotIn(bits) => among.drop(bits),
            Self::Carries(all, one_of) => {
                all.iter().for_each(|set| set.keep_in(among));
                if let Some(sets) = one_of {
                    keep_one_of(sets, among);
                }
            }
            Self::Within(sets, ..) => keep_one_of(sets, among),
            Self::AtLeast(limit) => limit.keep_at_least(among),
            Self::AtMost(limit) => limit.keep_at_most(among),
            Self::InTime(etas, deadline) => {
                let etas = etas.chunks_exact(64);
                for (word, etas) in among.words_mut().iter_mut().zip(etas) {
                    let in_time = |at: usize| u64::from(etas[at] <= *deadline) << at;
                    *word &= match word.count_ones() {
                        0 => 0,
                        1..16 => ones(*word).fold(0, |kept, at| kept | in_time(at)),
                        _ => (0..64).fold(0, |kept, at| kept | in_time(at)),
                    };
                }
            }
        }
    }
}

/// How many fell through each sieve, one after another.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    sound: u32,
    /// The reason that leaves out whoever does not fall through.
    own: Vec<(Reason, u32)>,
}

impl Tally {
    fn of(sound: u32) -> Self {
        let own = Vec::with_capacity(Reason::ALL.len());
        Self { sound, own }
    }

    /// How many fell through all.
    pub(super) fn left(&self) -> u32 {
        self.own.last().map_or(self.sound, |(_, count)| *count)
    }

    /// Without the last sieve.
    pub(super) fn but_the_last(&self) -> Self {
        let mut tally = self.clone();
        tally.own.pop();
        tally
    }

    /// The count of each sieve.
    pub(super) fn counts_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let own = self.own.iter_mut().map(|(_, count)| count);
        std::iter::once(&mut self.sound).chain(own)
    }

    /// Adds how many each sieve left out, by its reason.
    pub(super) fn add_to(&self, left_out: &mut [u32; Reason::ALL.len()]) {
        let mut before = self.sound;
        for (reason, count) in &self.own {
            left_out[*reason as usize] += before - count;
            before = *count;
        }
    }
}

/// Whether a worker is in one of the sets.
fn is_in_one_of(sets: &[&Postings], worker: usize) -> bool {
    sets.iter().any(|set| set.has(worker))
}

/// Keeps of these workers those that are in one of the sets.
fn keep_one_of(sets: &[&Postings], among: &mut Bits) {
    if let [lone] = sets {
        lone.keep_in(among);
        return;
    }
    let mut made = Bits::of_words(among.words().len());
    sets.iter().for_each(|set| set.add_to(&mut made));
    among.keep(&made);
}

/// What a job asks for.
pub(super) struct Conditions<'a> {
    index: &'a MatchIndex,
    conditions: Vec<(Reason, Condition<'a>)>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(index: &'a MatchIndex, ask: &'a Ask) -> Self {
        let mut these = Self {
            index,
            conditions: Vec::with_capacity(Reason::ALL.len()),
        };
        let sets = &index.sets;
        these.add(Reason::Inactive, Condition::In(&sets.active));
        these.add(Reason::StaleHeartbeat, Condition::In(&sets.fresh));
        these.add(Reason::Suspended, Condition::In(&sets.trusted));
        these.offers(ask);
        these.regions(ask);
        if let Some(cap) = ask.max_price_micro {
            these.add(Reason::Price, Condition::AtMost(index.price.limit(cap)));
        }
        these.add(Reason::Capacity, Condition::In(&sets.room));
        if let Some(deadline) = ask.deadline_ms {
            let in_time = Condition::InTime(&index.etas, deadline.into());
            these.add(Reason::Deadline, in_time);
        }
        these
    }

    fn add(&mut self, reason: Reason, condition: Condition<'a>) {
        self.conditions.push((reason, condition));
    }

    fn offers(&mut self, ask: &Ask) {
        let index = self.index;
        let words = &index.words;
        if let Some(task) = &ask.task {
            let named = Label::new(&format!("task:{task}")).ok();
            let wanted: Vec<Label> = named.into_iter().chain([task.clone()]).collect();
            let task = Condition::one_of(&words.capabilities, &wanted);
            self.add(Reason::Task, task);
        }
        if ask.min_vram_mb > 0 {
            let limit = index.vram.limit(ask.min_vram_mb.into());
            self.add(Reason::Vram, Condition::AtLeast(limit));
        }
        if ask.min_ram_mb > 0 {
            let limit = index.ram.limit(ask.min_ram_mb.into());
            self.add(Reason::Ram, Condition::AtLeast(limit));
        }
        if !ask.accel.is_empty() {
            let accel = Condition::one_of(&words.accel, &ask.accel);
            self.add(Reason::Accel, accel);
        }
        self.capabilities(ask);
        if !ask.tags_any.is_empty() {
            let tags = Condition::one_of(&words.tags, &ask.tags_any);
            self.add(Reason::Tags, tags);
        }
    }

    fn capabilities(&mut self, ask: &Ask) {
        let (any, all) = (&ask.capabilities_any, &ask.capabilities_all);
        if any.is_empty() && all.is_empty() {
            return;
        }
        let words = &self.index.words.capabilities;
        let carried: Vec<_> = words.sets(all).collect();
        let one_of = match carried.len() == all.len() {
            true if any.is_empty() => None,
            true => Some(words.sets(any).collect()),
            // Nobody carries one of those that are all needed.
            false => Some(Vec::new()),
        };
        self.add(Reason::Capabilities, Condition::Carries(carried, one_of));
    }

    fn regions(&mut self, ask: &'a Ask) {
        let index = self.index;
        let Some(region) = &ask.region else { return };
        let sets = index.words.regions.sets_within(region).collect();
        let within = Condition::Within(sets, region, &index.offers);
        self.add(Reason::Region, within);
        if ask.region_verified {
            self.add(Reason::RegionUnverified, Condition::NotIn(&index.sets.bare));
        }
        let contradicted = Condition::NotIn(&index.sets.contradicted);
        self.add(Reason::RegionContradicted, contradicted);
    }

    /// Those that are this job's own, without the standing ones.
    fn own(&self) -> &[(Reason, Condition<'a>)] {
        &self.conditions[STANDING..]
    }

    /// Whether nobody at all can pass: nobody carries a word that is needed.
    pub(super) fn nobody_fits(&self) -> bool {
        self.own().iter().any(|(_, one)| one.nobody_passes())
    }

    /// Whether a worker that passes the standing conditions fits.
    pub(super) fn fits(&self, worker: usize) -> bool {
        self.own().iter().all(|(_, one)| one.passes(worker))
    }

    /// Through how many sieves a worker falls, one after another.
    pub(super) fn passed(&self, worker: usize) -> usize {
        if !self.index.sets.sound.has(worker) {
            return 0;
        }
        let own = self.own().iter();
        1 + own.take_while(|(_, one)| one.passes(worker)).count()
    }

    /// Who falls through all sieves; shows who falls through each, one after another. The standing
    /// conditions are one sieve, those of this job one each.
    pub(super) fn sieve(&self, through: impl FnMut(&Bits)) -> (Bits, Tally) {
        let sound = self.index.sets.sound.clone();
        let tally = Tally::of(sound.count());
        self.sieve_on(sound, tally, through)
    }

    /// The same, for those that fell through the first sieves already.
    pub(super) fn sieve_on(
        &self,
        mut fit: Bits,
        mut tally: Tally,
        mut through: impl FnMut(&Bits),
    ) -> (Bits, Tally) {
        through(&fit);
        for (reason, condition) in &self.own()[tally.own.len()..] {
            let mut left = tally.left();
            if left > 0 {
                condition.keep(&mut fit);
                left = fit.count();
            }
            tally.own.push((*reason, left));
            through(&fit);
        }
        (fit, tally)
    }

    /// Counts every reason of everybody.
    pub(super) fn count_all(&self) -> [u32; Reason::ALL.len()] {
        let registered = &self.index.sets.registered;
        let (everybody, mut passed) = (registered.count(), registered.clone());
        let mut left_out = [0; Reason::ALL.len()];
        for (reason, condition) in &self.conditions {
            passed.clone_from(registered);
            condition.keep(&mut passed);
            left_out[*reason as usize] += everybody - passed.count();
        }
        left_out
    }

    /// Every reason of one worker.
    pub(super) fn reasons(&self, worker: usize) -> Vec<Reason> {
        let failed = self.conditions.iter();
        let failed = failed.filter(|(_, one)| !one.passes(worker));
        failed.map(|(reason, _)| *reason).collect()
    }
}
