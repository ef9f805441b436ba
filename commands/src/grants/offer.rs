//! What a request would be offered: the one calculation behind decisions and estimates.

use purser_events::grant::{GateReason, Serve, Share};
use purser_events::{Amount, Label, Micros, PoolNo};
use purser_projections::Projections;
use purser_projections::accounts::Account;
use purser_projections::grants::Standing;

/// What a request is offered at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How it is served.
    pub serve: Serve,
    /// What the pools pay of the estimate.
    pub absorb: Amount,
    /// What is left to be paid.
    pub charge: Amount,
    /// Why the pools pay for nothing.
    pub reason: Option<GateReason>,
    /// How its identity stands; absent for nobody that is known.
    pub standing: Option<Standing>,
}

/// The offer to an identity for work of this estimated cost: the least of the estimate, what is
/// left of the day's budget, and what the pools have.
#[must_use]
pub fn offer(folds: &Projections, at: Micros, identity: Option<&Label>, est: Amount) -> Offer {
    let rules = &folds.policy.grants;
    let standing = identity.map(|one| folds.grants.standing(one, at, rules));
    let left = standing.map_or(Amount::ZERO, |standing| standing.left());
    let available = available(folds);
    let absorb = est.min(left).min(available);
    let reason = match standing {
        _ if absorb > Amount::ZERO => None,
        None => Some(GateReason::Anonymous),
        Some(standing) if standing.budget == Amount::ZERO => Some(GateReason::TierZero),
        Some(_) if left == Amount::ZERO => Some(GateReason::BudgetSpent),
        Some(_) => Some(GateReason::PoolEmpty),
    };
    let serve = match absorb {
        Amount::ZERO => Serve::Gate,
        absorb if absorb == est => Serve::Free,
        _ => Serve::Partial,
    };
    Offer {
        serve,
        absorb,
        charge: est.minus(absorb),
        reason,
        standing,
    }
}

/// What a pool may still grant.
fn available_of(folds: &Projections, pool: PoolNo) -> Amount {
    let asset = folds.grants.asset().unwrap_or_default();
    let account = Account::GrantsAvailable(pool);
    folds.accounts.balance(asset, account).above_zero()
}

/// What all pools together may still grant.
#[must_use]
pub fn available(folds: &Projections) -> Amount {
    folds.grants.available(&folds.accounts)
}

/// Takes an amount from the pools in their order. It must not be more than what they have.
pub(super) fn take(folds: &Projections, amount: Amount) -> Vec<Share> {
    let (mut shares, mut rest) = (Vec::new(), amount);
    for pool in folds.grants.order() {
        let amount = available_of(folds, *pool).min(rest);
        if amount > Amount::ZERO {
            shares.push(Share {
                pool: *pool,
                amount,
            });
            rest = rest.minus(amount);
        }
        if rest == Amount::ZERO {
            break;
        }
    }
    assert_eq!(rest, Amount::ZERO, "pools are asked for what they have");
    shares
}
