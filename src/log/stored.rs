//! What the log's two files hold at one moment, and how to find one's way in it.

use std::sync::Arc;

use purser_events::Position;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError};

use super::error::{Damage, ReadError};
use super::files::Files;
use super::pruned::{ARCHIVE, PLACES, Ranges, Stub};
use super::read::{Chunk, damaged, tree_at};
use super::sealed::Segment;
use super::store::StoreError;
use super::tree::Frontier;

/// Blocks that are not sealed yet, by first position: in the hot file.
pub(crate) const BLOCKS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("blocks");

/// The parts of sealed segments, by first position of the segment and number of the part: in the
/// cold file.
pub(crate) const SEALED: TableDefinition<'static, (u64, u32), &[u8]> =
    TableDefinition::new("sealed");

/// The format and the lease: in the cold file.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// The format of the tables and of what stands in them.
pub(crate) const META_FORMAT: &str = "format";

/// The epoch of the last lease.
pub(crate) const META_EPOCH: &str = "epoch";

/// Up to where the log was made anew from sealed ranges: only such a log may end with one.
pub(crate) const META_RESTORED: &str = "restored";

/// Up to where ranges are kept elsewhere only.
pub(crate) const META_PRUNED: &str = "pruned";

/// The blocks and segments of one moment.
#[derive(Debug)]
pub(crate) struct Stored {
    blocks: ReadOnlyTable<u64, &'static [u8]>,
    sealed: ReadOnlyTable<(u64, u32), &'static [u8]>,
    sealed_to: Position,
    cold: ReadTransaction,
    elsewhere: Option<Arc<dyn Ranges>>,
}

/// The stored bytes of a block.
pub(crate) struct BlockBytes(redb::AccessGuard<'static, &'static [u8]>);

impl AsRef<[u8]> for BlockBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

/// Blocks in order, from either end.
pub(crate) struct Blocks {
    range: redb::Range<'static, u64, &'static [u8]>,
    near: Position,
}

impl Blocks {
    fn read(&self, entry: Entry) -> Result<(Position, BlockBytes), ReadError> {
        let (first, bytes) = entry.map_err(|error| unreadable(self.near, error))?;
        Ok((Position(first.value()), BlockBytes(bytes)))
    }
}

type Entry = Result<
    (
        redb::AccessGuard<'static, u64>,
        redb::AccessGuard<'static, &'static [u8]>,
    ),
    redb::StorageError,
>;

impl Iterator for Blocks {
    type Item = Result<(Position, BlockBytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.range.next()?;
        Some(self.read(entry))
    }
}

impl DoubleEndedIterator for Blocks {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.range.next_back()?;
        Some(self.read(entry))
    }
}

/// Turns a failure of the storage into one of reading at a position.
pub(crate) fn unreadable(position: Position, error: impl Into<StoreError>) -> ReadError {
    let source = Box::new(error.into());
    ReadError::Unreadable { position, source }
}

impl Stored {
    /// What is stored now. The position is for the error only.
    pub(crate) fn now(files: &Files, position: Position) -> Result<Self, ReadError> {
        let mut stored = Self::open(files).map_err(|error| unreadable(position, error))?;
        stored.sealed_to = stored.find_sealed_to()?;
        Ok(stored)
    }

    fn open(files: &Files) -> Result<Self, StoreError> {
        // The hot file first: what leaves it was in the cold one before, so that a range which is
        // sealed meanwhile is seen twice rather than not at all.
        let blocks = files.hot.begin_read()?.open_table(BLOCKS)?;
        let cold = files.cold.begin_read()?;
        Ok(Self {
            blocks,
            sealed: cold.open_table(SEALED)?,
            sealed_to: Position::ORIGIN,
            cold,
            elsewhere: files.elsewhere.get(),
        })
    }

    fn find_sealed_to(&self) -> Result<Position, ReadError> {
        let Some(first) = self.segment_before(Position(u64::MAX))? else {
            return Ok(Position::ORIGIN);
        };
        let count = u64::from(self.count_of(first)?);
        let last = first
            .0
            .checked_add(count)
            .and_then(|end| end.checked_sub(1));
        last.map(Position).ok_or(damaged(first, Damage::Form))
    }

    /// The last position that is sealed. Blocks up to there are left over, and do not count.
    pub(crate) const fn sealed_to(&self) -> Position {
        self.sealed_to
    }

    /// The newest block.
    pub(crate) fn last_block(&self) -> Result<Option<(Position, BlockBytes)>, ReadError> {
        let mut blocks = self.blocks(Position::ORIGIN, Position(u64::MAX))?;
        blocks.next_back().transpose()
    }

    /// The blocks that are not sealed and begin between two positions, both included; in order,
    /// from either end.
    pub(crate) fn blocks(&self, from: Position, to: Position) -> Result<Blocks, ReadError> {
        let from = from.max(self.sealed_to.next());
        self.range(from, to)
    }

    /// The blocks that are sealed and were not removed yet.
    pub(crate) fn left_over(&self) -> Result<Blocks, ReadError> {
        self.range(Position::ORIGIN, self.sealed_to)
    }

    fn range(&self, from: Position, to: Position) -> Result<Blocks, ReadError> {
        // redb refuses a range that ends before it begins.
        let range = match from <= to {
            true => self.blocks.range(from.0..=to.0),
            false => self.blocks.range(0..0),
        };
        let range = range.map_err(|error| unreadable(from, error))?;
        Ok(Blocks { range, near: from })
    }

    /// How many bytes the hot file holds in blocks.
    pub(crate) fn hot_bytes(&self) -> Result<u64, ReadError> {
        let unread = |error: redb::StorageError| unreadable(self.sealed_to, error);
        let mut bytes = 0;
        for entry in self.blocks.iter().map_err(unread)? {
            bytes += entry.map_err(unread)?.1.value().len() as u64;
        }
        Ok(bytes)
    }

    /// The first position of the segment that holds a position, or else of the one before it.
    pub(crate) fn segment_before(&self, position: Position) -> Result<Option<Position>, ReadError> {
        let unread = |error: redb::StorageError| unreadable(position, error);
        let mut before = self
            .sealed
            .range(..=(position.0, u32::MAX))
            .map_err(unread)?;
        let last = before.next_back().transpose().map_err(unread)?;
        Ok(last.map(|(key, _)| Position(key.value().0)))
    }

    /// The first position of the first segment that begins at or behind a position.
    pub(crate) fn segment_from(&self, position: Position) -> Result<Option<Position>, ReadError> {
        let unread = |error: redb::StorageError| unreadable(position, error);
        let mut from = self.sealed.range((position.0, 0)..).map_err(unread)?;
        let next = from.next().transpose().map_err(unread)?;
        Ok(next.map(|(key, _)| Position(key.value().0)))
    }

    /// Appends the bytes of the segment that begins at a position: from where it is kept, if that
    /// is not here.
    pub(crate) fn segment(&self, first: Position, into: &mut Vec<u8>) -> Result<(), ReadError> {
        let start = into.len();
        self.row(first, into)?;
        if Stub::is_one(&into[start..]) {
            let stub =
                Stub::read(first, &into[start..]).map_err(|damage| damaged(first, damage))?;
            let fetched = stub.fetch(self.elsewhere.as_deref(), self.place()?)?;
            into.truncate(start);
            into.extend_from_slice(&fetched);
        }
        Ok(())
    }

    /// The tree that the stub of a range names, if the range that begins at a position was pruned.
    pub(crate) fn pruned_tree(&self, first: Position) -> Result<Option<Frontier>, ReadError> {
        let part = self.sealed.get((first.0, 0));
        let part = part.map_err(|error: redb::StorageError| unreadable(first, error))?;
        let Some(part) = part.filter(|part| Stub::is_one(part.value())) else {
            return Ok(None);
        };
        let stub = Stub::read(first, part.value()).map_err(|damage| damaged(first, damage))?;
        Ok(Some(stub.tree))
    }

    /// Where pruned ranges were put, in words.
    fn place(&self) -> Result<String, ReadError> {
        let read = || -> Result<String, StoreError> {
            let places = self.cold.open_table(PLACES)?;
            let place = places.get(ARCHIVE)?;
            Ok(place.map_or_else(String::new, |place| place.value().to_owned()))
        };
        read().map_err(|error| unreadable(Position(1), error))
    }

    /// Appends what is stored of the segment that begins at a position: its bytes, or a stub.
    fn row(&self, first: Position, into: &mut Vec<u8>) -> Result<(), ReadError> {
        let unread = |error: redb::StorageError| unreadable(first, error);
        let parts = self.sealed.range((first.0, 0)..=(first.0, u32::MAX));
        for entry in parts.map_err(unread)? {
            into.extend_from_slice(entry.map_err(unread)?.1.value());
        }
        Ok(())
    }

    /// The first position of the segment that holds a position, if it is sealed.
    pub(crate) fn segment_of(&self, position: Position) -> Result<Option<Position>, ReadError> {
        let Some(first) = self.segment_before(position)? else {
            return Ok(None);
        };
        let count = self.count_of(first)?;
        Ok((position.0 - first.0 < u64::from(count)).then_some(first))
    }

    /// How many events the segment that begins at a position says it holds.
    fn count_of(&self, first: Position) -> Result<u32, ReadError> {
        let unread = |error: redb::StorageError| unreadable(first, error);
        let part = self.sealed.get((first.0, 0)).map_err(unread)?;
        let count = part.and_then(|part| Segment::peek_count(part.value()));
        count.ok_or(damaged(first, Damage::Form))
    }

    /// Fills a chunk for [`super::read::Source::fetch`].
    pub(crate) fn fetch(&self, from: Position, into: &mut Chunk) -> Result<(), ReadError> {
        // Where a segment is missing the next one is handed over, and the gap shows.
        let segment = match self.segment_of(from)? {
            Some(first) => Some(first),
            None => self.segment_from(from)?,
        };
        if let Some(first) = segment {
            return self.segment(first, into.sealed(first));
        }
        let before = self
            .blocks(Position::ORIGIN, from)?
            .next_back()
            .transpose()?;
        let start = before.map_or(Position::ORIGIN, |(first, _)| first);
        for entry in self.blocks(start, Position(u64::MAX))? {
            let (first, bytes) = entry?;
            if into.push(first, bytes.as_ref()) {
                break;
            }
        }
        Ok(())
    }

    /// The tree at the end of what is sealed.
    pub(crate) fn sealed_tree(&self) -> Result<Frontier, ReadError> {
        self.tree_behind(Position(u64::MAX))
    }

    /// The tree at the end of the segment that holds a position, or else of the one before it.
    pub(crate) fn tree_behind(&self, position: Position) -> Result<Frontier, ReadError> {
        let Some(first) = self.segment_before(position)? else {
            return Ok(Frontier::EMPTY);
        };
        let mut bytes = Vec::new();
        self.row(first, &mut bytes)?;
        let tree = match Stub::is_one(&bytes) {
            true => Stub::read(first, &bytes).map(|stub| stub.tree),
            false => Segment::read(first, &bytes)
                .and_then(|segment| segment.frontier().ok_or(Damage::Form)),
        };
        tree.map_err(|damage| damaged(first, damage))
    }

    /// The tree at a position that is in the log.
    pub(crate) fn tree_at(&self, position: Position) -> Result<Frontier, ReadError> {
        if let Some(first) = self.segment_of(position)? {
            return self.tree_inside(first, position);
        }
        let blocks = self.blocks(Position::ORIGIN, position)?.rev();
        tree_at(position, blocks, || self.tree_behind(position))
    }

    fn tree_inside(&self, first: Position, position: Position) -> Result<Frontier, ReadError> {
        if position.0 - first.0 + 1 == u64::from(self.count_of(first)?) {
            return self.tree_behind(position);
        }
        let mut tree = self.tree_behind(Position(first.0 - 1))?;
        let mut bytes = Vec::new();
        self.segment(first, &mut bytes)?;
        let segment = Segment::read(first, &bytes).map_err(|damage| damaged(first, damage))?;
        segment.each_leaf(position, &mut tree, |_, _| Ok(()))?;
        Ok(tree)
    }
}

/// Reads a number of the meta table; `None` also when there is no such table yet.
pub(crate) fn meta(transaction: &ReadTransaction, key: &str) -> Result<Option<u64>, StoreError> {
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(table.get(key)?.map(|value| value.value()))
}
