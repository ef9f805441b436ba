//! The index in memory, for tests and for short-lived books.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use purser_events::Position;
use purser_projections::recall::{RecallKey, Record};

use super::{Index, IndexError};

/// An index that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    records: HashMap<RecallKey, Record>,
    checkpoint: Position,
}

impl MemoryIndex {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index for MemoryIndex {
    fn checkpoint(&self) -> Position {
        self.held().checkpoint
    }

    fn load(
        &self,
        keys: &[RecallKey],
        found: &mut dyn FnMut(RecallKey, Record),
    ) -> Result<(), IndexError> {
        let held = self.held();
        for key in keys {
            if let Some(record) = held.records.get(key) {
                found(*key, record.clone());
            }
        }
        Ok(())
    }

    fn absorb(
        &self,
        generation: HashMap<RecallKey, Record>,
        position: Position,
    ) -> Result<(), IndexError> {
        let mut held = self.held();
        for (key, record) in generation {
            match held.records.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().merge(&record),
                Entry::Vacant(entry) => {
                    entry.insert(record);
                }
            }
        }
        held.checkpoint = position;
        Ok(())
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}
