//! The files of `docs/operations/`, tried for real. `./check` installs what they need.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::dir;
use crate::serve::Serving;
use crate::tls::{Authority, Good, asking};

/// The text of an example.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations");
    fs::read_to_string(path.join(name)).expect("the example is there")
}

/// Puts what is here in the place of what an example names, which must name it.
fn put(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the example names {from}");
        text.replace(from, to)
    })
}

/// A program of the system, wherever it is.
fn program(name: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin"];
    let found = places.iter().map(|place| Path::new(place).join(name));
    let mut found = found.filter(|path| path.exists());
    let missing = || panic!("{name} is not installed; ./check installs it");
    found.next().unwrap_or_else(missing)
}

#[test]
fn systemd_takes_the_unit() {
    let dir = dir();
    let program_path = env!("CARGO_BIN_EXE_purser");
    let unit = put(
        &example("purser.service"),
        &[("/usr/local/bin/purser", program_path)],
    );
    let path = dir.path().join("purser.service");
    fs::write(&path, unit).expect("the unit is written");
    let verified = Command::new(program("systemd-analyze"))
        .args(["verify", "--man=no"])
        .arg(&path)
        .output()
        .expect("systemd-analyze runs");
    let told = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && told.is_empty(), "{told}");
    fs::write(&path, "[Service]\nExecStart=nowhere\n").expect("the unit is written");
    let verified = Command::new(program("systemd-analyze"))
        .args(["verify", "--man=no"])
        .arg(&path)
        .status();
    assert!(
        !verified.expect("systemd-analyze runs").success(),
        "a bad unit is found"
    );
}

/// nginx, until it is dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked in order, it ends its own processes too; it may be gone already.
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        let _ = self.0.wait();
    }
}

fn nginx(dir: &Path) -> Command {
    let mut command = Command::new(program("nginx"));
    let own = dir.join("nginx.conf");
    command
        .arg("-p")
        .arg(dir)
        .arg("-e")
        .arg(dir.join("error.log"));
    command.arg("-c").arg(own);
    command
}

#[test]
fn nginx_takes_its_example_and_passes_requests_on() {
    let dir = dir();
    let dir = dir.path();
    Authority::new(dir, "ca").issue("server", &["127.0.0.1"], Good::Now);
    let file = "trusted_proxies = ['127.0.0.1']\ncoordinator_networks = ['192.0.2.0/24']\n";
    fs::write(dir.join("purser.toml"), file).expect("the file is written");
    let server = Serving::start(dir, &[]);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let front = port.local_addr().expect("it is bound").to_string();
    drop(port);
    let within = |name: &str| dir.join(name).display().to_string();
    let config = put(
        &example("nginx.conf"),
        &[
            (
                "127.0.0.1:8203;",
                &format!("{};", server.url.trim_start_matches("http://")),
            ),
            ("listen 443 ssl", &format!("listen {front} ssl")),
            ("/etc/purser/tls/server.pem", &within("server.pem")),
            ("/etc/purser/tls/server.key", &within("server.key")),
            ("/run/nginx.pid", &within("nginx.pid")),
            ("/var/log/nginx/error.log", &within("error.log")),
            ("/var/log/nginx/access.log", &within("access.log")),
            ("worker_processes auto", "daemon off;\nworker_processes 1"),
            ("worker_rlimit_nofile 65536", "worker_rlimit_nofile 1024"),
            ("worker_connections 32768", "worker_connections 512"),
        ],
    );
    fs::write(dir.join("nginx.conf"), config).expect("the file is written");
    let tested = nginx(dir).arg("-t").output().expect("nginx runs");
    let told = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{told}");
    let _nginx = Nginx(nginx(dir).spawn().expect("nginx starts"));
    listening(&front);
    let asking = asking(dir, "ca", None);
    let ask = |path: &str, key: Option<String>| {
        let url = format!("https://{front}{path}");
        let told = asking.ask(|client| match key {
            Some(key) => client.get(url).bearer_auth(key),
            None => client.get(url),
        });
        told.expect("nginx answers")
    };
    let health = ask("/v1/health", None);
    assert_eq!(
        (health.status, health.body["status"].as_str()),
        (200, Some("ok"))
    );
    let refused = ask("/v1/workers/fees", Some(server.key(dir, "coordinator")));
    assert_eq!(
        refused.body["code"], "address_not_allowed",
        "nginx names the caller"
    );
    let denied = ask("/v1/match", Some(server.key(dir, "coordinator")));
    assert_eq!(
        (denied.status, denied.body.is_null()),
        (403, true),
        "nginx itself denies"
    );
    websocket(dir, &server, &front);
    assert_eq!(server.end(Signal::TERM), Some(0));
    let log = fs::read_to_string(dir.join("access.log")).expect("requests are logged");
    assert!(
        log.contains("GET /v1/miners/heartbeat") && !log.contains("session_token"),
        "{log}"
    );
}

/// Waits until somebody listens there.
fn listening(address: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "nginx listens");
        std::thread::yield_now();
    }
}

/// A worker beats through nginx: its frames go both ways.
fn websocket(dir: &Path, server: &Serving, front: &str) {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let asking = crate::traffic::Asking::new();
    let register = format!("{}/v1/miners/register", server.url);
    let manifest = crate::traffic::manifest("w");
    let session = asking.ask(|client| client.post(register).json(&manifest));
    let session = session.expect("the server answers").body;
    let token = session["session_token"].as_str().expect("a token");
    let files = purser::tls::ClientFiles {
        ca: Some(dir.join("ca.pem")),
        ..purser::tls::ClientFiles::default()
    };
    let url = format!("https://{front}");
    let client = purser::client::Client::with_tls(&url, None, &files).expect("a client");
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            let query = [("session_token", token)];
            let ask = purser::client::Ask {
                path: "/v1/miners/heartbeat",
                query: &query,
            };
            let mut socket = client.socket(ask).await.expect("the connection is opened");
            let beat = Message::text(r#"{"ts": 1000, "queue_len": 1}"#);
            socket.send(beat).await.expect("it is sent");
            let answer = socket.next().await.expect("an answer").expect("an answer");
            assert!(
                answer.to_text().expect("text").contains("position"),
                "{answer}"
            );
        });
}
