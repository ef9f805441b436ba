//! Grants: work that pools of generosity pay for, in whole or in part.

use serde::{Deserialize, Serialize};

use crate::intake::Split;
use crate::{
    Amount, AssetNo, BasisPoints, GrantNo, JobNo, Label, PayerNo, PoolNo, RailNo, WorkerNo,
};

/// How far an identity is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Nothing is known of it.
    New,
    /// It came back.
    Established,
    /// It came back often.
    Trusted,
    /// It is among the best.
    Elite,
}

impl Tier {
    /// Every tier, the lowest first.
    pub const ALL: [Self; 4] = [Self::New, Self::Established, Self::Trusted, Self::Elite];

    /// Its place among all tiers.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Trusted => "trusted",
            Self::Elite => "elite",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }
}

/// A rule of the grants and its value. New rules are appended; none is ever removed or reordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantRule {
    /// What an identity of this tier may be granted per UTC day.
    Budget(Tier, Amount),
    /// The score from which on an identity may be of this tier.
    Score(Tier, u32),
    /// The net amount paid within 30 days from which on an identity may be of this tier.
    Paid(Tier, Amount),
    /// An earned budget is at most this part of what was paid, net, within 30 days.
    PaidShare(BasisPoints),
    /// The part of each net charge that the first pool is credited with.
    CreditShare(BasisPoints),
    /// How long a quote may be paid, in milliseconds.
    QuoteTtlMs(u32),
    /// How long running work may take, in milliseconds.
    HoldTtlMs(u32),
}

/// How what a request asks for beyond a grant is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PayMode {
    /// By an invoice, once it is known how much.
    Invoice,
    /// From the identity's prepaid funds, at once.
    Prepaid,
}

impl PayMode {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Prepaid => "prepaid",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Invoice, Self::Prepaid]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// How a request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Serve {
    /// The pools pay for all of it.
    Free,
    /// The pools pay for a part of it.
    Partial,
    /// The pools pay for nothing of it.
    Gate,
}

impl Serve {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Partial => "partial",
            Self::Gate => "gate",
        }
    }
}

/// Why the pools pay for nothing; in the order in which that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GateReason {
    /// Nobody is named.
    Anonymous,
    /// The identity's tier, or what it paid, gives it no budget.
    TierZero,
    /// The day's budget is granted or held.
    BudgetSpent,
    /// The pools have nothing left.
    PoolEmpty,
}

impl GateReason {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::TierZero => "tier_zero",
            Self::BudgetSpent => "budget_spent",
            Self::PoolEmpty => "pool_empty",
        }
    }
}

/// Why a payment was refunded at once; in the order in which that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RefusedPayment {
    /// The request is closed.
    Closed,
    /// The request was paid before.
    AlreadyPaid,
    /// It is not what was quoted.
    WrongAmount,
    /// The quote's time had run out; the request is void now.
    QuoteExpired,
    /// The pools have less than what was quoted from them; the request is void now.
    PoolDrained,
    /// The day's budget is less than what was quoted from it; the request is void now.
    BudgetSpent,
}

impl RefusedPayment {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::AlreadyPaid => "already_paid",
            Self::WrongAmount => "wrong_amount",
            Self::QuoteExpired => "quote_expired",
            Self::PoolDrained => "pool_drained",
            Self::BudgetSpent => "budget_spent",
        }
    }

    /// Why the request is void from then on, if it is.
    #[must_use]
    pub const fn voids(self) -> Option<VoidReason> {
        match self {
            Self::QuoteExpired => Some(VoidReason::QuoteExpired),
            Self::PoolDrained => Some(VoidReason::PoolDrained),
            Self::BudgetSpent => Some(VoidReason::BudgetSpent),
            Self::Closed | Self::AlreadyPaid | Self::WrongAmount => None,
        }
    }
}

/// Why a request that was never begun is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VoidReason {
    /// It was not paid in time.
    QuoteExpired,
    /// When it was paid, the pools had less than what was quoted from them.
    PoolDrained,
    /// When it was paid, the day's budget was less than what was quoted from it.
    BudgetSpent,
    /// The coordinator took it back.
    Cancelled,
}

impl VoidReason {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuoteExpired => "quote_expired",
            Self::PoolDrained => "pool_drained",
            Self::BudgetSpent => "budget_spent",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A part of an amount, and the pool that it comes from or goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The pool.
    pub pool: PoolNo,
    /// Its part.
    pub amount: Amount,
}

/// What became of a pool's hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledShare {
    /// The pool.
    pub pool: PoolNo,
    /// What it paid.
    pub absorbed: Amount,
    /// What it has back.
    pub returned: Amount,
}

/// Where a payment came from, and where it goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// Outside, by this way.
    Rail(RailNo),
    /// A payer's prepaid funds.
    Payer(PayerNo),
}

/// Money that goes back to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Where it goes.
    pub to: Party,
    /// How much, more than zero.
    pub amount: Amount,
}

/// Who earns what a request cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Earner {
    /// The pool itself: no worker is named.
    Nobody,
    /// A worker; commission is `floor(actual x rate / 10,000)`, the worker gets the rest.
    Worker(WorkerNo, Split),
    /// A job's account: its debits had credited worker and commission already.
    Job(JobNo),
}

/// A pool of generosity was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolOpened {
    /// The pool's number: the next one. The first pool is the house's own.
    pub pool: PoolNo,
    /// What it is known by.
    pub name: Label,
    /// What its amounts are in; all pools are in the same asset.
    pub asset: AssetNo,
    /// What it begins with.
    pub seed: Amount,
    /// The way by which that came in.
    pub rail: RailNo,
}

/// Pools are asked in another order from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolsOrdered {
    /// Every pool, the first to be asked first.
    pub order: Vec<PoolNo>,
}

/// A sponsor added to a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolToppedUp {
    /// The pool.
    pub pool: PoolNo,
    /// The pool's asset.
    pub asset: AssetNo,
    /// How much.
    pub amount: Amount,
    /// The way by which it came in.
    pub rail: RailNo,
    /// The payment's id there: one payment counts once.
    pub payment: Label,
}

/// An operator set an identity's tier, or left it to be earned again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierSet {
    /// The identity.
    pub identity: Label,
    /// The tier; absent when it is earned from now on.
    pub tier: Option<Tier>,
}

/// It was decided how a request is served. What runs at once is held and paid by the same event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDecided {
    /// Its number: this event's position.
    pub grant: GrantNo,
    /// The request's id: unique for ever.
    pub request: Label,
    /// Whose request it is; absent for nobody that is known.
    pub identity: Option<Label>,
    /// The identity's tier at this moment.
    pub tier: Option<Tier>,
    /// What the work is believed to cost.
    pub est: Amount,
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
    /// What is held from now on; empty while the request waits for a payment.
    pub holds: Vec<Share>,
    /// Whose prepaid funds the charge was taken from, where it was.
    pub payer: Option<PayerNo>,
    /// How long it may wait for a payment, or run, in milliseconds.
    pub valid_ms: u32,
    /// What all pools together may still grant after this: a replay proves it.
    pub available: Amount,
}

/// The quoted payment came in, and what was quoted from the pools is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantConfirmed {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// The payment's id: one payment counts once.
    pub payment: Label,
    /// How much came in.
    pub paid: Amount,
    /// The way by which it came in.
    pub rail: RailNo,
    /// What is held from now on.
    pub holds: Vec<Share>,
    /// How long it may run, in milliseconds.
    pub valid_ms: u32,
    /// What all pools together may still grant after this: a replay proves it.
    pub available: Amount,
}

/// A payment came in that cannot be taken; it was refunded in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// The payment's id: one payment counts once.
    pub payment: Label,
    /// How much came in and went back.
    pub paid: Amount,
    /// The way by which it came in and went back.
    pub rail: RailNo,
    /// Why.
    pub reason: RefusedPayment,
    /// What was refunded so for this grant up to now, with this payment.
    pub refunded_total: Amount,
}

/// The work was done, and every unit of its cost has found its bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantSettled {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// What the work did cost: what was absorbed, charged and overrun.
    pub actual: Amount,
    /// What the pools paid, and what they have back.
    pub shares: Vec<SettledShare>,
    /// What was charged of the payment.
    pub charged: Amount,
    /// Whose payment it was, where there was one.
    pub paid_by: Option<Party>,
    /// What goes back of the payment.
    pub refunded: Amount,
    /// What the operator bears.
    pub overrun: Amount,
    /// What the first pool is credited with, out of what the house earned.
    pub credit: Amount,
    /// Who earns it.
    pub earner: Earner,
    /// What all pools together may still grant after this: a replay proves it.
    pub available: Amount,
}

/// The work failed or was called off: everybody has everything back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantReleased {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// What the pools have back.
    pub returned: Vec<Share>,
    /// What goes back of the payment.
    pub refund: Option<Refund>,
    /// Whether the identity is to blame.
    pub fault: bool,
    /// What all pools together may still grant after this: a replay proves it.
    pub available: Amount,
}

/// The work did not end in time: everybody has everything back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantExpired {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// What the pools have back.
    pub returned: Vec<Share>,
    /// What goes back of the payment.
    pub refund: Option<Refund>,
    /// What all pools together may still grant after this: a replay proves it.
    pub available: Amount,
}

/// A request that waited for a payment is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantVoided {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// Why.
    pub reason: VoidReason,
}

/// A result came after the grant had expired: the operator bears what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantOverran {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// What the work did cost.
    pub actual: Amount,
    /// Who earns it.
    pub earner: Earner,
}

/// A job was opened on a grant: what it is debited is borne by the grant first, and the grant is
/// settled when the job closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantJoined {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// The job.
    pub job: JobNo,
}

/// A charge was paid back after the settlement, from the house's revenue; the pool keeps its
/// credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRefunded {
    /// The grant.
    pub grant: GrantNo,
    /// Its request.
    pub request: Label,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// The refund's id: one refund counts once.
    pub refund: Label,
    /// Where it goes.
    pub to: Party,
    /// How much.
    pub amount: Amount,
    /// What was paid back so of this charge up to now, with this refund.
    pub refunded_total: Amount,
}
