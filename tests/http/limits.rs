//! Sizes, times and counts.

use std::time::Duration;

use purser::http::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Seen, Server, Start, Who};

async fn started(settings: Settings) -> Server {
    Server::with(Start {
        settings,
        ..Start::default()
    })
    .await
}

async fn connect(server: &Server) -> TcpStream {
    let address = server
        .base
        .strip_prefix("http://")
        .expect("the base is an address");
    TcpStream::connect(address)
        .await
        .expect("the server listens")
}

/// Sends raw bytes and reads until the server closes.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(bytes).await.expect("the bytes go out");
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_is_announced() {
    let server = started(Settings {
        body_bytes_max: 1_000,
        ..Settings::default()
    })
    .await;
    let long = "x".repeat(1_001);
    let request = server
        .request(Method::POST, "/v1/policy", Who::Operator)
        .body(long.clone());
    let seen = Seen::of(request).await;
    assert!(seen.is(413, "body_too_large"), "{seen:?}");
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(long)]);
    let body = reqwest::Body::wrap_stream(stream);
    let request = server
        .request(Method::POST, "/v1/miners/register", Who::Nobody)
        .body(body);
    let seen = Seen::of(request.header("content-type", "application/json")).await;
    assert!(seen.is(413, "body_too_large"), "{seen:?}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_ends_in_408() {
    let short = Duration::from_millis(50);
    let server = started(Settings {
        body_read_timeout: short,
        ..Settings::default()
    })
    .await;
    let head = "POST /v1/miners/register HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    let mut stream = connect(&server).await;
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the bytes go out");
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.expect("the server answers");
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_in_a_problem() {
    let short = Duration::from_millis(50);
    let server = started(Settings {
        header_read_timeout: short,
        ..Settings::default()
    })
    .await;
    let answer = raw(&server, b"GET /v1/health HTTP/1.1\r\nhost").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"header_timeout\""), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let short = Duration::from_millis(50);
    let settings = Settings {
        header_read_timeout: short,
        ..Settings::default()
    };
    let server = started(settings).await;
    assert_eq!(raw(&server, b"").await, "");
}

#[tokio::test]
async fn what_is_no_http_is_closed_and_the_server_goes_on() {
    let server = Server::start().await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    let table: [(&[u8], &str); 4] = [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", ""),
        (b"GET\r\n\r\n", "HTTP/1.1 400"),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", "HTTP/1.1 400"),
        (long.as_bytes(), "HTTP/1.1 4"),
    ];
    for (bytes, begin) in table {
        let answer = raw(&server, bytes).await;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        assert!(answer.starts_with(begin), "{shown}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 2"), "{shown}: {answer}");
    }
    assert_eq!(server.get("/v1/health", Who::Nobody).await.status, 200);
}

#[tokio::test]
async fn over_the_cap_a_connection_waits_until_another_ends() {
    let server = started(Settings {
        connections_max: 1,
        ..Settings::default()
    })
    .await;
    let mut first = connect(&server).await;
    let ask = b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    first.write_all(ask).await.expect("the bytes go out");
    let mut byte = [0; 1];
    first
        .read_exact(&mut byte)
        .await
        .expect("the first is served");
    let mut second = connect(&server).await;
    second.write_all(ask).await.expect("the bytes go out");
    let early = tokio::time::timeout(Duration::from_millis(50), second.read_exact(&mut byte)).await;
    assert!(early.is_err(), "the second waits");
    drop(first);
    second
        .read_exact(&mut byte)
        .await
        .expect("the second is served now");
}

#[tokio::test]
async fn the_server_ends_in_order_when_told_to() {
    let server = Server::start().await;
    assert_eq!(server.get("/v1/health", Who::Nobody).await.status, 200);
    server.stop.send_replace(true);
    server
        .ended
        .await
        .expect("it ends, although a connection is idle");
    assert!(
        TcpStream::connect(server.base.strip_prefix("http://").expect("an address"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn over_the_cap_an_export_is_refused_with_a_time_to_come_back() {
    let server = started(Settings {
        streams_max: 0,
        ..Settings::default()
    })
    .await;
    for path in ["/v1/events", "/v1/intake/report"] {
        let seen = server.get(path, Who::Auditor).await;
        assert!(seen.is(503, "too_many_streams"), "{path}: {seen:?}");
    }
    assert_eq!(server.get("/v1/health", Who::Nobody).await.status, 200);
}

/// More than the sockets between the two sides hold.
const BATCHES: usize = 10;

#[tokio::test]
async fn a_reader_that_stalls_is_cut_off_and_makes_room() {
    let settings = Settings {
        streams_max: 1,
        stream_stall_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let server = started(settings).await;
    server.register("w1").await;
    let beat = json!({"beat": {"miner_id": "w1", "queue_len": 1, "avg_latency_ms": 1_000}});
    let batch = Value::Array(vec![beat; 8_192]);
    for _ in 0..BATCHES {
        let seen = server.post("/v1/commands", Who::Coordinator, &batch).await;
        assert_eq!(seen.status, 200);
    }
    let end = server.get("/v1/status", Who::Operator).await.position();
    let reached = format!("/v1/health?min_position={end}");
    assert_eq!(server.get(&reached, Who::Nobody).await.status, 200);
    let key = server.key(Who::Auditor).expect("auditors have keys");
    let mut stalled = connect(&server).await;
    let ask = format!("GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
    stalled
        .write_all(ask.as_bytes())
        .await
        .expect("the bytes go out");
    stalled
        .read_exact(&mut [0; 15])
        .await
        .expect("the export begins");
    let path = format!("/v1/events?from={end}");
    let makes_room = async {
        while server.get(&path, Who::Auditor).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, makes_room)
        .await
        .expect("room is made in time");
    let mut rest = Vec::new();
    // However the connection ends, what arrived is not whole.
    let _ = stalled.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the body is broken off");
}
