//! Payers, rails and their jobs.

use purser_events::payer::{PayerNamed, RailNamed};
use purser_events::{Envelope, Event, PayerNo, RailNo};

use super::history::{label, numbered};

/// Payer 0 and rail 0.
pub(super) fn naming() -> Vec<Event> {
    vec![
        Event::PayerNamed(Box::new(PayerNamed {
            payer: PayerNo(0),
            name: label("p \"1\""),
        })),
        Event::RailNamed(Box::new(RailNamed {
            rail: RailNo(0),
            name: label("stripe"),
        })),
    ]
}

/// Every kind of event, numbered from 3,000.
pub(super) fn history() -> Vec<Envelope> {
    numbered(3_000, naming())
}
