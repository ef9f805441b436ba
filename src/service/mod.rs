//! A running ledger: the writer, the read side and the log of one data directory.

mod genesis;
mod needs;
mod open;
mod replay;
mod runners;
mod snapshots;
mod sweeper;

use std::sync::Arc;
use std::time::Duration;

use purser_events::{Micros, Position};

use crate::analytics::{Analyst, AnalystThread};
use crate::clock::{Clock, ClockError};
use crate::log::{LogReader, Pruner, Sealer};
use crate::view::View;
use crate::writer::{WriterHandle, WriterStats, WriterThread};

pub use genesis::{Genesis, GrantsGenesis};
pub use needs::Needs;
pub use open::{OpenError, Parts, Settings};
pub use replay::{Rebuilt, ReplayError, Replayed, rebuild, replay, replay_until};
pub use runners::{Reported, RunnerStatus, Runners};
pub use snapshots::{SnapshotError, SnapshotStore, Snapshotted, take_snapshot};

use snapshots::Snapshotter;
use sweeper::Sweeper;

/// How long the read side may take to fold in what is durable.
const PUBLISH_WAIT: Duration = Duration::from_secs(10);

/// A running ledger, to be shared by everything that serves it; cheap to clone.
#[derive(Clone)]
pub struct Service {
    /// Where commands go.
    pub writer: WriterHandle,
    /// What the writer counts.
    pub stats: Arc<WriterStats>,
    /// The folds of what is durable.
    pub view: Arc<View>,
    /// The log, for reading.
    pub log: Arc<dyn LogReader>,
    /// The clock that stamps commits.
    pub clock: Arc<Clock>,
    /// What the runners that deal with other machines say of themselves.
    pub runners: Arc<Runners>,
    /// How fast jobs are done.
    pub analyst: Arc<Analyst>,
    /// The snapshots that are kept.
    pub snapshots: SnapshotStore,
    /// What takes ranges out of the log; absent where it is not in files of its own.
    pub pruner: Option<Pruner>,
    /// What a start needs of the log.
    pub needs: Needs,
    sweeper: Sweeper,
    snapshotter: Arc<Snapshotter>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("position", &self.view.position())
            .finish_non_exhaustive()
    }
}

/// What keeps a ledger running. Stop it to end in order.
pub struct Running {
    /// The ledger.
    pub service: Service,
    writer: WriterThread,
    analyst: AnalystThread,
    index: Arc<dyn crate::recall::Index>,
    sealer: Option<Sealer>,
}

impl Service {
    /// Moves a test clock forward, and waits until workers that are silent by then have lapsed.
    ///
    /// # Errors
    /// When the clock is the machine's, or `to` lies before its time.
    pub async fn advance_clock(&self, to: Micros) -> Result<(), ClockError> {
        self.clock.advance_to(to)?;
        // The sweeper looks at the read side: it has to know of everything answered before.
        if let Ok(end) = self.log.end() {
            self.view.reached(end.position, PUBLISH_WAIT).await;
        }
        self.sweeper.sweep_now().await;
        Ok(())
    }

    /// The sweeper that turns silence into events.
    #[must_use]
    pub fn sweeper_status(&self) -> RunnerStatus {
        self.sweeper.status()
    }

    /// The snapshotter, and the position of the newest snapshot.
    #[must_use]
    pub fn snapshot_status(&self) -> (RunnerStatus, Option<Position>) {
        self.snapshotter.status()
    }
}

impl Running {
    /// Answers what waits, writes a snapshot, and stops.
    ///
    /// # Errors
    /// When the snapshot or the index cannot be written; nothing is lost then, the next start only
    /// takes longer.
    pub fn stop(self) -> Result<(), SnapshotError> {
        let Self {
            service,
            writer,
            analyst,
            index,
            sealer,
        } = self;
        service.sweeper.stop();
        writer.stop();
        analyst.stop();
        service.snapshotter.stop();
        if let Some(Err(error)) = sealer.map(Sealer::stop) {
            tracing::error!(%error, "the sealer had stopped before");
        }
        index
            .flush()
            .map_err(|error| SnapshotError::Write(std::io::Error::other(error)))?;
        service.snapshotter.freeze_view(&service.view)
    }
}
