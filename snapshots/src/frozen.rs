//! The bytes of a snapshot: `magic, fold version, position, tree root, digest of the body, body`.
//! The analytics stand apart from the other folds, in snapshots of their own.

use purser_events::{Position, codec};
use purser_projections::Projections;
use purser_projections::analytics::Analytics;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// The version of the folds. It grows whenever a fold, or the stored form of one, changes: older
/// snapshots are skipped then, and the log is replayed.
pub const FOLD_VERSION: u32 = 9;

/// The version of the analytics, in the same way.
pub const ANALYTICS_VERSION: u32 = 1;

/// What tells snapshots of one kind from others: how they begin, and the version of their folds.
#[derive(Clone, Copy)]
struct Kind {
    magic: &'static [u8; 8],
    version: u32,
}

const FOLDS: Kind = Kind {
    magic: b"PURSNAP\n",
    version: FOLD_VERSION,
};

const ANALYTICS: Kind = Kind {
    magic: b"PURSANA\n",
    version: ANALYTICS_VERSION,
};

const HEADER: usize = 8 + 4 + 8 + 32 + 32;

/// SHA-256 over the stored form of all folds: equal folds, and only they, have equal digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A thawed snapshot.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// The folds.
    pub folds: Projections,
    /// The log's tree root at their position.
    pub root: [u8; 32],
}

/// Thawed analytics.
#[derive(Clone, Debug)]
pub struct FrozenAnalytics {
    /// The analytics.
    pub analytics: Analytics,
    /// The log's tree root at their position.
    pub root: [u8; 32],
}

/// Why bytes are no snapshot that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThawError {
    /// They are no snapshot, or cut.
    #[error("the bytes are no snapshot")]
    NoSnapshot,
    /// They were frozen by other folds.
    #[error("the snapshot has fold version {found}, this program has {known}")]
    OtherVersion {
        /// The version of the snapshot.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// A byte changed.
    #[error("the snapshot's digest does not fit")]
    Digest,
    /// The body holds no folds, or those of another position.
    #[error("the snapshot's body does not fit its header")]
    Body,
}

/// The digest of folds.
#[must_use]
pub fn digest(folds: &Projections) -> Digest {
    Digest(Sha256::digest(codec::to_bytes(folds)).into())
}

/// Freezes folds, together with the log's tree root at their position.
#[must_use]
pub fn freeze(folds: &Projections, root: &[u8; 32]) -> Vec<u8> {
    seal(FOLDS, (folds.position, root), folds)
}

/// Freezes the analytics, in the same way.
#[must_use]
pub fn freeze_analytics(analytics: &Analytics, root: &[u8; 32]) -> Vec<u8> {
    seal(ANALYTICS, (analytics.position, root), analytics)
}

fn seal(kind: Kind, (position, root): (Position, &[u8; 32]), body: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    codec::append(body, &mut bytes);
    let digest: [u8; 32] = Sha256::digest(&bytes[HEADER..]).into();
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(kind.magic);
    header.extend_from_slice(&kind.version.to_le_bytes());
    header.extend_from_slice(&position.0.to_le_bytes());
    header.extend_from_slice(root);
    header.extend_from_slice(&digest);
    bytes[..HEADER].copy_from_slice(&header);
    bytes
}

/// Thaws a snapshot.
///
/// # Errors
/// When the bytes are none, or none that this program can use: see [`ThawError`].
pub fn thaw(bytes: &[u8]) -> Result<Frozen, ThawError> {
    let (position, root, folds) = open::<Projections>(FOLDS, bytes)?;
    if folds.position != position {
        return Err(ThawError::Body);
    }
    Ok(Frozen { folds, root })
}

/// Thaws analytics.
///
/// # Errors
/// When the bytes are none, or none that this program can use: see [`ThawError`].
pub fn thaw_analytics(bytes: &[u8]) -> Result<FrozenAnalytics, ThawError> {
    let (position, root, analytics) = open::<Analytics>(ANALYTICS, bytes)?;
    if analytics.position != position {
        return Err(ThawError::Body);
    }
    Ok(FrozenAnalytics { analytics, root })
}

fn open<T: DeserializeOwned>(
    kind: Kind,
    bytes: &[u8],
) -> Result<(Position, [u8; 32], T), ThawError> {
    let (magic, rest) = bytes
        .split_first_chunk::<8>()
        .ok_or(ThawError::NoSnapshot)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(ThawError::NoSnapshot)?;
    let (position, rest) = rest.split_first_chunk::<8>().ok_or(ThawError::NoSnapshot)?;
    let (root, rest) = rest
        .split_first_chunk::<32>()
        .ok_or(ThawError::NoSnapshot)?;
    let (digest, body) = rest
        .split_first_chunk::<32>()
        .ok_or(ThawError::NoSnapshot)?;
    if magic != kind.magic {
        return Err(ThawError::NoSnapshot);
    }
    let (found, known) = (u32::from_le_bytes(*version), kind.version);
    if found != known {
        return Err(ThawError::OtherVersion { found, known });
    }
    if Sha256::digest(body).as_slice() != digest {
        return Err(ThawError::Digest);
    }
    let body = codec::from_bytes(body).map_err(|_| ThawError::Body)?;
    Ok((Position(u64::from_le_bytes(*position)), *root, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_survive_freezing_and_thawing() {
        let folds = Projections::default();
        let thawed = thaw(&freeze(&folds, &[7; 32])).expect("just frozen");
        assert_eq!((thawed.folds, thawed.root), (folds, [7; 32]));
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed_but_for_the_root_which_the_log_checks() {
        let frozen = freeze(&Projections::default(), &[7; 32]);
        for at in (0..frozen.len()).filter(|at| !(20..52).contains(at)) {
            let mut changed = frozen.clone();
            changed[at] ^= 1;
            assert!(thaw(&changed).is_err(), "byte {at} was changed unnoticed");
            assert!(
                thaw(&frozen[..at]).is_err(),
                "a cut at byte {at} went unnoticed"
            );
        }
    }

    #[test]
    fn other_folds_are_refused_by_their_version() {
        let mut frozen = freeze(&Projections::default(), &[0; 32]);
        frozen[8] = 99;
        assert!(matches!(
            thaw(&frozen),
            Err(ThawError::OtherVersion { found: 99, .. })
        ));
        let analytics = freeze_analytics(&Analytics::default(), &[0; 32]);
        assert!(thaw_analytics(&analytics).is_ok());
        assert!(matches!(thaw(&analytics), Err(ThawError::NoSnapshot)));
    }
}
