//! A log made anew from its archive: into a data directory, or to one side, only to be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use super::out::{bar, tell};
use super::{Failure, remote, runtime};
use crate::archive::restore;
use crate::config::Config;
use crate::log::{End, RedbLog};
use crate::objects::Address;

/// What a log's ranges stand behind where only a bucket is named.
const PREFIX: &str = "log/";

/// Takes the ranges of an archive into a data directory; answers where its log ends then.
pub(super) fn into_data(config: &Config, from: &str) -> Result<End, Failure> {
    into(config, from, &config.data)
}

fn into(config: &Config, from: &str, data: &Path) -> Result<End, Failure> {
    let Address { bucket, prefix } = from.parse().map_err(|source| Failure::Address {
        text: from.into(),
        source,
    })?;
    let prefix = if prefix.is_empty() {
        PREFIX.into()
    } else {
        prefix
    };
    let mut log = RedbLog::open(data).map_err(|error| super::ledger::unopened(error, data))?;
    let bucket = remote::buckets(config).bucket(&bucket);
    let bar = bar("restore", 0);
    let restored = runtime()?.block_on(restore(&bucket, &prefix, &mut log, |at, last| {
        bar.set_length(last.0);
        bar.set_position(at.0);
    }));
    bar.finish_and_clear();
    Ok(restored?)
}

/// A directory that is gone when this is.
pub(super) struct Aside(PathBuf);

impl Aside {
    /// A log made anew in the system's place for temporary files.
    pub(super) fn restored(config: &Config, from: &str) -> Result<Self, Failure> {
        let random = getrandom::u64().map_err(Failure::Random)?;
        let path = std::env::temp_dir().join(format!("purser-{random:016x}"));
        fs::create_dir(&path).map_err(|source| Failure::Directory {
            path: path.clone(),
            source,
        })?;
        let aside = Self(path);
        let end = into(config, from, aside.path())?;
        tell(&format!("{from} holds positions 1 to {}", end.position.0));
        Ok(aside)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tell(&format!("cannot remove {}: {error}", self.0.display()));
        }
    }
}
