//! Which events are wanted.

use purser_events::intake::{Attribution, Moved};
use purser_events::payout::Draw;
use purser_events::{Envelope, Event, EventKind, Position, WorkerNo};

/// Which events are wanted; what is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Events of this kind.
    pub kind: Option<EventKind>,
    /// Events that concern this worker.
    pub worker: Option<WorkerNo>,
    /// Events from this position on.
    pub from: Option<Position>,
    /// Events up to this position, with it.
    pub to: Option<Position>,
}

/// The kind that goes by a name such as `worker_beat`.
#[must_use]
pub fn kind_named(name: &str) -> Option<EventKind> {
    let mut kinds = EventKind::ALL.iter();
    kinds.find(|kind| kind.name() == name).copied()
}

impl Filter {
    /// Where reading begins.
    #[must_use]
    pub fn start(&self) -> Position {
        self.from.unwrap_or(Position::ORIGIN).max(Position(1))
    }

    /// Whether an event lies past the wanted ones, so that reading may end.
    #[must_use]
    pub fn is_past(&self, position: Position) -> bool {
        self.to.is_some_and(|to| position > to)
    }

    /// Whether an event is wanted.
    #[must_use]
    pub fn admits(&self, envelope: &Envelope) -> bool {
        let position = envelope.position;
        position >= self.start()
            && !self.is_past(position)
            && self.kind.is_none_or(|kind| kind == envelope.event.kind())
            && self
                .worker
                .is_none_or(|worker| concerns(&envelope.event, worker))
    }
}

/// Whether an event concerns a worker.
fn concerns(event: &Event, worker: WorkerNo) -> bool {
    let draws = match event {
        Event::PayoutRequested(payout) => &payout.draws[..],
        Event::PayoutReleased(payout) => &payout.draws[..],
        _ => &[],
    };
    let others = workers_of(event).into_iter().flatten();
    draws.iter().any(|draw| draw.worker == worker) || others.into_iter().any(|one| one == worker)
}

/// The workers that an event concerns; of a payout that draws on many, the first.
#[must_use]
pub fn workers_of(event: &Event) -> [Option<WorkerNo>; 2] {
    match event {
        Event::WorkerNamed(one) => [Some(one.worker), None],
        Event::WorkerRegistered(one) => [Some(one.worker), None],
        Event::ManifestChanged(one) => [Some(one.worker), None],
        Event::WorkerUpdated(one) => [Some(one.worker), None],
        Event::WorkerBeat(one) => [Some(one.worker), None],
        Event::LeaseGranted(one) => [Some(one.worker), None],
        Event::WorkerLapsed(one) => [Some(one.worker), None],
        Event::WorkerLoggedOut(one) => [Some(one.worker), None],
        Event::WorkerConnected(one) => [one.worker, None],
        Event::WorkerDisconnected(one) => [one.worker, None],
        Event::JobReceived(one) => [one.worker, None],
        Event::JobProcessed(one) => [credited(one.attribution), None],
        Event::JobReattributed(one) => [credited(one.to), credited(one.from)],
        Event::EarlierCopyFound(one) => match &one.moved {
            Moved::Connection { worker, .. } => [Some(*worker), None],
            _ => [None, None],
        },
        Event::PayoutRequested(payout) => [first_of(&payout.draws), None],
        Event::PayoutReleased(payout) => [first_of(&payout.draws), None],
        Event::PolicyChanged(_)
        | Event::PartitionDeclared(_)
        | Event::AssetDeclared(_)
        | Event::FileTaken(_)
        | Event::FileQuarantined(_)
        | Event::ElementQuarantined(_)
        | Event::PartitionReset(_)
        | Event::TicketRedeemed(_)
        | Event::OtherTaken(_)
        | Event::ModelNamed(_)
        | Event::TypeNamed(_)
        | Event::PayerNamed(_)
        | Event::RailNamed(_)
        | Event::PayoutSigned(_)
        | Event::PayoutSent(_)
        | Event::PayoutMined(_)
        | Event::PayoutReorged(_)
        | Event::PayoutFinal(_)
        | Event::PayoutFailed(_)
        | Event::SignerOpened(_)
        | Event::SignerStopped(_)
        | Event::SignerResumed(_) => [None, None],
    }
}

fn first_of(draws: &[Draw]) -> Option<WorkerNo> {
    draws.first().map(|draw| draw.worker)
}

/// The worker that an attribution credits.
#[must_use]
pub const fn credited(attribution: Attribution) -> Option<WorkerNo> {
    match attribution {
        Attribution::Worker(worker) => Some(worker),
        Attribution::Suspense(_) => None,
    }
}
