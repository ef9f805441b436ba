//! What of the log stays on the local disk, once all of it is in the archive.

use std::time::Duration;

use purser_events::{Micros, Position};

use super::ArchiveError;
use crate::log::{LogReader, Pruner, SealedRange};
use crate::service::Needs;

/// What of the log stays on the local disk.
#[derive(Clone, Debug)]
pub struct Local {
    /// What takes ranges out of the log.
    pub pruner: Pruner,
    /// What a start reads of it: never taken out.
    pub needs: Needs,
    /// How many of the newest events stay.
    pub events: u64,
    /// How old an event is before it may leave.
    pub age: Duration,
}

impl Local {
    /// Up to where the log is on the local disk no longer.
    pub(super) async fn pruned_to(&self) -> Result<Position, ArchiveError> {
        let pruner = self.pruner.clone();
        Ok(blocking(move || pruner.pruned_to()).await??)
    }

    /// The oldest range on the local disk, if it need not be there.
    pub(super) async fn surplus(
        &self,
        (log, now): (&dyn LogReader, Micros),
    ) -> Result<Option<SealedRange>, ArchiveError> {
        let this = self.clone();
        let end = log.end()?.position;
        blocking(move || this.look(end, now)).await?
    }

    fn look(&self, end: Position, now: Micros) -> Result<Option<SealedRange>, ArchiveError> {
        let needed = self.needs.from().map_err(ArchiveError::Needed)?;
        let Some(range) = self.pruner.oldest()? else {
            return Ok(None);
        };
        let is_new = range.last.0.saturating_add(self.events) > end.0;
        if is_new || range.last >= needed {
            return Ok(None);
        }
        let age = u64::try_from(self.age.as_micros()).unwrap_or(u64::MAX);
        let is_young = age > 0 && range.last_recorded_at()?.0.saturating_add(age) > now.0;
        Ok((!is_young).then_some(range))
    }

    /// Takes a range out that was found in the archive.
    pub(super) async fn prune(
        &self,
        range: SealedRange,
        place: String,
    ) -> Result<(), ArchiveError> {
        let pruner = self.pruner.clone();
        Ok(blocking(move || pruner.prune(&range, &place)).await??)
    }
}

async fn blocking<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ArchiveError> {
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| ArchiveError::Thread)
}
