//! The sample pool in any order of delivery adds up to the same.

use purser::intake::read_file;
use purser_commands::Command;
use purser_events::EventKind;
use purser_projections::report::Report;
use serde_json::Value;

use crate::ledger::{Ledger, SAMPLE};
use crate::random::Random;
use crate::sample::{Delivered, expected, trees};

fn taken(deliveries: &[Delivered], commission_bps: u16) -> Ledger {
    let mut ledger = Ledger::with(SAMPLE, commission_bps);
    for delivered in deliveries {
        ledger.deliver(&delivered.key, &delivered.bytes);
    }
    ledger
}

fn tree(report: &Report) -> Value {
    serde_json::to_value(report).expect("a report is JSON")
}

/// Compares field by field, so that a failure names the field.
fn assert_same(mine: &Value, expected: &Value, path: &str) {
    match (mine, expected) {
        (Value::Object(mine), Value::Object(expected)) => {
            let keys = mine.keys().chain(expected.keys());
            for key in keys {
                let path = format!("{path}/{key}");
                let one = mine.get(key).unwrap_or(&Value::Null);
                assert_same(one, expected.get(key).unwrap_or(&Value::Null), &path);
            }
        }
        (mine, expected) => assert_eq!(mine, expected, "{path}"),
    }
}

#[test]
fn the_pool_in_delivery_order_adds_up() {
    let ledger = taken(&trees(&["events", "redelivery"]), 2_500);
    assert_same(&tree(&ledger.report()), &expected("base"), "base");
    ledger.assert_replays();
}

#[test]
fn everything_at_once_adds_up_the_same() {
    let mut ledger = Ledger::with(SAMPLE, 2_500);
    let commands: Vec<Command> = trees(&["events", "redelivery"])
        .iter()
        .map(|one| read_file(&one.key, None, &one.bytes).expect("the key is a label"))
        .map(|file| Command::TakeFile(Box::new(file)))
        .collect();
    ledger.run_together(&commands);
    assert_same(&tree(&ledger.report()), &expected("base"), "base");
    ledger.assert_replays();
}

#[test]
fn a_redelivery_changes_nothing() {
    let mut ledger = taken(&trees(&["events"]), 2_500);
    let before = ledger.clone();
    for delivered in trees(&["redelivery"]) {
        let answer = ledger.deliver(&delivered.key, &delivered.bytes);
        assert!(answer.repeated, "{}", delivered.key);
        assert_eq!(answer.events, 0);
    }
    assert_eq!(ledger.books.projections, before.books.projections);
    assert_eq!(ledger.events.len(), before.events.len());
    assert_same(&tree(&ledger.report()), &expected("base"), "base");
}

#[test]
fn repairs_pay_what_truncated_files_held() {
    let mut ledger = taken(&trees(&["events", "redelivery"]), 2_500);
    for delivered in trees(&["repair"]) {
        let answer = ledger.deliver(&delivered.key, &delivered.bytes);
        assert!(answer.events > 0, "{}", delivered.key);
    }
    assert_same(&tree(&ledger.report()), &expected("after_repair"), "after");
    ledger.assert_replays();
}

#[test]
fn any_order_of_delivery_adds_up_to_the_same() {
    let mut deliveries = trees(&["events", "redelivery", "repair"]);
    let reference = taken(&deliveries, 2_500);
    deliveries.reverse();
    let mut random = Random::new(1);
    for round in 0..20 {
        let ledger = taken(&deliveries, 2_500);
        assert_eq!(ledger.digest(), reference.digest(), "round {round}");
        assert_same(&tree(&ledger.report()), &expected("after_repair"), "after");
        if round % 5 == 0 {
            ledger.assert_replays();
        }
        random.shuffle(&mut deliveries);
    }
}

#[test]
fn a_shuffled_pool_needs_corrections_and_gets_them() {
    let mut deliveries = trees(&["events"]);
    Random::new(7).shuffle(&mut deliveries);
    let ledger = taken(&deliveries, 2_500);
    assert!(ledger.count(EventKind::JobReattributed) > 0, "late matches");
    assert!(
        ledger.count(EventKind::EarlierCopyFound) > 0,
        "copies in earlier places"
    );
    assert_same(&tree(&ledger.report()), &expected("base"), "base");
}

#[test]
fn another_commission_rounds_each_job_down_in_every_order() {
    let mut deliveries = trees(&["events"]);
    let forward = taken(&deliveries, 2_900);
    deliveries.reverse();
    let backward = taken(&deliveries, 2_900);
    assert_eq!(forward.digest(), backward.digest());
    assert_eq!(forward.report(), backward.report());
    let base = taken(&deliveries, 2_500).report();
    let report = forward.report();
    assert_eq!(report.totals.fees_wei, base.totals.fees_wei);
    assert_eq!(report.totals.commission_wei.0.0, COMMISSION_AT_29_PERCENT);
}

/// The sum of `floor(fee x 2900 / 10000)` over the sample pool's payable jobs.
const COMMISSION_AT_29_PERCENT: u128 = 5_363_208_069_330_320_336;

#[test]
fn the_state_of_the_sample_pool_is_golden() {
    let ledger = taken(&trees(&["events"]), 2_500);
    let digest: String = ledger
        .digest()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, GOLDEN_STATE);
}

/// The digest of fees, connections and suspense of the sample pool. A change of it is a change of
/// what people are owed, or of the digest's form: say which in the changelog.
const GOLDEN_STATE: &str = "35fbb580294159af5430c26edd07ff836ac3ade2c0d3e630b7afdac041418a39";
