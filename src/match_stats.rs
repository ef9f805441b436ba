//! What is counted of matches. Counting takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use purser_events::matching::Reason;

/// Upper bounds of the buckets of time, in microseconds; the last is open.
pub const MATCH_BUCKETS_US: [u64; 11] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000, 100_000,
];

const BUCKETS: usize = MATCH_BUCKETS_US.len() + 1;
const REASONS: usize = Reason::ALL.len();

/// What is counted of matches since the start.
#[derive(Debug, Default)]
pub struct MatchStats {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
    unmet: AtomicU64,
    left_out: [AtomicU64; REASONS],
    wanting: [AtomicU64; REASONS],
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchCounts {
    /// Matches by the time that they took.
    pub buckets: [u64; BUCKETS],
    /// The time that they took together, in nanoseconds.
    pub sum_ns: u64,
    /// Matches that found nobody.
    pub unmet: u64,
    /// Workers that matches left out, by the first reason.
    pub left_out: [u64; REASONS],
    /// Matches that found nobody, by the reason that left most workers out: what is missing.
    pub wanting: [u64; REASONS],
}

impl MatchStats {
    /// Counts one match.
    pub fn count(&self, took: Duration, found: usize, left_out: &[u32; REASONS]) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = MATCH_BUCKETS_US.partition_point(|bound| *bound < took_us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
        for (sum, count) in self.left_out.iter().zip(left_out) {
            if *count > 0 {
                sum.fetch_add(u64::from(*count), Ordering::Relaxed);
            }
        }
        if found > 0 {
            return;
        }
        self.unmet.fetch_add(1, Ordering::Relaxed);
        let most = left_out.iter().enumerate().max_by_key(|(_, count)| **count);
        if let Some((reason, 1..)) = most {
            self.wanting[reason].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> MatchCounts {
        let load = |one: &AtomicU64| one.load(Ordering::Relaxed);
        MatchCounts {
            buckets: self.buckets.each_ref().map(load),
            sum_ns: load(&self.sum_ns),
            unmet: load(&self.unmet),
            left_out: self.left_out.each_ref().map(load),
            wanting: self.wanting.each_ref().map(load),
        }
    }
}
