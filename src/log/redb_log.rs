//! The log in a redb file: the embedded default.
//!
//! One transaction per batch, durable when `append` returns. Where a crash may fall:
//!
//! - before the first of redb's two syncs, or in it: the old root is in force, the batch is absent;
//! - between the two, or in the second: either root may be in force, the batch is there whole or
//!   not at all;
//! - after the second: the batch is there.
//!
//! Hence what a failed [`Log::append`] answers. After a failed write the file is opened again at
//! once: redb then settles on one root, for ever, and syncs it. If the batch is there, the append
//! did succeed; if not, it is `Full` or `Unavailable`. Where the file cannot even be opened, it is
//! `Unknown`, but for a full disk before the first sync, after which the batch cannot be there.
//! After a failed sync the operating system may show bytes that never reached the disk, so that
//! looking again proves nothing: that is `Unknown`, and `resolve` and every later `append` fail
//! until the process is started anew.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use purser_events::codec::decode_envelope;
use purser_events::{Envelope, Micros, Position};
use redb::{StorageBackend, WriteTransaction};

use super::block::{Block, cut};
use super::directory::{refuse, unopened};
use super::error::Damage;
use super::read::{Chunk, Source, damaged, read_batches, read_block};
use super::sealer::Bell;
use super::store::{Failure, Store, StoreError};
use super::stored::{BLOCKS, META, META_EPOCH, META_FORMAT, SEALED, Stored, meta, unreadable};
use super::tree::Frontier;
use super::{AcquireError, AppendError, Batch, BatchId, End, Lease, Log, LogReader};
use super::{Limits, ReadError, Resolution, Root, directory};

/// The log in a redb file.
#[derive(Debug)]
pub struct RedbLog {
    shared: Arc<Shared>,
    tree: Frontier,
    epoch: u64,
}

/// What the log and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) bell: Bell,
    /// Held while a segment is packed and stored: by one at a time.
    pub(crate) sealing: Mutex<()>,
    end: RwLock<End>,
}

impl Shared {
    /// Where the log ends now.
    pub(crate) fn end(&self) -> End {
        *self.end.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_end(&self, end: End) {
        *self.end.write().unwrap_or_else(PoisonError::into_inner) = end;
        self.bell.ring(end.position);
    }
}

impl RedbLog {
    /// Opens the log in a data directory; makes both when they do not exist.
    ///
    /// # Errors
    /// When another process holds the log, when it is of a newer format (then no byte of the
    /// directory is changed), or when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, AcquireError> {
        let (backend, path) = directory::open(directory)?;
        let log = Self::on(Arc::new(backend), &path)?;
        directory::mark(directory)?;
        Ok(log)
    }

    /// Opens the log on any storage: for tests that crash it. After a failure the log opens the
    /// same backend again, so `close` may be called more than once, and reading may follow it.
    ///
    /// # Errors
    /// As [`RedbLog::open`], except that a storage of a newer format may have been written to.
    pub fn create_with_backend(backend: impl StorageBackend) -> Result<Self, AcquireError> {
        Self::on(Arc::new(backend), Path::new("(storage)"))
    }

    fn on(backend: Arc<dyn StorageBackend>, path: &Path) -> Result<Self, AcquireError> {
        let store = Store::open(backend).map_err(|error| unopened(error, path))?;
        let epoch = prepare(&store)?;
        let (end, tree) = find_end(&store)?;
        let shared = Arc::new(Shared {
            store,
            bell: Bell::default(),
            sealing: Mutex::new(()),
            end: RwLock::new(end),
        });
        Ok(Self {
            shared,
            tree,
            epoch,
        })
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
        let compacted = self.shared.store.compact();
        compacted.map_err(|error| unreadable(sealed, error))?;
        Ok(sealed)
    }

    fn check(&self, lease: Lease, batch: &Batch) -> Result<(), AppendError> {
        if lease.epoch != self.epoch {
            return Err(AppendError::Fenced);
        }
        super::check_batch(batch, self.end().position, super::LIMITS)
    }

    /// Finds out what a failed append means. See the module's own words.
    fn judge(&mut self, batch: BatchId, attempt: Attempt) -> Result<End, AppendError> {
        let watch = self.shared.store.watch();
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
            // The root in force was committed in two phases, so redb will not look at the one
            // that was being written, whose turn only comes with the first sync.
            Err(_) if full && before_sync => Err(AppendError::Full),
            Err(_) => Err(AppendError::Unknown(error)),
        }
    }

    fn look_for(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        let position = self.end().position;
        let unreadable = |error: StoreError| unreadable(position, error);
        self.shared.store.writing().recover().map_err(unreadable)?;
        let last = last_batch(&self.shared.store, position)?;
        if last != Some(batch) {
            return Ok(Resolution::Absent);
        }
        let (end, tree) = find_end(&self.shared.store)?;
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
        write_meta(&self.shared.store, META_EPOCH, epoch)
            .map_err(|error| AcquireError::Unreachable(Box::new(error)))?;
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
        let mut tree = self.tree.clone();
        if let Err(attempt) = write_batch(&self.shared.store, batch, &mut tree) {
            return self.judge(batch.id(), attempt);
        }
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

fn write_batch(store: &Store, batch: &Batch, tree: &mut Frontier) -> Result<(), Attempt> {
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
) -> Result<(), StoreError> {
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        cut(batch, tree, |first, bytes| {
            blocks.insert(first.0, bytes).map(drop)
        })?;
    }
    Ok(transaction.commit()?)
}

fn write_meta(store: &Store, key: &str, value: u64) -> Result<(), StoreError> {
    let writing = store.writing();
    let transaction = writing.begin()?;
    transaction.open_table(META)?.insert(key, value)?;
    Ok(transaction.commit()?)
}

/// Refuses a newer format; makes the tables of a new file; answers the last lease's epoch.
fn prepare(store: &Store) -> Result<u64, AcquireError> {
    let unreachable = |error: StoreError| AcquireError::Unreachable(Box::new(error));
    if let Some(found) = read_meta(store, META_FORMAT).map_err(unreachable)? {
        refuse(u32::try_from(found).unwrap_or(u32::MAX))?;
    } else {
        make_tables(store).map_err(unreachable)?;
    }
    let epoch = read_meta(store, META_EPOCH).map_err(unreachable)?;
    Ok(epoch.unwrap_or(0))
}

fn read_meta(store: &Store, key: &str) -> Result<Option<u64>, StoreError> {
    meta(&store.begin_read()?, key)
}

fn make_tables(store: &Store) -> Result<(), StoreError> {
    let writing = store.writing();
    let transaction = writing.begin()?;
    transaction.open_table(BLOCKS)?;
    transaction.open_table(SEALED)?;
    transaction
        .open_table(META)?
        .insert(META_FORMAT, u64::from(directory::FORMAT))?;
    Ok(transaction.commit()?)
}

/// Which batch the log ends with.
fn last_batch(store: &Store, position: Position) -> Result<Option<BatchId>, ReadError> {
    let last = Stored::now(store, position)?.last_block()?;
    last.map(|(first, bytes)| Ok(read_block(first, bytes.as_ref())?.batch))
        .transpose()
}

/// Where the log ends, and the tree there.
fn find_end(store: &Store) -> Result<(End, Frontier), ReadError> {
    let stored = Stored::now(store, Position::ORIGIN)?;
    let end = match stored.last_block()? {
        Some((first, bytes)) => end_of(&read_block(first, bytes.as_ref())?)?,
        None => End {
            position: Position::ORIGIN,
            recorded_at: Micros(0),
            root: Frontier::EMPTY.root(),
        },
    };
    let tree = stored.tree_at(end.position)?;
    Ok((end, tree))
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
        let stored = Stored::now(&self.shared.store, position)?;
        Ok(Some(stored.tree_at(position)?.root()))
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
        Stored::now(&self.store, from)?.fetch(from, into)
    }
}
