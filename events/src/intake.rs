//! Orchestrator events taken in from files: what was delivered, what it said, what it earned.

use serde::{Deserialize, Serialize};

use crate::{FileNo, Label, ModelNo, PartitionNo, Position, Seconds, TypeNo, WorkerNo};

pub use crate::job::{
    Attribution, Fee, JobProcessed, JobReattributed, JobReceived, Split, Suspense, TicketRedeemed,
};

/// The id that the source gave an event; equal texts are equal ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventId {
    /// A UUID in its canonical lower-case text form, as bytes.
    Uuid(#[serde(with = "crate::bytes::sixteen")] [u8; 16]),
    /// Any other text of up to 256 bytes.
    Text(Label),
    /// The SHA-256 of a text that is longer, or holds control characters.
    Digest(Box<[u8; 32]>),
}

/// The id that ties a received AI job to its processed one: not unique over time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestId {
    /// Eight lower-case hexadecimal digits, as a number.
    Hex(u32),
    /// Any other text of up to 256 bytes.
    Text(Label),
    /// The SHA-256 of a text that is longer, or holds control characters.
    Digest(Box<[u8; 32]>),
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
    /// The stamps of that file's key.
    pub stamps: FileStamps,
}

/// Where an event stands among those of its partition. Never the order of arrival: the same
/// events stand in the same order however they were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Order {
    /// The source's time.
    pub occurred_at: Seconds,
    /// Within a second, received jobs stand before everything else.
    pub rank: Rank,
    /// The key of the file that carried it.
    pub stamps: FileStamps,
    /// Its place in that file's array, from 0.
    pub index: u32,
    /// Taken from the source's id: tells apart two contents of one key.
    pub tie: u64,
}

/// What stands first within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rank {
    /// A received job.
    Received,
    /// Anything else.
    Other,
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

/// What came of a key so far. Each key is counted in one of these states; it moves downwards only.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum KeyState {
    /// Nothing was delivered under it.
    #[default]
    New,
    /// It is not `region/type/region-type-STAMP_STAMP.json`.
    BadName,
    /// It names a partition that was not declared.
    Unknown,
    /// Nothing that was delivered under it could be read.
    Unreadable,
    /// A content of it was read.
    Read,
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
    #[serde(with = "crate::bytes::thirty_two")]
    pub content: [u8; 32],
    /// The entity tag that it was delivered under.
    pub etag: Option<Label>,
    /// What came of its key before.
    pub before: KeyState,
    /// Elements of its array.
    pub elements: u32,
    /// Elements that are no events.
    pub malformed: u32,
    /// Elements whose region or node type is not the key's.
    pub misrouted: u32,
    /// Events that had been taken in before.
    pub duplicates: u32,
    /// Elements whose id had been taken in before with other content.
    pub conflicts: u32,
}

/// A file was set aside unread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileQuarantined {
    /// The key that it was delivered under.
    pub key: Label,
    /// The partition and the stamps that the key names, if the partition is declared.
    pub place: Option<(PartitionNo, FileStamps)>,
    /// SHA-256 of its bytes; of its version, if it is too large to be read.
    #[serde(with = "crate::bytes::thirty_two")]
    pub content: [u8; 32],
    /// The entity tag that it was delivered under.
    pub etag: Option<Label>,
    /// How many bytes it has.
    pub bytes: u64,
    /// Why it was set aside.
    pub reason: FileReason,
    /// What came of its key before.
    pub before: KeyState,
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
    /// It is larger than the files that are read; `content` is then the hash of its version.
    TooLarge,
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

/// How much a connect or disconnect says about its connection's present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Nothing: it names no payee or no connection, or its second holds too many of them.
    Void,
    /// Nothing any more: a later one of the same connection was taken in before.
    Superseded,
    /// It is the latest of its connection that was taken in.
    Latest,
}

/// A payee's connection was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerConnected {
    /// Where and when.
    pub taken: Taken,
    /// The payee, where the source named a valid address.
    pub worker: Option<WorkerNo>,
    /// The connection, usually `ip:port`, where the source named one.
    pub connection: Option<Label>,
    /// What it says about the connection's present state.
    pub standing: Standing,
}

/// A payee's connection was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDisconnected {
    /// Where and when.
    pub taken: Taken,
    /// The payee, where the source named a valid address.
    pub worker: Option<WorkerNo>,
    /// The connection, usually `ip:port`, where the source named one.
    pub connection: Option<Label>,
    /// What it says about the connection's present state.
    pub standing: Standing,
}

/// An orchestrator started anew: what was open in its partition before is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReset {
    /// Where and when.
    pub taken: Taken,
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
    /// The digest of what both say.
    pub content: u64,
    /// What is ordered anew.
    pub moved: Moved,
}

/// What an event that is ordered anew takes part in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moved {
    /// Nothing that has an order.
    Nothing,
    /// The received job of a request.
    Received(RequestId),
    /// The processed job of a request.
    Processed(RequestId),
    /// A connect or disconnect.
    Connection {
        /// The payee.
        worker: WorkerNo,
        /// The connection.
        connection: Label,
        /// Whether the event is a connect.
        opens: bool,
        /// Where the latest event of this connection stands now, if it is a connect.
        connected: Option<Order>,
    },
    /// A reset.
    Reset,
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
