//! A thousand payouts: planned, signed, sent and final, with few commits.

use std::io::Write as _;
use std::time::{Duration, Instant};

use purser::payouts::Key;
use purser_events::Address;
use serde_json::json;

use crate::case::{hex, nobody, secret};
use crate::chain::{Chain, ETH};
use crate::program::{Program, Start};

const COUNT: u64 = 1_000;

/// What it must take at most.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_payouts_are_final_within_a_minute_and_share_their_commits() {
    let dir = tempfile::tempdir().expect("a directory");
    let chain = Chain::start();
    let key_text = hex(&secret(&["speed"]));
    let key = Key::read(&key_text, None).expect("a key");
    chain.fund(&key.address(), 1_000 * ETH).await;
    let start = Start {
        data: dir.path(),
        rpc: &chain.url,
        key: &key_text,
        kill_at: None,
        settings: vec![
            ("PURSER_PAYOUT_FINALITY", "1".into()),
            ("PURSER_PAYOUT_POLL_MS", "50".into()),
            ("PURSER_PAYOUT_RPC_TIMEOUT_MS", "10000".into()),
        ],
    };
    let program = Program::start(&start).expect("it starts");
    let payees: Vec<(Address, u128)> = (0..COUNT)
        .map(|at| {
            (
                nobody(&["speed", &at.to_string()]),
                ETH / 50 + u128::from(at) * 4,
            )
        })
        .collect();
    program.earn(1, &payees).await;
    let commits = async || {
        let status = program.get("/v1/status").await.expect("it runs");
        (
            status["writer"]["commits"].as_u64().expect("a count"),
            status["payouts"]["open"].clone(),
        )
    };
    let (before, _) = commits().await;
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    let began = Instant::now();
    let run = program.post("/v1/payouts/run", "run", &json!({})).await;
    assert_eq!(run.expect("it runs")["requested"], COUNT);
    let after = loop {
        let (after, open) = commits().await;
        if open == 0 {
            break after;
        }
        assert!(began.elapsed() < LIMIT, "{open} are not final");
        looks.tick().await;
    };
    let took = began.elapsed();
    assert!(after - before < COUNT / 10, "{} commits", after - before);
    for (address, fee) in &payees {
        assert_eq!(chain.balance(address).await, fee / 4 * 3);
    }
    let mut out = std::io::stdout();
    let commits = after - before;
    writeln!(
        out,
        "{COUNT} payouts final in {took:.1?}, {commits} commits"
    )
    .expect("written");
}
