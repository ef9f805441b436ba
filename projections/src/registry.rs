//! The workers that registered: what they offer, whether they live.

use purser_events::Recorded;
use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// The workers that registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {}

impl Registry {
    pub(crate) fn apply(&mut self, _fact: Recorded<'_>, _policy: &Policy) {}
}
