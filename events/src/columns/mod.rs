//! Envelopes in columns: each field of each kind of event in a place of its own, so that alike
//! numbers stand side by side and a general compressor finds little left to say.
//!
//! A column belongs to a path through the types: a struct's field, what an option holds, what an
//! enum's variant holds, what a sequence holds. Columns are numbered in the order in which the
//! paths are first taken. A reader takes the same paths in the same order, so no schema is stored.
//!
//! The form is only ever written together with a check that the very same rows come out again:
//! envelopes whose stored bytes are not what the codec would write now are kept as they are.

mod column;
mod decode;
mod encode;

#[cfg(test)]
mod tests;

use crate::Actor;

pub use decode::Decoder;
pub use encode::{Encoded, Encoder, Unsupported};

/// The root's places: one for each part of an envelope, and one for each kind of event.
mod slot {
    pub(super) const RECORDED_AT: usize = 0;
    pub(super) const COMMAND: usize = 1;
    pub(super) const ACTOR: usize = 2;
    pub(super) const ACTOR_NUMBER: usize = 3;
    pub(super) const KIND: usize = 4;
    pub(super) const RAW: usize = 5;
    pub(super) const BODIES: usize = 6;
}

/// Stands in the column of kinds for a row that is kept as it was.
const RAW_KIND: u64 = 0;

/// An actor as the number of its variant and the number that it carries.
const fn actor_parts(actor: Actor) -> (u64, u32) {
    use crate::{KeyTag, WorkerNo};
    match actor {
        Actor::Purser => (0, 0),
        Actor::CommandLine => (1, 0),
        Actor::Coordinator(KeyTag(tag)) => (2, tag),
        Actor::Operator(KeyTag(tag)) => (3, tag),
        Actor::Worker(WorkerNo(worker)) => (WORKER, worker),
        Actor::Newcomer => (5, 0),
    }
}

/// The variant of [`Actor::Worker`]. Its number is kept as the difference from the first number
/// of the event, because what a worker does mostly begins with that worker.
const WORKER: u64 = 4;

/// What [`actor_parts`] took apart.
const fn actor_from(variant: u64, number: u32) -> Option<Actor> {
    use crate::{KeyTag, WorkerNo};
    Some(match variant {
        0 => Actor::Purser,
        1 => Actor::CommandLine,
        2 => Actor::Coordinator(KeyTag(number)),
        3 => Actor::Operator(KeyTag(number)),
        WORKER => Actor::Worker(WorkerNo(number)),
        5 => Actor::Newcomer,
        _ => return None,
    })
}

/// A signed number such that small ones of either sign are small.
const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// What [`zigzag`] made of.
const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}
