//! What the server tells of itself.

use serde_json::json;

use crate::server::{Server, Who};

#[tokio::test]
async fn health_is_public_and_status_names_every_runner() {
    let server = Server::start().await;
    let health = server.get("/v1/health", Who::Nobody).await;
    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    assert_eq!(health.body["online_miners"], 0);
    assert_eq!(
        health.body["avg_latency_ms"],
        json!(null),
        "unknown is null"
    );
    let status = server.get("/v1/status", Who::Operator).await;
    assert_eq!(status.status, 200, "{status:?}");
    assert_eq!(status.body["tree_root"].as_str().map(str::len), Some(64));
    let names: Vec<_> = status.body["runners"]
        .as_array()
        .expect("runners are listed")
        .iter()
        .map(|runner| {
            runner["name"]
                .as_str()
                .expect("a runner has a name")
                .to_owned()
        })
        .collect();
    assert!(names.contains(&String::from("sweeper")), "{names:?}");
    assert!(names.contains(&String::from("snapshotter")), "{names:?}");
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_status() {
    let server = Server::start().await;
    server.register("w1").await;
    server.get("/v1/nowhere", Who::Nobody).await;
    let position = server.get("/v1/status", Who::Operator).await.position();
    let path = format!("/v1/metrics?min_position={position}");
    let metrics = server.get(&path, Who::Auditor).await;
    for line in [
        "poolhub_miners_online 1",
        "purser_slots 4",
        "purser_slots_free 4",
        "purser_http_requests_total{route=\"/v1/miners/register\",status=\"201\"} 1",
        "purser_http_requests_total{route=\"unmatched\",status=\"404\"} 1",
        "purser_queue_depth 0",
        "purser_events_total{kind=\"worker_registered\"} 1",
    ] {
        assert!(
            metrics.text.lines().any(|found| found == line),
            "{line}:\n{}",
            metrics.text
        );
    }
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_is_of_version_3_1() {
    let server = Server::start().await;
    let document = server.get("/v1/openapi.json", Who::Nobody).await;
    assert_eq!(document.status, 200);
    assert_eq!(document.body["openapi"], "3.1.0");
    let paths = document.body["paths"]
        .as_object()
        .expect("paths are listed");
    for path in [
        "/v1/miners/register",
        "/v1/miners/{id}",
        "/v1/policy",
        "/v1/health",
    ] {
        assert!(paths.contains_key(path), "{path} is missing");
    }
    assert!(document.body["components"]["schemas"]["ProblemBody"].is_object());
}
