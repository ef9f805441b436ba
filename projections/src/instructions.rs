//! What workers were asked for and have not answered yet.

use std::collections::BTreeMap;

use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::{Event, Position, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

/// What workers were asked for and have not answered yet: at most one of each kind per worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    waiting: BTreeMap<WorkerNo, Vec<Waiting>>,
}

/// An instruction that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its number: the position of its event.
    pub number: Position,
    /// What is asked for.
    pub instruction: Instruction,
}

impl Instructions {
    /// Folds one event in.
    ///
    /// # Panics
    /// When an instruction is answered that does not wait: history that `decide` could not have
    /// written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::WorkerInstructed(asked) => self.ask(fact.position, asked),
            Event::InstructionAnswered(answered) => self.answer(answered),
            _ => {}
        }
    }

    fn ask(&mut self, number: Position, asked: &WorkerInstructed) {
        let waiting = self.waiting.entry(asked.worker).or_default();
        waiting.retain(|older| !older.instruction.same_kind(&asked.instruction));
        waiting.push(Waiting {
            number,
            instruction: asked.instruction.clone(),
        });
    }

    fn answer(&mut self, answered: &InstructionAnswered) {
        let waiting = self.waiting.get_mut(&answered.worker);
        let waiting = waiting.expect("only what was asked is answered");
        let at = waiting
            .iter()
            .position(|one| one.number == answered.instruction);
        waiting.remove(at.expect("an instruction is answered once"));
        if waiting.is_empty() {
            self.waiting.remove(&answered.worker);
        }
    }

    /// What a worker was asked for and has not answered, oldest first.
    #[must_use]
    pub fn of(&self, worker: WorkerNo) -> &[Waiting] {
        self.waiting.get(&worker).map_or(&[], Vec::as_slice)
    }

    /// An instruction that waits, by its number.
    #[must_use]
    pub fn waiting(&self, worker: WorkerNo, number: Position) -> Option<&Instruction> {
        let found = self.of(worker).iter().find(|one| one.number == number);
        found.map(|one| &one.instruction)
    }
}
