//! The two files under the log.
//!
//! The **hot** file holds the newest blocks. A commit writes to it alone, with one sync and few
//! pages; it is kept small, because redb walks all of it when it is opened after a crash. The
//! **cold** file holds what is sealed, the format and the lease; it may be of any size and opens at
//! once. Blocks leave the hot file only after their segment is durable in the cold one: a crash in
//! between leaves both, which [`super::settle`] puts in order.

use std::path::Path;
use std::sync::Arc;

use redb::{DatabaseError, StorageBackend, StorageError};

use super::directory::{COLD_FILE, HOT_FILE, has_hot, refuse, unopened};
use super::error::AcquireError;
use super::pruned::Elsewhere;
use super::store::{Commits, Store, StoreError};
use super::stored::{META, META_FORMAT, meta};

/// Both files, opened.
#[derive(Debug)]
pub(crate) struct Files {
    /// The newest blocks.
    pub(crate) hot: Store,
    /// What is sealed, the format and the lease.
    pub(crate) cold: Store,
    /// Where ranges are read that are in neither of them.
    pub(crate) elsewhere: Elsewhere,
}

/// The format that the files had when they were opened; `None` when they were just made.
pub(crate) type Found = Option<u32>;

impl Files {
    /// Opens the cold file, and the hot one that belongs to its format. The directory is for errors
    /// only.
    pub(crate) fn open(
        cold: Arc<dyn StorageBackend>,
        directory: &Path,
        hot: impl FnOnce(Found) -> Result<Arc<dyn StorageBackend>, AcquireError>,
    ) -> Result<(Self, Found), AcquireError> {
        let at = directory.join(COLD_FILE);
        let opened = Store::open(cold, Commits::QuickRepair);
        let cold = opened.map_err(|error| unopened(error, &at))?;
        let found = format_of(&cold).map_err(|error| AcquireError::Unreachable(Box::new(error)))?;
        refuse(found.unwrap_or(0))?;
        let hot = hot(found)?;
        let at = directory.join(HOT_FILE);
        let io = |error| unopened(DatabaseError::Storage(StorageError::Io(error)), &at);
        if has_hot(found) && hot.len().map_err(io)? == 0 {
            return Err(AcquireError::Missing { path: at });
        }
        let opened = Store::open(hot, Commits::OneSync);
        let hot = opened.map_err(|error| unopened(error, &at))?;
        let elsewhere = Elsewhere::default();
        Ok((
            Self {
                hot,
                cold,
                elsewhere,
            },
            found,
        ))
    }

    /// Reads a number of the meta table.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<u64>, StoreError> {
        meta(&self.cold.begin_read()?, key)
    }

    /// Writes a number of the meta table.
    pub(crate) fn set_meta(&self, key: &str, value: u64) -> Result<(), StoreError> {
        let writing = self.cold.writing();
        let transaction = writing.begin()?;
        transaction.open_table(META)?.insert(key, value)?;
        Ok(transaction.commit()?)
    }

    /// Whether a sync of one of them ever failed: then nothing that is read can be trusted to be
    /// on disk.
    pub(crate) fn sync_failed(&self) -> bool {
        self.hot.watch().sync_failed() || self.cold.watch().sync_failed()
    }
}

fn format_of(cold: &Store) -> Result<Found, StoreError> {
    let found = meta(&cold.begin_read()?, META_FORMAT)?;
    Ok(found.map(|found| u32::try_from(found).unwrap_or(u32::MAX)))
}
