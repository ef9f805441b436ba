//! What a pool asks of a worker over its connection, and what the worker said.

use serde::{Deserialize, Serialize};

use crate::{Label, Position, WorkerNo};

/// A worker was asked for something; it holds until the worker answers, or until it is asked again
/// for something of the same kind. The position of this event is the instruction's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInstructed {
    /// The worker.
    pub worker: WorkerNo,
    /// What it was asked for.
    pub instruction: Instruction,
}

/// What a worker can be asked for. New ones are appended; none is ever removed or reordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Instruction {
    /// To ask for no more than this price, in millionths of a credit per kilosecond.
    CapPrice(u64),
    /// To go by these tags.
    SetTags(Vec<Label>),
    /// To take no further work, or to take work again.
    Drain(bool),
}

impl Instruction {
    /// The word that the API uses.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CapPrice(_) => "set_price_cap",
            Self::SetTags(_) => "update_tags",
            Self::Drain(_) => "drain",
        }
    }

    /// Whether both ask for the same kind of thing.
    #[must_use]
    pub fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A worker answered an instruction. What it changed by that stands in events of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionAnswered {
    /// The worker.
    pub worker: WorkerNo,
    /// The instruction's number.
    pub instruction: Position,
    /// Whether the worker does what it was asked for.
    pub accepted: bool,
}
