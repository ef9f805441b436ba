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
