//! The log alone: sealing, sequential reading, verifying, bytes on disk, and how long the sealer
//! makes an append wait.
#![expect(clippy::float_arithmetic, reason = "figures are for people to read")]

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use purser::log::{Batch, BatchId, Log, RedbLog, Sealer, verify};
use purser_events::intake::{EventId, FileStamps, Taken};
use purser_events::job::{Attribution, Fee, JobProcessed, Split};
use purser_events::worker::WorkerBeat;
use purser_events::{
    Actor, BasisPoints, Envelope, Event, FileNo, Micros, PartitionNo, Position, Seconds, WorkerNo,
};

/// Random numbers: `splitmix64`.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A heartbeat of one of 100,000 workers in random order.
fn beat(dice: &mut Dice, _: u64) -> (Actor, Event) {
    let worker = WorkerNo(dice.below(100_000) as u32);
    let beat = WorkerBeat {
        worker,
        lag_ms: Some(dice.below(60) as i64),
        queue_len: dice.below(4) as u32,
        avg_latency_ms: Some(20 + dice.below(480) as u32),
        temp_decidegrees: Some(400 + dice.below(400) as i32),
        mem_free_mb: Some(1_024 * dice.below(24) as u32),
    };
    (Actor::Worker(worker), Event::WorkerBeat(beat))
}

/// A job in the sample pool's likeness: random id, tens of millions of units, a fee that follows.
fn job(dice: &mut Dice, number: u64) -> (Actor, Event) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&dice.next().to_le_bytes());
    id[8..].copy_from_slice(&dice.next().to_le_bytes());
    let file = number / 20;
    let units = 20_000_000 + dice.below(60_000_000) as i64;
    let price = 100 + dice.below(80) as i64;
    let response = 80 + dice.below(1_200) as i64;
    let duration = 1_000 + dice.below(8) as i64 * 500;
    let job = JobProcessed {
        taken: Taken {
            id: EventId::Uuid(id),
            occurred_at: Seconds((1_762_300_800 + file * 3 + dice.below(60)).cast_signed()),
            file: FileNo(file as u32),
            index: (number % 20) as u32,
            partition: PartitionNo((file % 8) as u32),
            stamps: FileStamps {
                start: 20_251_105_000_000 + file,
                end: 20_251_105_000_059 + file,
            },
        },
        request: None,
        model: None,
        units: Some(units),
        price_wei: Some(price),
        response_time: Some(response),
        duration_ms: Some(duration),
        real_time_ratio: Some(duration / response),
        fee: Fee::Payable((units * price).cast_unsigned()),
        attribution: Attribution::Worker(WorkerNo(dice.below(1_000) as u32)),
        split: Split {
            policy: Position(3),
            commission: BasisPoints::new(2_500).expect("at most one whole"),
        },
    };
    (Actor::CommandLine, Event::JobProcessed(Box::new(job)))
}

type Draw = fn(&mut Dice, u64) -> (Actor, Event);

fn batch(draw: Draw, dice: &mut Dice, after: Position, count: u64) -> Batch {
    let id = BatchId([after.0 as u8; 16]);
    let mut batch = Batch::new(id, [9; 32], after);
    for position in after.0 + 1..=after.0 + count {
        let (actor, event) = draw(dice, position);
        batch.push(&Envelope {
            position: Position(position),
            recorded_at: Micros(1_762_300_800_000_000 + position * 300 + dice.below(300)),
            command: None,
            actor,
            event,
        });
    }
    batch
}

struct Table {
    out: std::io::Stdout,
}

impl Table {
    fn row(&mut self, name: &str, value: &str) {
        writeln!(self.out, "{name:<44} {value:>24}").expect("the table can be printed");
    }

    fn rate(&mut self, name: &str, count: u64, since: Instant) {
        let per_s = count as f64 / since.elapsed().as_secs_f64();
        self.row(name, &format!("{:.2} M/s", per_s / 1e6));
    }
}

fn one_kind(table: &mut Table, directory: &Path, name: &str, draw: Draw) {
    const COUNT: u64 = 2_000_000;
    let mut log = RedbLog::open(directory).expect("the log opens");
    let lease = log.acquire().expect("nobody else holds it");
    let mut dice = Dice(7);
    let mut appending = std::time::Duration::ZERO;
    while log.end().position.0 < COUNT {
        let batch = batch(draw, &mut dice, log.end().position, 8_192);
        let began = Instant::now();
        log.append(lease, &batch).expect("appended");
        appending += began.elapsed();
    }
    let count = log.end().position.0;
    let per_s = count as f64 / appending.as_secs_f64();
    table.row(
        &format!("{name}: append, batches of 8,192"),
        &format!("{:.2} M/s", per_s / 1e6),
    );
    reading(table, &log, &format!("{name}: read hot"));
    let began = Instant::now();
    log.seal_all().expect("sealed");
    table.rate(&format!("{name}: seal and prove"), count, began);
    reading(table, &log, &format!("{name}: read sealed"));
    drop(log);
    let began = Instant::now();
    let found = verify(directory, &mut drop).expect("a whole log");
    table.rate(&format!("{name}: verify sealed"), count, began);
    let bytes = found.bytes as f64 / count as f64;
    table.row(
        &format!("{name}: bytes each, sealed"),
        &format!("{bytes:.2}"),
    );
}

fn reading(table: &mut Table, log: &RedbLog, name: &str) {
    let mut count = 0;
    let began = Instant::now();
    log.reader()
        .read_batches(Position(1), &mut |envelopes| {
            count += envelopes.len() as u64;
            ControlFlow::Continue(())
        })
        .expect("a whole log");
    table.rate(name, count, began);
}

fn waits(table: &mut Table, directory: &Path, size: u64) {
    let mut log = RedbLog::open(directory).expect("the log opens");
    let lease = log.acquire().expect("nobody else holds it");
    let sealer = Sealer::start(&log).expect("a thread");
    let mut dice = Dice(7);
    let mut waits = Vec::new();
    for _ in 0..(1_000_000 / size).min(30_000) {
        let batch = batch(beat, &mut dice, log.end().position, size);
        let began = Instant::now();
        log.append(lease, &batch).expect("appended");
        waits.push(began.elapsed());
    }
    sealer.stop().expect("nothing is wrong");
    waits.sort();
    let at = |share: usize| waits[(waits.len() - 1) * share / 1_000].as_micros();
    let value = format!("{} / {} / {} us", at(500), at(990), at(1_000));
    table.row(
        &format!("append of {size} beside the sealer: p50/p99/max"),
        &value,
    );
}

fn main() {
    let directory = tempfile::tempdir_in("target").expect("a place for files");
    let mut table = Table {
        out: std::io::stdout(),
    };
    one_kind(
        &mut table,
        &directory.path().join("beats"),
        "heartbeats",
        beat,
    );
    one_kind(&mut table, &directory.path().join("jobs"), "jobs", job);
    for size in [8, 512] {
        waits(&mut table, &directory.path().join(size.to_string()), size);
    }
}
