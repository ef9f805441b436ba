//! Settling: every unit of what work did cost finds its bearer.

use purser_events::grant::{Earner, GrantOverran, GrantSettled, SettledShare, Share};
use purser_events::{Amount, Event, Label};
use purser_projections::Books;
use purser_projections::accounts::Account;
use purser_projections::grants::OpenGrant;
use purser_projections::recall::{Ending, SeenGrant, Settlement};

use super::answer::Granted;
use super::command::SettleGrant;
use super::find::{self, Found};
use super::offer::available;
use crate::jobs::find as jobs;
use crate::{Answer, Rejection};

/// The pools pay first, then the payer up to what was quoted; the operator bears the rest. What
/// was held or paid beyond that goes back.
pub(super) fn settle(
    books: &Books,
    settle: &SettleGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if settle.actual > Amount::MAX {
        return Err(Rejection::AmountTooLarge);
    }
    let open = match find::found(books, &settle.request)? {
        Found::Open(open) => open,
        Found::Closed(seen) => return closed(books, settle, &seen, into),
    };
    if open.running.is_none() {
        return Err(Rejection::NotPaid);
    }
    if open.job.is_some() {
        return Err(Rejection::OnJob);
    }
    jobs::room(books, open.asset)?;
    let earner = earner(books, settle.worker.as_ref(), into)?;
    let settled = settlement(books, open, settle.actual, earner);
    let answer = Settlement::from(&settled);
    into.push(Event::GrantSettled(Box::new(settled)));
    Ok(Answer::Grant(Granted::Settled(answer).into()))
}

/// The event that settles an open request whose work did cost so much.
pub(super) fn settlement(
    books: &Books,
    open: &OpenGrant,
    actual: Amount,
    earner: Earner,
) -> GrantSettled {
    let running = open
        .running
        .as_ref()
        .expect("only work under way is settled");
    let (shares, rest) = absorb(&running.holds, actual);
    let paid = open.paid();
    let charged = paid.min(rest);
    let credit = credit(books, open, charged, earner);
    let returned = shares.iter().map(|share| share.returned);
    let back = returned.fold(credit, Amount::plus);
    GrantSettled {
        grant: open.number,
        request: open.request.clone(),
        asset: open.asset,
        actual,
        shares,
        charged,
        paid_by: running.paid.map(|paid| paid.to),
        refunded: paid.minus(charged),
        overrun: rest.minus(charged),
        credit,
        earner,
        available: available(&books.projections).plus(back),
    }
}

/// Lets the pools pay in the order in which they hold; what is left to be paid by others.
fn absorb(holds: &[Share], actual: Amount) -> (Vec<SettledShare>, Amount) {
    let mut rest = actual;
    let mut share = |hold: &Share| {
        let absorbed = hold.amount.min(rest);
        rest = rest.minus(absorbed);
        SettledShare {
            pool: hold.pool,
            absorbed,
            returned: hold.amount.minus(absorbed),
        }
    };
    let shares = holds.iter().map(&mut share).collect();
    (shares, rest)
}

/// The house's own pool is credited with a share of each net charge, out of what the house itself
/// earns by it: never out of a worker's pay.
fn credit(books: &Books, open: &OpenGrant, charged: Amount, earner: Earner) -> Amount {
    let folds = &books.projections;
    let credit = folds.policy.grants.credit_share.share_of_amount(charged);
    match earner {
        Earner::Nobody => credit,
        Earner::Worker(_, split) => credit.min(split.commission.share_of_amount(charged)),
        Earner::Job(_) => {
            // A job's debits were rounded one by one, and may have named other rates since.
            let share = folds.policy.commission.commission.share_of_amount(charged);
            let commission = folds.accounts.balance(open.asset, Account::Commission);
            credit.min(share).min(commission.above_zero())
        }
    }
}

/// Who earns what the work did cost.
fn earner(
    books: &Books,
    worker: Option<&Label>,
    into: &mut Vec<Event>,
) -> Result<Earner, Rejection> {
    let Some(text) = worker else {
        return Ok(Earner::Nobody);
    };
    let worker = jobs::worker(books, text, into)?;
    Ok(Earner::Worker(worker, books.projections.policy.commission))
}

/// Whether this is who earned a settlement, as far as anybody is named.
fn is_earner(books: &Books, worker: Option<&Label>, earner: Earner) -> bool {
    let Some(text) = worker else {
        return true;
    };
    let worker = books.projections.names.worker(text.as_str());
    matches!(earner, Earner::Worker(earned, _) if worker == Some(earned))
}

/// A result for a request that is closed: the first answer again, or a cost that came too late.
fn closed(
    books: &Books,
    settle: &SettleGrant,
    seen: &SeenGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let asset = seen.decided.map(|decided| decided.asset);
    match (seen.closed, asset) {
        (Some((_, Ending::Settled(settlement))), _) => {
            let same_worker = is_earner(books, settle.worker.as_ref(), settlement.earner);
            if settlement.actual == settle.actual && same_worker {
                Ok(find::again(Granted::Settled(settlement)))
            } else {
                Err(Rejection::RequestDiffers)
            }
        }
        (Some((_, Ending::Expired)), Some(asset)) if seen.late.is_none() => {
            jobs::room(books, asset)?;
            let earner = earner(books, settle.worker.as_ref(), into)?;
            let actual = settle.actual;
            into.push(Event::GrantOverran(Box::new(GrantOverran {
                grant: seen.number,
                request: settle.request.clone(),
                asset,
                actual,
                earner,
            })));
            Ok(Answer::Grant(Granted::Late { overrun: actual }.into()))
        }
        _ => Err(Rejection::RequestClosed),
    }
}
