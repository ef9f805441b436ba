//! Where events stand, and what they say: both worked out from the event alone.

use purser_events::intake::{JobProcessed, Order, Rank, Taken};
use purser_events::{Event, WorkerNo, codec};
use sha2::{Digest, Sha256};

use crate::recall::RecallKey;

/// Where and when the source put an event; absent for events that no source sent.
#[must_use]
pub const fn taken_of(event: &Event) -> Option<&Taken> {
    match event {
        Event::WorkerConnected(event) => Some(&event.taken),
        Event::WorkerDisconnected(event) => Some(&event.taken),
        Event::PartitionReset(event) => Some(&event.taken),
        Event::JobReceived(event) => Some(&event.taken),
        Event::JobProcessed(event) => Some(&event.taken),
        Event::TicketRedeemed(event) => Some(&event.taken),
        Event::OtherTaken(event) => Some(&event.taken),
        Event::EarlierCopyFound(event) => Some(&event.copy),
        _ => None,
    }
}

/// Where an event stands among those of its partition.
///
/// # Panics
/// When no source sent the event.
#[must_use]
pub fn order_of(event: &Event) -> Order {
    let taken = taken_of(event).expect("only events from a source have an order");
    order_at(taken, rank_of(event), &RecallKey::of_event(&taken.id))
}

pub(crate) fn order_at(taken: &Taken, rank: Rank, key: &RecallKey) -> Order {
    Order {
        occurred_at: taken.occurred_at,
        rank,
        stamps: taken.stamps,
        index: taken.index,
        tie: key.tie(),
    }
}

pub(crate) const fn rank_of(event: &Event) -> Rank {
    use purser_events::intake::Moved;
    match event {
        Event::JobReceived(_) => Rank::Received,
        Event::EarlierCopyFound(found) => match found.moved {
            Moved::Received(_) => Rank::Received,
            _ => Rank::Other,
        },
        _ => Rank::Other,
    }
}

/// A digest of what the source said: equal for copies, wherever they were found.
///
/// # Panics
/// When no source sent the event.
#[must_use]
pub fn content_of(event: &Event) -> u64 {
    let taken = taken_of(event).expect("only events from a source have a content");
    let mut bytes = vec![event.kind() as u8];
    codec::append(&(taken.occurred_at, taken.partition), &mut bytes);
    match event {
        Event::WorkerConnected(event) => {
            codec::append(&(event.worker, &event.connection), &mut bytes);
        }
        Event::WorkerDisconnected(event) => {
            codec::append(&(event.worker, &event.connection), &mut bytes);
        }
        Event::JobReceived(event) => codec::append(&(&event.request, event.worker), &mut bytes),
        Event::JobProcessed(event) => append_job(event, &mut bytes),
        Event::TicketRedeemed(event) => {
            let payment = (event.face_value, event.tx_hash);
            codec::append(&(event.recipient, event.sender, payment), &mut bytes);
        }
        Event::OtherTaken(event) => codec::append(&event.event_type, &mut bytes),
        _ => {}
    }
    let digest = Sha256::digest(&bytes);
    first_eight(&digest)
}

fn append_job(job: &JobProcessed, bytes: &mut Vec<u8>) {
    let times = (job.response_time, job.duration_ms, job.real_time_ratio);
    let price = (job.units, job.price_wei, &job.fee);
    let named = (&job.request, job.model, named_worker(job));
    codec::append(&(named, price, times), bytes);
}

/// The worker that the source names: only transcoding jobs, which have no model, name one.
const fn named_worker(job: &JobProcessed) -> Option<WorkerNo> {
    use purser_events::intake::Attribution;
    match (job.model, job.attribution) {
        (None, Attribution::Worker(worker)) => Some(worker),
        _ => None,
    }
}

pub(crate) fn first_eight(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(first)
}
