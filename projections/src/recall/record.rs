//! What is known of one id. Records only grow: merging is commutative, associative, idempotent.

use std::collections::BTreeSet;

use purser_events::Position;
use purser_events::intake::{FileReason, FileStamps, KeyState};
use serde::{Deserialize, Serialize};

use super::grant::{SeenGrant, SeenGrantPayment};
use super::matching::SeenMatch;
use super::paid::{SeenDebit, SeenJob, SeenPayment};
use super::ticket::SeenWinner;
use super::timeline::{ConnectionTimeline, RequestTimeline};

/// What is known of one id. The larger ones are boxed: an index of many small ones stays small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A command id: what was asked under it, and the events that it led to.
    Command(SeenCommand),
    /// The id of an event that a source sent.
    Event(SeenEvent),
    /// One content of a file key.
    File(SeenFile),
    /// What came of a file key.
    Key(KeyState),
    /// The jobs that share a request id.
    Request(RequestTimeline),
    /// The latest connects and disconnects of a connection.
    Connection(ConnectionTimeline),
    /// The events of a payout.
    Payout(PayoutTrail),
    /// A payer's job.
    Job(Box<SeenJob>),
    /// A debit of a payer's job.
    Debit(Box<SeenDebit>),
    /// A payment that came in, or a transfer of funds.
    Payment(Box<SeenPayment>),
    /// The recorded matches of a job.
    Match(SeenMatch),
    /// How a worker's part in a job ended, by the event that says so.
    Outcome(Position),
    /// A request that a grant was decided for.
    Grant(Box<SeenGrant>),
    /// A payment for such a request, to a pool, or back to a payer.
    GrantPayment(Box<SeenGrantPayment>),
    /// A winner that waits no longer.
    Winner(SeenWinner),
}

/// A command id that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCommand {
    /// The first half of the SHA-256 of the command's content.
    pub content: [u8; 16],
    /// The first event that it led to.
    pub position: Position,
    /// How many events it led to.
    pub events: u32,
}

/// An event of a source that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenEvent {
    /// Its position in the log.
    pub position: Position,
    /// The first place that it was found in: the stamps of the file key, the index.
    pub place: (FileStamps, u32),
    /// The digest of what it says.
    pub content: u64,
}

/// A content of a file key that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFile {
    /// The event that says so.
    pub position: Position,
    /// Why it was set aside; absent when it was read.
    pub quarantined: Option<FileReason>,
    /// Elements of its array.
    pub elements: u32,
    /// Elements that are no events.
    pub malformed: u32,
    /// Elements whose region or node type is not the key's.
    pub misrouted: u32,
}

/// So many events of one payout are found again; only a chain that never rests makes more.
pub const TRAIL_ROOM: usize = 256;

/// Where the events of a payout stand: the first one, and the latest ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutTrail(BTreeSet<Position>);

impl PayoutTrail {
    /// One event.
    #[must_use]
    pub fn of(event: Position) -> Self {
        Self(BTreeSet::from([event]))
    }

    /// The positions, in order.
    #[must_use]
    pub const fn positions(&self) -> &BTreeSet<Position> {
        &self.0
    }

    fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
        // The least and the greatest of a union are those of its parts: cutting in between keeps
        // merging commutative and idempotent.
        while self.0.len() > TRAIL_ROOM {
            let second = self.0.iter().nth(1).copied();
            self.0
                .remove(&second.expect("there is room for more than one"));
        }
    }
}

impl Record {
    /// Adds what another record of the same key knows.
    ///
    /// # Panics
    /// When the other is of another kind: keys of different kinds do not meet.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Command(mine), Self::Command(theirs)) => {
                if theirs.position < mine.position {
                    *mine = *theirs;
                }
            }
            (Self::Event(mine), Self::Event(theirs)) => mine.merge(theirs),
            (Self::File(mine), Self::File(theirs)) => {
                if theirs.position < mine.position {
                    *mine = *theirs;
                }
            }
            (Self::Key(mine), Self::Key(theirs)) => *mine = (*mine).max(*theirs),
            (Self::Request(mine), Self::Request(theirs)) => mine.merge(theirs),
            (Self::Connection(mine), Self::Connection(theirs)) => mine.merge(theirs),
            (Self::Payout(mine), Self::Payout(theirs)) => mine.merge(theirs),
            (Self::Job(mine), Self::Job(theirs)) => mine.merge(theirs),
            // A number of a debit and an id of a payment make one event each, for ever.
            (Self::Debit(mine), Self::Debit(theirs)) => assert_eq!(mine, theirs),
            (Self::Payment(mine), Self::Payment(theirs)) => assert_eq!(mine, theirs),
            (Self::Match(mine), Self::Match(theirs)) => mine.merge(theirs),
            (Self::Outcome(mine), Self::Outcome(theirs)) => *mine = (*mine).min(*theirs),
            (Self::Grant(mine), Self::Grant(theirs)) => mine.merge(theirs),
            // An id of a payment makes one event, for ever.
            (Self::GrantPayment(mine), Self::GrantPayment(theirs)) => assert_eq!(mine, theirs),
            (Self::Winner(mine), Self::Winner(theirs)) => assert_eq!(mine, theirs),
            (mine, theirs) => panic!("records of one key are of one kind: {mine:?}, {theirs:?}"),
        }
    }
}

impl SeenEvent {
    fn merge(&mut self, other: &Self) {
        let place = self.place.min(other.place);
        if other.position < self.position {
            *self = *other;
        }
        self.place = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(positions: impl IntoIterator<Item = u64>) -> PayoutTrail {
        PayoutTrail(positions.into_iter().map(Position).collect())
    }

    fn merged(mut left: PayoutTrail, right: &PayoutTrail) -> PayoutTrail {
        left.merge(right);
        left
    }

    #[test]
    fn trails_merge_in_any_order_and_any_number_of_times() {
        let all: Vec<PayoutTrail> = (0..600).map(|at| trail([at * 7 % 600 + 1])).collect();
        let forth = all.iter().fold(trail([]), merged);
        let back = all.iter().rev().chain(&all).fold(trail([]), merged);
        assert_eq!(forth, back);
        assert_eq!(merged(forth.clone(), &forth), forth);
        assert_eq!(forth.0.len(), TRAIL_ROOM);
        assert_eq!(forth.0.first(), Some(&Position(1)), "the first event stays");
        assert_eq!(
            forth.0.last(),
            Some(&Position(600)),
            "the latest event stays"
        );
    }
}
