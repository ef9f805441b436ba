//! TLS between the server and everybody else: through the real program, with made-up authorities.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use purser::tls::{ClientFiles, client};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustix::process::Signal;
use serde_json::json;

use crate::run::{dir, run};
use crate::serve::Serving;
use crate::traffic::{Asking, manifest};

/// An authority, and the directory that its files go to.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: PathBuf,
}

/// Until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Good {
    Now,
    LongAgo,
}

impl Authority {
    /// Makes one, and writes its certificate to `NAME.pem`.
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        fs::write(dir.join(format!("{name}.pem")), issuer.pem()).expect("it is written");
        let dir = dir.to_owned();
        Self { issuer, dir }
    }

    /// Writes a certificate for these names to `NAME.pem`, and its key to `NAME.key`.
    pub(crate) fn issue(&self, name: &str, names: &[&str], good: Good) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = match good {
            Good::Now => date_time_ymd(2101, 1, 1),
            Good::LongAgo => date_time_ymd(2002, 1, 1),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        // The key first: a server that looks in between finds a pair that does not fit, and waits.
        fs::write(self.dir.join(format!("{name}.key")), key.serialize_pem()).expect("written");
        fs::write(self.dir.join(format!("{name}.pem")), certificate.pem()).expect("written");
    }
}

/// A client that trusts `ca.pem`, with the certificate of that name.
pub(crate) fn asking(dir: &Path, ca: &str, certificate: Option<&str>) -> Asking {
    let file = |name: &str, ending: &str| Some(dir.join(format!("{name}.{ending}")));
    let files = ClientFiles {
        ca: file(ca, "pem"),
        certificate: certificate.and_then(|name| file(name, "pem")),
        key: certificate.and_then(|name| file(name, "key")),
    };
    let config = client(&files).expect("the files can be used");
    Asking::with(reqwest::Client::builder().tls_backend_preconfigured(config))
}

const SERVER: &str = "tls_certificate = 'server.pem'\ntls_key = 'server.key'\n";

fn serve(dir: &Path, more: &str) -> Serving {
    fs::write(dir.join("purser.toml"), format!("{SERVER}{more}")).expect("the file is written");
    let server = Serving::start(dir, &[]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    server
}

fn fees(dir: &Path, server: &Serving, more: &[&str]) -> (i32, String) {
    let args = ["fees", "--json", "--url", &server.url, "--data", "p"];
    let ended = run(dir, &[&args[..], more].concat());
    (ended.code, ended.err)
}

#[test]
fn a_server_is_trusted_by_its_authority_and_its_date() {
    let dir = dir();
    let dir = dir.path();
    let (ca, _) = (Authority::new(dir, "ca"), Authority::new(dir, "other"));
    ca.issue("server", &["127.0.0.1"], Good::Now);
    let server = serve(dir, "");
    assert_eq!(fees(dir, &server, &["--ca", "ca.pem"]), (0, String::new()));
    for trusted in [&["--ca", "other.pem"][..], &[]] {
        let (code, told) = fees(dir, &server, trusted);
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("certificate"), "{told}");
    }
    let plain = server.url.replace("https", "http");
    let told = run(dir, &["fees", "--url", &plain, "--data", "p"]);
    assert_eq!(told.code, 3, "no plain request is answered");
    let (code, told) = fees(dir, &server, &["--ca", "missing.pem"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("missing.pem"), "{told}");
    assert_eq!(server.end(Signal::TERM), Some(0));
    for (names, good) in [
        ("127.0.0.1", Good::LongAgo),
        ("elsewhere.example", Good::Now),
    ] {
        ca.issue("server", &[names], good);
        let server = serve(dir, "");
        let (code, told) = fees(dir, &server, &["--ca", "ca.pem"]);
        assert_eq!(code, 3, "{names} {good:?}: {told}");
        assert_eq!(server.end(Signal::TERM), Some(0));
    }
}

/// Waits, for a bounded time, until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_new_certificate_is_taken_up_while_connections_go_on() {
    let dir = dir();
    let dir = dir.path();
    let (first, second) = (Authority::new(dir, "first"), Authority::new(dir, "second"));
    first.issue("server", &["127.0.0.1"], Good::Now);
    let server = serve(dir, "");
    let health = format!("{}/v1/health", server.url);
    let health = |asking: &Asking| asking.ask(|client| client.get(&health)).is_ok();
    let held = asking(dir, "first", None);
    assert!(health(&held), "the first certificate is shown");
    // By a signal.
    second.issue("server", &["127.0.0.1"], Good::Now);
    server.signal(Signal::HUP);
    until("the second certificate is shown", || {
        health(&asking(dir, "second", None))
    });
    assert!(
        !health(&asking(dir, "first", None)),
        "new connections see the second one only"
    );
    assert!(health(&held), "the connection of before goes on");
    // What cannot be used changes nothing.
    fs::write(dir.join("server.pem"), "no certificate").expect("it is written");
    server.signal(Signal::HUP);
    for _ in 0..20 {
        assert!(
            health(&asking(dir, "second", None)),
            "the last good one stays in force"
        );
    }
    // By the change of the files alone.
    first.issue("server", &["127.0.0.1"], Good::Now);
    until("the third certificate is shown", || {
        health(&asking(dir, "first", None))
    });
    assert!(health(&held), "the connection of before still goes on");
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn roles_that_need_a_certificate_are_nothing_without_theirs() {
    let dir = dir();
    let dir = dir.path();
    let (ca, clients) = (Authority::new(dir, "ca"), Authority::new(dir, "clients"));
    ca.issue("server", &["127.0.0.1"], Good::Now);
    clients.issue("coordinator", &["coordinator.purser"], Good::Now);
    clients.issue("worker", &["worker.purser"], Good::Now);
    clients.issue("expired", &["coordinator.purser"], Good::LongAgo);
    Authority::new(dir, "strangers").issue("stranger", &["coordinator.purser"], Good::Now);
    let more = "tls_client_ca = 'clients.pem'\ntls_client_roles = ['coordinator', 'worker']\n";
    let server = serve(dir, more);
    let url = format!("{}/v1/workers/fees", server.url);
    let fees = |role: &str, certificate: Option<&str>| {
        let key = server.key(dir, role);
        let told = asking(dir, "ca", certificate).ask(|client| client.get(&url).bearer_auth(key));
        told.map(|told| {
            (
                told.status,
                told.body["code"].as_str().unwrap_or("").to_owned(),
            )
        })
    };
    let fine = (200, String::new());
    let needed = (403, String::from("certificate_required"));
    assert_eq!(
        fees("coordinator", Some("coordinator")).ok(),
        Some(fine.clone())
    );
    assert_eq!(fees("coordinator", None).ok(), Some(needed.clone()));
    assert_eq!(fees("coordinator", Some("worker")).ok(), Some(needed));
    assert_eq!(fees("auditor", None).ok(), Some(fine));
    for refused in ["expired", "stranger"] {
        assert!(fees("coordinator", Some(refused)).is_err(), "{refused}");
    }
    let register = |certificate: Option<&str>| {
        let url = format!("{}/v1/miners/register", server.url);
        let told = asking(dir, "ca", certificate);
        let told = told.ask(|client| client.post(&url).json(&manifest("w")));
        told.expect("the server answers").status
    };
    assert_eq!(register(None), 403);
    assert_eq!(register(Some("coordinator")), 403);
    assert_eq!(register(Some("worker")), 201);
    let cli = [
        "--ca",
        "ca.pem",
        "--cert",
        "coordinator.pem",
        "--cert-key",
        "coordinator.key",
    ];
    let key = server.key(dir, "coordinator");
    let ended = run(
        dir,
        &[&["fees", "--url", &server.url, "--key", &key][..], &cli].concat(),
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn where_no_role_is_named_every_connection_needs_a_certificate() {
    let dir = dir();
    let dir = dir.path();
    let ca = Authority::new(dir, "ca");
    ca.issue("server", &["127.0.0.1"], Good::Now);
    ca.issue("anybody", &["anybody.example"], Good::Now);
    let server = serve(dir, "tls_client_ca = 'ca.pem'\n");
    let health = format!("{}/v1/health", server.url);
    let ask = |certificate| asking(dir, "ca", certificate).ask(|client| client.get(&health));
    assert!(ask(None).is_err());
    assert_eq!(ask(Some("anybody")).expect("it is answered").status, 200);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn workers_beat_on_a_websocket_through_tls() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let dir = dir();
    let dir = dir.path();
    Authority::new(dir, "ca").issue("server", &["127.0.0.1"], Good::Now);
    let server = serve(dir, "");
    let asking = asking(dir, "ca", None);
    let register = format!("{}/v1/miners/register", server.url);
    let session = asking.ask(|client| client.post(register).json(&manifest("w")));
    let session = session.expect("the server answers").body;
    let token = session["session_token"].as_str().expect("a token");
    let files = ClientFiles {
        ca: Some(dir.join("ca.pem")),
        ..ClientFiles::default()
    };
    let client = purser::client::Client::with_tls(&server.url, None, &files).expect("a client");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let query = [("session_token", token)];
        let ask = purser::client::Ask {
            path: "/v1/miners/heartbeat",
            query: &query,
        };
        let mut socket = client.socket(ask).await.expect("the connection is opened");
        let beat = json!({"ts": 1_000, "queue_len": 3}).to_string();
        socket.send(Message::text(beat)).await.expect("it is sent");
        let answer = socket.next().await.expect("an answer").expect("an answer");
        assert!(
            answer.to_text().expect("text").contains("\"position\""),
            "{answer}"
        );
    });
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn half_of_a_pair_and_unreadable_files_are_told_before_anything_is_made() {
    let dir = dir();
    let dir = dir.path();
    Authority::new(dir, "ca").issue("server", &["127.0.0.1"], Good::Now);
    Authority::new(dir, "ca2").issue("second", &["127.0.0.1"], Good::Now);
    for (file, word) in [
        ("tls_certificate = 'server.pem'\n", "tls_key"),
        ("tls_key = 'server.key'\n", "tls_certificate"),
        ("tls_client_ca = 'ca.pem'\n", "tls_certificate"),
        ("tls_client_roles = ['worker']\n", "tls_client_ca"),
        (
            "tls_certificate = 'server.pem'\ntls_key = 'second.key'\n",
            "server.pem",
        ),
        (
            "tls_certificate = 'gone.pem'\ntls_key = 'server.key'\n",
            "gone.pem",
        ),
    ] {
        fs::write(dir.join("purser.toml"), file).expect("the file is written");
        let ended = run(dir, &["serve", "--data", "q", "--bind", "127.0.0.1:0"]);
        assert_eq!(ended.code, 2, "{file}: {}", ended.err);
        assert!(ended.err.contains(word), "{file}: {}", ended.err);
        assert!(!dir.join("q").exists());
    }
}
