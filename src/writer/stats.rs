//! What the writer counts; read by metrics and status.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use purser_events::{Envelope, EventKind};
use tokio::sync::watch;

/// Upper bounds of the commit latency buckets in microseconds; one more bucket has none.
pub const COMMIT_BUCKETS_US: [u64; 12] = [
    50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400,
];

/// How many events of each kind, by the kind's number.
#[derive(Debug)]
struct KindCounts([AtomicU64; 256]);

impl Default for KindCounts {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 256])
    }
}

/// What the writer counts since its start.
#[derive(Debug, Default)]
pub struct WriterStats {
    commits: AtomicU64,
    events: AtomicU64,
    granted: AtomicU64,
    refused: AtomicU64,
    replayed: AtomicU64,
    commit_us: AtomicU64,
    buckets: [AtomicU64; COMMIT_BUCKETS_US.len() + 1],
    kinds: KindCounts,
    read_only: AtomicBool,
    failure: watch::Sender<Option<String>>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Commits to the log.
    pub commits: u64,
    /// Events in them.
    pub events: u64,
    /// Commands that were granted.
    pub granted: u64,
    /// Commands that were refused.
    pub refused: u64,
    /// Commands that repeated an earlier one.
    pub replayed: u64,
    /// Time spent in commits, in microseconds.
    pub commit_us: u64,
    /// Commits per latency bucket, see [`COMMIT_BUCKETS_US`]; not cumulative.
    pub buckets: [u64; COMMIT_BUCKETS_US.len() + 1],
    /// Whether the last commit failed for lack of space.
    pub read_only: bool,
    /// Why the writer stopped for good, if it did.
    pub failure: Option<String>,
}

impl WriterStats {
    /// The counters now.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted {
            commits: self.commits.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            granted: self.granted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            replayed: self.replayed.load(Ordering::Relaxed),
            commit_us: self.commit_us.load(Ordering::Relaxed),
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            read_only: self.read_only.load(Ordering::Relaxed),
            failure: self.failure.borrow().clone(),
        }
    }

    /// How many durable events of a kind were folded into the read side since the start.
    #[must_use]
    pub fn events_of(&self, kind: EventKind) -> u64 {
        self.kinds.0[kind as usize].load(Ordering::Relaxed)
    }

    pub(super) fn published(&self, envelopes: &[Envelope]) {
        for run in envelopes.chunk_by(|one, next| one.event.kind() == next.event.kind()) {
            let count = &self.kinds.0[run[0].event.kind() as usize];
            count.fetch_add(run.len() as u64, Ordering::Relaxed);
        }
    }

    /// Follows the reason why the writer stopped for good: the process has to exit then.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.subscribe()
    }

    pub(super) fn committed(&self, events: usize, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BUCKETS_US.partition_point(|bound| *bound < us);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events as u64, Ordering::Relaxed);
        self.commit_us.fetch_add(us, Ordering::Relaxed);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, granted: u64, refused: u64, replayed: u64) {
        self.granted.fetch_add(granted, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        self.replayed.fetch_add(replayed, Ordering::Relaxed);
    }

    pub(super) fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    pub(super) fn fail(&self, why: String) {
        self.failure.send_replace(Some(why));
    }
}
