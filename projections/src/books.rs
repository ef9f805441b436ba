//! What a decision looks at.

use purser_events::Recorded;

use crate::Projections;
use crate::recall::Recalled;

/// The state that commands are decided against: the folds, and the part of the on-disk index of
/// history that the commands at hand ask for.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The folds.
    pub projections: Projections,
    /// Facts about single ids, from the whole of history.
    pub recalled: Recalled,
}

impl Books {
    /// Folds one event in.
    pub fn apply(&mut self, fact: Recorded<'_>) {
        self.recalled.apply(fact);
        self.projections.apply(fact);
    }
}
