//! The log in a redb file: the embedded default.
//!
//! One transaction per batch, durable when `append` returns. Where a crash may fall:
//!
//! - before the first of redb's two syncs, or in it: the old root is in force, the batch is absent;
//! - between the two, or in the second: either root may be in force, the batch is there whole or
//!   not at all;
//! - after the second: the batch is there.
//!
//! Hence the errors of [`Log::append`]: a failed write before the first sync leaves the batch
//! absent. That is checked by opening the file again, and then is `Full` or `Unavailable`. Any
//! later failure is `Unknown`. After a failed sync the operating system may show bytes that never
//! reached the disk, so that asking again proves nothing: `resolve` and every later `append` fail
//! until the process is started anew.

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use purser_events::codec::decode_envelope;
use purser_events::{Envelope, Micros, Position};
use redb::backends::FileBackend;
use redb::{DatabaseError, ReadableTable, StorageBackend, TableDefinition, TableError};

use super::block::{Block, cut};
use super::error::Damage;
use super::read::{Chunk, Source, damaged, read_batches, read_block, tree_at};
use super::store::{Failure, Store, StoreError};
use super::tree::Frontier;
use super::{AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader};
use super::{ReadError, Resolution, Root};

/// The newest format of the data directory that this program knows.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "format";
const LOG_FILE: &str = "log.redb";
const FORMAT_TEXT: &str = "purser log, format ";

/// Blocks that are not sealed yet, by first position.
pub(crate) const BLOCKS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("blocks");

/// The format and the lease.
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const META_FORMAT: &str = "format";
const META_EPOCH: &str = "epoch";

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
    end: RwLock<End>,
}

impl Shared {
    fn end(&self) -> End {
        *self.end.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_end(&self, end: End) {
        *self.end.write().unwrap_or_else(PoisonError::into_inner) = end;
    }
}

impl RedbLog {
    /// Opens the log in a data directory; makes both when they do not exist.
    ///
    /// # Errors
    /// When another process holds the log, when it is of a newer format (then no byte of the
    /// directory is changed), or when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, AcquireError> {
        fs::create_dir_all(directory).map_err(unreachable_at)?;
        refuse_newer(directory)?;
        let path = directory.join(LOG_FILE);
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unreachable_at)?;
        let backend = FileBackend::new(file).map_err(|error| unopened(error, &path))?;
        super::unfinished::discard(&directory.join(FORMAT_FILE), &backend)
            .map_err(unreachable_at)?;
        let log = Self::on(Arc::new(backend), &path)?;
        write_format_file(directory).map_err(unreachable_at)?;
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
        let end = RwLock::new(end);
        let shared = Arc::new(Shared { store, end });
        Ok(Self {
            shared,
            tree,
            epoch,
        })
    }

    fn check(&self, lease: Lease, batch: &Batch) -> Result<(), AppendError> {
        if lease.epoch != self.epoch {
            return Err(AppendError::Fenced);
        }
        super::check_batch(batch, self.end().position, super::LIMITS)
    }

    /// Says what a failed append means. See the module's own words.
    fn blame(&mut self, batch: BatchId, failure: Attempt) -> AppendError {
        let watch = self.shared.store.watch();
        let seen = watch.failure();
        let Attempt { error, syncs } = failure;
        if watch.sync_failed() || watch.syncs() != syncs {
            return AppendError::Unknown(Box::new(error));
        }
        match self.look_for(batch) {
            Ok(Resolution::Absent) if seen == Failure::Full => AppendError::Full,
            Ok(Resolution::Absent) => AppendError::Unavailable(Box::new(error)),
            Ok(Resolution::Committed(_)) | Err(_) => AppendError::Unknown(Box::new(error)),
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

/// An append that failed, and how many syncs had succeeded before it began.
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
        let syncs = self.shared.store.watch().syncs();
        let mut tree = self.tree.clone();
        if let Err(error) = write_batch(&self.shared.store, batch, &mut tree) {
            return Err(self.blame(batch.id(), Attempt { error, syncs }));
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

fn write_batch(store: &Store, batch: &Batch, tree: &mut Frontier) -> Result<(), StoreError> {
    let transaction = store.writing().begin()?;
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        cut(batch, tree, |first, bytes| {
            blocks.insert(first.0, bytes).map(drop)
        })?;
    }
    Ok(transaction.commit()?)
}

fn write_meta(store: &Store, key: &str, value: u64) -> Result<(), StoreError> {
    let transaction = store.writing().begin()?;
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
    let table = match store.begin_read()?.open_table(META) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(table.get(key)?.map(|value| value.value()))
}

fn make_tables(store: &Store) -> Result<(), StoreError> {
    let transaction = store.writing().begin()?;
    transaction.open_table(BLOCKS)?;
    transaction
        .open_table(META)?
        .insert(META_FORMAT, u64::from(FORMAT))?;
    Ok(transaction.commit()?)
}

fn refuse(found: u32) -> Result<(), AcquireError> {
    if found > FORMAT {
        let known = FORMAT;
        return Err(AcquireError::NewerFormat { found, known });
    }
    Ok(())
}

/// Refuses a directory of a newer format before anything in it is opened for writing: redb writes
/// to a file as soon as it opens it.
fn refuse_newer(directory: &Path) -> Result<(), AcquireError> {
    match fs::read_to_string(directory.join(FORMAT_FILE)) {
        Ok(text) => {
            let number = text.strip_prefix(FORMAT_TEXT).map(str::trim);
            let number = number.and_then(|number| number.parse().ok());
            refuse(number.unwrap_or(u32::MAX))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreachable_at(error)),
    }
    let path = directory.join(LOG_FILE);
    let database = match redb::Builder::new().open_read_only(&path) {
        Ok(database) => database,
        Err(DatabaseError::DatabaseAlreadyOpen) => return Err(AcquireError::Held { path }),
        // There is none yet, or only opening it for writing can tell what it holds.
        Err(_) => return Ok(()),
    };
    let found = format_of(&database).ok().flatten();
    refuse(found.map_or(0, |found| u32::try_from(found).unwrap_or(u32::MAX)))
}

fn format_of(database: &redb::ReadOnlyDatabase) -> Result<Option<u64>, redb::Error> {
    use redb::ReadableDatabase;
    let table = database.begin_read()?.open_table(META)?;
    Ok(table.get(META_FORMAT)?.map(|value| value.value()))
}

fn write_format_file(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(FORMAT_FILE);
    if path.exists() {
        return Ok(());
    }
    let file = fs::File::create(&path)?;
    std::io::Write::write_all(&mut &file, format!("{FORMAT_TEXT}{FORMAT}\n").as_bytes())?;
    file.sync_all()?;
    // Without this a crash could leave the log's file without a name in its directory.
    fs::File::open(directory)?.sync_all()
}

fn unopened(error: DatabaseError, path: &Path) -> AcquireError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => AcquireError::Held {
            path: path.to_owned(),
        },
        error => AcquireError::Unreachable(Box::new(redb::Error::from(error))),
    }
}

fn unreachable_at(error: std::io::Error) -> AcquireError {
    AcquireError::Unreachable(Box::new(error))
}

pub(crate) fn unreadable(position: Position, error: impl Into<StoreError>) -> ReadError {
    let source = Box::new(error.into());
    ReadError::Unreadable { position, source }
}

/// Which batch the log ends with.
fn last_batch(store: &Store, position: Position) -> Result<Option<BatchId>, ReadError> {
    let unread = |error: StoreError| unreadable(position, error);
    let table = open_blocks(store).map_err(unread)?;
    let last = table.last().map_err(|error| unread(error.into()))?;
    last.map(|(first, bytes)| {
        let first = Position(first.value());
        let block = Block::read(first, bytes.value());
        Ok(block.map_err(|damage| damaged(first, damage))?.batch)
    })
    .transpose()
}

type Blocks = redb::ReadOnlyTable<u64, &'static [u8]>;

fn open_blocks(store: &Store) -> Result<Blocks, StoreError> {
    Ok(store.begin_read()?.open_table(BLOCKS)?)
}

/// Where the log ends, and the tree there.
fn find_end(store: &Store) -> Result<(End, Frontier), ReadError> {
    let unread = |error: StoreError| unreadable(Position::ORIGIN, error);
    let table = open_blocks(store).map_err(unread)?;
    let end = match table.last().map_err(|error| unread(error.into()))? {
        Some((first, bytes)) => end_of(&read_block(Position(first.value()), bytes.value())?)?,
        None => End {
            position: Position::ORIGIN,
            recorded_at: Micros(0),
            root: Frontier::EMPTY.root(),
        },
    };
    let tree = tree_in(&table, end.position)?;
    Ok((end, tree))
}

/// The tree at a position that is in the log.
fn tree_in(table: &Blocks, position: Position) -> Result<Frontier, ReadError> {
    let unread = |error: redb::StorageError| unreadable(position, error);
    let blocks = table.range(..=position.0).map_err(unread)?.rev();
    let blocks = blocks.map(|entry| {
        let (first, bytes) = entry.map_err(unread)?;
        Ok((Position(first.value()), Held(bytes)))
    });
    tree_at(position, blocks)
}

/// A stored value that redb keeps for us.
struct Held(redb::AccessGuard<'static, &'static [u8]>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
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
        let table = open_blocks(&self.shared.store).map_err(|error| unreadable(position, error))?;
        Ok(Some(tree_in(&table, position)?.root()))
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
        self.fetch_blocks(from, into)
            .map_err(|error| unreadable(from, error))
    }
}

impl Shared {
    fn fetch_blocks(&self, from: Position, into: &mut Chunk) -> Result<(), StoreError> {
        let table = open_blocks(&self.store)?;
        let start = match table.range(..=from.0)?.next_back() {
            Some(entry) => entry?.0.value(),
            None => 0,
        };
        for entry in table.range(start..)? {
            let (first, bytes) = entry?;
            if into.push(Position(first.value()), bytes.value()) {
                break;
            }
        }
        Ok(())
    }
}
