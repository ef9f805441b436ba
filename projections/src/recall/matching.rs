//! What history knows of the matches of a job, and of how each worker's part in it ended.

use purser_events::Position;
use purser_events::matching::{AssignmentExpired, FeedbackGiven, MatchMade, Outcome};
use serde::{Deserialize, Serialize};

use super::key::RecallKey;
use super::record::Record;

/// So many recorded matches of one job are found again: the latest.
pub const MATCH_ROOM: usize = 64;

/// The recorded matches of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMatch {
    /// Their events, the first first.
    pub positions: Vec<Position>,
    /// Whether some worker completed the job.
    pub completed: bool,
}

impl SeenMatch {
    pub(super) fn merge(&mut self, other: &Self) {
        self.completed |= other.completed;
        self.positions.extend_from_slice(&other.positions);
        self.positions.sort_unstable();
        self.positions.dedup();
        let over = self.positions.len().saturating_sub(MATCH_ROOM);
        self.positions.drain(..over);
    }
}

pub(super) fn made(position: Position, made: &MatchMade, mut each: impl FnMut(RecallKey, Record)) {
    let seen = SeenMatch {
        positions: vec![position],
        completed: false,
    };
    each(RecallKey::of_match(&made.job), Record::Match(seen));
}

pub(super) fn given(
    position: Position,
    given: &FeedbackGiven,
    mut each: impl FnMut(RecallKey, Record),
) {
    if !given.outcome.terminal() {
        return;
    }
    let key = RecallKey::of_outcome(&given.job, given.worker);
    each(key, Record::Outcome(position));
    if given.outcome == Outcome::Completed {
        let seen = SeenMatch {
            positions: Vec::new(),
            completed: true,
        };
        each(RecallKey::of_match(&given.job), Record::Match(seen));
    }
}

pub(super) fn expired(
    position: Position,
    expired: &AssignmentExpired,
    mut each: impl FnMut(RecallKey, Record),
) {
    let key = RecallKey::of_outcome(&expired.job, expired.worker);
    each(key, Record::Outcome(position));
}
