//! One run: three workers are owed money, something goes wrong, and each is paid once.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use purser::payouts::Key;
use purser_events::Address;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::chain::{Chain, ETH};
use crate::faults::Fault;
use crate::program::{Program, Start, purser};
use crate::proxy::{Lie, Proxy};

/// How long a run may take until everything is final.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often the state is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// A chain and what stands before it: one for many runs.
pub(crate) struct Lane {
    pub(crate) chain: Chain,
    pub(crate) proxy: Proxy,
}

impl Lane {
    pub(crate) async fn start() -> Self {
        let chain = Chain::start();
        let proxy = Proxy::start(&chain.url).await;
        Self { chain, proxy }
    }
}

/// What one run found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Payees that got more than the log says is final.
    pub(crate) doubles: u32,
    /// Payees that got less than the log says is final, or less than they were owed at the end.
    pub(crate) losses: u32,
    /// How often the program was killed.
    pub(crate) kills: u32,
}

/// One run under way.
pub(crate) struct Run<'a> {
    pub(crate) lane: &'a mut Lane,
    pub(crate) fault: &'a dyn Fault,
    pub(crate) key_text: String,
    pub(crate) key: Key,
    pub(crate) payees: Vec<(Address, u128)>,
    pub(crate) runs: u32,
    data: tempfile::TempDir,
    kills: Vec<String>,
    program: Option<Program>,
    outcome: Outcome,
}

/// A key of nobody's.
pub(crate) fn secret(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An address of nobody's.
pub(crate) fn nobody(parts: &[&str]) -> Address {
    let mut address = [0; 20];
    address.copy_from_slice(&secret(parts)[..20]);
    Address(address)
}

/// Plays a run to its end, with the program killed at each of these places in turn.
pub(crate) async fn play(
    lane: &mut Lane,
    fault: &dyn Fault,
    (name, kills): (&str, &[String]),
) -> Outcome {
    let key_text = hex(&secret(&["key", name]));
    let key = Key::read(&key_text, None).expect("a key");
    let payee = |at: &str, fee: u128| (nobody(&["payee", name, at]), fee / 4 * 3);
    let payees = vec![
        payee("0", ETH / 10),
        payee("1", ETH / 50),
        payee("2", ETH / 20 + 4),
    ];
    let mut run = Run {
        lane,
        fault,
        key_text,
        key,
        payees,
        runs: 0,
        data: tempfile::tempdir().expect("a directory"),
        kills: kills.iter().rev().cloned().collect(),
        program: None,
        outcome: Outcome::default(),
    };
    run.lane.proxy.lie(Lie::None, 0);
    run.lane.chain.automine(true).await;
    run.lane.chain.next_base_fee(1_000_000_000).await;
    run.lane.chain.mine(4).await;
    run.lane.chain.fund(&run.key.address(), ETH).await;
    let owed: Vec<(Address, u128)> = run
        .payees
        .iter()
        .map(|(to, net)| (*to, net / 3 * 4))
        .collect();
    run.start_unharmed();
    run.program().earn(1, &owed).await;
    run.stop();
    fault.prepare(&mut run).await;
    run.until_paid(name).await;
    run.check(name).await;
    run.outcome
}

impl Run<'_> {
    fn start_unharmed(&mut self) {
        let kills = std::mem::take(&mut self.kills);
        self.restart();
        self.kills = kills;
    }

    /// Starts the program; where it kills itself at once, starts it again.
    fn restart(&mut self) {
        while self.program.is_none() {
            let kill_at = self.kills.pop();
            let start = Start {
                data: self.data.path(),
                rpc: &self.lane.proxy.url.clone(),
                key: &self.key_text,
                kill_at: kill_at.as_deref(),
                settings: self.fault.settings(),
            };
            self.program = Program::start(&start);
            if self.program.is_none() {
                self.outcome.kills += 1;
            }
        }
    }

    fn program(&self) -> &Program {
        self.program.as_ref().expect("it runs")
    }

    fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill();
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Reads; `None` when the program has just died.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        self.program.as_ref()?.get(path).await
    }

    /// Writes; `None` when the program has just died.
    pub(crate) async fn post(&self, path: &str, id: &str, body: &Value) -> Option<Value> {
        self.program.as_ref()?.post(path, id, body).await
    }

    /// Every payout; `None` when the program has just died.
    pub(crate) async fn payouts(&self) -> Option<Vec<Value>> {
        let page = self.get("/v1/payouts?limit=500").await?;
        page["payouts"].as_array().cloned()
    }

    /// Requests payouts and looks after the chain until everybody has what they are owed.
    async fn until_paid(&mut self, name: &str) {
        let until = Instant::now() + PATIENCE;
        let mut requested = false;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            let gone = self.program.as_mut().is_none_or(Program::has_ended);
            if gone {
                self.outcome.kills += u32::from(self.program.take().is_some());
                self.restart();
            }
            if !requested {
                let id = format!("run-{}", self.runs);
                let answer = self.post("/v1/payouts/run", &id, &json!({})).await;
                requested = answer.is_some_and(|answer| answer["requested"].is_u64());
            }
            if let Some(payouts) = self.payouts().await {
                let fault = self.fault;
                let again = fault.step(self, &payouts).await;
                if again {
                    self.runs += 1;
                    requested = false;
                } else if requested && self.is_done(&payouts) {
                    return;
                }
            }
            assert!(
                Instant::now() < until,
                "{name}: not done: {:#?} {:#?}",
                self.payouts().await,
                self.get("/v1/status")
                    .await
                    .map(|status| status["runners"].clone()),
            );
            looks.tick().await;
        }
    }

    fn is_done(&self, payouts: &[Value]) -> bool {
        let ended = |one: &Value| one["state"] == "final" || one["state"] == "released";
        let finals = payouts.iter().filter(|one| one["state"] == "final").count();
        payouts.iter().all(ended) && finals == self.payees.len()
    }

    /// The chain against the log, to the last wei.
    async fn check(&mut self, name: &str) {
        let payouts = self.payouts().await.expect("the program runs");
        assert!(
            self.fault.happened(self, &payouts),
            "{name}: nothing went wrong: {payouts:#?}"
        );
        for (to, owed) in &self.payees {
            let own = payouts
                .iter()
                .filter(|one| one["address"] == to.to_string());
            let finals = own.filter(|one| one["state"] == "final");
            let logged: u128 = finals.map(|one| amount(&one["amount"])).sum();
            let moved = self.lane.chain.balance(to).await;
            assert_eq!(
                logged, *owed,
                "{name}: the log says that {to} was paid what it was owed"
            );
            self.outcome.doubles += u32::from(moved > logged);
            self.outcome.losses += u32::from(moved < logged);
        }
        let fees = self.program().audit("/v1/workers/fees").await;
        let owed: u128 = self.payees.iter().map(|(_, owed)| owed).sum();
        let totals = &fees["totals"];
        assert_eq!(amount(&totals["paid_wei"]), owed, "{name}");
        assert_eq!(
            (&totals["unpaid_wei"], &totals["in_flight_wei"]),
            (&json!("0"), &json!("0"))
        );
        self.stop();
        self.audit(name);
    }

    /// The program's own comparison of its log with the chain.
    fn audit(&self, name: &str) {
        let audited = purser()
            .args([
                "audit",
                "payouts",
                "--json",
                "--rpc",
                &self.lane.chain.url,
                "--data",
            ])
            .arg(self.data())
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&audited.stdout).into_owned();
        let expected = if self.fault.is_foreign() {
            Some(1)
        } else {
            Some(0)
        };
        let error = String::from_utf8_lossy(&audited.stderr).into_owned();
        assert_eq!(audited.status.code(), expected, "{name}: {text} {error}");
    }
}

pub(crate) fn amount(value: &Value) -> u128 {
    let digits = value.as_str().expect("an amount is a text");
    digits.parse().expect("digits")
}

/// A shared fault.
pub(crate) type Shared = Arc<dyn Fault>;
