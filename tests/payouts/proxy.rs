//! Stands between the program and the node, and lies.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{hex, keccak256};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the proxy does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Nothing.
    None,
    /// Nobody answers.
    Down,
    /// Transactions are taken, and the answer comes too late.
    SlowSend,
    /// Transactions are taken, and the answer is lost.
    LostSend,
    /// Transactions are taken, and an error is answered.
    TakenButError,
    /// Transactions are not taken, and an error is answered.
    NotTakenError,
    /// Transactions are not taken, and success is answered.
    NotTakenSuccess,
    /// Everything is answered with an error.
    Errors,
    /// Nonces are those of before.
    StaleNonce,
    /// Transactions are handed on twice.
    Twice,
    /// Receipts and transactions are not shown.
    Hidden,
}

/// The proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    pub(crate) url: Arc<str>,
}

struct Shared {
    upstream: Mutex<String>,
    lie: Mutex<Lie>,
    left: AtomicU32,
    told: AtomicU32,
    http: reqwest::Client,
}

impl Proxy {
    pub(crate) async fn start(upstream: &str) -> Self {
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream.to_owned()),
            lie: Mutex::new(Lie::None),
            left: AtomicU32::new(0),
            told: AtomicU32::new(0),
            http: reqwest::Client::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound")).into();
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { shared, url }
    }

    /// Hands on to another node.
    pub(crate) fn point_at(&self, upstream: &str) {
        *self.shared.upstream.lock().expect("no panic") = upstream.to_owned();
    }

    /// Lies so many times, and tells the truth then.
    pub(crate) fn lie(&self, lie: Lie, times: u32) {
        *self.shared.lie.lock().expect("no panic") = lie;
        self.shared.left.store(times, Ordering::SeqCst);
        self.shared.told.store(0, Ordering::SeqCst);
    }
}

impl Proxy {
    /// How many lies were told since the last ones were asked for.
    pub(crate) fn told(&self) -> u32 {
        self.shared.told.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// The lie for this method, if there are any left.
    fn lie_for(&self, method: &str) -> Lie {
        let lie = *self.lie.lock().expect("no panic");
        let sends = method == "eth_sendRawTransaction";
        let concerned = match lie {
            Lie::None => false,
            Lie::Down | Lie::Errors => true,
            Lie::StaleNonce => method == "eth_getTransactionCount",
            Lie::Hidden => {
                method == "eth_getTransactionReceipt" || method == "eth_getTransactionByHash"
            }
            _ => sends,
        };
        let take = |left: u32| left.checked_sub(1);
        let (set, get) = (Ordering::SeqCst, Ordering::SeqCst);
        if concerned && self.left.fetch_update(set, get, take).is_ok() {
            self.told.fetch_add(1, Ordering::SeqCst);
            lie
        } else {
            Lie::None
        }
    }

    async fn hand_on(&self, body: &Bytes) -> Result<Value, reqwest::Error> {
        let upstream = self.upstream.lock().expect("no panic").clone();
        let request = self
            .http
            .post(upstream)
            .header("content-type", "application/json");
        request.body(body.clone()).send().await?.json().await
    }
}

fn refused(id: &Value, message: &str) -> Response {
    let error = json!({ "code": -32003, "message": message });
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    body.to_string().into_response()
}

fn answered(id: &Value, result: &Value) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    body.to_string().into_response()
}

async fn pass(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("the program sends JSON");
    let method = request["method"].as_str().expect("a method");
    let id = &request["id"];
    let lie = shared.lie_for(method);
    match lie {
        Lie::Down => return StatusCode::BAD_GATEWAY.into_response(),
        Lie::Errors => return refused(id, "internal error"),
        Lie::NotTakenError => return refused(id, "nonce too low"),
        Lie::NotTakenSuccess => {
            let raw = request["params"][0].as_str().expect("bytes");
            let raw = hex::decode(raw).expect("hexadecimal digits");
            return answered(id, &json!(keccak256(raw)));
        }
        Lie::Hidden => return answered(id, &Value::Null),
        _ => {}
    }
    let Ok(mut answer) = shared.hand_on(&body).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    match lie {
        Lie::LostSend => return StatusCode::BAD_GATEWAY.into_response(),
        Lie::TakenButError => return refused(id, "replacement transaction underpriced"),
        Lie::SlowSend => {
            // Later than the program waits.
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(Duration::from_millis(600), never).await;
        }
        Lie::Twice => {
            // The second one is refused; whoever asked hears of that one.
            if let Ok(second) = shared.hand_on(&body).await {
                answer = second;
            }
        }
        Lie::StaleNonce => {
            let count = crate::chain::number(&answer["result"]);
            answer["result"] = json!(format!("{:#x}", count.saturating_sub(1)));
        }
        _ => {}
    }
    answer.to_string().into_response()
}
