//! What is known of batches of tickets and of winners that wait no longer.

use purser_events::ticket::{TicketsTaken, WinnerReport, WinnerReported};
use purser_events::{Event, Position, Recorded, codec};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::RecallKey;
use super::record::{Record, SeenCommand};
use crate::order::first_eight;

/// A winner that waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenWinner {
    /// The event that says so.
    pub position: Position,
    /// The digest of what became of it.
    pub content: u64,
}

/// The digest of what became of a winner: tells a repetition from another end.
#[must_use]
pub fn report_content(report: &WinnerReport) -> u64 {
    first_eight(&Sha256::digest(codec::to_bytes(report)))
}

/// The record that an event about tickets adds.
pub(super) fn record(fact: Recorded<'_>) -> Option<(RecallKey, Record)> {
    match fact.event {
        Event::TicketsTaken(taken) => Some(batch(fact.position, taken)),
        Event::WinnerReported(one) if one.report.is_final() => Some(winner(fact.position, one)),
        _ => None,
    }
}

/// A batch that comes again is answered from the events that it led to, like a command.
fn batch(position: Position, taken: &TicketsTaken) -> (RecallKey, Record) {
    let seen = SeenCommand {
        content: taken.payment,
        position,
        events: 1 + taken.winners,
    };
    (RecallKey::of_tickets(&taken.payment), Record::Command(seen))
}

fn winner(position: Position, reported: &WinnerReported) -> (RecallKey, Record) {
    let content = report_content(&reported.report);
    let seen = SeenWinner { position, content };
    (RecallKey::of_winner(reported.winner), Record::Winner(seen))
}
