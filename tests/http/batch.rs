//! Many commands at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Seen, Server, Who, manifest};

fn beat(id: &str, ts: u64) -> Value {
    json!({"beat": {"miner_id": id, "queue_len": 3, "ts": ts}})
}

async fn send(server: &Server, query: &str, body: &Value) -> Seen {
    server
        .post(&format!("/v1/commands{query}"), Who::Coordinator, body)
        .await
}

#[tokio::test]
async fn each_command_has_its_own_result_in_order() {
    let server = Server::start().await;
    let body = json!([
        {"register": manifest("w1")},
        beat("w1", 0),
        beat("nobody", 0),
        {"dance": {}},
        {"set_policy": {"rule": "commission_bps", "value": 1}},
        {"log_out": {"miner_id": "w1"}},
        beat("w1", 0),
    ]);
    let seen = send(&server, "", &body).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let results = seen.body["results"].as_array().expect("results are listed");
    assert_eq!(results.len(), 7);
    let first = results[0]["position"]
        .as_u64()
        .expect("the registration is granted");
    assert_eq!(results[0]["created"], true);
    assert!(results[1]["position"].as_u64() > Some(first));
    assert_eq!(results[1]["replayed"], false);
    assert_eq!(results[2]["error"]["code"], "unknown_worker");
    assert_eq!(results[3]["error"]["code"], "malformed_command");
    assert_eq!(results[4]["error"]["code"], "forbidden");
    assert_eq!(results[5]["position"], seen.body["position"]);
    assert_eq!(results[6]["error"]["code"], "session_ended");
}

#[tokio::test]
async fn json_lines_give_the_same_results_and_one_broken_line_costs_one_line() {
    let server = Server::start().await;
    server.register("w1").await;
    let beat = beat("w1", 0).to_string();
    let lines = [
        beat.as_bytes(),
        b"{\"beat\":",
        b"",
        b"\xff\xfe",
        beat.as_bytes(),
    ]
    .join(&b'\n');
    let request = server.request(Method::POST, "/v1/commands", Who::Coordinator);
    let request = request
        .header("content-type", "application/x-ndjson")
        .body(lines);
    let seen = Seen::of(request).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let results = seen.body["results"].as_array().expect("results are listed");
    let granted: Vec<bool> = results.iter().map(|one| one["position"].is_u64()).collect();
    assert_eq!(granted, [true, false, false, true]);
    assert_eq!(results[1]["error"]["code"], "malformed_command");
}

#[tokio::test]
async fn an_atomic_batch_happens_whole_or_not_at_all() {
    let server = Server::start().await;
    server.register("w1").await;
    let before = server.get("/v1/status", Who::Operator).await.position();
    for (bad, code) in [
        (beat("nobody", 0), "unknown_worker"),
        (json!({}), "malformed_command"),
    ] {
        let body = json!([beat("w1", 0), bad]);
        let seen = send(&server, "?atomic=true", &body).await;
        assert!(seen.is(409, "batch_refused"), "{seen:?}");
        assert_eq!(seen.body["results"][0]["error"]["code"], "batch_refused");
        assert_eq!(seen.body["results"][1]["error"]["code"], code);
    }
    assert_eq!(
        server.get("/v1/status", Who::Operator).await.position(),
        before
    );
    let body = json!([beat("w1", 0), beat("w1", 0)]);
    let seen = send(&server, "?atomic=true", &body).await;
    assert_eq!(
        (seen.status, seen.position()),
        (200, before + 2),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_batch_repeated_under_its_key_changes_nothing() {
    let server = Server::start().await;
    let body = json!([{"register": manifest("w1")}, beat("w1", 0)]);
    let send = async || {
        let request = server.request(Method::POST, "/v1/commands", Who::Coordinator);
        Seen::of(request.header("Idempotency-Key", "batch-1").json(&body)).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.body["position"], again.body["position"], "{again:?}");
    for (index, one) in again.body["results"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        assert_eq!(one["replayed"], true, "{index}: {again:?}");
        assert_eq!(
            one["position"], first.body["results"][index]["position"],
            "{index}"
        );
    }
}

#[tokio::test]
async fn an_operator_sets_rules_in_a_batch_and_nothing_else() {
    let server = Server::start().await;
    let body = json!([
        {"set_policy": {"rule": "commission_bps", "value": 1_000, "expected": 2_500}},
        {"declare_partition": {"node_type": "ai", "region": "mars"}},
        {"declare_asset": {"code": "SAT", "exponent": 8}},
        beat("w1", 0),
    ]);
    let seen = server.post("/v1/commands", Who::Operator, &body).await;
    let results = seen.body["results"].as_array().expect("results are listed");
    let granted: Vec<bool> = results.iter().map(|one| one["position"].is_u64()).collect();
    assert_eq!(granted, [true, true, true, false], "{seen:?}");
    assert_eq!(results[3]["error"]["code"], "forbidden");
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused_as_a_whole() {
    let server = Server::start().await;
    let many = format!("[{}]", vec!["{}"; 8_193].join(","));
    for (body, status, code) in [
        ("", 400, "malformed_json"),
        ("[{}", 400, "malformed_json"),
        ("{\"beat\":{}}", 400, "invalid_field"),
        (many.as_str(), 413, "too_many_commands"),
    ] {
        let request = server.request(Method::POST, "/v1/commands", Who::Coordinator);
        let seen = Seen::of(request.body(body.to_owned())).await;
        assert!(seen.is(status, code), "{seen:?}");
    }
    let seen = send(&server, "", &json!([])).await;
    assert_eq!(
        (seen.status, &seen.body["results"]),
        (200, &json!([])),
        "{seen:?}"
    );
    let seen = send(&server, "?atomic=perhaps", &json!([])).await;
    assert!(seen.is(400, "invalid_parameter"), "{seen:?}");
}
