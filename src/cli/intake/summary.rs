//! What became of the delivered files, in sum.

use serde::{Deserialize, Serialize};

use crate::cli::out::grouped;

/// What became of one file, as the server answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::cli) struct TakenFile {
    #[serde(default)]
    pub(super) repeated: bool,
    #[serde(default)]
    pub(super) quarantined: Option<String>,
    pub(super) elements: u64,
    pub(super) events: u64,
    pub(super) duplicates: u64,
    pub(super) malformed: u64,
    pub(super) misrouted: u64,
    pub(super) suspense: u64,
}

/// What became of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    /// Files that were delivered.
    files: u64,
    /// Files of which exactly this content had been delivered before.
    repeated: u64,
    /// Files that were set aside with a reason.
    quarantined: u64,
    /// Files that did not get as far.
    pub(super) failed: u64,
    elements: u64,
    events: u64,
    duplicates: u64,
    malformed: u64,
    misrouted: u64,
    suspense: u64,
}

impl Summary {
    pub(super) fn add(&mut self, file: &TakenFile) {
        self.files += 1;
        self.repeated += u64::from(file.repeated);
        self.quarantined += u64::from(file.quarantined.is_some());
        self.elements += file.elements;
        self.events += file.events;
        self.duplicates += file.duplicates;
        self.malformed += file.malformed;
        self.misrouted += file.misrouted;
        self.suspense += file.suspense;
    }

    pub(super) fn progress(&self) -> String {
        format!(
            "{} events, {} duplicates",
            grouped(self.events),
            grouped(self.duplicates)
        )
    }

    pub(super) fn machine(&self, position: u64) -> serde_json::Value {
        let mut value = serde_json::json!(self);
        value["position"] = position.into();
        value
    }

    pub(super) fn people(&self, position: u64) -> String {
        let rows = [
            ("files", self.files),
            ("  delivered before", self.repeated),
            ("  set aside", self.quarantined),
            ("  failed", self.failed),
            ("events", self.events),
            ("  in suspense", self.suspense),
            ("duplicates", self.duplicates),
            ("malformed", self.malformed),
            ("misrouted", self.misrouted),
            ("position", position),
        ];
        rows.map(|(name, count)| format!("{name:<20} {:>14}\n", grouped(count)))
            .concat()
    }
}
