//! Grants and pools: the samples of their stored form, as they are shown.

#[path = "../../../events/tests/samples/grant.rs"]
mod samples;

use purser_events::grant::PoolOpened;
use purser_events::{Amount, AssetNo, Envelope, Event, PoolNo, RailNo};

use super::history::{label, numbered};

/// Pool 0.
pub(super) fn naming() -> Vec<Event> {
    vec![Event::PoolOpened(Box::new(PoolOpened {
        pool: PoolNo(0),
        name: label("the \"house\""),
        asset: AssetNo(0),
        seed: Amount(1),
        rail: RailNo(0),
    }))]
}

/// Every kind of event, numbered from 7,000.
pub(super) fn history() -> Vec<Envelope> {
    let events = samples::events().into_iter().map(|(_, event)| event);
    numbered(7_000, naming().into_iter().chain(events).collect())
}
