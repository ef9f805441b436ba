//! Workers on a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use purser::http::Settings;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::{Server, Start, Who};

/// A worker's end of a connection.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

fn url(server: &Server, query: &str) -> String {
    let base = server.base.replacen("http", "ws", 1);
    format!("{base}/v1/miners/heartbeat{query}")
}

impl Socket {
    pub(crate) async fn open(server: &Server, token: &str) -> Self {
        let opened = connect_async(url(server, &format!("?session_token={token}"))).await;
        Self(opened.expect("the connection is opened").0)
    }

    pub(crate) async fn say(&mut self, text: impl Into<Message>) {
        self.0.send(text.into()).await.expect("the frame goes out");
    }

    /// The next frame of text.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await.expect("a frame").expect("a frame") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) => {}
                other => panic!("no text: {other:?}"),
            }
        }
    }

    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.say(frame.to_string()).await;
        self.hear().await
    }

    /// The code and the reason of the end.
    pub(crate) async fn end(&mut self) -> (u16, String) {
        loop {
            match self.0.next().await.expect("an end is told") {
                Ok(Message::Close(Some(frame))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Ok(_) => {}
                Err(error) => panic!("no end was told: {error}"),
            }
        }
    }
}

pub(crate) async fn started(settings: Settings) -> Server {
    let start = Start {
        settings,
        ..Start::default()
    };
    Server::with(start).await
}

pub(crate) fn beat(ts: u64) -> Value {
    json!({"ts": ts, "queue_len": 3, "avg_latency_ms": 12.4})
}

#[tokio::test]
async fn a_beat_is_answered_with_the_position_that_made_it_durable() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let mut socket = Socket::open(&server, &token).await;
    let first = socket.ask(&beat(1_000)).await;
    let position = first["position"].as_u64().expect("a position");
    let second = socket.ask(&beat(2_000)).await;
    assert_eq!(second, json!({"position": position + 1, "replayed": false}));
    let repeated = socket.ask(&beat(2_000)).await;
    assert_eq!(repeated["position"], position + 1, "no event");
    let path = format!("/v1/miners/w1?min_position={position}");
    let seen = server.get(&path, Who::Operator).await;
    assert_eq!(seen.body["queue_len"], 3);
    assert_eq!(seen.body["avg_latency_ms"], 12);
    let mut keyed = beat(3_000);
    keyed["id"] = "once".into();
    let first = socket.ask(&keyed).await;
    let again = socket.ask(&keyed).await;
    assert_eq!(again["position"], first["position"]);
    assert_eq!(again["replayed"], true);
}

#[tokio::test]
async fn what_is_no_beat_is_refused_and_the_connection_goes_on() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let mut socket = Socket::open(&server, &token).await;
    for (frame, code) in [
        ("", "malformed_json"),
        ("7", "invalid_field"),
        ("[1,2]", "invalid_field"),
        ("{\"ts\":1}", "missing_field"),
        ("{\"queue_len\":1}", "missing_field"),
        ("{\"ts\":1,\"queue_len\":-1}", "out_of_range"),
        (
            "{\"ts\":1,\"queue_len\":1,\"miner_id\":\"w2\"}",
            "unknown_field",
        ),
        (
            "{\"ts\":1,\"queue_len\":1,\"session_token\":\"x\"}",
            "unknown_field",
        ),
        ("{\"ts\":1,\"queue_len\":1,\"dance\":1}", "unknown_field"),
        ("{\"instruction\":1}", "missing_field"),
        ("{\"instruction\":-1,\"accepted\":true}", "invalid_field"),
        (
            "{\"instruction\":1,\"accepted\":true}",
            "instruction_not_waiting",
        ),
    ] {
        socket.say(frame).await;
        let error = socket.hear().await["error"].clone();
        assert_eq!(error["code"], code, "{frame}: {error}");
        assert!(error["request_id"].is_string(), "{error}");
    }
    assert!(socket.ask(&beat(1_000)).await["position"].is_u64());
}

#[tokio::test]
async fn only_a_live_session_opens_a_connection() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let refused = async |query: &str| match connect_async(url(&server, query)).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(refused("").await, 401);
    assert_eq!(refused("?session_token=wk_x").await, 401);
    assert_eq!(refused("?dance=1").await, 400);
    let query = format!("?session_token={token}");
    let path = format!("/v1/miners/heartbeat{query}");
    let plain = server.get(&path, Who::Nobody).await;
    assert!(plain.is(426, "upgrade_required"), "{plain:?}");
    let out = format!("/v1/miners/logout{query}");
    let gone = server.post(&out, Who::Nobody, &json!({})).await;
    let position = gone.headers["purser-position"].to_str().expect("digits");
    let reached = format!("/v1/health?min_position={position}");
    assert_eq!(server.get(&reached, Who::Nobody).await.status, 200);
    assert_eq!(refused(&query).await, 401);
}

#[tokio::test]
async fn each_end_has_its_code() {
    let server = started(Settings {
        socket_frame_bytes_max: 200,
        ..Settings::default()
    })
    .await;
    let token = server.register("w1").await;
    let mut older = Socket::open(&server, &token).await;
    let mut socket = Socket::open(&server, &token).await;
    assert_eq!(older.end().await, (4_409, "replaced".into()));
    socket.say(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.end().await, (1_003, "not_text".into()));
    let mut socket = Socket::open(&server, &token).await;
    socket.say("x".repeat(201)).await;
    assert_eq!(socket.end().await, (1_009, "frame_too_long".into()));
    let mut socket = Socket::open(&server, &token).await;
    for _ in 0..17 {
        socket.say("{}").await;
    }
    assert_eq!(socket.end().await, (1_008, "too_many_refusals".into()));
    let mut socket = Socket::open(&server, &token).await;
    let out = format!("/v1/miners/logout?session_token={token}");
    assert_eq!(server.post(&out, Who::Nobody, &json!({})).await.status, 204);
    socket.say(beat(1_000).to_string()).await;
    assert_eq!(socket.end().await, (4_401, "session_ended".into()));
    let token = server.register("w1").await;
    let mut socket = Socket::open(&server, &token).await;
    assert!(socket.ask(&beat(2_000)).await["position"].is_u64());
    server.stop.send_replace(true);
    assert_eq!(socket.end().await, (1_001, "server_stops".into()));
    server.ended.await.expect("the server ends in order");
}

#[tokio::test]
async fn a_silent_worker_is_asked_and_then_left() {
    let server = started(Settings {
        socket_idle_timeout: Duration::from_millis(100),
        ..Settings::default()
    })
    .await;
    let token = server.register("w1").await;
    let mut socket = Socket::open(&server, &token).await;
    let asked = socket.0.next().await.expect("a frame").expect("a frame");
    assert!(asked.is_ping(), "{asked:?}");
    assert!(socket.ask(&beat(1_000)).await["position"].is_u64());
    // Reading on answers the question; only who does not read at all stays silent.
    let mut mute = TcpStream::connect(server.base.trim_start_matches("http://"))
        .await
        .expect("the server listens");
    let token = server.register("w2").await;
    let head = format!(
        "GET /v1/miners/heartbeat?session_token={token} HTTP/1.1\r\nhost: x\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    mute.write_all(head.as_bytes())
        .await
        .expect("the bytes go out");
    let mut heard = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut mute, &mut heard)
        .await
        .expect("the server closes");
    let end = b"\x88\x08\x11\x38silent";
    assert!(
        heard.ends_with(end),
        "{:?}",
        String::from_utf8_lossy(&heard)
    );
}

#[tokio::test]
async fn over_the_cap_a_connection_is_refused_until_another_ends() {
    let server = started(Settings {
        sockets_max: 1,
        connections_max: 2,
        ..Settings::default()
    })
    .await;
    let (first, second) = (server.register("w1").await, server.register("w2").await);
    let socket = Socket::open(&server, &first).await;
    let query = format!("?session_token={second}");
    let Err(Error::Http(answer)) = connect_async(url(&server, &query)).await else {
        panic!("the second is refused");
    };
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    drop(socket);
    let opened = async {
        while connect_async(url(&server, &query)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), opened)
        .await
        .expect("there is room again");
}

async fn instruct(server: &Server, body: &Value) -> Value {
    let seen = server
        .post("/v1/miners/w1/instructions", Who::Operator, body)
        .await;
    assert_eq!(seen.status, 200, "{seen:?}");
    seen.body
}

#[tokio::test]
async fn a_worker_is_told_what_is_asked_of_it_and_its_answer_changes_the_registry() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let cap = json!({"set_price_cap": {"price_token_per_ksec": "0.125"}});
    let before = instruct(&server, &cap).await;
    assert_eq!(before["connected"], false);
    let mut socket = Socket::open(&server, &token).await;
    let told = socket.hear().await;
    let expected = json!({
        "instruction": before["position"], "set_price_cap": {"price_token_per_ksec": "0.125000"},
    });
    assert_eq!(told, expected, "it is told when it connects");
    let tags = instruct(&server, &json!({"update_tags": {"tags": ["eu"]}})).await;
    assert_eq!(tags["connected"], true);
    let told = socket.hear().await;
    assert_eq!(
        told,
        json!({"instruction": tags["position"], "update_tags": {"tags": ["eu"]}})
    );
    let drain = instruct(&server, &json!({"drain": {"on": true}})).await;
    assert_eq!(socket.hear().await["drain"], json!({"on": true}));
    let asked = server.get("/v1/miners/w1/instructions", Who::Auditor).await;
    assert_eq!(asked.body["instructions"].as_array().map(Vec::len), Some(3));
    for (number, accepted) in [(&before, true), (&tags, true), (&drain, false)] {
        let answer = json!({"instruction": number["instruction"], "accepted": accepted});
        assert!(socket.ask(&answer).await["position"].is_u64());
        let again = socket.ask(&answer).await;
        assert_eq!(again["error"]["code"], "instruction_not_waiting");
    }
    let end = socket.ask(&beat(1_000)).await["position"].clone();
    let path = format!("/v1/miners/w1?min_position={end}");
    let worker = server.get(&path, Who::Operator).await.body;
    assert_eq!(worker["price_micro"], 125_000);
    assert_eq!(worker["tags"], json!(["eu"]));
    assert_eq!(worker["busy"], false, "what it refused changes nothing");
    let asked = server
        .get("/v1/miners/w1/instructions", Who::Coordinator)
        .await;
    assert_eq!(asked.body, json!({"instructions": [], "connected": true}));
}

#[tokio::test]
async fn instructions_are_refused_by_shape_role_and_name() {
    let server = Server::start().await;
    server.register("w1").await;
    let path = "/v1/miners/w1/instructions";
    let fine = json!({"drain": {"on": true}});
    for (body, code) in [
        (json!({}), "missing_field"),
        (json!({"dance": {}}), "unknown_field"),
        (json!({"drain": {}}), "missing_field"),
        (
            json!({"drain": {"on": true}, "update_tags": {"tags": []}}),
            "invalid_field",
        ),
        (
            json!({"set_price_cap": {"price_token_per_ksec": "-1"}}),
            "out_of_range",
        ),
        (
            json!({"update_tags": {"tags": vec!["x"; 65]}}),
            "out_of_range",
        ),
    ] {
        let seen = server.post(path, Who::Operator, &body).await;
        assert_eq!(seen.code(), code, "{body}: {seen:?}");
    }
    assert!(
        server
            .post(path, Who::Auditor, &fine)
            .await
            .is(403, "forbidden")
    );
    assert!(
        server
            .post(path, Who::Nobody, &fine)
            .await
            .is(401, "unauthenticated")
    );
    let nobody = "/v1/miners/nobody/instructions";
    assert!(
        server
            .post(nobody, Who::Coordinator, &fine)
            .await
            .is(404, "unknown_worker")
    );
    assert!(
        server
            .get(nobody, Who::Operator)
            .await
            .is(404, "unknown_worker")
    );
    let once = || {
        let request = server.request(reqwest::Method::POST, path, Who::Coordinator);
        request.header("idempotency-key", "once").json(&fine)
    };
    let first = crate::server::Seen::of(once()).await.body;
    let again = crate::server::Seen::of(once()).await.body;
    assert_eq!(
        (&again["instruction"], &again["replayed"]),
        (&first["instruction"], &json!(true))
    );
}
