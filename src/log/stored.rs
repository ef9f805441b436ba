//! What the redb file holds at one moment, and how to find one's way in it.

use purser_events::Position;
use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, TableError};

use super::error::{Damage, ReadError};
use super::read::{Chunk, damaged, tree_at};
use super::sealed::Segment;
use super::store::{Store, StoreError};
use super::tree::Frontier;

/// Blocks that are not sealed yet, by first position.
pub(crate) const BLOCKS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("blocks");

/// The parts of sealed segments, by first position of the segment and number of the part.
pub(crate) const SEALED: TableDefinition<'static, (u64, u32), &[u8]> =
    TableDefinition::new("sealed");

/// The format and the lease.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// The format of the tables and of what stands in them.
pub(crate) const META_FORMAT: &str = "format";

/// The epoch of the last lease.
pub(crate) const META_EPOCH: &str = "epoch";

/// The blocks and segments of one moment.
#[derive(Debug)]
pub(crate) struct Stored {
    blocks: ReadOnlyTable<u64, &'static [u8]>,
    sealed: ReadOnlyTable<(u64, u32), &'static [u8]>,
}

/// The stored bytes of a block.
pub(crate) struct BlockBytes(redb::AccessGuard<'static, &'static [u8]>);

impl AsRef<[u8]> for BlockBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

/// Turns a failure of the storage into one of reading at a position.
pub(crate) fn unreadable(position: Position, error: impl Into<StoreError>) -> ReadError {
    let source = Box::new(error.into());
    ReadError::Unreadable { position, source }
}

impl Stored {
    /// What is stored now. The position is for the error only.
    pub(crate) fn now(store: &Store, position: Position) -> Result<Self, ReadError> {
        let open = || Self::open(&store.begin_read()?);
        open().map_err(|error| unreadable(position, error))
    }

    fn open(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            blocks: transaction.open_table(BLOCKS)?,
            sealed: transaction.open_table(SEALED)?,
        })
    }

    /// The newest block.
    pub(crate) fn last_block(&self) -> Result<Option<(Position, BlockBytes)>, ReadError> {
        self.blocks(.., Position::ORIGIN)?.next_back().transpose()
    }

    /// The blocks that begin in a range of positions, in order, from either end.
    pub(crate) fn blocks<R: std::ops::RangeBounds<u64>>(
        &self,
        range: R,
        near: Position,
    ) -> Result<
        impl DoubleEndedIterator<Item = Result<(Position, BlockBytes), ReadError>> + use<R>,
        ReadError,
    > {
        let unread = move |error: redb::StorageError| unreadable(near, error);
        let blocks = self.blocks.range(range).map_err(unread)?;
        Ok(blocks.map(move |entry| {
            let (first, bytes) = entry.map_err(unread)?;
            Ok((Position(first.value()), BlockBytes(bytes)))
        }))
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

    /// Appends the stored bytes of the segment that begins at a position.
    pub(crate) fn segment(&self, first: Position, into: &mut Vec<u8>) -> Result<(), ReadError> {
        let unread = |error: redb::StorageError| unreadable(first, error);
        let parts = self.sealed.range((first.0, 0)..=(first.0, u32::MAX));
        for entry in parts.map_err(unread)? {
            into.extend_from_slice(entry.map_err(unread)?.1.value());
        }
        Ok(())
    }

    /// The first position of the segment that holds a position, if it is sealed.
    fn segment_of(&self, position: Position) -> Result<Option<Position>, ReadError> {
        let Some(first) = self.segment_before(position)? else {
            return Ok(None);
        };
        let unread = |error: redb::StorageError| unreadable(position, error);
        let part = self.sealed.get((first.0, 0)).map_err(unread)?;
        let count = part.and_then(|part| Segment::peek_count(part.value()));
        let count = count.ok_or(damaged(first, Damage::Form))?;
        Ok((position.0 - first.0 < u64::from(count)).then_some(first))
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
        let before = self.blocks(..=from.0, from)?.next_back().transpose()?;
        let start = before.map_or(0, |(first, _)| first.0);
        for entry in self.blocks(start.., from)? {
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
    fn tree_behind(&self, position: Position) -> Result<Frontier, ReadError> {
        let Some(first) = self.segment_before(position)? else {
            return Ok(Frontier::EMPTY);
        };
        let mut bytes = Vec::new();
        self.segment(first, &mut bytes)?;
        let segment = Segment::read(first, &bytes);
        let tree = segment.and_then(|segment| segment.frontier().ok_or(Damage::Form));
        tree.map_err(|damage| damaged(first, damage))
    }

    /// The tree at a position that is in the log.
    pub(crate) fn tree_at(&self, position: Position) -> Result<Frontier, ReadError> {
        if let Some(first) = self.segment_of(position)? {
            return self.tree_inside(first, position);
        }
        let blocks = self.blocks(..=position.0, position)?.rev();
        tree_at(position, blocks, || self.tree_behind(position))
    }

    fn tree_inside(&self, first: Position, position: Position) -> Result<Frontier, ReadError> {
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
