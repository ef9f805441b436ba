//! Probes of the regions that workers claim, by the real program.

use std::fs;
use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::run::{dir, run};
use crate::serve::Serving;
use crate::traffic::{Asking, manifest};

fn configure(dir: &Path, text: &str) {
    fs::write(dir.join("purser.toml"), text).expect("the file can be written");
}

/// Beats, and sends back each nonce that follows; answers the last position.
async fn echo(server: &Serving, token: &str) -> Value {
    let client = purser::client::Client::new(&server.url, None).expect("a client");
    let query = [("session_token", token)];
    let ask = purser::client::Ask {
        path: "/v1/miners/heartbeat",
        query: &query,
    };
    let mut socket = client.socket(ask).await.expect("the connection is opened");
    let mut position = Value::Null;
    for ts in 1..=6 {
        let beat = json!({"ts": ts, "queue_len": 0}).to_string();
        socket.send(Message::text(beat)).await.expect("it is sent");
        let answer = socket.next().await.expect("a frame").expect("a frame");
        let answer: Value =
            serde_json::from_str(answer.to_text().expect("text")).expect("an answer");
        position = answer["position"].clone();
        if ts < 6 {
            let ping = socket.next().await.expect("a frame").expect("a frame");
            assert!(ping.is_ping(), "{ping:?}");
            socket.flush().await.expect("the pong goes out");
        }
    }
    position
}

#[test]
fn a_server_that_knows_where_it_stands_verifies_workers() {
    let dir = dir();
    let dir = dir.path();
    configure(
        dir,
        "probe_region = 'eu-west'\nprobe_distances_km = ['us=5000']\nbeat_rate = 'off'\n",
    );
    let server = Serving::start(dir, &[]);
    let (asking, auditor) = (Asking::new(), server.key(dir, "auditor"));
    let get = |path: &str| {
        let url = format!("{}{path}", server.url);
        let told = asking.ask(|client| client.get(url).bearer_auth(&auditor));
        told.expect("the server answers")
    };
    for (id, region, status) in [
        ("near", "eu", "verified"),
        ("liar", "us-east", "contradicted"),
    ] {
        let mut body = manifest(id);
        body["region"] = region.into();
        let register = format!("{}/v1/miners/register", server.url);
        let joined = asking.ask(|client| client.post(register).json(&body));
        let joined = joined.expect("the server answers").body;
        get(&format!("/v1/policy?min_position={}", joined["position"]));
        let token = joined["session_token"].as_str().expect("a token");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let position = runtime.block_on(echo(&server, token));
        let shown = get(&format!("/v1/miners/{id}?min_position={position}"));
        assert_eq!(shown.body["region_status"], status, "{shown:?}");
    }
    assert_eq!(server.end(Signal::TERM), Some(0));
    let events = run(dir, &["events", "--data", "p", "--type", "region_probed"]);
    assert_eq!(
        events.out.lines().count(),
        2,
        "{}{}",
        events.out,
        events.err
    );
    let rebuilt = run(dir, &["rebuild", "--data", "p"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.err);
}

#[test]
fn where_a_server_stands_is_shown_and_checked() {
    let dir = dir();
    let dir = dir.path();
    let check = |text: &str| {
        configure(dir, text);
        run(dir, &["serve", "--check"])
    };
    let shown = check("probe_region = 'eu-west'\nprobe_distances_km = ['us-west=8000', 'us=5000']");
    assert_eq!(shown.code, 0, "{}", shown.err);
    for line in [
        "probe_region = \"eu-west\"",
        "\"us=5000\"",
        "\"us-west=8000\"",
    ] {
        assert!(shown.out.contains(line), "{line} is not in {}", shown.out);
    }
    let off = check("");
    assert!(off.out.contains("probe_region = \"\""), "{}", off.out);
    for (text, words) in [
        ("probe_region = 'eu west'", "segments between dashes"),
        ("probe_distances_km = ['us']", "region=kilometres"),
        ("probe_distances_km = ['us=0']", "1 to 20040"),
        ("probe_distances_km = ['us=1', 'us=2']", "twice"),
        ("probe_distances_km = ['us=5000']", "needs probe_region"),
        (
            "probe_region = 'eu-west'\nprobe_distances_km = ['us=5000', 'eu=300']",
            "holds eu, which probe_region is in",
        ),
        (
            "probe_region = 'eu-west'\nprobe_distances_km = ['eu-west=300']",
            "holds eu-west, which probe_region is in",
        ),
    ] {
        let refused = check(text);
        assert_eq!(refused.code, 2, "{text}: {}", refused.err);
        assert!(refused.err.contains(words), "{text}: {}", refused.err);
    }
}
