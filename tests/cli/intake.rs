use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::run::{dir, json, run};
use crate::sample::{expected, unpack};
use crate::serve::Serving;

#[test]
fn the_sample_pool_adds_up_offline() {
    let dir = dir();
    unpack(dir.path());
    let taken = run(dir.path(), &["intake", "events", "--data", "p", "--json"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let (taken, base) = (json(&taken.out), expected("base"));
    assert_eq!(taken["files"], base["counts"]["keys_total"]);
    assert_eq!(taken["events"], base["counts"]["events_unique"]);
    assert_eq!(taken["duplicates"], base["counts"]["events_duplicate"]);
    assert_eq!(taken["malformed"], base["counts"]["events_malformed"]);
    assert_eq!(taken["misrouted"], base["counts"]["events_misrouted"]);
    assert_eq!(report(&dir, &["--data", "p"]), base);

    let again = run(
        dir.path(),
        &["intake", "redelivery", "--data", "p", "--json"],
    );
    let again = json(&again.out);
    assert_eq!(
        (&again["events"], &again["repeated"]),
        (&0.into(), &again["files"])
    );
    assert_eq!(report(&dir, &["--data", "p"]), base);

    let repaired = run(dir.path(), &["intake", "repair", "--data", "p"]);
    assert_eq!(repaired.code, 0, "{}", repaired.err);
    assert_eq!(report(&dir, &["--data", "p"]), expected("after_repair"));
}

#[test]
fn the_sample_pool_adds_up_in_the_order_of_its_delivery() {
    let dir = dir();
    unpack(dir.path());
    let order = ["intake", ".", "--order", "delivery.json", "--data", "p"];
    let taken = run(dir.path(), &order);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert_eq!(report(&dir, &["--data", "p"]), expected("after_repair"));
}

fn report(dir: &tempfile::TempDir, place: &[&str]) -> Value {
    let report = run(
        dir.path(),
        &[&["intake", "report", "--json"], place].concat(),
    );
    assert_eq!(report.code, 0, "{}", report.err);
    json(&report.out)
}

#[test]
fn the_commission_is_set_when_the_directory_is_new() {
    let dir = dir();
    unpack(dir.path());
    let args = [
        "intake",
        "events",
        "--data",
        "p",
        "--commission-bps",
        "2900",
    ];
    assert_eq!(run(dir.path(), &args).code, 0);
    let found = report(&dir, &["--data", "p"]);
    let sum = |report: &Value, name: &str| -> u128 {
        let text = report["totals"][name].as_str().expect("a text of digits");
        text.parse().expect("an amount")
    };
    assert_eq!(sum(&found, "fees_wei"), sum(&expected("base"), "fees_wei"));
    assert!(sum(&found, "commission_wei") > sum(&expected("base"), "commission_wei"));
    let wrong = run(
        dir.path(),
        &["intake", "events", "--commission-bps", "10001"],
    );
    assert_eq!(wrong.code, 2);
}

#[test]
fn people_are_told_the_same_counts() {
    let dir = dir();
    unpack(dir.path());
    let taken = run(
        dir.path(),
        &["intake", "events", "--data", "p", "--verbose"],
    );
    assert!(
        taken
            .out
            .lines()
            .any(|line| { line.starts_with("events ") && line.ends_with(" 3,081") }),
        "{}",
        taken.out
    );
    assert!(taken.err.contains("set aside: "), "{}", taken.err);
    assert!(!taken.err.contains('\r'), "a pipe sees no progress bar");
    let shown = run(dir.path(), &["intake", "report", "--data", "p"]);
    assert!(shown.out.contains("transcode|eu-central"), "{}", shown.out);
}

#[test]
fn what_cannot_be_taken_in_is_named_and_the_rest_goes_on() {
    let dir = dir();
    let files = dir.path().join("in");
    fs::create_dir_all(&files).expect("made");
    fs::write(files.join("a\u{7}.json"), "[]").expect("written");
    fs::write(files.join("b.json"), "[]").expect("written");
    let taken = run(dir.path(), &["intake", "in", "--data", "p", "--json"]);
    assert_eq!(taken.code, 3);
    assert!(taken.err.contains("control characters"), "{}", taken.err);
    let taken = json(&taken.out);
    assert_eq!(
        (&taken["failed"], &taken["quarantined"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn wrong_arguments_of_intake_are_told() {
    let dir = dir();
    assert_eq!(run(dir.path(), &["intake"]).code, 2);
    assert_eq!(run(dir.path(), &["intake", "none"]).code, 3);
    assert!(!dir.path().join("purser-data").exists());
    assert_eq!(run(dir.path(), &["intake", ".", "--url", "u"]).code, 2);
    let nobody = run(
        dir.path(),
        &["intake", "report", "--url", "http://127.0.0.1:1"],
    );
    assert_eq!(nobody.code, 3);
    assert!(nobody.err.contains("cannot reach"), "{}", nobody.err);
}

#[test]
fn the_report_beside_a_server_says_how_to_go_on() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let held = run(dir.path(), &["intake", "report", "--data", "p"]);
    assert_eq!(held.code, 3);
    assert!(held.err.contains(&server.url), "{}", held.err);
    assert_eq!(server.end(Signal::TERM), Some(0));
}
