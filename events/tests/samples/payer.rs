//! Samples of payers and rails.

use purser_events::payer::{PayerNamed, RailNamed};
use purser_events::{Event, PayerNo, RailNo};

use super::label;

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let payer = PayerNamed {
        payer: PayerNo(300),
        name: label("0x5ce5ce0f853906efc26298cf1459080c58e8767b"),
    };
    let rail = RailNamed {
        rail: RailNo(1),
        name: label("stripe"),
    };
    vec![
        ("plain", Event::PayerNamed(Box::new(payer))),
        ("plain", Event::RailNamed(Box::new(rail))),
    ]
}
