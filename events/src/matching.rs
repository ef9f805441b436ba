//! Matching: who fits a job and why, who was assigned, how it went, and where workers are.

use serde::{Deserialize, Serialize};

use crate::worker::KeyHash;
use crate::{KeyTag, Label, Position, WorkerNo};

/// A worker's lease ran out within the grace; it counts as reachable until it lapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDegraded {
    /// The worker.
    pub worker: WorkerNo,
    /// When it was last heard, in milliseconds since 1970 by our clock.
    pub last_heard_ms: u64,
}

/// An operator took a worker out of matching, until it is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSuspended {
    /// The worker.
    pub worker: WorkerNo,
    /// Why.
    pub reason: Label,
}

/// An operator let a worker be matched again; suspicion of fraud is cleared with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerResumed {
    /// The worker.
    pub worker: WorkerNo,
    /// Why.
    pub reason: Label,
}

/// A worker's id was bound to a new API key; the old one still opens it for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRotated {
    /// The worker.
    pub worker: WorkerNo,
    /// What is kept of the new key.
    pub key: KeyHash,
    /// The old key is good until this time, in milliseconds since 1970 by our clock.
    pub old_until_ms: u64,
}

/// The way to a worker was measured from a known place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionProbed {
    /// The worker.
    pub worker: WorkerNo,
    /// The region that the probe stands in.
    pub probe: Label,
    /// The shortest way there and back, in microseconds.
    pub rtt_us: u32,
    /// How many ways there and back were measured.
    pub samples: u32,
    /// How far the probe is from the region that the worker claims, in kilometres.
    pub distance_km: Option<u32>,
    /// What that says about the claim.
    pub finding: RegionFinding,
}

/// What a probe says about the region that a worker claims.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum RegionFinding {
    /// Nothing for or against it.
    #[default]
    Open,
    /// A probe inside the region is near.
    Verified,
    /// Light in fibre is slower than that: the worker is elsewhere.
    Contradicted,
}

/// The best workers for a job were chosen, and some of them assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchMade {
    /// The coordinator's id of the job.
    pub job: Label,
    /// Whose job it is; nobody else may report on it.
    pub coordinator: KeyTag,
    /// What the job asks for.
    pub ask: Ask,
    /// The weights of the score.
    pub weights: Weights,
    /// The last event that the registry, as it was looked at, had folded in.
    pub looked_at: Position,
    /// The best workers, best first, with what their scores are made of.
    pub candidates: Vec<Candidate>,
    /// How many workers were left out, by the first reason.
    pub left_out: Vec<(Reason, u32)>,
    /// The candidates that hold a slot for the job now.
    pub assigned: Vec<WorkerNo>,
    /// Without a report the slots are free again from this time on, in milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// What a job asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The task, as a capability `task:…` or as the bare word.
    pub task: Option<Label>,
    /// The least memory of the GPU in MiB.
    pub min_vram_mb: u32,
    /// The least main memory in MiB.
    pub min_ram_mb: u32,
    /// Accelerator kinds, one of which is needed.
    pub accel: Vec<Label>,
    /// Capabilities, one of which is needed; the more, the better.
    pub capabilities_any: Vec<Label>,
    /// Capabilities, all of which are needed.
    pub capabilities_all: Vec<Label>,
    /// Tags, one of which is needed.
    pub tags_any: Vec<Label>,
    /// The region, or its first segments.
    pub region: Option<Label>,
    /// Whether a claimed region is not enough.
    pub region_verified: bool,
    /// The greatest price in millionths of a credit per kilosecond.
    pub max_price_micro: Option<u64>,
    /// How soon the job has to be done, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// How many candidates are wanted.
    pub top_k: u32,
}

/// The weights of the parts of a score, in millionths; together they are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weights {
    /// Of the share of wanted capabilities.
    pub cap: u32,
    /// Of the price.
    pub price: u32,
    /// Of the latency.
    pub latency: u32,
    /// Of the trust.
    pub trust: u32,
    /// Of the load.
    pub load: u32,
}

impl Default for Weights {
    /// The pool hub's: 0.4, 0.2, 0.2, 0.15, 0.05.
    fn default() -> Self {
        Self {
            cap: 400_000,
            price: 200_000,
            latency: 200_000,
            trust: 150_000,
            load: 50_000,
        }
    }
}

impl Weights {
    /// What the weights add up to when they are whole.
    pub const WHOLE: u64 = 1_000_000;

    /// Whether they add up to one.
    #[must_use]
    pub const fn whole(&self) -> bool {
        let sum = self.cap as u64 + self.price as u64 + self.latency as u64;
        sum + self.trust as u64 + self.load as u64 == Self::WHOLE
    }
}

/// The parts of a score, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Components {
    /// The share of wanted capabilities.
    pub cap: u32,
    /// How cheap it is.
    pub price: u32,
    /// How quick it is among the workers of its region.
    pub latency: u32,
    /// How far it is trusted.
    pub trust: u32,
    /// How much room it has.
    pub load: u32,
}

impl Components {
    /// The score under some weights, in millionths, rounded down.
    #[must_use]
    pub const fn score(&self, weights: &Weights) -> u32 {
        let sum = weights.cap as u64 * self.cap as u64
            + weights.price as u64 * self.price as u64
            + weights.latency as u64 * self.latency as u64
            + weights.trust as u64 * self.trust as u64
            + weights.load as u64 * self.load as u64;
        (sum / Weights::WHOLE) as u32
    }
}

/// A worker that fits, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    /// The worker.
    pub worker: WorkerNo,
    /// The score in millionths.
    pub score_ppm: u32,
    /// What the score is made of.
    pub components: Components,
    /// Its price in millionths of a credit per kilosecond.
    pub price_micro: u64,
    /// When the job may be done, in milliseconds; absent when its latency is not known.
    pub eta_ms: Option<u64>,
}

/// Why a worker is left out of a match, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// It has no session.
    Inactive,
    /// It was silent past the grace.
    StaleHeartbeat,
    /// It is suspended: by an operator, for fraud, or by its trust.
    Suspended,
    /// It does not say that it does the task.
    Task,
    /// Its GPU has too little memory.
    Vram,
    /// It has too little main memory.
    Ram,
    /// It has none of the accelerators.
    Accel,
    /// It has none of the capabilities, or not all that are needed.
    Capabilities,
    /// It has none of the tags.
    Tags,
    /// It does not claim the region.
    Region,
    /// It claims the region, and nobody has seen it there.
    RegionUnverified,
    /// It cannot be where it claims to be.
    RegionContradicted,
    /// It is too dear.
    Price,
    /// It has no room.
    Capacity,
    /// It would be late, or nobody knows.
    Deadline,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 15] = [
        Self::Inactive,
        Self::StaleHeartbeat,
        Self::Suspended,
        Self::Task,
        Self::Vram,
        Self::Ram,
        Self::Accel,
        Self::Capabilities,
        Self::Tags,
        Self::Region,
        Self::RegionUnverified,
        Self::RegionContradicted,
        Self::Price,
        Self::Capacity,
        Self::Deadline,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::StaleHeartbeat => "stale_heartbeat",
            Self::Suspended => "suspended",
            Self::Task => "task",
            Self::Vram => "vram",
            Self::Ram => "ram",
            Self::Accel => "accel",
            Self::Capabilities => "capabilities",
            Self::Tags => "tags",
            Self::Region => "region",
            Self::RegionUnverified => "region_unverified",
            Self::RegionContradicted => "region_contradicted",
            Self::Price => "price",
            Self::Capacity => "capacity",
            Self::Deadline => "deadline",
        }
    }
}

/// A coordinator told how an assigned job went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackGiven {
    /// The coordinator's id of the job.
    pub job: Label,
    /// Whose job it is.
    pub coordinator: KeyTag,
    /// The worker.
    pub worker: WorkerNo,
    /// How it went.
    pub outcome: Outcome,
    /// How long the worker took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Why it failed or was refused, as the coordinator put it.
    pub fail_code: Option<Label>,
    /// What the job cost, in tokens.
    pub tokens_spent: Option<u64>,
    /// What it counts for or against the worker.
    pub evidence: Evidence,
    /// How far the worker is trusted from now on, in millionths.
    pub trust_ppm: u32,
    /// How soon the job had to be done, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// An acceptance: without a further report it counts as expired from this time on, in
    /// milliseconds since 1970.
    pub expires_at_ms: Option<u64>,
}

/// How an assigned job went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The worker took it.
    Accepted,
    /// It is done.
    Completed,
    /// The worker refused it.
    Rejected,
    /// It failed.
    Failed,
}

impl Outcome {
    /// The word that answers and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing can follow it.
    #[must_use]
    pub const fn terminal(self) -> bool {
        !matches!(self, Self::Accepted)
    }
}

/// What an outcome counts for or against a worker, in thousandths of an observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// For it.
    pub success_milli: u32,
    /// Against it.
    pub failure_milli: u32,
    /// Whether the worker is suspended for it until an operator clears it.
    pub fraud: bool,
}

/// Nobody reported on an assigned job in time; its slot is free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentExpired {
    /// The coordinator's id of the job.
    pub job: Label,
    /// The worker.
    pub worker: WorkerNo,
    /// What it counts against the worker: something only when the worker had accepted.
    pub evidence: Evidence,
}
