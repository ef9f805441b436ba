//! Tables that were written out. One that was asked for is made anew in the background when its
//! partition changes: whoever reads it waits for nothing but finding it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use purser_events::{Micros, PartitionNo, Position};
use purser_projections::analytics::{Analytics, PartitionSpeed, Window};

/// A table that was not asked for so long is not made anew any more.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Which table: of which partition, over which time.
pub type Key = (PartitionNo, Window);

/// A table.
#[derive(Debug)]
pub struct Table {
    /// How fast jobs were done.
    pub speed: PartitionSpeed,
    /// The same, written out.
    pub text: Vec<u8>,
}

/// A table, and what it reflects.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The table.
    pub table: Arc<Table>,
    /// The position that it reflects.
    pub position: Position,
    changes: u64,
    hour: u64,
}

#[derive(Debug)]
struct Made {
    shown: Shown,
    asked: Instant,
}

/// Tables that were written out.
#[derive(Debug, Default)]
pub struct Tables(Mutex<HashMap<Key, Made>>);

/// Writes a table out.
pub type Write<'a> = &'a dyn Fn(Key, &PartitionSpeed) -> Vec<u8>;

impl Tables {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A table that was made before, if it reflects a position.
    #[must_use]
    pub fn find(&self, key: Key, at_least: Position) -> Option<Shown> {
        let mut all = self.lock();
        let made = all.get_mut(&key)?;
        made.asked = Instant::now();
        (made.shown.position >= at_least).then(|| made.shown.clone())
    }

    /// A table as it is now. One whose partition did not change is not made anew.
    pub fn make(
        &self,
        fold: &RwLock<Analytics>,
        (key, now): (Key, Micros),
        write: Write<'_>,
    ) -> Shown {
        let (partition, window) = key;
        // Windows move with the hour; what is of all time does not.
        let hour = match window {
            Window::All => 0,
            _ => now.0 / 3_600_000_000,
        };
        let fold = fold.read().unwrap_or_else(PoisonError::into_inner);
        let (changes, position) = (fold.changes(partition), fold.position);
        let before = self.lock().get(&key).map(|made| made.shown.clone());
        let same = before.filter(|one| one.changes == changes && one.hour == hour);
        let table = match same {
            Some(same) => same.table,
            None => {
                let speed = fold.partition(partition, (window, now));
                drop(fold);
                let text = write(key, &speed);
                Arc::new(Table { speed, text })
            }
        };
        let shown = Shown {
            table,
            position,
            changes,
            hour,
        };
        self.put(key, &shown);
        shown
    }

    /// Keeps a table, unless a later one was made meanwhile.
    fn put(&self, key: Key, shown: &Shown) {
        let mut all = self.lock();
        let made = all.entry(key).or_insert_with(|| Made {
            shown: shown.clone(),
            asked: Instant::now(),
        });
        if made.shown.position <= shown.position {
            made.shown = shown.clone();
        }
    }

    /// Makes every table anew that is still asked for.
    pub fn refresh(&self, fold: &RwLock<Analytics>, now: Micros, write: Write<'_>) {
        let mut all = self.lock();
        all.retain(|_, made| made.asked.elapsed() < FORGOTTEN);
        let keys: Vec<Key> = all.keys().copied().collect();
        drop(all);
        for key in keys {
            self.make(fold, (key, now), write);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = (PartitionNo(0), Window::All);

    fn text(_: Key, _: &PartitionSpeed) -> Vec<u8> {
        vec![1]
    }

    #[test]
    fn a_table_is_found_where_it_reflects_enough_and_not_made_twice() {
        let (tables, fold) = (Tables::default(), RwLock::new(Analytics::default()));
        assert!(
            tables.find(KEY, Position::ORIGIN).is_none(),
            "none was made"
        );
        let made = tables.make(&fold, (KEY, Micros(0)), &text);
        let found = tables.find(KEY, Position::ORIGIN).expect("it was made");
        assert!(Arc::ptr_eq(&made.table, &found.table));
        assert!(tables.find(KEY, Position(1)).is_none(), "it reflects less");
        tables.refresh(&fold, Micros(0), &|_, _| panic!("nothing changed"));
    }
}
