//! A bucket is taken in once, whatever goes wrong between it and the books.

use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, json, purser, run, until};
use crate::sample::{Delivered, deliveries, expected, trees};
use crate::store::{Rule, Store, Wrong};

const EVENTS: &str = "pool-events";
const ARCHIVE: &str = "pool-archive";

fn store() -> Store {
    Store::start(&[EVENTS, ARCHIVE, "pool-metrics"])
}

fn put(store: &Store, files: &[Delivered]) {
    for file in files {
        store.put(EVENTS, &file.key, &file.bytes);
    }
}

/// Every file of the bucket stands in the archive as it was delivered last.
fn assert_archived(store: &Store) {
    let keys = store.keys(EVENTS);
    let copies = store.keys(ARCHIVE);
    let copied = copies.iter().filter_map(|key| key.strip_prefix("archive/"));
    assert!(
        copied.eq(keys.iter().map(String::as_str)),
        "one copy of each"
    );
    for key in &keys {
        let copy = store.object(ARCHIVE, &format!("archive/{key}"));
        assert!(copy == store.object(EVENTS, key), "{key}");
    }
}

/// What goes wrong while a part of the bucket is delivered.
fn faults(part: usize) -> Vec<Rule> {
    let next = |method, wrong| Rule::next(method, 3, wrong);
    match part % 7 {
        0 => vec![
            next(Method::GET, Wrong::SlowDown),
            next(Method::PUT, Wrong::SlowDown),
        ],
        1 => vec![next(Method::GET, Wrong::CutBody).after(5)],
        2 => vec![next(Method::PUT, Wrong::LostAnswer).after(9)],
        3 => vec![next(Method::GET, Wrong::OldAnswer).of("list-type")],
        4 => vec![
            next(Method::GET, Wrong::Broken),
            next(Method::PUT, Wrong::Broken),
        ],
        5 => vec![Rule::next(Method::GET, 1, Wrong::OtherBytes).after(2)],
        _ => vec![Rule::next(Method::GET, 1, Wrong::SlowBody).after(1)],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fills_in_any_order_is_counted_once() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    let files = deliveries();
    let parts: Vec<&[Delivered]> = files.chunks(files.len() / 11).collect();
    let mut program = Program::start(&store, data.path());
    for (number, part) in parts.iter().enumerate() {
        if part.iter().any(|file| file.tree == "repair") {
            // What is repaired was taken in before, however slow that was.
            program.until_polled().await;
        }
        let copies = store.requests(&Method::PUT);
        for rule in faults(number) {
            store.fail(rule);
        }
        put(&store, part);
        if number % 2 == 0 {
            // Somewhere in the middle of it: between fetching, copying, committing and noting.
            let some = part.len() as u64 / 3;
            until("files are copied", || {
                store.requests(&Method::PUT) > copies + some
            })
            .await;
            program.kill();
            program = Program::start(&store, data.path());
        }
    }
    let polled = program.until_polled().await;
    assert_eq!(
        polled["detail"]["listed"],
        store.keys(EVENTS).len(),
        "{polled}"
    );
    let report = program.get("/v1/intake/report").await;
    assert_eq!(report, expected("after_repair"));
    assert_archived(&store);
    let kept = store.keys(ARCHIVE);
    let kept = kept
        .iter()
        .filter(|key| key.starts_with("replaced/archive/"));
    assert!(kept.count() > 0, "what was repaired is kept");
    program.end();

    // A second run does nothing: neither one that knows what it took in, nor one that does not.
    let position = |output| json(&output)["position"].clone();
    let end = position(run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    ));
    std::fs::remove_file(data.path().join("inventory.redb")).expect("it is there");
    let again = json(&run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    ));
    assert_eq!(again["files"], store.keys(EVENTS).len());
    assert_eq!((&again["events"], &again["position"]), (&json!(0), &end));
    let verified = run(&store, data.path(), &["verify", "--json"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_a_wrong_key_and_a_missing_bucket_are_told_and_waited_out() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    put(&store, &trees(&["events"])[..20]);
    let mut wrong = purser(&store);
    wrong.env("AWS_SECRET_ACCESS_KEY", "not-the-secret");
    let program = Program::start_as(wrong, data.path());
    let says = |what: &'static str| {
        move |runner: &Value| {
            let waits_for = runner["waits_for"].as_str().unwrap_or_default();
            waits_for.contains(what)
        }
    };
    let denied = program
        .until("intake_s3", says("refuses our access keys"))
        .await;
    assert!(!denied.to_string().contains("not-the-secret"), "{denied}");
    program.kill();

    let mut nobody = purser(&store);
    nobody.env_remove("AWS_SECRET_ACCESS_KEY");
    let program = Program::start_as(nobody, data.path());
    program
        .until("intake_s3", says("set AWS_ACCESS_KEY_ID"))
        .await;
    program.kill();

    store.be_down(true);
    let program = Program::start(&store, data.path());
    program.until("intake_s3", says("cannot be reached")).await;
    store.be_down(false);
    let polled = program.until_polled().await;
    assert_eq!(polled["detail"]["taken"], 20, "{polled}");

    let missing = "pool-events-of-another-pool";
    program.kill();
    let mut elsewhere = purser(&store);
    elsewhere.env("S3_BUCKET", missing);
    let program = Program::start_as(elsewhere, data.path());
    program.until("intake_s3", says("does not exist")).await;
    store.make(missing);
    program.until_polled().await;
    program.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_copied_is_not_taken_in() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    put(&store, &trees(&["events"])[..5]);
    store.fail(Rule::next(Method::PUT, u64::MAX, Wrong::Broken).of(ARCHIVE));
    let program = Program::start(&store, data.path());
    let waits = |runner: &Value| runner["runs"].as_u64() > Some(1);
    let runner = program.until("intake_s3", waits).await;
    assert_eq!(runner["detail"]["taken"], 0, "{runner}");
    let told = runner["last_error"].as_str().unwrap_or_default();
    assert!(told.contains("s3://pool-archive failed: 500"), "{runner}");
    store.heal();
    let runner = program.until_polled().await;
    assert_eq!(runner["detail"]["taken"], 5, "{runner}");
    assert_archived(&store);
    program.end();
}

#[test]
fn a_file_that_is_too_large_is_set_aside_until_it_is_not() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    let mut files = trees(&["events"]);
    files.retain(|file| file.key.starts_with("eu-central/transcode/"));
    files.sort_by_key(|file| file.bytes.len());
    let large = files.pop().expect("there are files");
    let small = files.swap_remove(files.len() / 2);
    put(&store, &[small, large.clone()]);
    let intake = |limit: usize| {
        let mut command = purser(&store);
        command
            .env("PURSER_FILE_BYTES_MAX", limit.to_string())
            .env("PURSER_DATA", data.path())
            .args(["intake", "s3://pool-events", "--json"]);
        json(&command.output().expect("the program runs"))
    };
    let requests = || (store.requests(&Method::GET), store.requests(&Method::PUT));
    let limit = large.bytes.len() - 1;
    let taken = intake(limit);
    assert_eq!(
        (&taken["files"], &taken["quarantined"]),
        (&json!(2), &json!(1))
    );
    let asked = requests();
    assert_eq!(asked, (2, 1), "a listing, and the small file with its copy");
    let again = intake(limit);
    assert_eq!(again["files"], 0, "{again}");
    assert_eq!(
        requests(),
        (asked.0 + 1, asked.1),
        "a second run only lists"
    );
    let shown = run(
        &store,
        data.path(),
        &["events", "--json", "--type", "file_quarantined"],
    );
    let event: Value = serde_json::from_slice(&shown.stdout).expect("it is one event");
    assert_eq!(event["data"]["reason"], "too_large", "{event}");
    assert_eq!(event["data"]["bytes"], large.bytes.len());
    let read = intake(limit + 1);
    assert_eq!(
        (&read["files"], &read["quarantined"]),
        (&json!(1), &json!(0))
    );
    assert!(read["events"].as_u64() > Some(0), "{read}");
    assert_archived(&store);
}

/// The gaps of a partition after the next poll; the metric counts them.
async fn counted(program: &Program) -> String {
    let polled = program.until_polled().await;
    let mut gaps = polled["detail"]["gaps"].as_array().expect("a list").clone();
    gaps.retain(|gap| gap["partition"] == "transcode|eu-central");
    let line = format!(
        "purser_intake_gaps{{partition=\"transcode|eu-central\"}} {}",
        gaps.len()
    );
    let (_, metrics) = program.text("/v1/metrics").await;
    assert!(
        metrics.lines().any(|found| found == line),
        "{line}: {metrics}"
    );
    json!(gaps).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_of_a_partition_is_told_and_counted() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    let mut files = trees(&["events"]);
    files.retain(|file| file.key.starts_with("eu-central/transcode/"));
    files.sort_by(|one, other| one.key.cmp(&other.key));
    put(&store, &[files[0].clone(), files[files.len() - 1].clone()]);
    let program = Program::start(&store, data.path());
    let few = counted(&program).await;
    assert!(few.contains("from"), "a hole is told: {few}");
    put(&store, &files);
    assert_ne!(
        counted(&program).await,
        few,
        "late files fill it, or split it"
    );
    program.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_is_declared_later_is_read_then() {
    let (store, data) = (store(), TempDir::new().expect("a directory"));
    put(&store, &trees(&["events"]));
    let taken = run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    );
    let base = expected("base");
    assert_eq!(json(&taken)["events"], base["counts"]["events_unique"]);
    let again = run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    );
    assert_eq!(json(&again)["files"], 0, "a second run does nothing");
    let program = Program::start(&store, data.path());
    let before = program.get("/v1/intake/report").await;
    assert_eq!(before["counts"]["keys_unknown_partition"], 1);
    let declared = json!([
        {"declare_partition": {"node_type": "transcode", "region": "eu-west"}},
    ]);
    program.post("/v1/commands", &declared).await;
    program.until_polled().await;
    let after = program.get("/v1/intake/report").await;
    assert_eq!(after["counts"]["keys_unknown_partition"], 0, "{declared}");
    program.end();
}
