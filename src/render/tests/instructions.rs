//! Instructions and their answers.

use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::{Envelope, Event, Position, WorkerNo};

use super::history::{label, numbered};

/// Instructions, in a range of numbers of their own.
pub(super) fn history() -> Vec<Envelope> {
    let from = 7_000;
    let worker = WorkerNo(1);
    let asked = |instruction| {
        Event::WorkerInstructed(Box::new(WorkerInstructed {
            worker,
            instruction,
        }))
    };
    let said = |instruction, accepted| {
        Event::InstructionAnswered(InstructionAnswered {
            worker,
            instruction: Position(instruction),
            accepted,
        })
    };
    let events = vec![
        asked(Instruction::CapPrice(750_000)),
        asked(Instruction::SetTags(vec![label("eu"), label("a \"b\"")])),
        asked(Instruction::Drain(true)),
        said(from, true),
        said(from + 2, false),
    ];
    numbered(from, events)
}
