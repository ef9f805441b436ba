//! Payers and rails with any content.

use proptest::prelude::*;
use purser_events::payer::{PayerNamed, RailNamed};
use purser_events::{Event, PayerNo, RailNo};

use crate::arbitrary::label;

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<u32>(), label()).prop_map(|(payer, name)| {
            let payer = PayerNo(payer);
            Event::PayerNamed(Box::new(PayerNamed { payer, name }))
        }),
        (any::<u32>(), label()).prop_map(|(rail, name)| {
            let rail = RailNo(rail);
            Event::RailNamed(Box::new(RailNamed { rail, name }))
        }),
    ]
}
