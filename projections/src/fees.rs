//! Who earned what in which partition.

use purser_events::Recorded;
use serde::{Deserialize, Serialize};

/// Who earned what in which partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {}

impl Fees {
    pub(crate) fn apply(&mut self, _fact: Recorded<'_>) {}
}
