//! Envelopes to fill logs with.

use purser_events::worker::{LeaseGranted, WorkerBeat};
use purser_events::{Actor, CommandStamp, Envelope, Event, Label, Micros, Position, WorkerNo};

use crate::log::{Batch, BatchId};

/// The envelope at a position: the same one every time.
pub(super) fn envelope(position: u64) -> Envelope {
    let worker = WorkerNo((position * 7 % 100) as u32);
    let event = if position.is_multiple_of(10) {
        let session = (position / 10) as u32;
        Event::LeaseGranted(LeaseGranted { worker, session })
    } else {
        Event::WorkerBeat(WorkerBeat {
            worker,
            lag_ms: Some(position as i64 % 90 - 20),
            queue_len: (position % 5) as u32,
            avg_latency_ms: (!position.is_multiple_of(3)).then_some(20 + position as u32 % 400),
            temp_decidegrees: Some(500 - (position % 300) as i32),
            mem_free_mb: None,
        })
    };
    let command = position.is_multiple_of(4).then(|| {
        Box::new(CommandStamp {
            id: Label::new(&format!("command-{position}")).expect("a short label"),
            content: [position as u8; 16],
            events: 1,
        })
    });
    Envelope {
        position: Position(position),
        recorded_at: Micros(1_760_000_000_000_000 + position * 900),
        command,
        actor: Actor::Worker(worker),
        event,
    }
}

/// Another envelope at the same position.
pub(super) fn envelope_of_another_log(position: u64) -> Envelope {
    let event = Event::LeaseGranted(LeaseGranted {
        worker: WorkerNo(77),
        session: 77,
    });
    Envelope {
        event,
        ..envelope(position)
    }
}

/// The envelopes of some positions.
pub(super) fn envelopes(positions: std::ops::RangeInclusive<u64>) -> Vec<Envelope> {
    positions.map(envelope).collect()
}

/// A batch of `count` sample envelopes that follows `after`; its id and seed come from there.
pub(super) fn batch(after: Position, count: u64) -> Batch {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&after.0.to_le_bytes());
    id[8..].copy_from_slice(&count.to_le_bytes());
    let mut batch = Batch::new(BatchId(id), [after.0 as u8; 32], after);
    for position in after.0 + 1..=after.0 + count {
        batch.push(&envelope(position));
    }
    batch
}
