//! What a start needs of the log.

use std::io;
use std::sync::Arc;

use purser_events::Position;

use super::SnapshotStore;
use crate::recall::Index;

/// What a start needs of the log: all that the snapshots and the index of ids do not hold.
#[derive(Clone)]
pub struct Needs {
    pub(super) snapshots: SnapshotStore,
    pub(super) index: Arc<dyn Index>,
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needs").finish_non_exhaustive()
    }
}

impl Needs {
    /// The first position that the next start may have to read, even when the newest snapshot
    /// turns out to be damaged.
    ///
    /// # Errors
    /// When the snapshots cannot be listed.
    pub fn from(&self) -> io::Result<Position> {
        let snapshots = self.snapshots.list()?;
        let one = snapshots.get(1).or(snapshots.first());
        let frozen = one.map_or(Position::ORIGIN, |(position, _)| *position);
        Ok(frozen.min(self.index.checkpoint()).next())
    }
}
