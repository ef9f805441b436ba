//! Which connections are open.

use purser_events::Recorded;
use serde::{Deserialize, Serialize};

/// Which connections are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {}

impl Connections {
    pub(crate) fn apply(&mut self, _fact: Recorded<'_>) {}
}
