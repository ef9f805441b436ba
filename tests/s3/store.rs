//! An S3 server of one test, in this process and over real HTTP, and the faults in front of it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use purser::objects::{Access, Service, ServiceSettings};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const KEY_ID: &str = "test";
pub(crate) const SECRET: &str = "testtest";

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Fault>;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// 503, as S3 asks for fewer requests; nothing happens.
    SlowDown,
    /// 500; nothing happens.
    Broken,
    /// No answer ever comes; nothing happens.
    Silence,
    /// The answer begins, and then nothing comes any more.
    SlowBody,
    /// The connection ends in the middle of the answer's body.
    CutBody,
    /// A byte of the answer's body is another one.
    OtherBytes,
    /// It is done, and the connection ends before the answer.
    LostAnswer,
    /// The answer is what an earlier request for the same was answered.
    OldAnswer,
}

/// Which requests go wrong.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Requests of this method.
    pub(crate) method: Method,
    /// Requests whose path and query hold this.
    pub(crate) holds: String,
    /// How many of them are left alone first.
    pub(crate) skip: u64,
    /// How many of them go wrong then.
    pub(crate) times: u64,
    pub(crate) wrong: Wrong,
}

impl Rule {
    /// The next requests of a method go wrong.
    pub(crate) fn next(method: Method, times: u64, wrong: Wrong) -> Self {
        Self {
            method,
            holds: String::new(),
            skip: 0,
            times,
            wrong,
        }
    }

    /// Only those whose path and query hold a text.
    pub(crate) fn of(mut self, holds: &str) -> Self {
        self.holds = holds.into();
        self
    }

    /// The first ones are left alone.
    pub(crate) fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    is_down: AtomicBool,
    requests: Mutex<HashMap<Method, u64>>,
    connections: AtomicU64,
    connections_max: AtomicU64,
    answers: Mutex<HashMap<String, (StatusCode, Bytes)>>,
    conditional: tokio::sync::Mutex<()>,
}

/// An S3 server on a free port.
pub(crate) struct Store {
    pub(crate) endpoint: String,
    root: TempDir,
    shared: Arc<Shared>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Store {
    /// Starts one with these buckets.
    pub(crate) fn start(buckets: &[&str]) -> Self {
        let root = TempDir::new().expect("a directory can be made");
        let files = s3s_fs::FileSystem::new(root.path()).expect("the root exists");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();
        let shared = Arc::new(Shared::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime can be made");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, service, serving) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let store = Self {
            endpoint: format!("http://{address}"),
            root,
            shared,
            _stop: stop,
        };
        for bucket in buckets {
            store.make(bucket);
        }
        store
    }

    /// Makes a bucket.
    pub(crate) fn make(&self, bucket: &str) {
        fs::create_dir_all(self.root.path().join(bucket)).expect("a bucket can be made");
    }

    /// A client of it.
    pub(crate) fn service(&self) -> Service {
        Service::new(&self.settings())
    }

    pub(crate) fn settings(&self) -> ServiceSettings {
        ServiceSettings {
            endpoint: Some(self.endpoint.clone()),
            region: "us-east-1".into(),
            access: Some(Access {
                key_id: KEY_ID.into(),
                secret: SECRET.into(),
            }),
            timeout: Duration::from_millis(1_000),
            at_once: 32,
        }
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.path().join(bucket).join(key)
    }

    /// Stores an object, past the server: it appears whole.
    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let path = self.path(bucket, key);
        fs::create_dir_all(path.parent().expect("a key has a parent")).expect("made");
        let part = self.root.path().join(".upload");
        fs::write(&part, bytes).expect("written");
        fs::rename(&part, &path).expect("renamed");
    }

    /// The bytes of an object, past the server.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        fs::read(self.path(bucket, key)).ok()
    }

    /// Deletes an object, past the server.
    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        fs::remove_file(self.path(bucket, key)).expect("it is there");
    }

    /// The keys of a bucket, past the server.
    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        let root = self.root.path().join(bucket);
        let mut keys = Vec::new();
        walk(&root, &root, &mut keys);
        keys.sort();
        keys
    }

    /// Lets requests go wrong from now on.
    pub(crate) fn fail(&self, rule: Rule) {
        self.shared
            .rules
            .lock()
            .expect("no test panicked")
            .push(rule);
    }

    /// Lets no request go wrong any more.
    pub(crate) fn heal(&self) {
        self.shared.rules.lock().expect("no test panicked").clear();
    }

    /// Whether every rule was used up.
    pub(crate) fn has_failed_enough(&self) -> bool {
        let rules = self.shared.rules.lock().expect("no test panicked");
        rules.iter().all(|rule| rule.times == 0)
    }

    /// Takes no connection and answers none, or does again.
    pub(crate) fn be_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How many requests of a method were answered.
    pub(crate) fn requests(&self, method: &Method) -> u64 {
        let requests = self.shared.requests.lock().expect("no test panicked");
        requests.get(method).copied().unwrap_or(0)
    }

    /// How many connections were open at once at most.
    pub(crate) fn connections_max(&self) -> u64 {
        self.shared.connections_max.load(Ordering::SeqCst)
    }
}

fn walk(root: &Path, at: &Path, keys: &mut Vec<String>) {
    for entry in fs::read_dir(at).expect("a bucket can be listed") {
        let path = entry.expect("an entry").path();
        let name = path
            .strip_prefix(root)
            .expect("below")
            .to_str()
            .expect("UTF-8");
        if path.is_dir() {
            walk(root, &path, keys);
        } else if !name.starts_with('.') {
            keys.push(name.to_owned());
        }
    }
}

async fn accept(listener: std::net::TcpListener, service: S3Service, shared: Arc<Shared>) {
    listener
        .set_nonblocking(true)
        .expect("a listener takes options");
    let listener = TcpListener::from_std(listener).expect("it is a listener");
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            return;
        };
        if shared.is_down.load(Ordering::SeqCst) {
            continue;
        }
        socket.set_nodelay(true).expect("a socket takes options");
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let open = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
            shared.connections_max.fetch_max(open, Ordering::SeqCst);
            let each = |request| answer(&service, &shared, request);
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), hyper::service::service_fn(each));
            // A fault ends a connection: that is what it is for.
            let _ = connection.await;
            shared.connections.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

impl Shared {
    fn wrong(&self, method: &Method, path: &str) -> Option<Wrong> {
        let mut rules = self.rules.lock().expect("no test panicked");
        let rule = rules
            .iter_mut()
            .find(|rule| rule.times > 0 && rule.method == *method && path.contains(&rule.holds))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.wrong)
    }
}

async fn answer(
    service: &S3Service,
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Fault> {
    if shared.is_down.load(Ordering::SeqCst) {
        return Err("the server is down".into());
    }
    let (method, path) = (request.method().clone(), request.uri().to_string());
    *shared
        .requests
        .lock()
        .expect("no test panicked")
        .entry(method.clone())
        .or_default() += 1;
    let wrong = shared.wrong(&method, &path);
    let fixed = |status: StatusCode, code: &str| {
        let text = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        Ok(response(status, Bytes::from(text)))
    };
    match wrong {
        Some(Wrong::SlowDown) => return fixed(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Some(Wrong::Broken) => return fixed(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        Some(Wrong::Silence) => std::future::pending().await,
        Some(Wrong::OldAnswer) => {
            let answers = shared.answers.lock().expect("no test panicked");
            if let Some((status, bytes)) = answers.get(&path) {
                return Ok(response(*status, bytes.clone()));
            }
        }
        _ => {}
    }
    let answered = real(service, shared, request).await?;
    let (head, body) = answered.into_parts();
    let bytes = BodyExt::collect(body).await?.to_bytes();
    if path.contains("list-type") {
        let mut answers = shared.answers.lock().expect("no test panicked");
        answers.insert(path, (head.status, bytes.clone()));
    }
    if wrong == Some(Wrong::LostAnswer) {
        return Err("the answer is lost".into());
    }
    Ok(Response::from_parts(head, spoilt(bytes, wrong)))
}

async fn real(
    service: &S3Service,
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, Fault> {
    // The server looks and then renames: conditions hold only one at a time.
    let is_conditional = request.headers().contains_key("if-none-match");
    let alone = if is_conditional {
        Some(shared.conditional.lock().await)
    } else {
        None
    };
    let answered = service.call(request.map(s3s::Body::from)).await;
    drop(alone);
    answered.map_err(|error| format!("{error:?}").into())
}

fn response(status: StatusCode, bytes: Bytes) -> Response<Body> {
    let body = Full::new(bytes).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}

fn spoilt(bytes: Bytes, wrong: Option<Wrong>) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let begun = stream::iter([Ok(Frame::data(half))]);
    match wrong {
        Some(Wrong::CutBody) => {
            let cut = stream::iter([Err(Fault::from("the body is cut"))]);
            BodyExt::boxed_unsync(StreamBody::new(begun.chain(cut)))
        }
        Some(Wrong::SlowBody) => {
            BodyExt::boxed_unsync(StreamBody::new(begun.chain(stream::pending())))
        }
        Some(Wrong::OtherBytes) if !bytes.is_empty() => {
            let mut other = bytes.to_vec();
            other[0] ^= 1;
            let body = Full::new(Bytes::from(other)).map_err(|never| match never {});
            body.boxed_unsync()
        }
        _ => Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
    }
}
