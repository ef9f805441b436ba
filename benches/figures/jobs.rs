//! Payers' jobs: memory that does not grow with jobs that closed, and live streams over HTTP.
//!
//! `PURSER_BENCH_JOBS=N` opens and closes N jobs; a million where it is left out.

use std::path::Path;
use std::time::{Duration, Instant};

use purser::service::{Running, Settings};
use purser_commands::Command;
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{CloseJob, JobName, OpenJob};
use purser_events::Label;
use serde_json::{Value, json};

use super::http::{Server, coordinator_key};
use super::pool::{label, submission};
use super::table::{Figures, rate};

const JOBS: u64 = 1_000_000;
const PAYERS: u64 = 1_000;
const BATCH: u64 = 4_000;

/// Live streams, and their debits and payments per second on the gateways' timing.
const STREAMS: u64 = 1_000;
const DEBITS_PER_SEC: u32 = 43;
const PAYMENTS_PER_SEC: u32 = 20;
const PERIOD: Duration = Duration::from_secs(15);

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    memory(figures, &directory.join("jobs"));
    streams(figures, &directory.join("streams"));
}

/// Resident memory of this process in MiB.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1_024
}

fn job(number: u64) -> JobName {
    JobName {
        payer: label(&format!("payer-{}", number % PAYERS)),
        id: label(&format!("job-{number:012x}")),
    }
}

fn open(number: u64) -> Command {
    let job = job(number);
    let asset: Label = label("ETH");
    Command::Job(Box::new(JobCommand::Open(OpenJob {
        job,
        asset,
        price: None,
        timeout_sec: Some(60),
        capability: None,
        payer_ref: None,
        worker: None,
        request: None,
    })))
}

fn close(number: u64) -> Command {
    let (job, reason) = (job(number), None);
    Command::Job(Box::new(JobCommand::Close(CloseJob { job, reason })))
}

/// Opens and closes jobs, each batch before the next, and looks at the memory at each tenth.
fn memory(figures: &mut Figures, data: &Path) {
    let jobs = std::env::var("PURSER_BENCH_JOBS").ok();
    let jobs = jobs.and_then(|text| text.parse().ok()).unwrap_or(JOBS);
    let running = Running::open(&Settings::new(data)).expect("it starts");
    let writer = running.service.writer.clone();
    let (began, mut seen) = (Instant::now(), Vec::new());
    for from in (0..jobs).step_by(BATCH as usize) {
        let numbers = from..(from + BATCH).min(jobs);
        for make in [open, close] {
            let batch = numbers.clone().map(|number| submission(make(number)));
            let replies = writer.submit_all_blocking(batch.collect());
            assert!(replies.iter().all(Result::is_ok));
        }
        if (from + BATCH) % (jobs / 10).max(BATCH) < BATCH {
            seen.push(resident_mb());
            eprintln!(
                "jobs: {} closed, {} MiB resident",
                numbers.end,
                resident_mb()
            );
        }
    }
    let per_second = jobs as f64 / began.elapsed().as_secs_f64();
    assert_eq!(running.service.view.read().jobs.len(), 0);
    let tenths = seen
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    figures.row(
        "jobs opened and closed",
        rate(per_second),
        String::new(),
        "",
    );
    let name = format!("resident MiB at each tenth of {jobs} jobs");
    figures.row(&name, tenths, String::new(), "");
    running.stop().expect("it stops");
}

/// Processor time of a process so far, in hundredths of a second.
fn processor_time(id: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

fn streams(figures: &mut Figures, data: &Path) {
    std::fs::create_dir_all(data).expect("a directory");
    let server = Server::purser(data);
    let key = coordinator_key(data);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let mut times = runtime.block_on(live(&server, &key));
    let used = times.1;
    times.0.sort_unstable();
    let at = |percent: usize| times.0[(times.0.len() - 1) * percent / 100];
    let name = format!("debit over HTTP, {STREAMS} live streams, p50 / p99");
    let text = format!("{:.1} / {:.1} ms", ms(at(50)), ms(at(99)));
    figures.row(&name, text, String::new(), "");
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let share = used as f64 / PERIOD.as_secs_f64() / cores;
    let name = "share of the machine that they take";
    figures.row(name, format!("{share:.1} %"), String::new(), "below 25 %");
    server.stop();
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Debits and payments on the gateways' timing: how long each debit took, and the processor time
/// of the server.
async fn live(server: &Server, key: &str) -> (Vec<Duration>, u64) {
    purser::tls::use_ring();
    let client = reqwest::Client::new();
    let post = |path: &str, body: &Value| {
        let request = client.post(format!("http://{}{path}", server.address));
        request.bearer_auth(key).json(body).send()
    };
    let open = |number: u64| {
        json!({"open_job": {
            "job_id": format!("s{number}"), "payer": "gateway", "timeout_sec": 3_600,
            "price": {"num": "1000000000", "den": "1"},
        }})
    };
    let opened: Vec<Value> = (0..STREAMS).map(open).collect();
    let answer = post("/v1/commands", &opened.into()).await;
    assert!(answer.expect("it answers").status().is_success());
    let before = processor_time(server.id());
    let (mut times, mut payments) = (Vec::new(), 0);
    let mut tick = tokio::time::interval(Duration::from_secs(1) / DEBITS_PER_SEC);
    let began = Instant::now();
    for number in 0_u64.. {
        tick.tick().await;
        if began.elapsed() >= PERIOD {
            break;
        }
        let path = format!("/v1/jobs/s{}/debits", number % STREAMS);
        let debit = json!({"payer": "gateway", "units": 23, "debit_seq": number});
        let sent = Instant::now();
        let answer = post(&path, &debit).await.expect("it answers");
        assert!(answer.status().is_success());
        times.push(sent.elapsed());
        if payments < began.elapsed().as_secs_f64() as u64 * u64::from(PAYMENTS_PER_SEC) {
            let path = format!("/v1/jobs/s{}/credits", number % STREAMS);
            let credit = json!({
                "payer": "gateway", "amount": "70000000000", "source": "bench",
                "payment_id": format!("p{number}"),
            });
            let answer = post(&path, &credit).await.expect("it answers");
            assert!(answer.status().is_success());
            payments += 1;
        }
    }
    (times, processor_time(server.id()) - before)
}
