//! From the log to the folds.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use purser_events::{Envelope, Position};
use purser_projections::{Books, Projections};
use purser_snapshots::{Digest, digest};

use super::open::{INDEX_FILE, feed, open_index};
use super::snapshots::SnapshotStore;
use crate::analytics::FrozenFile;
use crate::log::{End, LogReader, ReadError};
use crate::recall::{DiskIndex, Index, IndexError};

/// Why the folds could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The snapshots cannot be listed or removed.
    #[error("the snapshots cannot be read")]
    Snapshots(#[source] std::io::Error),
    /// The index of ids cannot be written.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Folds as they were replayed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The folds, at the end of the log.
    pub folds: Projections,
    /// The position of the snapshot that they started from.
    pub snapshot: Position,
    /// Events that were folded in.
    pub events: u64,
}

/// What a rebuild found.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// Events that were replayed, from the first on.
    pub events: u64,
    /// How long that took.
    pub took: Duration,
    /// The digest of the folds by the newest snapshot and the log behind it.
    pub before: Digest,
    /// The digest of the folds by the whole log.
    pub after: Digest,
    /// The folds by the whole log.
    pub folds: Projections,
    /// Snapshots that were dropped.
    pub snapshots_dropped: usize,
}

/// Folds everything from the position after `folds` up to the log's end as it is now.
pub(super) fn replay_to_end(
    log: &dyn LogReader,
    folds: &mut Projections,
) -> Result<End, ReadError> {
    let end = log.end()?;
    if folds.position < end.position {
        log.read_batches(folds.position.next(), &mut |batch| {
            fold_batch(folds, batch, end.position)
        })?;
    }
    Ok(end)
}

/// Events that are looked at together before they are folded.
const LOOK_AHEAD: usize = 64;

fn fold_batch(folds: &mut Projections, batch: &[Envelope], end: Position) -> ControlFlow<()> {
    for near in batch.chunks(LOOK_AHEAD) {
        black_box(
            folds
                .registry
                .look_ahead(near.iter().map(|envelope| &envelope.event)),
        );
        for envelope in near {
            if envelope.position > end {
                return ControlFlow::Break(());
            }
            folds.apply(envelope.recorded());
        }
    }
    if folds.position < end {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// The folds at the end of the log: the newest snapshot that fits, and the log behind it.
///
/// # Errors
/// When the log or the snapshots cannot be read.
pub fn replay(store: &SnapshotStore, log: &dyn LogReader) -> Result<Replayed, ReplayError> {
    let mut folds = store
        .newest(log)?
        .map_or_else(Default::default, |frozen| frozen.folds);
    let snapshot = folds.position;
    replay_to_end(log, &mut folds)?;
    let events = folds.position.0 - snapshot.0;
    Ok(Replayed {
        folds,
        snapshot,
        events,
    })
}

/// The folds as they were at a position: the newest snapshot before it, and the log behind that.
///
/// # Errors
/// When the log or the snapshots cannot be read.
pub fn replay_until(
    store: &SnapshotStore,
    log: &dyn LogReader,
    last: Position,
) -> Result<Projections, ReplayError> {
    let newest = store.newest_until(log, last)?;
    let mut folds = newest.map_or_else(Default::default, |frozen| frozen.folds);
    if folds.position < last {
        log.read_batches(folds.position.next(), &mut |batch| {
            fold_batch(&mut folds, batch, last)
        })?;
    }
    Ok(folds)
}

/// Drops everything that is derived and makes it anew: snapshots, folds, the index of ids; the
/// analytics are made anew by the next start. The
/// digests before and after must agree.
///
/// # Errors
/// When the log cannot be read, or the index not be written.
pub fn rebuild(data: &Path, log: &dyn LogReader) -> Result<Rebuilt, ReplayError> {
    let store = SnapshotStore::of(data);
    let before = digest(&replay(&store, log)?.folds);
    let snapshots_dropped = store.clear().map_err(ReplayError::Snapshots)?;
    let forgotten = FrozenFile::of(data).remove();
    forgotten.map_err(ReplayError::Snapshots)?;
    let began = Instant::now();
    let mut folds = Projections::default();
    replay_to_end(log, &mut folds)?;
    let took = began.elapsed();
    rebuild_index(data, log, folds.position)?;
    Ok(Rebuilt {
        events: folds.position.0,
        took,
        before,
        after: digest(&folds),
        folds,
        snapshots_dropped,
    })
}

fn rebuild_index(data: &Path, log: &dyn LogReader, end: Position) -> Result<(), ReplayError> {
    DiskIndex::remove(&data.join(INDEX_FILE))?;
    let index = open_index(data, end)?;
    let mut books = Books::default();
    books.projections.position = end;
    feed(&index, log, &mut books)?;
    index.absorb(books.recalled.take_recent(0), end)?;
    Ok(index.flush()?)
}
