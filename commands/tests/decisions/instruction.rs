//! Asking something of workers.

use crate::script::{Row, World, check, row};

pub(crate) const ROWS: &[Row] = &[
    row(
        "a worker is asked by its id, whether or not it is live",
        "register m key=k; logout m",
        "instruct m drain yes",
        "done: worker_instructed",
    ),
    row(
        "nobody is asked who never registered",
        "",
        "instruct m drain yes",
        "unknown_worker",
    ),
    row(
        "a price above the cap comes down to it",
        "register m key=k price=9; instruct m cap 5",
        "answer 0/1 2 yes",
        "done: instruction_answered worker_updated",
    ),
    row(
        "a price below the cap stays",
        "register m key=k price=5; instruct m cap 5",
        "answer 0/1 2 yes",
        "done: instruction_answered",
    ),
    row(
        "tags are replaced",
        "register m key=k; instruct m tags eu,slow",
        "answer 0/1 2 yes",
        "done: instruction_answered manifest_changed",
    ),
    row(
        "the same tags change nothing",
        "register m key=k; instruct m tags quiet",
        "answer 0/1 2 yes",
        "done: instruction_answered",
    ),
    row(
        "a worker that drains is busy",
        "register m key=k; instruct m drain yes",
        "answer 0/1 2 yes",
        "done: instruction_answered worker_updated",
    ),
    row(
        "a worker that takes work again and was not busy changes nothing",
        "register m key=k; instruct m drain no",
        "answer 0/1 2 yes",
        "done: instruction_answered",
    ),
    row(
        "a worker may refuse",
        "register m key=k price=9; instruct m cap 5",
        "answer 0/1 2 no",
        "done: instruction_answered",
    ),
    row(
        "an instruction is answered once",
        "register m key=k; instruct m drain yes; answer 0/1 2 yes",
        "answer 0/1 2 yes",
        "instruction_not_waiting",
    ),
    row(
        "what is asked anew takes the place of what was asked before",
        "register m key=k; instruct m cap 5; instruct m cap 4",
        "answer 0/1 2 yes",
        "instruction_not_waiting",
    ),
    row(
        "what is of another kind waits beside it",
        "register m key=k; instruct m cap 5; instruct m drain yes",
        "answer 0/1 2 yes",
        "done: instruction_answered",
    ),
    row(
        "nobody answers for another",
        "register m key=k; register n key=k; instruct m drain yes",
        "answer 1/1 3 yes",
        "instruction_not_waiting",
    ),
    row(
        "an ended session answers nothing",
        "register m key=k; instruct m drain yes; logout m",
        "answer 0/1 2 yes",
        "session_ended",
    ),
    row(
        "a worker that came back answers what was asked before",
        "register m key=k; instruct m drain yes; logout m; register m key=k",
        "answer 0/2 2 yes",
        "done: instruction_answered worker_updated",
    ),
];

#[test]
fn instructions_are_decided_row_by_row() {
    ROWS.iter().for_each(check);
}

#[test]
fn only_what_waits_is_kept() {
    let mut world = World::default();
    for line in [
        "register m key=k price=9",
        "instruct m cap 5",
        "instruct m drain yes",
        "instruct m cap 4",
    ] {
        world.play(line).expect(line);
    }
    let worker = purser_events::WorkerNo(0);
    let waiting = |world: &World| -> Vec<u64> {
        let of = world.books.projections.instructions.of(worker);
        of.iter().map(|one| one.number.0).collect()
    };
    assert_eq!(waiting(&world), [3, 4]);
    world.play("answer 0/1 4 yes").expect("it waits");
    let known = world.books.projections.registry.worker(worker);
    assert_eq!(known.expect("it is known").file.manifest.price_micro, 4);
    world.play("answer 0/1 3 no").expect("it waits");
    assert!(waiting(&world).is_empty());
    let none = purser_projections::instructions::Instructions::default();
    assert_eq!(world.books.projections.instructions, none);
}
