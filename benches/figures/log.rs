//! The log alone, and what is folded from it.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use purser::log::{Batch, BatchId, Log, RedbLog, Sealer};
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

/// Packs and proves segments, and reads what was sealed.
pub(crate) fn sealing(figures: &mut Figures, directory: &Path) {
    const EVENTS: usize = 1_000_000;
    let mut log = RedbLog::open(&directory.join("sealing")).expect("the log opens");
    fill(&mut log, EVENTS, 8_192);
    let reading = |log: &RedbLog| {
        let mut count = 0;
        let began = Instant::now();
        log.reader()
            .read_batches(Position(1), &mut |envelopes| {
                count += envelopes.len();
                ControlFlow::Continue(())
            })
            .expect("a whole log");
        count as f64 / began.elapsed().as_secs_f64()
    };
    let hot = median(|| reading(&log));
    let count = log.end().position.0 as f64;
    let began = Instant::now();
    log.seal_all().expect("sealed");
    let sealed = count / began.elapsed().as_secs_f64();
    let cold = median(|| reading(&log));
    figures.row("log alone, read blocks", rate(hot), String::new(), "");
    figures.row("log alone, seal and prove", rate(sealed), String::new(), "");
    figures.row("log alone, read segments", rate(cold), String::new(), "");
}

/// Appends a history in batches of one size; how many microseconds each append took.
fn fill(log: &mut RedbLog, count: usize, size: usize) -> Vec<u128> {
    let lease = log.acquire().expect("nobody else holds it");
    let mut history = History::new();
    let mut events = Vec::new();
    history.beginning(&mut events);
    history.more(count, &mut events);
    let mut feeder = Feeder::new();
    let envelopes = feeder.envelopes(events);
    let append = |chunk: &[Envelope]| {
        let batch = feeder.batch(chunk);
        let began = Instant::now();
        log.append(lease, &batch).expect("appended");
        began.elapsed().as_micros()
    };
    envelopes.chunks(size).map(append).collect()
}

/// How long an append waits while the sealer works beside it.
pub(crate) fn waits(figures: &mut Figures, directory: &Path) {
    for (size, count) in [(8, 240_000), (512, 1_500_000)] {
        let data = directory.join(format!("waits-{size}"));
        let mut log = RedbLog::open(&data).expect("the log opens");
        let sealer = Sealer::start(&log).expect("a thread");
        let mut waits = fill(&mut log, count, size);
        sealer.stop().expect("nothing is wrong");
        waits.sort_unstable();
        let at = |share: usize| waits[(waits.len() - 1) * share / 1_000];
        figures.row(
            &format!("log alone, append of {size} beside the sealer, p50 / p99 / max"),
            format!("{} / {} / {} us", at(500), at(990), at(1_000)),
            String::new(),
            "max <= 50 ms",
        );
    }
}

/// How long a start takes after a crash that left the hot file as large as it becomes.
pub(crate) fn crash(figures: &mut Figures, directory: &Path) {
    let (data, image) = (directory.join("crashed"), directory.join("image"));
    let mut log = RedbLog::open(&data).expect("the log opens");
    fill(&mut log, 2_500_000, 512);
    // Everything is synced, and nothing is closed: what a power cut would leave.
    std::fs::create_dir(&image).expect("a directory");
    for name in ["log.redb", "hot.redb", "format"] {
        std::fs::copy(data.join(name), image.join(name)).expect("copied");
    }
    let end = log.end();
    drop(log);
    let began = Instant::now();
    let log = RedbLog::open(&image).expect("the image opens");
    let took = began.elapsed();
    assert_eq!(log.end(), end, "nothing is lost");
    let hot = std::fs::metadata(image.join("hot.redb")).expect("a file");
    figures.row(
        "log alone, opening it after a crash with the hot file at its largest",
        format!("{} ms", took.as_millis()),
        format!("hot.redb takes {} MiB", hot.len() >> 20),
        "",
    );
}
