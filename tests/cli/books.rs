use std::ops::ControlFlow;
use std::path::Path;

use purser::log::{Batch, BatchId, Log, RedbLog};
use purser_events::grant::{GrantDecided, PayMode, Serve, Share};
use purser_events::{Actor, Amount, AssetNo, Envelope, Event, GrantNo, Label, PoolNo, Position};
use serde_json::Value;

use crate::run::{dir, json, ledger, run};
use crate::sample::{expected, unpack};

fn sample() -> tempfile::TempDir {
    let dir = dir();
    unpack(dir.path());
    assert_eq!(
        run(dir.path(), &["intake", "events", "--data", "p"]).code,
        0
    );
    dir
}

#[test]
fn the_fee_table_names_every_worker_with_its_sums() {
    let dir = sample();
    let table = run(dir.path(), &["fees", "--data", "p", "--json"]);
    assert_eq!(table.code, 0, "{}", table.err);
    let (table, base) = (json(&table.out), expected("base"));
    let workers = table["workers"].as_array().expect("a list");
    for worker in workers {
        let name = worker["worker"].as_str().expect("a name");
        assert_eq!(
            worker["net_wei"], base["workers"][name]["net_wei"],
            "{name}"
        );
    }
    assert_eq!(table["totals"]["gross_wei"], base["totals"]["fees_wei"]);
    assert_eq!(
        table["totals"]["commission_wei"],
        base["totals"]["commission_wei"]
    );
    let people = run(dir.path(), &["fees", "--data", "p"]);
    assert_eq!(
        people.out.lines().count(),
        workers.len() + 4,
        "{}",
        people.out
    );
}

#[test]
fn the_fee_table_is_narrowed_to_partitions() {
    let dir = sample();
    let base = expected("base");
    let narrow = [
        "fees",
        "--data",
        "p",
        "--json",
        "--node-type",
        "ai",
        "--region",
        "us-central",
    ];
    let table = json(&run(dir.path(), &narrow).out);
    assert_eq!(
        table["totals"]["gross_wei"],
        base["partitions"]["ai|us-central"]["fees_wei"]
    );
    assert_eq!(run(dir.path(), &["fees", "--node-type", "gpu"]).code, 2);
}

#[test]
fn a_clean_log_is_verified_with_its_trial_balance() {
    let dir = sample();
    let verified = run(dir.path(), &["verify", "--data", "p", "--json"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let verified = json(&verified.out);
    assert_eq!(verified["clean"], true);
    let rebuilt = run(dir.path(), &["rebuild", "--data", "p", "--json"]);
    assert_eq!(verified["digest"], json(&rebuilt.out)["digest_after"]);
    let sum = |side: &str| -> u128 {
        let rows = verified["trial_balance"].as_array().expect("a list").iter();
        let amount = |row: &Value| {
            row[side]
                .as_str()
                .and_then(|text| text.parse::<u128>().ok())
        };
        rows.map(|row| amount(row).expect("an amount")).sum()
    };
    assert_eq!(sum("debits"), sum("credits"));
    assert!(sum("debits") > 0);
    let people = run(dir.path(), &["verify", "--data", "p"]);
    assert!(people.out.contains("pool:commission"), "{}", people.out);
    assert!(people.out.contains("verified: "), "{}", people.out);
}

#[test]
fn a_changed_byte_is_a_finding_with_its_position() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    let path = dir.path().join("p/hot.redb");
    let mut bytes = std::fs::read(&path).expect("the log is a file");
    let needle = b"eu-central";
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle);
    bytes[at.expect("the region stands in the log")] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let found = run(dir.path(), &["verify", "--data", "p", "--json"]);
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    let report = json(&found.out);
    assert_eq!(
        (&report["clean"], &report["position"]),
        (&false.into(), &1.into())
    );
    assert!(found.err.contains("position 1"), "{}", found.err);
}

#[test]
fn a_damaged_head_of_a_file_is_a_finding() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    for name in ["hot", "log"] {
        let path = dir.path().join(format!("p/{name}.redb"));
        let whole = std::fs::read(&path).expect("the log is two files");
        let mut bytes = whole.clone();
        bytes[..4].fill(0);
        std::fs::write(&path, bytes).expect("written");
        let found = run(dir.path(), &["verify", "--data", "p"]);
        assert_eq!(found.code, 1, "{}", found.err);
        assert!(found.err.contains("breach at position 1"), "{}", found.err);
        std::fs::write(&path, whole).expect("written");
    }
}

#[test]
fn a_compacted_log_takes_less_space_and_says_the_same() {
    let dir = sample();
    let ask = |args: &[&str]| json(&run(dir.path(), &[args, &["--data", "p"]].concat()).out);
    let before = ask(&["verify", "--json"]);
    let compacted = ask(&["compact", "--json"]);
    let size = |name: &str| compacted[name].as_u64().expect("a number");
    assert!(size("bytes_after") < size("bytes_before"), "{compacted}");
    let after = ask(&["verify", "--json"]);
    for same in ["root", "digest", "position", "trial_balance"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after["segments"].as_u64() > Some(0), "{after}");
    let again = run(dir.path(), &["intake", "events", "--data", "p", "--json"]);
    assert_eq!(json(&again.out)["events"], 0);
}

/// Appends an event that no command leads to; answers where it stands.
fn plant(data: &Path, make: impl FnOnce(Position, AssetNo) -> Event) -> u64 {
    let mut log = RedbLog::open(data).expect("nobody holds it");
    let mut asset = AssetNo::ETH;
    let read = log.reader().read(Position(1), &mut |envelope| {
        if let Event::PoolOpened(one) = envelope.event {
            asset = one.asset;
        }
        ControlFlow::Continue(())
    });
    read.expect("it is whole");
    let lease = log.acquire().expect("nobody holds it");
    let end = log.end();
    let position = end.position.next();
    let mut batch = Batch::new(BatchId([9; 16]), [7; 32], end.position);
    batch.push(&Envelope {
        position,
        recorded_at: end.recorded_at,
        command: None,
        actor: Actor::Purser,
        event: make(position, asset),
    });
    log.append(lease, &batch).expect("it is appended");
    position.0
}

#[test]
fn a_grant_beyond_its_budget_is_a_finding_that_says_whose() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    assert_eq!(run(dir.path(), &["verify", "--data", "p"]).code, 0);
    let at = plant(&dir.path().join("p"), |position, asset| {
        Event::GrantDecided(Box::new(GrantDecided {
            grant: GrantNo::from(position),
            request: Label::new("r1").expect("a short text"),
            identity: Label::new("dan").ok(),
            tier: None,
            est: Amount(80),
            mode: PayMode::Invoice,
            serve: Serve::Free,
            absorb: Amount(80),
            charge: Amount::ZERO,
            reason: None,
            asset,
            holds: vec![Share {
                pool: PoolNo::HOUSE,
                amount: Amount(80),
            }],
            payer: None,
            valid_ms: 1_000,
            available: Amount(9_920),
        }))
    });
    let found = run(dir.path(), &["verify", "--data", "p"]);
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    for part in [&*format!("position {at}"), "I5: dan holds on day"] {
        assert!(found.err.contains(part), "{part}: {}", found.err);
    }
}
