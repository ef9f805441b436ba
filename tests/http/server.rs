//! A real server on a free port, and requests to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purser::http::{Settings, Surface, serve, surface};
use purser::keys::{self, Role};
use purser::log::{Log, RedbLog};
use purser::service::{self, Running};
use purser::tickets::Desk;
use purser::tickets::desk::{Compat, Rules};
use purser_commands::ticket::terms::Wanted;
use purser_events::Address;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    Stranger,
    Coordinator,
    Operator,
    Auditor,
}

impl Who {
    pub(crate) const KEYS: [Self; 3] = [Self::Coordinator, Self::Operator, Self::Auditor];
}

/// A server of one test.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) _running: Running,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) ended: tokio::task::JoinHandle<()>,
    client: Client,
    keys: [String; 3],
    _data: TempDir,
}

/// How a server is started.
pub(crate) struct Start {
    pub(crate) settings: Settings,
    pub(crate) test_clock: bool,
    /// Whom tickets pay; none are taken without.
    pub(crate) recipient: Option<&'static str>,
}

impl Default for Start {
    fn default() -> Self {
        let settings = Settings {
            min_position_wait: Duration::from_millis(100),
            ..Settings::default()
        };
        let test_clock = false;
        Self {
            settings,
            test_clock,
            recipient: None,
        }
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Start::default()).await
    }

    pub(crate) async fn with(start: Start) -> Self {
        let data = TempDir::new().expect("a directory can be made");
        let mut settings = service::Settings::new(data.path());
        settings.test_clock = start.test_clock;
        let running = tokio::task::spawn_blocking(move || Running::open(&settings))
            .await
            .expect("opening does not panic")
            .expect("the ledger opens");
        let desk = start
            .recipient
            .map(|recipient| desk(data.path(), recipient));
        Self::serving(running, data, start.settings, desk).await
    }

    /// A server of this ledger.
    pub(crate) async fn on(running: Running, data: TempDir, settings: Settings) -> Self {
        Self::serving(running, data, settings, None).await
    }

    async fn serving(
        running: Running,
        data: TempDir,
        settings: Settings,
        desk: Option<Arc<Desk>>,
    ) -> Self {
        purser::tls::use_ring();
        let (keys, _) = keys::open(data.path(), None).expect("keys can be made");
        let file = keys::read_file(data.path()).expect("keys can be read");
        let key = |role| file.of(role)[0].clone();
        let keys_of = [
            key(Role::Coordinator),
            key(Role::Operator),
            key(Role::Auditor),
        ];
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (stop, stopped) = watch::channel(false);
        let router = surface(Surface {
            service: running.service.clone(),
            keys,
            settings: settings.clone(),
            payouts: None,
            desk,
        });
        let ended = tokio::spawn(async move { serve(router, listener, &settings, stopped).await });
        purser::tls::use_ring();
        Self {
            base,
            _running: running,
            stop,
            ended,
            client: Client::new(),
            keys: keys_of,
            _data: data,
        }
    }

    /// The same ledger after a clean stop and a rebuild of everything that is derived.
    pub(crate) async fn rebuilt(self, test_clock: bool) -> Self {
        let Self {
            _running: running,
            stop,
            ended,
            _data: data,
            ..
        } = self;
        stop.send(true).expect("the server runs");
        ended.await.expect("it ends in order");
        let opened = tokio::task::spawn_blocking(move || {
            running.stop().expect("it stops in order");
            let log = RedbLog::open(data.path()).expect("the log opens");
            let rebuilt = service::rebuild(data.path(), &*log.reader()).expect("it is replayed");
            assert_eq!(rebuilt.before, rebuilt.after);
            drop(log);
            let mut settings = service::Settings::new(data.path());
            settings.test_clock = test_clock;
            let running = Running::open(&settings).expect("the ledger opens again");
            (running, data)
        });
        let (running, data) = opened.await.expect("opening does not panic");
        Self::on(running, data, Start::default().settings).await
    }

    /// Moves a test clock to this time in milliseconds since 1970.
    pub(crate) async fn set_clock(&self, now_ms: u64) {
        let body = json!({ "now_ms": now_ms });
        let set = self.post("/v1/test-clock", Who::Operator, &body).await;
        assert_eq!(set.status, 200, "{set:?}");
    }

    pub(crate) fn key(&self, who: Who) -> Option<&str> {
        match who {
            Who::Nobody => None,
            Who::Stranger => Some("not-a-key"),
            Who::Coordinator => Some(&self.keys[0]),
            Who::Operator => Some(&self.keys[1]),
            Who::Auditor => Some(&self.keys[2]),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str, who: Who) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match self.key(who) {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str, who: Who) -> Seen {
        Seen::of(self.request(Method::GET, path, who)).await
    }

    pub(crate) async fn post(&self, path: &str, who: Who, body: &Value) -> Seen {
        Seen::of(self.request(Method::POST, path, who).json(body)).await
    }

    /// Registers a worker and answers its session token.
    pub(crate) async fn register(&self, id: &str) -> String {
        let seen = self
            .post("/v1/miners/register", Who::Nobody, &manifest(id))
            .await;
        assert!(seen.status < 300, "{id} registers: {seen:?}");
        seen.body["session_token"]
            .as_str()
            .expect("a token is answered")
            .to_owned()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.expect("the server answers")).await
    }

    pub(crate) async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("the body arrives");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            text,
            body,
        }
    }

    /// The code of a problem; every answer of 4xx and 5xx is a whole one.
    pub(crate) fn code(&self) -> &str {
        if self.status < 400 {
            return "";
        }
        let media = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok());
        assert_eq!(media, Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        let id = self
            .headers
            .get("x-request-id")
            .and_then(|value| value.to_str().ok());
        assert_eq!(self.body["request_id"].as_str(), id, "{self:?}");
        for member in ["type", "title", "detail"] {
            assert!(
                self.body[member].is_string(),
                "{member} is missing: {self:?}"
            );
        }
        if self.status == 503 {
            assert!(self.headers.contains_key("retry-after"), "{self:?}");
        }
        self.body["code"].as_str().expect("a problem has a code")
    }

    pub(crate) fn position(&self) -> u64 {
        self.body["position"]
            .as_u64()
            .expect("the answer has a position")
    }

    pub(crate) fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && self.code() == code
    }
}

/// A desk with the usual rules, and one capability that has a price.
fn desk(data: &Path, recipient: &str) -> Arc<Desk> {
    let rules = Rules {
        recipient: Address::parse(recipient).expect("an address"),
        service_addr: "https://orch.example:8935".into(),
        wanted: Wanted::default(),
        prices: [("llm".into(), (1_000_000_000, 1))].into(),
        compat: Compat::default(),
    };
    Arc::new(Desk::open(data, rules).expect("the desk opens"))
}

/// What a worker says of itself.
pub(crate) fn manifest(id: &str) -> Value {
    json!({
        "miner_id": id, "api_key": format!("key-of-{id}"), "addr": "10.0.0.1:7000",
        "proto": "grpc", "gpu_vram": 24, "gpu_name": "RTX 4090", "cpu_cores": 16,
        "ram_gb": "64", "price_token_per_ksec": "0.75", "max_parallel": 4,
        "tags": ["eu-west"], "capabilities": ["sentence-transformers/all-MiniLM-L6-v2"],
        "accel": ["cuda"], "region": "eu-west", "node_type": "ai",
        "eth_address": "0x1b4897e079059ad22d9cd179c9e412e131594917",
    })
}

/// The same with one field changed; a null removes it.
pub(crate) fn changed(mut body: Value, field: &str, value: Value) -> Value {
    let object = body.as_object_mut().expect("the body is an object");
    if value.is_null() {
        object.remove(field);
    } else {
        object.insert(field.to_owned(), value);
    }
    body
}
