//! Data sets out of a running server, and every way to say what is in one.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use hyper::Method;
use parquet::record::Field;
use serde_json::Value;
use tempfile::TempDir;

use crate::export::{ANALYSTS, EVENTS, gathered, ledger, lines, parquet_rows, position};
use crate::program::{Program, json, purser, run, until};
use crate::sample::trees;
use crate::store::{Rule, Store, Wrong};

const FORMATS: [&str; 4] = ["jsonl", "csv", "cloudevents", "parquet"];

fn store() -> Store {
    Store::start(&[EVENTS, "pool-archive", ANALYSTS, "pool-metrics"])
}

/// The positions in all files of a data set in a directory.
fn positions(format: &str, root: &Path) -> Vec<u64> {
    if format == "parquet" {
        let rows = parquet_rows(root).into_iter();
        let first = rows.filter(|row| row["entry"] == Field::Int(0));
        let mut all: Vec<u64> = first
            .map(|row| match row["position"] {
                Field::Long(position) => u64::try_from(position).expect("from 1"),
                ref other => panic!("{other:?} is no position"),
            })
            .collect();
        all.sort_unstable();
        return all;
    }
    let mut all = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .file_name()
                .is_some_and(|name| name != "_checkpoint.json")
            {
                let bytes = std::fs::read(&path).expect("a file");
                all.extend(
                    lines(&bytes)
                        .iter()
                        .filter_map(|line| position_in(format, line)),
                );
            }
        }
    }
    all.sort_unstable();
    all
}

fn position_in(format: &str, line: &str) -> Option<u64> {
    match format {
        "jsonl" => Some(position(line)),
        "cloudevents" => {
            let event: Value = serde_json::from_str(line).expect("a line is an event");
            event["id"].as_str()?.parse().ok()
        }
        // The head is no row.
        _ => line.split(',').next()?.parse().ok(),
    }
}

#[test]
fn every_form_holds_just_what_is_selected() {
    let store = store();
    let data = TempDir::new().expect("a directory");
    let files = trees(&["events"]);
    let (early, late) = files.split_at(files.len() / 2);
    ledger(&store, data.path(), early);
    ledger(&store, data.path(), late);
    let all = lines(&run(&store, data.path(), &["events", "--json"]).stdout);
    let recorded = |line: &String| {
        let event: Value = serde_json::from_str(line).expect("a line is an event");
        event["recorded_at"].as_str().expect("a time").to_owned()
    };
    // A time that some events share, and not the first ones.
    let since = recorded(&all[all.len() - 10]);
    let fees = json(&run(&store, data.path(), &["fees", "--json"]));
    let worker = fees["workers"][0]["worker"]
        .as_str()
        .expect("a name")
        .to_owned();
    let selections: [&[&str]; 6] = [
        &[],
        &["--from", "100", "--to", "2100"],
        &["--from", &since],
        &["--to", &since, "--type", "job_processed"],
        &["--worker", &worker],
        &[
            "--worker",
            &worker,
            "--type",
            "job_processed",
            "--from",
            "7",
        ],
    ];
    for selection in selections {
        let shown = [&["events", "--json"], selection].concat();
        let shown = lines(&run(&store, data.path(), &shown).stdout);
        let expected: Vec<u64> = shown.iter().map(|line| position(line)).collect();
        assert!(!expected.is_empty(), "{selection:?}");
        for format in FORMATS {
            let out = TempDir::new().expect("a directory");
            let to = out.path().to_str().expect("UTF-8");
            let export = [&["export", "--format", format, "--into", to], selection].concat();
            let exported = run(&store, data.path(), &export);
            assert!(exported.status.success(), "{exported:?}");
            assert_eq!(
                positions(format, out.path()),
                expected,
                "{format} {selection:?}"
            );
        }
    }
}

#[test]
fn every_form_goes_to_a_bucket_and_is_gone_on_with_there() {
    let store = store();
    let data = TempDir::new().expect("a directory");
    let files = trees(&["events"]);
    let (early, late) = files.split_at(files.len() / 2);
    for files in [early, late] {
        ledger(&store, data.path(), files);
        for format in FORMATS {
            let to = format!("s3://{ANALYSTS}/{format}");
            let export = ["export", "--format", format, "--into", &to];
            let exported = run(&store, data.path(), &export);
            assert!(exported.status.success(), "{exported:?}");
        }
    }
    let whole = run(&store, data.path(), &["export", "--format", "jsonl"]).stdout;
    let fetched = TempDir::new().expect("a directory");
    for key in store.keys(ANALYSTS) {
        let path = fetched.path().join(&key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let bytes = store.object(ANALYSTS, &key).expect("it is there");
        std::fs::write(path, bytes).expect("written");
    }
    for format in FORMATS {
        let found = positions(format, &fetched.path().join(format));
        assert_eq!(found, (1..=lines(&whole).len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_is_made_beside_a_running_server_and_gone_on_with() {
    let store = store();
    let data = TempDir::new().expect("a directory");
    let files = trees(&["events"]);
    let (first, rest) = files.split_at(files.len() / 2);
    ledger(&store, data.path(), first);
    let program = Program::start(&store, data.path());
    program.until_polled().await;
    let out = TempDir::new().expect("a directory");
    let offline = TempDir::new().expect("a directory");
    for format in FORMATS {
        let to = out.path().join(format);
        let to = to.to_str().expect("UTF-8");
        let export = [
            "export",
            "--url",
            program.url(),
            "--format",
            format,
            "--into",
            to,
        ];
        for _ in 0..2 {
            let exported = run(&store, data.path(), &export);
            assert!(exported.status.success(), "{exported:?}");
        }
    }
    let to = format!("s3://{ANALYSTS}/jsonl");
    let export = [
        "export",
        "--url",
        program.url(),
        "--format",
        "jsonl",
        "--into",
        &to,
    ];
    // What cannot be stored leaves the checkpoint where it was.
    store.fail(Rule::next(Method::PUT, u64::MAX, Wrong::Broken).of("job_processed"));
    let failed = run(&store, data.path(), &export);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    store.heal();
    assert!(run(&store, data.path(), &export).status.success());
    for file in rest {
        store.put(EVENTS, &file.key, &file.bytes);
    }
    program.until_polled().await;
    assert!(run(&store, data.path(), &export).status.success());
    program.end();

    let whole = run(&store, data.path(), &["export", "--format", "jsonl"]).stdout;
    assert_eq!(gathered(&store, "jsonl/"), lines(&whole));
    for format in FORMATS {
        // The directory goes on where the server ended.
        for root in [out.path().join(format), offline.path().join(format)] {
            let to = root.to_str().expect("UTF-8");
            let export = ["export", "--format", format, "--into", to];
            assert!(run(&store, data.path(), &export).status.success());
            let found = positions(format, &root);
            assert_eq!(found, (1..=lines(&whole).len() as u64).collect::<Vec<_>>());
        }
    }
    let refused = run(
        &store,
        data.path(),
        &["export", "--format", "csv", "--into", "x", "--follow"],
    );
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_follows_a_server_and_is_gone_on_with_after_a_kill() {
    let store = store();
    let data = TempDir::new().expect("a directory");
    let files = trees(&["events"]);
    let (first, rest) = files.split_at(files.len() / 2);
    ledger(&store, data.path(), first);
    let program = Program::start(&store, data.path());
    program.until_polled().await;
    let out = TempDir::new().expect("a directory");
    let to = out.path().to_str().expect("UTF-8");
    let follow = || {
        let mut command = purser(&store);
        command
            .env("PURSER_DATA", data.path())
            .args(["export", "--url", program.url(), "--format", "parquet"])
            .args(["--into", to, "--follow"])
            .stderr(Stdio::null());
        command.spawn().expect("the program runs")
    };
    let next = || {
        let bytes = std::fs::read(out.path().join("_checkpoint.json")).unwrap_or_default();
        let checkpoint: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        checkpoint["next"].as_u64().unwrap_or(0)
    };
    let mut following = follow();
    until("the first events are exported", || next() > 1).await;
    let before = next();
    for file in rest {
        store.put(EVENTS, &file.key, &file.bytes);
    }
    program.until_polled().await;
    until("what comes is exported", || next() > before).await;
    following.kill().expect("the signal is sent");
    following.wait().expect("it is gone");
    let end = program.get("/v1/status").await["position"]
        .as_u64()
        .expect("a position");
    let mut following = follow();
    until("the rest is exported", || next() > end).await;
    following.kill().expect("the signal is sent");
    following.wait().expect("it is gone");
    let found = positions("parquet", out.path());
    let distinct: BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!(found.len(), distinct.len(), "no event is there twice");
    assert!(distinct.into_iter().eq(1..next()), "none is left out");
    program.end();
}
