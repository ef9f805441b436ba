//! The on-disk index of history's ids, derived from the log.

mod background;
mod block;
mod build;
mod disk;
mod filter;
mod memory;
mod merge;
mod run;
mod shared;
mod store;
#[cfg(test)]
mod tests;

use hashbrown::HashMap;

use purser_events::Position;
use purser_projections::recall::{RecallKey, Record};

pub use disk::{DiskIndex, Figures, Kept, Tuning};
pub use memory::MemoryIndex;
pub use store::Opener;

/// Why the index cannot be used. It is derived: it may be deleted and is then rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The storage cannot be read or written.
    #[error("the index of ids cannot be used")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stored records have another form than this program's, or bytes were changed: the file is
    /// to be thrown away and made anew from the log.
    #[error("the index of ids is damaged")]
    Damaged,
}

/// The index of history's ids.
pub trait Index: Send + Sync {
    /// Everything up to here is in the index; what follows must be fed again after a start.
    fn checkpoint(&self) -> Position;

    /// What the index knows of these keys, merged over all its parts: each known key once, in any
    /// order.
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
    /// When an earlier generation could not be written yet. Nothing is lost: this generation is
    /// taken over and visible all the same, and writing is tried again now, and by every later
    /// call. They are held in memory until then, so a caller that sees an error waits for a
    /// [`Index::flush`] that succeeds before it absorbs more.
    fn absorb(
        &self,
        generation: HashMap<RecallKey, Record>,
        position: Position,
    ) -> Result<(), IndexError>;

    /// Waits until everything absorbed is on disk; tries again what failed before.
    ///
    /// # Errors
    /// When it cannot be written; it is still visible, and kept for the next try.
    fn flush(&self) -> Result<(), IndexError>;
}
