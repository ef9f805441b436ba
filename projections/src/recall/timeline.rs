//! Events that share an id, in the source's order.

use purser_events::intake::{Attribution, Fee, Order, Split};
use purser_events::{ModelNo, Position, Seconds, WorkerNo};
use serde::{Deserialize, Serialize};

/// So many jobs of one request are matched; only a flood has more.
pub const REQUEST_ROOM: usize = 1_024;

/// So many connects and disconnects of one connection in one second are told apart.
pub const CONNECTION_ROOM: usize = 256;

/// The jobs that share a request id, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTimeline {
    entries: Vec<RequestEntry>,
}

/// One job of a request. The event that took it in, one that moved it and one that attributed it
/// anew each know a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// The event that took it in.
    pub event: Position,
    /// Where it stands.
    pub order: Option<Order>,
    /// What it is, as of the latest event that says so.
    pub stands: Option<Stands>,
}

/// What a job is, as of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// That event.
    pub since: Position,
    /// What the job is.
    pub what: What,
}

/// A received job, or a processed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A received one, of this worker.
    Received(WorkerNo),
    /// A processed one.
    Processed(Job),
}

/// A processed job, and who is credited with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its model and pipeline.
    pub model: Option<ModelNo>,
    /// How long the worker took, in nanoseconds.
    pub response_time: Option<i64>,
    /// Its fee.
    pub fee: Fee,
    /// Who is credited.
    pub attribution: Attribution,
    /// How the fee is shared out.
    pub split: Split,
}

impl RequestTimeline {
    /// A timeline of one entry.
    #[must_use]
    pub fn of(entry: RequestEntry) -> Self {
        Self {
            entries: vec![entry],
        }
    }

    /// How many jobs it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the job that this event took in is one of them.
    #[must_use]
    pub fn contains(&self, event: Position) -> bool {
        self.entries
            .binary_search_by_key(&event, |one| one.event)
            .is_ok()
    }

    /// Every job.
    ///
    /// # Panics
    /// When the event that took a job in is missing: the index was not fed to the end.
    pub fn whole(&self) -> impl Iterator<Item = (Order, Position, &What)> {
        self.entries.iter().map(RequestEntry::whole)
    }

    /// Every job, in the source's order.
    ///
    /// # Panics
    /// When the event that took a job in is missing: the index was not fed to the end.
    #[must_use]
    pub fn in_order(&self) -> Vec<(Order, Position, &What)> {
        let mut jobs: Vec<_> = self.whole().collect();
        jobs.sort_by_key(|(order, event, _)| (*order, *event));
        jobs
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            match self
                .entries
                .binary_search_by_key(&entry.event, |one| one.event)
            {
                Ok(at) => self.entries[at].merge(entry),
                Err(at) => self.entries.insert(at, entry.clone()),
            }
        }
    }
}

impl RequestEntry {
    fn whole(&self) -> (Order, Position, &What) {
        let order = self
            .order
            .expect("the event that took a job in has an order");
        let stands = self.stands.as_ref().expect("it says what the job is");
        (order, self.event, &stands.what)
    }

    fn merge(&mut self, other: &Self) {
        self.order = match (self.order, other.order) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        let mine = self.stands.as_ref().map(|stands| stands.since);
        if other.stands.as_ref().map(|stands| stands.since) > mine {
            self.stands.clone_from(&other.stands);
        }
    }
}

/// The connects and disconnects of one connection in the latest second that has any, by position.
/// Copies found in earlier places move events within their second only, so what happened in an
/// older second never matters again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionTimeline {
    entries: Vec<ConnectionEntry>,
}

/// A connect or disconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEntry {
    /// The event.
    pub event: Position,
    /// Where it stands.
    pub order: Order,
    /// Whether it is a connect.
    pub opens: bool,
}

impl ConnectionTimeline {
    /// A timeline of one entry.
    #[must_use]
    pub fn of(entry: ConnectionEntry) -> Self {
        Self {
            entries: vec![entry],
        }
    }

    /// The latest connect or disconnect.
    #[must_use]
    pub fn latest(&self) -> Option<&ConnectionEntry> {
        self.entries
            .iter()
            .max_by_key(|entry| (entry.order, entry.event))
    }

    /// Whether this event is one of them.
    #[must_use]
    pub fn contains(&self, event: Position) -> bool {
        self.entries
            .binary_search_by_key(&event, |one| one.event)
            .is_ok()
    }

    /// Whether a further event of this second would be one too many.
    #[must_use]
    pub fn is_full_at(&self, second: Seconds) -> bool {
        self.second() == Some(second) && self.entries.len() >= CONNECTION_ROOM
    }

    /// The same with one more entry, or with the entry moved.
    #[must_use]
    pub fn with(mut self, entry: ConnectionEntry) -> Self {
        self.merge(&Self::of(entry));
        self
    }

    fn second(&self) -> Option<Seconds> {
        self.entries.first().map(|entry| entry.order.occurred_at)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            if self.second() > Some(entry.order.occurred_at) {
                continue;
            }
            if self.second() < Some(entry.order.occurred_at) {
                self.entries.clear();
            }
            match self
                .entries
                .binary_search_by_key(&entry.event, |one| one.event)
            {
                Ok(at) => self.entries[at].order = self.entries[at].order.min(entry.order),
                Err(at) => self.entries.insert(at, *entry),
            }
        }
    }
}
