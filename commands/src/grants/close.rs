//! Ending requests otherwise: released, expired, void; and paying charges back.

use purser_events::grant::{ChargeRefunded, GrantExpired, GrantReleased, GrantVoided, VoidReason};
use purser_events::{Amount, Event, GrantNo, Micros};
use purser_projections::Books;
use purser_projections::accounts::Account;
use purser_projections::grants::OpenGrant;
use purser_projections::recall::{Ending, PaidFor, RecallKey};

use super::answer::{GrantAnswer, Granted};
use super::command::{RefundCharge, ReleaseGrant};
use super::find::{self, Found};
use super::offer::available;
use crate::jobs::find as jobs;
use crate::{Answer, Rejection};

/// Work under way is released: everybody has everything back. What still waits for a payment is
/// void.
pub(super) fn release(
    books: &Books,
    release: &ReleaseGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let open = match find::found(books, &release.request)? {
        Found::Open(open) => open,
        Found::Closed(seen) => {
            let fault = release.fault;
            return match seen.closed {
                Some((_, ending @ Ending::Released { fault: said, .. })) if said == fault => {
                    let first = GrantAnswer::of_ending(ending);
                    first.map(find::again).ok_or(Rejection::RequestClosed)
                }
                Some((_, Ending::Voided(VoidReason::Cancelled))) => Ok(find::again(nothing_held())),
                _ => Err(Rejection::RequestClosed),
            };
        }
    };
    if open.job.is_some() {
        return Err(Rejection::OnJob);
    }
    if open.running.is_none() {
        into.push(voided(open, VoidReason::Cancelled));
        return Ok(Answer::Grant(nothing_held().into()));
    }
    jobs::room(books, open.asset)?;
    let released = released(books, open, release.fault);
    let answer = Granted::Released {
        returned: open.held(),
        refunded: open.paid(),
    };
    into.push(Event::GrantReleased(Box::new(released)));
    Ok(Answer::Grant(answer.into()))
}

const fn nothing_held() -> Granted {
    Granted::Released {
        returned: Amount::ZERO,
        refunded: Amount::ZERO,
    }
}

/// The event that gives everybody everything back.
pub(super) fn released(books: &Books, open: &OpenGrant, fault: bool) -> GrantReleased {
    let running = open.running.as_ref();
    GrantReleased {
        grant: open.number,
        request: open.request.clone(),
        asset: open.asset,
        returned: running.map_or_else(Vec::new, |running| running.holds.clone()),
        refund: running.and_then(|running| running.paid),
        fault,
        available: available(&books.projections).plus(open.held()),
    }
}

fn voided(open: &OpenGrant, reason: VoidReason) -> Event {
    Event::GrantVoided(Box::new(GrantVoided {
        grant: open.number,
        request: open.request.clone(),
        reason,
    }))
}

/// A request whose time has run out: what waits is void, what runs has expired. What happened to it
/// meanwhile is seen here, not by whoever asks.
pub(super) fn expire(
    books: &Books,
    at: Micros,
    grant: GrantNo,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let Some(open) = books.projections.grants.get(grant) else {
        return Ok(Answer::Unchanged);
    };
    if !open.is_due(at) {
        return Err(Rejection::NotDue);
    }
    let Some(running) = &open.running else {
        into.push(voided(open, VoidReason::QuoteExpired));
        return Ok(Answer::Done);
    };
    jobs::room(books, open.asset)?;
    into.push(Event::GrantExpired(Box::new(GrantExpired {
        grant: open.number,
        request: open.request.clone(),
        asset: open.asset,
        returned: running.holds.clone(),
        refund: running.paid,
        available: available(&books.projections).plus(open.held()),
    })));
    Ok(Answer::Done)
}

/// A charge is paid back after the settlement, from the house's revenue. The pool keeps its credit.
pub(super) fn refund(
    books: &Books,
    refund: &RefundCharge,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let amount = find::some(refund.amount)?;
    let seen = find::seen(books, &refund.request)?;
    let key = RecallKey::of_charge_refund(&refund.request, &refund.refund);
    let said = (PaidFor::Request(seen.number), amount);
    if find::before(books, key, said)?.is_some() {
        return Ok(find::again(Granted::PaidBack { amount }));
    }
    let (Some((_, Ending::Settled(settled))), Some(decided)) = (seen.closed, seen.decided) else {
        return Err(Rejection::NotSettled);
    };
    let total = seen.paid_back.plus(amount);
    let to = settled.paid_by.filter(|_| total <= settled.charged);
    let to = to.ok_or(Rejection::RefundTooLarge)?;
    jobs::room(books, decided.asset)?;
    let accounts = &books.projections.accounts;
    let revenue = accounts
        .balance(decided.asset, Account::Revenue)
        .above_zero();
    if revenue < amount {
        let shortfall = amount.minus(revenue);
        return Err(Rejection::InsufficientRevenue { shortfall });
    }
    into.push(Event::ChargeRefunded(Box::new(ChargeRefunded {
        grant: seen.number,
        request: refund.request.clone(),
        asset: decided.asset,
        refund: refund.refund.clone(),
        to,
        amount,
        refunded_total: total,
    })));
    Ok(Answer::Grant(Granted::PaidBack { amount }.into()))
}
