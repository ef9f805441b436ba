//! What is sent to the server, and what became of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::server::Http;
use crate::tickets::Batch;

/// Events in each delivered file.
pub(crate) const EVENTS_PER_FILE: u64 = 3;

/// What each payment brings.
pub(crate) const PAID: u64 = 5;

/// Beats in each batch.
const BEATS_PER_BATCH: u64 = 5;

/// One request's worth of work. The number makes it like no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Register a worker, under an id.
    Register(u64),
    /// Several beats at once, each under an id.
    Beats(u64),
    /// Deliver a file; its key and content make it like no other.
    File(u64),
    /// Charge the job a unit; its number makes it like no other.
    Debit(u64),
    /// Pay for the job; its payment id makes it like no other.
    Credit(u64),
    /// Pay for another job with tickets; their signatures make them like no other.
    Tickets(Batch),
}

/// Work that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) work: Work,
    /// The positions that it was answered with.
    pub(crate) positions: Vec<u64>,
}

/// An answer to one work.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) positions: Vec<u64>,
    /// Whether all of it had been done before.
    pub(crate) replayed: bool,
}

/// What the outside world knows.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    next: AtomicU64,
    done: Mutex<Vec<Done>>,
    unanswered: Mutex<Vec<Work>>,
    answers: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// What to do next; `None` where the server was gone before it could be prepared.
    async fn next(&self, http: &Http) -> Option<Work> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Some(match number % 6 {
            0 => Work::Register(number),
            1 => Work::File(number),
            2 => Work::Debit(number),
            3 => Work::Credit(number),
            4 => Work::Tickets(Batch::quoted(http, number).await?),
            _ => Work::Beats(number),
        })
    }

    /// How many answers have come.
    pub(crate) fn answers(&self) -> u64 {
        *self.answers.borrow()
    }

    /// Waits until this many answers have come.
    pub(crate) async fn wait_for(&self, answers: u64) {
        let mut seen = self.answers.subscribe();
        let waited = seen.wait_for(|now| *now >= answers).await;
        waited.expect("the ledger outlives its readers");
    }

    /// Notes an answer.
    pub(crate) fn finish(&self, work: Work, positions: Vec<u64>) {
        lock(&self.done).push(Done { work, positions });
        self.answers.send_modify(|answers| *answers += 1);
    }

    /// Everything that was answered.
    pub(crate) fn done(&self) -> Vec<Done> {
        lock(&self.done).clone()
    }

    /// Takes everything that was sent and not answered.
    pub(crate) fn take_unanswered(&self) -> Vec<Work> {
        std::mem::take(&mut *lock(&self.unanswered))
    }
}

/// Opens the job that is debited, and sends the first work: the registration that beats rely on.
pub(crate) async fn begin(http: &Http, ledger: &Ledger) {
    let open = http
        .coordinator
        .post(format!("{}/v1/jobs", http.url))
        .json(&json!({"job_id": "job", "payer": "payer", "price": {"num": "3", "den": "2"}}));
    let opened = open.send().await.expect("the server is up");
    assert_eq!(opened.status(), StatusCode::CREATED);
    let work = ledger.next(http).await.expect("the server is up");
    let answered = send(http, &work).await.expect("the server is up");
    ledger.finish(work, answered.positions);
}

/// Sends work until the server is gone.
pub(crate) async fn feed(http: Http, ledger: Arc<Ledger>) {
    while let Some(work) = ledger.next(&http).await {
        match send(&http, &work).await {
            Some(answered) => ledger.finish(work, answered.positions),
            None => {
                lock(&ledger.unanswered).push(work);
                return;
            }
        }
    }
}

/// Sends one work; `None` when no whole answer came.
pub(crate) async fn send(http: &Http, work: &Work) -> Option<Answered> {
    let request = match work {
        Work::Register(number) => http
            .coordinator
            .post(format!("{}/v1/miners/register", http.url))
            .header("Idempotency-Key", format!("register-{number}"))
            .json(&manifest(*number)),
        Work::Beats(number) => http
            .coordinator
            .post(format!("{}/v1/commands", http.url))
            .json(&beats(*number)),
        Work::File(number) => http
            .coordinator
            .post(format!("{}/v1/intake/events", http.url))
            .query(&[("key", file_key(*number))])
            .body(file(*number).to_string()),
        Work::Debit(number) => http
            .coordinator
            .post(format!("{}/v1/jobs/job/debits", http.url))
            .json(&json!({"payer": "payer", "units": 1, "debit_seq": number})),
        Work::Credit(number) => http
            .coordinator
            .post(format!("{}/v1/jobs/job/credits", http.url))
            .json(&json!({
                "payer": "payer", "amount": PAID.to_string(), "source": "cash",
                "payment_id": number.to_string(),
            })),
        Work::Tickets(batch) => http
            .coordinator
            .post(format!("{}/v1/payments", http.url))
            .json(&batch.body()),
    };
    let answer = request.send().await.ok()?;
    let status = answer.status();
    let text = answer.text().await.ok()?;
    let granted = [StatusCode::OK, StatusCode::CREATED].contains(&status);
    assert!(granted, "{work:?}: {status} {text}");
    let body: Value = serde_json::from_str(&text).expect("an answer is JSON");
    Some(read(work, &body))
}

fn read(work: &Work, body: &Value) -> Answered {
    let position = |of: &Value| {
        let position = of["position"].as_u64();
        position.unwrap_or_else(|| panic!("{work:?}: no position in {of}"))
    };
    match work {
        Work::Register(_) | Work::Debit(_) | Work::Credit(_) | Work::Tickets(_) => Answered {
            positions: vec![position(body)],
            replayed: body["replayed"] == true,
        },
        Work::File(_) => Answered {
            positions: vec![position(body)],
            replayed: body["repeated"] == true,
        },
        Work::Beats(_) => {
            let results = body["results"].as_array().expect("results are listed");
            Answered {
                positions: results.iter().map(position).collect(),
                replayed: results.iter().all(|one| one["replayed"] == true),
            }
        }
    }
}

/// The ids under which the log must know this work.
pub(crate) fn ids(work: &Work) -> Vec<String> {
    match work {
        Work::Register(number) => vec![format!("register-{number}")],
        Work::Beats(number) => (0..BEATS_PER_BATCH)
            .map(|beat| beat_id(*number, beat))
            .collect(),
        Work::File(_) | Work::Debit(_) | Work::Credit(_) | Work::Tickets(_) => Vec::new(),
    }
}

fn beat_id(number: u64, beat: u64) -> String {
    format!("beat-{number}-{beat}")
}

fn manifest(number: u64) -> Value {
    json!({
        "miner_id": format!("miner-{number}"), "api_key": format!("key-of-{number}"),
        "addr": "10.0.0.1:7000", "proto": "grpc", "gpu_vram": 24, "gpu_name": "any",
        "cpu_cores": 16, "ram_gb": 64, "price_token_per_ksec": "0.75", "max_parallel": 4,
        "tags": [], "capabilities": ["model:any"],
    })
}

/// Beats of the worker that was registered first; a coordinator may send them on its behalf.
fn beats(number: u64) -> Value {
    let beat = |beat| {
        json!({"beat": {
            "id": beat_id(number, beat), "miner_id": "miner-0", "queue_len": beat,
        }})
    };
    (0..BEATS_PER_BATCH).map(beat).collect()
}

fn file_key(number: u64) -> String {
    let stamp = format!("20251105T{:06}Z", number_as_clock(number));
    format!("us-west/transcode/us-west-transcode-{stamp}_{stamp}.json")
}

/// The number as hours, minutes and seconds: every second of a day once.
const fn number_as_clock(number: u64) -> u64 {
    let second = number % 86_400;
    second / 3_600 * 10_000 + second / 60 % 60 * 100 + second % 60
}

fn file(number: u64) -> Value {
    let event = |index: u64| {
        json!({
            "ID": format!("{number:08x}-0000-4000-8000-{index:012x}"),
            "DT": "2025-11-05T00:00:00Z", "EventType": "job-processed",
            "NodeType": "transcode", "Region": "us-west", "Version": 1,
            "Payload": {
                "ethAddress": "0x1b4897e079059ad22d9cd179c9e412e131594917",
                "computeUnits": 1_000, "responseTime": 700, "duration": 2_000,
                "realTimeRatio": 2, "pricePerComputeUnit": 22, "fees": 22_000,
            },
        })
    };
    (0..EVENTS_PER_FILE).map(event).collect()
}
