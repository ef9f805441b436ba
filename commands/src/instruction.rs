//! Asking something of a worker, and its answer.

use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::worker::{ManifestChanged, WorkerUpdated};
use purser_events::{Event, Position, WorkerNo};
use purser_projections::Books;
use purser_projections::registry::Worker;
use serde::Serialize;

use crate::command::WorkerRef;
use crate::worker::{live, named};
use crate::{Answer, Rejection};

/// Ask something of a worker.
#[derive(Clone, Debug, Serialize)]
pub struct InstructWorker {
    /// The worker.
    pub worker: WorkerRef,
    /// What is asked for.
    pub instruction: Instruction,
}

/// Say whether a worker does what it was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerInstruction {
    /// The worker.
    pub worker: WorkerRef,
    /// The instruction's number.
    pub instruction: Position,
    /// Whether the worker does it.
    pub accepted: bool,
}

/// A worker that is not live is told when it comes back.
pub(crate) fn instruct(
    books: &Books,
    asked: &InstructWorker,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, _) = named(books, &asked.worker)?;
    into.push(Event::WorkerInstructed(Box::new(WorkerInstructed {
        worker,
        instruction: asked.instruction.clone(),
    })));
    Ok(Answer::Done)
}

/// What an accepted instruction changes is recorded as if the worker had reported it itself.
pub(crate) fn answer(
    books: &Books,
    answer: &AnswerInstruction,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, _) = live(books, &answer.worker)?;
    let projections = &books.projections;
    let number = answer.instruction;
    let instruction = projections.instructions.waiting(worker, number);
    let instruction = instruction.ok_or(Rejection::InstructionNotWaiting)?;
    into.push(Event::InstructionAnswered(InstructionAnswered {
        worker,
        instruction: number,
        accepted: answer.accepted,
    }));
    if answer.accepted {
        let known = projections.registry.worker(worker);
        into.extend(change(
            known.expect("a live worker has a file"),
            instruction,
        ));
    }
    Ok(Answer::Done)
}

/// The event of what changes, if anything does.
fn change(known: Worker<'_>, instruction: &Instruction) -> Option<Event> {
    let (worker, manifest) = (known.number, &known.file.manifest);
    match instruction {
        Instruction::CapPrice(cap) => {
            (manifest.price_micro > *cap).then(|| updated(worker, None, Some(*cap)))
        }
        Instruction::Drain(on) => {
            (known.pulse.busy != *on).then(|| updated(worker, Some(*on), None))
        }
        Instruction::SetTags(tags) => (manifest.tags != *tags).then(|| {
            let mut manifest = manifest.clone();
            manifest.tags.clone_from(tags);
            Event::ManifestChanged(Box::new(ManifestChanged { worker, manifest }))
        }),
    }
}

fn updated(worker: WorkerNo, busy: Option<bool>, price_micro: Option<u64>) -> Event {
    Event::WorkerUpdated(Box::new(WorkerUpdated {
        worker,
        queue_len: None,
        busy,
        current_jobs: None,
        price_micro,
    }))
}
