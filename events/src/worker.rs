//! Workers: registered, updated, beaten, leased, lapsed, logged out.

use serde::{Deserialize, Serialize};

use crate::{Address, Label, Micros, WorkerNo};

/// A payee was named by its address for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerNamed {
    /// The worker's number: the next one.
    pub worker: WorkerNo,
    /// The address that it is known by.
    pub address: Address,
}

/// A worker registered for the first time; its id is bound to its key from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRegistered {
    /// The worker's number: the next one.
    pub worker: WorkerNo,
    /// The id that the worker chose.
    pub miner_id: Label,
    /// What is kept of its API key.
    pub key: KeyHash,
    /// What it offers.
    pub manifest: Manifest,
}

/// `SHA-256(salt || key)`: what is kept of an API key.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyHash {
    /// Random bytes, drawn when the key was first seen.
    #[serde(with = "crate::bytes::sixteen")]
    pub salt: [u8; 16],
    /// The hash of the salt followed by the key.
    #[serde(with = "crate::bytes::thirty_two")]
    pub hash: [u8; 32],
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(..)")
    }
}

/// What a worker offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where coordinators reach it.
    pub addr: Label,
    /// The protocol spoken there.
    pub proto: Label,
    /// The name of its GPU.
    pub gpu_name: Label,
    /// Memory of its GPU in MiB.
    pub vram_mb: u32,
    /// Processor cores.
    pub cpu_cores: u32,
    /// Main memory in MiB.
    pub ram_mb: u32,
    /// Price in millionths of a credit per kilosecond.
    pub price_micro: u64,
    /// How many jobs it runs at once.
    pub max_parallel: u32,
    /// Free words, never used for pricing, trust or payout.
    pub tags: Vec<Label>,
    /// Capabilities as `kind:name`.
    pub capabilities: Vec<Label>,
    /// Accelerator kinds.
    pub accel: Vec<Label>,
    /// The region that it claims.
    pub region: Option<Label>,
    /// The node type that it claims.
    pub node_type: Option<Label>,
    /// Where it wants to be paid.
    pub payout_address: Option<Address>,
}

/// A registered worker came back with another manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestChanged {
    /// The worker.
    pub worker: WorkerNo,
    /// What it offers from now on.
    pub manifest: Manifest,
}

/// A worker reported a change between heartbeats; absent fields stay as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerUpdated {
    /// The worker.
    pub worker: WorkerNo,
    /// Jobs that wait.
    pub queue_len: Option<u32>,
    /// Whether it takes no further work.
    pub busy: Option<bool>,
    /// The jobs it is at.
    pub current_jobs: Option<Vec<Label>>,
    /// Price in millionths of a credit per kilosecond.
    pub price_micro: Option<u64>,
}

/// A worker said that it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerBeat {
    /// The worker.
    pub worker: WorkerNo,
    /// How many milliseconds our clock, when this was recorded, was past the time at which the
    /// worker says that it sent this; absent when it did not say. As a difference it is short.
    pub lag_ms: Option<i64>,
    /// Jobs that wait.
    pub queue_len: u32,
    /// Mean latency of its recent jobs in milliseconds.
    pub avg_latency_ms: Option<u32>,
    /// Temperature in tenths of a degree Celsius.
    pub temp_decidegrees: Option<i32>,
    /// Free GPU memory in MiB.
    pub mem_free_mb: Option<u32>,
}

impl WorkerBeat {
    /// What [`WorkerBeat::lag_ms`] is for a beat that is recorded at `recorded_at` and says that
    /// it was sent at `sent_at_ms`.
    #[must_use]
    pub const fn lag(recorded_at: Micros, sent_at_ms: u64) -> i64 {
        // Both wrap, so that whatever a worker says is found again exactly.
        recorded_at.millis().wrapping_sub(sent_at_ms).cast_signed()
    }

    /// When the worker says that it sent this, in milliseconds since 1970; `recorded_at` is the
    /// time of its envelope.
    #[must_use]
    pub const fn sent_at_ms(&self, recorded_at: Micros) -> Option<u64> {
        match self.lag_ms {
            Some(lag) => Some(recorded_at.millis().wrapping_sub(lag.cast_unsigned())),
            None => None,
        }
    }
}

/// A worker's lease was granted or renewed, apart from its heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseGranted {
    /// The worker.
    pub worker: WorkerNo,
    /// The session that holds the lease, from 1; a new one makes older session tokens void.
    pub session: u32,
}

/// A worker was silent past the grace; its session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLapsed {
    /// The worker.
    pub worker: WorkerNo,
    /// When it was last heard, in milliseconds since 1970 by our clock.
    pub last_heard_ms: u64,
}

/// A worker ended its session itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLoggedOut {
    /// The worker.
    pub worker: WorkerNo,
}
