//! A log made anew from its archive.

use futures_util::{StreamExt, stream};
use purser_events::Position;

use super::{ArchiveError, kept};
use crate::log::{End, RedbLog, SealedRange};
use crate::objects::Objects;

/// Ranges that are fetched ahead.
const AHEAD: usize = 4;

/// Takes every range of an archive into a log that holds nothing else, or less of the same; each is
/// proved first. `each` is told how far it is, and how far it will be. Answers where the log ends.
///
/// # Errors
/// When a range is missing, damaged or of another log, or the log cannot be written. What was taken
/// in before is whole; the next try goes on behind it.
pub async fn restore(
    store: &dyn Objects,
    prefix: &str,
    log: &mut RedbLog,
    mut each: impl FnMut(Position, Position),
) -> Result<End, ArchiveError> {
    use crate::log::Log;
    let kept = kept(store, prefix).await?;
    let Some(last) = kept.last().map(|one| one.last) else {
        let place = format!("{}/{prefix}", store.name());
        return Err(ArchiveError::Empty { place });
    };
    let end = log.end().position;
    let wanted = kept.into_iter().filter(|one| one.last > end);
    let mut fetching = stream::iter(wanted)
        .map(|one| async move {
            let object = store.get(&one.key, u64::MAX).await?;
            Ok::<_, ArchiveError>(SealedRange::read(one.first, object.bytes.to_vec())?)
        })
        .buffered(AHEAD);
    while let Some(range) = fetching.next().await {
        let end = log.take_in(&range?)?;
        each(end.position, last);
    }
    Ok(log.end())
}
