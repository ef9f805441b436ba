//! A log that fails: writes are refused with a code and a time to come back, reads go on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use purser::http::Settings;
use purser::log::memory::Fault;
use purser::log::{
    AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader, MemoryLog,
    ReadError, Resolution,
};
use purser::recall::MemoryIndex;
use purser::service::{self, Parts, Running};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Seen, Server, Who, manifest};

/// A log in memory whose next append goes wrong when a test says so.
struct Faulty {
    inner: MemoryLog,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Log for Faulty {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        self.inner.acquire()
    }

    fn end(&self) -> End {
        self.inner.end()
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        if let Some(fault) = self.fault.lock().expect("no test panics here").take() {
            self.inner.fail_next(fault);
        }
        self.inner.append(lease, batch)
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        self.inner.resolve(batch)
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.inner.reader()
    }
}

async fn faulty() -> (Server, Arc<Mutex<Option<Fault>>>) {
    let data = TempDir::new().expect("a directory can be made");
    let fault = Arc::new(Mutex::new(None));
    let (inner, next) = (MemoryLog::new(), Arc::clone(&fault));
    let log = Box::new(Faulty { inner, fault: next });
    let index = Arc::new(MemoryIndex::default());
    let settings = service::Settings::new(data.path());
    let start = move || Running::start(&settings, Parts { log, index });
    let running = tokio::task::spawn_blocking(start)
        .await
        .expect("starting does not panic");
    let running = running.expect("the ledger starts");
    (Server::on(running, data, Settings::default()).await, fault)
}

/// Repeats a write until the server takes it again: it tries a full disk only now and then.
async fn until_taken(server: &Server, path: &str, body: &Value) -> Seen {
    let taken = async {
        loop {
            let seen = server.post(path, Who::Coordinator, body).await;
            if seen.status != 503 {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, taken)
        .await
        .expect("writes go on in time")
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_lets_reads_go_on() {
    let (server, fault) = faulty().await;
    server.register("w1").await;
    *fault.lock().expect("no test panics here") = Some(Fault::Full);
    let seen = server
        .post("/v1/miners/register", Who::Nobody, &manifest("w2"))
        .await;
    assert!(seen.is(503, "log_read_only"), "{seen:?}");
    let health = server.get("/v1/health", Who::Nobody).await;
    assert_eq!(
        (health.status, &health.body["status"]),
        (503, &json!("degraded")),
        "{health:?}"
    );
    assert_eq!(health.body["reason"], "log_read_only");
    assert!(health.headers.contains_key("retry-after"));
    assert_eq!(server.get("/v1/miners/w1", Who::Auditor).await.status, 200);
    let seen = until_taken(&server, "/v1/miners/register", &manifest("w2")).await;
    assert_eq!(seen.status, 201, "there is space again: {seen:?}");
    assert_eq!(server.get("/v1/health", Who::Nobody).await.status, 200);
}

#[tokio::test]
async fn a_commit_that_fails_refuses_the_batch_as_a_whole() {
    let (server, fault) = faulty().await;
    *fault.lock().expect("no test panics here") = Some(Fault::Full);
    let body = json!([{"register": manifest("w1")}, {"register": manifest("w2")}]);
    let seen = server.post("/v1/commands", Who::Coordinator, &body).await;
    assert!(seen.is(503, "log_read_only"), "{seen:?}");
    let seen = until_taken(&server, "/v1/commands", &body).await;
    assert_eq!(seen.body["results"][1]["created"], true, "{seen:?}");
}
