//! Whatever is wrong with a request: a problem with a stable code, and the server goes on.

use reqwest::Method;
use serde_json::json;

use crate::server::{Seen, Server, Who};

/// Every route with a key, its method, and who may use it.
const GUARDED: &[(&str, &str, &[Who])] = &[
    ("GET", "/v1/miners", &[Who::Operator, Who::Auditor]),
    ("GET", "/v1/miners/w1", &[Who::Operator, Who::Auditor]),
    ("GET", "/v1/metrics", &[Who::Auditor]),
    ("GET", "/v1/status", &[Who::Operator]),
    ("GET", "/v1/policy", &[Who::Operator, Who::Auditor]),
    ("POST", "/v1/policy", &[Who::Operator]),
    ("POST", "/v1/test-clock", &[Who::Operator]),
    ("POST", "/v1/commands", &[Who::Coordinator, Who::Operator]),
    ("POST", "/v1/intake/events", &[Who::Coordinator]),
    ("GET", "/v1/intake/report", &[Who::Auditor]),
    ("GET", "/v1/workers/fees", &[Who::Auditor, Who::Coordinator]),
    ("GET", "/v1/events", &[Who::Auditor]),
    ("POST", "/v1/match", &[Who::Coordinator]),
    ("POST", "/v1/feedback", &[Who::Coordinator]),
    ("POST", "/v1/miners/w1/suspend", &[Who::Operator]),
    ("POST", "/v1/miners/w1/resume", &[Who::Operator]),
    ("POST", "/v1/miners/w1/probes", &[Who::Operator]),
    (
        "GET",
        "/v1/capacity",
        &[Who::Coordinator, Who::Operator, Who::Auditor],
    ),
];

fn method(text: &str) -> Method {
    text.parse().expect("the table holds methods")
}

#[tokio::test]
async fn every_guarded_route_answers_401_without_a_key_and_403_to_another_role() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    for (verb, path, allowed) in GUARDED {
        let ask = |who| Seen::of(server.request(method(verb), path, who).body("{"));
        let nobody = ask(Who::Nobody).await;
        assert!(
            nobody.is(401, "unauthenticated"),
            "{verb} {path}: {nobody:?}"
        );
        assert!(nobody.headers.contains_key("www-authenticate"));
        let stranger = ask(Who::Stranger).await;
        assert!(
            stranger.is(401, "invalid_credentials"),
            "{verb} {path}: {stranger:?}"
        );
        for who in Who::KEYS {
            let seen = ask(who).await;
            let refused = seen.status == 403 && seen.code() == "forbidden";
            assert_eq!(
                refused,
                !allowed.contains(&who),
                "{verb} {path} {who:?}: {seen:?}"
            );
        }
        let request = server
            .request(method(verb), path, Who::Nobody)
            .bearer_auth(&token);
        let worker = Seen::of(request).await;
        assert!(worker.is(403, "forbidden"), "{verb} {path}: {worker:?}");
    }
}

#[tokio::test]
async fn whatever_is_no_bearer_is_refused() {
    let server = Server::start().await;
    let key = server
        .key(Who::Operator)
        .expect("operators have keys")
        .to_owned();
    for value in [
        key.clone(),
        format!("Basic {key}"),
        String::from("Bearer "),
        format!("Bearer {key} "),
    ] {
        let request = server.request(Method::GET, "/v1/status", Who::Nobody);
        let seen = Seen::of(request.header("Authorization", &value)).await;
        let trimmed =
            value.starts_with("Bearer p") || value.trim_end().ends_with(&format!("Bearer {key}"));
        assert_eq!(seen.status, if trimmed { 200 } else { 401 }, "{seen:?}");
        assert!(!seen.text.contains(&key), "no key is repeated");
    }
}

#[tokio::test]
async fn every_read_refuses_unknown_parameters_and_waits_for_a_position() {
    let server = Server::start().await;
    server.register("w1").await;
    for (verb, path, allowed) in GUARDED.iter().filter(|route| route.0 == "GET") {
        let ask = |query: &str| {
            let path = format!("{path}?{query}");
            Seen::of(server.request(method(verb), &path, allowed[0]))
        };
        let unknown = ask("limits=3").await;
        assert!(unknown.is(400, "unknown_parameter"), "{path}: {unknown:?}");
        assert_eq!(unknown.body["errors"][0]["field"], "limits");
        let wrong = ask("min_position=x").await;
        assert!(wrong.is(400, "invalid_parameter"), "{path}: {wrong:?}");
        let far = ask("min_position=999999").await;
        assert!(far.is(504, "position_not_reached"), "{path}: {far:?}");
        assert_eq!(ask("min_position=1").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let server = Server::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v2/health",
        "/v1/health/",
        "/%ff",
    ] {
        let seen = server.get(path, Who::Auditor).await;
        assert!(seen.is(404, "unknown_route"), "{path}: {seen:?}");
    }
    let seen = Seen::of(server.request(Method::DELETE, "/v1/policy", Who::Operator)).await;
    assert!(seen.is(405, "method_not_allowed"), "{seen:?}");
    assert_eq!(seen.headers["allow"], "GET,HEAD,POST");
    let seen = server.get("/v1/miners/%ff", Who::Auditor).await;
    assert!(seen.is(400, "invalid_parameter"), "{seen:?}");
}

#[tokio::test]
async fn every_body_that_is_no_json_has_its_code() {
    let server = Server::start().await;
    let deep = format!("{{\"rule\":{}", "[".repeat(1_000));
    let table: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "malformed_json"),
        (b"{\"rule\":".to_vec(), "malformed_json"),
        (b"nonsense".to_vec(), "malformed_json"),
        (b"{} {}".to_vec(), "missing_field"),
        (b"{\"rule\":\"\xff\xfe\"}".to_vec(), "not_utf8"),
        (b"\xff\xfe{\x00}\x00".to_vec(), "not_utf8"),
        (b"[]".to_vec(), "invalid_field"),
        (b"[1,2,3,4,5,6]".to_vec(), "invalid_field"),
        (b"null".to_vec(), "invalid_field"),
        (deep.into_bytes(), "invalid_field"),
        (b"{\"now_ms\":1e999}".to_vec(), "unknown_field"),
        (
            b"{\"rule\":\"lease_ttl_ms\",\"rule\":\"lease_ttl_ms\",\"value\":1}".to_vec(),
            "duplicate_field",
        ),
    ];
    for (body, code) in table {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let request = server
            .request(Method::POST, "/v1/policy", Who::Operator)
            .body(body);
        let seen = Seen::of(request).await;
        assert!(seen.is(400, code), "{shown}: {seen:?}");
    }
    assert_eq!(server.get("/v1/health", Who::Nobody).await.status, 200);
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let server = Server::start().await;
    for (media, status) in [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/x-ndjson", 415),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
    ] {
        let body = json!({"rule": "commission_bps", "value": 1_000}).to_string();
        let request = server.request(Method::POST, "/v1/policy", Who::Operator);
        let seen = Seen::of(request.header("content-type", media).body(body)).await;
        assert_eq!(seen.status, status, "{media}: {seen:?}");
        if status == 415 {
            assert_eq!(seen.code(), "unsupported_media_type");
        }
    }
}

#[tokio::test]
async fn the_coordinator_secret_header_opens_the_coordinator_s_doors_only() {
    let server = Server::start().await;
    for who in Who::KEYS {
        let key = server.key(who).expect("the role has a key");
        let request = server.request(Method::GET, "/v1/status", Who::Nobody);
        let seen = Seen::of(request.header("X-Coordinator-Secret", key)).await;
        let expected = if who == Who::Coordinator { 403 } else { 401 };
        assert_eq!(seen.status, expected, "{who:?}: {seen:?}");
    }
}
