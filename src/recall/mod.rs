//! The on-disk index of history's ids, derived from the log.

mod memory;

use hashbrown::HashMap;

use purser_events::Position;
use purser_projections::recall::{RecallKey, Record};

pub use memory::MemoryIndex;

/// Why the index cannot be used. It is derived: it may be deleted and is then rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The storage cannot be read or written.
    #[error("the index of ids cannot be used")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stored records have another form than this program's.
    #[error("the index of ids is damaged")]
    Damaged,
}

/// The index of history's ids.
pub trait Index: Send + Sync {
    /// Everything up to here is in the index; what follows must be fed again after a start.
    fn checkpoint(&self) -> Position;

    /// What the index knows of these keys, merged over all its parts.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn load(
        &self,
        keys: &[RecallKey],
        found: &mut dyn FnMut(RecallKey, Record),
    ) -> Result<(), IndexError>;

    /// Takes over a generation of records, complete up to `position`, and returns at once: it is
    /// visible to [`Index::load`] from now on, and written in the background. Blocks only while
    /// two older generations still wait to be written.
    ///
    /// # Errors
    /// When an earlier generation could not be written.
    fn absorb(
        &self,
        generation: HashMap<RecallKey, Record>,
        position: Position,
    ) -> Result<(), IndexError>;

    /// Waits until everything absorbed is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    fn flush(&self) -> Result<(), IndexError>;
}
