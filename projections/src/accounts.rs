//! Balances by double entry.

use purser_events::Recorded;
use serde::{Deserialize, Serialize};

/// Balances by double entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {}

impl Accounts {
    pub(crate) fn apply(&mut self, _fact: Recorded<'_>) {}
}
