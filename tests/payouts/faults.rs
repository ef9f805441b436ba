//! What goes wrong: with the node, with the chain, with the money.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::BoxFuture;
use purser::payouts::key::Transfer;
use purser_events::{Amount, Wei};
use serde_json::{Value, json};

use crate::case::{Run, Shared, nobody};
use crate::chain::{CHAIN_ID, ETH};
use crate::proxy::Lie;

/// Something that goes wrong in a run.
pub(crate) trait Fault: Send + Sync {
    /// Before payouts are requested.
    fn prepare<'a>(&'a self, _run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// After each look at the payouts; whether payouts are to be requested anew.
    fn step<'a>(&'a self, run: &'a mut Run<'_>, _payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            run.lane.chain.mine(1).await;
            false
        })
    }

    /// Settings of the program.
    fn settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether it really went wrong, by what the payouts look like at the end.
    fn happened(&self, _run: &Run<'_>, _payouts: &[Value]) -> bool {
        true
    }

    /// Whether the chain ends up with transactions that the log does not know.
    fn is_foreign(&self) -> bool {
        false
    }
}

/// A fault's name, and how one is made.
pub(crate) type Named = (&'static str, fn() -> Shared);

/// Every fault, with its name. Each run has one of its own, since some remember.
pub(crate) fn all() -> Vec<Named> {
    vec![
        ("nothing goes wrong", || Arc::new(Nothing)),
        ("no node answers for a while", || lies(Lie::Down, 30)),
        ("the node answers too late", || lies(Lie::SlowSend, 2)),
        ("the answer to a transfer is lost", || {
            lies(Lie::LostSend, 3)
        }),
        ("a transfer is taken, an error answered", || {
            lies(Lie::TakenButError, 3)
        }),
        ("a transfer is not taken, an error answered", || {
            lies(Lie::NotTakenError, 3)
        }),
        ("a transfer is not taken, success answered", || {
            lies(Lie::NotTakenSuccess, 2)
        }),
        ("every answer is an error for a while", || {
            lies(Lie::Errors, 25)
        }),
        ("the node is behind with nonces", || {
            lies(Lie::StaleNonce, 12)
        }),
        ("transfers are handed on twice", || lies(Lie::Twice, 5)),
        ("receipts are not shown for a while", || {
            lies(Lie::Hidden, 12)
        }),
        ("the node is killed after the broadcast", || {
            Arc::new(Killed::default())
        }),
        ("a waiting transfer is dropped", || {
            Arc::new(Dropped::default())
        }),
        ("no block is made for a while", || Arc::new(Idle::default())),
        ("fees rise, transfers are evicted and replaced", || {
            Arc::new(Evicted::default())
        }),
        ("blocks are reorganised away", || {
            Arc::new(Reorganised::default())
        }),
        ("a payee refuses the value", || Arc::new(Refused::default())),
        ("the account does not cover the gas", || {
            Arc::new(Poor::default())
        }),
        (
            "gas costs more than the limit",
            || Arc::new(Dear::default()),
        ),
        ("the key is used elsewhere", || Arc::new(Foreign::default())),
    ]
}

/// Something that happens once.
#[derive(Default)]
struct Once(AtomicU32);

impl Once {
    fn first(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) == 0
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

fn are(payouts: &[Value], states: &[&str]) -> bool {
    let is = |one: &Value| states.iter().any(|state| one["state"] == *state);
    !payouts.is_empty() && payouts.iter().all(is)
}

struct Nothing;

impl Fault for Nothing {}

/// Nothing that the program does: once everybody is paid, the chain is made to say that somebody
/// got another amount. A check that does not see it sees nothing.
pub(crate) struct Planted {
    /// What the first payee holds more than it was paid.
    pub(crate) more: bool,
}

impl Fault for Planted {
    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            run.lane.chain.mine(1).await;
            let (payee, owed) = run.payees[0];
            if !payouts.is_empty() && payouts.iter().all(|one| one["state"] == "final") {
                let wrong = if self.more { owed * 2 } else { owed - 1 };
                run.lane.chain.fund(&payee, wrong).await;
            }
            false
        })
    }
}

struct Lies(Lie, u32);

fn lies(lie: Lie, times: u32) -> Shared {
    Arc::new(Lies(lie, times))
}

impl Fault for Lies {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.proxy.lie(self.0, self.1) })
    }

    fn happened(&self, run: &Run<'_>, _payouts: &[Value]) -> bool {
        run.lane.proxy.told() > 0
    }
}

/// The node dies with transfers in its memory, and comes back without them.
#[derive(Default)]
struct Killed(Once);

impl Fault for Killed {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            if are(payouts, &["sent"]) && self.0.first() {
                run.lane.proxy.lie(Lie::Down, 40);
                run.lane.chain.kill_and_restart().await;
                run.lane.proxy.point_at(&run.lane.chain.url);
            }
            if self.0.count() > 0 {
                run.lane.chain.mine(1).await;
            }
            false
        })
    }

    fn happened(&self, _run: &Run<'_>, _payouts: &[Value]) -> bool {
        self.0.count() > 0
    }
}

/// The node forgets a transfer that waits.
#[derive(Default)]
struct Dropped(Once);

impl Fault for Dropped {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            if are(payouts, &["sent"]) && self.0.first() {
                for payout in payouts.iter().take(2) {
                    let hash = &payout["transactions"][0]["hash"];
                    run.lane
                        .chain
                        .ask("anvil_dropTransaction", json!([hash]))
                        .await;
                }
            }
            if self.0.count() > 0 {
                run.lane.chain.mine(1).await;
            }
            false
        })
    }

    fn happened(&self, _run: &Run<'_>, _payouts: &[Value]) -> bool {
        self.0.count() > 0
    }
}

/// No block is made for a while.
#[derive(Default)]
struct Idle(Once);

impl Fault for Idle {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            if are(payouts, &["sent", "mined", "final"]) && self.0.add() > 8 {
                run.lane.chain.mine(1).await;
            }
            false
        })
    }

    fn happened(&self, _run: &Run<'_>, _payouts: &[Value]) -> bool {
        self.0.count() > 0
    }
}

/// The base fee rises above what was offered; the node forgets the transfers for ever.
#[derive(Default)]
struct Evicted(Once);

impl Fault for Evicted {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            if are(payouts, &["sent"]) && self.0.first() {
                run.lane.chain.next_base_fee(30_000_000_000).await;
            }
            if self.0.count() > 0 {
                run.lane.chain.mine(1).await;
            }
            false
        })
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("PURSER_PAYOUT_REPLACE_AFTER_MS", "60".into())]
    }

    fn happened(&self, _run: &Run<'_>, payouts: &[Value]) -> bool {
        let signed = |one: &Value| one["transactions"].as_array().map_or(0, Vec::len);
        payouts.iter().any(|one| signed(one) > 1)
    }
}

/// The blocks that hold the payouts are no part of the chain any more.
#[derive(Default)]
struct Reorganised(Once);

impl Fault for Reorganised {
    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            let chain = &run.lane.chain;
            if are(payouts, &["mined"]) && self.0.first() {
                // Everything back to the block before the first of them.
                let blocks = payouts
                    .iter()
                    .filter_map(|one| one["block"]["number"].as_u64());
                let first = blocks.min().expect("a block");
                let head = crate::chain::number(&chain.ask("eth_blockNumber", json!([])).await);
                let depth = u64::try_from(head).expect("a number") - first + 1;
                chain.ask("anvil_reorg", json!([depth, []])).await;
            } else if self.0.count() > 0 {
                chain.mine(1).await;
            }
            false
        })
    }

    /// Blocks are deep before they count: the runs decide when.
    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("PURSER_PAYOUT_FINALITY", "6".into())]
    }

    fn happened(&self, _run: &Run<'_>, payouts: &[Value]) -> bool {
        payouts.iter().all(|one| one["reorgs"] != 0)
    }
}

/// A payee is a contract that refuses the value, from after the signature on.
#[derive(Default)]
struct Refused(Once);

impl Fault for Refused {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            let payee = run.payees[1].0.to_string();
            let code = |code: &str| json!([payee, code]);
            if are(payouts, &["sent"]) && self.0.first() {
                let refusing = code("0x60006000fd");
                run.lane.chain.ask("anvil_setCode", refusing).await;
            }
            if self.0.count() > 0 {
                run.lane.chain.mine(1).await;
            }
            let failed = payouts.iter().find(|one| one["state"] == "failed");
            let Some(failed) = failed else {
                return false;
            };
            assert_eq!(failed["failure"], "reverted");
            assert_eq!(failed["address"], payee);
            run.lane.chain.ask("anvil_setCode", code("0x")).await;
            cancel(run, failed).await
        })
    }

    fn happened(&self, _run: &Run<'_>, payouts: &[Value]) -> bool {
        payouts
            .iter()
            .any(|one| one["failure"] == "reverted" && one["state"] == "released")
    }
}

/// A person gives a failed payout up; whether that was granted.
async fn cancel(run: &Run<'_>, payout: &Value) -> bool {
    let id = payout["id"].as_str().expect("an id");
    let path = format!("/v1/payouts/{id}/cancel");
    let answer = run.post(&path, &format!("cancel-{id}"), &json!({})).await;
    answer.is_some_and(|answer| answer["position"].is_u64())
}

/// The account covers the amounts, and not the gas.
#[derive(Default)]
struct Poor(Once);

impl Fault for Poor {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let owed: u128 = run.payees.iter().map(|(_, owed)| owed).sum();
            run.lane.chain.fund(&run.key.address(), owed + 1).await;
        })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            run.lane.chain.mine(1).await;
            // It is filled up once it was seen that a payout waits for it.
            let waits = payouts.iter().any(|one| one["state"] == "requested");
            if waits && self.0.add() == 10 {
                run.lane.chain.fund(&run.key.address(), ETH).await;
            }
            false
        })
    }
}

/// A unit of gas costs more than the limit, for a while.
#[derive(Default)]
struct Dear(Once);

impl Fault for Dear {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            run.lane.chain.next_base_fee(60_000_000_000).await;
            run.lane.chain.mine(1).await;
        })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let seen = self.0.add();
            if payouts.is_empty() || seen < 8 {
                assert!(
                    are(payouts, &["requested"]) || payouts.is_empty(),
                    "{payouts:?}"
                );
                run.lane.chain.next_base_fee(60_000_000_000).await;
            } else if seen == 8 {
                run.lane.chain.next_base_fee(1_000_000_000).await;
            }
            run.lane.chain.mine(1).await;
            false
        })
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("PURSER_PAYOUT_GAS_PRICE_MAX_WEI", "20000000000".into())]
    }
}

/// Somebody else signs with the same key, and gets in before one of the payouts.
#[derive(Default)]
struct Foreign {
    sent: Once,
    alarmed: Once,
}

impl Foreign {
    async fn get_in_before(&self, run: &Run<'_>, payouts: &[Value]) {
        let nonces = payouts.iter().filter_map(|one| one["nonce"].as_u64());
        let nonce = nonces.min().expect("a nonce");
        let signed = run.key.sign(&Transfer {
            chain_id: CHAIN_ID,
            nonce,
            to: nobody(&["elsewhere", &run.key_text]),
            amount: Amount(7),
            max_fee: Wei(500_000_000_000),
            tip: Wei(100_000_000_000),
            gas_limit: 21_000,
        });
        let raw = format!("0x{}", crate::case::hex(&signed.raw));
        run.lane
            .chain
            .ask("eth_sendRawTransaction", json!([raw]))
            .await;
    }
}

impl Fault for Foreign {
    fn prepare<'a>(&'a self, run: &'a mut Run<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async { run.lane.chain.automine(false).await })
    }

    fn step<'a>(&'a self, run: &'a mut Run<'_>, payouts: &'a [Value]) -> BoxFuture<'a, bool> {
        Box::pin(async {
            if are(payouts, &["sent"]) && self.sent.first() {
                self.get_in_before(run, payouts).await;
            }
            if self.sent.count() > 0 {
                run.lane.chain.mine(1).await;
            }
            let failed = payouts.iter().find(|one| one["state"] == "failed");
            let Some(failed) = failed else {
                return false;
            };
            assert_eq!(failed["failure"], "nonce_used");
            let Some(status) = run.get("/v1/status").await else {
                return false;
            };
            if status["payouts"]["alarm"].is_string() {
                self.alarmed.add();
                let _ = run.post("/v1/payouts/resume", "resume", &json!({})).await;
                return false;
            }
            assert!(self.alarmed.count() > 0, "a person is told");
            cancel(run, failed).await
        })
    }

    fn happened(&self, _run: &Run<'_>, _payouts: &[Value]) -> bool {
        self.alarmed.count() > 0
    }

    fn is_foreign(&self) -> bool {
        true
    }
}
