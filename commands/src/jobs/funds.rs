//! Money that comes in, and goes from a payer to its jobs. What the payer owes is settled first.

use purser_events::paid::{FundsTransferred, JobCredited};
use purser_events::payer::{DebtSettled, FundsDeposited};
use purser_events::{Amount, AssetNo, Balance, Event, JobNo, Label, PayerNo};
use purser_projections::Books;
use purser_projections::jobs::Job;
use purser_projections::recall::{RecallKey, Record, SeenPayment};

use super::answer::JobAnswer;
use super::command::{CreditJob, Deposit, JobName, Payment, SettleDebt, TransferFunds};
use super::find;
use crate::{Answer, Rejection};

/// What a payment is said to be, to compare it with what was taken in under its id.
struct Said {
    payer: Option<PayerNo>,
    job: Option<JobNo>,
    asset: Option<AssetNo>,
    amount: Amount,
}

/// The answer to a payment that was taken in before; `None` when it is new.
fn before(books: &Books, key: RecallKey, said: &Said) -> Result<Option<Answer>, Rejection> {
    let record = books.recalled.get(&key);
    let Some(Record::Payment(seen)) = record.as_deref() else {
        return Ok(None);
    };
    let seen: &SeenPayment = seen;
    let same = (said.payer, said.job, said.amount) == (Some(seen.payer), seen.job, seen.amount);
    // A job has one asset, so a payment for it does not name one.
    if !same || said.asset.is_some_and(|asset| asset != seen.asset) {
        return Err(Rejection::PaymentDiffers);
    }
    Ok(Some(Answer::Job(JobAnswer::Credited(seen.into()))))
}

/// The answer to a payment by a rail that was taken in before.
fn paid_before(books: &Books, payment: &Payment, said: &Said) -> Result<Option<Answer>, Rejection> {
    let Some(rail) = books.projections.names.rail(&payment.rail) else {
        return Ok(None);
    };
    let elsewhere = RecallKey::of_grant_payment(rail, &payment.id);
    if books.recalled.get(&elsewhere).is_some() {
        return Err(Rejection::PaymentDiffers);
    }
    before(books, RecallKey::of_payment(rail, &payment.id), said)
}

/// What is said of a payment for a job, open or closed.
fn for_job(books: &Books, job: &JobName, amount: Amount) -> Said {
    let payer = books.projections.names.payer(&job.payer);
    let seen = payer.and_then(|payer| find::seen(books, payer, &job.id));
    Said {
        payer,
        job: seen.map(|seen| seen.number),
        asset: None,
        amount,
    }
}

/// Whether a job is paid in the asset that the caller says, if he says one.
fn in_asset(books: &Books, job: &Job, asset: Option<&Label>) -> Result<(), Rejection> {
    let said = asset.map(|code| find::asset(books, code)).transpose()?;
    match said {
        Some(asset) if asset != job.asset => Err(Rejection::JobDiffers),
        _ => Ok(()),
    }
}

pub(super) fn credit(
    books: &Books,
    credit: &CreditJob,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let payment = &credit.payment;
    let said = for_job(books, &credit.job, payment.amount);
    if let Some(answer) = paid_before(books, payment, &said)? {
        return Ok(answer);
    }
    let job = find::open_job(books, &credit.job)?;
    in_asset(books, job, credit.asset.as_ref())?;
    find::room(books, job.asset)?;
    let settled = find::debt(books, job.payer, job.asset).min(payment.amount);
    let balance = find::balance(books, job);
    let balance = balance.plus(payment.amount).minus(settled);
    let rail = find::rail(books, &payment.rail, into)?;
    into.push(Event::JobCredited(Box::new(JobCredited {
        job: job.reference(),
        amount: payment.amount,
        settled,
        rail,
        payment: payment.id.clone(),
        balance,
    })));
    Ok(Answer::Job(JobAnswer::credited(settled, balance)))
}

pub(super) fn deposit(
    books: &Books,
    deposit: &Deposit,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let asset = find::asset(books, &deposit.asset)?;
    let payment = &deposit.payment;
    let said = Said {
        payer: books.projections.names.payer(&deposit.payer),
        job: None,
        asset: Some(asset),
        amount: payment.amount,
    };
    if let Some(answer) = paid_before(books, payment, &said)? {
        return Ok(answer);
    }
    find::room(books, asset)?;
    let payer = find::payer(books, &deposit.payer, into);
    let settled = find::debt(books, payer, asset).min(payment.amount);
    let funds = find::funds(books, payer, asset);
    let funds = funds.plus(payment.amount).minus(settled);
    let rail = find::rail(books, &payment.rail, into)?;
    into.push(Event::FundsDeposited(Box::new(FundsDeposited {
        payer,
        asset,
        amount: payment.amount,
        settled,
        rail,
        payment: payment.id.clone(),
        funds,
    })));
    let funds = Balance::default().plus(funds);
    Ok(Answer::Job(JobAnswer::credited(settled, funds)))
}

pub(super) fn transfer(
    books: &Books,
    transfer: &TransferFunds,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if let Some(answer) = transferred_before(books, transfer)? {
        return Ok(answer);
    }
    let job = find::open_job(books, &transfer.job)?;
    in_asset(books, job, transfer.asset.as_ref())?;
    let funds = find::funds(books, job.payer, job.asset);
    if funds < transfer.amount {
        let shortfall = transfer.amount.minus(funds);
        return Err(Rejection::InsufficientFunds { shortfall });
    }
    find::room(books, job.asset)?;
    let balance = find::balance(books, job).plus(transfer.amount);
    into.push(Event::FundsTransferred(Box::new(FundsTransferred {
        job: job.reference(),
        amount: transfer.amount,
        transfer: transfer.transfer.clone(),
        balance,
    })));
    Ok(Answer::Job(JobAnswer::credited(Amount::ZERO, balance)))
}

fn transferred_before(
    books: &Books,
    transfer: &TransferFunds,
) -> Result<Option<Answer>, Rejection> {
    let said = for_job(books, &transfer.job, transfer.amount);
    let key = |id: &Label| Some(RecallKey::of_transfer(said.payer?, id));
    match transfer.transfer.as_ref().and_then(key) {
        Some(key) => before(books, key, &said),
        None => Ok(None),
    }
}

/// Settles what a payer owes, as far as its funds go.
pub(super) fn settle(
    books: &Books,
    settle: &SettleDebt,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let asset = find::asset(books, &settle.asset)?;
    let payer = books.projections.names.payer(&settle.payer);
    let payer = payer.ok_or(Rejection::UnknownPayer)?;
    let funds = find::funds(books, payer, asset);
    let amount = find::debt(books, payer, asset).min(funds);
    let funds = funds.minus(amount);
    if amount > Amount::ZERO {
        find::room(books, asset)?;
        into.push(Event::DebtSettled(DebtSettled {
            payer,
            asset,
            amount,
            funds,
        }));
    }
    let funds = Balance::default().plus(funds);
    Ok(Answer::Job(JobAnswer::credited(amount, funds)))
}
