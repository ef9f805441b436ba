//! The program as a child process, with a key and a node.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use purser_events::Address;
use serde_json::{Value, json};

use crate::chain::CHAIN_ID;

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) data: &'a Path,
    pub(crate) rpc: &'a str,
    pub(crate) key: &'a str,
    /// Where it is to kill itself.
    pub(crate) kill_at: Option<&'a str>,
    /// Further settings.
    pub(crate) settings: Vec<(&'static str, String)>,
}

/// A server.
pub(crate) struct Program {
    child: Child,
    url: String,
    http: reqwest::Client,
    pub(crate) operator: String,
    pub(crate) auditor: String,
    coordinator: String,
}

/// The program in an empty environment.
pub(crate) fn purser() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
    command.env_clear();
    command
}

impl Program {
    /// Starts it and waits until it listens; `None` when it killed itself before.
    pub(crate) fn start(start: &Start<'_>) -> Option<Self> {
        let mut command = purser();
        command.args(["serve", "--bind", "127.0.0.1:0", "--data"]);
        command.arg(start.data);
        command.env(
            "PURSER_LOG",
            std::env::var("PURSER_LOG").unwrap_or("off".into()),
        );
        command.env("PURSER_PAYOUT_RPC_URLS", start.rpc);
        command.env("PURSER_PAYOUT_KEY", start.key);
        command.env("PURSER_PAYOUT_CHAIN_ID", CHAIN_ID.to_string());
        command.env("PURSER_PAYOUT_EVERY_SEC", "0");
        command.env("PURSER_PAYOUT_POLL_MS", "15");
        command.env("PURSER_PAYOUT_RPC_TIMEOUT_MS", "400");
        command.env("PURSER_PAYOUT_RPC_BACKOFF_MS", "3");
        command.env("PURSER_PAYOUT_FINALITY", "3");
        if let Some(place) = start.kill_at {
            command.env("PURSER_DEBUG_KILL_AT", place);
        }
        command.envs(start.settings.iter().map(|(name, value)| (*name, value)));
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it greets");
        let Some(url) = line.trim().strip_prefix("purser listens on ") else {
            let ended = child.wait().expect("it ended");
            assert!(
                start.kill_at.is_some(),
                "the server does not start: {ended}"
            );
            return None;
        };
        let url = url.to_owned();
        let keys = std::fs::read_to_string(start.data.join("keys.toml")).expect("keys");
        let keys: toml::Table = keys.parse().expect("the keys are TOML");
        let key = |role: &str| keys[role][0].as_str().expect("a key is text").to_owned();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30));
        Some(Self {
            child,
            url,
            http: http.build().expect("a client"),
            operator: key("operator"),
            auditor: key("auditor"),
            coordinator: key("coordinator"),
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("the server is gone");
    }

    /// Reads as operator; `None` when the server is gone.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.operator).send().await.ok()?;
        answer.json().await.ok()
    }

    /// Reads as auditor.
    pub(crate) async fn audit(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.auditor).send().await;
        answer.expect("it answers").json().await.expect("JSON")
    }

    /// Writes as operator; `None` when the server is gone.
    pub(crate) async fn post(&self, path: &str, id: &str, body: &Value) -> Option<Value> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let request = request
            .bearer_auth(&self.operator)
            .header("Idempotency-Key", id);
        request.send().await.ok()?.json().await.ok()
    }

    /// Takes in jobs: what each address earned, before the commission of a quarter.
    pub(crate) async fn earn(&self, file: u64, fees: &[(Address, u128)]) {
        let events: Vec<Value> = fees
            .iter()
            .enumerate()
            .map(|(index, (address, fee))| {
                json!({
                    "ID": format!("{file:08x}-0000-4000-8000-{index:012x}"),
                    "DT": "2026-01-01T00:00:00Z", "EventType": "job-processed",
                    "NodeType": "transcode", "Region": "us-west", "Version": 1,
                    "Payload": {
                        "ethAddress": address.to_string(), "computeUnits": 1, "responseTime": 10,
                        "duration": 2000, "realTimeRatio": 4, "pricePerComputeUnit": 1,
                        "fees": u64::try_from(*fee).expect("a fee below 2^64"),
                    },
                })
            })
            .collect();
        let key = format!(
            "us-west/transcode/us-west-transcode-20260101T{:06}Z_20260101T{:06}Z.json",
            file % 60,
            file % 60
        );
        let request = self.http.post(format!("{}/v1/intake/events", self.url));
        let request = request
            .query(&[("key", key)])
            .bearer_auth(&self.coordinator);
        let answer = request.body(json!(events).to_string()).send().await;
        let answer: Value = answer.expect("it answers").json().await.expect("JSON");
        assert_eq!(answer["events"], fees.len(), "{answer}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where a test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
