//! Freeze and thaw the folds at a position. A snapshot is a cache: delete every one, and no
//! answer changes.

mod frozen;

pub use frozen::{
    ANALYTICS_VERSION, Digest, FOLD_VERSION, Frozen, FrozenAnalytics, ThawError, digest, freeze,
    freeze_analytics, thaw, thaw_analytics,
};
