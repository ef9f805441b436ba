//! What is known of a request for a grant, and of payments around it, whether or not it is closed.

use purser_events::grant::{
    Earner, GateReason, GrantDecided, GrantSettled, Party, PayMode, RefusedPayment, Serve,
    VoidReason,
};
use purser_events::{
    Amount, AssetNo, Event, GrantNo, JobNo, Label, PoolNo, Position, Recorded, codec,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::RecallKey;
use super::record::Record;
use crate::grants::sum_of;

/// A request that a grant was decided for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenGrant {
    /// Its number.
    pub number: GrantNo,
    /// What was decided.
    pub decided: Option<SeenDecision>,
    /// The event that took its payment.
    pub confirmed: Option<Position>,
    /// The job that was opened on it.
    pub job: Option<JobNo>,
    /// Payments that were refunded at once.
    pub refunded_at_once: Amount,
    /// How it was closed, and by which event.
    pub closed: Option<(Position, Ending)>,
    /// What a result did cost that came too late, and the event that says so.
    pub late: Option<(Position, Amount)>,
    /// What was paid back after the settlement.
    pub paid_back: Amount,
}

/// What was decided on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDecision {
    /// What was asked: a digest.
    pub asked: [u8; 16],
    /// How the rest is paid.
    pub mode: PayMode,
    /// How it is served.
    pub serve: Serve,
    /// What the pools pay of the estimate.
    pub absorb: Amount,
    /// What is left to be paid.
    pub charge: Amount,
    /// Why the pools pay for nothing.
    pub reason: Option<GateReason>,
    /// What the amounts are in.
    pub asset: AssetNo,
}

/// How a request was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The work was done.
    Settled(Settlement),
    /// The work failed or was called off.
    Released {
        /// Whether the identity is to blame.
        fault: bool,
        /// What the pools had back.
        returned: Amount,
        /// What went back of the payment.
        refunded: Amount,
    },
    /// The work did not end in time.
    Expired,
    /// It was never begun.
    Voided(VoidReason),
}

/// Who bore what of the cost of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What the work did cost.
    pub actual: Amount,
    /// What the pools paid.
    pub absorbed: Amount,
    /// What was charged of the payment.
    pub charged: Amount,
    /// What went back of the payment.
    pub refunded: Amount,
    /// What the operator bears.
    pub overrun: Amount,
    /// What the first pool was credited with.
    pub credit: Amount,
    /// Whose payment it was.
    pub paid_by: Option<Party>,
    /// Who earns it.
    pub earner: Earner,
}

/// A payment for a request, to a pool, or back to a payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenGrantPayment {
    /// What it was for.
    pub to: PaidFor,
    /// How much.
    pub amount: Amount,
    /// Why it was refunded at once, if it was.
    pub refused: Option<RefusedPayment>,
}

/// What a payment was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaidFor {
    /// A request.
    Request(GrantNo),
    /// A pool.
    Pool(PoolNo),
}

/// A digest of what a request asks for: tells a repetition from a reuse of its id.
#[must_use]
pub fn asked_digest(identity: Option<&Label>, est: Amount, mode: PayMode) -> [u8; 16] {
    let digest = Sha256::digest(codec::to_bytes(&(identity, est, mode)));
    let mut asked = [0; 16];
    asked.copy_from_slice(&digest[..16]);
    asked
}

impl From<&GrantSettled> for Settlement {
    fn from(one: &GrantSettled) -> Self {
        let absorbed = one.shares.iter().map(|share| share.absorbed);
        Self {
            actual: one.actual,
            absorbed: absorbed.fold(Amount::ZERO, Amount::plus),
            charged: one.charged,
            refunded: one.refunded,
            overrun: one.overrun,
            credit: one.credit,
            paid_by: one.paid_by,
            earner: one.earner,
        }
    }
}

impl From<&GrantDecided> for SeenDecision {
    fn from(one: &GrantDecided) -> Self {
        Self {
            asked: asked_digest(one.identity.as_ref(), one.est, one.mode),
            mode: one.mode,
            serve: one.serve,
            absorb: one.absorb,
            charge: one.charge,
            reason: one.reason,
            asset: one.asset,
        }
    }
}

impl SeenGrant {
    const fn nothing(number: GrantNo) -> Self {
        Self {
            number,
            decided: None,
            confirmed: None,
            job: None,
            refunded_at_once: Amount::ZERO,
            closed: None,
            late: None,
            paid_back: Amount::ZERO,
        }
    }

    /// Each fact of a request is said once, and sums only grow: this is commutative, associative
    /// and idempotent.
    pub(super) fn merge(&mut self, other: &Self) {
        assert_eq!(self.number, other.number, "an id is one request for ever");
        self.decided = self.decided.or(other.decided);
        self.confirmed = self.confirmed.or(other.confirmed);
        self.job = self.job.or(other.job);
        self.refunded_at_once = self.refunded_at_once.max(other.refunded_at_once);
        self.closed = self.closed.or(other.closed);
        self.late = self.late.or(other.late);
        self.paid_back = self.paid_back.max(other.paid_back);
    }
}

/// The records that an event about grants adds to the index.
pub(super) fn records(fact: Recorded<'_>, mut each: impl FnMut(RecallKey, Record)) {
    let at = fact.position;
    match fact.event {
        Event::PoolToppedUp(one) => {
            let to = PaidFor::Pool(one.pool);
            let key = RecallKey::of_grant_payment(one.rail, &one.payment);
            payment(key, (to, one.amount, None), each);
        }
        Event::GrantDecided(one) => grant(one.grant, &one.request, each, |seen| {
            seen.decided = Some((&**one).into());
        }),
        Event::GrantConfirmed(one) => {
            let key = RecallKey::of_grant_payment(one.rail, &one.payment);
            payment(
                key,
                (PaidFor::Request(one.grant), one.paid, None),
                &mut each,
            );
            grant(one.grant, &one.request, each, |seen| {
                seen.confirmed = Some(at);
            });
        }
        Event::PaymentRefunded(one) => {
            let key = RecallKey::of_grant_payment(one.rail, &one.payment);
            let (to, refused) = (PaidFor::Request(one.grant), Some(one.reason));
            payment(key, (to, one.paid, refused), &mut each);
            grant(one.grant, &one.request, each, |seen| {
                seen.refunded_at_once = one.refunded_total;
                let ending = one.reason.voids().map(Ending::Voided);
                seen.closed = ending.map(|ending| (at, ending));
            });
        }
        Event::GrantJoined(one) => grant(one.grant, &one.request, each, |seen| {
            seen.job = Some(one.job);
        }),
        Event::GrantOverran(one) => grant(one.grant, &one.request, each, |seen| {
            seen.late = Some((at, one.actual));
        }),
        Event::ChargeRefunded(one) => {
            let key = RecallKey::of_charge_refund(&one.request, &one.refund);
            payment(
                key,
                (PaidFor::Request(one.grant), one.amount, None),
                &mut each,
            );
            grant(one.grant, &one.request, each, |seen| {
                seen.paid_back = one.refunded_total;
            });
        }
        event => closed(event, at, each),
    }
}

/// The record of an event that closes a request.
fn closed(event: &Event, at: Position, each: impl FnMut(RecallKey, Record)) {
    let (number, request, ending) = match event {
        Event::GrantSettled(one) => (one.grant, &one.request, Ending::Settled((&**one).into())),
        Event::GrantReleased(one) => {
            let ending = Ending::Released {
                fault: one.fault,
                returned: sum_of(&one.returned),
                refunded: one.refund.map_or(Amount::ZERO, |refund| refund.amount),
            };
            (one.grant, &one.request, ending)
        }
        Event::GrantExpired(one) => (one.grant, &one.request, Ending::Expired),
        Event::GrantVoided(one) => (one.grant, &one.request, Ending::Voided(one.reason)),
        _ => return,
    };
    grant(number, request, each, |seen| {
        seen.closed = Some((at, ending));
    });
}

fn grant(
    number: GrantNo,
    request: &Label,
    mut each: impl FnMut(RecallKey, Record),
    fact: impl FnOnce(&mut SeenGrant),
) {
    let mut seen = SeenGrant::nothing(number);
    fact(&mut seen);
    each(RecallKey::of_grant(request), Record::Grant(Box::new(seen)));
}

fn payment(
    key: RecallKey,
    (to, amount, refused): (PaidFor, Amount, Option<RefusedPayment>),
    mut each: impl FnMut(RecallKey, Record),
) {
    let seen = SeenGrantPayment {
        to,
        amount,
        refused,
    };
    each(key, Record::GrantPayment(Box::new(seen)));
}
