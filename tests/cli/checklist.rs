//! The seven points of the pool hub's checklist, against the real program, each in the measurable
//! form that Purser gives it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::run::{dir, json, run};
use crate::serve::Serving;
use crate::traffic::{Asking, Told, manifest};

/// A day in 2026, in milliseconds since 1970.
const BEGUN_MS: u64 = 1_767_323_045_678;

/// The program on a test clock, and somebody who asks it.
struct Hub<'a> {
    dir: &'a Path,
    server: Serving,
    asking: Asking,
    coordinator: String,
    operator: String,
    auditor: String,
}

impl<'a> Hub<'a> {
    fn start(dir: &'a Path) -> Self {
        let server = Serving::start(dir, &["--test-clock"]);
        let key = |role| server.key(dir, role);
        Self {
            dir,
            coordinator: key("coordinator"),
            operator: key("operator"),
            auditor: key("auditor"),
            asking: Asking::new(),
            server,
        }
    }

    fn ask(&self, method: Method, path: &str, key: &str, body: Option<&Value>) -> Told {
        let url = format!("{}{path}", self.server.url);
        let told = self.asking.ask(|client| {
            let request = client.request(method, url).bearer_auth(key);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        });
        told.expect("the server answers")
    }

    fn post(&self, path: &str, body: &Value) -> Told {
        self.ask(Method::POST, path, &self.coordinator, Some(body))
    }

    fn get(&self, path: &str) -> Told {
        self.ask(Method::GET, path, &self.auditor, None)
    }

    fn set_clock(&self, ms: u64) {
        let body = json!({"now_ms": BEGUN_MS + ms});
        let set = self.ask(Method::POST, "/v1/test-clock", &self.operator, Some(&body));
        assert_eq!(set.status, 200, "{set:?}");
    }

    /// Registers a worker, which a coordinator vouches for; answers its session's token.
    fn register(&self, id: &str, price: &str) -> Told {
        let mut body = manifest(id);
        body["price_token_per_ksec"] = price.into();
        let path = "/v1/miners/register";
        let told = self.post(path, &body);
        self.reached(&told);
        told
    }

    /// Waits until reads know of an answer.
    fn reached(&self, told: &Told) {
        let position = &told.body["position"];
        let seen = self.get(&format!("/v1/policy?min_position={position}"));
        assert_eq!(seen.status, 200, "{seen:?} after {told:?}");
    }

    fn count(&self, kind: &str) -> usize {
        let text = self.text(&format!("/v1/events?type={kind}"));
        text.lines().count()
    }

    fn text(&self, path: &str) -> String {
        let url = format!("{}{path}", self.server.url);
        let told = self
            .asking
            .text(|client| client.get(url).bearer_auth(&self.auditor));
        told.expect("the server answers")
    }

    fn gauge(&self, name: &str) -> Option<u64> {
        let text = self.text("/v1/metrics");
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    fn matched(&self, body: &Value) -> Told {
        let told = self.post("/v1/match", body);
        assert_eq!(told.status, 200, "{told:?}");
        told
    }

    fn end(self) -> Self {
        let Self { dir, server, .. } = self;
        assert_eq!(server.end(Signal::TERM), Some(0));
        let rebuilt = run(dir, &["rebuild", "--data", "p"]);
        assert_eq!(rebuilt.code, 0, "the same registry: {}", rebuilt.err);
        Self::start(dir)
    }
}

fn ids(told: &Told) -> Vec<String> {
    let candidates = told.body["candidates"].as_array().expect("candidates");
    let ids = candidates.iter().map(|one| one["miner_id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

/// 1: three workers register, mixed; a foreign key is refused without an event; the same again is
/// none either; a replay gives the same registry.
#[test]
fn point_1_registers() {
    let dir = dir();
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    for (id, price) in [("m-a", "0.75"), ("m-b", "1.1"), ("m-c", "0.2")] {
        assert_eq!(hub.register(id, price).status, 201);
    }
    assert_eq!(hub.count("worker_registered"), 3);
    let position = hub.get("/v1/health").body["position"].clone();
    let mut foreign = manifest("m-a");
    foreign["api_key"] = "another".into();
    let foreign = hub.post("/v1/miners/register", &foreign);
    assert_eq!(
        (foreign.status, &foreign.body["code"]),
        (409, &json!("key_mismatch"))
    );
    assert_eq!(hub.register("m-a", "0.75").status, 200);
    assert_eq!(hub.get("/v1/health").body["position"], position, "no event");
    let before = hub.text("/v1/miners");
    let hub = hub.end();
    assert_eq!(hub.text("/v1/miners"), before);
}

/// 2: heard 120,000 ms ago is near enough, a millisecond more is not; who is gone is told once, and
/// the gauge falls.
#[test]
fn point_2_heartbeats_and_the_grace() {
    let dir = dir();
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    let stays = hub.register("stays", "0.5");
    hub.register("lost", "0.5");
    let beat = |token: &Value, ms: u64| {
        let beat = json!({"session_token": token, "ts": BEGUN_MS + ms, "queue_len": 0});
        let told = hub.post("/v1/miners/heartbeat", &beat);
        assert_eq!(told.status, 200, "{told:?}");
        hub.reached(&told);
    };
    hub.set_clock(1_000);
    beat(&stays.body["session_token"], 1_000);
    assert_eq!(hub.gauge("poolhub_miners_online"), Some(2));
    hub.set_clock(120_000);
    let ask = json!({"job_id": "j", "top_k": 5});
    assert_eq!(
        ids(&hub.matched(&ask)),
        ["lost", "stays"],
        "at the edge of the grace"
    );
    hub.set_clock(120_001);
    assert_eq!(hub.count("worker_lapsed"), 1);
    let gone = hub.matched(&ask);
    assert_eq!(
        gone.body["rejected"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    assert_eq!(ids(&gone), ["stays"]);
    assert_eq!(hub.gauge("poolhub_miners_online"), Some(1));
    hub.set_clock(500_000);
    for _ in 0..3 {
        hub.matched(&ask);
    }
    assert_eq!(hub.gauge("poolhub_miners_online"), Some(0));
    assert_eq!(
        (hub.count("worker_degraded"), hub.count("worker_lapsed")),
        (2, 2)
    );
}

/// 3: the same registry and the same question give the same bytes, a thousand times and after a
/// replay; every scenario of the reference.
#[test]
fn point_3_the_same_candidates() {
    let dir = dir();
    fs::write(dir.path().join("purser.toml"), "match_rate = 'off'\n").expect("written");
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    for number in 0..20 {
        hub.register(&format!("w{number}"), &format!("0.{:02}", 99 - number % 7));
    }
    let body = json!({"job_id": "j", "top_k": 10, "hints": {"max_price": "0.97"}});
    let url = |hub: &Hub<'_>| format!("{}/v1/match", hub.server.url);
    let ask = |hub: &Hub<'_>| {
        let told = hub.asking.text(|client| {
            let request = client.post(url(hub)).bearer_auth(&hub.coordinator);
            request.json(&body)
        });
        told.expect("the server answers")
    };
    let first = ask(&hub);
    assert!(first.contains("\"explain\""), "{first}");
    for _ in 0..1_000 {
        assert_eq!(ask(&hub), first);
    }
    let hub = hub.end();
    assert_eq!(ask(&hub), first);
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors/match.json");
    let vectors = vectors.to_str().expect("UTF-8");
    let played = run(dir.path(), &["conformance", vectors]);
    assert_eq!(played.code, 0, "{}", played.out);
}

/// 4: 500 matches in ten seconds admit 240, give or take two; another key is untouched; so many
/// registrations per source, so many heartbeats per worker.
#[test]
fn point_4_floods() {
    let dir = dir();
    fs::write(
        dir.path().join("purser.toml"),
        "coordinator_secret = 'another'\n",
    )
    .expect("written");
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    let body = json!({"job_id": "j"});
    let mut admitted = 0;
    for call in 0..500 {
        hub.set_clock(call * 20);
        let told = hub.post("/v1/match", &body);
        match told.status {
            200 => admitted += 1,
            429 => assert!(told.retry_after_sec >= Some(1), "{told:?}"),
            _ => panic!("{told:?}"),
        }
    }
    assert!((238..=242).contains(&admitted), "{admitted}");
    let other = hub.ask(Method::POST, "/v1/match", "another", Some(&body));
    assert_eq!(other.status, 200);
    let register = |id: usize| {
        let url = format!("{}/v1/miners/register", hub.server.url);
        let body = manifest(&format!("w{id}"));
        let told = hub.asking.ask(|client| client.post(url).json(&body));
        told.expect("the server answers")
    };
    let tokens: Vec<Told> = (0..6).map(register).collect();
    let statuses: Vec<u16> = tokens.iter().map(|told| told.status).collect();
    assert_eq!(statuses, [201, 201, 201, 201, 201, 429]);
    let beats: Vec<u16> = (0..4)
        .map(|beat| {
            let token = &tokens[0].body["session_token"];
            let body = json!({"session_token": token, "ts": BEGUN_MS + beat, "queue_len": 0});
            hub.post("/v1/miners/heartbeat", &body).status
        })
        .collect();
    assert_eq!(
        beats,
        [200, 200, 200, 429],
        "three at once, then one per five seconds"
    );
}

/// 5: ten completed jobs and three failed ones turn the order, by exact trust.
#[test]
fn point_5_feedback() {
    let dir = dir();
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    hub.register("x", "0.50");
    hub.register("y", "0.48");
    let ask = |job: &str| hub.matched(&json!({"job_id": job, "top_k": 2}));
    assert_eq!(ids(&ask("before")), ["y", "x"]);
    let mut trust = [0; 2];
    let reports = (0..10).map(|job| ("x", "completed", Value::Null, format!("good-{job}")));
    let bad = (0..3).map(|job| ("y", "failed", json!("bad_output"), format!("bad-{job}")));
    for (worker, outcome, code, job) in reports.chain(bad) {
        ask(&job);
        let report = json!({
            "job_id": job, "miner_id": worker, "outcome": outcome, "fail_code": code,
        });
        let told = hub.post("/v1/feedback", &report);
        assert_eq!(told.body["counted"], true, "{told:?}");
        hub.reached(&told);
        trust[usize::from(worker == "y")] = told.body["trust_ppm"].as_u64().expect("a number");
    }
    assert_eq!(trust, [857_142, 285_714]);
    assert_eq!(ids(&ask("after")), ["x", "y"]);
}

/// 6: killed under load, the program is back within two seconds, with everything that it
/// acknowledged, and the same state; whoever asks from elsewhere is denied.
#[test]
fn point_6_restarts_and_denies() {
    let dir = dir();
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    for id in 0..50 {
        hub.register(&format!("w{id}"), "0.5");
    }
    let acknowledged = AtomicU64::new(0);
    let Hub {
        mut server,
        coordinator,
        ..
    } = hub;
    let url = format!("{}/v1/commands", server.url);
    let killed = thread::scope(|scope| {
        scope.spawn(|| {
            let asking = Asking::new();
            for round in 0u64.. {
                let beat = |id: u64| {
                    json!({"beat": {"miner_id": format!("w{id}"), "queue_len": round % 3}})
                };
                let beats: Vec<Value> = (0..50).map(beat).collect();
                let request = |client: &reqwest::Client| client.post(&url).json(&beats);
                let told = asking.ask(|client| request(client).bearer_auth(&coordinator));
                // The answers end with the server.
                let Ok(told) = told else { return };
                let position = told.body["position"].as_u64().expect("a position");
                acknowledged.store(position, Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 1_000 {
            thread::yield_now();
        }
        server.child.kill().and_then(|()| server.child.wait())
    });
    killed.expect("it is gone");
    let acknowledged = acknowledged.into_inner();
    let file = "coordinator_networks = ['192.0.2.0/24']\n";
    fs::write(dir.path().join("purser.toml"), file).expect("written");
    let began = Instant::now();
    let hub = Hub::start(dir.path());
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    let position = hub.get("/v1/health").body["position"].as_u64();
    assert!(
        position >= Some(acknowledged),
        "{position:?} of {acknowledged}"
    );
    let denied = hub.post("/v1/match", &json!({"job_id": "j"}));
    assert_eq!(
        (denied.status, &denied.body["code"]),
        (403, &json!("address_not_allowed"))
    );
    let Hub { server, .. } = hub;
    assert_eq!(server.end(Signal::TERM), Some(0));
    let verified = run(dir.path(), &["verify", "--data", "p"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let rebuilt = run(dir.path(), &["rebuild", "--data", "p", "--json"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.err);
    let rebuilt = json(&rebuilt.out);
    assert_eq!(
        rebuilt["digest_before"], rebuilt["digest_after"],
        "{rebuilt}"
    );
}

/// 7: the names that dashboards look for.
#[test]
fn point_7_metrics() {
    let dir = dir();
    let hub = Hub::start(dir.path());
    hub.set_clock(0);
    hub.register("w", "0.5");
    hub.matched(&json!({"job_id": "j", "hints": {"max_price": "0.1"}}));
    let text = hub.text("/v1/metrics");
    for line in [
        "poolhub_miners_online 1",
        "poolhub_match_latency_ms_bucket{le=\"0.05\"}",
        "poolhub_match_latency_ms_count 1",
        "purser_match_left_out_total{reason=\"price\"} 1",
        "purser_match_wanting_total{reason=\"price\"} 1",
        "purser_position ",
        "purser_commit_seconds_count ",
        "purser_pool_available{pool=\"house\"} 10000\n",
        "purser_pool_reserved{pool=\"house\"} 0\n",
        "purser_pool_granted{pool=\"house\"} 0\n",
        "purser_slots 2\n",
        "purser_slots_free 2\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}
