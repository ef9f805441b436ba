//! Measures the index of ids: `cargo bench --bench index [-- RECORDS]`, 10,000,000 by default.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use purser::recall::{DiskIndex, Index};
use purser_events::Position;
use purser_projections::recall::{RecallKey, Record, SeenCommand};
use xxhash_rust::xxh3::xxh3_128;

/// Records in one generation.
const GENERATION: u64 = 262_144;
/// Keys in one lookup.
const BATCH: u64 = 1_000;
/// Lookups of each sort.
const BATCHES: u64 = 500;

fn key(number: u64) -> RecallKey {
    RecallKey(xxh3_128(&number.to_le_bytes()).to_be_bytes())
}

fn record(number: u64) -> Record {
    Record::Command(SeenCommand {
        content: xxh3_128(&number.to_be_bytes()).to_be_bytes(),
        position: Position(number),
        events: 1,
    })
}

fn generation(from: u64, to: u64) -> HashMap<RecallKey, Record> {
    let mut generation = HashMap::with_capacity((to - from) as usize);
    generation.extend((from..to).map(|number| (key(number), record(number))));
    generation
}

/// A figure of this process in MiB, as the kernel counts it.
fn memory_mib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.map(|line| line.trim_matches(|c: char| !c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0_u64)
        / 1_024
}

fn per_second(count: u64, took: Duration) -> u64 {
    (u128::from(count) * 1_000_000_000 / took.as_nanos().max(1)) as u64
}

/// Fills the index with the records `from..to`, at most so many per second; answers how long it
/// took, and the longest wait in one call.
fn fill(index: &DiskIndex, (from, to): (u64, u64), rate_max: u64) -> (Duration, Duration) {
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    for first in (from..to).step_by(GENERATION as usize) {
        let end = to.min(first + GENERATION);
        let generation = generation(first, end);
        let due = start + Duration::from_nanos((end - from) * 1_000_000_000 / rate_max);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let call = Instant::now();
        index
            .absorb(generation, Position(end))
            .expect("the disk works");
        longest = longest.max(call.elapsed());
    }
    (start.elapsed(), longest)
}

/// Looks batches of keys up that spread over `from..to`.
fn look_up(index: &DiskIndex, from: u64, to: u64) -> (u64, Duration, Duration) {
    let (mut found, mut all, mut longest) = (0, Duration::ZERO, Duration::ZERO);
    for batch in 0..BATCHES {
        let number = |at: u64| from + (batch * BATCH + at).wrapping_mul(7_919) % (to - from);
        let keys: Vec<_> = (0..BATCH).map(|at| key(number(at))).collect();
        let call = Instant::now();
        index
            .load(&keys, &mut |_, _| found += 1)
            .expect("the disk works");
        all += call.elapsed();
        longest = longest.max(call.elapsed());
    }
    (found, all, longest)
}

fn print_lookups(name: &str, (found, took, longest): (u64, Duration, Duration)) {
    let rate = per_second(BATCH * BATCHES, took);
    println!("{name:<34} {rate:>12} keys/s   found {found}, longest call {longest:.1?}");
}

fn print_filling(name: &str, count: u64, (took, longest): (Duration, Duration)) {
    let rate = per_second(count, took);
    println!("{name:<34} {rate:>12} keys/s   longest absorb {longest:.1?}");
}

fn print_state(index: &DiskIndex, path: &Path, name: &str) {
    let figures = index.figures();
    let file = std::fs::metadata(path).map_or(0, |file| file.blocks()) >> 11;
    let keyed = figures.record_bytes + 16 * figures.records;
    let written = figures.written_bytes * 100 / keyed.max(1);
    println!(
        "{name:<34} {:>12} runs     {} records, file {file} MiB, written {}.{:02} x, peak {} MiB",
        figures.runs,
        figures.records,
        written / 100,
        written % 100,
        memory_mib("VmHWM:"),
    );
}

/// Waits until all is written and no run is merged any more.
fn settle(index: &DiskIndex) {
    index.flush().expect("the disk works");
    while index.figures().unfinished > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn main() {
    let records: u64 = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(10_000_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let path = folder.path().join("recall.redb");
    let index = DiskIndex::open(&path).expect("it can be made");
    let half = records / 2;
    let steady = fill(&index, (0, half), 500_000);
    print_filling("filling, 500,000/s asked", half, steady);
    print_state(&index, &path, "then");
    let start = Instant::now();
    let fast = fill(&index, (half, records), u64::MAX);
    print_filling("filling, all that goes", records - half, fast);
    print_state(&index, &path, "then");
    print_lookups(
        "absent, while merging",
        look_up(&index, records, records * 2),
    );
    settle(&index);
    println!("{:<34} {:>12.1?}", "merged after", start.elapsed());
    print_state(&index, &path, "then");
    print_lookups("absent", look_up(&index, records, records * 2));
    print_lookups("present, first", look_up(&index, 0, records));
    print_lookups("present, again", look_up(&index, 0, records));
    drop(index);
    let start = Instant::now();
    let index = DiskIndex::open(&path).expect("it can be opened");
    println!("{:<34} {:>12.1?}", "opening", start.elapsed());
    print_lookups("present, opened anew", look_up(&index, 0, records));
    println!(
        "{:<34} {:>12} MiB",
        "peak resident memory",
        memory_mib("VmHWM:")
    );
}
