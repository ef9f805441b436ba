//! Freeze and thaw the folds at a position. A snapshot is a cache: delete every one, and no
//! answer changes.

mod frozen;

pub use frozen::{Digest, FOLD_VERSION, Frozen, ThawError, digest, freeze, thaw};
