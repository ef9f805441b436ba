//! The analytics on disk: a cache, so that a start need not fold all of a long history again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use purser_events::Position;
use purser_projections::analytics::Analytics;
use purser_snapshots::{freeze_analytics, thaw_analytics};

use crate::log::{LogReader, ReadError, Root};

/// The file, beside the snapshots.
const FILE: &str = "snapshots/analytics";

/// The analytics of a data directory on disk.
#[derive(Clone, Debug)]
pub struct FrozenFile {
    path: PathBuf,
}

impl FrozenFile {
    /// Those of a data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self {
            path: data.join(FILE),
        }
    }

    /// What was kept, if it is of this log and this program. What is not is passed over with a
    /// warning.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn thaw(&self, log: &dyn LogReader) -> Result<Option<Analytics>, ReadError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                tracing::warn!(%error, "the analytics on disk cannot be read and are made anew");
                return Ok(None);
            }
        };
        let frozen = match thaw_analytics(&bytes) {
            Ok(frozen) => frozen,
            Err(error) => {
                tracing::warn!(%error, "the analytics on disk are made anew");
                return Ok(None);
            }
        };
        drop(bytes);
        if log.root_at(frozen.analytics.position)? != Some(Root(frozen.root)) {
            tracing::warn!("the analytics on disk are of another log and are made anew");
            return Ok(None);
        }
        Ok(Some(frozen.analytics))
    }

    /// Keeps the analytics: first beside their place, then by a rename. A crash before the rename
    /// leaves what was kept before, and a file that the next time overwrites. Answers whether
    /// there was anything to keep.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, analytics: &Analytics, log: &dyn LogReader) -> io::Result<bool> {
        let root = log.root_at(analytics.position).map_err(io::Error::other)?;
        let Some(root) = root.filter(|_| analytics.position > Position::ORIGIN) else {
            return Ok(false);
        };
        let bytes = freeze_analytics(analytics, &root.0);
        let folder = self.path.parent().expect("the file is in a directory");
        fs::create_dir_all(folder)?;
        let unfinished = self.path.with_extension("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.path)?;
        File::open(folder)?.sync_all()?;
        Ok(true)
    }

    /// Forgets what was kept.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
