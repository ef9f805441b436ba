//! Wishes about grants, pools of generosity and identities.

use purser_events::grant::{PayMode, Tier};
use purser_events::{Amount, GrantNo, Label};
use serde::Serialize;

/// Decide how a request is served.
#[derive(Clone, Debug, Serialize)]
pub struct DecideGrant {
    /// The request's id: unique for ever.
    pub request: Label,
    /// Whose request it is.
    pub identity: Option<Label>,
    /// What the work is believed to cost.
    pub est: Amount,
    /// How the rest is paid.
    pub mode: PayMode,
}

/// A payment, as its rail tells it.
#[derive(Clone, Debug, Serialize)]
pub struct PaidBy {
    /// How much came in.
    pub amount: Amount,
    /// The way it came.
    pub rail: Label,
    /// The rail's own id of it.
    pub payment: Label,
}

/// Take the payment of a request.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmGrant {
    /// The request.
    pub request: Label,
    /// The payment.
    pub paid: PaidBy,
}

/// Say what the work of a request did cost.
#[derive(Clone, Debug, Serialize)]
pub struct SettleGrant {
    /// The request.
    pub request: Label,
    /// What it did cost.
    pub actual: Amount,
    /// Who earns it: a worker's id or address; the house where nobody is named.
    pub worker: Option<Label>,
}

/// Say that the work of a request failed, or call it off.
#[derive(Clone, Debug, Serialize)]
pub struct ReleaseGrant {
    /// The request.
    pub request: Label,
    /// Whether the identity is to blame.
    pub fault: bool,
}

/// Pay a charge back after the settlement.
#[derive(Clone, Debug, Serialize)]
pub struct RefundCharge {
    /// The request.
    pub request: Label,
    /// How much.
    pub amount: Amount,
    /// The refund's id: unique for the request.
    pub refund: Label,
}

/// Open a pool of generosity.
#[derive(Clone, Debug, Serialize)]
pub struct OpenPool {
    /// What it is known by.
    pub name: Label,
    /// The code of the asset of its amounts.
    pub asset: Label,
    /// What it begins with.
    pub seed: Amount,
    /// The way by which that comes in.
    pub rail: Label,
}

/// Add to a pool.
#[derive(Clone, Debug, Serialize)]
pub struct TopUpPool {
    /// The pool; the house's own where none is named.
    pub pool: Option<Label>,
    /// The payment.
    pub paid: PaidBy,
}

/// Set an identity's tier, or leave it to be earned.
#[derive(Clone, Debug, Serialize)]
pub struct SetTier {
    /// The identity.
    pub identity: Label,
    /// The tier; absent when it is to be earned.
    pub tier: Option<Tier>,
}

/// A wish about grants, pools of generosity and identities.
#[derive(Clone, Debug, Serialize)]
pub enum GrantCommand {
    /// Decide how a request is served.
    Decide(DecideGrant),
    /// Take the payment of a request.
    Confirm(ConfirmGrant),
    /// Say what the work of a request did cost.
    Settle(SettleGrant),
    /// Say that the work of a request failed, or call it off.
    Release(ReleaseGrant),
    /// Close a request whose time has run out.
    Expire(GrantNo),
    /// Pay a charge back after the settlement.
    RefundCharge(RefundCharge),
    /// Look up what the books know of a request.
    Find(Label),
    /// Open a pool of generosity.
    OpenPool(OpenPool),
    /// Ask the pools in another order.
    OrderPools(Vec<Label>),
    /// Add to a pool.
    TopUp(TopUpPool),
    /// Set an identity's tier, or leave it to be earned.
    SetTier(SetTier),
}
