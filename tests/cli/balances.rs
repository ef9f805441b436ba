//! `purser balances`: what payers have, owe and may still spend.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::gateways::Node;
use crate::run::{dir, run};
use crate::serve::Serving;

/// More payers than one page of the server holds.
const PAYERS: u64 = 501;

/// Every payer deposits; two of them open a job, and one of the jobs ends with debt.
async fn filled(node: &Node) {
    let deposit = |number: u64| {
        json!({ "deposit": {
            "payer": format!("payer-{number}"), "amount": (1_000 + number).to_string(),
            "payment_id": number.to_string(), "source": "cash",
        } })
    };
    let deposits: Value = (0..PAYERS).map(deposit).collect();
    let granted = node.post("/v1/commands", &deposits).await;
    assert!(!granted.to_string().contains("error"), "{granted}");
    for (payer, job) in [("payer-0", "open"), ("payer-1", "closed")] {
        let open = json!({ "job_id": job, "payer": payer, "price": { "num": "1" } });
        node.post("/v1/jobs", &open).await;
        let debit = json!({ "payer": payer, "units": 30, "debit_seq": 1 });
        node.post(&format!("/v1/jobs/{job}/debits"), &debit).await;
    }
    let transfer = json!({ "payer": "payer-0", "job_id": "open", "amount": "100" });
    node.post("/v1/transfers", &transfer).await;
    let close = json!({ "payer": "payer-1" });
    let closed = node.post("/v1/jobs/closed/close", &close).await;
    assert_eq!(closed["debt"], "30", "{closed}");
    node.reached(&closed).await;
}

#[tokio::test]
async fn balances_are_the_same_through_a_server_and_from_its_directory() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    filled(&Node::of(&server, dir.path())).await;
    let key = server.key(dir.path(), "auditor");
    let ask = |args: &[&str]| {
        let place = ["--url", &server.url, "--key", &key];
        run(dir.path(), &[&["balances"], args, &place].concat())
    };
    let (online, people) = (ask(&["--json"]), ask(&[]));
    assert_eq!((online.code, people.code), (0, 0), "{}", online.err);
    let refused = run(
        dir.path(),
        &["balances", "--url", &server.url, "--key", "no"],
    );
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(
        refused.err.contains("invalid_credentials"),
        "{}",
        refused.err
    );
    assert_eq!(server.end(Signal::TERM), Some(0));
    let table = crate::run::json(&online.out);
    let rows = table["balances"].as_array().expect("a list");
    assert_eq!(rows.len(), PAYERS as usize, "every page was read");
    let row = |payer: &str| rows.iter().find(|row| row["payer"] == payer).cloned();
    let expected = json!({
        "payer": "payer-0", "asset": "ETH", "funds": "900", "debt": "0", "on_jobs": "70",
        "open_jobs": 1,
    });
    let found = row("payer-0").expect("it is listed");
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&found[name], value, "{name} of {found}");
    }
    let found = row("payer-1").expect("it is listed");
    assert_eq!(
        (&found["funds"], &found["debt"]),
        (&json!("1001"), &json!("30"))
    );
    let line = people.out.lines().find(|line| line.contains("payer-0 "));
    let cells: Vec<_> = line.expect("it is shown").split_whitespace().collect();
    assert!(cells.contains(&"900") && cells.contains(&"70"), "{cells:?}");
    let offline = |args: &[&str]| {
        let ended = run(dir.path(), &[&["balances", "--data", "p"], args].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.out
    };
    let from_disk = crate::run::json(&offline(&["--json"]));
    assert_eq!(from_disk["balances"], table["balances"]);
    assert_eq!(offline(&[]).lines().count(), people.out.lines().count());
    assert_eq!(run(dir.path(), &["balances", "--data", "nowhere"]).code, 3);
}
