//! What is in the archive may leave the local disk: nothing that can be asked changes.

use std::path::Path;
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, json, purser, run, until};
use crate::sample::trees;
use crate::store::Store;

const EVENTS: &str = "pool-events";
const ARCHIVE: &str = "pool-archive";

fn store() -> Store {
    Store::start(&[EVENTS, ARCHIVE, "pool-metrics"])
}

/// A ledger of as many sealed ranges as parts, and the events of the last one behind them.
fn ranges(store: &Store, data: &Path, parts: usize) {
    let files = trees(&["events"]);
    for part in files.chunks(files.len().div_ceil(parts)) {
        for file in part {
            store.put(EVENTS, &file.key, &file.bytes);
        }
        json(&run(store, data, &["intake", "s3://pool-events", "--json"]));
        json(&run(store, data, &["compact", "--json"]));
    }
}

/// The program, told to keep no more of the log than it needs.
fn pruning(store: &Store) -> Command {
    let mut command = purser(store);
    command.env("PURSER_S3_LOG_LOCAL_EVENTS", "1");
    command
}

fn pruned_to(runner: &Value) -> u64 {
    runner["detail"]["pruned_to"].as_u64().unwrap_or(0)
}

/// What can be asked of a directory: events, fees, the root and the digest.
fn asked(store: &Store, data: &Path, until: u64) -> [Vec<u8>; 4] {
    let until = until.to_string();
    let verified = json(&run(store, data, &["verify", "--json"]));
    let told = |args: &[&str]| {
        let output = run(store, data, args);
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    [
        told(&["events", "--json", "--to", &until]),
        told(&["export", "--format", "csv", "--from", "3", "--to", &until]),
        told(&["fees", "--json"]),
        format!("{} {}", verified["root"], verified["digest"]).into_bytes(),
    ]
}

fn end(store: &Store, data: &Path) -> u64 {
    let verified = json(&run(store, data, &["verify", "--json"]));
    verified["position"].as_u64().expect("a position")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_killed_while_it_is_pruned_loses_nothing() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    ranges(&store, data.path(), 6);
    let last = end(&store, data.path());
    let before = asked(&store, data.path(), last);

    // Killed around each range: while it is read back, and while its stub is written.
    let mut kills = 0;
    let pruned = loop {
        let program = Program::start_as(pruning(&store), data.path());
        let reads = store.requests(&Method::GET);
        let is_done = |runner: &Value| runner["waits_for"] == "the next sealed range";
        if kills < 4 {
            until("ranges are read back", || {
                store.requests(&Method::GET) > reads + 3 * kills
            })
            .await;
            program.kill();
            kills += 1;
            continue;
        }
        let runner = program.until("archive_log", is_done).await;
        assert_eq!(runner["detail"]["archive"], "s3://pool-archive/log/");
        program.end();
        break pruned_to(&runner);
    };
    assert!(pruned > last / 2, "{pruned} of {last}");
    let after = asked(&store, data.path(), last);
    assert!(before == after, "nothing that can be asked changed");

    // Taken in again, all of it is known; replayed from the first event on, it adds up the same.
    let again = run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    );
    assert_eq!(json(&again)["events"], 0);
    let rebuilt = json(&run(&store, data.path(), &["rebuild", "--json"]));
    assert_eq!(rebuilt["agree"], true, "{rebuilt}");
    assert_eq!(rebuilt["events"], end(&store, data.path()));
    let lost = TempDir::new().expect("a directory");
    let from = "s3://pool-archive/log/";
    let anew = run(&store, lost.path(), &["rebuild", "--from", from, "--json"]);
    let anew = json(&anew);
    let to = anew["position"].as_u64().expect("a position").to_string();
    let proved = run(&store, data.path(), &["verify", "--from", from, "--json"]);
    assert_eq!(anew["tree_root"], json(&proved)["root"]);
    let lines = |data: &Path| run(&store, data, &["events", "--json", "--to", &to]).stdout;
    assert!(lines(lost.path()) == lines(data.path()), "the same events");
}

/// Commands without a server say what they lack.
fn ask_offline(store: &Store, data: &Path) {
    store.be_down(true);
    let failed = run(store, data, &["events", "--to", "3"]);
    let told = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(failed.status.code(), Some(3), "{told}");
    assert!(told.contains("s3://pool-archive/log/ only"), "{told}");
    let failed = run(store, data, &["verify"]);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    store.be_down(false);
    // Where no archive is configured, the one that the log names is asked.
    let mut unnamed = purser(store);
    unnamed
        .env_remove("S3_ARCHIVE_BUCKET")
        .env("PURSER_DATA", data);
    let verified = unnamed.args(["verify", "--json"]).output();
    assert_eq!(json(&verified.expect("it runs"))["clean"], true);
}

/// A byte that changed in the archive is a finding.
fn change_a_byte(store: &Store, data: &Path) {
    let keys = store.keys(ARCHIVE);
    let key = keys
        .iter()
        .find(|key| key.starts_with("log/"))
        .expect("a range");
    let mut bytes = store.object(ARCHIVE, key).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.remove(ARCHIVE, key);
    store.put(ARCHIVE, key, &bytes);
    let found = run(store, data, &["verify", "--json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_archive_a_pruned_log_serves_what_it_has_and_says_where_the_rest_is() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    ranges(&store, data.path(), 4);
    let fees = json(&run(&store, data.path(), &["fees", "--json"]));
    let program = Program::start_as(pruning(&store), data.path());
    let is_pruned = |runner: &Value| pruned_to(runner) > 0;
    program.until("archive_log", is_pruned).await;
    let speed = "/v1/analytics/transcode/eu-central";
    let table = program.current(speed).await;
    program.end();

    store.be_down(true);
    let program = Program::start_as(pruning(&store), data.path());
    let now = program.get("/v1/workers/fees").await;
    assert_eq!(now["totals"], fees["totals"], "balances are at hand");
    let rows = |table: &Value| table["performance"]["transcode_performance"].clone();
    let kept = program.current(speed).await;
    assert_eq!(
        rows(&kept),
        rows(&table),
        "the analytics start from what they kept"
    );
    let (status, problem) = program.ask("/v1/events?to=3").await;
    assert_eq!(
        (status, &problem["code"]),
        (503, &json!("archive_unavailable"))
    );
    let told = problem["detail"].as_str().unwrap_or_default();
    assert!(told.contains("s3://pool-archive/log/"), "{problem}");
    program
        .post(
            "/v1/commands",
            &json!([{"declare_asset": {"code": "SAT", "exponent": 0}}]),
        )
        .await;
    store.be_down(false);
    let (status, _) = program.ask("/v1/events?to=3&type=asset_declared").await;
    assert_eq!(status, 200, "it is read again as soon as it is there");
    assert_eq!(rows(&program.current(speed).await), rows(&table));
    program.end();

    ask_offline(&store, data.path());
    // What was kept of the analytics is a cache: damaged, it is made anew, from the archive too.
    std::fs::write(data.path().join("snapshots/analytics"), b"no analytics").expect("written");
    let program = Program::start_as(pruning(&store), data.path());
    assert_eq!(rows(&program.current(speed).await), rows(&table));
    program.end();

    change_a_byte(&store, data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn young_events_and_ranges_that_differ_in_the_archive_stay() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    ranges(&store, data.path(), 3);
    let is_kept = |runner: &Value| runner["waits_for"] == "the next sealed range";
    let mut days = purser(&store);
    days.env("PURSER_S3_LOG_LOCAL_DAYS", "1");
    let program = Program::start_as(days, data.path());
    let runner = program.until("archive_log", is_kept).await;
    assert_eq!(pruned_to(&runner), 0, "all of it is of today");
    program.end();

    let key = store
        .keys(ARCHIVE)
        .into_iter()
        .find(|key| key.starts_with("log/"));
    let key = key.expect("a range is kept");
    let whole = store.object(ARCHIVE, &key).expect("it is there");
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    let set = |bytes: &[u8]| {
        store.remove(ARCHIVE, &key);
        store.put(ARCHIVE, &key, bytes);
    };
    set(&other);
    let program = Program::start_as(pruning(&store), data.path());
    let is_refused = |runner: &Value| {
        let error = runner["last_error"].as_str().unwrap_or_default();
        error.contains("holds another log from position 1 on")
    };
    let runner = program.until("archive_log", is_refused).await;
    assert_eq!(pruned_to(&runner), 0, "what is not in the archive stays");
    set(&whole);
    program
        .until("archive_log", |runner| pruned_to(runner) > 0)
        .await;
    program.end();
}
