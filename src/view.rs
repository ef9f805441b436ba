//! The read side: the folds of what is durable, for any thread to look at.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use purser_events::Position;
use purser_projections::Projections;
use tokio::sync::watch;

/// The folds of what is durable.
#[derive(Debug)]
pub struct View {
    folds: RwLock<Projections>,
    position: watch::Sender<Position>,
}

impl View {
    /// A view that begins with these folds.
    #[must_use]
    pub fn new(folds: Projections) -> Self {
        let position = watch::Sender::new(folds.position);
        Self {
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

    /// Folds in what has just become durable.
    pub fn publish(&self, fold: impl FnOnce(&mut Projections)) {
        let mut folds = self.folds.write().unwrap_or_else(PoisonError::into_inner);
        fold(&mut folds);
        let position = folds.position;
        drop(folds);
        self.position.send_replace(position);
    }
}
