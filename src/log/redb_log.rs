//! The log in redb files: the embedded default.
//!
//! One transaction of the hot file per batch, durable when `append` returns. It has one sync; where
//! a crash may fall:
//!
//! - before the sync, or in it: either root may be in force. redb takes the new one only if all of
//!   its pages are there, so the batch is there whole or not at all;
//! - after it: the batch is there.
//!
//! Hence what a failed [`Log::append`] answers. After a failed write the file is opened again at
//! once: redb then settles on one root, for ever, and syncs it. If the batch is there, the append
//! did succeed; if not, it is `Full` or `Unavailable`. Where the file cannot even be opened, it is
//! `Unknown`, but for a full disk before the sync, after which the batch cannot be there.
//! After a failed sync the operating system may show bytes that never reached the disk, so that
//! looking again proves nothing: that is `Unknown`, and `resolve` and every later `append` fail
//! until the process is started anew.
//!
//! The sealer moves blocks to the cold file and so keeps the hot one small. Where batches come
//! faster than it packs, the writer packs a segment itself before it appends: the hot file, which
//! redb walks when it is opened after a crash, never holds much more than [`HOT_BYTES_MAX`].

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use purser_events::codec::decode_envelope;
use purser_events::{Envelope, Micros, Position};
use redb::{StorageBackend, WriteTransaction};

use super::block::{Block, cut};
use super::error::Damage;
use super::files::Files;
use super::range::{SealedRange, range_from};
use super::read::{Chunk, Source, advance, damaged, read_batches, read_block};
use super::sealer::{Bell, seal_oldest};
use super::settle::settle;
use super::store::{Failure, Store, StoreError};
use super::stored::{BLOCKS, META_EPOCH, META_FORMAT, META_RESTORED, Stored, unreadable};
use super::tree::Frontier;
use super::{AcquireError, AppendError, Batch, BatchId, End, Lease, Log, LogReader};
use super::{Limits, ReadError, Resolution, Root, directory};

/// The writer seals by itself before it appends to a hot file that holds more than this.
pub(crate) const HOT_BYTES_MAX: u64 = 128 << 20;

/// The log in redb files.
#[derive(Debug)]
pub struct RedbLog {
    shared: Arc<Shared>,
    tree: Frontier,
    epoch: u64,
    hot_bytes_max: u64,
}

/// What the log and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) files: Files,
    pub(crate) bell: Bell,
    /// Held while a segment is packed and stored: by one at a time.
    pub(crate) sealing: Mutex<()>,
    end: RwLock<End>,
    // Bytes of the blocks in the hot file.
    hot_bytes: AtomicU64,
}

impl Shared {
    /// Where the log ends now.
    pub(crate) fn end(&self) -> End {
        *self.end.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_end(&self, end: End) {
        *self.end.write().unwrap_or_else(PoisonError::into_inner) = end;
        self.bell.ring(end.position, self.hot_bytes());
    }

    /// How many bytes of blocks the hot file holds.
    pub(crate) fn hot_bytes(&self) -> u64 {
        self.hot_bytes.load(Ordering::Acquire)
    }

    /// Counts blocks that were removed from the hot file.
    pub(crate) fn cooled(&self, bytes: u64) {
        self.hot_bytes.fetch_sub(bytes, Ordering::AcqRel);
    }
}

impl RedbLog {
    /// Opens the log in a data directory; makes both when they do not exist.
    ///
    /// # Errors
    /// When another process holds the log, when it is of a newer format (then no byte of the
    /// directory is changed), when one of its files is gone, or when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, AcquireError> {
        let cold = Arc::new(directory::open(directory)?);
        let log = Self::on(cold, directory, |found| {
            Ok(Arc::new(directory::open_hot(directory, found)?))
        })?;
        directory::mark(directory, log.format()?)?;
        Ok(log)
    }

    /// Opens the log on any storages, the hot one and the cold one: for tests that crash them.
    /// After a failure the log opens the same backends again, so `close` may be called more than
    /// once, and reading may follow it.
    ///
    /// # Errors
    /// As [`RedbLog::open`], except that storages of a newer format may have been written to.
    pub fn create_with_backends(
        hot: impl StorageBackend,
        cold: impl StorageBackend,
    ) -> Result<Self, AcquireError> {
        Self::on(Arc::new(cold), Path::new("(storage)"), |_| {
            Ok(Arc::new(hot))
        })
    }

    fn on(
        cold: Arc<dyn StorageBackend>,
        directory: &Path,
        hot: impl FnOnce(Option<u32>) -> Result<Arc<dyn StorageBackend>, AcquireError>,
    ) -> Result<Self, AcquireError> {
        let (files, found) = Files::open(cold, directory, hot)?;
        settle(&files, found)?;
        let unreachable = |error: StoreError| AcquireError::Unreachable(Box::new(error));
        let epoch = files.meta(META_EPOCH).map_err(unreachable)?;
        let stored = Stored::now(&files, Position::ORIGIN)?;
        let (end, tree) = find_end(&files, &stored)?;
        let hot_bytes = stored.hot_bytes()?;
        drop(stored);
        let shared = Arc::new(Shared {
            files,
            bell: Bell::default(),
            sealing: Mutex::new(()),
            end: RwLock::new(end),
            hot_bytes: AtomicU64::new(hot_bytes),
        });
        Ok(Self {
            shared,
            tree,
            epoch: epoch.unwrap_or(0),
            hot_bytes_max: HOT_BYTES_MAX,
        })
    }

    /// The format that the files are in by now.
    fn format(&self) -> Result<u32, AcquireError> {
        let found = self.shared.files.meta(META_FORMAT);
        let found = found.map_err(|error| AcquireError::Unreachable(Box::new(error)))?;
        Ok(found.map_or(directory::FORMAT, |found| {
            u32::try_from(found).unwrap_or(u32::MAX)
        }))
    }

    /// Sets how much the hot file may hold before the writer seals by itself.
    #[cfg(test)]
    pub(crate) const fn set_hot_bytes_max(&mut self, bytes: u64) {
        self.hot_bytes_max = bytes;
    }

    /// The tree at the end of the log.
    pub(crate) const fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// The log ends elsewhere now: what is sealed in it has grown.
    pub(crate) fn set_end(&mut self, tree: Frontier, end: End) {
        self.tree = tree;
        self.shared.set_end(end);
    }

    /// What the log shares with its readers.
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Seals every block but the newest, and answers up to where the log is sealed now.
    ///
    /// # Errors
    /// When the log is damaged, or cannot be written.
    pub fn seal_all(&self) -> Result<Position, ReadError> {
        super::sealer::seal_all(&self.shared)
    }

    /// Seals every block but the newest, and gives the space that nothing uses back to the system.
    /// Answers up to where the log is sealed now. No reader may be reading.
    ///
    /// # Errors
    /// When the log is damaged, or cannot be written.
    pub fn compact(&mut self) -> Result<Position, ReadError> {
        let sealed = self.seal_all()?;
        let files = &self.shared.files;
        let compacted = files.cold.compact().and_then(|()| files.hot.compact());
        compacted.map_err(|error| unreadable(sealed, error))?;
        Ok(sealed)
    }

    fn check(&self, lease: Lease, batch: &Batch) -> Result<(), AppendError> {
        if lease.epoch != self.epoch {
            return Err(AppendError::Fenced);
        }
        super::check_batch(batch, self.end().position, super::LIMITS)?;
        if self.shared.files.sync_failed() {
            return Err(AppendError::Unknown(Box::new(StoreError::SyncFailed)));
        }
        Ok(())
    }

    /// Keeps the hot file small where the sealer does not keep up.
    fn make_room(&self) -> Result<(), AppendError> {
        while self.shared.hot_bytes() > self.hot_bytes_max {
            match seal_oldest(&self.shared) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let watch = self.shared.files.cold.watch();
                    return Err(match watch.failure() {
                        Failure::Full => AppendError::Full,
                        Failure::Sync => AppendError::Unknown(Box::new(error)),
                        _ => AppendError::Unavailable(Box::new(error)),
                    });
                }
            }
        }
        Ok(())
    }

    /// Finds out what a failed append means. See the module's own words.
    fn judge(&mut self, batch: BatchId, attempt: Attempt) -> Result<End, AppendError> {
        let watch = self.shared.files.hot.watch();
        let full = watch.failure() == Failure::Full;
        let before_sync = watch.syncs() == attempt.syncs;
        let error = Box::new(attempt.error);
        if watch.sync_failed() {
            return Err(AppendError::Unknown(error));
        }
        match self.look_for(batch) {
            Ok(Resolution::Committed(end)) => Ok(end),
            Ok(Resolution::Absent) if full => Err(AppendError::Full),
            Ok(Resolution::Absent) => Err(AppendError::Unavailable(error)),
            // A page of the new root, or the head of the file that names it, was not written: it
            // will never pass for whole.
            Err(_) if full && before_sync => Err(AppendError::Full),
            Err(_) => Err(AppendError::Unknown(error)),
        }
    }

    fn look_for(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        let position = self.end().position;
        let unreadable = |error: StoreError| unreadable(position, error);
        let files = &self.shared.files;
        files.hot.writing().recover().map_err(unreadable)?;
        let stored = Stored::now(files, position)?;
        if last_batch(&stored)? != Some(batch) {
            return Ok(Resolution::Absent);
        }
        let (end, tree) = find_end(files, &stored)?;
        let hot_bytes = stored.hot_bytes()?;
        self.shared.hot_bytes.store(hot_bytes, Ordering::Release);
        self.tree = tree;
        self.shared.set_end(end);
        Ok(Resolution::Committed(end))
    }
}

/// An append that failed, and how many syncs had succeeded when its transaction began.
struct Attempt {
    error: StoreError,
    syncs: u64,
}

impl Log for RedbLog {
    fn limits(&self) -> Limits {
        super::LIMITS
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        let epoch = self.epoch + 1;
        let written = self.shared.files.set_meta(META_EPOCH, epoch);
        written.map_err(|error| AcquireError::Unreachable(Box::new(error)))?;
        self.epoch = epoch;
        Ok(Lease { epoch })
    }

    fn end(&self) -> End {
        self.shared.end()
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        self.check(lease, batch)?;
        if batch.is_empty() {
            return Ok(self.end());
        }
        self.make_room()?;
        let mut tree = self.tree.clone();
        match write_batch(&self.shared.files.hot, batch, &mut tree) {
            Ok(bytes) => self.shared.hot_bytes.fetch_add(bytes, Ordering::AcqRel),
            Err(attempt) => return self.judge(batch.id(), attempt),
        };
        let end = End {
            position: batch.last(),
            recorded_at: batch.recorded_at(),
            root: tree.root(),
        };
        self.tree = tree;
        self.shared.set_end(end);
        Ok(end)
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        self.look_for(batch)
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(RedbReader {
            shared: self.shared.clone(),
        })
    }
}

/// Answers how many bytes of blocks were written.
fn write_batch(store: &Store, batch: &Batch, tree: &mut Frontier) -> Result<u64, Attempt> {
    let writing = store.writing();
    let begun = writing.begin();
    let syncs = store.watch().syncs();
    begun
        .and_then(|transaction| put_batch(transaction, batch, tree))
        .map_err(|error| Attempt { error, syncs })
}

fn put_batch(
    transaction: WriteTransaction,
    batch: &Batch,
    tree: &mut Frontier,
) -> Result<u64, StoreError> {
    let mut written = 0;
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        cut(batch, tree, |first, bytes| {
            written += bytes.len() as u64;
            blocks.insert(first.0, bytes).map(drop)
        })?;
    }
    transaction.commit()?;
    Ok(written)
}

/// Which batch the log ends with.
fn last_batch(stored: &Stored) -> Result<Option<BatchId>, ReadError> {
    let last = stored.last_block()?;
    last.map(|(first, bytes)| Ok(read_block(first, bytes.as_ref())?.batch))
        .transpose()
}

/// Where the log ends, and the tree there. The two files must fit together.
fn find_end(files: &Files, stored: &Stored) -> Result<(End, Frontier), ReadError> {
    check_seam(files, stored)?;
    let end = match stored.last_block()? {
        Some((first, bytes)) => end_of(&read_block(first, bytes.as_ref())?)?,
        None if stored.sealed_to() > Position::ORIGIN => end_of_sealed(stored)?,
        None => End {
            position: Position::ORIGIN,
            recorded_at: Micros(0),
            root: Frontier::EMPTY.root(),
        },
    };
    let tree = stored.tree_at(end.position)?;
    Ok((end, tree))
}

/// The oldest block follows what is sealed, by its position and by its root: the hot file is not
/// one of another log or another day. Sealing leaves the newest block, so where anything is sealed
/// there is a block; only a log that was made anew from sealed ranges may end with one.
fn check_seam(files: &Files, stored: &Stored) -> Result<(), ReadError> {
    let next = stored.sealed_to().next();
    match stored
        .blocks(next, Position(u64::MAX))?
        .next()
        .transpose()?
    {
        None if stored.sealed_to() == Position::ORIGIN => Ok(()),
        None if restored_to(files)? == Some(stored.sealed_to()) => Ok(()),
        Some((first, bytes)) if first == next => {
            let block = read_block(first, bytes.as_ref())?;
            advance(&mut stored.sealed_tree()?, &block, block.last())
        }
        _ => Err(damaged(next, Damage::Gap)),
    }
}

/// Up to where the log was made anew from sealed ranges, if it was.
fn restored_to(files: &Files) -> Result<Option<Position>, ReadError> {
    let found = files.meta(META_RESTORED);
    let found = found.map_err(|error| unreadable(Position::ORIGIN, error))?;
    Ok(found.map(Position))
}

/// The end of a log that ends with a sealed range.
fn end_of_sealed(stored: &Stored) -> Result<End, ReadError> {
    let position = stored.sealed_to();
    let missing = damaged(position, Damage::Gap);
    let first = stored.segment_of(position)?.ok_or(missing)?;
    let mut bytes = Vec::new();
    stored.segment(first, &mut bytes)?;
    let range = SealedRange::read(first, bytes)?;
    let (tree, recorded_at) = range.prove(&stored.tree_behind(Position(first.0 - 1))?)?;
    Ok(End {
        position,
        recorded_at,
        root: tree.root(),
    })
}

fn end_of(block: &Block<'_>) -> Result<End, ReadError> {
    let position = block.last();
    let row = block.rows().last().unwrap_or_default();
    let envelope =
        decode_envelope(position, row).map_err(|error| damaged(position, Damage::Entry(error)))?;
    Ok(End {
        position,
        recorded_at: envelope.recorded_at,
        root: block.root,
    })
}

#[derive(Debug)]
struct RedbReader {
    shared: Arc<Shared>,
}

impl LogReader for RedbReader {
    fn end(&self) -> Result<End, ReadError> {
        Ok(self.shared.end())
    }

    fn root_at(&self, position: Position) -> Result<Option<Root>, ReadError> {
        if position > self.shared.end().position {
            return Ok(None);
        }
        let stored = Stored::now(&self.shared.files, position)?;
        Ok(Some(stored.tree_at(position)?.root()))
    }

    fn sealed_range(&self, from: Position) -> Result<Option<SealedRange>, ReadError> {
        range_from(&self.shared, from)
    }

    fn read_batches(
        &self,
        from: Position,
        each: &mut dyn FnMut(&mut Vec<Envelope>) -> ControlFlow<()>,
    ) -> Result<Position, ReadError> {
        read_batches(&*self.shared, from, each)
    }
}

impl Source for Shared {
    fn fetch(&self, from: Position, into: &mut Chunk) -> Result<(), ReadError> {
        Stored::now(&self.files, from)?.fetch(from, into)
    }
}
