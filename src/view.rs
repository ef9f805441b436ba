//! The read side: the folds of what is durable, for any thread to look at.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use purser_events::{Envelope, Micros, Position};
use purser_projections::Projections;
use purser_projections::matching::index::MatchIndex;
use tokio::sync::watch;

/// Events that the index of matching takes in before it lets others ask.
const FOLLOWED_AT_ONCE: usize = 32;

/// The folds of what is durable.
#[derive(Debug)]
pub struct View {
    folds: RwLock<Projections>,
    matches: RwLock<MatchIndex>,
    position: watch::Sender<Position>,
}

impl View {
    /// A view that begins with these folds, at a moment.
    #[must_use]
    pub fn new(folds: Projections, now: Micros) -> Self {
        let position = watch::Sender::new(folds.position);
        Self {
            matches: RwLock::new(MatchIndex::new(&folds, now)),
            folds: RwLock::new(folds),
            position,
        }
    }

    /// Looks at the folds. Hold the guard only to copy out what is needed: never across an await,
    /// a socket or a disk.
    pub fn read(&self) -> RwLockReadGuard<'_, Projections> {
        self.folds.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last position that is folded in.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Follows the position as it grows: for live streams.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// Waits until `position` is folded in; `false` when `limit` ran out before.
    pub async fn reached(&self, position: Position, limit: Duration) -> bool {
        let mut seen = self.position.subscribe();
        let wait = seen.wait_for(|now| *now >= position);
        matches!(tokio::time::timeout(limit, wait).await, Ok(Ok(_)))
    }

    /// Asks the index of matching as of `now`. It is held for the asking and the writing out of
    /// the answer, beside the folds and not with them: whoever reads the folds does not hold up a
    /// match, nor the other way.
    pub fn matching<T>(&self, now: Micros, ask: impl FnOnce(&MatchIndex) -> T) -> T {
        let index = self.matches.read().unwrap_or_else(PoisonError::into_inner);
        if !index.is_due(now) {
            return ask(&index);
        }
        drop(index);
        let mut index = self.matches.write().unwrap_or_else(PoisonError::into_inner);
        index.advance(now);
        ask(&RwLockWriteGuard::downgrade(index))
    }

    /// Folds in what has just become durable.
    pub fn publish(&self, batch: &[Envelope]) {
        let mut folds = self.folds.write().unwrap_or_else(PoisonError::into_inner);
        for envelope in batch {
            folds.apply(envelope.recorded());
        }
        let position = folds.position;
        drop(folds);
        self.follow(batch, position);
        self.position.send_replace(position);
    }

    /// Takes a batch into the index of matching, a little at a time, so that no match waits long.
    fn follow(&self, batch: &[Envelope], position: Position) {
        let folds = self.read();
        for part in batch.chunks(FOLLOWED_AT_ONCE) {
            let mut index = self.matches.write().unwrap_or_else(PoisonError::into_inner);
            for envelope in part {
                index.follow(&folds, &envelope.event);
            }
            index.reach(part.last().map_or(position, |last| last.position));
        }
    }
}
