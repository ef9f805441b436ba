//! The simulated pool itself: who works in it, and which files arrive.

use jiff::Timestamp;
use purser_events::policy::NodeType;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::jobs::{self, Event};
use super::random::Random;
use super::runs::Run;
use crate::hex::hex;

/// When simulated time begins: 2026-01-01T00:00:00Z.
const BEGIN_SEC: i64 = 1_767_225_600;

/// How long an orchestrator gathers events for one file, in seconds.
const FLUSH_SEC: i64 = 60;

/// How many events it gathers at most.
const FLUSH_EVENTS: usize = 10_000;

/// Every so many jobs a worker's connection breaks and comes back.
const RECONNECT_EVERY: u64 = 40;

const PARTITIONS: [(NodeType, &str); 5] = [
    (NodeType::Ai, "us-central"),
    (NodeType::Transcode, "eu-central"),
    (NodeType::Transcode, "oceania"),
    (NodeType::Transcode, "us-central"),
    (NodeType::Transcode, "us-west"),
];

const GPUS: [(&str, u64); 4] = [
    ("RTX 4090", 24),
    ("RTX 3090", 24),
    ("L40S", 48),
    ("RTX 4070 Ti", 12),
];

/// What a pool is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many workers, from 1.
    pub workers: u32,
    /// How many jobs the coordinator gives to workers, for payers.
    pub jobs: u32,
    /// How many further jobs orchestrators tell of in their files.
    pub told: u32,
    /// Another seed gives another pool.
    pub seed: u64,
}

/// A simulated pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its workers.
    pub workers: Vec<SimulatedWorker>,
    /// The files that its orchestrators deliver, in the order of their arrival.
    pub files: Vec<Delivered>,
    /// The jobs that its coordinator runs.
    pub runs: Vec<Run>,
}

/// A worker of a simulated pool.
#[derive(Clone, Debug)]
pub struct SimulatedWorker {
    /// The body of its registration.
    pub manifest: Value,
    /// Where it is paid.
    pub address: String,
    /// The mean latency of its jobs in milliseconds, as it says.
    pub latency_ms: u32,
}

/// A file as an orchestrator delivers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The key that it is stored under.
    pub key: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Pool {
    /// The pool of a plan: the same for the same plan.
    #[must_use]
    pub fn of(plan: Plan) -> Self {
        let workers: Vec<_> = (0..plan.workers.max(1))
            .map(|index| SimulatedWorker::of(plan.seed, index))
            .collect();
        let mut files = Vec::new();
        for index in 0..PARTITIONS.len() as u32 {
            let addresses = working_in(&workers, index);
            let mut orchestrator = Orchestrator::start(plan.seed, index);
            orchestrator.work(&addresses, share(plan.told, index));
            files.append(&mut orchestrator.stop());
        }
        // A file arrives when its last event has happened.
        files.sort_by(|a: &Delivered, b| (a.last_stamp(), &a.key).cmp(&(b.last_stamp(), &b.key)));
        let runs = (0..plan.jobs).map(|index| Run::of(plan.seed, index, &workers));
        let runs = runs.collect();
        Self {
            workers,
            files,
            runs,
        }
    }
}

/// The workers of a partition: every worker has one, and no partition is without.
fn working_in(workers: &[SimulatedWorker], partition: u32) -> Vec<&str> {
    let first = partition as usize % workers.len();
    let rest = workers[first..].iter().step_by(PARTITIONS.len());
    rest.map(|worker| worker.address.as_str()).collect()
}

/// How many of the jobs fall to a partition.
const fn share(jobs: u32, partition: u32) -> u32 {
    let parts = PARTITIONS.len() as u32;
    jobs / parts + if partition < jobs % parts { 1 } else { 0 }
}

impl SimulatedWorker {
    fn of(seed: u64, index: u32) -> Self {
        let mut random = Random::new(seed ^ (u64::from(index) << 32) ^ 0x77_6f_72_6b);
        let (node_type, region) = PARTITIONS[index as usize % PARTITIONS.len()];
        let (gpu, vram_gb) = *random.pick(&GPUS);
        let address = address(seed, index);
        let manifest = json!({
            "miner_id": format!("sim-{seed}-{index:05}"),
            "api_key": hex(&digest("key", seed, index)),
            "addr": format!("10.{}.{}.{}:9000", index >> 16 & 255, index >> 8 & 255, index & 255),
            "proto": "grpc",
            "gpu_vram": vram_gb,
            "gpu_name": gpu,
            "cpu_cores": random.within(4, 32),
            "ram_gb": 8 * random.within(2, 16),
            "price_token_per_ksec": format!("0.{:03}", random.within(1, 999)),
            "max_parallel": random.within(1, 4),
            "tags": ["simulated"],
            "capabilities": [
                format!("task:{}", node_type.as_str()),
                format!("accel:{}", gpu.to_lowercase().replace(' ', "-")),
            ],
            "region": region,
            "node_type": node_type.as_str(),
            "eth_address": address,
        });
        let latency_ms = 40 + u32::from(digest("latency", seed, index)[0]);
        Self {
            manifest,
            address,
            latency_ms,
        }
    }
}

fn address(seed: u64, index: u32) -> String {
    format!("0x{}", hex(&digest("address", seed, index)[..20]))
}

fn digest(what: &str, seed: u64, index: u32) -> [u8; 32] {
    Sha256::digest(format!("simulated {what} {seed} {index}")).into()
}

impl Delivered {
    fn last_stamp(&self) -> &str {
        self.key.rsplit('_').next().unwrap_or_default()
    }
}

/// Gathers events and writes them to files, as the orchestrator of one partition does.
struct Orchestrator {
    node_type: NodeType,
    region: &'static str,
    random: Random,
    now_sec: i64,
    last_sec: i64,
    gathering_since_sec: i64,
    gathered: Vec<Value>,
    files: Vec<Delivered>,
}

impl Orchestrator {
    const fn start(seed: u64, index: u32) -> Self {
        let (node_type, region) = PARTITIONS[index as usize];
        Self {
            node_type,
            region,
            random: Random::new(seed.wrapping_add((index as u64) << 40)),
            now_sec: BEGIN_SEC,
            last_sec: BEGIN_SEC,
            gathering_since_sec: BEGIN_SEC,
            gathered: Vec::new(),
            files: Vec::new(),
        }
    }

    fn work(&mut self, addresses: &[&str], jobs: u32) {
        self.emit(&jobs::reset());
        let mut connections: Vec<_> = addresses.iter().map(|_| self.connection()).collect();
        for (address, connection) in addresses.iter().zip(&connections) {
            self.emit(&jobs::connected(address, connection));
        }
        for _ in 0..jobs {
            let pause_sec = i64::try_from(self.random.within(0, 2)).unwrap_or(1);
            self.pass(pause_sec);
            let worker = self.random.index(addresses.len());
            for event in jobs::job(&mut self.random, self.node_type, addresses[worker]) {
                self.emit(&event);
            }
            if self.random.within(1, RECONNECT_EVERY) == 1 {
                self.emit(&jobs::disconnected(addresses[worker], &connections[worker]));
                connections[worker] = self.connection();
                self.emit(&jobs::connected(addresses[worker], &connections[worker]));
            }
        }
    }

    fn connection(&mut self) -> String {
        let random = &mut self.random;
        let (host, port) = (random.within(1, 254), random.within(20_000, 60_000));
        format!("203.0.113.{host}:{port}")
    }

    fn pass(&mut self, seconds: i64) {
        self.now_sec += seconds;
        let full = self.gathered.len() >= FLUSH_EVENTS;
        if full || self.now_sec - self.gathering_since_sec >= FLUSH_SEC {
            self.flush();
        }
    }

    fn emit(&mut self, event: &Event) {
        self.gathered.push(json!({
            "ID": self.random.uuid(),
            "DT": written(self.now_sec, "%Y-%m-%dT%H:%M:%SZ"),
            "EventType": event.kind,
            "NodeType": self.node_type.as_str(),
            "Region": self.region,
            "Payload": event.payload,
            "Version": 1,
        }));
        self.last_sec = self.now_sec;
    }

    fn flush(&mut self) {
        let events = std::mem::take(&mut self.gathered);
        if !events.is_empty() {
            let stamp = |second| written(second, "%Y%m%dT%H%M%SZ");
            let (first, last) = (stamp(self.gathering_since_sec), stamp(self.last_sec));
            let (region, node_type) = (self.region, self.node_type.as_str());
            let key = format!("{region}/{node_type}/{region}-{node_type}-{first}_{last}.json");
            let bytes = format!("{:#}", Value::Array(events)).into_bytes();
            self.files.push(Delivered { key, bytes });
        }
        self.gathering_since_sec = self.now_sec;
    }

    fn stop(mut self) -> Vec<Delivered> {
        self.flush();
        self.files
    }
}

fn written(second: i64, form: &str) -> String {
    let moment = Timestamp::from_second(second).expect("simulated time stays within bounds");
    moment.strftime(form).to_string()
}
