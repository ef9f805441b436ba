//! A run: a payout is requested for everybody who is due.

use purser_events::payout::Rail;
use purser_events::{Amount, AssetNo, Event, Micros, PayoutNo};
use purser_projections::Books;

use super::{Asked, RunPayouts, plan, requested};
use crate::{Answer, Rejection};

pub(crate) fn run(
    books: &Books,
    at: Micros,
    command: &RunPayouts,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    let signer = folds.payouts.signer().ok_or(Rejection::SignerMissing)?;
    if signer.stopped.is_some() {
        return Err(Rejection::SignerStopped);
    }
    let plan = plan(folds, at);
    let needed = plan.total.plus(plan.outstanding);
    if plan.total > Amount::ZERO && command.funds.is_some_and(|funds| funds < needed) {
        return Err(Rejection::FundsShort);
    }
    let count = plan.due.len();
    let first = PayoutNo(folds.payouts.count());
    for (ahead, due) in (0..).zip(plan.due) {
        let number = PayoutNo::following(first.index() + ahead);
        let asked = Asked {
            rail: Rail::Chain,
            address: Some(due.address),
            asset: AssetNo::ETH,
            draws: due.draws,
        };
        into.push(requested(folds, (ahead as u64, number), asked));
    }
    Ok(Answer::Payouts {
        count: u32::try_from(count).expect("there are fewer than 2^32 workers"),
        amount: plan.total,
        first: (count > 0).then_some(first),
    })
}
