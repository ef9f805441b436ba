//! Events as they are in the log.

use purser::export::{NEXT_FILE, tar};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Seen, Server, Who, manifest};

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
async fn files_of_a_data_set_come_answer_by_answer() {
    let (server, end) = filled().await;
    let (mut next, mut answers, mut found) = (1, 0, Vec::new());
    while next <= end {
        let path = format!("/v1/events/files?format=jsonl&limit=77&from={next}&to={end}");
        let seen = server
            .get(&format!("{path}&min_position={end}"), Who::Auditor)
            .await;
        assert_eq!(seen.status, 200, "{seen:?}");
        for (name, bytes) in tar::files(&seen.text.into_bytes().into()).expect("an archive") {
            if name == NEXT_FILE {
                let told: Value = serde_json::from_slice(&bytes).expect("JSON");
                next = told["next"].as_u64().expect("a position");
            } else {
                let text = String::from_utf8(bytes.to_vec()).expect("text");
                let events = text.lines().map(serde_json::from_str::<Value>);
                found.extend(events.map(|event| event.expect("JSON")["position"].as_u64()));
            }
        }
        answers += 1;
    }
    found.sort_unstable();
    assert!(found.into_iter().eq((1..=end).map(Some)), "each event once");
    assert_eq!(answers, end.div_ceil(77));
    for limit in [0, 200_001] {
        let path = format!("/v1/events/files?limit={limit}");
        let refused = server.get(&path, Who::Auditor).await;
        assert!(refused.is(422, "out_of_range"), "{refused:?}");
    }
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

/// Reads server-sent events until this many came; answers their ids and types.
async fn heard(response: &mut reqwest::Response, count: usize) -> Vec<(u64, String)> {
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let piece = response.chunk().await.expect("the stream goes on");
        let piece = piece.expect("the stream never ends");
        text.push_str(std::str::from_utf8(&piece).expect("it is text"));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let mut lines = event.lines();
                lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
            };
            if let (Some(id), Some(kind)) = (field("id: "), field("event: ")) {
                let data = field("data: ").expect("an event has data");
                let data: Value = serde_json::from_str(&data).expect("it is JSON");
                assert_eq!(data["position"].to_string(), id);
                assert_eq!(data["type"], kind);
                events.push((id.parse().expect("a position"), kind));
            }
            text = rest.to_owned();
        }
    }
    events
}

#[tokio::test]
async fn a_stream_goes_on_behind_the_last_event_that_was_heard() {
    let server = Server::start().await;
    let path = "/v1/miners/register";
    let joined = server.post(path, Who::Nobody, &manifest("w1")).await;
    let end = joined.position();
    let stream = |path: &str| server.request(Method::GET, path, Who::Auditor);
    let path = "/v1/events/stream?from=1";
    let mut live = stream(path).send().await.expect("the server answers");
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let before = heard(&mut live, usize::try_from(end).expect("few")).await;
    assert!(before.iter().map(|(id, _)| *id).eq(1..=end), "{before:?}");
    drop(live);

    server.register("w2").await;
    let mut again = stream("/v1/events/stream").header("Last-Event-ID", end.to_string());
    let mut live = again.send().await.expect("the server answers");
    let first = heard(&mut live, 1).await;
    assert_eq!(
        first[0].0,
        end + 1,
        "nothing is left out and nothing comes twice"
    );
    again = stream("/v1/events/stream?type=worker_registered");
    let mut live = again.send().await.expect("the server answers");
    server.register("w3").await;
    assert_eq!(heard(&mut live, 1).await[0].1, "worker_registered");
    let wrong = stream("/v1/events/stream").header("Last-Event-ID", "x");
    let wrong = Seen::of(wrong).await;
    assert!(wrong.is(400, "invalid_parameter"), "{wrong:?}");
}

#[tokio::test]
async fn events_are_told_as_cloud_events() {
    let server = Server::start().await;
    let path = "/v1/miners/register";
    let joined = server.post(path, Who::Nobody, &manifest("w1")).await;
    let path = format!(
        "/v1/events?format=cloudevents&type=worker_registered&min_position={}",
        joined.position()
    );
    let seen = server.get(&path, Who::Auditor).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.body["specversion"], "1.0");
    assert_eq!(seen.body["type"], "purser.worker_registered");
    assert_eq!(seen.body["subject"], "w1");
    assert!(
        seen.body["id"]
            .as_str()
            .is_some_and(|id| id.parse::<u64>().is_ok())
    );
    assert_eq!(seen.body["data"]["worker"], "w1", "{seen:?}");
}
