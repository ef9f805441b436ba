//! Snapshots on disk: taken beside the writer, never in its way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use purser_events::Position;
use purser_snapshots::{Frozen, freeze, thaw};

use super::RunnerStatus;
use super::replay::{ReplayError, replay_to_end};
use crate::background;
use crate::clock::Clock;
use crate::log::{LogReader, Root};
use crate::view::View;

/// How many snapshots are kept.
const KEPT: usize = 3;

/// How often the snapshotter looks whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a snapshot was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be written.
    #[error("the snapshot cannot be written")]
    Write(#[source] io::Error),
    /// The log cannot be replayed up to its end.
    #[error("the log cannot be replayed for a snapshot")]
    Replay(#[from] ReplayError),
}

/// A snapshot that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshotted {
    /// Its position.
    pub position: Position,
    /// Its file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The directory that holds snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotStore {
    directory: PathBuf,
}

impl SnapshotStore {
    /// The snapshots of a data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self {
            directory: data.join("snapshots"),
        }
    }

    /// The snapshots there are, newest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<(Position, PathBuf)>> {
        let mut found = Vec::new();
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            let is_snapshot = path
                .extension()
                .is_some_and(|extension| extension == "snapshot");
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if let Some(position) = stem.and_then(|stem| stem.parse().ok())
                && is_snapshot
            {
                found.push((Position(position), path));
            }
        }
        found.sort_unstable_by(|left, right| right.cmp(left));
        Ok(found)
    }

    /// The newest snapshot that fits this program and this log. Others are skipped with a warning.
    ///
    /// # Errors
    /// When the directory or the log cannot be read.
    pub fn newest(&self, log: &dyn LogReader) -> Result<Option<Frozen>, ReplayError> {
        self.newest_until(log, Position(u64::MAX))
    }

    /// The same, of those that are not behind a position.
    ///
    /// # Errors
    /// When the directory or the log cannot be read.
    pub fn newest_until(
        &self,
        log: &dyn LogReader,
        last: Position,
    ) -> Result<Option<Frozen>, ReplayError> {
        let all = self.list().map_err(ReplayError::Snapshots)?;
        let older = all.into_iter().filter(|(position, _)| *position <= last);
        for (position, path) in older {
            let frozen = match fs::read(&path).map(|bytes| thaw(&bytes)) {
                Ok(Ok(frozen)) => frozen,
                Ok(Err(error)) => {
                    tracing::warn!(%position, %error, "a snapshot is skipped");
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%position, %error, "a snapshot cannot be read and is skipped");
                    continue;
                }
            };
            if log.root_at(frozen.folds.position)? == Some(Root(frozen.root)) {
                return Ok(Some(frozen));
            }
            tracing::warn!(%position, "a snapshot of another log is skipped");
        }
        Ok(None)
    }

    /// Writes a snapshot: first beside its place, then by a rename. A crash before the rename
    /// leaves a file that the next snapshot overwrites.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, position: Position, bytes: &[u8]) -> io::Result<Snapshotted> {
        fs::create_dir_all(&self.directory)?;
        let unfinished = self.directory.join("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let path = self.directory.join(format!("{:020}.snapshot", position.0));
        fs::rename(&unfinished, &path)?;
        File::open(&self.directory)?.sync_all()?;
        for (_, old) in self.list()?.into_iter().skip(KEPT) {
            fs::remove_file(old)?;
        }
        Ok(Snapshotted {
            position,
            path,
            bytes: bytes.len() as u64,
        })
    }

    /// Removes every snapshot.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> io::Result<usize> {
        let all = self.list()?;
        for (_, path) in &all {
            fs::remove_file(path)?;
        }
        Ok(all.len())
    }
}

/// Takes a snapshot of what is durable, from the newest snapshot and the log behind it: the live
/// folds are not touched. `None` when nothing was recorded since the newest one.
///
/// # Errors
/// When the log cannot be replayed, or the snapshot not be written.
pub fn take_snapshot(
    store: &SnapshotStore,
    log: &dyn LogReader,
) -> Result<Option<Snapshotted>, SnapshotError> {
    let newest = store.newest(log)?;
    let before = newest.as_ref().map(|frozen| frozen.folds.position);
    let mut folds = newest.map_or_else(Default::default, |frozen| frozen.folds);
    let end = replay_to_end(log, &mut folds).map_err(ReplayError::Log)?;
    if before == Some(folds.position) || folds.position == Position::ORIGIN {
        return Ok(None);
    }
    let bytes = freeze(&folds, &end.root.0);
    store
        .write(folds.position, &bytes)
        .map(Some)
        .map_err(SnapshotError::Write)
}

/// Takes a snapshot whenever enough was recorded since the last one.
#[derive(Debug)]
pub(super) struct Snapshotter {
    store: SnapshotStore,
    log: LogHandle,
    state: Mutex<State>,
    stop: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

struct LogHandle(Arc<dyn LogReader>);

impl std::fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogHandle")
    }
}

#[derive(Debug, Default)]
struct State {
    status: RunnerStatus,
    newest: Option<Position>,
}

impl Snapshotter {
    /// Starts the thread. `every` is in events; 0 takes snapshots only at a clean stop.
    pub(super) fn start(
        store: SnapshotStore,
        log: Arc<dyn LogReader>,
        view: Arc<View>,
        clock: Arc<Clock>,
        every: u64,
    ) -> io::Result<Arc<Self>> {
        let newest = store.list()?.first().map(|(position, _)| *position);
        let state = Mutex::new(State {
            newest,
            ..State::default()
        });
        let this = Arc::new(Self {
            store,
            log: LogHandle(log),
            state,
            stop: Mutex::new(None),
        });
        let (stop, stopped) = channel();
        let runner = Arc::clone(&this);
        let thread = background::spawn("snapshotter", move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let newest = runner.lock().newest.unwrap_or(Position::ORIGIN);
                if every > 0 && view.position().0.saturating_sub(newest.0) >= every {
                    runner.run(&clock);
                }
            }
        })?;
        *this.stop.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, thread));
        Ok(this)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, clock: &Clock) {
        let taken = take_snapshot(&self.store, &*self.log.0);
        let mut state = self.lock();
        state.status.runs += 1;
        state.status.last_run_at = Some(clock.now());
        state.status.last_error = None;
        match taken {
            Ok(Some(snapshot)) => state.newest = Some(snapshot.position),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "no snapshot was taken");
                state.status.last_error = Some(error.to_string());
            }
        }
    }

    pub(super) fn status(&self) -> (RunnerStatus, Option<Position>) {
        let state = self.lock();
        (state.status.clone(), state.newest)
    }

    pub(super) fn stop(&self) {
        let running = self
            .stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = running {
            drop(stop);
            // A panic there has told by its own message.
            let _ = thread.join();
        }
    }

    /// Freezes the folds that the stopped service holds.
    pub(super) fn freeze_view(&self, view: &View) -> Result<(), SnapshotError> {
        let folds = view.read();
        if folds.position == Position::ORIGIN || self.lock().newest == Some(folds.position) {
            return Ok(());
        }
        let root = self
            .log
            .0
            .root_at(folds.position)
            .map_err(ReplayError::Log)?;
        let Some(root) = root else { return Ok(()) };
        let bytes = freeze(&folds, &root.0);
        self.store
            .write(folds.position, &bytes)
            .map(drop)
            .map_err(SnapshotError::Write)
    }
}
