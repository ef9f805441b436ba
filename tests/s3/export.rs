//! Data sets of events: nothing twice, nothing left out, whatever is cut short.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::body::Bytes;
use hyper::Method;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{json, run};
use crate::sample::{Delivered, trees};
use crate::store::{Rule, Store, Wrong};

pub(crate) const EVENTS: &str = "pool-events";
pub(crate) const ANALYSTS: &str = "pool-analysts";

/// A ledger that holds these files, taken in one by one and not in the order of their keys.
pub(crate) fn ledger(store: &Store, data: &Path, files: &[Delivered]) {
    for file in files.iter().rev() {
        store.put(EVENTS, &file.key, &file.bytes);
    }
    // The prefixes are taken in one after another: AI jobs are moved by late facts.
    for prefix in ["us-central/transcode/", "us-west/", ""] {
        let from = format!("s3://{EVENTS}/{prefix}");
        json(&run(store, data, &["intake", &from, "--json"]));
    }
}

pub(crate) fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(str::to_owned)
        .collect()
}

pub(crate) fn position(line: &str) -> u64 {
    let event: Value = serde_json::from_str(line).expect("a line is an event");
    event["position"].as_u64().expect("an event has a position")
}

/// The lines of all files of a data set, in the order of the log.
pub(crate) fn gathered(store: &Store, prefix: &str) -> Vec<String> {
    let keys = store.keys(ANALYSTS);
    let keys = keys
        .iter()
        .filter(|key| key.starts_with(prefix) && key.ends_with(".jsonl"));
    let mut all: Vec<String> = keys
        .flat_map(|key| lines(&store.object(ANALYSTS, key).expect("it is there")))
        .collect();
    all.sort_by_key(|line| position(line));
    all
}

#[test]
fn a_data_set_holds_each_event_once() {
    let store = Store::start(&[EVENTS, "pool-archive", ANALYSTS]);
    let data = TempDir::new().expect("a directory");
    let files = trees(&["events"]);
    let (first, rest) = files.split_at(files.len() / 2);
    ledger(&store, data.path(), first);
    let to = format!("s3://{ANALYSTS}/jsonl");
    let export = ["export", "--format", "jsonl", "--into", &to];
    assert!(run(&store, data.path(), &export).status.success());
    let whole = |data: &Path| run(&store, data, &["export", "--format", "jsonl"]).stdout;
    assert_eq!(gathered(&store, "jsonl/"), lines(&whole(data.path())));

    // What comes later is added; what cannot be stored leaves the checkpoint where it was.
    ledger(&store, data.path(), rest);
    store.fail(Rule::next(Method::PUT, u64::MAX, Wrong::Broken).of("job_processed"));
    let failed = run(&store, data.path(), &export);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    store.heal();
    assert!(run(&store, data.path(), &export).status.success());
    assert_eq!(gathered(&store, "jsonl/"), lines(&whole(data.path())));
    let before = store.requests(&Method::PUT);
    assert!(run(&store, data.path(), &export).status.success());
    assert_eq!(
        store.requests(&Method::PUT),
        before,
        "there is nothing to add"
    );

    let other = [
        "export",
        "--format",
        "jsonl",
        "--into",
        &to,
        "--type",
        "job_processed",
    ];
    let refused = run(&store, data.path(), &other);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let clouds = [
        "export",
        "--format",
        "cloudevents",
        "--type",
        "job_processed",
    ];
    let clouds = run(&store, data.path(), &clouds).stdout;
    let cloud: Value = serde_json::from_str(&lines(&clouds)[0]).expect("JSON");
    assert_eq!(cloud["specversion"], "1.0");
    assert_eq!(cloud["type"], "purser.job_processed");
}

pub(crate) fn parquet_rows(root: &Path) -> Vec<BTreeMap<String, Field>> {
    let mut rows = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                let bytes = Bytes::from(std::fs::read(path).expect("a file"));
                let reader = SerializedFileReader::new(bytes).expect("it is Parquet");
                let found = reader.get_row_iter(None).expect("it has rows");
                let cells = |row: Row| row.into_columns().into_iter().collect();
                rows.extend(found.map(|row| cells(row.expect("a row"))));
            }
        }
    }
    rows
}

/// The sums of a column of digits, by worker.
fn sums(rows: &[BTreeMap<String, Field>]) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for row in rows {
        if let (Field::Str(worker), Field::Str(net)) = (&row["worker"], &row["net_text"]) {
            let net: i128 = net.parse().expect("digits");
            *sums.entry(worker.clone()).or_default() += net;
        }
    }
    sums.retain(|_, net| *net != 0);
    sums
}

#[test]
fn parquet_adds_up_to_the_fees_by_our_own_reader_and_by_another() {
    let store = Store::start(&[EVENTS, "pool-archive"]);
    let data = TempDir::new().expect("a directory");
    ledger(&store, data.path(), &trees(&["events"]));
    let out = TempDir::new().expect("a directory");
    for format in ["parquet", "csv"] {
        let to = out.path().join(format);
        let to = to.to_str().expect("UTF-8");
        let exported = run(
            &store,
            data.path(),
            &["export", "--format", format, "--into", to],
        );
        assert!(exported.status.success(), "{exported:?}");
    }
    let fees = run(&store, data.path(), &["fees", "--json"]);
    let table = json(&fees);
    let workers = table["workers"].as_array().expect("a table");
    let expected = workers.iter().map(|row| {
        let net = row["net_wei"]
            .as_str()
            .expect("digits")
            .parse()
            .expect("digits");
        (row["worker"].as_str().expect("a name").to_owned(), net)
    });
    let rows = parquet_rows(&out.path().join("parquet"));
    assert_eq!(sums(&rows), expected.collect());
    let moved = rows
        .iter()
        .filter(|row| row["entry"] == Field::Int(1))
        .count();
    assert!(moved > 0, "some fees were moved by late facts");

    let path = out.path().join("fees.json");
    std::fs::write(&path, &fees.stdout).expect("written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/duckdb/compare.py");
    let compared = Command::new(duckdb())
        .arg(script)
        .arg(out.path().join("parquet"))
        .arg(out.path().join("csv"))
        .arg(path)
        .output()
        .expect("DuckDB runs");
    let said = String::from_utf8_lossy(&compared.stderr);
    assert!(compared.status.success(), "{said}");
}

/// The Python that has DuckDB: the one that `check` names, or the one that it installed.
fn duckdb() -> PathBuf {
    let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/target/duckdb/bin/python");
    let named = std::env::var_os("PURSER_DUCKDB_PYTHON");
    let python = named.map_or_else(|| PathBuf::from(installed), PathBuf::from);
    assert!(
        python.exists(),
        "there is no {}: run ./check, which installs DuckDB there",
        python.display()
    );
    python
}
