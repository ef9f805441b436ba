//! Probes of regions that the server makes itself, over workers' WebSockets.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use purser::config::{Distances, Vantage};
use purser::http::Settings;
use purser_events::Label;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::matching::{find, ids, settle};
use crate::server::{Server, Who, changed, manifest};
use crate::sockets::{Socket, beat, started};

fn vantage(region: &str, distances: &[&str]) -> Option<Vantage> {
    let distances: Vec<String> = distances.iter().map(|one| (*one).to_owned()).collect();
    Some(Vantage {
        region: Label::new(region).expect("a region"),
        distances: Distances::try_from(distances).expect("distances"),
    })
}

/// A server that stands in a region; workers may beat as often as they like.
async fn standing_in(region: &str, distances: &[&str]) -> Server {
    started(Settings {
        vantage: vantage(region, distances),
        ..Settings::default()
    })
    .await
}

/// Registers `w1` with a claim, waits until reads know of it, and connects it.
async fn connect(server: &Server, region: Value) -> Socket {
    let body = changed(manifest("w1"), "region", region);
    let joined = server
        .post("/v1/miners/register", Who::Coordinator, &body)
        .await;
    assert!(joined.status < 300, "{joined:?}");
    settle(server, joined.position()).await;
    let token = joined.body["session_token"].as_str().expect("a token");
    Socket::open(server, token).await
}

impl Socket {
    /// The nonce of the next frame, which is a ping. It is sent back by the next flush, unless
    /// another pong is sent before that.
    async fn nonce(&mut self) -> Bytes {
        match self.0.next().await.expect("a frame").expect("a frame") {
            Message::Ping(nonce) => nonce,
            other => panic!("no ping: {other:?}"),
        }
    }

    /// Beats, and sends back the nonce that follows.
    async fn echo(&mut self, ts: u64) -> Bytes {
        assert!(self.ask(&beat(ts)).await["position"].is_u64());
        let nonce = self.nonce().await;
        self.0.flush().await.expect("the pong goes out");
        nonce
    }

    /// Beats, and finds that no frame stands between the answer and that of the beat before.
    async fn beat_unasked(&mut self, ts: u64) -> u64 {
        self.say(beat(ts).to_string()).await;
        let frame = self.0.next().await.expect("a frame").expect("a frame");
        let text = frame.to_text().expect("no ping came in between");
        let answer: Value = serde_json::from_str(text).expect("JSON");
        answer["position"].as_u64().expect("a position")
    }
}

/// What reads say of the worker once they have reached a position.
async fn status(server: &Server, position: u64) -> Value {
    settle(server, position).await;
    let shown = server.get("/v1/miners/w1", Who::Operator).await;
    shown.body["region_status"].clone()
}

async fn probes(server: &Server) -> Vec<Value> {
    let log = server
        .get("/v1/events?type=region_probed", Who::Auditor)
        .await;
    let lines = log.text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn a_worker_that_is_near_is_verified_and_matched_as_such() {
    let server = standing_in("eu-west-1", &["us=5000"]).await;
    let mut socket = connect(&server, json!("eu-west")).await;
    let mut nonces = Vec::new();
    for ts in 1..=5 {
        nonces.push(socket.echo(ts).await);
    }
    let position = socket.beat_unasked(6).await;
    assert_eq!(status(&server, position).await, "verified");
    assert!(nonces.iter().all(|nonce| nonce.len() == 8), "{nonces:?}");
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 5, "each is another");
    let wanted = json!({"job_id": "j", "hints": {"region": "eu", "region_trust": "verified"}});
    assert_eq!(ids(&find(&server, &wanted).await), ["w1"]);
    let found = probes(&server).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["actor"], "purser");
    let data = &found[0]["data"];
    assert_eq!(
        (&data["worker"], &data["probe"], &data["samples"]),
        (&json!("w1"), &json!("eu-west-1"), &json!(5))
    );
    assert!(data["rtt_us"].as_u64().expect("a time") <= 30_000, "{data}");
    assert_eq!(data["distance_km"], Value::Null, "{data}");
    for ts in 7..=9 {
        socket.beat_unasked(ts).await;
    }
    let mut socket = connect(&server, json!("eu-west")).await;
    for ts in 10..=12 {
        socket.beat_unasked(ts).await;
    }
}

#[tokio::test]
async fn a_worker_that_is_too_near_is_contradicted_and_a_further_claim_waits() {
    let server = standing_in("eu-west-1", &["us=5000", "us-west=8000"]).await;
    let mut socket = connect(&server, json!("us-west-2")).await;
    for ts in 1..=5 {
        socket.echo(ts).await;
    }
    let position = socket.beat_unasked(6).await;
    assert_eq!(status(&server, position).await, "contradicted");
    let wanted = json!({"job_id": "j", "hints": {"region": "us"}});
    let found = find(&server, &wanted).await;
    assert_eq!(found["rejected"], json!({"region_contradicted": 1}));
    let found = probes(&server).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["data"]["distance_km"], 8_000);
    assert_eq!(found[0]["data"]["finding"], "contradicted");
    // A new connection with a new claim: it is asked, and nothing more is written for ten minutes.
    let mut socket = connect(&server, json!("eu")).await;
    for ts in 11..=15 {
        socket.echo(ts).await;
    }
    let position = socket.beat_unasked(16).await;
    assert_eq!(status(&server, position).await, "claimed");
    assert_eq!(probes(&server).await.len(), 1);
}

#[tokio::test]
async fn whoever_sends_back_something_else_stays_where_it_was() {
    let server = standing_in("eu-west", &[]).await;
    let mut socket = connect(&server, json!("eu")).await;
    assert!(socket.ask(&beat(1)).await["position"].is_u64());
    let nonce = socket.nonce().await;
    // A pong that was not sent yet is replaced by the next one: the true one never goes out.
    for number in 0_u64..20 {
        socket
            .say(Message::Pong(number.to_be_bytes().to_vec().into()))
            .await;
    }
    socket.say(Message::Pong(Bytes::new())).await;
    socket.say(Message::Pong(vec![7; 125].into())).await;
    let mut position = 0;
    for ts in 2..=8 {
        position = socket.beat_unasked(ts).await;
    }
    assert_eq!(status(&server, position).await, "claimed");
    // The true one, five times over, is one way of five; then a further nonce is sent.
    for _ in 0..5 {
        socket.say(Message::Pong(nonce.clone())).await;
    }
    let further = socket.echo(9).await;
    assert_ne!(further, nonce);
    assert!(probes(&server).await.is_empty());
    let wanted = json!({"job_id": "j", "hints": {"region": "eu", "region_trust": "verified"}});
    let found = find(&server, &wanted).await;
    assert_eq!(found["rejected"], json!({"region_unverified": 1}));
}

#[tokio::test]
async fn only_a_claim_that_can_be_judged_from_here_is_probed() {
    let server = standing_in("eu-west", &["us=5000"]).await;
    for region in [
        Value::Null,
        json!("asia"),
        json!("eu-west-1"),
        json!("eu-w"),
    ] {
        let mut socket = connect(&server, region.clone()).await;
        for ts in 1..=7 {
            socket.beat_unasked(ts).await;
        }
    }
    assert!(probes(&server).await.is_empty());
    let server = Server::start().await;
    let mut socket = connect(&server, json!("eu-west")).await;
    for ts in 1..=7 {
        socket.beat_unasked(ts).await;
    }
    assert!(probes(&server).await.is_empty(), "it stands nowhere");
}

#[tokio::test]
async fn a_silent_worker_is_asked_as_ever_beside_probes() {
    let vantage = vantage("eu-west", &[]);
    let server = started(Settings {
        vantage,
        socket_idle_timeout: Duration::from_millis(600),
        ..Settings::default()
    })
    .await;
    let mut socket = connect(&server, json!("eu")).await;
    assert!(socket.ask(&beat(1)).await["position"].is_u64());
    assert_eq!(socket.nonce().await.len(), 8);
    for _ in 0..2 {
        assert!(socket.nonce().await.is_empty(), "it asks who is silent");
    }
    assert!(socket.ask(&beat(2)).await["position"].is_u64());
}

#[tokio::test]
async fn a_claim_that_is_given_up_meanwhile_ends_no_connection() {
    let server = standing_in("eu-west", &[]).await;
    let mut socket = connect(&server, json!("eu")).await;
    for ts in 1..=4 {
        socket.echo(ts).await;
    }
    assert!(socket.ask(&beat(5)).await["position"].is_u64());
    socket.nonce().await;
    let body = changed(manifest("w1"), "region", Value::Null);
    let joined = server
        .post("/v1/miners/register", Who::Coordinator, &body)
        .await;
    settle(&server, joined.position()).await;
    socket.0.flush().await.expect("the pong goes out");
    for ts in 6..=8 {
        socket.beat_unasked(ts).await;
    }
    assert!(probes(&server).await.is_empty());
}
