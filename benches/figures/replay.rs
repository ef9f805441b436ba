//! Encoding, and what is read back: replay, verify, restart, bytes on disk.

use std::path::Path;
use std::time::Instant;

use purser::log::verify::verify;
use purser::log::{Log, LogReader, RedbLog};
use purser::service::{SnapshotStore, replay};
use purser_events::codec::{decode_envelope, encode_envelope};
use purser_events::{Envelope, Event, Position};
use purser_projections::Projections;

use super::history::History;
use super::http::Server;
use super::log::Feeder;
use super::table::{Figures, median, rate};

/// Events of the long history.
const EVENTS: usize = 10_000_000;

/// Encodes and decodes the mix.
pub(crate) fn codec(figures: &mut Figures) {
    let mut events = Vec::new();
    let mut history = History::new();
    history.beginning(&mut Vec::new());
    history.more(200_000, &mut events);
    let envelopes = Feeder::new().envelopes(events);
    let mut bytes = Vec::with_capacity(64 << 20);
    let mut ends = Vec::with_capacity(envelopes.len());
    let encoded = median(|| {
        bytes.clear();
        ends.clear();
        let began = Instant::now();
        for envelope in &envelopes {
            encode_envelope(envelope, &mut bytes);
            ends.push(bytes.len());
        }
        envelopes.len() as f64 / began.elapsed().as_secs_f64()
    });
    let decoded = median(|| {
        let began = Instant::now();
        let mut from = 0;
        for (envelope, &end) in envelopes.iter().zip(&ends) {
            let read = decode_envelope(envelope.position, &bytes[from..end]).expect("just encoded");
            assert_eq!(read.position, envelope.position);
            from = end;
        }
        envelopes.len() as f64 / began.elapsed().as_secs_f64()
    });
    let size = format!(
        "{:.1} bytes a row",
        bytes.len() as f64 / envelopes.len() as f64
    );
    figures.row("encode, the mix, one core", rate(encoded), size.clone(), "");
    figures.row("decode, the mix, one core", rate(decoded), size, "");
}

/// Builds the long history and reads it in every way.
pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let data = directory.join("long");
    let folds = build(&data);
    sizes(figures, directory);
    let log = RedbLog::open(&data).expect("the log opens");
    let reader = log.reader();
    let replayed = median(|| replay_all(&data, &*reader, &folds));
    figures.row(
        "replay from disk into all folds, one core",
        rate(replayed),
        String::new(),
        ">= 5,000,000/s",
    );
    drop((reader, log));
    let verified = median(|| {
        let began = Instant::now();
        let verified = verify(&data, &mut |_| {}).expect("the log is whole");
        verified.end.position.0 as f64 / began.elapsed().as_secs_f64()
    });
    figures.row(
        "verify, hashes included",
        rate(verified),
        String::new(),
        ">= 1,500,000/s",
    );
    restart(figures, &data);
}

/// Appends the long history and seals it; answers the folds at its end.
fn build(data: &Path) -> Projections {
    let mut log = RedbLog::open(data).expect("the log opens");
    let lease = log.acquire().expect("nobody else holds it");
    let (mut history, mut feeder, mut folds) =
        (History::new(), Feeder::new(), Projections::default());
    let mut events = Vec::new();
    history.beginning(&mut events);
    while folds.position.0 < EVENTS as u64 {
        for chunk in feeder.envelopes(std::mem::take(&mut events)).chunks(8_192) {
            chunk
                .iter()
                .for_each(|envelope| folds.apply(envelope.recorded()));
            let batch = feeder.batch(chunk);
            log.append(lease, &batch).expect("appended");
        }
        history.more(100_000, &mut events);
    }
    let began = Instant::now();
    let sealed = log.seal_all().expect("sealed");
    eprintln!("sealed up to {sealed} in {:?}", began.elapsed());
    folds
}

/// The replay that a start or a rebuild makes, with no snapshot to begin with.
fn replay_all(data: &Path, reader: &dyn LogReader, expected: &Projections) -> f64 {
    let began = Instant::now();
    let replayed = replay(&SnapshotStore::of(data), reader).expect("the log is whole");
    let took = began.elapsed();
    assert_eq!(replayed.snapshot, Position::ORIGIN);
    assert!(
        replayed.folds == *expected,
        "a replay ends in the same folds"
    );
    replayed.events as f64 / took.as_secs_f64()
}

/// Whether an event is of the kind that is measured.
type Wanted = fn(&Event) -> bool;

/// Sealed bytes per event of a log that holds one kind of event only.
fn sizes(figures: &mut Figures, directory: &Path) {
    let kinds: [(&str, &str, Wanted); 2] = [
        ("heartbeat", "<= 10", |event| {
            matches!(event, Event::WorkerBeat(_))
        }),
        ("job event", "<= 45", |event| {
            matches!(event, Event::JobProcessed(_))
        }),
    ];
    for (name, bar, wanted) in kinds {
        let mut history = History::new();
        history.beginning(&mut Vec::new());
        let mut events = Vec::new();
        while events.len() < 600_000 {
            let mut more = Vec::new();
            history.more(500_000, &mut more);
            events.extend(more.into_iter().filter(wanted));
        }
        let data = directory.join(name);
        let count = events.len();
        let bytes = sealed_bytes(&data, &Feeder::new().envelopes(events));
        let each = bytes as f64 / count as f64;
        figures.row(
            &format!("sealed, bytes per {name}"),
            format!("{each:.2} bytes"),
            String::new(),
            bar,
        );
    }
}

fn sealed_bytes(data: &Path, envelopes: &[Envelope]) -> u64 {
    let mut log = RedbLog::open(data).expect("the log opens");
    let lease = log.acquire().expect("nobody else holds it");
    let mut feeder = Feeder::new();
    for chunk in envelopes.chunks(8_192) {
        let batch = feeder.batch(chunk);
        log.append(lease, &batch).expect("appended");
    }
    log.seal_all().expect("sealed");
    log.compact().expect("compacted");
    drop(log);
    purser::log::directory::bytes(data).expect("the log is there")
}

/// From the start of the program to its first answer, with a snapshot of the end.
fn restart(figures: &mut Figures, data: &Path) {
    let once = || {
        let began = Instant::now();
        let server = Server::purser(data);
        let took = began.elapsed();
        server.stop();
        took
    };
    let first = once();
    let mut took = [once(), once(), once()];
    took.sort_unstable();
    let name = format!("start with a snapshot at {EVENTS} events");
    let against = format!(
        "first start, index of ids made anew: {} ms",
        first.as_millis()
    );
    figures.row(
        &name,
        format!("{} ms", took[1].as_millis()),
        against,
        "< 1,000 ms",
    );
}
