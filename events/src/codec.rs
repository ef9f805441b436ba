//! Bytes to values and back: the one file that may name bincode.
//!
//! The stored form of an envelope is `recorded_at, command, actor` in bincode's standard
//! configuration (little endian, variable-length integers), one byte for the kind, one byte for
//! the version of that kind's form, then the kind's fields. The position is not stored: the block
//! gives it. Stored bytes stay readable for ever; `tests/golden` holds some of every version.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::{DecodeError as BincodeError, EncodeError};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Serialize};

use crate::{Actor, CommandStamp, Envelope, Event, EventKind, Micros, Position};

/// The version of every kind's stored form, until the first one changes.
const FORM: u8 = 1;

/// No single value in the log or a snapshot is larger than this.
const LIMIT: usize = 1 << 32;

type Config = Configuration<LittleEndian, Varint, Limit<LIMIT>>;

const fn config() -> Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not hold the value that was expected there.
    #[error("the bytes hold no value of the expected form")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("{0} bytes are left over after the value")]
    Trailing(usize),
    /// The kind or the version of its form is from a newer program.
    #[error("event kind {kind} in form {form} is not known to this program")]
    Unknown {
        /// The stored kind number.
        kind: u8,
        /// The stored form version.
        form: u8,
    },
}

impl From<BincodeError> for DecodeError {
    fn from(_: BincodeError) -> Self {
        Self::Malformed
    }
}

#[derive(Serialize)]
struct HeadOut<'a> {
    recorded_at: Micros,
    command: &'a Option<Box<CommandStamp>>,
    actor: Actor,
}

#[derive(Deserialize)]
struct HeadIn {
    recorded_at: Micros,
    command: Option<Box<CommandStamp>>,
    actor: Actor,
}

/// An event's body as something serde can serialise.
struct Body<'a>(&'a Event);

impl Serialize for Body<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_body(to)
    }
}

/// Appends the stored form of an envelope.
pub fn encode_envelope(envelope: &Envelope, into: &mut Vec<u8>) {
    let head = HeadOut {
        recorded_at: envelope.recorded_at,
        command: &envelope.command,
        actor: envelope.actor,
    };
    append(&head, into);
    into.push(envelope.event.kind() as u8);
    into.push(FORM);
    append(&Body(&envelope.event), into);
}

/// Reads the stored form of the envelope at `position`; `bytes` must hold nothing else.
///
/// # Errors
/// When the bytes are malformed, hold more than one envelope, or come from a newer program.
pub fn decode_envelope(position: Position, bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let (head, used): (HeadIn, usize) = bincode::serde::decode_from_slice(bytes, config())?;
    let &[kind, form, ref body @ ..] = &bytes[used..] else {
        return Err(DecodeError::Malformed);
    };
    let unknown = DecodeError::Unknown { kind, form };
    if form != FORM {
        return Err(unknown);
    }
    let (event, used) = decode_body(EventKind::from_number(kind).ok_or(unknown)?, body)?;
    if used != body.len() {
        return Err(DecodeError::Trailing(body.len() - used));
    }
    let HeadIn {
        recorded_at,
        command,
        actor,
    } = head;
    Ok(Envelope {
        position,
        recorded_at,
        command,
        actor,
        event,
    })
}

/// Knows from the kind what to read.
struct BodyOf(EventKind);

impl<'de> DeserializeSeed<'de> for BodyOf {
    type Value = Event;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Event, D::Error> {
        Event::deserialize_body(self.0, from)
    }
}

fn decode_body(kind: EventKind, bytes: &[u8]) -> Result<(Event, usize), DecodeError> {
    Ok(bincode::serde::seed_decode_from_slice(
        BodyOf(kind),
        bytes,
        config(),
    )?)
}

/// The stored form of any other value: snapshots, index records, what a command asked for.
#[must_use]
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    append(value, &mut bytes);
    bytes
}

/// Appends the stored form of any other value.
pub fn append<T: Serialize>(value: &T, into: &mut Vec<u8>) {
    bincode::serde::encode_into_writer(value, Appender(into), config())
        .expect("our own types serialise, and memory does not fail to be written");
}

/// Reads a value; `bytes` must hold nothing else.
///
/// # Errors
/// When the bytes are malformed or hold more.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, config())?;
    if used != bytes.len() {
        return Err(DecodeError::Trailing(bytes.len() - used));
    }
    Ok(value)
}

/// Writes at the end of a vector.
struct Appender<'a>(&'a mut Vec<u8>);

impl bincode::enc::write::Writer for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
