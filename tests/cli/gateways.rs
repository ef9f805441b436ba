//! Gateways against the real program on a clock that the test moves: an old and a new one through
//! five minutes of a stream, and the reference node's rules where they are switched on.

use std::path::Path;

use purser_events::{U256, Wei};
use purser_projections::tickets::Expected;
use reqwest::{Client, Method, RequestBuilder};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::gateway::{Gateway, RECIPIENT, chain, encoded};
use crate::run::dir;
use crate::serve::Serving;

/// Wei a second.
const PRICE: i64 = 1_000_000_000;

/// Seconds that a start pays for, and that a top-up does.
const START_SEC: u64 = 60;
const TOP_UP_SEC: u64 = 70;

/// A gateway that is told of so many seconds pays nothing.
const ENOUGH_SEC: i64 = 120;

/// What a ticket is worth at these prices of gas, in seconds of work.
const TICKET_SEC: i64 = 8;

/// What happens in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The gateway asks for a token, and pays if it must.
    Pay,
    /// The node charges so many seconds.
    Charge(i64),
}

/// Five minutes of a stream by the reference node: it charges the two seconds that the worker took
/// to answer, then 23 every 23 seconds; the gateway pays for 60 seconds at the start and for 70
/// every 50 seconds, in whole tickets of 8 seconds each. The second, what happens, and what the
/// balance is afterwards, in seconds of work.
const REFERENCE: &[(u64, Step, i64)] = &[
    (0, Step::Pay, 64),
    (0, Step::Charge(2), 62),
    (23, Step::Charge(23), 39),
    (46, Step::Charge(23), 16),
    (50, Step::Pay, 88),
    (69, Step::Charge(23), 65),
    (92, Step::Charge(23), 42),
    (100, Step::Pay, 114),
    (115, Step::Charge(23), 91),
    (138, Step::Charge(23), 68),
    (150, Step::Pay, 140),
    (161, Step::Charge(23), 117),
    (184, Step::Charge(23), 94),
    (200, Step::Pay, 166),
    (207, Step::Charge(23), 143),
    (230, Step::Charge(23), 120),
    (250, Step::Pay, 120),
    (253, Step::Charge(23), 97),
    (276, Step::Charge(23), 74),
    (299, Step::Charge(23), 51),
    (300, Step::Pay, 123),
];

/// How a gateway asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Without a job id: all its work of the capability has one balance.
    Old,
    /// With the header on every token request, `new` while there is no job.
    New,
}

/// The server, as a node and its gateways reach it.
pub(crate) struct Node {
    client: Client,
    url: String,
    coordinator: String,
    operator: String,
}

impl Node {
    pub(crate) fn of(server: &Serving, dir: &Path) -> Self {
        purser::tls::use_ring();
        Self {
            client: Client::new(),
            url: server.url.clone(),
            coordinator: server.key(dir, "coordinator"),
            operator: server.key(dir, "operator"),
        }
    }

    fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.bearer_auth(key)
    }

    async fn sent(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let key = match path {
            "/v1/test-clock" => &self.operator,
            _ => &self.coordinator,
        };
        let request = self.request(Method::POST, path, key).json(body);
        let (status, body) = self.sent(request).await;
        assert!(status < 300, "{path}: {status} {body}");
        body
    }

    /// Waits until what is read reflects a write.
    pub(crate) async fn reached(&self, written: &Value) {
        let path = format!("/v1/balances?min_position={}", written["position"]);
        let request = self.request(Method::GET, &path, &self.coordinator);
        let (status, body) = self.sent(request).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Moves the clock to a second, and tells of the block that has come by then.
    async fn advance(&self, second: u64) {
        let now_ms = 1_800_000_000_000 + second * 1_000;
        self.post("/v1/test-clock", &json!({ "now_ms": now_ms }))
            .await;
        let seen = chain(21_000_000 + second / 12);
        let told = self.post("/v1/tickets/chain", &seen).await;
        self.reached(&told).await;
    }

    async fn charge(&self, job: (&str, &Gateway), seq: u64, units: i64) -> Value {
        let path = format!("/v1/jobs/{}/debits", job.0.replace(':', "%3A"));
        let payer = job.1.address.to_string();
        let body = json!({ "payer": payer, "units": units, "debit_seq": seq });
        let charged = self.post(&path, &body).await;
        self.reached(&charged).await;
        charged
    }
}

struct Stream<'a> {
    node: &'a Node,
    gateway: Gateway,
    kind: Kind,
    job: &'static str,
}

/// Wei as seconds of work.
fn wei(seconds: i64) -> String {
    (i128::from(seconds) * i128::from(PRICE)).to_string()
}

impl Stream<'_> {
    async fn token(&self, job: Option<&str>) -> Value {
        let url = format!("{}/process/token", self.node.url);
        let request = self.node.client.get(url);
        let mut request = request
            .header("Livepeer-Eth-Address", self.gateway.header())
            .header("Livepeer-Capability", "live");
        if let Some(job) = job {
            request = request.header("Livepeer-Job-Id", job);
        }
        let (status, token) = self.node.sent(request).await;
        assert_eq!(status, 200, "{token}");
        assert_eq!(
            token["price"],
            json!({ "pricePerUnit": PRICE, "pixelsPerUnit": 1 })
        );
        assert_eq!(token["LastNonce"], 0);
        token
    }

    /// Pays as the reference gateway does: for all of `seconds`, unless two minutes are covered.
    async fn pay(&self, token: &Value, seconds: u64) {
        if token["balance"].as_i64().unwrap_or(0) >= ENOUGH_SEC * PRICE {
            return;
        }
        let params = &token["ticket_params"];
        let count = tickets_for(params, seconds);
        let payment = self.gateway.payment(params, (PRICE, 1), 1..=count);
        let mut body = json!({ "payment": encoded(&payment), "capability": "live" });
        if self.kind == Kind::New {
            body["request_id"] = self.job.into();
            body["by_job"] = true.into();
        }
        let paid = self.node.post("/v1/payments", &body).await;
        assert_eq!(paid["job_id"], self.job);
        assert_eq!(paid["credited"], wei(i64::from(count) * TICKET_SEC));
        self.node.reached(&paid).await;
    }

    /// Plays the reference's stream from `begin` on.
    async fn run(&self, begin: u64) {
        let mut seq = 0;
        let mut was = 0;
        for (second, step, balance) in REFERENCE {
            let at = (self.kind, second);
            self.node.advance(begin + second).await;
            match step {
                Step::Pay => {
                    let asked = match (self.kind, second) {
                        (Kind::Old, _) => None,
                        (Kind::New, 0) => Some("new"),
                        (Kind::New, _) => Some(self.job),
                    };
                    let token = self.token(asked).await;
                    let told = token["balance"].as_i64().unwrap_or(0);
                    assert_eq!(told, was * PRICE, "{at:?}");
                    let seconds = if *second == 0 { START_SEC } else { TOP_UP_SEC };
                    self.pay(&token, seconds).await;
                }
                Step::Charge(units) => {
                    seq += 1;
                    let job = (self.job, &self.gateway);
                    let charged = self.node.charge(job, seq, *units).await;
                    assert_eq!(charged["charged"], wei(*units), "{at:?}");
                    assert_eq!(charged["decision"], "run", "{at:?}");
                }
            }
            assert_eq!(self.balance().await, wei(*balance), "{at:?}");
            was = *balance;
        }
    }

    async fn balance(&self) -> Value {
        let payer = self.gateway.address;
        let path = format!("/v1/balances?payer={payer}&job={}", self.job);
        let request = self
            .node
            .request(Method::GET, &path, &self.node.coordinator);
        let (status, body) = self.node.sent(request).await;
        assert_eq!(status, 200, "{body}");
        body["jobs"][0]["balance"].clone()
    }
}

/// How many tickets of these parameters the reference gateway sends for so many seconds.
fn tickets_for(params: &Value, seconds: u64) -> u32 {
    let read = crate::gateway::read(params);
    let number = |bytes: &[u8]| U256::from_be_slice(bytes).expect("256 bits");
    let face_value = number(&read.face_value).to_u128().expect("small");
    let worth = Expected::of(Wei(face_value), number(&read.win_prob));
    let cost = u128::from(seconds) * u128::from(PRICE.unsigned_abs());
    (1..=600)
        .find(|count| worth.times(*count).is_some_and(|all| all.floor().0 >= cost))
        .expect("600 tickets pay for it")
}

fn configured(dir: &Path) -> Serving {
    let text = format!(
        "livepeer_recipient = \"{RECIPIENT}\"\nlivepeer_prices = [\"live={PRICE}\"]\n\
         livepeer_service_addr = \"https://orch.example:8935\"\n"
    );
    std::fs::write(dir.join("purser.toml"), text).expect("written");
    Serving::start(dir, &["--test-clock", "--config", "purser.toml"])
}

#[tokio::test]
async fn an_old_and_a_new_gateway_stream_for_five_minutes_at_the_reference_balances() {
    let dir = dir();
    let server = configured(dir.path());
    let node = Node::of(&server, dir.path());
    let gateway = Gateway::named("purser/tests/streams");
    for (at, (kind, job)) in [(Kind::Old, "cap:live"), (Kind::New, "stream-1")]
        .into_iter()
        .enumerate()
    {
        let stream = Stream {
            node: &node,
            gateway,
            kind,
            job,
        };
        stream.run(at as u64 * 600).await;
        // One address runs both kinds: neither sees the other's money.
        let other = stream.token(Some("stream-2")).await;
        assert_eq!(other["balance"], Value::Null, "{other}");
    }
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[tokio::test]
async fn a_stream_without_money_is_stopped_and_can_still_be_updated_and_ended() {
    let dir = dir();
    let server = configured(dir.path());
    let node = Node::of(&server, dir.path());
    let gateway = Gateway::named("purser/tests/broke");
    let (kind, job) = (Kind::New, "broke");
    let stream = Stream {
        node: &node,
        gateway,
        kind,
        job,
    };
    node.advance(0).await;
    let token = stream.token(Some("new")).await;
    stream.pay(&token, START_SEC).await;
    let body = json!({ "payer": gateway.address.to_string(), "min_units": 100 });
    let request = node.request(Method::POST, "/v1/jobs/broke/admit", &node.coordinator);
    let (status, refused) = node.sent(request.json(&body)).await;
    assert_eq!(status, 402, "{refused}");
    assert_eq!(refused["shortfall"], wei(100 - 64), "{refused}");
    assert_eq!(refused["shortfall_tickets"], 5, "8 seconds each: {refused}");
    let mut decisions = Vec::new();
    for seq in 1..=4 {
        node.advance(seq * 23).await;
        let charged = node.charge((job, &gateway), seq, 23).await;
        decisions.push(charged["decision"].clone());
    }
    assert_eq!(decisions, ["run", "run", "grace", "stop"]);
    // Control calls bring no money: nothing of them is refused for the lack of it.
    let late = node.charge((job, &gateway), 5, 1).await;
    assert_eq!(late["decision"], "stop");
    let body = json!({ "payer": gateway.address.to_string(), "reason": "stopped" });
    let closed = node.post("/v1/jobs/broke/close", &body).await;
    assert_eq!(closed["debt"], wei(4 * 23 + 1 - 64), "{closed}");
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[tokio::test]
async fn the_reference_node_s_rules_for_jobs_are_switched_on_by_words() {
    let dir = dir();
    let text = "livepeer_compat = [\"full_minute\", \"late_stop\"]\n";
    std::fs::write(dir.path().join("purser.toml"), text).expect("written");
    let server = Serving::start(dir.path(), &["--config", "purser.toml"]);
    let node = Node::of(&server, dir.path());
    let job = json!({ "job_id": "j", "payer": "p", "price": { "num": "1" }, "timeout_sec": 30 });
    node.post("/v1/jobs", &job).await;
    let pay = |sum: &str| -> Value {
        json!({ "payer": "p", "amount": sum, "payment_id": sum, "source": "x" })
    };
    node.post("/v1/jobs/j/credits", &pay("30")).await;
    let request = node.request(Method::POST, "/v1/jobs/j/admit", &node.coordinator);
    let (status, refused) = node.sent(request.json(&json!({ "payer": "p" }))).await;
    assert_eq!(
        (status, &refused["shortfall"]),
        (402, &json!("30")),
        "{refused}"
    );
    let mut decisions = Vec::new();
    for (seq, top_up) in [(1, "20"), (2, "100"), (3, "2")] {
        let body = json!({ "payer": "p", "units": 40, "debit_seq": seq });
        let charged = node.post("/v1/jobs/j/debits", &body).await;
        decisions.push(charged["decision"].clone());
        node.post("/v1/jobs/j/credits", &pay(top_up)).await;
    }
    assert_eq!(decisions, ["grace", "stop", "run"]);
    assert_eq!(server.end(Signal::TERM), Some(0));
}
