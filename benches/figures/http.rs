//! Durable commands over HTTP against the real binary, beside a route that only parses the same
//! body and answers.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::bare;
use super::load::{self, Seen};
use super::pool::{Dice, miner};
use super::table::{Figures, rate};

pub(crate) const WORKERS: u64 = 10_000;
const PERIOD: Duration = Duration::from_secs(4);
const RUNS: usize = 3;
const BATCH: u64 = 1_000;

/// A server process, killed at the end.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a program that tells its URL on its first line, and waits for that line.
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it was asked for");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it tells where it listens");
        let address = line
            .trim()
            .rsplit('/')
            .next()
            .and_then(|text| text.parse().ok());
        Self {
            child,
            address: address.unwrap_or_else(|| panic!("no address in {line:?}")),
        }
    }

    /// Starts `purser serve` on a data directory.
    pub(crate) fn purser(data: &Path) -> Self {
        Self::purser_with(data, &[])
    }

    /// Starts `purser serve` on a data directory, with variables of its environment.
    pub(crate) fn purser_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data);
        command.env("PURSER_LOG", "warn");
        command.envs(variables.iter().copied());
        Self::start(&mut command)
    }

    /// The most memory that it ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.split_whitespace().next());
        peak.and_then(|kib| kib.parse().ok())
            .expect("the system tells")
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end in order, and waits until it has.
    pub(crate) fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        assert!(
            self.child.wait().expect("it ends").success(),
            "it ends in order"
        );
    }

    /// Starts the bare route.
    pub(crate) fn bare() -> Self {
        let own = std::env::current_exe().expect("this program has a path");
        Self::start(Command::new(own).env(bare::VARIABLE, "1"))
    }
}

/// The first coordinator key of a data directory.
pub(crate) fn coordinator_key(data: &Path) -> String {
    key_of(data, "coordinator")
}

/// The first key of a role in a data directory.
pub(crate) fn key_of(data: &Path, role: &str) -> String {
    let text = std::fs::read_to_string(data.join("keys.toml")).expect("the server made keys");
    let keys: toml::Table = text.parse().expect("keys are TOML");
    keys[role][0].as_str().expect("a key is text").to_owned()
}

/// The heartbeat of a worker.
pub(crate) fn beat(number: u64, dice: &mut Dice) -> String {
    format!(
        "{{\"beat\":{{\"miner_id\":\"{}\",\"queue_len\":{},\"avg_latency_ms\":{}}}}}",
        miner(number),
        dice.below(4),
        20 + dice.below(480)
    )
}

/// These commands in one request.
pub(crate) fn batch_of(commands: &[String]) -> String {
    format!("[{}]", commands.join(","))
}

fn batch(dice: &mut Dice, count: u64) -> String {
    let beats = (0..count).map(|_| beat(dice.below(WORKERS), dice));
    batch_of(&beats.collect::<Vec<_>>())
}

pub(crate) fn register(from: u64) -> String {
    let one = |number| {
        format!(
            "{{\"register\":{{\"miner_id\":\"{}\",\"api_key\":\"key-{number}\",\
             \"addr\":\"10.0.0.1:9000\",\"proto\":\"grpc\",\"gpu_vram\":80,\
             \"gpu_name\":\"A100\",\"cpu_cores\":16,\"ram_gb\":128,\
             \"price_token_per_ksec\":\"0.5\",\"max_parallel\":4,\"tags\":[],\
             \"capabilities\":[]}}}}",
            miner(number)
        )
    };
    format!(
        "[{}]",
        (from..from + BATCH).map(one).collect::<Vec<_>>().join(",")
    )
}

/// Prepared requests, sent round and round.
fn requests(key: &str, count: u64, variants: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(5);
    (0..variants)
        .map(|_| load::post("/v1/commands", key, &batch(&mut dice, count)))
        .collect()
}

fn drive(to: SocketAddr, connections: usize, requests: &[Vec<u8>]) -> Seen {
    let requests: std::sync::Arc<[Vec<u8>]> = requests.into();
    let run = || {
        let requests = std::sync::Arc::clone(&requests);
        load::run(to, connections, PERIOD, move |number, count| {
            requests[(number * 7 + count as usize) % requests.len()].clone()
        })
    };
    let mut seen: Vec<Seen> = (0..RUNS).map(|_| run()).collect();
    seen.sort_by(|left, right| left.per_second().total_cmp(&right.per_second()));
    seen.swap_remove(RUNS / 2)
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path, sync: Duration) {
    let data = directory.join("http");
    let server = Server::purser(&data);
    let bare = Server::bare();
    let key = coordinator_key(&data);
    for from in (0..WORKERS).step_by(BATCH as usize) {
        load::once(
            server.address,
            &load::post("/v1/commands", &key, &register(from)),
        );
    }
    singles(figures, (&server, &bare), &requests(&key, 1, 4_096), sync);
    batches(figures, (&server, &bare), &requests(&key, BATCH, 64), sync);
}

fn singles(
    figures: &mut Figures,
    (server, bare): (&Server, &Server),
    all: &[Vec<u8>],
    sync: Duration,
) {
    for connections in [1, 16, 64, 256] {
        let parsed = drive(bare.address, connections, all);
        let durable = drive(server.address, connections, all);
        let ratio = durable.per_second() / parsed.per_second();
        let name = format!("HTTP, durable single commands, {connections} connections");
        let bar = if connections >= 64 {
            ">= 0.50 of bare"
        } else {
            ""
        };
        let against = format!("{ratio:.2} of bare {}", rate(parsed.per_second()));
        figures.row(&name, rate(durable.per_second()), against, bar);
        let (p50, p99) = (durable.percentile_us(0.5), durable.percentile_us(0.99));
        let floor = sync.as_micros() as f64 + f64::from(parsed.percentile_us(0.5));
        let against = format!(
            "p50 {:.2} of sync + bare ({floor:.0} us)",
            f64::from(p50) / floor
        );
        let bar = if connections == 1 { "p50 <= 2.00" } else { "" };
        figures.row(
            &format!("... p50 / p99 / max, {connections} connections"),
            format!("{p50} / {p99} / {} us", durable.percentile_us(1.0)),
            against,
            bar,
        );
    }
}

fn batches(
    figures: &mut Figures,
    (server, bare): (&Server, &Server),
    all: &[Vec<u8>],
    sync: Duration,
) {
    for connections in [1, 4, 16] {
        let parsed = drive(bare.address, connections, all);
        let durable = drive(server.address, connections, all);
        let per_second = durable.per_second() * BATCH as f64;
        let ratio = durable.per_second() / parsed.per_second();
        let syncs = durable.per_second() * sync.as_secs_f64();
        let against = format!(
            "{ratio:.2} of bare {}; {syncs:.2} batches per sync time",
            rate(parsed.per_second() * BATCH as f64)
        );
        let name =
            format!("HTTP, durable commands in batches of {BATCH}, {connections} connections");
        figures.row(&name, rate(per_second), against, ">= 500,000/s");
    }
    let began = Instant::now();
    load::once(server.address, &all[0]);
    let took = began.elapsed();
    figures.row(
        "... one batch of 1,000 on an idle server",
        format!("{} us", took.as_micros()),
        String::new(),
        "",
    );
}
