//! The index on disk: sorted runs that never change, merged in the background.
//!
//! Memory stays bounded: the cache of redb, the filters up to an allowance, the generations that
//! wait, and one block of each run that is being merged.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use hashbrown::HashMap;
use purser_events::Position;
use purser_projections::recall::{RecallKey, Record};

use super::background::Background;
use super::merge::decode;
use super::shared::{Shared, Waiting, guarded};
use super::store::Opener;
use super::{Index, IndexError};

/// How much memory and how large steps the index takes.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Bytes of redb's cache.
    pub cache_bytes: usize,
    /// Bytes of filters in memory; those of larger runs are read in pieces.
    pub filter_bytes: u64,
    /// Bytes of pages in one transaction.
    pub chunk_bytes: u64,
    /// So many runs of similar size become one; at least 2.
    pub fan: usize,
    /// With more runs than this, merging goes before writing generations.
    pub runs_max: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            cache_bytes: 32 << 20,
            filter_bytes: 32 << 20,
            chunk_bytes: 4 << 20,
            fan: 8,
            runs_max: 64,
        }
    }
}

/// What became of an index file that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is used, or there was none.
    Whole,
    /// It was damaged or of another form: the index is empty now, its checkpoint is
    /// [`Position::ORIGIN`].
    Discarded,
}

/// Sizes, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Runs on disk.
    pub runs: u64,
    /// Records on disk; those of one key count once per run.
    pub records: u64,
    /// Bytes of encoded records on disk, without their keys.
    pub record_bytes: u64,
    /// Bytes of blocks written since the file was opened.
    pub written_bytes: u64,
    /// Merges under way, and merged runs that are to be deleted.
    pub unfinished: u64,
}

/// The durable index.
pub struct DiskIndex {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl DiskIndex {
    /// Opens the index in this file, which is made if there is none.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when the file cannot be used and is to be made anew, see
    /// [`DiskIndex::remove`]; otherwise when the storage cannot be read or written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, IndexError> {
        let path = path.into();
        let opener: Opener = Box::new(move |builder| builder.create(&path));
        Self::open_with(opener, Tuning::default())
    }

    /// Opens the index; throws a file away that cannot be used.
    ///
    /// # Errors
    /// When the storage cannot be read or written.
    pub fn open_or_discard(path: &Path) -> Result<(Self, Kept), IndexError> {
        match Self::open(path) {
            Err(IndexError::Damaged) => {
                Self::remove(path)?;
                Ok((Self::open(path)?, Kept::Discarded))
            }
            opened => Ok((opened?, Kept::Whole)),
        }
    }

    /// Opens the index in a database of the caller's making, which is asked for again after an
    /// error.
    ///
    /// # Errors
    /// As [`DiskIndex::open`].
    pub fn open_with(opener: Opener, tuning: Tuning) -> Result<Self, IndexError> {
        let shared = Arc::new(Shared::default());
        let background = Background::open(Arc::clone(&shared), opener, tuning)?;
        // It keeps its priority: what waits for it stands in memory.
        let thread = std::thread::Builder::new()
            .name("recall".to_owned())
            .spawn(move || background.run())
            .map_err(|error| IndexError::Storage(Box::new(error)))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Deletes the index in this file, if there is one, to make it anew from the log.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn remove(path: &Path) -> Result<(), IndexError> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(IndexError::Storage(Box::new(error)))
            }
            _ => Ok(()),
        }
    }

    /// How large the index is.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        {
            let state = self.shared.state();
            figures.written_bytes = state.written;
            figures.unfinished = state.unfinished;
        }
        for run in self.shared.runs().iter().flatten() {
            figures.runs += 1;
            figures.records += run.shape.records;
            figures.record_bytes += run.shape.bytes;
        }
        figures
    }

    /// Adds what the runs know of these keys, which are sorted, to the hits at the same places.
    fn look_up(&self, keys: &[RecallKey], hits: &mut [Option<Record>]) -> Result<(), IndexError> {
        let runs = self.shared.runs();
        let Some(runs) = runs.as_deref() else {
            return Err(IndexError::Storage(Box::new(redb::Error::DatabaseClosed)));
        };
        for run in runs {
            run.look_up(keys, &mut |at, record| {
                add(&mut hits[at], decode(record)?);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Adds what one part knows.
fn add(hit: &mut Option<Record>, record: Record) {
    match hit {
        Some(known) => known.merge(&record),
        None => *hit = Some(record),
    }
}

impl Index for DiskIndex {
    fn checkpoint(&self) -> Position {
        self.shared.state().checkpoint
    }

    fn load(
        &self,
        keys: &[RecallKey],
        found: &mut dyn FnMut(RecallKey, Record),
    ) -> Result<(), IndexError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable_by_key(|key| u128::from_be_bytes(key.0));
        keys.dedup();
        let mut hits = vec![None; keys.len()];
        for generation in self.shared.waiting() {
            for (key, hit) in keys.iter().zip(&mut hits) {
                if let Some(record) = generation.get(key) {
                    add(hit, record.clone());
                }
            }
        }
        let mut looked_up = guarded(|| self.look_up(&keys, &mut hits));
        if let Err(IndexError::Storage(_)) = looked_up {
            self.shared.recover();
            looked_up = guarded(|| self.look_up(&keys, &mut hits));
        }
        looked_up?;
        for (key, hit) in keys.into_iter().zip(hits) {
            if let Some(record) = hit {
                found(key, record);
            }
        }
        Ok(())
    }

    fn absorb(
        &self,
        generation: HashMap<RecallKey, Record>,
        position: Position,
    ) -> Result<(), IndexError> {
        self.shared.absorb(Waiting {
            generation: Arc::new(generation),
            position,
        })
    }

    fn flush(&self) -> Result<(), IndexError> {
        self.shared.flush()
    }
}

impl Drop for DiskIndex {
    /// Writes what waits, if it can be written, and closes the file. What cannot be written is fed
    /// again from the log after the next start.
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.stopping = true;
            state.halted = false;
        });
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the index of ids has panicked");
        }
    }
}
