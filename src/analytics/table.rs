//! Tables that were written out, each served until its partition changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use purser_events::{Micros, PartitionNo, Position};
use purser_projections::analytics::{PartitionSpeed, Window};

use super::Analyst;

/// A table may be so old while its partition changes all the time.
const STALE: Duration = Duration::from_millis(500);

/// A table, and what it reflects.
#[derive(Debug)]
pub struct Shown {
    /// How fast jobs were done.
    pub speed: PartitionSpeed,
    /// The position that it reflects.
    pub position: Position,
    changes: u64,
    hour: u64,
    made: Instant,
}

type Key = (PartitionNo, Window);

/// Tables that were written out.
#[derive(Debug, Default)]
pub struct Tables(Mutex<HashMap<Key, Arc<Shown>>>);

impl Tables {
    fn get(&self, key: Key) -> Option<Arc<Shown>> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.get(&key).cloned()
    }

    fn put(&self, key: Key, shown: &Arc<Shown>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(shown));
    }
}

impl Analyst {
    /// How fast the jobs of a partition were done in a window that ends `now`. While the partition
    /// changes, the answer may be half a second old, but not older than `at_least`.
    #[must_use]
    pub fn speed(&self, key: Key, now: Micros, at_least: Position) -> Arc<Shown> {
        let (partition, window) = key;
        // Windows move with the hour; what is of all time does not.
        let hour = match window {
            Window::All => 0,
            _ => now.0 / 3_600_000_000,
        };
        let fold = self.read();
        let (changes, position) = (fold.changes(partition), fold.position);
        if let Some(shown) = self.tables.get(key)
            && shown.hour == hour
        {
            let is_fresh = shown.made.elapsed() < STALE && shown.position >= at_least;
            if shown.changes == changes || is_fresh {
                return shown;
            }
        }
        let speed = fold.partition(partition, (window, now));
        drop(fold);
        let shown = Arc::new(Shown {
            speed,
            position,
            changes,
            hour,
            made: Instant::now(),
        });
        self.tables.put(key, &shown);
        shown
    }
}
