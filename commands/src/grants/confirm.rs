//! Taking the payment of a request.

use purser_events::grant::{GrantConfirmed, PaymentRefunded, RefusedPayment, Serve};
use purser_events::{Amount, AssetNo, Event, GrantNo, Micros};
use purser_projections::Books;
use purser_projections::grants::OpenGrant;
use purser_projections::recall::{PaidFor, SeenGrant, SeenGrantPayment};

use super::answer::{Granted, paid};
use super::command::ConfirmGrant;
use super::decide::valid_ms;
use super::find::{self, Found};
use super::offer::{available, take};
use crate::jobs::find as jobs;
use crate::{Answer, Rejection};

/// The quoted payment begins the work, if what was quoted from the pools can be held in full. Any
/// other payment goes back in full at once. Never is the payer charged a part, or the pool asked
/// for less than was quoted: that would leave a gap that nobody agreed to bear.
pub(super) fn confirm(
    books: &Books,
    at: Micros,
    confirm: &ConfirmGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    find::some(confirm.paid.amount)?;
    let seen = find::seen(books, &confirm.request)?;
    let to = PaidFor::Request(seen.number);
    if let Some(before) = find::payment(books, &confirm.paid, to)? {
        return Ok(find::again(first(&seen, before)));
    }
    let decided = seen.decided.ok_or(Rejection::UnknownRequest)?;
    jobs::room(books, decided.asset)?;
    let found = find::found(books, &confirm.request)?;
    let open = match &found {
        Found::Open(open) => acceptable(books, at, open, confirm.paid.amount).map(|()| *open),
        Found::Closed(_) => Err(RefusedPayment::Closed),
    };
    match open {
        Ok(open) => begin(books, open, confirm, into),
        Err(reason) => {
            let refunded = match &found {
                Found::Open(open) => open.refunded_at_once,
                Found::Closed(seen) => seen.refunded_at_once,
            };
            refuse(
                books,
                (seen.number, decided.asset),
                confirm,
                (reason, refunded),
                into,
            )
        }
    }
}

/// The first answer to a payment that was taken in before.
fn first(seen: &SeenGrant, before: SeenGrantPayment) -> Granted {
    match (before.refused, seen.decided) {
        (Some(reason), _) => Granted::Refused {
            reason,
            refunded: before.amount,
        },
        (None, decided) => {
            let serve = decided.map_or(Serve::Gate, |decided| decided.serve);
            Granted::Confirmed {
                held: decided.map_or(Amount::ZERO, |decided| decided.absorb),
                state: paid(serve),
            }
        }
    }
}

/// Whether a payment can be taken, in the order of the reasons.
fn acceptable(
    books: &Books,
    at: Micros,
    open: &OpenGrant,
    amount: Amount,
) -> Result<(), RefusedPayment> {
    if open.paid() > Amount::ZERO {
        return Err(RefusedPayment::AlreadyPaid);
    }
    if amount != open.charge {
        return Err(RefusedPayment::WrongAmount);
    }
    if open.is_due(at) {
        return Err(RefusedPayment::QuoteExpired);
    }
    let folds = &books.projections;
    if available(folds) < open.absorb {
        return Err(RefusedPayment::PoolDrained);
    }
    let rules = &folds.policy.grants;
    let identity = open.identity.as_ref();
    let left = identity.map(|one| folds.grants.standing(one, at, rules).left());
    if left.unwrap_or_default() < open.absorb {
        return Err(RefusedPayment::BudgetSpent);
    }
    Ok(())
}

fn begin(
    books: &Books,
    open: &OpenGrant,
    confirm: &ConfirmGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let rail = jobs::rail(books, &confirm.paid.rail, into)?;
    let state = paid(open.serve);
    into.push(Event::GrantConfirmed(Box::new(GrantConfirmed {
        grant: open.number,
        request: open.request.clone(),
        asset: open.asset,
        payment: confirm.paid.payment.clone(),
        paid: confirm.paid.amount,
        rail,
        holds: take(&books.projections, open.absorb),
        valid_ms: valid_ms(books, state),
        available: available(&books.projections).minus(open.absorb),
    })));
    let held = open.absorb;
    Ok(Answer::Grant(Granted::Confirmed { held, state }.into()))
}

fn refuse(
    books: &Books,
    (grant, asset): (GrantNo, AssetNo),
    confirm: &ConfirmGrant,
    (reason, refunded): (RefusedPayment, Amount),
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let rail = jobs::rail(books, &confirm.paid.rail, into)?;
    let paid = confirm.paid.amount;
    into.push(Event::PaymentRefunded(Box::new(PaymentRefunded {
        grant,
        request: confirm.request.clone(),
        asset,
        payment: confirm.paid.payment.clone(),
        paid,
        rail,
        reason,
        refunded_total: refunded.plus(paid),
    })));
    let refunded = paid;
    Ok(Answer::Grant(Granted::Refused { reason, refunded }.into()))
}
