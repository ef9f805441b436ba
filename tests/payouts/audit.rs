//! What the audit finds: each kind of difference, made on purpose.

use std::time::Duration;

use purser::payouts::key::Transfer;
use purser::payouts::{Audited, Key, Node, NodeSettings, Opened, audit};
use purser::render::payout::PayoutRecord;
use purser_events::{Address, Amount, Wei};
use serde_json::{Value, json};

use crate::case::{hex, nobody, secret};
use crate::chain::{CHAIN_ID, Chain, ETH};

struct World {
    chain: Chain,
    key: Key,
    node: Node,
}

impl World {
    async fn new() -> Self {
        let chain = Chain::start();
        let key = Key::read(&hex(&secret(&["audit"])), None).expect("a key");
        chain.fund(&key.address(), ETH).await;
        let node = Node::new(NodeSettings {
            urls: vec![chain.url.parse().expect("an address")],
            chain_id: CHAIN_ID,
            timeout: Duration::from_secs(10),
            backoff: Duration::from_millis(1),
        });
        let node = node.expect("a client");
        Self { chain, key, node }
    }

    /// Makes a transfer; answers its hash.
    async fn pay(&self, nonce: u64, to: Address, wei: u128) -> String {
        let signed = self.key.sign(&Transfer {
            chain_id: CHAIN_ID,
            nonce,
            to,
            amount: Amount(wei),
            max_fee: Wei(100_000_000_000),
            tip: Wei(1_000_000_000),
            gas_limit: 21_000,
        });
        let raw = format!("0x{}", hex(&signed.raw));
        self.chain.ask("eth_sendRawTransaction", json!([raw])).await;
        self.chain.mine(1).await;
        format!("0x{}", hex(&signed.hash))
    }

    async fn audit(&self, records: &[Value], nonce: u64) -> Audited {
        let records: Vec<PayoutRecord> = records
            .iter()
            .map(|record| serde_json::from_value(record.clone()).expect("a record"))
            .collect();
        let opened = [Opened {
            position: 1,
            address: self.key.address(),
            chain_id: CHAIN_ID,
            nonce,
        }];
        audit(&self.node, &records, &opened)
            .await
            .expect("the node answers")
    }
}

fn record(number: u32, to: Address, wei: u128, hash: &str) -> Value {
    json!({
        "id": format!("{number}-0000000000000000"), "number": number, "state": "final",
        "failure": null, "rail": "chain", "address": to.to_string(), "asset": "ETH",
        "amount": wei.to_string(), "draws": [], "policy": 1, "nonce": number,
        "transactions": [{
            "hash": hash, "max_fee_wei": "1", "tip_wei": "1", "gas_limit": 1, "signed_at": "",
        }],
        "block": {
            "number": 1, "hash": "", "transaction": hash, "succeeded": true, "gas_used": 1,
            "gas_price_wei": "1",
        },
        "reorgs": 0, "gas": "1", "reference": null, "requested_at": "", "changed_at": "",
        "positions": [2, 3],
    })
}

fn kinds(audited: &Audited) -> Vec<&str> {
    audited
        .differences
        .iter()
        .map(|one| one.kind.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_difference_is_found() {
    let world = World::new().await;
    let to = |name: &str| nobody(&["audit", name]);
    let first = world.pay(0, to("a"), 100).await;
    let second = world.pay(1, to("b"), 200).await;
    let paid = [
        record(0, to("a"), 100, &first),
        record(1, to("b"), 200, &second),
    ];
    let clean = world.audit(&paid, 0).await;
    assert_eq!(kinds(&clean), Vec::<&str>::new(), "{clean:?}");
    assert_eq!(
        (clean.final_wei.as_str(), clean.transferred_wei.as_str()),
        ("300", "300")
    );

    for (wrong, detail) in [
        (record(1, to("b"), 201, &second), "the amount"),
        (record(1, to("c"), 200, &second), "the receiver"),
    ] {
        let found = world.audit(&[paid[0].clone(), wrong], 0).await;
        assert_eq!(kinds(&found), ["differs"], "{found:?}");
        assert!(found.differences[0].detail.contains(detail), "{found:?}");
    }
    let nowhere = format!("0x{}", "7".repeat(64));
    let missing = world
        .audit(&[paid[0].clone(), record(1, to("b"), 200, &nowhere)], 0)
        .await;
    assert_eq!(kinds(&missing), ["missing"], "{missing:?}");
    let twice = record(1, to("a"), 100, &first);
    let twice = world.audit(&[paid[0].clone(), twice], 0).await;
    assert_eq!(kinds(&twice), ["twice", "differs"], "{twice:?}");
    let mut released = paid[1].clone();
    released["state"] = json!("released");
    let released = world.audit(&[paid[0].clone(), released], 0).await;
    assert_eq!(kinds(&released), ["landed_though_released"], "{released:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_that_the_log_does_not_know_are_found_however_old_they_are() {
    let world = World::new().await;
    let to = nobody(&["audit", "old"]);
    world.pay(0, to, 1).await;
    world.chain.mine(40).await;
    let foreign = world.pay(1, to, 2).await;
    world.chain.mine(300).await;
    let own = world.pay(2, to, 3).await;
    let found = world.audit(&[record(2, to, 3, &own)], 1).await;
    assert_eq!(kinds(&found), ["foreign"], "{found:?}");
    let difference = &found.differences[0];
    assert_eq!(difference.transaction.as_deref(), Some(foreign.as_str()));
    assert_eq!((difference.nonce, found.before_the_log), (Some(1), 1));
}
