//! Sealed ranges of the log outside of it: read out, checked by themselves, and taken in again.

use purser_events::{Micros, Position};

use super::error::{Damage, ReadError};
use super::read::damaged;
use super::redb_log::{RedbLog, Shared};
use super::sealed::{Segment, chunks};
use super::store::{Store, StoreError};
use super::stored::{META, META_RESTORED, SEALED, Stored, unreadable};
use super::tree::Frontier;
use super::{End, Root};

/// A sealed range of the log, byte for byte as it is stored. It says by itself which entries it
/// holds and what the tree root is behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRange {
    /// Its first position.
    pub first: Position,
    /// Its last position.
    pub last: Position,
    /// The tree root of all entries up to there.
    pub root: Root,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl SealedRange {
    /// Reads a range from its bytes: checksum and form. What is packed in it is looked at when it
    /// is taken in.
    ///
    /// # Errors
    /// When a byte is missing or changed.
    pub fn read(first: Position, bytes: Vec<u8>) -> Result<Self, ReadError> {
        let segment = Segment::read(first, &bytes).map_err(|damage| damaged(first, damage))?;
        Ok(Self {
            first,
            last: segment.last(),
            root: segment.root,
            bytes,
        })
    }
}

/// The sealed range that begins at or behind a position, if there is one by now.
pub(super) fn range_from(
    shared: &Shared,
    from: Position,
) -> Result<Option<SealedRange>, ReadError> {
    let stored = Stored::now(&shared.files, from)?;
    let Some(first) = stored.segment_from(from)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    stored.segment(first, &mut bytes)?;
    SealedRange::read(first, bytes).map(Some)
}

impl RedbLog {
    /// Takes in a range that follows the end of a log of nothing but sealed ranges. Every entry is
    /// decoded, and the tree root behind it compared, before a byte is written.
    ///
    /// # Errors
    /// When the range does not follow, is damaged, or cannot be written.
    pub fn take_in(&mut self, range: &SealedRange) -> Result<End, ReadError> {
        let end = self.shared().end();
        if range.first != end.position.next() || self.shared().hot_bytes() > 0 {
            return Err(damaged(range.first, Damage::Gap));
        }
        let (tree, recorded_at) = range.prove(self.tree())?;
        store(&self.shared().files.cold, range).map_err(|error| unreadable(range.first, error))?;
        let end = End {
            position: range.last,
            recorded_at,
            root: tree.root(),
        };
        self.set_end(tree, end);
        Ok(end)
    }
}

/// Stores a range, and that a log may end with it: both, or neither.
fn store(cold: &Store, range: &SealedRange) -> Result<(), StoreError> {
    let writing = cold.writing();
    let transaction = writing.begin()?;
    {
        let mut sealed = transaction.open_table(SEALED)?;
        for (chunk, number) in chunks(&range.bytes).zip(0..) {
            sealed.insert((range.first.0, number), chunk)?;
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert(META_RESTORED, range.last.0)?;
    }
    Ok(transaction.commit()?)
}

impl SealedRange {
    /// Decodes every entry and compares the root behind it, given the tree before it. Answers the
    /// tree there, and when the last entry was recorded.
    pub(super) fn prove(&self, before: &Frontier) -> Result<(Frontier, Micros), ReadError> {
        let first = self.first;
        let segment = Segment::read(first, &self.bytes).map_err(|damage| damaged(first, damage))?;
        let mut tree = before.clone();
        let mut recorded_at = Micros(0);
        segment.each_leaf(segment.last(), &mut tree, |envelope, _| {
            recorded_at = envelope.recorded_at;
            Ok(())
        })?;
        if tree.root() != segment.root {
            return Err(damaged(first, Damage::Root));
        }
        Ok((tree, recorded_at))
    }
}
