//! The log: an append-only sequence of envelopes, in blocks, with a checksum and a tree root each.

pub mod batch;
mod block;
pub mod directory;
mod error;
mod files;
pub mod memory;
mod overlay;
mod pruned;
mod range;
mod read;
pub mod redb_log;
mod sealed;
pub mod sealer;
mod settle;
mod store;
mod stored;
#[cfg(test)]
mod tests;
mod tree;
mod unfinished;
mod varint;
pub mod verify;

use std::ops::ControlFlow;

use purser_events::{Envelope, Micros, Position};

pub use batch::{Batch, BatchId};
pub use error::{AcquireError, AppendError, Damage, ReadError};
pub use memory::MemoryLog;
pub use pruned::{PrunedRange, Pruner, RangeFault, Ranges};
pub use range::SealedRange;
pub use redb_log::RedbLog;
pub use sealer::Sealer;
pub use verify::{Verified, VerifyError, verify, verify_with};

/// The RFC 6962 (SHA-256) tree hash of all entries up to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Root(pub [u8; 32]);

/// Where the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last position; [`Position::ORIGIN`] when the log is empty.
    pub position: Position,
    /// When the last event was recorded.
    pub recorded_at: Micros,
    /// The tree root of all entries.
    pub root: Root,
}

/// The right to append. A newer lease fences every older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    /// Grows with every acquisition, for ever.
    pub epoch: u64,
}

/// What became of a batch whose append ended in [`AppendError::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It is in the log, and durable.
    Committed(End),
    /// It is not in the log, and never will be.
    Absent,
}

/// What a log can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in one batch.
    pub batch_events_max: usize,
    /// Bytes of stored envelopes in one batch.
    pub batch_bytes_max: usize,
    /// Bytes of one stored envelope.
    pub envelope_bytes_max: usize,
}

/// What the logs of this program take.
pub(crate) const LIMITS: Limits = Limits {
    batch_events_max: 1 << 20,
    batch_bytes_max: 256 << 20,
    envelope_bytes_max: 16 << 20,
};

/// Refuses a batch that does not follow the end, or that is too large.
pub(crate) fn check_batch(
    batch: &Batch,
    found: Position,
    limits: Limits,
) -> Result<(), AppendError> {
    let expected = batch.after();
    if expected != found {
        return Err(AppendError::Conflict { expected, found });
    }
    let longest = batch.rows().map(<[u8]>::len).max().unwrap_or(0);
    if batch.len() > limits.batch_events_max
        || batch.bytes().len() > limits.batch_bytes_max
        || longest > limits.envelope_bytes_max
    {
        return Err(AppendError::TooLarge);
    }
    Ok(())
}

/// Writes the log. There is one writer; it holds a lease.
pub trait Log: Send {
    /// What this log can take.
    fn limits(&self) -> Limits;

    /// Takes the right to append; every older lease is fenced from now on.
    ///
    /// # Errors
    /// When the log cannot be reached or is held elsewhere.
    fn acquire(&mut self) -> Result<Lease, AcquireError>;

    /// Where the log ends now.
    fn end(&self) -> End;

    /// Appends a batch: all of it or nothing. When this returns `Ok`, the batch is durable.
    ///
    /// # Errors
    /// See [`AppendError`]. After `Unknown`, ask [`Log::resolve`] before anything else.
    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError>;

    /// Finds out what became of the batch that was tried last: no other can be in doubt.
    ///
    /// # Errors
    /// When the log cannot be read; then nothing is known still.
    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError>;

    /// A reader of the same log, for any thread.
    fn reader(&self) -> std::sync::Arc<dyn LogReader>;
}

/// Reads the log.
pub trait LogReader: Send + Sync {
    /// Where the log ends now.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn end(&self) -> Result<End, ReadError>;

    /// The tree root of all entries up to `position`; `None` past the end. May have to hash the
    /// segment that holds the position.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn root_at(&self, position: Position) -> Result<Option<Root>, ReadError>;

    /// The first sealed range that begins at `from` or behind it; `None` while there is none.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn sealed_range(&self, from: Position) -> Result<Option<SealedRange>, ReadError> {
        let _ = from;
        Ok(None)
    }

    /// Hands over every envelope from `from` on, in order and without gaps, many at a time, until
    /// `each` breaks or the log ends. Answers the next position to read: when `each` broke, the
    /// one behind the envelopes that it was given last; when `from` lies past the end, `from`.
    ///
    /// The vector is never empty. What is left in it is dropped afterwards, its memory is used
    /// again. Nothing of the log is held open while `each` runs, so it may wait.
    ///
    /// # Errors
    /// When a byte is missing or changed; the error names the position.
    fn read_batches(
        &self,
        from: Position,
        each: &mut dyn FnMut(&mut Vec<Envelope>) -> ControlFlow<()>,
    ) -> Result<Position, ReadError>;

    /// Hands over every envelope from `from` on, in order and without gaps, until `each` breaks or
    /// the log ends. Answers the next position to read.
    ///
    /// # Errors
    /// When a byte is missing or changed; the error names the position.
    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Envelope) -> ControlFlow<()>,
    ) -> Result<Position, ReadError> {
        let mut broke_at = None;
        let next = self.read_batches(from, &mut |envelopes| {
            for envelope in envelopes.drain(..) {
                let position = envelope.position;
                if each(envelope).is_break() {
                    broke_at = Some(position.next());
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(broke_at.unwrap_or(next))
    }
}
