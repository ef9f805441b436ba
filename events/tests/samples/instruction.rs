//! Samples of what workers are asked for.

use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::{Event, Position, WorkerNo};

use super::label;

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let worker = WorkerNo(300);
    let asked = |instruction| {
        Event::WorkerInstructed(Box::new(WorkerInstructed {
            worker,
            instruction,
        }))
    };
    let said = |accepted| {
        Event::InstructionAnswered(InstructionAnswered {
            worker,
            instruction: Position(70_000),
            accepted,
        })
    };
    vec![
        ("cap_price", asked(Instruction::CapPrice(u64::MAX))),
        (
            "set_tags",
            asked(Instruction::SetTags(vec![label("eu"), label("quiet")])),
        ),
        ("drain", asked(Instruction::Drain(true))),
        ("resume", asked(Instruction::Drain(false))),
        ("accepted", said(true)),
        ("refused", said(false)),
    ]
}
