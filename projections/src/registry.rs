//! The workers that registered: what they offer, whether they live.

mod hours;
mod pulse;

use std::sync::Arc;

use purser_events::matching::KeyRotated;
use purser_events::worker::{
    KeyHash, LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerRegistered, WorkerUpdated,
};
use purser_events::{Event, Label, Micros, Position, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::paged::Paged;
use crate::policy::Policy;

use hours::Hours;

pub use hours::WINDOW_HOURS;
pub use pulse::{Pulse, State, Status};

/// The workers that registered.
///
/// Both tables are indexed by the worker's number. What a heartbeat touches lies by itself, so
/// that folding one is a write into an array; manifests are shared, so that a copy of the registry
/// is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    pulses: Vec<Pulse>,
    files: Vec<Option<Arc<WorkerFile>>>,
    hours: Paged<Hours>,
    live: u32,
}

/// What is known of a worker apart from its heartbeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerFile {
    /// What is kept of its API key.
    pub key: KeyHash,
    /// The key before that, and until when it is good, in milliseconds since 1970.
    pub old_key: Option<(KeyHash, u64)>,
    /// What it offers now, at its latest price.
    pub manifest: Manifest,
    /// The jobs that it says it is at.
    pub current_jobs: Vec<Label>,
    /// The event that registered it.
    pub registered_at: Position,
    /// When it registered.
    pub since: Micros,
    /// The event that last changed what it offers.
    pub changed_at: Position,
}

/// One registered worker, to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'a> {
    /// Its number.
    pub number: WorkerNo,
    /// Its life.
    pub pulse: &'a Pulse,
    /// What it offers.
    pub file: &'a WorkerFile,
}

/// How many registered workers stand how, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Workers whose lease is in force.
    pub online: u32,
    /// Workers whose lease ran out within the grace.
    pub degraded: u32,
    /// Workers that are silent past the grace and have not lapsed yet.
    pub silent: u32,
    /// Workers that lapsed.
    pub lapsed: u32,
    /// Workers that logged out.
    pub logged_out: u32,
    /// The mean of the latencies that reachable workers report, in milliseconds, rounded down;
    /// `None` when none does.
    pub avg_latency_ms: Option<u32>,
}

impl Registry {
    /// Folds one event in.
    ///
    /// # Panics
    /// When the event names a worker that never registered or has no session: history that
    /// `decide` could not have written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>, policy: &Policy) {
        match fact.event {
            Event::WorkerBeat(beat) => self.beat(beat, fact.recorded_at, policy),
            Event::WorkerRegistered(registered) => self.register(fact, registered, policy),
            Event::ManifestChanged(changed) => self.change(fact, changed),
            Event::WorkerUpdated(updated) => self.update(fact, updated, policy),
            Event::LeaseGranted(granted) => self.grant(granted, fact.recorded_at, policy),
            Event::WorkerLapsed(lapsed) => self.end(lapsed.worker, State::Lapsed),
            Event::WorkerLoggedOut(gone) => self.end(gone.worker, State::LoggedOut),
            Event::WorkerDegraded(degraded) => self.degrade(degraded.worker),
            Event::KeyRotated(rotated) => self.rotate(rotated),
            Event::MatchMade(made) => {
                let assigned = made.assigned.iter();
                assigned.for_each(|worker| self.pulses[worker.index()].reserve());
            }
            Event::FeedbackGiven(given) if given.outcome.terminal() => {
                self.pulses[given.worker.index()].release();
            }
            Event::AssignmentExpired(expired) => self.pulses[expired.worker.index()].release(),
            _ => {}
        }
    }

    /// Looks at what these events are about to change, in one go: then the memory is fetched for
    /// all of them at once, and not for one after the other. The answer says nothing.
    #[must_use]
    pub fn look_ahead<'a>(&self, events: impl Iterator<Item = &'a Event>) -> u64 {
        let beaten = events.filter_map(|event| match event {
            Event::WorkerBeat(beat) => self.pulses.get(beat.worker.index()),
            _ => None,
        });
        beaten.fold(0, |seen, pulse| seen ^ u64::from(pulse.session))
    }

    fn beat(&mut self, beat: &WorkerBeat, at: Micros, policy: &Policy) {
        let pulse = &mut self.pulses[beat.worker.index()];
        assert!(pulse.live(), "only a live worker beats");
        let minute = (at.0 / 60_000_000) as u32;
        let hour = Hours::of_minute(minute);
        if hour != Hours::of_minute(pulse.last_minute) {
            let hours = self.hours.at(beat.worker.index());
            hours.begin(hour, pulse.minutes_beaten);
        }
        pulse.beat(at, beat);
        pulse.hear(at, policy);
    }

    fn register(&mut self, fact: Recorded<'_>, registered: &WorkerRegistered, policy: &Policy) {
        let index = registered.worker.index();
        assert!(index >= self.pulses.len(), "a worker registers once");
        self.pulses.resize(index + 1, Pulse::default());
        self.files.resize(index + 1, None);
        self.files[index] = Some(Arc::new(WorkerFile {
            key: registered.key,
            old_key: None,
            manifest: registered.manifest.clone(),
            current_jobs: Vec::new(),
            registered_at: fact.position,
            since: fact.recorded_at,
            changed_at: fact.position,
        }));
        let (worker, session) = (registered.worker, 1);
        self.grant(&LeaseGranted { worker, session }, fact.recorded_at, policy);
    }

    fn change(&mut self, fact: Recorded<'_>, changed: &ManifestChanged) {
        let file = self.file_mut(changed.worker);
        file.manifest = changed.manifest.clone();
        file.changed_at = fact.position;
    }

    fn update(&mut self, fact: Recorded<'_>, updated: &WorkerUpdated, policy: &Policy) {
        let pulse = &mut self.pulses[updated.worker.index()];
        assert!(pulse.live(), "only a live worker reports changes");
        pulse.update(updated);
        pulse.hear(fact.recorded_at, policy);
        if let Some(jobs) = &updated.current_jobs {
            self.file_mut(updated.worker).current_jobs = jobs.clone();
        }
        if let Some(price) = updated.price_micro {
            let file = self.file_mut(updated.worker);
            file.manifest.price_micro = price;
            file.changed_at = fact.position;
        }
    }

    fn grant(&mut self, granted: &LeaseGranted, at: Micros, policy: &Policy) {
        let pulse = &mut self.pulses[granted.worker.index()];
        let started = granted.session == pulse.session + 1;
        assert!(
            if pulse.live() {
                granted.session == pulse.session
            } else {
                started
            },
            "a lease goes on in its session, or begins the next one"
        );
        if started {
            self.live += 1;
        }
        pulse.grant(granted.session);
        pulse.hear(at, policy);
        if started {
            self.file_mut(granted.worker).current_jobs.clear();
        }
    }

    fn end(&mut self, worker: WorkerNo, state: State) {
        let pulse = &mut self.pulses[worker.index()];
        assert!(pulse.live(), "only a session that goes on can end");
        pulse.state = state;
        self.live -= 1;
    }

    fn degrade(&mut self, worker: WorkerNo) {
        let pulse = &mut self.pulses[worker.index()];
        assert!(pulse.state == State::Live, "a lease runs out once");
        pulse.state = State::Degraded;
    }

    fn rotate(&mut self, rotated: &KeyRotated) {
        let file = self.file_mut(rotated.worker);
        file.old_key = Some((file.key, rotated.old_until_ms));
        file.key = rotated.key;
    }

    fn file_mut(&mut self, worker: WorkerNo) -> &mut WorkerFile {
        let file = self.files[worker.index()].as_mut();
        Arc::make_mut(file.expect("the worker is registered"))
    }

    /// One worker's life; `None` when it never registered.
    #[must_use]
    pub fn pulse(&self, worker: WorkerNo) -> Option<&Pulse> {
        let pulse = self.pulses.get(worker.index())?;
        (pulse.state != State::Absent).then_some(pulse)
    }

    /// The shared record of one worker; `None` when it never registered.
    #[must_use]
    pub fn file(&self, worker: WorkerNo) -> Option<&Arc<WorkerFile>> {
        self.files.get(worker.index())?.as_ref()
    }

    /// How many worker numbers there may be registered workers among.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.files.len()
    }

    /// All that is known of one worker; `None` when it never registered.
    #[must_use]
    pub fn worker(&self, worker: WorkerNo) -> Option<Worker<'_>> {
        let file = self.files.get(worker.index())?.as_deref()?;
        let pulse = &self.pulses[worker.index()];
        Some(Worker {
            number: worker,
            pulse,
            file,
        })
    }

    /// The registered workers from number `from` on, in the order in which they registered: for
    /// pages, which go on behind the last number that they showed.
    pub fn workers(&self, from: WorkerNo) -> impl Iterator<Item = Worker<'_>> {
        let files = self.files.iter().enumerate().skip(from.index());
        files.filter_map(|(index, file)| {
            Some(Worker {
                number: WorkerNo::following(index),
                pulse: &self.pulses[index],
                file: file.as_deref()?,
            })
        })
    }

    /// How many sessions go on, whether or not their worker was heard of late.
    #[must_use]
    pub const fn live(&self) -> u32 {
        self.live
    }

    /// How many workers stand how at `at`.
    #[must_use]
    pub fn census(&self, at: Micros, policy: &Policy) -> Census {
        let mut census = Census::default();
        let (mut latency, mut reports) = (0u64, 0u64);
        for pulse in &self.pulses {
            let Some(status) = pulse.status(at, policy) else {
                continue;
            };
            *census.of(status) += 1;
            if let (true, Some(reported)) = (status.reachable(), pulse.avg_latency_ms) {
                latency += u64::from(reported);
                reports += 1;
            }
        }
        let mean = latency.checked_div(reports);
        census.avg_latency_ms = mean.and_then(|mean| u32::try_from(mean).ok());
        census
    }

    /// The workers whose lease ran out before `at` and of whom that is not recorded yet: those that
    /// the sweeper calls degraded.
    pub fn unleased_since(&self, at: Micros) -> impl Iterator<Item = WorkerNo> {
        let pulses = self.pulses.iter().enumerate();
        pulses
            .filter(move |(_, pulse)| pulse.state == State::Live && !pulse.leased(at))
            .map(|(index, _)| WorkerNo::following(index))
    }

    /// The workers whose session goes on although they were silent for more than `grace_ms`
    /// milliseconds at `at`: those that the sweeper lets lapse.
    pub fn silent_since(&self, at: Micros, grace_ms: u32) -> impl Iterator<Item = WorkerNo> {
        let pulses = self.pulses.iter().enumerate();
        pulses
            .filter(move |(_, pulse)| pulse.silent(at, grace_ms))
            .map(|(index, _)| WorkerNo::following(index))
    }
}

impl Registry {
    /// The share of the last minutes of our clock in which a worker beat, in millionths: of those
    /// of the last [`WINDOW_HOURS`] hours, the one that goes on with them, or since it registered.
    #[must_use]
    pub fn recent_uptime_ppm(&self, worker: Worker<'_>, now: Micros) -> u32 {
        let minute = |at: Micros| (at.0 / 60_000_000) as u32;
        let hour = Hours::of_minute(minute(now));
        let window = hour.saturating_sub(WINDOW_HOURS - 1) * 60;
        let from = window.max(minute(worker.file.since));
        let minutes = (minute(now) + 1).saturating_sub(from).max(1);
        let beaten = self.hours.get(worker.number.index());
        let beaten = beaten.map_or(0, |hours| hours.beaten(worker.pulse, hour));
        (u64::from(beaten.min(minutes)) * 1_000_000 / u64::from(minutes)) as u32
    }
}

impl Worker<'_> {
    /// The share of the minutes of our clock, from the one in which it registered to that of
    /// `now`, in which it beat, in millionths.
    #[must_use]
    pub fn uptime_ppm(&self, now: Micros) -> u32 {
        let minute = |at: Micros| at.0 / 60_000_000;
        let minutes = minute(now).saturating_sub(minute(self.file.since)) + 1;
        let beaten = u64::from(self.pulse.minutes_beaten).min(minutes);
        (beaten * 1_000_000 / minutes) as u32
    }
}

impl Census {
    fn of(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Online => &mut self.online,
            Status::Degraded => &mut self.degraded,
            Status::Silent => &mut self.silent,
            Status::Lapsed => &mut self.lapsed,
            Status::LoggedOut => &mut self.logged_out,
        }
    }

    /// How many workers ever registered.
    #[must_use]
    pub const fn registered(&self) -> u32 {
        self.online + self.degraded + self.silent + self.lapsed + self.logged_out
    }
}
