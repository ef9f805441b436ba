//! The real program beside a store, in an environment that holds nothing else.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::store::{KEY_ID, SECRET, Store};

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, told where the store is.
pub(crate) fn purser(store: &Store) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
    command
        .env_clear()
        .env("PURSER_LOG", "warn,purser=info")
        .env("S3_ENDPOINT", &store.endpoint)
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("S3_BUCKET", "pool-events")
        .env("S3_ARCHIVE_BUCKET", "pool-archive")
        .env("S3_METRICS_BUCKET", "pool-metrics")
        .env("S3_SENSOR_INTERVAL_SECONDS", "1")
        .env("PURSER_S3_REQUEST_TIMEOUT_MS", "2000");
    command
}

/// Runs a command to its end.
pub(crate) fn run(store: &Store, data: &Path, args: &[&str]) -> Output {
    let mut command = purser(store);
    command.env("PURSER_DATA", data).args(args);
    command.output().expect("the program runs")
}

/// What a command that ends well prints, as JSON.
pub(crate) fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", output.status);
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// A server of the real program.
pub(crate) struct Program {
    child: Child,
    url: String,
    operator: String,
    auditor: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It is gone already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    pub(crate) fn start(store: &Store, data: &Path) -> Self {
        Self::start_as(purser(store), data)
    }

    pub(crate) fn start_as(mut command: Command, data: &Path) -> Self {
        purser::tls::use_ring();
        let mut child = command
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it greets");
        let url = line.trim().strip_prefix("purser listens on ");
        let url = url.expect("it says where").to_owned();
        let keys = std::fs::read_to_string(data.join("keys.toml")).expect("it made keys");
        let keys: toml::Table = keys.parse().expect("the keys are TOML");
        let key = |role: &str| keys[role][0].as_str().expect("a key is text").to_owned();
        Self {
            child,
            url,
            operator: key("operator"),
            auditor: key("auditor"),
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it at once: no destructor, no flush.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the signal is sent");
        self.child.wait().expect("the server is gone");
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        let sent = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        sent.expect("the signal is sent");
        assert!(self.child.wait().expect("the server ends").success());
    }

    /// A read that reflects all that the server has recorded.
    pub(crate) async fn current(&self, path: &str) -> Value {
        let status = self.get("/v1/status").await;
        self.get(&format!("{path}?min_position={}", status["position"]))
            .await
    }

    /// A read that goes well.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).await;
        assert!(status == 200, "{path}: {status} {body}");
        body
    }

    /// A read in the name of the auditor; of the operator where it is for nobody else. What is no
    /// JSON is told as null.
    pub(crate) async fn ask(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.text(path).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// The same, as it comes.
    pub(crate) async fn text(&self, path: &str) -> (u16, String) {
        let key = match path {
            "/v1/status" => &self.operator,
            _ => &self.auditor,
        };
        let asked = reqwest::Client::new()
            .get(format!("{}{path}", self.url))
            .bearer_auth(key)
            .send();
        let answer = asked.await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("the body arrives"))
    }

    /// A write in the name of the operator.
    pub(crate) async fn post(&self, path: &str, body: &Value) {
        let asked = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.operator)
            .json(body)
            .send();
        let answer = asked.await.expect("the server answers");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    /// What a runner says of itself.
    pub(crate) async fn runner(&self, name: &str) -> Value {
        let status = self.get("/v1/status").await;
        let runners = status["runners"].as_array().expect("runners are listed");
        let found = runners.iter().find(|runner| runner["name"] == name);
        found.expect("the runner is listed").clone()
    }

    /// Waits until a runner says something of itself.
    pub(crate) async fn until(&self, name: &str, what: impl Fn(&Value) -> bool) -> Value {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut last = Value::Null;
        let waiting = async {
            loop {
                ticks.tick().await;
                last = self.runner(name).await;
                if what(&last) {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{name} says {last}");
        last
    }

    /// Waits until a pass over the bucket that began from now on ended well.
    pub(crate) async fn until_polled(&self) -> Value {
        let runs = |runner: &Value| runner["runs"].as_u64().expect("a count");
        let before = runs(&self.runner("intake_s3").await);
        let is_done = |runner: &Value| {
            runs(runner) >= before + 2
                && runner["last_error"].is_null()
                && runner["waits_for"] == "the next poll of the bucket"
        };
        self.until("intake_s3", is_done).await
    }
}

/// Waits for a condition that no server tells.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    let waiting = async {
        while !condition() {
            ticks.tick().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what}");
}
