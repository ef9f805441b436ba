//! The archive of the log: a lost disk comes back up to the last sealed range.

use hyper::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, json, run};
use crate::sample::trees;
use crate::store::{Rule, Store, Wrong};

const ARCHIVE: &str = "pool-archive";

/// A ledger whose log is sealed but for its last block.
fn sealed(store: &Store, data: &TempDir) {
    for file in trees(&["events"]) {
        store.put("pool-events", &file.key, &file.bytes);
    }
    json(&run(
        store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    ));
    json(&run(store, data.path(), &["compact", "--json"]));
}

fn ranges(store: &Store) -> Vec<String> {
    let mut keys = store.keys(ARCHIVE);
    keys.retain(|key| key.starts_with("log/"));
    keys
}

/// Waits until the keeper has kept what is sealed, and answers up to where that is.
async fn kept(program: &Program) -> u64 {
    let is_done = |runner: &Value| runner["waits_for"] == "the next sealed range";
    let runner = program.until("archive_log", is_done).await;
    runner["detail"]["kept_to"].as_u64().expect("a position")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_disk_comes_back_from_the_archive() {
    let store = Store::start(&["pool-events", ARCHIVE, "pool-metrics"]);
    let data = TempDir::new().expect("a directory");
    sealed(&store, &data);
    store.fail(Rule::next(Method::PUT, 2, Wrong::LostAnswer).of("/log/"));
    let program = Program::start(&store, data.path());
    let kept_to = kept(&program).await;
    assert!(kept_to > 3_000, "{kept_to}");
    program.end();
    let copies = ranges(&store);
    assert!(!copies.is_empty());

    // A second server knows what is kept.
    let program = Program::start(&store, data.path());
    assert_eq!(kept(&program).await, kept_to);
    assert_eq!(ranges(&store), copies);
    program.end();

    let from = format!("s3://{ARCHIVE}/log/");
    let proved = json(&run(
        &store,
        data.path(),
        &["verify", "--from", &from, "--json"],
    ));
    assert_eq!(proved["position"], kept_to, "{proved}");
    let until = kept_to.to_string();
    let lines =
        |data: &TempDir| run(&store, data.path(), &["events", "--json", "--to", &until]).stdout;
    let told = lines(&data);

    let lost = TempDir::new().expect("a directory");
    let rebuilt = json(&run(
        &store,
        lost.path(),
        &["rebuild", "--from", &from, "--json"],
    ));
    assert_eq!(rebuilt["position"], kept_to, "{rebuilt}");
    assert_eq!(rebuilt["tree_root"], proved["root"]);
    assert!(lines(&lost) == told, "the same events, byte for byte");
    let verified = run(&store, lost.path(), &["verify", "--json"]);
    assert!(verified.status.success(), "{verified:?}");
    let again = run(&store, lost.path(), &["rebuild", "--from", &from, "--json"]);
    assert_eq!(
        json(&again)["position"],
        kept_to,
        "nothing is taken in twice"
    );

    // The events behind it are still in the bucket: the books end where they ended.
    let whole = |data: &TempDir| json(&run(&store, data.path(), &["fees", "--json"]));
    json(&run(
        &store,
        lost.path(),
        &["intake", "s3://pool-events", "--json"],
    ));
    assert_eq!(whole(&lost)["totals"], whole(&data)["totals"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_and_that_of_another_log_are_refused() {
    let store = Store::start(&["pool-events", ARCHIVE, "pool-metrics"]);
    let data = TempDir::new().expect("a directory");
    sealed(&store, &data);
    let program = Program::start(&store, data.path());
    kept(&program).await;
    program.end();
    let from = format!("s3://{ARCHIVE}/log/");
    let copies = ranges(&store);

    // Another log finds that the place is taken.
    let other = TempDir::new().expect("a directory");
    sealed(&store, &other);
    let program = Program::start(&store, other.path());
    let is_refused = |runner: &Value| {
        let error = runner["last_error"].as_str().unwrap_or_default();
        error.contains("holds another log")
    };
    program.until("archive_log", is_refused).await;
    program.end();
    assert_eq!(ranges(&store), copies);

    let key = copies.last().expect("there are ranges");
    let mut bytes = store.object(ARCHIVE, key).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.remove(ARCHIVE, key);
    store.put(ARCHIVE, key, &bytes);
    let refused = run(&store, data.path(), &["verify", "--from", &from]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    store.remove(ARCHIVE, key);
    let empty = run(
        &store,
        data.path(),
        &["verify", "--from", "s3://pool-archive/nothing/"],
    );
    assert_eq!(empty.status.code(), Some(3), "{empty:?}");
}
