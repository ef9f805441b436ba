//! How much may come, and from where: through the real program.

use std::fs;

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::run::dir;
use crate::serve::Serving;

/// Sends requests and reads their answers, one after the other.
pub(crate) struct Asking {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

/// An answer: status, seconds to wait, body.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) retry_after_sec: Option<u64>,
    pub(crate) body: Value,
}

impl Asking {
    pub(crate) fn new() -> Self {
        purser::tls::use_ring();
        Self::with(reqwest::Client::builder())
    }

    pub(crate) fn with(client: reqwest::ClientBuilder) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let client = client.build().expect("a client");
        Self { runtime, client }
    }

    pub(crate) fn text(
        &self,
        of: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<String, reqwest::Error> {
        self.runtime
            .block_on(async { of(&self.client).send().await?.text().await })
    }

    pub(crate) fn ask(
        &self,
        of: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Told, reqwest::Error> {
        self.runtime.block_on(async {
            let answer = of(&self.client).send().await?;
            let status: StatusCode = answer.status();
            let retry = answer.headers().get("retry-after");
            let retry = retry.map(|value| value.to_str().expect("digits").parse());
            let body = answer.text().await?;
            Ok(Told {
                status: status.as_u16(),
                retry_after_sec: retry.map(|seconds| seconds.expect("digits")),
                body: serde_json::from_str(&body).unwrap_or(Value::Null),
            })
        })
    }
}

pub(crate) fn manifest(id: &str) -> Value {
    json!({
        "miner_id": id, "api_key": format!("key of {id}"), "addr": "10.0.0.1:9000",
        "proto": "grpc", "gpu_vram": 24, "gpu_name": "RTX 4090", "cpu_cores": 8, "ram_gb": 32,
        "price_token_per_ksec": "0.5", "max_parallel": 2, "tags": [], "capabilities": [],
    })
}

#[test]
fn newcomers_are_admitted_so_often_unless_a_coordinator_vouches_for_them() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let url = format!("{}/v1/miners/register", server.url);
    let (asking, key) = (Asking::new(), server.key(dir.path(), "coordinator"));
    let register = |id: usize, key: Option<&str>| {
        let told = asking.ask(|client| {
            let request = client.post(&url).json(&manifest(&format!("w{id}")));
            match key {
                Some(key) => request.header("x-coordinator-secret", key),
                None => request,
            }
        });
        told.expect("the server answers")
    };
    for id in 0..5 {
        assert_eq!(register(id, None).status, 201);
    }
    let refused = register(5, None);
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(refused.body["code"], "rate_limited");
    let wait = refused.retry_after_sec.expect("a time to come back");
    assert!((1..=12).contains(&wait), "{wait}");
    assert_eq!(refused.body["retry_after_sec"], wait);
    assert_eq!(register(5, Some("not a key")).status, 429);
    for id in 5..30 {
        assert_eq!(register(id, Some(&key)).status, 201);
    }
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn a_worker_beats_so_often() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let asking = Asking::new();
    let register = format!("{}/v1/miners/register", server.url);
    let session = asking.ask(|client| client.post(register).json(&manifest("w")));
    let session = session.expect("the server answers").body;
    let token = session["session_token"].as_str().expect("a token");
    let url = format!("{}/v1/miners/heartbeat", server.url);
    let beat = |ts: u64| {
        let body = json!({"ts": ts, "queue_len": 1});
        let told = asking.ask(|client| client.post(&url).bearer_auth(token).json(&body));
        told.expect("the server answers")
    };
    for ts in 1..=3 {
        assert_eq!(beat(ts).status, 200);
    }
    let refused = beat(4);
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (429, Some("rate_limited"))
    );
    let wait = refused.retry_after_sec.expect("a time to come back");
    assert!((1..=5).contains(&wait), "{wait}");
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn coordinators_ask_from_their_networks_only() {
    let dir = dir();
    let file = "coordinator_networks = ['192.0.2.0/24']\ntrusted_proxies = ['127.0.0.1']\n";
    fs::write(dir.path().join("purser.toml"), file).expect("the file is written");
    let server = Serving::start(dir.path(), &[]);
    let asking = Asking::new();
    let url = format!("{}/v1/workers/fees", server.url);
    let fees = |role: &str, forwarded: Option<&str>| {
        let key = server.key(dir.path(), role);
        let told = asking.ask(|client| {
            let request = client.get(&url).bearer_auth(key);
            match forwarded {
                Some(line) => request.header("x-forwarded-for", line),
                None => request,
            }
        });
        told.expect("the server answers")
    };
    for (forwarded, status) in [
        (None, 403),
        (Some("198.51.100.1"), 403),
        (Some("192.0.2.9, 198.51.100.1"), 403),
        (Some("192.0.2.9, unknown"), 403),
        (Some("192.0.2.9"), 200),
        (Some("198.51.100.1, 192.0.2.9"), 200),
    ] {
        let told = fees("coordinator", forwarded);
        assert_eq!(told.status, status, "{forwarded:?}: {told:?}");
        if status == 403 {
            assert_eq!(told.body["code"], "address_not_allowed");
        }
        assert_eq!(fees("auditor", forwarded).status, 200);
    }
    assert_eq!(server.end(Signal::TERM), Some(0));
    let file = "coordinator_networks = ['192.0.2.0/24']\n";
    fs::write(dir.path().join("purser.toml"), file).expect("the file is written");
    let server = Serving::start(dir.path(), &[]);
    let url = format!("{}/v1/workers/fees", server.url);
    let key = server.key(dir.path(), "coordinator");
    let told = asking.ask(|client| {
        let request = client.get(url).bearer_auth(key);
        request.header("x-forwarded-for", "192.0.2.9")
    });
    let told = told.expect("the server answers");
    assert_eq!(
        told.status, 403,
        "without trusted proxies nobody is believed"
    );
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn one_address_holds_so_many_connections() {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    let dir = dir();
    fs::write(
        dir.path().join("purser.toml"),
        "connections_per_address_max = 2\n",
    )
    .expect("the file is written");
    let server = Serving::start(dir.path(), &[]);
    let address = server.url.trim_start_matches("http://");
    let ask = b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            stream.write_all(ask).expect("the request is sent");
            let mut begun = [0; 12];
            stream.read_exact(&mut begun).expect("an answer");
            assert_eq!(&begun, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let mut answer = String::new();
    let mut third = TcpStream::connect(address).expect("the server listens");
    third.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
    assert!(
        answer.ends_with('}') && answer.contains("too_many_connections"),
        "{answer}"
    );
    held.pop();
    // The end of the first is seen by the server some time after it was sent.
    let free = std::iter::repeat_with(|| {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        // A connection that is turned away may be gone before it is written to.
        let _ = stream.write_all(ask);
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).is_ok() && &begun == b"HTTP/1.1 200"
    });
    assert!(
        free.take(10_000).any(|served| served),
        "there is room again"
    );
    drop(held);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn a_coordinator_matches_so_often_and_another_one_is_untouched() {
    let dir = dir();
    fs::write(
        dir.path().join("purser.toml"),
        "coordinator_secret = 'another'\n",
    )
    .expect("the file is written");
    let server = Serving::start(dir.path(), &[]);
    let (asking, key) = (Asking::new(), server.key(dir.path(), "coordinator"));
    let url = format!("{}/v1/match", server.url);
    let ask = |key: &str| {
        let body = json!({"job_id": "j", "requirements": {}});
        let told = asking.ask(|client| client.post(&url).bearer_auth(key).json(&body));
        told.expect("the server answers")
    };
    // Whatever it makes of the question, a refused one is told apart by its status.
    let began = std::time::Instant::now();
    let told: Vec<Told> = (0..400).map(|_| ask(&key)).collect();
    let refilled = began.elapsed().as_millis() / 50 + 1;
    let admitted = told.iter().filter(|told| told.status != 429).count() as u128;
    assert!(
        (40..=40 + refilled).contains(&admitted),
        "{admitted}, {refilled} refilled"
    );
    let refused = told.iter().find(|told| told.status == 429);
    if let Some(refused) = refused {
        assert_eq!(refused.body["code"], "rate_limited");
        assert_eq!(refused.retry_after_sec, Some(1));
        assert_ne!(ask("another").status, 429);
    }
    assert_eq!(server.end(Signal::TERM), Some(0));
}
