//! A thousand live streams on the timing of the reference's gateways: what they take of the
//! machine, and how long a debit takes beside payments of 70 tickets each.

use std::path::Path;
use std::time::{Duration, Instant};

use purser_events::Label;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::gateway::{Gateway, RECIPIENT, chain, encoded};
use super::http::{Server, coordinator_key};
use super::table::Figures;

/// Live streams; each is debited every 23 seconds, and paid for every 50.
const STREAMS: u64 = 1_000;
const DEBITS_PER_SEC: u32 = 43;
const PAYMENTS_PER_SEC: u32 = 20;

/// Tickets of a payment: 70 seconds' worth.
const TICKETS: u32 = 70;
const PRICE: (i64, i64) = (1_000_000_000, 1);

/// How long debits are measured alone, and then beside payments.
const ALONE: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_secs(30);

/// Processor time of a process so far, in hundredths of a second.
fn processor_time(id: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let data = directory.join("streams");
    std::fs::create_dir_all(&data).expect("a directory");
    let prices = format!("live={}", PRICE.0);
    let variables = [
        ("PURSER_LIVEPEER_RECIPIENT", RECIPIENT),
        // Every ticket is worth a second of work.
        ("PURSER_LIVEPEER_TICKET_EV_WEI", "1000000000"),
        ("PURSER_LIVEPEER_PRICES", &prices),
    ];
    let server = Server::purser_with(&data, &variables);
    let key = coordinator_key(&data);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(run(figures, &Node::new(&server, key)));
    server.stop();
}

/// The node of the streams, and the gateway that pays for them.
struct Node<'a> {
    server: &'a Server,
    client: Client,
    key: String,
    gateway: Gateway,
}

impl<'a> Node<'a> {
    fn new(server: &'a Server, key: String) -> Self {
        purser::tls::use_ring();
        Self {
            server,
            client: Client::new(),
            key,
            gateway: Gateway::named("purser/benches/streams"),
        }
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("http://{}{path}", self.server.address);
        self.client.post(url).bearer_auth(&self.key).json(body)
    }

    async fn sent(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.expect("it answers");
        let (status, body) = (answer.status(), answer.json().await);
        let body: Value = body.expect("JSON");
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    fn job(number: u64) -> Label {
        Label::new(&format!("s{}", number % STREAMS)).expect("a label")
    }

    async fn open(&self) {
        let payer = self.gateway.address.to_string();
        let open = |number| {
            json!({ "open_job": {
                "job_id": Self::job(number).as_str(), "payer": payer, "timeout_sec": 3_600,
                "price": { "num": PRICE.0.to_string() },
            } })
        };
        let all: Value = (0..STREAMS).map(open).collect();
        self.sent(self.post("/v1/commands", &all)).await;
        self.sent(self.post("/v1/tickets/chain", &chain(21_000_000)))
            .await;
    }

    /// Payments that are signed before, so that only the server works while it is measured.
    async fn signed(&self, count: u64) -> Vec<Value> {
        let mut payments = Vec::new();
        for number in 0..count {
            let job = Self::job(number);
            let quote = json!({
                "sender": self.gateway.address.to_string(), "job_id": job.as_str(),
                "price": { "num": PRICE.0.to_string() },
            });
            let quote = self.sent(self.post("/v1/quotes", &quote)).await;
            let params = &quote["ticket_params"];
            let payment = self.gateway.payment(params, PRICE, 1..=TICKETS);
            payments.push(json!({ "payment": encoded(&payment), "job_id": job.as_str() }));
        }
        payments
    }

    /// Debits of one stream after the other: how long each took.
    async fn debit(&self, from: u64, period: Duration) -> Vec<Duration> {
        let mut times = Vec::new();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / DEBITS_PER_SEC);
        let began = Instant::now();
        for number in from.. {
            tick.tick().await;
            if began.elapsed() >= period {
                break;
            }
            let path = format!("/v1/jobs/{}/debits", Self::job(number));
            let payer = self.gateway.address.to_string();
            let debit = json!({ "payer": payer, "units": 23, "debit_seq": number });
            let request = self.post(&path, &debit);
            let sent = Instant::now();
            self.sent(request).await;
            times.push(sent.elapsed());
        }
        times.sort_unstable();
        times
    }

    /// A token and a payment, again and again.
    async fn pay(&self, payments: &[Value]) {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / PAYMENTS_PER_SEC);
        for payment in payments {
            tick.tick().await;
            let url = format!("http://{}/process/token", self.server.address);
            let token = self.client.get(url);
            let token = token.header("Livepeer-Eth-Address", self.gateway.header());
            let token = token.header("Livepeer-Capability", "live");
            self.sent(token).await;
            let paid = self.sent(self.post("/v1/payments", payment)).await;
            assert_eq!(
                paid["tickets"].as_array().map(Vec::len),
                Some(TICKETS as usize)
            );
        }
    }
}

fn ms(times: &[Duration], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}

async fn run(figures: &mut Figures, node: &Node<'_>) {
    node.open().await;
    let count = PERIOD.as_secs() * u64::from(PAYMENTS_PER_SEC);
    let payments = node.signed(count).await;
    let alone = node.debit(0, ALONE).await;
    let (before, began) = (processor_time(node.server.id()), Instant::now());
    let (times, ()) = tokio::join!(node.debit(1_000_000, PERIOD), node.pay(&payments));
    let used = processor_time(node.server.id()) - before;
    let took = began.elapsed().as_secs_f64();
    let both = |times: &[Duration]| format!("{:.2} / {:.2} ms", ms(times, 50), ms(times, 99));
    figures.row(
        &format!("debit over HTTP beside {PAYMENTS_PER_SEC} payments/s, p50 / p99"),
        both(&times),
        format!("alone {}", both(&alone)),
        "p99: one commit more than alone",
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let share = used as f64 / took / cores;
    figures.row(
        &format!("{STREAMS} live streams: share of the machine"),
        format!("{share:.1} %"),
        format!("{DEBITS_PER_SEC} debits/s, {PAYMENTS_PER_SEC} payments/s of {TICKETS} tickets"),
        "below 25 %",
    );
}
