//! Taking in a delivered file: which of its elements are new, who earned what.

use purser_events::intake::{ElementReason, EventId, FileReason, FileStamps, RequestId};
use purser_events::policy::NodeType;
use purser_events::{Address, Label, Seconds, Wei};
use serde::Serialize;

mod connection;
mod element;
mod matching;
mod recall;
mod take;

pub use take::take_file;

/// Take in a delivered file. The shell has read its bytes into typed elements; what they mean is
/// decided here.
#[derive(Clone, Debug, Serialize)]
pub struct TakeFile {
    /// The key that it was delivered under.
    pub key: Label,
    /// What the key says; absent when it is not `region/type/region-type-STAMP_STAMP.json`.
    pub name: Option<FileName>,
    /// SHA-256 of the bytes: with the key, the file's identity.
    pub content: [u8; 32],
    /// The entity tag that it was delivered under.
    pub etag: Option<Label>,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it holds, or why it cannot be read. Not part of the command's content: the hash is.
    #[serde(skip)]
    pub elements: Result<Vec<Element>, FileReason>,
}

/// What a well-formed key says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileName {
    /// The node type.
    pub node_type: NodeType,
    /// The region.
    pub region: Label,
    /// The stamps.
    pub stamps: FileStamps,
}

/// One element of a file's array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// It is no event of this file.
    SetAside {
        /// Why.
        reason: ElementReason,
        /// Its first bytes.
        excerpt: Option<Label>,
    },
    /// It is an event.
    Event {
        /// The source's id.
        id: EventId,
        /// The source's time.
        occurred_at: Seconds,
        /// What it says.
        says: Says,
    },
}

/// What an orchestrator event says, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// `orchestrator-reset`
    Reset,
    /// `worker-connected`
    Connected {
        /// The payee.
        worker: Option<Address>,
        /// The connection.
        connection: Option<Label>,
    },
    /// `worker-disconnected`
    Disconnected {
        /// The payee.
        worker: Option<Address>,
        /// The connection.
        connection: Option<Label>,
    },
    /// `job-received`
    Received {
        /// The request.
        request: Option<RequestId>,
        /// The payee.
        worker: Option<Address>,
    },
    /// `job-processed`
    Processed(Box<Processed>),
    /// `ticket-redeemed`
    Ticket {
        /// Who was paid.
        recipient: Option<Address>,
        /// Who pays.
        sender: Option<Address>,
        /// The face value.
        face_value: Option<Wei>,
        /// The chain transaction; absent when the attempt failed.
        tx_hash: Option<[u8; 32]>,
    },
    /// Any other type.
    Other(Label),
}

/// What a `job-processed` event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processed {
    /// The payee, where the source names one.
    pub worker: Option<Address>,
    /// The request.
    pub request: Option<RequestId>,
    /// The model; `unknown_model` when the source names none.
    pub model_id: Label,
    /// The pipeline; `unknown_pipeline` when the source names none.
    pub pipeline: Label,
    /// Units of compute.
    pub units: Option<i64>,
    /// Price of one unit in wei.
    pub price_wei: Option<i64>,
    /// Nanoseconds for AI, milliseconds for transcoding.
    pub response_time: Option<i64>,
    /// Length of the source segment in milliseconds.
    pub duration_ms: Option<i64>,
    /// The source's truncated ratio.
    pub real_time_ratio: Option<i64>,
    /// What the source says was earned.
    pub fee: purser_events::intake::Fee,
}
