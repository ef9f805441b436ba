use std::fs;

use serde_json::Value;

use crate::run::{dir, json, ledger, run};

#[test]
fn a_rebuild_drops_the_snapshots_and_finds_the_same_digest() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    let listed = run(dir.path(), &["snapshot", "list", "--data", "p", "--json"]);
    let listed = json(&listed.out);
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(1),
        "a clean stop takes one"
    );
    let ended = run(dir.path(), &["rebuild", "--data", "p", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let report = json(&ended.out);
    assert_eq!(report["events"], listed[0]["position"]);
    assert_eq!(report["agree"], true);
    assert_eq!(report["digest_before"], report["digest_after"]);
    assert_eq!(report["snapshots_dropped"], 1);
    let again = run(dir.path(), &["rebuild", "--data", "p"]);
    assert_eq!(again.code, 0);
    assert!(again.out.contains("dropped 0 snapshots"), "{}", again.out);
    assert!(again.out.contains("the digests agree"), "{}", again.out);
}

#[test]
fn a_snapshot_is_taken_once_and_listed() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    let dropped = run(dir.path(), &["rebuild", "--data", "p"]);
    assert_eq!(dropped.code, 0);
    let taken = run(dir.path(), &["snapshot", "take", "--data", "p", "--json"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let taken = json(&taken.out);
    let listed = run(dir.path(), &["snapshot", "list", "--data", "p", "--json"]);
    assert_eq!(json(&listed.out), Value::Array(vec![taken.clone()]));
    let path = taken["path"].as_str().expect("a path");
    let bytes = fs::metadata(dir.path().join(path))
        .expect("it is there")
        .len();
    assert_eq!(taken["bytes"], bytes);
    let again = run(dir.path(), &["snapshot", "take", "--data", "p", "--json"]);
    assert_eq!(json(&again.out), Value::Null);
}

#[test]
fn reading_commands_make_no_directory() {
    let dir = dir();
    for args in [
        &["rebuild"][..],
        &["snapshot", "take"],
        &["snapshot", "list"],
    ] {
        let ended = run(dir.path(), &[args, &["--data", "none"]].concat());
        assert_eq!(ended.code, 3, "{args:?}");
        assert!(ended.err.contains("none holds no ledger"), "{}", ended.err);
    }
    assert!(!dir.path().join("none").exists());
}

#[test]
fn beside_a_running_server_the_way_to_go_on_is_told() {
    let dir = dir();
    let running = ledger(dir.path());
    fs::write(dir.path().join("p/ADDRESS"), "http://127.0.0.1:9\n").expect("written");
    for args in [&["rebuild"][..], &["snapshot", "take"]] {
        let ended = run(dir.path(), &[args, &["--data", "p"]].concat());
        assert_eq!(ended.code, 3, "{args:?}");
        assert!(
            ended.err.contains("--url http://127.0.0.1:9"),
            "{}",
            ended.err
        );
    }
    running.stop().expect("it stops");
}
