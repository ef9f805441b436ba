//! A node of a chain of our own: anvil, as `./check` installs it from `tests/node`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use purser_events::Address;
use serde_json::{Value, json};

/// The chain of payouts, as far as its number goes.
pub(crate) const CHAIN_ID: u64 = 42_161;

/// One whole, in wei.
pub(crate) const ETH: u128 = 1_000_000_000_000_000_000;

/// A node.
pub(crate) struct Chain {
    child: Child,
    pub(crate) url: String,
    http: reqwest::Client,
}

fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/node/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    assert!(
        path.exists(),
        "the chain node is not installed: run `npm ci --ignore-scripts` in tests/node, or ./check"
    );
    path
}

impl Chain {
    /// A new chain.
    pub(crate) fn start() -> Self {
        let (child, url) = spawn();
        purser::tls::use_ring();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20));
        Self {
            child,
            url,
            http: http.build().expect("a client"),
        }
    }

    /// Kills the node, and starts it again with the blocks that it had. What waited is gone.
    pub(crate) async fn kill_and_restart(&mut self) {
        let blocks = self.ask("anvil_dumpState", json!([])).await;
        self.end();
        (self.child, self.url) = spawn();
        self.ask("anvil_loadState", json!([blocks])).await;
    }

    fn end(&mut self) {
        self.child.kill().expect("the signal is sent");
        self.child.wait().expect("the node is gone");
    }

    /// Asks the node; what it refuses is a failure of the test.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.try_ask(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Asks the node; what it refuses is the error.
    pub(crate) async fn try_ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = self.http.post(&self.url).json(&body).send().await;
        let answer: Value = sent.expect("the node answers").json().await.expect("JSON");
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.ask("anvil_mine", json!([format!("{blocks:#x}")]))
            .await;
    }

    pub(crate) async fn automine(&self, on: bool) {
        self.ask("evm_setAutomine", json!([on])).await;
    }

    pub(crate) async fn fund(&self, address: &Address, wei: u128) {
        let params = json!([address.to_string(), format!("{wei:#x}")]);
        self.ask("anvil_setBalance", params).await;
    }

    pub(crate) async fn balance(&self, address: &Address) -> u128 {
        let params = json!([address.to_string(), "latest"]);
        number(&self.ask("eth_getBalance", params).await)
    }

    pub(crate) async fn nonce(&self, address: &Address) -> u64 {
        let params = json!([address.to_string(), "latest"]);
        let nonce = number(&self.ask("eth_getTransactionCount", params).await);
        u64::try_from(nonce).expect("a nonce")
    }

    pub(crate) async fn next_base_fee(&self, wei: u128) {
        let params = json!([format!("{wei:#x}")]);
        self.ask("anvil_setNextBlockBaseFeePerGas", params).await;
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // It has ended already where a test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn() -> (Child, String) {
    let mut command = Command::new(program());
    let id = CHAIN_ID.to_string();
    command.args(["--host", "127.0.0.1", "--port", "0", "--chain-id", &id]);
    command.args(["--accounts", "1", "--order", "fifo"]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = piped.spawn().expect("the node starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = lines.by_ref().find_map(|line| {
        let line = line.expect("the node speaks text");
        let address = line.strip_prefix("Listening on ")?;
        Some(format!("http://{address}"))
    });
    // Its output goes on, and is to be taken away.
    std::thread::spawn(move || lines.for_each(drop));
    (child, url.expect("the node says where it listens"))
}

/// A number as nodes write it.
pub(crate) fn number(value: &Value) -> u128 {
    let text = value.as_str().expect("a number is a text");
    u128::from_str_radix(text.trim_start_matches("0x"), 16).expect("hexadecimal digits")
}
