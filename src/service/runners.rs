//! How the background runners are, for `/v1/status`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use purser_events::Micros;

/// The state of a background runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerStatus {
    /// When it last ran.
    pub last_run_at: Option<Micros>,
    /// How often it ran.
    pub runs: u64,
    /// What went wrong in its last run.
    pub last_error: Option<String>,
    /// What it waits for; absent while it works.
    pub waits_for: Option<String>,
}

/// What a runner says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// The state that all runners have.
    pub status: RunnerStatus,
    /// What there is to say of this one.
    pub detail: serde_json::Value,
}

/// What the runners that deal with other machines say of themselves, by name. One that never said
/// anything is off.
#[derive(Debug, Default)]
pub struct Runners {
    reported: Mutex<BTreeMap<&'static str, Reported>>,
    gaps: Mutex<Vec<(String, u64)>>,
}

impl Runners {
    /// A runner says how it is.
    pub fn report(&self, name: &'static str, reported: Reported) {
        let mut all = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, reported);
    }

    /// The intake says how many gaps each partition has that is live, or that has any.
    pub fn report_gaps(&self, gaps: Vec<(String, u64)>) {
        *self.gaps.lock().unwrap_or_else(PoisonError::into_inner) = gaps;
    }

    /// How many gaps partitions have, as the intake said last.
    #[must_use]
    pub fn gaps(&self) -> Vec<(String, u64)> {
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.clone()
    }

    /// What a runner said last; absent when it is off.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Reported> {
        let all = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }
}
