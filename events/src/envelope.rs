//! What the log keeps around an event.

use serde::{Deserialize, Serialize};

use crate::{Event, Label, Micros, Position, WorkerNo};

/// An event with its place in the log and how it came there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The place in the log. Not part of the stored bytes: the block's key and order give it.
    pub position: Position,
    /// When it was recorded, by our clock; never before its predecessor.
    pub recorded_at: Micros,
    /// On the first event of a command that carried an id: that id and what was asked.
    pub command: Option<Box<CommandStamp>>,
    /// Who issued the command.
    pub actor: Actor,
    /// What happened.
    pub event: Event,
}

impl Envelope {
    /// What a fold needs of this envelope.
    #[must_use]
    pub const fn recorded(&self) -> Recorded<'_> {
        Recorded {
            position: self.position,
            recorded_at: self.recorded_at,
            event: &self.event,
        }
    }
}

/// What a fold needs of an envelope.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The place in the log.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// What happened.
    pub event: &'a Event,
}

/// The id that a command was sent under, and what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStamp {
    /// The id: any text of up to 128 bytes.
    pub id: Label,
    /// The first half of the SHA-256 of the command's content.
    #[serde(with = "crate::bytes::sixteen")]
    pub content: [u8; 16],
    /// How many events the command led to; this is the first of them.
    pub events: u32,
}

/// Who issued a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// Purser itself: first start, sweeper.
    Purser,
    /// A person at the command line, on a data directory that no server held.
    CommandLine,
    /// The holder of a coordinator key.
    Coordinator(KeyTag),
    /// The holder of an operator key.
    Operator(KeyTag),
    /// A worker, by its session or its API key.
    Worker(WorkerNo),
    /// A worker that is not registered yet.
    Newcomer,
}

/// The first four bytes of the SHA-256 of a key: tells keys apart, says nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyTag(pub u32);
