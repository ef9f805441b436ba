//! Events as they are in the log.

use serde_json::{Value, json};

use crate::server::{Seen, Server, Who};

fn lines(seen: &Seen) -> Vec<Value> {
    assert_eq!(seen.status, 200, "{seen:?}");
    let lines = seen.text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

async fn filled() -> (Server, u64) {
    let server = Server::start().await;
    for id in ["w1", "w2"] {
        server.register(id).await;
    }
    let beats: Vec<Value> = (0..300)
        .map(|_| json!({"beat": {"miner_id": "w1", "queue_len": 1}}))
        .collect();
    let seen = server
        .post("/v1/commands", Who::Coordinator, &Value::Array(beats))
        .await;
    let position = seen.position();
    (server, position)
}

#[tokio::test]
async fn every_event_is_streamed_once_and_in_order() {
    let (server, end) = filled().await;
    let path = format!("/v1/events?min_position={end}");
    let seen = server.get(&path, Who::Auditor).await;
    assert_eq!(seen.headers["content-type"], "application/x-ndjson");
    assert_eq!(seen.headers["purser-position"], end.to_string().as_str());
    let positions: Vec<u64> = lines(&seen)
        .iter()
        .map(|line| line["position"].as_u64().expect("a line has a position"))
        .collect();
    assert_eq!(positions, (1..=end).collect::<Vec<_>>());
    assert!(!seen.text.contains("key-of-w1"), "no key is exported");
    let csv = server
        .get(&format!("{path}&format=csv"), Who::Auditor)
        .await;
    assert_eq!(
        csv.text.lines().count() as u64,
        end + 1,
        "a row per event, and one of names"
    );
}

#[tokio::test]
async fn events_are_filtered_by_place_kind_worker_and_time() {
    let (server, end) = filled().await;
    let count = async |query: &str| {
        let path = format!("/v1/events?min_position={end}&{query}");
        lines(&server.get(&path, Who::Auditor).await).len() as u64
    };
    assert_eq!(count(&format!("from={end}")).await, 1);
    assert_eq!(
        count(&format!("from={}", end + 1)).await,
        0,
        "past the end there is nothing"
    );
    assert_eq!(count("from=18446744073709551615").await, 0);
    assert_eq!(count("from=0&to=3").await, 3);
    assert_eq!(count("from=5&to=4").await, 0);
    assert_eq!(count("to=0").await, 0);
    assert_eq!(count("type=worker_beat").await, 300);
    assert_eq!(count("type=worker_registered&worker=w2").await, 1);
    assert_eq!(count("worker=w1&type=worker_beat&to=999999").await, 300);
    assert_eq!(count("from=1970-01-01T00:00:00Z").await, end);
    assert_eq!(count("from=2999-01-01T00:00:00Z").await, 0);
    assert_eq!(count("to=1970-01-01T00:00:00Z").await, 0);
    assert_eq!(count("to=2999-01-01T00:00:00%2B01:00").await, end);
}

#[tokio::test]
async fn a_wrong_filter_has_its_code() {
    let (server, _) = filled().await;
    for (query, status, code) in [
        ("type=dance", 400, "invalid_parameter"),
        ("worker=w9", 404, "unknown_worker"),
        ("from=x", 400, "invalid_parameter"),
        ("format=parquet", 400, "invalid_parameter"),
        ("kind=worker_beat", 400, "unknown_parameter"),
    ] {
        let seen = server
            .get(&format!("/v1/events?{query}"), Who::Auditor)
            .await;
        assert!(seen.is(status, code), "{query}: {seen:?}");
    }
}
