//! What can go wrong with a log: one enum per operation.

use purser_events::Position;
use purser_events::codec::DecodeError;

/// Why the right to append could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// Another process holds the log.
    #[error("another process holds the log at {path}; stop it, or use another data directory")]
    Held {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The log was written by a newer program.
    #[error("the log has format {found}, this program reads up to {known}; use a newer program")]
    NewerFormat {
        /// The format of the log.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// A file of the log is gone.
    #[error("{path} is missing, and the log is not whole without it; restore both files together")]
    Missing {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The log cannot be reached or read.
    #[error("cannot open the log")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A byte of the log is missing or changed.
    #[error(transparent)]
    Corrupt(#[from] ReadError),
}

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The log does not end where the batch begins.
    #[error("the batch begins after {expected}, the log ends at {found}")]
    Conflict {
        /// The position that the batch follows.
        expected: Position,
        /// Where the log ends.
        found: Position,
    },
    /// A newer lease was granted; this writer must stop.
    #[error("a newer lease was granted")]
    Fenced,
    /// The batch is larger than [`super::Limits`] allows.
    #[error("the batch is larger than the log takes")]
    TooLarge,
    /// There is no space left; the batch is not in the log.
    #[error("no space is left for the log")]
    Full,
    /// The log cannot be reached; the batch is not in the log.
    #[error("the log cannot be written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody knows whether the batch is in the log; ask.
    #[error("the outcome of the append is unknown")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a part of the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes at this position are not what was written.
    #[error("the log is damaged at position {position}: {damage}")]
    Damaged {
        /// The first position that cannot be trusted.
        position: Position,
        /// What is wrong.
        damage: Damage,
    },
    /// The storage cannot be read.
    #[error("the log cannot be read at position {position}")]
    Unreadable {
        /// The position that was asked for.
        position: Position,
        /// The storage's word.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The range was pruned here, and cannot be had from where it is kept.
    #[error(
        "the log from position {position} on is kept in {place} only, and cannot be read there"
    )]
    Away {
        /// The first position of the range.
        position: Position,
        /// Where it is kept.
        place: String,
        /// Why it cannot be had.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What is wrong with stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The block's checksum is not that of its bytes.
    #[error("the block's checksum does not fit")]
    Checksum,
    /// The block is cut or has a form that this program does not know.
    #[error("the block's form is not known")]
    Form,
    /// A block is missing, or stands twice.
    #[error("the next block is missing")]
    Gap,
    /// The tree root stored with the block is not that of the entries.
    #[error("the tree root does not fit")]
    Root,
    /// An entry was recorded before the one that it follows.
    #[error("time goes back")]
    Time,
    /// What stands in the archive is not the range that was pruned here.
    #[error("the range in the archive is not the one that was pruned here")]
    Archive,
    /// An entry holds no envelope.
    #[error("an entry holds no event: {0}")]
    Entry(#[from] DecodeError),
}
