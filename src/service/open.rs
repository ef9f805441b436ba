//! From a data directory to a running ledger.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use purser_events::Position;
use purser_projections::Books;
use purser_projections::recall::Recalled;

use super::genesis::Genesis;
use super::needs::Needs;
use super::replay::{ReplayError, replay};
use super::snapshots::{SnapshotStore, Snapshotter};
use super::sweeper::{self, Sweeper};
use super::{Running, Service};
use crate::analytics::{self, Analyst, AnalystThread, FrozenFile};
use crate::clock::Clock;
use crate::log::{AcquireError, Log, LogReader, Ranges, ReadError, RedbLog, Sealer};
use crate::recall::{DiskIndex, Index, IndexError, Kept};
use crate::view::View;
use crate::writer::engine::{GENERATION_ROOM, recall_again};
use crate::writer::{self, GENERATION, Start, SubmitError};

/// The file of the index of ids.
pub(super) const INDEX_FILE: &str = "recall.redb";

/// How a ledger is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// Run on a clock that moves only when told to.
    pub test_clock: bool,
    /// The rules that a new log starts with.
    pub genesis: Genesis,
    /// Requests that may wait for the writer.
    pub queue_max: usize,
    /// Commands that share a commit at most.
    pub commands_max: usize,
    /// Events between snapshots; 0 takes them only at a clean stop.
    pub snapshot_every: u64,
    /// Where ranges of the log are read that are not in the data directory any more.
    pub ranges: Option<Arc<dyn Ranges>>,
}

impl Settings {
    /// The usual settings for a data directory.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            test_clock: false,
            genesis: Genesis::default(),
            queue_max: 4_096,
            commands_max: 16_384,
            snapshot_every: 1_000_000,
            ranges: None,
        }
    }
}

/// The storage that a ledger runs on.
pub struct Parts {
    /// The log.
    pub log: Box<dyn Log>,
    /// The index of ids.
    pub index: Arc<dyn Index>,
}

/// Why a ledger did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be made or written.
    #[error("the data directory {path} cannot be used")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The directory ran on the other clock.
    #[error("the data directory ran on {found}; start it {hint}, or use another directory")]
    OtherClock {
        /// The clock it ran on.
        found: &'static str,
        /// How to start it.
        hint: &'static str,
    },
    /// The log cannot be held or read.
    #[error(transparent)]
    Log(#[from] AcquireError),
    /// The log cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The index of ids cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The first events cannot be written.
    #[error("the first events cannot be written")]
    Genesis(#[source] SubmitError),
    /// A thread cannot be started.
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        Self::Replay(ReplayError::Log(error))
    }
}

impl Running {
    /// Starts the ledger of a data directory; makes the directory when it does not exist.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let log = RedbLog::open(&settings.data)?;
        if let Some(ranges) = &settings.ranges {
            log.read_pruned_from(Arc::clone(ranges));
        }
        let pruner = log.pruner();
        let index = Arc::new(open_index(&settings.data, log.end().position)?);
        let sealer = Sealer::start(&log).map_err(OpenError::Thread)?;
        let mut running = Self::start(
            settings,
            Parts {
                log: Box::new(log),
                index,
            },
        )?;
        running.sealer = Some(sealer);
        running.service.pruner = Some(pruner);
        Ok(running)
    }

    /// Starts a ledger on the given storage: takes the log's lease, folds what it holds, feeds the
    /// index what it lacks, and lets the writer begin.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn start(settings: &Settings, parts: Parts) -> Result<Self, OpenError> {
        let Parts { mut log, index } = parts;
        let lease = log.acquire()?;
        let reader = log.reader();
        let clock = Arc::new(clock_of(settings, &*reader)?);
        let store = SnapshotStore::of(&settings.data);
        let folds = replay(&store, &*reader)?.folds;
        let view = Arc::new(View::new(folds.clone(), clock.now()));
        let mut books = Books {
            projections: folds,
            recalled: Recalled::with_capacity(GENERATION_ROOM),
        };
        let absorbed = feed(&*index, &*reader, &mut books)?;
        let is_new = books.projections.position == Position::ORIGIN;
        let (handle, writer, stats) = writer::start(Start {
            log,
            lease,
            index: Arc::clone(&index),
            absorbed,
            books,
            view: Arc::clone(&view),
            clock: Arc::clone(&clock),
            queue_max: settings.queue_max,
            commands_max: settings.commands_max,
        })
        .map_err(OpenError::Thread)?;
        if is_new {
            let written = settings.genesis.write(&handle);
            written.map_err(OpenError::Genesis)?;
        }
        let sweeper = Sweeper::start(sweeper::Parts {
            writer: handle.clone(),
            view: Arc::clone(&view),
            clock: Arc::clone(&clock),
        })
        .map_err(OpenError::Thread)?;
        let snapshotter = Snapshotter::start(
            store.clone(),
            Arc::clone(&reader),
            Arc::clone(&view),
            Arc::clone(&clock),
            settings.snapshot_every,
        )
        .map_err(OpenError::Thread)?;
        let (analyst, analyst_thread) = analyst(settings, &reader, (&view, &clock))?;
        let service = Service {
            writer: handle,
            stats,
            view,
            log: reader,
            clock,
            runners: Arc::default(),
            analyst,
            needs: Needs {
                snapshots: store.clone(),
                index: Arc::clone(&index),
            },
            snapshots: store,
            pruner: None,
            sweeper,
            snapshotter,
        };
        Ok(Self {
            service,
            writer,
            analyst: analyst_thread,
            index,
            sealer: None,
        })
    }
}

/// Begins to fold the analytics.
fn analyst(
    settings: &Settings,
    log: &Arc<dyn LogReader>,
    (view, clock): (&Arc<View>, &Arc<Clock>),
) -> Result<(Arc<Analyst>, AnalystThread), OpenError> {
    let parts = analytics::Parts {
        log: Arc::clone(log),
        view: Arc::clone(view),
        file: FrozenFile::of(&settings.data),
        every: settings.snapshot_every.max(1),
        clock: Arc::clone(clock),
    };
    Analyst::start(parts).map_err(OpenError::Thread)
}

/// The index of a data directory, made anew when it is damaged or belongs to a longer log: it is
/// derived, so that costs time and nothing else.
pub(super) fn open_index(data: &Path, end: Position) -> Result<DiskIndex, IndexError> {
    let path = data.join(INDEX_FILE);
    let (index, kept) = DiskIndex::open_or_discard(&path)?;
    if matches!(kept, Kept::Discarded) {
        tracing::warn!("the index of ids is damaged and is made anew from the log");
    }
    if index.checkpoint() <= end {
        return Ok(index);
    }
    tracing::warn!("the index of ids belongs to a longer log and is made anew");
    drop(index);
    DiskIndex::remove(&path)?;
    DiskIndex::open(path)
}

/// Feeds the index everything behind its checkpoint; the rest stays in the books.
pub(super) fn feed(
    index: &dyn Index,
    log: &dyn LogReader,
    books: &mut Books,
) -> Result<Position, ReplayError> {
    let end = books.projections.position;
    let mut absorbed = index.checkpoint().min(end);
    let mut failed = None;
    if absorbed < end {
        log.read(absorbed.next(), &mut |envelope| {
            if envelope.position > end {
                return ControlFlow::Break(());
            }
            recall_again(books, &envelope);
            if books.recalled.recent_len() >= GENERATION {
                let generation = books.recalled.take_recent(GENERATION_ROOM);
                if let Err(error) = index.absorb(generation, envelope.position) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                absorbed = envelope.position;
            }
            ControlFlow::Continue(())
        })?;
    }
    failed.map_or(Ok(absorbed), |error| Err(error.into()))
}

/// The clock that the directory runs on, now and for ever.
fn clock_of(settings: &Settings, log: &dyn LogReader) -> Result<Clock, OpenError> {
    let path = settings.data.join("CLOCK");
    let fault = |source| OpenError::Directory {
        path: settings.data.clone(),
        source,
    };
    let wanted = if settings.test_clock {
        "test\n"
    } else {
        "real\n"
    };
    match read_marker(&path).map_err(fault)?.as_deref() {
        Some(found) if found == wanted => {}
        None => write_marker(&settings.data, &path, wanted).map_err(fault)?,
        Some("test\n") => {
            return Err(OpenError::OtherClock {
                found: "a test clock",
                hint: "with --test-clock",
            });
        }
        Some(_) => {
            return Err(OpenError::OtherClock {
                found: "the machine's clock",
                hint: "without --test-clock",
            });
        }
    }
    if settings.test_clock {
        // A test clock goes on where the log ended: recorded time never goes back.
        let recorded_at = log.end()?.recorded_at;
        return Ok(Clock::Test(AtomicU64::new(recorded_at.0)));
    }
    Ok(Clock::Real)
}

fn read_marker(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_marker(data: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(data)?;
    fs::write(path, text)?;
    fs::File::open(path)?.sync_all()?;
    fs::File::open(data)?.sync_all()
}
