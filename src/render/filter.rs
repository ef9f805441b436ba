//! Which events are wanted.

use purser_events::grant::Earner;
use purser_events::intake::{Attribution, Moved};
use purser_events::paid::JobRef;
use purser_events::payout::Draw;
use purser_events::{Envelope, Event, EventKind, Label, PayerNo, Position, WorkerNo};

use super::name;

/// Which events are wanted; what is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Events of this kind.
    pub kind: Option<EventKind>,
    /// Events that concern this worker.
    pub worker: Option<WorkerNo>,
    /// Events that concern this payer.
    pub payer: Option<PayerNo>,
    /// Events that concern jobs of this id.
    pub job: Option<Label>,
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
            && self.admits_job(&envelope.event)
    }

    fn admits_job(&self, event: &Event) -> bool {
        if self.payer.is_none() && self.job.is_none() {
            return true;
        }
        let (payer, job) = payer_and_job_of(event);
        self.payer.is_none_or(|wanted| payer == Some(wanted))
            && self
                .job
                .as_ref()
                .is_none_or(|wanted| job == Some(wanted) || is_request(event, wanted))
    }
}

/// Whether an event of the intake concerns the request of this id.
fn is_request(event: &Event, wanted: &Label) -> bool {
    let request = match event {
        Event::JobReceived(one) => one.request.as_ref(),
        Event::JobProcessed(one) => one.request.as_ref(),
        Event::JobReattributed(one) => Some(&one.request),
        _ => None,
    };
    request.is_some_and(|request| {
        let mut text = Vec::new();
        name::request(&mut text, request);
        text == wanted.as_str().as_bytes()
    })
}

/// The payer that an event concerns, and the id of the job.
#[must_use]
pub fn payer_and_job_of(event: &Event) -> (Option<PayerNo>, Option<&Label>) {
    match event {
        Event::PayerNamed(one) => (Some(one.payer), None),
        Event::PayerChose(one) => (Some(one.payer), None),
        Event::FundsDeposited(one) => (Some(one.payer), None),
        Event::DebtSettled(one) => (Some(one.payer), None),
        Event::JobOpened(one) => (Some(one.payer), Some(&one.id)),
        Event::JobCredited(one) => of_job(&one.job),
        Event::FundsTransferred(one) => of_job(&one.job),
        Event::JobAdmitted(one) => of_job(&one.job),
        Event::JobDebited(one) => of_job(&one.job),
        Event::JobClosed(one) => of_job(&one.job),
        Event::SenderObserved(one) => (Some(one.payer), None),
        Event::TicketSetOpened(one) => (Some(one.payer), None),
        Event::TicketsTaken(one) => of_job(&one.job),
        Event::SlotReserved(one) => (one.holder.payer, Some(&one.holder.job_id)),
        Event::SlotFreed(one) => (one.holder.payer, Some(&one.holder.job_id)),
        _ => (None, None),
    }
}

const fn of_job(job: &JobRef) -> (Option<PayerNo>, Option<&Label>) {
    (Some(job.payer), Some(&job.id))
}

/// Whether an event concerns a worker.
fn concerns(event: &Event, worker: WorkerNo) -> bool {
    let draws = match event {
        Event::PayoutRequested(payout) => &payout.draws[..],
        Event::PayoutReleased(payout) => &payout.draws[..],
        _ => &[],
    };
    let others = workers_of(event).into_iter().flatten();
    if let Event::MatchMade(made) = event {
        return made.assigned.contains(&worker);
    }
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
        Event::WorkerInstructed(one) => [Some(one.worker), None],
        Event::InstructionAnswered(one) => [Some(one.worker), None],
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
        Event::JobOpened(one) => [one.terms.worker, None],
        Event::JobDebited(one) => [one.worker, None],
        Event::WorkerDegraded(one) => [Some(one.worker), None],
        Event::WorkerSuspended(one) => [Some(one.worker), None],
        Event::WorkerResumed(one) => [Some(one.worker), None],
        Event::KeyRotated(one) => [Some(one.worker), None],
        Event::RegionProbed(one) => [Some(one.worker), None],
        Event::FeedbackGiven(one) => [Some(one.worker), None],
        Event::AssignmentExpired(one) => [Some(one.worker), None],
        Event::GrantSettled(one) => [earner_of(one.earner), None],
        Event::GrantOverran(one) => [earner_of(one.earner), None],
        // A match names many; it concerns those that it was assigned to.
        Event::MatchMade(_)
        | Event::PolicyChanged(_)
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
        | Event::PoolOpened(_)
        | Event::PoolsOrdered(_)
        | Event::PoolToppedUp(_)
        | Event::TierSet(_)
        | Event::GrantDecided(_)
        | Event::GrantConfirmed(_)
        | Event::PaymentRefunded(_)
        | Event::GrantReleased(_)
        | Event::GrantExpired(_)
        | Event::GrantVoided(_)
        | Event::ChargeRefunded(_)
        | Event::GrantJoined(_)
        | Event::PayoutSigned(_)
        | Event::PayoutSent(_)
        | Event::PayoutMined(_)
        | Event::PayoutReorged(_)
        | Event::PayoutFinal(_)
        | Event::PayoutFailed(_)
        | Event::SignerOpened(_)
        | Event::SignerStopped(_)
        | Event::SignerResumed(_) => [None, None],
        Event::PayerChose(_)
        | Event::FundsDeposited(_)
        | Event::JobCredited(_)
        | Event::FundsTransferred(_)
        | Event::JobAdmitted(_)
        | Event::JobClosed(_)
        | Event::CapabilityDeclared(_)
        | Event::CapabilityChanged(_)
        | Event::SlotReserved(_)
        | Event::SlotFreed(_)
        | Event::DebtSettled(_)
        | Event::ChainObserved(_)
        | Event::BlockObserved(_)
        | Event::SenderObserved(_)
        | Event::TicketSecretAdded(_)
        | Event::TicketSetOpened(_)
        | Event::TicketsTaken(_)
        | Event::TicketWon(_)
        | Event::WinnerReported(_) => [None, None],
    }
}

fn first_of(draws: &[Draw]) -> Option<WorkerNo> {
    draws.first().map(|draw| draw.worker)
}

/// The worker that earns what a request did cost.
const fn earner_of(earner: Earner) -> Option<WorkerNo> {
    match earner {
        Earner::Worker(worker, _) => Some(worker),
        Earner::Nobody | Earner::Job(_) => None,
    }
}

/// The worker that an attribution credits.
#[must_use]
pub const fn credited(attribution: Attribution) -> Option<WorkerNo> {
    match attribution {
        Attribution::Worker(worker) => Some(worker),
        Attribution::Suspense(_) => None,
    }
}
