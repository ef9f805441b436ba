//! What was taken in, and what was set aside.

use purser_events::Recorded;
use serde::{Deserialize, Serialize};

/// What was taken in, and what was set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {}

impl Intake {
    pub(crate) fn apply(&mut self, _fact: Recorded<'_>) {}
}
