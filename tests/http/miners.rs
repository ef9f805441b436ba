//! Workers over HTTP: register, beat, update, renew, log out, and the registry.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Seen, Server, Start, Who, changed, manifest};

const NOW: &str = "2026-01-02T03:04:05.678Z";

#[tokio::test]
async fn registering_answers_201_then_200_and_409_for_another_key() {
    let server = Server::start().await;
    let path = "/v1/miners/register";
    let first = server.post(path, Who::Nobody, &manifest("w1")).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.body["status"], "ok");
    assert_eq!(first.body["lease_ttl_sec"], 60);
    assert_eq!(first.body["next_heartbeat_sec"], 15);
    assert_eq!(first.body["replayed"], false);
    let again = server.post(path, Who::Nobody, &manifest("w1")).await;
    assert_eq!(again.status, 200);
    assert_eq!(
        again.position(),
        first.position(),
        "the same manifest is no event"
    );
    let cheaper = changed(manifest("w1"), "price_token_per_ksec", json!(0.5));
    let cheaper = server.post(path, Who::Nobody, &cheaper).await;
    assert_eq!(cheaper.status, 200);
    assert!(cheaper.position() > first.position());
    let stolen = changed(manifest("w1"), "api_key", json!("quite-secret"));
    let stolen = server.post(path, Who::Nobody, &stolen).await;
    assert!(stolen.is(409, "key_mismatch"), "{stolen:?}");
    assert!(!stolen.text.contains("quite-secret"), "no key is repeated");
}

#[tokio::test]
async fn each_defect_of_a_registration_has_its_status_and_code() {
    let server = Server::start().await;
    let long = "x".repeat(129);
    let table: Vec<(&str, Value, u16, &str)> = vec![
        ("api_key", Value::Null, 400, "missing_field"),
        ("gpu_vram", Value::Null, 400, "missing_field"),
        ("miner_id", json!(7), 400, "invalid_field"),
        ("miner_id", json!(""), 422, "out_of_range"),
        ("miner_id", json!(long), 422, "out_of_range"),
        ("miner_id", json!("a\u{7}b"), 422, "out_of_range"),
        ("api_key", json!(""), 422, "out_of_range"),
        ("capabilities", json!(["task:"]), 422, "out_of_range"),
        ("capabilities", json!(["dance:tango"]), 422, "out_of_range"),
        (
            "capabilities",
            json!(["task:llm", "llama3:8b"]),
            422,
            "out_of_range",
        ),
        ("gpu_vram", json!(-1), 422, "out_of_range"),
        ("gpu_vram", json!("much"), 400, "invalid_field"),
        ("gpu_vram", json!([24]), 400, "invalid_field"),
        ("gpu_vram", json!(1e20), 422, "out_of_range"),
        ("ram_gb", json!(0), 422, "out_of_range"),
        ("cpu_cores", json!(0), 422, "out_of_range"),
        ("cpu_cores", json!(1.5), 400, "invalid_field"),
        ("cpu_cores", json!(1_u64 << 40), 422, "out_of_range"),
        ("max_parallel", json!(0), 422, "out_of_range"),
        ("price_token_per_ksec", json!(-0.5), 422, "out_of_range"),
        (
            "price_token_per_ksec",
            json!("0.0000001"),
            422,
            "out_of_range",
        ),
        ("price_token_per_ksec", json!(true), 400, "invalid_field"),
        ("tags", json!("eu"), 400, "invalid_field"),
        ("tags", json!(vec!["t"; 65]), 422, "out_of_range"),
        ("eth_address", json!("0x12"), 422, "out_of_range"),
        ("gpu_vram_gb", json!(24), 400, "unknown_field"),
    ];
    let before = server.get("/v1/health", Who::Nobody).await.position();
    for (field, value, status, code) in table {
        let body = changed(manifest("w1"), field, value.clone());
        let seen = server.post("/v1/miners/register", Who::Nobody, &body).await;
        assert!(seen.is(status, code), "{field} = {value}: {seen:?}");
        assert_eq!(
            seen.body["errors"][0]["field"], field,
            "{field} = {value}: {seen:?}"
        );
    }
    assert_eq!(
        server.get("/v1/health", Who::Nobody).await.position(),
        before
    );
}

#[tokio::test]
async fn decimals_are_kept_exactly() {
    let server = Server::start().await;
    let body = changed(manifest("w1"), "gpu_vram", json!("23.5"));
    let body = changed(body, "price_token_per_ksec", json!(0.1));
    let seen = server.post("/v1/miners/register", Who::Nobody, &body).await;
    assert_eq!(seen.status, 201);
    let path = format!("/v1/miners/w1?min_position={}", seen.position());
    let worker = server.get(&path, Who::Auditor).await;
    assert_eq!(worker.body["vram_mb"], 24_064);
    assert_eq!(worker.body["ram_mb"], 65_536);
    assert_eq!(worker.body["price_micro"], 100_000);
}

#[tokio::test]
async fn a_heartbeat_is_taken_with_the_session_in_query_body_or_bearer() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let path = "/v1/miners/heartbeat";
    let beat = |ts: u64| json!({"ts": ts, "queue_len": 3, "temp_c": 61.25, "mem_free_gb": "7.2"});
    let in_query = format!("{path}?session_token={token}");
    let now = now_ms();
    let first = server.post(&in_query, Who::Nobody, &beat(now)).await;
    assert_eq!(first.status, 200, "{first:?}");
    let body = changed(beat(now + 1), "session_token", json!(token));
    let second = server.post(path, Who::Nobody, &body).await;
    assert_eq!(second.position(), first.position() + 1, "{second:?}");
    let request = server.request(Method::POST, path, Who::Nobody);
    let third = Seen::of(request.bearer_auth(&token).json(&beat(now + 2))).await;
    assert_eq!(third.position(), first.position() + 2, "{third:?}");
    assert_eq!(
        third.headers["purser-position"],
        third.position().to_string().as_str()
    );
    let worker = format!("/v1/miners/w1?min_position={}", third.position());
    let worker = server.get(&worker, Who::Operator).await;
    assert_eq!(worker.body["status"], "online");
    assert_eq!(worker.body["queue_len"], 3);
    assert_eq!(worker.body["temp_decidegrees"], 613);
    assert_eq!(worker.body["mem_free_mb"], 7_372);
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.expect("it is later than 1970").as_millis()).expect("it fits")
}

#[tokio::test]
async fn each_defect_of_a_heartbeat_has_its_status_and_code() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let good = json!({"session_token": token, "ts": NOW, "queue_len": 0});
    let table: Vec<(&str, Value, u16, &str)> = vec![
        ("session_token", Value::Null, 401, "unauthenticated"),
        ("session_token", json!("wk_forged"), 401, "invalid_session"),
        (
            "session_token",
            json!(server.key(Who::Coordinator)),
            403,
            "forbidden",
        ),
        ("miner_id", json!("w1"), 400, "unknown_field"),
        ("ts", Value::Null, 400, "missing_field"),
        ("ts", json!("soon"), 400, "invalid_field"),
        ("ts", json!(-5), 422, "out_of_range"),
        ("queue_len", Value::Null, 400, "missing_field"),
        ("queue_len", json!(-1), 422, "out_of_range"),
        ("queue_len", json!("3"), 400, "invalid_field"),
        ("avg_latency_ms", json!(-3), 422, "out_of_range"),
        ("temp_c", json!(-300), 422, "out_of_range"),
        ("mem_free_gb", json!({}), 400, "invalid_field"),
        ("humidity", json!(3), 400, "unknown_field"),
    ];
    for (field, value, status, code) in table {
        let body = changed(good.clone(), field, value.clone());
        let seen = server
            .post("/v1/miners/heartbeat", Who::Nobody, &body)
            .await;
        assert!(seen.is(status, code), "{field} = {value}: {seen:?}");
        assert!(!seen.text.contains(&token), "no token is repeated");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_first_answer_and_refuses_other_content() {
    let server = Server::start().await;
    let send = |id: &'static str, body: Value| {
        let request = server.request(Method::POST, "/v1/miners/register", Who::Nobody);
        Seen::of(request.header("Idempotency-Key", id).json(&body))
    };
    let first = send("r-1", manifest("w1")).await;
    assert_eq!(
        (first.status, &first.body["replayed"]),
        (201, &json!(false))
    );
    let again = send("r-1", manifest("w1")).await;
    assert_eq!(
        (again.status, &again.body["replayed"]),
        (201, &json!(true)),
        "{again:?}"
    );
    assert_eq!(again.position(), first.position());
    let other = send("r-1", manifest("w2")).await;
    assert!(other.is(409, "idempotency_conflict"), "{other:?}");
    let long: &'static str = "x".repeat(129).leak();
    let long = send(long, manifest("w3")).await;
    assert!(long.is(400, "invalid_idempotency_key"), "{long:?}");
    let empty = send("", manifest("w3")).await;
    assert!(empty.is(400, "invalid_idempotency_key"), "{empty:?}");
}

#[tokio::test]
async fn a_lease_is_renewed_by_get_and_post_and_logging_out_ends_the_session() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let renew = format!("/v1/miners/lease/renew?session_token={token}");
    let renewed = server.get(&renew, Who::Nobody).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    assert_eq!(renewed.body["token_ttl_sec"], 900);
    let body = json!({"session_token": token});
    let renewed = server.post("/v1/miners/lease", Who::Nobody, &body).await;
    assert_eq!(renewed.body["lease_ttl_sec"], 60, "{renewed:?}");
    for _ in 0..2 {
        let out = server.post("/v1/miners/logout", Who::Nobody, &body).await;
        assert_eq!((out.status, out.text.as_str()), (204, ""));
    }
    let beat = json!({"session_token": token, "ts": NOW, "queue_len": 0});
    let beat = server
        .post("/v1/miners/heartbeat", Who::Nobody, &beat)
        .await;
    assert!(beat.is(401, "session_ended"), "{beat:?}");
    let late = server.get(&renew, Who::Nobody).await;
    assert!(late.is(401, "session_ended"), "{late:?}");
    let anew = server.register("w1").await;
    assert_ne!(anew, token, "a new session has a new token");
}

#[tokio::test]
async fn a_token_is_good_for_a_while_and_a_renewal_answers_a_new_one() {
    let start = Start {
        test_clock: true,
        ..Start::default()
    };
    let server = Server::with(start).await;
    let begun = 1_767_323_045_678;
    server.set_clock(begun).await;
    let first = server.register("w1").await;
    let beat = async |token: &str, at_ms: u64| {
        let beat = json!({"session_token": token, "ts": at_ms, "queue_len": 0});
        let path = "/v1/miners/heartbeat";
        server.post(path, Who::Nobody, &beat).await
    };
    let mut renewed = String::new();
    for second in (100..=900).step_by(100) {
        server.set_clock(begun + second * 1_000).await;
        let beaten = beat(&first, begun + second * 1_000).await;
        assert_eq!(beaten.status, 200, "{second}: {beaten:?}");
        if second == 500 {
            let body = json!({"session_token": first});
            let lease = server.post("/v1/miners/lease", Who::Nobody, &body).await;
            renewed = lease.body["session_token"].as_str().expect("one").into();
            assert_ne!(renewed, first);
        }
    }
    server.set_clock(begun + 900_001).await;
    let late = beat(&first, begun + 900_001).await;
    assert!(late.is(401, "session_token_expired"), "{late:?}");
    assert!(!late.text.contains(&first), "no token is repeated");
    let late = server
        .post(
            "/v1/miners/lease",
            Who::Nobody,
            &json!({"session_token": first}),
        )
        .await;
    assert!(late.is(401, "session_token_expired"), "{late:?}");
    let fresh = beat(&renewed, begun + 900_002).await;
    assert_eq!(fresh.status, 200, "the session goes on: {fresh:?}");
    // Whoever was late shows its key again, and is in the same session.
    let anew = server.register("w1").await;
    assert_eq!(beat(&anew, begun + 900_003).await.status, 200);
    let shown = server.get("/v1/miners/w1", Who::Auditor).await;
    assert_eq!(shown.body["session"], 1);
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let path = "/v1/miners/update";
    let body = json!({"session_token": token, "busy": true, "price_token_per_ksec": "1.25",
        "current_jobs": ["job-1"]});
    let seen = server.post(path, Who::Nobody, &body).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let worker = format!("/v1/miners/w1?min_position={}", seen.position());
    let worker = server.get(&worker, Who::Auditor).await;
    assert_eq!(worker.body["busy"], true);
    assert_eq!(worker.body["price_micro"], 1_250_000);
    assert_eq!(worker.body["current_jobs"], json!(["job-1"]));
    let wrong = changed(body, "price_token_per_ksec", json!(-1));
    let wrong = server.post(path, Who::Nobody, &wrong).await;
    assert!(wrong.is(422, "out_of_range"), "{wrong:?}");
}

#[tokio::test]
async fn the_registry_is_read_page_by_page() {
    let server = Server::start().await;
    for number in 0..5 {
        server.register(&format!("w{number}")).await;
    }
    let position = server.get("/v1/status", Who::Operator).await.position();
    let mut path = format!("/v1/miners?limit=2&min_position={position}");
    let mut found = Vec::new();
    loop {
        let page = server.get(&path, Who::Auditor).await;
        assert_eq!(page.status, 200, "{page:?}");
        let miners = page.body["miners"].as_array().expect("a page has workers");
        found.extend(miners.iter().map(|miner| miner["miner_id"].to_string()));
        match page.body["next"].as_u64() {
            Some(next) => path = format!("/v1/miners?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["\"w0\"", "\"w1\"", "\"w2\"", "\"w3\"", "\"w4\""]);
    for (limit, status, code) in [
        ("0", 422, "out_of_range"),
        ("501", 422, "out_of_range"),
        ("-1", 400, "invalid_parameter"),
        ("x", 400, "invalid_parameter"),
    ] {
        let seen = server
            .get(&format!("/v1/miners?limit={limit}"), Who::Auditor)
            .await;
        assert!(seen.is(status, code), "{limit}: {seen:?}");
    }
    let unknown = server.get("/v1/miners/w9", Who::Auditor).await;
    assert!(unknown.is(404, "unknown_worker"), "{unknown:?}");
}

#[tokio::test]
async fn silence_past_the_grace_takes_a_worker_offline() {
    let start = Start {
        test_clock: true,
        ..Start::default()
    };
    let server = Server::with(start).await;
    let set = |ms: u64| json!({"now_ms": ms});
    let begun = 1_800_000_000_000;
    server
        .post("/v1/test-clock", Who::Operator, &set(begun))
        .await;
    server.register("w1").await;
    let online = async || server.get("/v1/health", Who::Nobody).await.body["online_miners"].clone();
    server
        .post("/v1/test-clock", Who::Operator, &set(begun + 120_000))
        .await;
    assert_eq!(
        online().await,
        1,
        "a silence of exactly the grace is none yet"
    );
    let late = server
        .post("/v1/test-clock", Who::Operator, &set(begun + 120_001))
        .await;
    assert_eq!(late.status, 200, "{late:?}");
    assert_eq!(online().await, 0);
    let worker = server.get("/v1/miners/w1", Who::Operator).await;
    assert_eq!(worker.body["status"], "lapsed");
    let back = server
        .post("/v1/test-clock", Who::Operator, &set(begun))
        .await;
    assert!(back.is(409, "clock_backward"), "{back:?}");
}
