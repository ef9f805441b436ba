//! Why a command did not end well, and the exit code that says so.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use purser_events::Position;

use super::verify::Breach;
use super::walk::WalkError;
use crate::archive::ArchiveError;
use crate::client::ClientError;
use crate::config::ConfigError;
use crate::delivery::{InventoryError, PassError};
use crate::export::DatasetError;
use crate::keys::KeysError;
use crate::log::{AcquireError, ReadError, VerifyError};
use crate::objects::{AddressError, ObjectError};
use crate::payouts::{KeyError, NodeError};
use crate::service::{OpenError, ReplayError, SnapshotError};
use crate::tickets::desk::DeskError;
use crate::tls::TlsError;
use crate::writer::SubmitError;

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no ledger in the data directory.
    #[error("{path} holds no ledger; `purser serve` or `purser intake` makes one")]
    NoLedger {
        /// The directory.
        path: PathBuf,
    },
    /// A server holds the data directory.
    #[error("{path} is held by a running server; stop it, or go through it with --url {url}")]
    Held {
        /// The directory.
        path: PathBuf,
        /// Where the server listens, as far as is known.
        url: String,
    },
    /// The log cannot be opened.
    #[error(transparent)]
    Log(AcquireError),
    /// The ledger cannot be started.
    #[error(transparent)]
    Open(OpenError),
    /// Tickets cannot be issued.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys cannot be made or read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The system delivers no signals.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// The runtime of the server or the client cannot be started.
    #[error("cannot start a runtime")]
    Runtime(#[source] io::Error),
    /// The writer cannot go on; what it answered is on disk.
    #[error("the writer stopped: {why}")]
    Writer {
        /// Its last word.
        why: String,
    },
    /// No directory was named.
    #[error("name the directory of the event files: purser intake DIR")]
    NoPath,
    /// A server sets its own rules.
    #[error("--commission-bps is for a new data directory; a server's rule is changed by policy")]
    CommissionAtServer,
    /// The files cannot be found.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The files of a bucket cannot be taken in; those before stay taken in.
    #[error("the files of the bucket cannot be taken in")]
    Pass(#[from] PassError),
    /// A store of objects does not do what it is asked.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The inventory of files cannot be used.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The text is no address of a bucket.
    #[error("{text} is no bucket")]
    Address {
        /// The text.
        text: String,
        /// What it takes.
        #[source]
        source: AddressError,
    },
    /// The archive of a log cannot be read.
    #[error("the archive of the log")]
    Archive(#[from] ArchiveError),
    /// A data set cannot be gone on with.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Columns are files of a data set.
    #[error("parquet is written as a data set; name its place with --into")]
    ParquetToOne,
    /// Nobody writes into a directory that we hold.
    #[error("--follow goes through a running server; name it with --url")]
    FollowData,
    /// A bucket has its own order.
    #[error("--order and --prefix are for a directory; write s3://BUCKET/PREFIX")]
    OrderOfBucket,
    /// The writer does not take what it is given.
    #[error("the files cannot be taken in")]
    Submit(#[source] SubmitError),
    /// Some files were not taken in.
    #[error("{failed} files were not taken in")]
    NotTaken {
        /// How many.
        failed: u64,
    },
    /// A server does not answer as asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log is not what was written.
    #[error("breach at position {position}")]
    Damage {
        /// The first position that cannot be trusted.
        position: Position,
        /// What is wrong.
        #[source]
        source: VerifyError,
    },
    /// The books do not add up.
    #[error("breach at position {position}")]
    Breach {
        /// The first event that cannot be.
        position: Position,
        /// What is wrong.
        #[source]
        source: Breach,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// A directory cannot be made.
    #[error("cannot make {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The size of a file is not known.
    #[error("cannot look at {path}")]
    Size {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Nothing goes by this name.
    #[error("no {what} goes by the name of {text}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        text: String,
    },
    /// The export cannot be written.
    #[error("cannot write {path}")]
    Export {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The file of the export is there already.
    #[error("{path} exists; --resume goes on with it")]
    ExportExists {
        /// The file.
        path: PathBuf,
    },
    /// The file to go on with is none of ours.
    #[error("{path} is no export of this form; name another file")]
    NoExport {
        /// The file.
        path: PathBuf,
    },
    /// The log cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A snapshot cannot be taken.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A replay of the whole log ends elsewhere than the newest snapshot and the log behind it.
    #[error("the digests differ")]
    Digests,
    /// A file of reference vectors cannot be read.
    #[error("cannot read the vectors {path}")]
    Vectors {
        /// The file.
        path: PathBuf,
        /// The system's or the parser's word.
        #[source]
        source: io::Error,
    },
    /// A file holds no vectors of a known form.
    #[error("{path} holds no vectors of a known form")]
    NoVectors {
        /// The file.
        path: PathBuf,
    },
    /// Some vectors came out differently.
    #[error("{failed} vectors came out differently")]
    Mismatches {
        /// How many.
        failed: u64,
    },
    /// The chain gives no answer.
    #[error("the chain cannot be compared")]
    Node(#[from] NodeError),
    /// The log and the chain differ.
    #[error("{count} differences between the log and the chain")]
    Differences {
        /// How many.
        count: usize,
    },
    /// The key that signs payouts cannot be used.
    #[error("the key of payouts cannot be used")]
    PayoutKey(#[from] KeyError),
    /// No client of HTTP can be made.
    #[error("cannot make a client of HTTP")]
    Http(#[source] reqwest::Error),
    /// The configuration cannot be written as text.
    #[error("cannot print the configuration")]
    Print(#[from] toml::ser::Error),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 1 a finding, 2 usage, 3 cannot reach or read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(error) if !error.is_unreadable() => 2,
            Self::Unknown { .. } | Self::ExportExists { .. } | Self::NoExport { .. } => 2,
            Self::NoPath | Self::CommissionAtServer | Self::OrderOfBucket => 2,
            Self::PayoutKey(_) | Self::Address { .. } | Self::ParquetToOne => 2,
            Self::FollowData | Self::Dataset(DatasetError::Other { .. }) => 2,
            Self::Archive(error) if error.is_finding() => 1,
            Self::Client(ClientError::Address { .. } | ClientError::Tls(_)) | Self::Tls(_) => 2,
            Self::Differences { .. } => 1,
            Self::Digests | Self::Damage { .. } | Self::Breach { .. } => 1,
            Self::Mismatches { .. } => 1,
            _ => 3,
        }
    }

    /// A thread panicked; its own message has told why.
    pub(super) fn panicked() -> Self {
        Self::Writer {
            why: "see the message above".into(),
        }
    }

    /// Whether the reader of our output went away: it has what it wanted.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
