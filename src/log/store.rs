//! A redb file under the log: how it is opened, watched for failures, and opened again.

use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{BackendError, Database, DatabaseError, ReadTransaction, ReadableDatabase};
use redb::{StorageBackend, StorageError, WriteTransaction};

/// Memory that redb may use as its cache. The reader copies what it needs and reads mostly in
/// order, so a larger cache would buy nothing.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

type Io<T> = Result<T, std::io::Error>;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// redb says no.
    #[error("the log's file cannot be used")]
    Redb(#[source] redb::Error),
    /// A sync failed: what the operating system shows from now on may differ from what is on disk.
    #[error("a sync of the log's file failed; what is on disk cannot be known")]
    SyncFailed,
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

/// What failed first since the file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Failure {
    /// Nothing.
    None = 0,
    /// A read, or the asking for a length.
    Read = 1,
    /// A write, or a change of the length.
    Write = 2,
    /// A write, for want of space.
    Full = 3,
    /// A sync.
    Sync = 4,
}

/// What the backend saw.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    failure: AtomicU8,
    syncs: AtomicU64,
    sync_failed: AtomicBool,
}

impl Watch {
    /// What failed first since the file was opened.
    pub(crate) fn failure(&self) -> Failure {
        match self.failure.load(Ordering::Acquire) {
            0 => Failure::None,
            1 => Failure::Read,
            2 => Failure::Write,
            3 => Failure::Full,
            _ => Failure::Sync,
        }
    }

    /// How many syncs have succeeded.
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Acquire)
    }

    /// Whether a sync ever failed: then nothing that is read can be trusted to be on disk.
    pub(crate) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }

    fn note<T>(&self, result: Io<T>, kind: Failure) -> Io<T> {
        if let Err(error) = &result {
            let kind = match kind {
                Failure::Write if is_full(error) => Failure::Full,
                other => other,
            };
            let none = Failure::None as u8;
            // Only the first failure counts: the others follow from it.
            let _ = self.failure.compare_exchange(
                none,
                kind as u8,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if kind == Failure::Sync {
                self.sync_failed.store(true, Ordering::Release);
            }
        }
        result
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// A backend that outlives the database on it, so that the database can be opened again after a
/// failure, and that notes what failed.
#[derive(Clone, Debug)]
struct Watched {
    inner: Arc<dyn StorageBackend>,
    watch: Arc<Watch>,
}

impl StorageBackend for Watched {
    fn len(&self) -> Io<u64> {
        self.watch.note(self.inner.len(), Failure::Read)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Io<()> {
        self.watch.note(self.inner.read(offset, out), Failure::Read)
    }

    fn set_len(&self, len: u64) -> Io<()> {
        self.watch.note(self.inner.set_len(len), Failure::Write)
    }

    fn sync_data(&self) -> Io<()> {
        self.watch.note(self.inner.sync_data(), Failure::Sync)?;
        self.watch.syncs.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Io<()> {
        self.watch
            .note(self.inner.write(offset, data), Failure::Write)
    }

    fn close(&self) -> Io<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}

/// How the transactions of a file are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commits {
    /// With one sync: the least that a durable commit can cost. After a crash redb walks the whole
    /// file before it opens, so the file must be small.
    OneSync,
    /// With two syncs and a record of free pages: the file opens at once after a crash, however
    /// large it is.
    QuickRepair,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Store {
    backend: Watched,
    commits: Commits,
    database: RwLock<Option<Database>>,
    // Held by whoever writes, so that the file is never opened again under somebody's feet.
    writing: Mutex<()>,
}

impl Store {
    /// Opens a file, or makes it.
    pub(crate) fn open(
        backend: Arc<dyn StorageBackend>,
        commits: Commits,
    ) -> Result<Self, DatabaseError> {
        let watch = Arc::new(Watch::default());
        let inner = backend;
        let backend = Watched { inner, watch };
        let database = open_database(&backend)?;
        Ok(Self {
            backend,
            commits,
            database: RwLock::new(Some(database)),
            writing: Mutex::new(()),
        })
    }

    /// What failed.
    pub(crate) fn watch(&self) -> &Watch {
        &self.backend.watch
    }

    /// Waits for the right to write.
    pub(crate) fn writing(&self) -> Writing<'_> {
        let guard = self.writing.lock();
        Writing {
            store: self,
            _guard: guard.unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Lets redb compare its own checksums; `false` when something did not fit. Nobody may be
    /// reading.
    pub(crate) fn check_integrity(&self) -> Result<bool, StoreError> {
        let database = self.database.write();
        match &mut *database.unwrap_or_else(PoisonError::into_inner) {
            Some(database) => Ok(database.check_integrity()?),
            None => Err(StorageError::DatabaseClosed.into()),
        }
    }

    /// Lets redb give the space that nothing uses back to the system. Nobody may be reading.
    pub(crate) fn compact(&self) -> Result<(), StoreError> {
        let database = self.database.write();
        match &mut *database.unwrap_or_else(PoisonError::into_inner) {
            Some(database) => Ok(database.compact().map(drop)?),
            None => Err(StorageError::DatabaseClosed.into()),
        }
    }

    /// Looks at what is committed now. Opens the file again first when that failed before. Whoever
    /// holds the right to write must not ask.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        if self.watch().sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        if let Some(transaction) = self.try_read()? {
            return Ok(transaction);
        }
        self.writing().recover()?;
        self.try_read()?
            .ok_or_else(|| StorageError::DatabaseClosed.into())
    }

    fn try_read(&self) -> Result<Option<ReadTransaction>, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let begun = database.as_ref().map(Database::begin_read).transpose();
        Ok(begun?)
    }
}

fn open_database(backend: &Watched) -> Result<Database, DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    caught(|| builder.create_with_backend(backend.clone())).unwrap_or_else(|| {
        let gave_up = "the storage engine gave up on the file".to_owned();
        Err(StorageError::Corrupted(gave_up).into())
    })
}

/// Runs what lets redb look at its own structure: where that is damaged redb may panic, because
/// not all of it is checked before it is used. `None` then.
pub(crate) fn caught<T>(look: impl FnOnce() -> T) -> Option<T> {
    // What redb leaves behind is dropped or not used any more by all who call this.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).ok()
}

/// The right to write to the file.
#[derive(Debug)]
pub(crate) struct Writing<'a> {
    store: &'a Store,
    _guard: MutexGuard<'a, ()>,
}

impl Writing<'_> {
    /// Begins a transaction whose commit is durable. Opens the file again first when something
    /// failed before, because redb then refuses to go on.
    pub(crate) fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.recover()?;
        let database = self.store.database.read();
        let database = database.unwrap_or_else(PoisonError::into_inner);
        let Some(database) = &*database else {
            return Err(StorageError::DatabaseClosed.into());
        };
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(self.store.commits == Commits::QuickRepair);
        Ok(transaction)
    }

    /// Opens the file again when something failed.
    pub(crate) fn recover(&self) -> Result<(), StoreError> {
        let watch = self.store.watch();
        if watch.sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        let mut database = self
            .store
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if watch.failure() == Failure::None && database.is_some() {
            return Ok(());
        }
        // The old one must be closed first: it holds the lock on the file.
        *database = None;
        watch.failure.store(Failure::None as u8, Ordering::Release);
        *database = Some(open_database(&self.store.backend)?);
        Ok(())
    }
}
