//! Orchestrator events taken in from files: what was delivered, what it said, what it earned.

use serde::{Deserialize, Serialize};

use crate::{
    Address, BasisPoints, FileNo, Label, ModelNo, PartitionNo, Position, Seconds, TypeNo, Wei,
    WorkerNo,
};

/// The id that the source gave an event; equal texts are equal ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventId {
    /// A UUID in its canonical lower-case text form, as bytes.
    Uuid([u8; 16]),
    /// Any other text of up to 256 bytes.
    Text(Label),
    /// The SHA-256 of a text that is longer, or holds control characters.
    Digest([u8; 32]),
}

/// The id that ties a received AI job to its processed one: not unique over time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestId {
    /// Eight lower-case hexadecimal digits, as a number.
    Hex(u32),
    /// Any other text of up to 256 bytes.
    Text(Label),
    /// The SHA-256 of a text that is longer, or holds control characters.
    Digest([u8; 32]),
}

/// Where and when the source put an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The source's id.
    pub id: EventId,
    /// The source's time; orders connections and matching, never money.
    pub occurred_at: Seconds,
    /// The file that carried it.
    pub file: FileNo,
    /// Its place in that file's array, from 0.
    pub index: u32,
    /// The partition of that file.
    pub partition: PartitionNo,
}

/// The first and last stamp of a file key, `YYYYMMDDTHHMMSSZ` read as 14-digit numbers.
///
/// Within a partition these order files exactly as their keys do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FileStamps {
    /// The first stamp.
    pub start: u64,
    /// The last stamp.
    pub end: u64,
}

/// A file was read whole; the events that it brought stand just before this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTaken {
    /// The file's number: the next one.
    pub file: FileNo,
    /// The partition that its key names.
    pub partition: PartitionNo,
    /// The stamps of its key.
    pub stamps: FileStamps,
    /// SHA-256 of its bytes: with the key, its identity.
    pub content: [u8; 32],
    /// The entity tag that it was delivered under.
    pub etag: Option<Label>,
    /// Whether this key had been quarantined as unreadable before, and how often.
    pub repairs: u32,
    /// Whether an earlier content of this key was read before.
    pub again: bool,
    /// Elements of its array.
    pub elements: u32,
    /// Elements that are no events.
    pub malformed: u32,
    /// Elements whose region or node type is not the key's.
    pub misrouted: u32,
    /// Events that had been taken in before.
    pub duplicates: u32,
}

/// A file was set aside unread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileQuarantined {
    /// The key that it was delivered under.
    pub key: Label,
    /// SHA-256 of its bytes.
    pub content: [u8; 32],
    /// The entity tag that it was delivered under.
    pub etag: Option<Label>,
    /// How many bytes it has.
    pub bytes: u64,
    /// Why it was set aside.
    pub reason: FileReason,
    /// Whether this adds a row to the report: no other content of the key was set aside for this
    /// reason, or read, before.
    pub counted: bool,
}

/// Why a file was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FileReason {
    /// The key is not `region/type/region-type-STAMP_STAMP.json`.
    BadName,
    /// The key names a partition that is not declared.
    UnknownPartition,
    /// The bytes are no UTF-8 text.
    NotUtf8,
    /// The text is no JSON, or is cut.
    NotJson,
    /// The JSON is no array.
    NotArray,
}

/// One element of a file was set aside; the rest of the file was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementQuarantined {
    /// The file.
    pub file: FileNo,
    /// The element's place in the array, from 0.
    pub index: u32,
    /// Why it was set aside.
    pub reason: ElementReason,
    /// The first bytes of the element, for a person to look at.
    pub excerpt: Option<Label>,
}

/// Why an element was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ElementReason {
    /// It is no JSON object.
    NotObject,
    /// `ID`, `EventType`, `NodeType` or `Region` is missing, empty or no text.
    BadField,
    /// `DT` is no time of the form `YYYY-MM-DDTHH:MM:SSZ`.
    BadTime,
    /// `Payload` is no object.
    BadPayload,
    /// `Version` is not 1.
    BadVersion,
    /// The region or node type is not the key's.
    Misrouted,
    /// The id was taken in before with other content; the first content stands.
    IdConflict,
}

/// A payee's connection was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerConnected {
    /// Where and when.
    pub taken: Taken,
    /// The payee; absent when the source named none, and then without effect.
    pub worker: Option<WorkerNo>,
    /// The connection, usually `ip:port`.
    pub connection: Label,
    /// Whether it is open now: no later disconnect or reset was taken in before.
    pub open: bool,
}

/// A payee's connection was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDisconnected {
    /// Where and when.
    pub taken: Taken,
    /// The payee; absent when the source named none, and then without effect.
    pub worker: Option<WorkerNo>,
    /// The connection, usually `ip:port`.
    pub connection: Label,
    /// Whether it closed a connection that counted as open.
    pub closed: bool,
}

/// An orchestrator started anew: what was open in its partition before is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReset {
    /// Where and when.
    pub taken: Taken,
}

/// An AI worker answered a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReceived {
    /// Where and when.
    pub taken: Taken,
    /// The request; absent when the source named none, and then without effect.
    pub request: Option<RequestId>,
    /// The payee; absent when the source named none, and then without effect.
    pub worker: Option<WorkerNo>,
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

/// A late fact showed that a connection is open, or that it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCorrected {
    /// The partition.
    pub partition: PartitionNo,
    /// The payee.
    pub worker: WorkerNo,
    /// The connection.
    pub connection: Label,
    /// Whether it is open from now on.
    pub open: bool,
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
    /// The ticket's face value; absent when the source's is no integer from 0 to 2^128 - 1.
    pub face_value: Option<Wei>,
    /// The chain transaction; absent when the attempt failed.
    pub tx_hash: Option<[u8; 32]>,
}

/// An event of a type that is counted and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherTaken {
    /// Where and when.
    pub taken: Taken,
    /// Its type.
    pub event_type: TypeNo,
}

/// A copy of an event was found in an earlier place; from now on it is ordered by that place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierCopyFound {
    /// The event.
    pub event: Position,
    /// The copy's place.
    pub copy: Taken,
    /// The request that the event belongs to, where it is matched by one.
    pub request: Option<RequestId>,
    /// The connection that the event belongs to.
    pub connection: Option<(WorkerNo, Label)>,
    /// Whether the event is a reset.
    pub reset: bool,
}

/// A model and pipeline were named for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelNamed {
    /// The number: the next one.
    pub model: ModelNo,
    /// The model.
    pub model_id: Label,
    /// The pipeline.
    pub pipeline: Label,
}

/// An event type was named for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeNamed {
    /// The number: the next one.
    pub event_type: TypeNo,
    /// The source's word.
    pub name: Label,
}
