//! What a pool adds up to, under names instead of numbers: the same for every order of delivery.

mod build;
mod digest;
mod samples;

use std::collections::BTreeMap;

use purser_events::Wei;
use serde::{Serialize, Serializer};

pub use build::ReportBuilder;
pub use digest::state_digest;

/// What a pool adds up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Keys, files and elements.
    pub counts: Counts,
    /// By `type|region`.
    pub partitions: BTreeMap<String, PartitionReport>,
    /// Over all partitions.
    pub totals: Totals,
    /// By address.
    pub workers: BTreeMap<String, WorkerReport>,
}

/// Keys, files and elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Elements of all files that were read.
    pub elements_total: u64,
    /// Events that are no first ones of their id.
    pub events_duplicate: u64,
    /// Elements that are no events.
    pub events_malformed: u64,
    /// Elements whose region or node type is not the key's.
    pub events_misrouted: u64,
    /// Events, each counted once.
    pub events_unique: u64,
    /// Events with all their copies.
    pub events_valid: u64,
    /// Keys under which nothing readable was delivered.
    pub files_malformed: u64,
    /// Keys under which something readable was delivered.
    pub files_ok: u64,
    /// No well-formed keys.
    pub keys_bad_name: u64,
    /// All keys.
    pub keys_total: u64,
    /// Keys of partitions that are not declared.
    pub keys_unknown_partition: u64,
}

/// What one partition adds up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// Open connections.
    pub active_connections: u64,
    /// Workers with an open connection.
    pub active_workers: u64,
    /// Events by the source's word for their type.
    pub by_type: BTreeMap<String, u64>,
    /// The pool's share of fees.
    pub commission_wei: WeiText,
    /// Fees of payable jobs.
    pub fees_wei: WeiText,
    /// How the jobs turned out.
    pub jobs: Jobs,
    /// By `model | pipeline`; AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<BTreeMap<String, ModelReport>>,
    /// The workers' share of fees.
    pub net_wei: WeiText,
    /// By worker; transcoding only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance: Option<BTreeMap<String, Performance>>,
    /// Received jobs; AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Received>,
    /// Fees that nobody is known to have earned.
    pub suspense_fees_wei: WeiText,
    /// The pool's income.
    pub tickets: Tickets,
    /// Events, each counted once.
    pub unique_events: u64,
    /// Everybody who earned something here or has an open connection.
    pub workers: BTreeMap<String, PartitionWorker>,
    /// Workers whose net fees of this partition alone reach the payout threshold.
    pub workers_due: u64,
}

/// How the jobs of a partition turned out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jobs {
    /// Jobs whose fee is no integer of at most 63 bits.
    pub bad_fee: u64,
    /// Jobs whose fee is not units times price.
    pub fee_mismatch: u64,
    /// Transcoding jobs without a valid address.
    pub no_address: u64,
    /// AI jobs without a request id.
    pub no_request_id: u64,
    /// Jobs whose fee is zero or less.
    pub nonpositive_fee: u64,
    /// AI jobs without a received job before them.
    pub orphan: u64,
    /// Jobs with a positive fee and a known worker.
    pub payable: u64,
    /// All of them.
    pub processed: u64,
}

/// Response times of one model and pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelReport {
    /// Twice the median, in nanoseconds.
    pub response_time_ns_median_x2: i128,
    /// How many there are.
    pub samples: u64,
    /// By worker.
    pub workers: BTreeMap<String, ModelWorker>,
}

/// Response times of one worker for one model and pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ModelWorker {
    /// Twice the median, in nanoseconds.
    pub response_time_ns_median_x2: i128,
    /// How many there are.
    pub samples: u64,
}

/// How fast one worker transcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Performance {
    /// Twice the median of the duration over the response time, in thousandths.
    pub real_time_milli_median_x2: i128,
    /// Twice the median of the source's truncated ratio.
    pub real_time_ratio_median_x2: i128,
    /// Twice the median of the response time, in milliseconds.
    pub response_time_ms_median_x2: i128,
    /// How many there are.
    pub samples: u64,
}

/// Received AI jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Those that a processed job was matched to.
    pub matched: u64,
    /// All of them.
    pub total: u64,
    /// The others.
    pub unmatched: u64,
}

/// The pool's income.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tickets {
    /// Attempts to redeem one.
    pub count: u64,
    /// The face value of those that succeeded.
    pub face_value_wei: WeiText,
    /// Those that succeeded.
    pub redeemed: u64,
}

/// One worker in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PartitionWorker {
    /// The pool's share.
    pub commission_wei: WeiText,
    /// Open connections.
    pub connections: Vec<String>,
    /// Fees before the pool's share.
    pub fees_wei: WeiText,
    /// Payable jobs.
    pub jobs: u64,
    /// The worker's share.
    pub net_wei: WeiText,
}

/// One worker over all partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkerReport {
    /// Open connections.
    pub active_connections: u64,
    /// The pool's share.
    pub commission_wei: WeiText,
    /// Whether the net fees of one partition alone reach the payout threshold.
    pub due_in_some_partition: bool,
    /// Whether the net fees of all partitions together reach it.
    pub due_on_total: bool,
    /// Fees before the pool's share.
    pub fees_wei: WeiText,
    /// Payable jobs.
    pub jobs: u64,
    /// The worker's share.
    pub net_wei: WeiText,
}

/// All partitions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Open connections.
    pub active_connections: u64,
    /// The pool's share of fees.
    pub commission_wei: WeiText,
    /// Fees of payable jobs.
    pub fees_wei: WeiText,
    /// Payable jobs.
    pub jobs_payable: u64,
    /// The workers' share of fees.
    pub net_wei: WeiText,
    /// Fees that nobody is known to have earned.
    pub suspense_fees_wei: WeiText,
    /// The face value of redeemed tickets.
    pub tickets_face_value_wei: WeiText,
    /// Everybody who earned something or has an open connection.
    pub workers: u64,
}

/// An amount that is written as a text of digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeiText(pub Wei);

impl Serialize for WeiText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl WeiText {
    fn add(&mut self, amount: Wei) {
        self.0 = self.0.plus(amount);
    }
}
