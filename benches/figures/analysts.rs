//! What analysts ask for: speeds of jobs after a long history, and columns.

use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use purser::analytics::{Key, Tables};
use purser::export::{DatasetForm, Span};
use purser::render::Performance;
use purser_events::intake::{
    Attribution, EventId, Fee, FileStamps, JobProcessed, RequestId, Split, Taken,
};
use purser_events::policy::NodeType;
use purser_events::{
    Actor, BasisPoints, Envelope, Event, FileNo, Micros, ModelNo, PartitionNo, Position, Recorded,
    Seconds, WorkerNo,
};
use purser_projections::Projections;
use purser_projections::analytics::{Analytics, PartitionSpeed, Window};
use purser_projections::names::Partition;

use super::history::History;
use super::pool::{Dice, label};
use super::table::{Figures, rate};

const JOBS: u64 = 10_000_000;
const WORKERS: u64 = 1_000;
const MODELS: u64 = 10;
const START: u64 = 1_762_300_800;
/// The jobs spread over this many seconds.
const SPAN: u64 = 60 * 86_400;

pub(crate) fn measure(figures: &mut Figures, _directory: &Path) {
    speeds(figures);
    columns(figures);
}

/// A job of one of two partitions: AI, or transcoding.
fn job(number: u64, dice: &mut Dice) -> JobProcessed {
    let is_ai = number.is_multiple_of(2);
    let worker = WorkerNo(u32::try_from(dice.below(WORKERS)).expect("few"));
    let millis = 200 + dice.below(1_800);
    JobProcessed {
        taken: Taken {
            id: EventId::Uuid([0; 16]),
            occurred_at: Seconds((START + number * SPAN / JOBS).cast_signed()),
            file: FileNo(0),
            index: 0,
            partition: PartitionNo(u32::from(!is_ai)),
            stamps: FileStamps::default(),
        },
        request: is_ai.then_some(RequestId::Hex(0)),
        model: is_ai.then(|| ModelNo(u32::try_from(dice.below(MODELS)).expect("few"))),
        units: Some(100_000_000 + dice.below(900_000_000).cast_signed()),
        price_wei: Some(800),
        response_time: Some(match is_ai {
            true => (millis * 1_000_000 + dice.below(1_000_000)).cast_signed(),
            false => millis.cast_signed(),
        }),
        duration_ms: (!is_ai).then_some(2_000),
        real_time_ratio: (!is_ai).then(|| (2_000 / millis).cast_signed()),
        fee: Fee::Payable(98_765_432_100),
        attribution: Attribution::Worker(worker),
        split: Split {
            policy: Position(1),
            commission: BasisPoints::new(2_500).expect("a rate"),
        },
    }
}

fn speeds(figures: &mut Figures) {
    let mut analytics = Analytics::default();
    analytics.foresee(Micros((START + SPAN) * 1_000_000));
    let mut dice = Dice(11);
    let mut folding = 0.0;
    for number in 0..JOBS {
        let at = START + number * SPAN / JOBS;
        let event = Event::JobProcessed(Box::new(job(number, &mut dice)));
        let began = Instant::now();
        let fact = Recorded {
            position: Position(number + 1),
            recorded_at: Micros(at * 1_000_000),
            event: &event,
        };
        analytics.apply(fact, &mut |_| None);
        folding += began.elapsed().as_secs_f64();
    }
    figures.row(
        "analytics: 10,000,000 jobs folded in",
        rate(JOBS as f64 / folding),
        format!("{} MiB resident", resident_mib()),
        "",
    );
    reads(figures, &RwLock::new(analytics.clone()), &mut dice);
    let now = Micros((START + SPAN) * 1_000_000);
    let names = Projections::default().names;
    for (name, partition, node_type) in [
        ("ai", PartitionNo(0), NodeType::Ai),
        ("transcode", PartitionNo(1), NodeType::Transcode),
    ] {
        for window in [Window::All, Window::Day, Window::Month] {
            let mut took: Vec<f64> = (0..40)
                .map(|_| {
                    let began = Instant::now();
                    let speed = analytics.partition(partition, (window, now));
                    let table = Performance {
                        partition: &Partition {
                            node_type,
                            region: label("eu"),
                        },
                        names: &names,
                        speed: &speed,
                        window,
                        timestamp: "",
                    };
                    table.write(&mut Vec::new());
                    began.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            took.sort_by(f64::total_cmp);
            figures.row(
                &format!("analytics: one table made anew, {name}, {window:?}"),
                format!("{:.2} ms", took[took.len() - 1]),
                format!("{:.2} ms median", took[took.len() / 2]),
                "",
            );
        }
    }
}

/// Reads of a table while jobs come in and tables are made anew, as in a server.
fn reads(figures: &mut Figures, fold: &RwLock<Analytics>, dice: &mut Dice) {
    let (tables, is_over) = (Tables::default(), AtomicBool::new(false));
    let names = Projections::default().names;
    let write: &(dyn Fn(Key, &PartitionSpeed) -> Vec<u8> + Sync) = &|(_, window), speed| {
        let mut text = Vec::new();
        let table = Performance {
            partition: &Partition {
                node_type: NodeType::Ai,
                region: label("eu"),
            },
            names: &names,
            speed,
            window,
            timestamp: "",
        };
        table.write(&mut text);
        text
    };
    let now = Micros((START + SPAN) * 1_000_000);
    let keys = [Window::All, Window::Day, Window::Month].map(|window| (PartitionNo(0), window));
    for key in keys {
        tables.make(fold, (key, now), &write);
    }
    let mut took = Vec::with_capacity(READS);
    let mut made = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                tables.refresh(fold, now, &write);
                std::thread::sleep(began.elapsed() * 4);
            }
        });
        for number in 0..READS {
            if number.is_multiple_of(100) {
                let mut fold = fold.write().expect("nobody panicked");
                for _ in 0..20 {
                    let position = fold.position.next();
                    let event = Event::JobProcessed(Box::new(job(position.0, dice)));
                    let recorded_at = now;
                    let fact = Recorded {
                        position,
                        recorded_at,
                        event: &event,
                    };
                    fold.apply(fact, &mut |_| None);
                }
            }
            let began = Instant::now();
            let shown = tables.find(keys[number % keys.len()], Position::ORIGIN);
            let body = shown.expect("it was made").table.text.clone();
            took.push(began.elapsed().as_secs_f64() * 1e3);
            made += body.len();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    took.sort_by(f64::total_cmp);
    figures.row(
        "analytics: a read while jobs come in, p99",
        format!("{:.2} ms", took[READS * 99 / 100]),
        format!("{} KiB each", made / READS / 1_024),
        "5 ms",
    );
}

/// Reads that are measured.
const READS: usize = 20_000;

/// What this process holds in memory.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1_024
}

fn columns(figures: &mut Figures) {
    let mut events = Vec::new();
    let mut history = History::new();
    history.beginning(&mut events);
    history.more(400_000, &mut events);
    let mut folds = Projections::default();
    let envelopes: Vec<Envelope> = events
        .into_iter()
        .zip(1..)
        .map(|(event, position)| Envelope {
            position: Position(position),
            recorded_at: Micros(START * 1_000_000 + position * 100),
            command: None,
            actor: Actor::Purser,
            event,
        })
        .collect();
    for envelope in &envelopes {
        folds.apply(envelope.recorded());
    }
    for (name, form, bar) in [
        (
            "export as Parquet, one core",
            DatasetForm::Parquet,
            "500,000/s",
        ),
        ("export as JSON Lines, one core", DatasetForm::Jsonl, ""),
    ] {
        let began = Instant::now();
        let mut span = Span::new(Position(1), form);
        for envelope in &envelopes {
            span.push(envelope, &folds.names);
        }
        let files = span.files("").expect("the files are written");
        let took = began.elapsed().as_secs_f64();
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        figures.row(
            name,
            rate(envelopes.len() as f64 / took),
            format!("{} bytes per event", bytes / envelopes.len()),
            bar,
        );
    }
}
