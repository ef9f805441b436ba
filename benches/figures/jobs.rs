//! Payers' jobs: memory that does not grow with jobs that closed.
//!
//! `PURSER_BENCH_JOBS=N` opens and closes N jobs; a million where it is left out.

use std::path::Path;
use std::time::{Duration, Instant};

use purser::service::{Running, Settings};
use purser_commands::Command;
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{CloseJob, JobName, OpenJob};
use purser_events::{Label, Position};

use super::pool::{label, submission};
use super::table::{Figures, rate};

const JOBS: u64 = 1_000_000;
const PAYERS: u64 = 1_000;
const BATCH: u64 = 4_000;

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    memory(figures, &directory.join("jobs"));
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
    let mut last = Position::ORIGIN;
    for from in (0..jobs).step_by(BATCH as usize) {
        let numbers = from..(from + BATCH).min(jobs);
        for make in [open, close] {
            let batch = numbers.clone().map(|number| submission(make(number)));
            let replies = writer.submit_all_blocking(batch.collect());
            assert!(replies.iter().all(Result::is_ok));
            let positions = replies.iter().flatten().map(|reply| reply.position);
            last = positions.max().unwrap_or(last);
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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime starts");
    let view = &running.service.view;
    assert!(runtime.block_on(view.reached(last, Duration::from_secs(10))));
    assert_eq!(view.read().jobs.len(), 0);
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
