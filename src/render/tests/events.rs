//! Events as JSON Lines and as CSV.

use purser_events::{Event, EventKind, Position, WorkerNo};
use serde_json::Value;

use super::history::{envelope, history, names};
use crate::render::{CsvRows, Filter, JsonLines, csv, filter, kind_named};

fn lines() -> String {
    let (names, mut lines) = (names(), JsonLines::default());
    for envelope in history() {
        lines.push(&envelope, &names);
    }
    String::from_utf8(lines.take()).expect("text")
}

fn rows() -> Vec<u8> {
    let (names, mut rows) = (names(), CsvRows::default());
    rows.head();
    for envelope in history() {
        rows.push(&envelope, &names);
    }
    rows.take()
}

/// What is shown, subject by subject.
const LINES: &str = concat!(
    include_str!("events.jsonl"),
    include_str!("payers.jsonl"),
    include_str!("payouts.jsonl"),
    include_str!("tickets.jsonl"),
    include_str!("matching.jsonl"),
    include_str!("instructions.jsonl"),
    include_str!("grants.jsonl")
);
const ROWS: &str = concat!(
    include_str!("events.csv"),
    include_str!("payers.csv"),
    include_str!("payouts.csv"),
    include_str!("tickets.csv"),
    include_str!("matching.csv"),
    include_str!("instructions.csv"),
    include_str!("grants.csv")
);

/// Readers rely on these lines; a change of one is a change of the API.
#[test]
fn events_are_shown_as_they_always_were() {
    for (shown, expected) in lines().lines().zip(LINES.lines()) {
        assert_eq!(shown, expected);
    }
    assert_eq!(lines(), LINES);
}

#[test]
fn rows_are_shown_as_they_always_were() {
    let shown = String::from_utf8(rows()).expect("text");
    assert_eq!(shown, ROWS);
}

#[test]
fn every_kind_is_shown_as_a_json_object() {
    let lines = lines();
    let mut kinds = Vec::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let kind = value["type"].as_str().and_then(kind_named);
        kinds.push(kind.expect("a kind"));
        assert!(value["data"].is_object());
    }
    for kind in EventKind::ALL {
        assert!(kinds.contains(kind), "no line of {}", kind.name());
    }
}

#[test]
fn what_is_kept_of_keys_is_never_shown() {
    // The history's salt and hash are nothing but this byte.
    assert!(!lines().contains("eeeeeeee"));
    assert!(!String::from_utf8_lossy(&rows()).contains("eeeeeeee"));
}

#[test]
fn a_csv_reader_finds_the_same_data_as_a_json_reader() {
    let bytes = rows();
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a head"), csv::COLUMNS.as_slice());
    let lines = lines();
    let mut count = 0;
    for (record, line) in reader.records().zip(lines.lines()) {
        let record = record.expect("a row");
        let line: Value = serde_json::from_str(line).expect("JSON");
        let data: Value = serde_json::from_str(&record[8]).expect("JSON");
        assert_eq!(data, line["data"]);
        for (index, key) in ["recorded_at", "type", "actor"].iter().enumerate() {
            assert_eq!(line[key], record[index + 1]);
        }
        assert_eq!(line["position"].to_string(), record[0]);
        if let Some(worker) = data.get("worker") {
            assert_eq!(*worker, record[4]);
        }
        if let Some(partition) = data.get("partition") {
            assert_eq!(*partition, record[5]);
        }
        count += 1;
    }
    assert_eq!(count, history().len());
}

#[test]
fn a_number_without_a_name_is_shown_as_the_number() {
    let event = Event::WorkerLoggedOut(purser_events::worker::WorkerLoggedOut {
        worker: WorkerNo(12),
    });
    let mut lines = JsonLines::default();
    lines.push(&envelope(1, event), &names());
    let line: Value = serde_json::from_slice(lines.bytes()).expect("JSON");
    assert_eq!(line["data"]["worker"], "#12");
}

#[test]
fn filters_admit_what_they_name() {
    let history = history();
    let admitted = |filter: &Filter| -> Vec<u64> {
        let admitted = history.iter().filter(|envelope| filter.admits(envelope));
        admitted.map(|envelope| envelope.position.0).collect()
    };
    let all = Filter::default();
    assert_eq!(admitted(&all).len(), history.len());
    let range = Filter {
        from: Some(Position(3)),
        to: Some(Position(5)),
        ..Filter::default()
    };
    assert_eq!(admitted(&range), [3, 4, 5]);
    assert_eq!((range.start(), all.start()), (Position(3), Position(1)));
    assert!(range.is_past(Position(6)) && !range.is_past(Position(5)));
    let beats = Filter {
        kind: kind_named("worker_beat"),
        ..Filter::default()
    };
    assert_eq!(admitted(&beats), [10]);
    assert_eq!(kind_named("worker_beats"), None);
    for (worker, expected) in [
        (0, vec![4, 19, 24, 25, 6000, 6001, 6002]),
        (
            1,
            vec![
                5, 8, 9, 10, 11, 12, 13, 28, 3009, 3012, 6000, 6001, 6002, 301, 302, 303, 304, 305,
                306, 307, 308, 7000, 7001, 7002, 7003, 7004,
            ],
        ),
    ] {
        let mine = Filter {
            worker: Some(WorkerNo(worker)),
            ..Filter::default()
        };
        assert_eq!(admitted(&mine), expected);
    }
}

/// Whatever an event shows under a key that names a worker, the filter finds it by.
#[test]
fn every_worker_that_is_shown_is_one_that_filters_find() {
    let names = names();
    for envelope in history() {
        let mut data = Vec::new();
        crate::render::json::write_data(&mut data, &envelope, &names);
        let data: Value = serde_json::from_slice(&data).expect("JSON");
        let shown = ["worker", "from_worker"]
            .iter()
            .filter(|key| data.get(key).is_some());
        let found = filter::workers_of(&envelope.event).into_iter().flatten();
        let draws = usize::from(data["draws"].is_array());
        assert_eq!(shown.count() + draws, found.count(), "{data}");
    }
}
