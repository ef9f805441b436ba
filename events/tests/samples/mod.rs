//! At least one envelope of every kind, with every shape that its fields take.

mod grant;
mod instruction;
mod intake;
mod job;
mod matching;
mod payer;
mod payout;
mod ticket;
mod worker;

use purser_events::{
    Actor, Address, CommandStamp, Envelope, Event, KeyTag, Label, Micros, Position, WorkerNo,
};

/// Every sample with its name, which begins with the name of its kind.
pub(crate) fn all() -> Vec<(String, Envelope)> {
    let mut samples = envelopes();
    let events = worker::events().into_iter();
    let events = events.chain(instruction::events());
    let events = events.chain(intake::events()).chain(job::events());
    let events = events
        .chain(payer::events())
        .chain(ticket::events())
        .chain(payout::events());
    let events = events.chain(matching::events());
    let events = events.chain(grant::events());
    samples.extend(events.map(|(shape, event)| {
        let name = format!("{}.{shape}", event.kind().name());
        (
            name,
            envelope(Actor::Coordinator(KeyTag(0x0102_0304)), event),
        )
    }));
    samples
}

/// Every actor, and a command id.
fn envelopes() -> Vec<(String, Envelope)> {
    let actors = [
        ("purser", Actor::Purser),
        ("command_line", Actor::CommandLine),
        ("coordinator", Actor::Coordinator(KeyTag(u32::MAX))),
        ("operator", Actor::Operator(KeyTag(0))),
        ("worker", Actor::Worker(WorkerNo(70_000))),
        ("newcomer", Actor::Newcomer),
    ];
    let by = |(name, actor)| {
        let name = format!("worker_logged_out.by_{name}");
        (name, envelope(actor, worker::logged_out()))
    };
    let mut samples: Vec<_> = actors.into_iter().map(by).collect();
    let mut stamped = envelope(Actor::Purser, worker::logged_out());
    stamped.command = Some(Box::new(CommandStamp {
        id: label("retry-1"),
        content: [0xab; 16],
        events: 300,
    }));
    samples.push(("worker_logged_out.with_command_id".to_owned(), stamped));
    samples
}

fn envelope(actor: Actor, event: Event) -> Envelope {
    Envelope {
        position: Position(1),
        recorded_at: Micros(1_769_860_800_123_456),
        command: None,
        actor,
        event,
    }
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

pub(crate) const ADDRESS: Address = Address([0x1f; 20]);
