//! The index that finds the best workers for a job: what the registry and the standings say, in a
//! form that is quick to ask. It holds nothing of its own but who fitted the questions asked of
//! late; whatever happens to a worker, its part is made anew from the folds.

mod ask;
mod asked;
mod best;
mod bits;
mod changes;
mod conditions;
mod heard;
mod labels;
mod ladder;
mod population;
mod quick;
mod region;
mod scale;
mod score;
mod sorted;

use std::collections::BTreeSet;
use std::sync::Arc;

use purser_events::matching::{Reason, RegionFinding, Weights};
use purser_events::policy::PolicyChange;
use purser_events::worker::Manifest;
use purser_events::{Event, Label, Micros, Position, WorkerNo};

use super::Trust;
use crate::Projections;
use crate::names::WorkerName;
use crate::registry::{Pulse, State, WorkerFile};
use asked::Asked;
use bits::Bits;
use changes::Changes;
use heard::Heard;
use labels::Labels;
use ladder::Ladder;
use region::Regions;
use scale::Scale;

pub use ask::{Counting, Found};
pub use score::explain;

/// The index of matching. Ask it only at a moment that it was brought to: see
/// [`MatchIndex::advance`].
#[derive(Clone, Debug)]
pub struct MatchIndex {
    position: Position,
    now: Micros,
    grace: Micros,
    weights: Weights,
    /// The weights that are supposed, whatever the rule says.
    supposed: Option<Weights>,
    rows: Vec<Row>,
    /// When each worker would answer, in milliseconds, or [`UNKNOWN`].
    /// They lie by themselves, so that a deadline is quickly compared with all of them.
    etas: Vec<u64>,
    offers: Vec<Option<Offer>>,
    sets: Sets,
    vram: Scale,
    ram: Scale,
    price: Scale,
    words: Words,
    regions: Regions,
    ladder: Ladder,
    heard: Heard,
    fading: BTreeSet<(u64, u32)>,
    reachable: Reachable,
    /// How many workers are out, whatever is asked for, by their first reason.
    out: [u32; Reason::ALL.len()],
    changes: Changes,
    asked: Asked,
    /// Questions without price and time.
    asked_kinds: Asked,
}

/// When a worker answers that reports no latency: after every deadline.
const UNKNOWN: u64 = u64::MAX;

/// The workers that are reachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reachable {
    /// How many they are.
    pub workers: u32,
    /// How many of them report a latency.
    reports: u32,
    /// The sum of those latencies in milliseconds.
    latency_ms: u64,
    /// Jobs that they run at once.
    pub slots: u64,
    /// Jobs that they could take now; those of suspended and busy workers are none.
    pub slots_free: u64,
}

impl Reachable {
    /// The mean of the latencies that they report, in milliseconds, rounded down; `None` when none
    /// does.
    #[must_use]
    pub fn avg_latency_ms(&self) -> Option<u32> {
        let mean = self.latency_ms.checked_div(self.reports.into());
        mean.and_then(|mean| u32::try_from(mean).ok())
    }
}

/// What a worker is known by and offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its id.
    pub miner_id: Label,
    /// What it offers.
    pub file: Arc<WorkerFile>,
}

/// What changes often, and what a score is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    price_micro: u64,
    latency: Option<u32>,
    parallel: u32,
    jobs: u32,
    load: u32,
    trust: u32,
    region: u32,
    /// Whether its latency counts in its region.
    counted: bool,
    online: bool,
    /// What of its slots counts, and what of those as free.
    slots: (u32, u32),
    barred: bool,
    evidence: Trust,
    fades_at_ms: Option<u64>,
    rank: Rank,
}

/// Whether a worker can be asked for at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rank {
    #[default]
    New,
    Out(Reason),
    Sound,
}

/// Who is what.
#[derive(Clone, Debug, Default)]
struct Sets {
    registered: Bits,
    active: Bits,
    fresh: Bits,
    trusted: Bits,
    /// Those that are active, fresh and trusted.
    sound: Bits,
    room: Bits,
    /// Whose claim was not confirmed.
    bare: Bits,
    contradicted: Bits,
}

/// Who carries which words.
#[derive(Clone, Debug, Default)]
struct Words {
    capabilities: Labels,
    tags: Labels,
    accel: Labels,
    regions: Labels,
}

impl MatchIndex {
    /// The index of these folds at a moment.
    #[must_use]
    pub fn new(folds: &Projections, now: Micros) -> Self {
        Self::of(folds, now, None)
    }

    /// The index of these folds at a moment, if these weights were the rule: for questions of the
    /// form "what if".
    #[must_use]
    pub fn supposing(folds: &Projections, now: Micros, weights: Weights) -> Self {
        Self::of(folds, now, Some(weights))
    }

    fn of(folds: &Projections, now: Micros, supposed: Option<Weights>) -> Self {
        let mut index = Self {
            position: folds.position,
            now: now.max(folds.recorded_at),
            grace: Micros::from_millis(folds.policy.heartbeat_grace_ms.into()),
            weights: supposed.unwrap_or(folds.policy.match_weights),
            supposed,
            rows: Vec::new(),
            etas: Vec::new(),
            offers: Vec::new(),
            sets: Sets::default(),
            vram: Scale::of_memory(),
            ram: Scale::of_memory(),
            price: Scale::new(ladder::floors(scale::CLASSES_MAX)),
            words: Words::default(),
            regions: Regions::default(),
            ladder: Ladder::new(),
            heard: Heard::default(),
            fading: BTreeSet::new(),
            reachable: Reachable::default(),
            out: [0; Reason::ALL.len()],
            changes: Changes::default(),
            asked: Asked::default(),
            asked_kinds: Asked::default(),
        };
        let mut workers: Vec<_> = folds.registry.workers(WorkerNo(0)).collect();
        workers.sort_by_key(|worker| worker.pulse.last_heard);
        for worker in workers {
            index.look_at(folds, worker.number);
        }
        index
    }

    /// The last event that is taken in.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The workers that are reachable.
    #[must_use]
    pub const fn reachable(&self) -> Reachable {
        self.reachable
    }

    /// The weights of the score.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// What a worker is known by and offers.
    #[must_use]
    pub fn offer(&self, worker: WorkerNo) -> Option<&Offer> {
        self.offers.get(worker.index())?.as_ref()
    }

    /// Takes in an event that `folds` have folded in.
    pub fn follow(&mut self, folds: &Projections, event: &Event) {
        match event {
            Event::WorkerBeat(one) => self.look_at(folds, one.worker),
            Event::WorkerUpdated(one) => self.look_at(folds, one.worker),
            Event::LeaseGranted(one) => self.look_at(folds, one.worker),
            Event::WorkerRegistered(one) => self.look_at(folds, one.worker),
            Event::ManifestChanged(one) => self.look_at(folds, one.worker),
            Event::WorkerLapsed(one) => self.look_at(folds, one.worker),
            Event::WorkerLoggedOut(one) => self.look_at(folds, one.worker),
            Event::WorkerSuspended(one) => self.look_at(folds, one.worker),
            Event::WorkerResumed(one) => self.look_at(folds, one.worker),
            Event::RegionProbed(one) => self.look_at(folds, one.worker),
            Event::FeedbackGiven(one) => self.look_at(folds, one.worker),
            Event::AssignmentExpired(one) => self.look_at(folds, one.worker),
            Event::KeyRotated(one) => self.look_at(folds, one.worker),
            Event::MatchMade(made) => {
                let assigned = made.assigned.iter();
                assigned.for_each(|worker| self.look_at(folds, *worker));
            }
            Event::PolicyChanged(changed) => match changed.change {
                PolicyChange::MatchWeights(_) | PolicyChange::HeartbeatGraceMs(_) => {
                    *self = Self::of(folds, self.now, self.supposed);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Everything up to here is taken in.
    pub const fn reach(&mut self, position: Position) {
        self.position = position;
    }

    /// Whether time alone changes an answer at `now`: then [`MatchIndex::advance`] first.
    #[must_use]
    pub fn is_due(&self, now: Micros) -> bool {
        let silent = self
            .heard
            .first()
            .is_some_and(|(_, at)| self.silent(at, now));
        let fades = self.fading.first();
        silent || fades.is_some_and(|(at, _)| *at <= now.millis())
    }

    /// Goes on to a later moment.
    pub fn advance(&mut self, now: Micros) {
        self.now = self.now.max(now);
        while let Some((worker, at)) = self.heard.first() {
            if !self.silent(at, self.now) {
                break;
            }
            self.heard.forget(worker);
            self.sets.fresh.put(worker, false);
            self.place(worker);
        }
        while let Some((at, worker)) = self.fading.first().copied() {
            if at > self.now.millis() {
                break;
            }
            self.trust(worker as usize);
            self.place(worker as usize);
        }
    }

    /// A silence of exactly the grace is none yet.
    const fn silent(&self, last_heard: Micros, now: Micros) -> bool {
        now.0.saturating_sub(last_heard.0) > self.grace.0
    }

    /// Supposes that a worker were trusted so far, until something happens to it: for questions of
    /// the form "what if".
    pub fn suppose_trust(&mut self, worker: WorkerNo, trust_ppm: u32) {
        if self.offer(worker).is_some() {
            self.rows[worker.index()].trust = trust_ppm;
            self.place(worker.index());
        }
    }

    fn grow(&mut self, workers: usize) {
        if workers <= self.rows.len() {
            return;
        }
        let had = self.rows.len() / 64;
        let words = workers.div_ceil(64).max(had + had / 4);
        let Sets {
            registered,
            active,
            fresh,
            trusted,
            sound,
            room,
            bare,
            contradicted,
        } = &mut self.sets;
        let standing = [registered, active, fresh, trusted, sound];
        let sets = standing.into_iter().chain([room, bare, contradicted]);
        sets.for_each(|bits| bits.grow(words));
        let scales = [&mut self.vram, &mut self.ram, &mut self.price];
        scales.into_iter().for_each(|scale| scale.grow(words));
        self.rows.resize(words * 64, Row::default());
        self.etas.resize(words * 64, UNKNOWN);
        self.offers.resize(words * 64, None);
        self.ladder.grow(words * 64);
        self.heard.grow(words * 64);
    }

    /// Makes a worker's part anew from the folds.
    fn look_at(&mut self, folds: &Projections, number: WorkerNo) {
        let Some(file) = folds.registry.file(number) else {
            return;
        };
        let pulse = folds.registry.pulse(number).expect("it is registered");
        let worker = number.index();
        self.grow(worker + 1);
        self.now = self.now.max(folds.recorded_at);
        self.offer_of(folds, number, file);
        if self.heard.at(worker) != pulse.last_heard {
            self.heard.hear(worker, pulse.last_heard);
            let silent = self.silent(pulse.last_heard, self.now);
            self.sets.fresh.put(worker, !silent);
        }
        let standing = folds.matching.standing(number);
        self.pulse(worker, pulse, standing.open);
        let row = &mut self.rows[worker];
        (row.barred, row.evidence) = (standing.barred(), standing.trust);
        self.trust(worker);
        let claims = standing.claimed.is_some();
        let bare = claims && standing.region == RegionFinding::Open;
        self.sets.bare.put(worker, bare);
        let contradicted = standing.region == RegionFinding::Contradicted;
        self.sets.contradicted.put(worker, contradicted);
        self.place(worker);
    }

    fn pulse(&mut self, worker: usize, pulse: &Pulse, open: u32) {
        let active = matches!(pulse.state, State::Live | State::Degraded);
        self.sets.active.put(worker, active);
        let row = &mut self.rows[worker];
        if row.latency != pulse.avg_latency_ms {
            // What stands in the population is what the row says: it comes out before it changes.
            self.uncount(worker);
        }
        let row = &mut self.rows[worker];
        row.latency = pulse.avg_latency_ms;
        row.jobs = pulse.jobs(open);
        row.load = score::load(row.parallel, row.jobs);
        let room = !pulse.busy && row.jobs < row.parallel;
        self.etas[worker] = match row.latency {
            Some(latency) => score::eta_ms(latency, row.parallel, row.jobs),
            None => UNKNOWN,
        };
        self.sets.room.put(worker, room);
    }

    /// Takes over what a worker offers, when that changed.
    fn offer_of(&mut self, folds: &Projections, number: WorkerNo, file: &Arc<WorkerFile>) {
        let worker = number.index();
        let known = self.offers[worker].take();
        if let Some(offer) = known {
            if Arc::ptr_eq(&offer.file, file) {
                self.offers[worker] = Some(offer);
                return;
            }
            self.uncount(worker);
            self.withdraw(worker, &offer.file.manifest);
        }
        let WorkerName::Miner(miner_id) = &folds.names.workers()[worker] else {
            panic!("whoever registers has an id");
        };
        let offer = &file.manifest;
        self.words.capabilities.insert(worker, &offer.capabilities);
        self.words.tags.insert(worker, &offer.tags);
        self.words.accel.insert(worker, &offer.accel);
        self.words.regions.insert(worker, offer.region.as_slice());
        self.vram.insert(worker, offer.vram_mb.into());
        self.ram.insert(worker, offer.ram_mb.into());
        self.price.insert(worker, offer.price_micro);
        let region = self.regions.enter(offer.region.as_ref());
        let row = &mut self.rows[worker];
        row.price_micro = offer.price_micro;
        row.parallel = offer.max_parallel;
        row.region = region;
        self.sets.registered.put(worker, true);
        self.offers[worker] = Some(Offer {
            miner_id: miner_id.clone(),
            file: Arc::clone(file),
        });
    }

    fn withdraw(&mut self, worker: usize, offer: &Manifest) {
        self.words.capabilities.remove(worker, &offer.capabilities);
        self.words.tags.remove(worker, &offer.tags);
        self.words.accel.remove(worker, &offer.accel);
        self.words.regions.remove(worker, offer.region.as_slice());
        self.vram.remove(worker);
        self.ram.remove(worker);
        self.price.remove(worker);
        self.regions.leave(offer.region.as_ref());
    }

    /// Works out how far a worker is trusted now, and until when.
    fn trust(&mut self, worker: usize) {
        let now_ms = self.now.millis();
        let row = &mut self.rows[worker];
        let fades_at_ms = row.evidence.fades_at_ms(now_ms);
        if row.fades_at_ms != fades_at_ms {
            if let Some(at) = row.fades_at_ms {
                self.fading.remove(&(at, worker as u32));
            }
            if let Some(at) = fades_at_ms {
                self.fading.insert((at, worker as u32));
            }
            row.fades_at_ms = fades_at_ms;
        }
        row.trust = row.evidence.ppm(now_ms);
        let trusted = !row.barred && !row.evidence.hardly(now_ms);
        self.sets.trusted.put(worker, trusted);
    }

    /// Whether a worker can be matched, whatever is asked for; then it stands on the ladder.
    fn place(&mut self, worker: usize) {
        self.changes.note(worker);
        self.rank(worker);
        let online = self.sets.active.has(worker) && self.sets.fresh.has(worker);
        let was_online = std::mem::replace(&mut self.rows[worker].online, online);
        self.reachable.workers += u32::from(online);
        self.reachable.workers -= u32::from(was_online);
        if online {
            self.count(worker);
        } else {
            self.uncount(worker);
        }
        let takes = self.sets.sound.has(worker) && self.sets.room.has(worker);
        self.count_slots(worker, takes);
        if takes {
            self.climb(worker);
        } else {
            self.ladder.take_out(worker);
        }
    }

    /// Counts a worker under the first reason that leaves it out of every answer.
    fn rank(&mut self, worker: usize) {
        let sets = &self.sets;
        let rank = match (sets.active.has(worker), sets.fresh.has(worker)) {
            (false, _) => Rank::Out(Reason::Inactive),
            (true, false) => Rank::Out(Reason::StaleHeartbeat),
            (true, true) if sets.trusted.has(worker) => Rank::Sound,
            (true, true) => Rank::Out(Reason::Suspended),
        };
        let before = std::mem::replace(&mut self.rows[worker].rank, rank);
        if before == rank {
            return;
        }
        if let Rank::Out(reason) = before {
            self.out[reason as usize] -= 1;
        }
        if let Rank::Out(reason) = rank {
            self.out[reason as usize] += 1;
        }
        self.sets.sound.put(worker, rank == Rank::Sound);
    }

    fn climb(&mut self, worker: usize) {
        let row = &self.rows[worker];
        let bound = self.regions.of(row.region).bound(row.latency);
        let rest = u64::from(self.weights.latency) * u64::from(bound)
            + u64::from(self.weights.trust) * u64::from(row.trust)
            + u64::from(self.weights.load) * u64::from(row.load);
        let rest = rest.div_ceil(Weights::WHOLE) as u32;
        self.ladder.put(worker, row.price_micro, rest);
    }

    /// Counts a worker's slots, as free ones where it takes jobs.
    fn count_slots(&mut self, worker: usize, takes: bool) {
        let row = &mut self.rows[worker];
        let slots = if row.online { row.parallel } else { 0 };
        let free = if takes {
            slots.saturating_sub(row.jobs)
        } else {
            0
        };
        let (had, had_free) = std::mem::replace(&mut row.slots, (slots, free));
        self.reachable.slots += u64::from(slots);
        self.reachable.slots -= u64::from(had);
        self.reachable.slots_free += u64::from(free);
        self.reachable.slots_free -= u64::from(had_free);
    }

    /// Counts a worker's latency in its region.
    fn count(&mut self, worker: usize) {
        let row = &mut self.rows[worker];
        if let (false, Some(latency)) = (row.counted, row.latency) {
            row.counted = true;
            self.reachable.reports += 1;
            self.reachable.latency_ms += u64::from(latency);
            let region = row.region;
            self.regions.of_mut(region).population.insert(latency);
            self.changed(region);
        }
    }

    fn uncount(&mut self, worker: usize) {
        let row = &mut self.rows[worker];
        if let (true, Some(latency)) = (row.counted, row.latency) {
            row.counted = false;
            self.reachable.reports -= 1;
            self.reachable.latency_ms -= u64::from(latency);
            let region = row.region;
            self.regions.of_mut(region).population.remove(latency);
            self.changed(region);
        }
    }

    /// A region's population changed: where its bounds are drawn anew, its workers climb anew.
    fn changed(&mut self, region: u32) {
        if !self.regions.of_mut(region).changed() {
            return;
        }
        for worker in 0..self.rows.len() {
            if self.rows[worker].region == region && self.ladder.has(worker) {
                self.climb(worker);
            }
        }
    }
}
