//! The jobs that hold slots, and when they let them go.

use std::collections::{BTreeMap, BTreeSet};

use purser_events::matching::FeedbackGiven;
use purser_events::{KeyTag, Label, Position, WorkerNo};
use serde::{Deserialize, Serialize};

/// The jobs that hold slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    jobs: BTreeMap<Label, LiveJob>,
    ends: BTreeSet<(u64, Label, WorkerNo)>,
}

/// A job that holds slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveJob {
    /// Whose job it is.
    pub coordinator: KeyTag,
    /// The event that it holds its first slot by.
    pub since: Position,
    /// Its slots, never none.
    pub slots: Vec<Slot>,
}

/// A slot of a worker that a job holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The worker.
    pub worker: WorkerNo,
    /// Whether room of the worker is held for it: not where the job was only offered.
    pub held: bool,
    /// Whether the worker took the job.
    pub accepted: bool,
    /// How soon the job has to be done, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// Without a report it is free again from this time on, in milliseconds since 1970.
    pub expires_at_ms: u64,
}

impl LiveJob {
    /// The slot that it holds of a worker.
    #[must_use]
    pub fn slot(&self, worker: WorkerNo) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.worker == worker)
    }
}

impl Jobs {
    /// The slots that a job holds; `None` when it holds none.
    #[must_use]
    pub fn get(&self, job: &Label) -> Option<&LiveJob> {
        self.jobs.get(job)
    }

    /// How many jobs hold slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether no job holds a slot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The slots that nobody reported on by `now_ms`, the oldest first.
    pub fn expired(&self, now_ms: u64) -> impl Iterator<Item = (&Label, WorkerNo)> {
        let over = self
            .ends
            .iter()
            .take_while(move |(end, _, _)| *end < now_ms);
        over.map(|(_, job, worker)| (job, *worker))
    }

    pub(super) fn begin(
        &mut self,
        job: &Label,
        (coordinator, since): (KeyTag, Position),
        slot: Slot,
    ) {
        let live = self.jobs.entry(job.clone()).or_insert_with(|| LiveJob {
            coordinator,
            since,
            slots: Vec::new(),
        });
        assert!(
            live.coordinator == coordinator,
            "a job is one coordinator's"
        );
        assert!(
            live.slot(slot.worker).is_none(),
            "a job holds one slot of a worker"
        );
        live.slots.push(slot);
        let end = (slot.expires_at_ms, job.clone(), slot.worker);
        self.ends.insert(end);
    }

    /// A worker took a job: one that was assigned, or one that it was only offered.
    pub(super) fn accept(
        &mut self,
        given: &FeedbackGiven,
        coordinator: KeyTag,
        expires_at_ms: u64,
    ) {
        let (job, worker) = (&given.job, given.worker);
        let slots = self.jobs.get_mut(job).map(|live| live.slots.iter_mut());
        let slot = slots.and_then(|mut slots| slots.find(|slot| slot.worker == worker));
        if let Some(slot) = slot {
            self.ends.remove(&(slot.expires_at_ms, job.clone(), worker));
            slot.accepted = true;
            slot.expires_at_ms = expires_at_ms;
            self.ends.insert((expires_at_ms, job.clone(), worker));
            return;
        }
        let slot = Slot {
            worker,
            held: false,
            accepted: true,
            deadline_ms: given.deadline_ms,
            expires_at_ms,
        };
        self.begin(job, (coordinator, Position::ORIGIN), slot);
    }

    /// A job lets go of a worker; answers whether it held room of the worker.
    pub(super) fn end(&mut self, job: &Label, worker: WorkerNo) -> bool {
        let Some(live) = self.jobs.get_mut(job) else {
            return false;
        };
        let Some(at) = live.slots.iter().position(|slot| slot.worker == worker) else {
            return false;
        };
        let slot = live.slots.remove(at);
        if live.slots.is_empty() {
            self.jobs.remove(job);
        }
        self.ends.remove(&(slot.expires_at_ms, job.clone(), worker));
        slot.held
    }
}
