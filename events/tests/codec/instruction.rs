//! Instructions with any content.

use proptest::collection::vec;
use proptest::prelude::*;
use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::{Event, Position, WorkerNo};

use crate::arbitrary::label;

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let instruction = prop_oneof![
        any::<u64>().prop_map(Instruction::CapPrice),
        vec(label(), 0..4).prop_map(Instruction::SetTags),
        any::<bool>().prop_map(Instruction::Drain),
    ];
    prop_oneof![
        (any::<u32>(), instruction).prop_map(|(worker, instruction)| {
            Event::WorkerInstructed(Box::new(WorkerInstructed {
                worker: WorkerNo(worker),
                instruction,
            }))
        }),
        (any::<u32>(), any::<u64>(), any::<bool>()).prop_map(|(worker, number, accepted)| {
            Event::InstructionAnswered(InstructionAnswered {
                worker: WorkerNo(worker),
                instruction: Position(number),
                accepted,
            })
        }),
    ]
}
