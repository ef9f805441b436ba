//! Matching over HTTP: match, assign, feedback, trust, standing; the points of the pool hub's
//! checklist that it covers.

use serde_json::{Value, json};

use crate::server::{Server, Start, Who, changed, manifest};

/// A day in 2026, in milliseconds since 1970.
const BEGUN_MS: u64 = 1_767_323_045_678;

async fn on_a_test_clock() -> Server {
    let start = Start {
        test_clock: true,
        ..Start::default()
    };
    let server = Server::with(start).await;
    server.set_clock(BEGUN_MS).await;
    server
}

/// Registers a worker and lets it beat; answers its token.
async fn join(server: &Server, id: &str, price: Value) -> String {
    let body = changed(manifest(id), "price_token_per_ksec", price);
    // A coordinator vouches for it, so that no limit for strangers acts.
    let joined = server
        .post("/v1/miners/register", Who::Coordinator, &body)
        .await;
    assert_eq!(joined.status, 201, "{joined:?}");
    settle(server, joined.position()).await;
    joined.body["session_token"]
        .as_str()
        .expect("a token")
        .into()
}

/// Waits until the read side has reached a position.
pub(crate) async fn settle(server: &Server, position: u64) {
    let path = format!("/v1/policy?min_position={position}");
    let seen = server.get(&path, Who::Operator).await;
    assert_eq!(seen.status, 200, "{seen:?}");
}

pub(crate) async fn find(server: &Server, body: &Value) -> Value {
    let found = server.post("/v1/match", Who::Coordinator, body).await;
    assert_eq!(found.status, 200, "{found:?}");
    found.body
}

pub(crate) fn ids(found: &Value) -> Vec<&str> {
    let candidates = found["candidates"].as_array().expect("candidates");
    let ids = candidates.iter().map(|one| one["miner_id"].as_str());
    ids.map(|id| id.expect("an id")).collect()
}

#[tokio::test]
async fn a_match_answers_candidates_with_their_parts_and_a_histogram_of_reasons() {
    let server = Server::start().await;
    let empty = find(&server, &json!({"job_id": "j0"})).await;
    assert_eq!((ids(&empty).len(), &empty["rejected"]), (0, &json!({})));
    join(&server, "dear", json!("2")).await;
    join(&server, "cheap", json!("0.5")).await;
    let body = json!({"job_id": "j1", "top_k": 5, "hints": {"max_price": "1.0"}});
    let found = find(&server, &body).await;
    assert_eq!(ids(&found), ["cheap"]);
    assert_eq!(found["rejected"], json!({"price": 1}));
    let best = &found["candidates"][0];
    assert_eq!(best["components"]["price"], 500_000);
    assert_eq!(best["price"].to_string(), "0.5");
    assert_eq!(
        best["score_ppm"],
        400_000 + 100_000 + 100_000 + 75_000 + 40_000
    );
    assert!(
        best["explain"]
            .as_str()
            .expect("text")
            .starts_with("cap=1.000 \u{2022} price=0.500")
    );
    let path = "/v1/match?reasons=all";
    let all = server.post(path, Who::Coordinator, &body).await.body;
    assert_eq!(all["rejected"], json!({"dear": ["price"]}));
    assert_eq!(all["rejected_primary_histogram"], json!({"price": 1}));
    let none = server
        .post("/v1/match?reasons=none", Who::Coordinator, &body)
        .await
        .body;
    assert_eq!(
        (&none["candidates"], &none["rejected"]),
        (&all["candidates"], &json!({}))
    );
    let log = server.get("/v1/events?type=match_made", Who::Auditor).await;
    assert!(
        log.text.is_empty(),
        "a match that is not recorded leaves no event"
    );
}

#[tokio::test]
async fn each_defect_of_a_match_has_its_status_and_code() {
    let server = Server::start().await;
    let table = [
        (json!({}), 400, "missing_field"),
        (
            json!({"job_id": "j", "requirements": {"min_vram": 8}}),
            400,
            "unknown_field",
        ),
        (
            json!({"job_id": "j", "requirements": {"accel": "cuda"}}),
            400,
            "invalid_field",
        ),
        (json!({"job_id": "j", "top_k": 0}), 422, "out_of_range"),
        (json!({"job_id": "j", "top_k": 51}), 422, "out_of_range"),
        (json!({"job_id": "j", "assign": 2}), 422, "out_of_range"),
        (
            json!({"job_id": "j", "hints": {"region_trust": "verified"}}),
            422,
            "out_of_range",
        ),
        (
            json!({"job_id": "j", "hints": {"max_price": -1}}),
            422,
            "out_of_range",
        ),
    ];
    for (body, status, code) in table {
        let answer = server.post("/v1/match", Who::Coordinator, &body).await;
        assert!(answer.is(status, code), "{body}: {answer:?}");
    }
    let body = json!({"job_id": "j"});
    let nobody = server.post("/v1/match", Who::Nobody, &body).await;
    assert!(nobody.is(401, "unauthenticated"), "{nobody:?}");
    let operator = server.post("/v1/match", Who::Operator, &body).await;
    assert!(operator.is(403, "forbidden"), "{operator:?}");
}

#[tokio::test]
async fn an_assigned_job_has_one_winner_and_is_explained_ever_after() {
    let server = Server::start().await;
    join(&server, "w1", json!("0.5")).await;
    let body = json!({"job_id": "j1", "top_k": 3, "assign": true});
    let won = find(&server, &body).await;
    assert_eq!(won["assigned"], json!(["w1"]));
    assert_eq!(won["replayed"], false);
    let again = server.post("/v1/match", Who::Coordinator, &body).await;
    assert!(again.is(409, "job_assigned"), "{again:?}");
    settle(&server, won["position"].as_u64().expect("a position")).await;
    let past = server.get("/v1/match/j1", Who::Auditor).await;
    assert_eq!(past.status, 200, "{past:?}");
    assert_eq!(past.body["candidates"], won["candidates"]);
    assert_eq!(past.body["position"], won["position"]);
    assert_eq!(past.body["weights"]["cap"], 400_000);
    let unknown = server.get("/v1/match/j2", Who::Auditor).await;
    assert!(unknown.is(404, "unknown_match"), "{unknown:?}");
    // The worker takes four at once.
    for job in ["j2", "j3", "j4"] {
        let made = find(&server, &json!({"job_id": job, "assign": true})).await;
        settle(&server, made["position"].as_u64().expect("a position")).await;
    }
    let full = find(&server, &json!({"job_id": "j5", "assign": true})).await;
    assert_eq!((ids(&full).len(), &full["assigned"]), (0, &json!([])));
    assert_eq!(full["rejected"], json!({"capacity": 1}));
    let at = full["position"].as_u64().expect("a position");
    let path = format!("/v1/capacity?min_position={at}");
    let capacity = server.get(&path, Who::Auditor).await.body;
    assert_eq!(
        (&capacity["matches"], &capacity["unmet"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(capacity["unmet_reasons"], json!({"capacity": 1}));
}

#[tokio::test]
async fn a_job_that_the_best_refused_goes_to_the_next() {
    let server = Server::start().await;
    for (id, price) in [("a", "0.1"), ("b", "0.2"), ("c", "0.3")] {
        join(&server, id, json!(price)).await;
    }
    let body = json!({"job_id": "j", "assign": true});
    for id in ["a", "b", "c"] {
        let won = find(&server, &body).await;
        assert_eq!(won["assigned"], json!([id]));
        assert_eq!(ids(&won), [id], "whoever refused is no candidate any more");
        let refused = json!({"job_id": "j", "miner_id": id, "outcome": "rejected"});
        let told = server
            .post("/v1/feedback", Who::Coordinator, &refused)
            .await;
        assert_eq!(told.body["counted"], true, "{told:?}");
    }
    let nobody = server.post("/v1/match", Who::Coordinator, &body).await;
    assert!(nobody.is(409, "candidates_gone"), "{nobody:?}");
}

/// One slot, many calls at once: one wins. Hedged jobs take as many as they asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_has_one_winner_among_calls_at_once() {
    let server = Server::start().await;
    for id in ["a", "b", "c"] {
        join(&server, id, json!("0.5")).await;
    }
    // Each worker takes four at once: twelve slots for thirty jobs, all asked for at once.
    let asked = (0..30).map(|number| {
        let server = &server;
        let body = json!({"job_id": format!("j{number}"), "top_k": 3, "assign": true});
        async move { server.post("/v1/match", Who::Coordinator, &body).await }
    });
    let mut won: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
    for made in futures_util::future::join_all(asked).await {
        if made.status == 409 {
            assert_eq!(made.code(), "candidates_gone");
            continue;
        }
        assert_eq!(made.status, 200, "{made:?}");
        for worker in made.body["assigned"].as_array().expect("a list") {
            *won.entry(worker.to_string()).or_default() += 1;
        }
    }
    assert_eq!(
        won.values().copied().collect::<Vec<_>>(),
        [4, 4, 4],
        "{won:?}"
    );
    // The same job, asked for at once: one call wins it.
    let server = Server::start().await;
    for id in ["a", "b", "c"] {
        join(&server, id, json!("0.5")).await;
    }
    let body = json!({"job_id": "one", "top_k": 3, "assign": 2});
    let asked = (0..20).map(|_| server.post("/v1/match", Who::Coordinator, &body));
    let asked = futures_util::future::join_all(asked).await;
    let (winners, losers): (Vec<_>, Vec<_>) = asked.iter().partition(|made| made.status == 200);
    assert_eq!(winners.len(), 1);
    assert_eq!(
        winners[0].body["assigned"].as_array().map(Vec::len),
        Some(2)
    );
    assert!(losers.iter().all(|made| made.is(409, "job_assigned")));
    // The part of each of the two ends by itself.
    for (worker, outcome) in winners[0].body["assigned"]
        .as_array()
        .expect("two")
        .iter()
        .zip(["completed", "failed"])
    {
        let report = json!({"job_id": "one", "miner_id": worker, "outcome": outcome});
        let told = server.post("/v1/feedback", Who::Coordinator, &report).await;
        assert_eq!(told.body["counted"], true, "{told:?}");
    }
}

#[tokio::test]
async fn a_slot_that_nobody_reports_on_is_free_again() {
    let server = on_a_test_clock().await;
    let now = BEGUN_MS;
    join(&server, "w1", json!("0.5")).await;
    let hints = json!({"deadline_ms": 60_000_000});
    let body = json!({"job_id": "j1", "assign": true, "hints": {}});
    find(&server, &body).await;
    let late = json!({"job_id": "late", "hints": hints});
    assert_eq!(
        find(&server, &late).await["rejected"],
        json!({"deadline": 1})
    );
    server.set_clock(now + 3_630_001).await;
    let log = server
        .get("/v1/events?type=assignment_expired", Who::Auditor)
        .await;
    assert_eq!(log.text.lines().count(), 1, "{}", log.text);
    let again = find(&server, &body).await;
    assert_eq!(
        again["assigned"],
        json!([]),
        "the worker was silent meanwhile"
    );
}

/// Checklist, 1: three workers, mixed; the same manifest again; another key.
#[tokio::test]
async fn three_workers_register_and_a_foreign_key_is_refused_without_an_event() {
    let server = Server::start().await;
    for id in ["m-a", "m-b", "m-c"] {
        join(&server, id, json!("0.75")).await;
    }
    let events = || server.get("/v1/events?type=worker_registered", Who::Auditor);
    assert_eq!(events().await.text.lines().count(), 3);
    let path = "/v1/miners/register";
    let foreign = changed(manifest("m-a"), "api_key", json!("another"));
    let foreign = server.post(path, Who::Coordinator, &foreign).await;
    assert!(foreign.is(409, "key_mismatch"), "{foreign:?}");
    let same = changed(manifest("m-a"), "price_token_per_ksec", json!("0.75"));
    let same = server.post(path, Who::Coordinator, &same).await;
    assert_eq!(same.status, 200);
    assert_eq!(events().await.text.lines().count(), 3);
}

/// Checklist, 2: the edge of the grace, to the millisecond; each event once; the gauge falls.
#[tokio::test]
async fn a_silent_worker_is_degraded_then_offline_once_each_and_the_gauge_falls() {
    let server = on_a_test_clock().await;
    let now = BEGUN_MS;
    join(&server, "w1", json!("0.5")).await;
    let ask = json!({"job_id": "j"});
    let count = async |kind: &str| {
        let path = format!("/v1/events?type={kind}");
        server.get(&path, Who::Auditor).await.text.lines().count()
    };
    let online = async || {
        let text = server.get("/v1/metrics", Who::Auditor).await.text;
        let mut lines = text.lines();
        lines.any(|line| line == "poolhub_miners_online 1")
    };
    server.set_clock(now + 60_001).await;
    assert_eq!(
        (count("worker_degraded").await, count("worker_lapsed").await),
        (1, 0)
    );
    server.set_clock(now + 120_000).await;
    assert_eq!(ids(&find(&server, &ask).await), ["w1"]);
    assert!(online().await);
    server.set_clock(now + 120_001).await;
    let gone = find(&server, &ask).await;
    assert_eq!(
        (ids(&gone).len(), &gone["rejected"]),
        (0, &json!({"inactive": 1}))
    );
    assert!(!online().await);
    server.set_clock(now + 500_000).await;
    assert_eq!(
        (count("worker_degraded").await, count("worker_lapsed").await),
        (1, 1)
    );
}

/// Checklist, 3: the same registry and the same request give the same bytes, after a rebuild too.
#[tokio::test]
async fn a_match_is_answered_byte_by_byte_the_same() {
    let server = on_a_test_clock().await;
    for number in 0..20 {
        join(
            &server,
            &format!("w{number}"),
            json!(f64::from(number) / 16.0),
        )
        .await;
    }
    let body = json!({"job_id": "j", "top_k": 10, "requirements": {"min_vram_gb": 8}});
    let first = server.post("/v1/match", Who::Coordinator, &body).await.text;
    for _ in 0..1_000 {
        let again = server.post("/v1/match", Who::Coordinator, &body).await.text;
        assert_eq!(again, first);
    }
    let assigned = json!({"job_id": "j2", "top_k": 3, "assign": 2});
    let made = find(&server, &assigned).await;
    settle(&server, made["position"].as_u64().expect("a position")).await;
    let read = async |server: &Server| {
        let mut texts = Vec::new();
        for path in [
            "/v1/miners?limit=500",
            "/v1/miners/w3",
            "/v1/match/j2",
            "/v1/capacity",
            "/v1/balances",
            "/v1/workers/fees",
            "/v1/policy",
            "/v1/health",
        ] {
            texts.push(server.get(path, Who::Auditor).await.text);
        }
        texts.push(server.post("/v1/match", Who::Coordinator, &body).await.text);
        texts
    };
    let before = read(&server).await;
    let server = server.rebuilt(true).await;
    assert_eq!(read(&server).await, before);
}

/// A worker that drains says that it is busy: it has no room, whatever its queue says.
#[tokio::test]
async fn a_worker_that_drains_is_not_matched_and_comes_back() {
    let server = Server::start().await;
    let token = join(&server, "w1", json!("0.5")).await;
    let ask = json!({"job_id": "j"});
    for (busy, found) in [(true, vec![]), (false, vec!["w1"])] {
        let body = json!({"session_token": token, "busy": busy, "queue_len": 0});
        let told = server.post("/v1/miners/update", Who::Nobody, &body).await;
        settle(&server, told.position()).await;
        let answer = find(&server, &ask).await;
        assert_eq!(ids(&answer), found);
        let rejected = if busy {
            json!({"capacity": 1})
        } else {
            json!({})
        };
        assert_eq!(answer["rejected"], rejected);
        let made = json!({"job_id": format!("assigned-{busy}"), "assign": true});
        assert_eq!(find(&server, &made).await["assigned"], json!(found));
    }
}

#[tokio::test]
async fn figures_of_service_are_kept_for_a_day_and_for_ever() {
    let server = on_a_test_clock().await;
    let token = join(&server, "w1", json!("0.5")).await;
    let minute = 60_000;
    // Ten minutes, and a beat in eight of them; then a day later.
    for at in [0, 1, 2, 3, 4, 5, 7, 9u64] {
        server.set_clock(BEGUN_MS + at * minute).await;
        let beat = json!({"session_token": token, "ts": BEGUN_MS + at * minute, "queue_len": 0});
        let beaten = server
            .post("/v1/miners/heartbeat", Who::Nobody, &beat)
            .await;
        assert_eq!(beaten.status, 200, "{beaten:?}");
    }
    for (job, outcome) in [
        ("a", "completed"),
        ("b", "completed"),
        ("c", "failed"),
        ("d", "rejected"),
    ] {
        find(&server, &json!({"job_id": job, "assign": true})).await;
        let report = json!({
            "job_id": job, "miner_id": "w1", "outcome": outcome, "latency_ms": 500,
        });
        let told = server.post("/v1/feedback", Who::Coordinator, &report).await;
        assert_eq!(told.body["counted"], true, "{told:?}");
        settle(&server, told.position()).await;
    }
    let sla = async || server.get("/v1/miners/w1", Who::Auditor).await.body["sla"].clone();
    let seen = sla().await;
    assert_eq!(seen["uptime_ppm"], 800_000);
    assert_eq!(
        seen["recent"],
        json!({
            "hours": 24, "uptime_ppm": 800_000, "completion_ppm": 500_000, "response_ms": 500,
            "completed": 2, "ended": 4,
        })
    );
    server.set_clock(BEGUN_MS + 25 * 60 * minute).await;
    let seen = sla().await;
    assert_eq!(seen["completion_ppm"], 500_000);
    assert_eq!(seen["recent"]["ended"], 0);
    assert_eq!(seen["recent"]["uptime_ppm"], 0);
    assert_eq!(seen["recent"]["completion_ppm"], Value::Null);
}

#[tokio::test]
async fn recorded_matches_are_asked_anew_under_other_weights() {
    let server = Server::start().await;
    let quick = join(&server, "quick", json!("2")).await;
    let cheap = join(&server, "cheap", json!("0.1")).await;
    for (token, latency) in [(&quick, 10), (&cheap, 900)] {
        let beat = json!({
            "session_token": token, "ts": BEGUN_MS, "queue_len": 0, "avg_latency_ms": latency,
        });
        let beaten = server
            .post("/v1/miners/heartbeat", Who::Nobody, &beat)
            .await;
        settle(&server, beaten.position()).await;
    }
    let mut last = 0;
    for job in ["j1", "j2", "j3"] {
        let made = find(&server, &json!({"job_id": job, "top_k": 2, "assign": true})).await;
        assert_eq!(made["assigned"], json!(["quick"]));
        last = made["position"].as_u64().expect("a position");
        settle(&server, last).await;
    }
    let what_if = async |weights: &str, more: &str| {
        let path = format!("/v1/what-if/match?weights={weights}{more}");
        server.get(&path, Who::Auditor).await
    };
    let usual = "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05";
    let same = what_if(usual, "").await.body;
    assert_eq!((&same["matches"], &same["same"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&same["changed"], &same["changes"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(same["before"], same["after"]);
    let by_price = "cap:0,price:1,latency:0,trust:0,load:0";
    let other = what_if(by_price, "&limit=1").await.body;
    assert_eq!((&other["same"], &other["changed"]), (&json!(0), &json!(3)));
    let change = &other["changes"][0];
    assert_eq!(change["job_id"], "j1");
    assert_eq!(change["before"]["miner_id"], "quick");
    assert_eq!(change["after"]["miner_id"], "cheap");
    assert_eq!(other["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(other["before"]["price_micro"], 2_000_000);
    assert_eq!(other["after"]["price_micro"], 100_000);
    let late = what_if(by_price, &format!("&from={last}")).await.body;
    assert_eq!(late["matches"], 1);
    let wrong = what_if("cap:1", "").await;
    assert!(wrong.is(400, "invalid_parameter"), "{wrong:?}");
    let denied = "/v1/what-if/match?weights=cap:1";
    assert!(
        server
            .get(denied, Who::Coordinator)
            .await
            .is(403, "forbidden")
    );
}

/// Checklist, 5: ten completed jobs and three failed ones turn the order.
#[tokio::test]
async fn feedback_moves_trust_and_turns_the_order() {
    let server = Server::start().await;
    join(&server, "x", json!("0.50")).await;
    join(&server, "y", json!("0.48")).await;
    let ask = |job: &str| json!({"job_id": job, "top_k": 2});
    assert_eq!(ids(&find(&server, &ask("before")).await), ["y", "x"]);
    let report = async |job: &str, id: &str, outcome: &str, code: Option<&str>| {
        let mut body = json!({"job_id": job, "miner_id": id, "outcome": outcome});
        if let Some(code) = code {
            body["fail_code"] = json!(code);
        }
        let told = server.post("/v1/feedback", Who::Coordinator, &body).await;
        settle(&server, told.position()).await;
        told.body
    };
    let mut trust = Value::Null;
    for number in 0..10 {
        let job = format!("good-{number}");
        find(&server, &ask(&job)).await;
        report(&job, "x", "accepted", None).await;
        trust = report(&job, "x", "completed", None).await;
    }
    assert_eq!(
        (&trust["trust_ppm"], &trust["counted"]),
        (&json!(857_142), &json!(true))
    );
    for number in 0..3 {
        let job = format!("bad-{number}");
        find(&server, &ask(&job)).await;
        trust = report(&job, "y", "failed", Some("bad_output")).await;
    }
    assert_eq!(trust["trust_ppm"], 285_714);
    let again = report("bad-2", "y", "completed", None).await;
    assert_eq!(
        (&again["counted"], &again["ignored"]),
        (&json!(false), &json!("duplicate"))
    );
    let never = report("never", "y", "completed", None).await;
    assert_eq!(never["ignored"], "not_assigned");
    assert_eq!(ids(&find(&server, &ask("after")).await), ["x", "y"]);
    let shown = server.get("/v1/miners/x", Who::Auditor).await.body;
    assert_eq!(shown["trust_ppm"], 857_142);
    assert_eq!(shown["sla"]["completion_ppm"], 1_000_000);
}

#[tokio::test]
async fn an_operator_suspends_resumes_and_probes() {
    let server = Server::start().await;
    join(&server, "w1", json!("0.5")).await;
    let reason = json!({"reason": "overheats"});
    let suspend = "/v1/miners/w1/suspend";
    let denied = server.post(suspend, Who::Coordinator, &reason).await;
    assert!(denied.is(403, "forbidden"), "{denied:?}");
    let done = server.post(suspend, Who::Operator, &reason).await;
    assert_eq!(done.status, 200, "{done:?}");
    settle(&server, done.position()).await;
    let found = find(&server, &json!({"job_id": "j"})).await;
    assert_eq!(found["rejected"], json!({"suspended": 1}));
    let shown = server.get("/v1/miners/w1", Who::Operator).await.body;
    assert_eq!(shown["suspended_reason"], "overheats");
    let resume = "/v1/miners/w1/resume";
    let resumed = server.post(resume, Who::Operator, &reason).await;
    settle(&server, resumed.position()).await;
    let region = shown["region"].as_str().expect("a region").to_owned();
    let verified = json!({
        "job_id": "j",
        "hints": {"region": region, "region_trust": "verified"},
    });
    let found = find(&server, &verified).await;
    assert_eq!(found["rejected"], json!({"region_unverified": 1}));
    let probe = json!({"region": region, "rtt_ms": 12.5, "samples": 5});
    let probed = server
        .post("/v1/miners/w1/probes", Who::Operator, &probe)
        .await;
    assert_eq!(probed.status, 200, "{probed:?}");
    settle(&server, probed.position()).await;
    assert_eq!(ids(&find(&server, &verified).await), ["w1"]);
    let unknown = server
        .post("/v1/miners/w9/suspend", Who::Operator, &reason)
        .await;
    assert!(unknown.is(404, "unknown_worker"), "{unknown:?}");
}

#[tokio::test]
async fn a_key_is_rotated_and_the_old_one_ends() {
    let server = Server::start().await;
    let token = join(&server, "w1", json!("0.5")).await;
    let body = json!({"session_token": token, "new_api_key": "quite-new", "overlap_sec": 0});
    let rotated = server.post("/v1/miners/key", Who::Nobody, &body).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    assert!(!rotated.text.contains("quite-new"));
    let old = server
        .post("/v1/miners/register", Who::Coordinator, &manifest("w1"))
        .await;
    assert!(old.is(409, "key_mismatch"), "{old:?}");
    let with_new = changed(manifest("w1"), "api_key", json!("quite-new"));
    let opened = server
        .post("/v1/miners/register", Who::Coordinator, &with_new)
        .await;
    assert_eq!(opened.status, 200, "{opened:?}");
}
