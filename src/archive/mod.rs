//! The archive of the log: its sealed ranges in a bucket, one object each.
//!
//! An object's key names the positions that it holds; its bytes are those of the sealed range, with
//! their checksum and the tree root behind them. Objects are made once and never written again.
//! A log that was lost is made anew from them, up to the last sealed range; every entry and every
//! root is proved on the way. What is kept here may leave the local disk, as far as the operator
//! wants: the log reads it from here then.

mod keeper;
mod local;
mod reader;
mod restore;

use purser_events::Position;

use crate::log::ReadError;
use crate::objects::{Listed, ObjectError, Objects, list_all};

pub use keeper::{Keeper, Parts};
pub use local::Local;
pub use reader::ArchiveReader;
pub use restore::restore;

/// What a range's key ends in.
const ENDING: &str = ".range";

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store does not do what it is asked.
    #[error(transparent)]
    Store(#[from] ObjectError),
    /// The log, or a range of it, cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// Another log is kept in the same place.
    #[error("{place} holds another log from position {position} on; name another prefix")]
    Other {
        /// The place.
        place: String,
        /// The first position that differs.
        position: Position,
    },
    /// A range is missing.
    #[error("{place} lacks the range from position {position} on")]
    Gap {
        /// The place.
        place: String,
        /// The first position that is not there.
        position: Position,
    },
    /// A snapshot or the index of ids cannot be asked how far it reaches.
    #[error("cannot find out what a start needs of the log")]
    Needed(#[source] std::io::Error),
    /// There is nothing.
    #[error("{place} holds no ranges of a log")]
    Empty {
        /// The place.
        place: String,
    },
    /// A thread ended badly.
    #[error("a thread ended badly")]
    Thread,
}

impl ArchiveError {
    /// Whether what is kept is not what was written: not that it cannot be reached.
    #[must_use]
    pub const fn is_finding(&self) -> bool {
        matches!(self, Self::Log(_) | Self::Gap { .. })
    }
}

/// A range that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    key: String,
    first: Position,
    last: Position,
}

/// The key of a range.
fn key_of(prefix: &str, first: Position, last: Position) -> String {
    format!("{prefix}{:020}-{:020}{ENDING}", first.0, last.0)
}

/// The ranges that are kept, in order and without gaps, from the start of the log.
async fn kept(store: &dyn Objects, prefix: &str) -> Result<Vec<Kept>, ArchiveError> {
    let place = || format!("{}/{prefix}", store.name());
    let listed = list_all(store, prefix).await?;
    let kept: Vec<Kept> = listed
        .iter()
        .filter_map(|one| kept_of(prefix, one))
        .collect();
    let mut next = Position(1);
    for one in &kept {
        if one.first != next {
            let (place, position) = (place(), next);
            return Err(ArchiveError::Gap { place, position });
        }
        next = one.last.next();
    }
    Ok(kept)
}

fn kept_of(prefix: &str, listed: &Listed) -> Option<Kept> {
    let name = listed.key.strip_prefix(prefix)?.strip_suffix(ENDING)?;
    let (first, last) = name.split_once('-')?;
    let position = |text: &str| (text.len() == 20).then(|| text.parse().ok().map(Position))?;
    let (first, last) = (position(first)?, position(last)?);
    (first <= last).then(|| Kept {
        key: listed.key.clone(),
        first,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_positions_of_its_range() {
        let key = key_of("log/", Position(1), Position(65_536));
        assert_eq!(key, "log/00000000000000000001-00000000000000065536.range");
        let listed = |key: &str| Listed {
            key: key.into(),
            version: String::new(),
            bytes: 1,
        };
        let kept = kept_of("log/", &listed(&key)).expect("it is one of ours");
        assert_eq!((kept.first, kept.last), (Position(1), Position(65_536)));
        for other in [
            "log/notes.txt",
            "log/1-2.range",
            "log/00000000000000000002-00000000000000000001.range",
            "log/00000000000000000001-0000000000000000000x.range",
            "old/00000000000000000001-00000000000000065536.range",
        ] {
            assert_eq!(kept_of("log/", &listed(other)), None, "{other}");
        }
    }
}
