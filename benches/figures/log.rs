//! The log alone, and what is folded from it.

use std::path::Path;
use std::time::Instant;

use purser::log::{Batch, BatchId, Log, RedbLog};
use purser_events::{Actor, Envelope, Event, Micros, Position};

use super::history::History;
use super::table::{Figures, median, rate};

/// Turns events into the batches of one commit each.
pub(crate) struct Feeder {
    after: Position,
    id: u64,
}

impl Feeder {
    pub(crate) const fn new() -> Self {
        Self {
            after: Position::ORIGIN,
            id: 0,
        }
    }

    pub(crate) fn envelopes(&mut self, events: Vec<Event>) -> Vec<Envelope> {
        let at = Micros(1_762_300_800_000_000 + self.after.0 * 150);
        let first = self.after.0 + 1;
        let envelope = |(offset, event)| Envelope {
            position: Position(first + offset),
            recorded_at: at,
            command: None,
            actor: Actor::Purser,
            event,
        };
        let envelopes: Vec<_> = (0..).zip(events).map(envelope).collect();
        self.after = self.after.plus(envelopes.len() as u64);
        envelopes
    }

    pub(crate) fn batch(&mut self, envelopes: &[Envelope]) -> Batch {
        self.id += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.id.to_le_bytes());
        let after = Position(envelopes[0].position.0 - 1);
        let mut batch = Batch::new(BatchId(id), [9; 32], after);
        envelopes.iter().for_each(|envelope| batch.push(envelope));
        batch
    }
}

/// Appends in batches of several sizes, encoding included.
pub(crate) fn appends(figures: &mut Figures, directory: &Path, sync_per_s: f64) {
    let mut history = History::new();
    let mut log = RedbLog::open(&directory.join("appends")).expect("the log opens");
    let lease = log.acquire().expect("nobody else holds it");
    let mut feeder = Feeder::new();
    let mut events = Vec::new();
    history.beginning(&mut events);
    for chunk in feeder.envelopes(events).chunks(8_192) {
        let batch = feeder.batch(chunk);
        log.append(lease, &batch).expect("appended");
    }
    for size in [1, 64, 512, 8_192] {
        let rounds = (400_000 / size).clamp(10, 1_000);
        let per_second = median(|| {
            let mut events = Vec::new();
            history.more(rounds * size, &mut events);
            events.truncate(rounds * size);
            let envelopes = feeder.envelopes(events);
            let began = Instant::now();
            for chunk in envelopes.chunks(size) {
                let batch = feeder.batch(chunk);
                log.append(lease, &batch).expect("appended");
            }
            (rounds * size) as f64 / began.elapsed().as_secs_f64()
        });
        let commits = per_second / size as f64;
        let against = format!("{:.2} commits per sync", commits / sync_per_s);
        let bar = if size == 8_192 { ">= 1,000,000/s" } else { "" };
        figures.row(
            &format!("log alone, events in batches of {size}"),
            rate(per_second),
            against,
            bar,
        );
    }
}
