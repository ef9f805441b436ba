//! What granted commands about grants answer.

use purser_events::grant::{GateReason, PayMode, RefusedPayment, Serve};
use purser_events::{Amount, AssetNo, Envelope, Event, GrantNo, Position};
use purser_projections::grants::{GrantState, sum_of};
use purser_projections::recall::{Ending, SeenDecision, SeenGrant, Settlement};

/// What a granted command about grants answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantAnswer {
    /// Whether this is the answer to an earlier command that asked for the same.
    pub repeated: bool,
    /// What it is.
    pub what: Granted,
}

/// What came of a command about grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// How a request is served.
    Decided(Decided),
    /// The payment was taken.
    Confirmed {
        /// What the pools hold for it.
        held: Amount,
        /// Where the request stands now.
        state: GrantState,
    },
    /// The payment was refunded in full at once.
    Refused {
        /// Why.
        reason: RefusedPayment,
        /// How much went back.
        refunded: Amount,
    },
    /// The work is paid for.
    Settled(Settlement),
    /// Everybody has everything back.
    Released {
        /// What the pools have back.
        returned: Amount,
        /// What went back of the payment.
        refunded: Amount,
    },
    /// A result came too late: the operator bears what it cost.
    Late {
        /// What it cost.
        overrun: Amount,
    },
    /// A charge was paid back.
    PaidBack {
        /// How much.
        amount: Amount,
    },
    /// What the books know of a request.
    Found(Trail),
}

/// Where to read what happened to a request, and what no single event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Its number: the position of its decision.
    pub number: GrantNo,
    /// The event that took its payment.
    pub confirmed: Option<Position>,
    /// The event that closed it.
    pub closed: Option<Position>,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// Payments that were refunded at once.
    pub refunded_at_once: Amount,
    /// What a result did cost that came too late.
    pub late: Amount,
    /// What was paid back after the settlement.
    pub paid_back: Amount,
}

impl From<&SeenGrant> for Trail {
    fn from(seen: &SeenGrant) -> Self {
        Self {
            number: seen.number,
            confirmed: seen.confirmed,
            closed: seen.closed.map(|(position, _)| position),
            asset: seen.decided.map_or_else(AssetNo::default, |one| one.asset),
            refunded_at_once: seen.refunded_at_once,
            late: seen.late.map_or(Amount::ZERO, |(_, actual)| actual),
            paid_back: seen.paid_back,
        }
    }
}

/// How a request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// How it is served.
    pub serve: Serve,
    /// What the pools pay of the estimate.
    pub absorb: Amount,
    /// What is left to be paid.
    pub charge: Amount,
    /// Why the pools pay for nothing.
    pub reason: Option<GateReason>,
    /// Where the request stood when this was decided.
    pub state: GrantState,
}

impl From<&SeenDecision> for Decided {
    fn from(seen: &SeenDecision) -> Self {
        Self {
            serve: seen.serve,
            absorb: seen.absorb,
            charge: seen.charge,
            reason: seen.reason,
            state: begun(seen.serve, seen.mode),
        }
    }
}

/// Where a request stands once it is decided.
pub(crate) const fn begun(serve: Serve, mode: PayMode) -> GrantState {
    match (serve, mode) {
        (Serve::Free, _) | (Serve::Partial, PayMode::Prepaid) => GrantState::Reserved,
        (Serve::Partial, PayMode::Invoice) => GrantState::Quoted,
        (Serve::Gate, PayMode::Prepaid) => GrantState::FullPrice,
        (Serve::Gate, PayMode::Invoice) => GrantState::Awaiting,
    }
}

/// Where a request stands once it is paid.
pub(crate) const fn paid(serve: Serve) -> GrantState {
    match serve {
        Serve::Gate => GrantState::FullPrice,
        Serve::Free | Serve::Partial => GrantState::Reserved,
    }
}

impl From<Granted> for GrantAnswer {
    fn from(what: Granted) -> Self {
        Self {
            repeated: false,
            what,
        }
    }
}

impl GrantAnswer {
    /// The same, as the answer to a repetition.
    pub(crate) const fn again(what: Granted) -> Self {
        Self {
            repeated: true,
            what,
        }
    }

    /// The answer that closing a request in this way gave; `None` where that was none of a
    /// coordinator's.
    pub(crate) const fn of_ending(ending: Ending) -> Option<Granted> {
        match ending {
            Ending::Settled(settlement) => Some(Granted::Settled(settlement)),
            Ending::Released {
                returned, refunded, ..
            } => Some(Granted::Released { returned, refunded }),
            Ending::Expired | Ending::Voided(_) => None,
        }
    }

    /// The first answer to a command about grants, from the events that it led to; `None` when
    /// these are no events of such a command.
    pub(crate) fn recollect(events: &[Envelope]) -> Option<Self> {
        let told = |envelope: &Envelope| Self::of_event(&envelope.event);
        events.iter().rev().find_map(told).map(Self::from)
    }

    fn of_event(event: &Event) -> Option<Granted> {
        Some(match event {
            Event::GrantDecided(one) => Granted::Decided((&SeenDecision::from(&**one)).into()),
            Event::GrantConfirmed(one) => {
                let held = sum_of(&one.holds);
                let state = match held {
                    Amount::ZERO => GrantState::FullPrice,
                    _ => GrantState::Reserved,
                };
                Granted::Confirmed { held, state }
            }
            Event::PaymentRefunded(one) => Granted::Refused {
                reason: one.reason,
                refunded: one.paid,
            },
            Event::GrantSettled(one) => Granted::Settled((&**one).into()),
            Event::GrantReleased(one) => Granted::Released {
                returned: sum_of(&one.returned),
                refunded: one.refund.map_or(Amount::ZERO, |refund| refund.amount),
            },
            Event::GrantVoided(_) => Granted::Released {
                returned: Amount::ZERO,
                refunded: Amount::ZERO,
            },
            Event::GrantOverran(one) => Granted::Late {
                overrun: one.actual,
            },
            Event::ChargeRefunded(one) => Granted::PaidBack { amount: one.amount },
            _ => return None,
        })
    }
}
