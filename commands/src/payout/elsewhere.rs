//! Payouts that the operator makes elsewhere: held, then booked with their reference.

use purser_events::payer::RailNamed;
use purser_events::payout::{Draw, PayoutFinal, PayoutSent, Proof, Rail};
use purser_events::{Amount, AssetNo, Event, Label, PayoutNo, RailNo};
use purser_projections::accounts::Account;
use purser_projections::names::Names;
use purser_projections::{Books, Projections};

use super::{Asked, CHAIN_RAIL, ConfirmPayout, RequestElsewhere, find, requested};
use crate::{Answer, Rejection};

pub(crate) fn request_elsewhere(
    books: &Books,
    request: &RequestElsewhere,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    check(folds, request)?;
    let (rail, is_new) = rail(&folds.names, &request.rail, into);
    let payout = PayoutNo::following(folds.payouts.count() as usize);
    let draw = Draw {
        worker: request.worker,
        amount: request.amount,
    };
    let asked = Asked {
        rail: Rail::Other(rail),
        address: folds.payout_address(request.worker),
        asset: request.asset,
        draws: vec![draw],
    };
    into.push(requested(folds, (u64::from(is_new), payout), asked));
    if let Some(reference) = &request.reference {
        let (rail, asset, amount) = (Rail::Other(rail), request.asset, request.amount);
        made(
            Made {
                payout,
                rail,
                asset,
                amount,
            },
            reference,
            into,
        );
    }
    Ok(Answer::Payouts {
        count: 1,
        amount: request.amount,
        first: Some(payout),
    })
}

fn check(folds: &Projections, request: &RequestElsewhere) -> Result<(), Rejection> {
    if request.worker.index() >= folds.names.workers().len() {
        return Err(Rejection::UnknownWorker);
    }
    if request.asset.index() >= folds.names.assets().len() {
        return Err(Rejection::UnknownAsset);
    }
    if request.rail.as_str() == CHAIN_RAIL {
        return Err(Rejection::RailReserved);
    }
    let owed = folds
        .accounts
        .balance(request.asset, Account::Worker(request.worker))
        .above_zero();
    if request.amount == Amount::ZERO || request.amount > owed {
        return Err(Rejection::MoreThanOwed);
    }
    Ok(())
}

/// The number of a way of paying, and whether it is new: then it is named first.
fn rail(names: &Names, name: &Label, into: &mut Vec<Event>) -> (RailNo, bool) {
    if let Some(known) = names.rail(name) {
        return (known, false);
    }
    let rail = RailNo::following(names.rails().len());
    let name = name.clone();
    into.push(Event::RailNamed(Box::new(RailNamed { rail, name })));
    (rail, true)
}

pub(crate) fn confirm(
    books: &Books,
    confirm: &ConfirmPayout,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let open = find(&books.projections, confirm.payout)?;
    if open.rail == Rail::Chain {
        return Err(Rejection::PayoutUnderway);
    }
    let payout = confirm.payout.payout;
    let (rail, asset, amount) = (open.rail, open.asset, open.amount);
    made(
        Made {
            payout,
            rail,
            asset,
            amount,
        },
        &confirm.reference,
        into,
    );
    Ok(Answer::Done)
}

#[derive(Clone, Copy)]
struct Made {
    payout: PayoutNo,
    rail: Rail,
    asset: AssetNo,
    amount: Amount,
}

/// It was made, and needs no finality but the operator's word.
fn made(made: Made, reference: &Label, into: &mut Vec<Event>) {
    let Made {
        payout,
        rail,
        asset,
        amount,
    } = made;
    into.push(Event::PayoutSent(Box::new(PayoutSent {
        payout,
        proof: Proof::Reference(reference.clone()),
    })));
    into.push(Event::PayoutFinal(Box::new(PayoutFinal {
        payout,
        rail,
        asset,
        amount,
        gas: Amount::ZERO,
    })));
}
