//! A pool that covers 777 of 1,000 requests, asked over 64 connections, killed in the middle, asked
//! again under the same ids: exactly 777 are held.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::verify;
use crate::server::{Http, Server, purser};

const REQUESTS: u64 = 1_000;
const COVERED: u64 = 777;
const CONNECTIONS: usize = 64;

/// 777 of these, and ten units that cover no further one, are in the pool.
const EST: u64 = 13;
const LEFT: u64 = 10;
const POOL: u64 = COVERED * EST + LEFT;

/// Answers after which the server is killed.
const KILLED_AFTER: usize = 300;

/// Whether each request that was answered is free.
#[derive(Debug, Default)]
struct Answers {
    free: Mutex<BTreeMap<u64, bool>>,
    count: watch::Sender<usize>,
}

impl Answers {
    /// Notes an answer; one that was given before must be the same.
    fn note(&self, request: u64, free: bool) {
        let mut known = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.insert(request, free);
        assert!(
            before.is_none_or(|before| before == free),
            "request {request}"
        );
        self.count.send_replace(known.len());
    }

    /// How many were answered, and how many of them are free.
    fn counts(&self) -> (u64, u64) {
        let known = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = known.values().filter(|free| **free).count();
        (known.len() as u64, free as u64)
    }
}

async fn sent(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("the server answers");
    let status = response.status();
    let body = response.json().await.expect("the answer is JSON");
    assert_eq!(status, 200, "{body}");
    body
}

fn post(http: &Http, path: &str, body: &Value) -> reqwest::RequestBuilder {
    let request = http.operator.post(format!("{}{path}", http.url));
    request.json(body)
}

/// The pool begins with 10,000; every identity may be granted all that it asks for.
async fn begin(http: &Http) {
    let more = json!({"amount": (POOL - 10_000).to_string(), "payment": "begin"});
    sent(post(http, "/v1/pool/topups", &more)).await;
    let tier = |at| json!({"set_tier": {"identity": format!("u{at}"), "tier": "elite"}});
    let tiers: Vec<Value> = (0..REQUESTS).map(tier).collect();
    sent(post(http, "/v1/commands", &tiers.into())).await;
}

/// Asks for every request over many connections. A server that is killed meanwhile leaves the rest
/// unanswered.
async fn ask(http: &Http, answers: &Arc<Answers>) {
    let next = Arc::new(AtomicU64::new(0));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (http, answers, next) = (http.clone(), Arc::clone(answers), Arc::clone(&next));
        connections.spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= REQUESTS {
                    return;
                }
                match decide(&http, at).await {
                    Some(free) => answers.note(at, free),
                    None => return,
                }
            }
        });
    }
    connections.join_all().await;
}

/// Whether a request is free; `None` when no whole answer came.
async fn decide(http: &Http, at: u64) -> Option<bool> {
    let ask = json!({
        "request": format!("r{at}"), "identity": format!("u{at}"), "est": EST.to_string(),
        "mode": "invoice",
    });
    let request = http
        .coordinator
        .post(format!("{}/v1/grants/decide", http.url))
        .header("Idempotency-Key", format!("k{at}"))
        .json(&ask);
    let answer = request.send().await.ok()?;
    let status = answer.status();
    let body: Value = answer.json().await.ok()?;
    assert_eq!(status, 200, "{body}");
    Some(body["serve"] == "free")
}

/// The pool conserves every unit, and holds for as many as it covers.
async fn conserved(http: &Http) {
    // A write that changes nothing tells where the log ends.
    let same = json!({"tier": "elite"});
    let last = sent(post(http, "/v1/identities/u0/tier", &same)).await;
    let path = format!("{}/v1/pool?min_position={}", http.url, last["position"]);
    let pool = sent(http.auditor.get(path)).await;
    for (member, value) in [
        ("reserved", COVERED * EST),
        ("available", LEFT),
        ("granted", 0),
        ("credited", 0),
        ("seeded", 10_000),
        ("topped_up", POOL - 10_000),
        ("decided_requests", REQUESTS),
    ] {
        let found = pool[member].to_string();
        assert_eq!(found.trim_matches('"'), value.to_string(), "{member}");
    }
}

/// Each request was decided once, and each that is free holds what it asked for.
async fn decided_once(http: &Http) {
    let path = format!("{}/v1/events?type=grant_decided", http.url);
    let answer = http.auditor.get(path).send().await;
    let text = answer.expect("the server is up").text().await;
    let (mut holds, mut seen) = (0, BTreeMap::<String, u64>::new());
    for line in text.expect("the log is read to its end").lines() {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        let data = &event["data"];
        *seen.entry(data["request"].to_string()).or_default() += 1;
        holds += u64::from(data["holds"] != json!([]));
    }
    assert_eq!((seen.len() as u64, holds), (REQUESTS, COVERED));
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
}

/// A replay of the whole log ends in the same state.
fn replayed(data: &Path) {
    let output = purser().arg("rebuild").arg("--data").arg(data).output();
    let output = output.expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("the digests agree"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_holds_exactly_what_its_pool_covers() {
    let data = tempfile::tempdir().expect("a data directory");
    let answers = Arc::new(Answers::default());
    let mut server = Server::start(data.path());
    begin(&server.http()).await;
    let http = server.http();
    let asking = tokio::spawn({
        let answers = Arc::clone(&answers);
        async move { ask(&http, &answers).await }
    });
    let mut count = answers.count.subscribe();
    let middle = count.wait_for(|count| *count >= KILLED_AFTER).await;
    drop(middle.expect("the answers outlive their reader"));
    server.kill();
    asking.await.expect("no answer was wrong");
    let (early, _) = answers.counts();
    assert!(early < REQUESTS, "it was killed in the middle");

    let server = Server::start(data.path());
    ask(&server.http(), &answers).await;
    assert_eq!(answers.counts(), (REQUESTS, COVERED));
    conserved(&server.http()).await;
    decided_once(&server.http()).await;
    assert_eq!(server.end_in_order(), Some(0));
    verify(data.path());
    replayed(data.path());
}
