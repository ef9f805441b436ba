//! AI and transcoding jobs: what they earned, and who earned it; and the tickets that pay for them.

use serde::{Deserialize, Serialize};

use crate::intake::{RequestId, Taken};
use crate::{Address, BasisPoints, Label, ModelNo, PartitionNo, Position, Wei, WorkerNo};

/// An AI worker answered a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReceived {
    /// Where and when.
    pub taken: Taken,
    /// The request, where the source named one.
    pub request: Option<RequestId>,
    /// The payee, where the source named a valid address.
    pub worker: Option<WorkerNo>,
    /// Whether it may be matched: it is an AI job, names both, and its request has room.
    pub matchable: bool,
}

/// A job was done, and what it earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProcessed {
    /// Where and when.
    pub taken: Taken,
    /// The request that it answers.
    pub request: Option<RequestId>,
    /// The model and pipeline; only AI jobs have them.
    pub model: Option<ModelNo>,
    /// Units of compute.
    pub units: Option<i64>,
    /// Price of one unit in wei.
    pub price_wei: Option<i64>,
    /// How long the worker took: nanoseconds for AI, milliseconds for transcoding.
    pub response_time: Option<i64>,
    /// Length of the source segment in milliseconds.
    pub duration_ms: Option<i64>,
    /// The source's truncated ratio of duration to response time.
    pub real_time_ratio: Option<i64>,
    /// What the source says was earned.
    pub fee: Fee,
    /// Who earned it.
    pub attribution: Attribution,
    /// How it is shared out.
    pub split: Split,
}

/// What a source says a job earned, in wei.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fee {
    /// A positive amount of at most 2^63 - 1.
    Payable(u64),
    /// Zero or less: work that earned nothing.
    NonPositive(i64),
    /// No integer, or beyond 63 bits; the text that stood there, if any.
    Bad(Option<Label>),
}

impl Fee {
    /// The amount that moves money.
    #[must_use]
    pub const fn payable(&self) -> u64 {
        match self {
            Self::Payable(wei) => *wei,
            Self::NonPositive(_) | Self::Bad(_) => 0,
        }
    }
}

/// Who earned a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attribution {
    /// This worker.
    Worker(WorkerNo),
    /// Nobody that is known yet.
    Suspense(Suspense),
}

/// Why nobody is known to have earned a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Suspense {
    /// No received job stands before the processed one.
    Orphan,
    /// A transcoding job without a valid address.
    NoAddress,
    /// An AI job without a request id.
    NoRequestId,
    /// Too many jobs share the request's id.
    Crowded,
}

/// How a fee is shared out: commission is `floor(fee x rate / 10,000)`, the worker gets the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The event that set the rate.
    pub policy: Position,
    /// The rate.
    pub commission: BasisPoints,
}

/// A late fact showed that somebody else earned a fee: the old credit is reversed, a new one made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReattributed {
    /// The processed job.
    pub job: Position,
    /// Its partition.
    pub partition: PartitionNo,
    /// Its request.
    pub request: RequestId,
    /// Its model and pipeline.
    pub model: Option<ModelNo>,
    /// How long the worker took, in nanoseconds.
    pub response_time: Option<i64>,
    /// Its fee.
    pub fee: Fee,
    /// Who was credited until now.
    pub from: Attribution,
    /// How that credit was shared out.
    pub from_split: Split,
    /// Who is credited from now on.
    pub to: Attribution,
    /// How this credit is shared out.
    pub to_split: Split,
    /// The late event that showed it.
    pub cause: Position,
}

/// A ticket of the pool was redeemed, or the attempt failed: the pool's income.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRedeemed {
    /// Where and when.
    pub taken: Taken,
    /// Who was paid.
    pub recipient: Option<Address>,
    /// Who pays.
    pub sender: Option<Address>,
    /// The ticket's face value; absent when the source's is no integer from 0 to
    /// [`Amount::MAX`](crate::Amount::MAX).
    pub face_value: Option<Wei>,
    /// The chain transaction; absent when the attempt failed.
    pub tx_hash: Option<[u8; 32]>,
}
