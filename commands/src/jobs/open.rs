//! Opening jobs.

use purser_events::paid::{FundsTransferred, JobOpened, JobRef, JobTerms};
use purser_events::payer::{DebtSettled, PayerChose};
use purser_events::{Amount, AssetNo, Balance, Event, JobNo, PayerNo};
use purser_projections::Books;
use purser_projections::recall::{SeenJob, terms_digest};

use super::answer::{JobAnswer, Opened};
use super::command::{ChooseFunds, OpenJob};
use super::find;
use crate::grants::on_job;
use crate::{Answer, Rejection};

/// An id opens one job of its payer, for ever. The same terms again change nothing.
pub(super) fn open(
    books: &Books,
    open: &OpenJob,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let asset = find::asset(books, &open.asset)?;
    let known = books.projections.names.payer(&open.job.payer);
    let seen = known.and_then(|payer| find::seen(books, payer, &open.job.id));
    if let Some(seen) = seen {
        return again(books, open, asset, &seen);
    }
    if let Some(payer) = known {
        admissible(books, payer, asset)?;
    }
    find::room(books, asset)?;
    let payer = find::payer(books, &open.job.payer, into);
    let terms = terms(books, open, into)?;
    let after = books.projections.position.plus(into.len() as u64);
    let job = JobRef {
        number: JobNo::from(after.next()),
        id: open.job.id.clone(),
        payer,
        asset,
    };
    into.push(Event::JobOpened(Box::new(JobOpened {
        payer,
        id: job.id.clone(),
        asset,
        terms,
    })));
    if let Some(request) = &open.request {
        into.push(on_job::join(books, request, (job.number, asset))?);
    }
    let balance = bring_funds(books, job, into);
    Ok(Answer::Job(JobAnswer::opened(balance)))
}

/// Whether a payer may open a further job.
fn admissible(books: &Books, payer: PayerNo, asset: AssetNo) -> Result<(), Rejection> {
    let projections = &books.projections;
    let mut debt = find::debt(books, payer, asset);
    if projections.jobs.funds_at_open(payer) {
        debt = debt.minus(debt.min(find::funds(books, payer, asset)));
    }
    let limit = projections.policy.debt_limit;
    if debt > limit {
        let shortfall = debt.minus(limit);
        return Err(Rejection::Debt { shortfall });
    }
    if projections.jobs.open_of(payer) >= projections.policy.open_jobs_max as usize {
        return Err(Rejection::TooManyJobs);
    }
    Ok(())
}

fn again(
    books: &Books,
    open: &OpenJob,
    asset: AssetNo,
    seen: &SeenJob,
) -> Result<Answer, Rejection> {
    let mut new = Vec::new();
    if !on_job::is_joined(books, open.request.as_ref(), seen.number) {
        return Err(Rejection::JobDiffers);
    }
    // A worker that had to be named first cannot be the one of the job.
    let terms = terms(books, open, &mut new).map_err(|_| Rejection::JobDiffers)?;
    if !new.is_empty() || seen.terms != Some(terms_digest(asset, &terms)) {
        return Err(Rejection::JobDiffers);
    }
    let job = books.projections.jobs.get(seen.number);
    let balance = job.map_or_else(Balance::default, |job| find::balance(books, job));
    Ok(Answer::Job(JobAnswer::Opened(Opened {
        created: false,
        closed: seen.closed.is_some(),
        balance,
    })))
}

fn terms(books: &Books, open: &OpenJob, into: &mut Vec<Event>) -> Result<JobTerms, Rejection> {
    let worker = open.worker.as_ref();
    let worker = worker.map(|text| find::worker(books, text, into));
    Ok(JobTerms {
        price: open.price,
        timeout_sec: open.timeout_sec,
        capability: open.capability.clone(),
        payer_ref: open.payer_ref.clone(),
        worker: worker.transpose()?,
    })
}

/// A payer that chose so pays its debt and the new job from its funds.
fn bring_funds(books: &Books, job: JobRef, into: &mut Vec<Event>) -> Balance {
    let (payer, asset) = (job.payer, job.asset);
    if !books.projections.jobs.funds_at_open(payer) {
        return Balance::default();
    }
    let mut funds = find::funds(books, payer, asset);
    let amount = find::debt(books, payer, asset).min(funds);
    if amount > Amount::ZERO {
        funds = funds.minus(amount);
        into.push(Event::DebtSettled(DebtSettled {
            payer,
            asset,
            amount,
            funds,
        }));
    }
    let balance = Balance::default().plus(funds);
    if funds > Amount::ZERO {
        into.push(Event::FundsTransferred(Box::new(FundsTransferred {
            job,
            amount: funds,
            transfer: None,
            balance,
        })));
    }
    balance
}

/// A payer says what becomes of its funds when it opens a job.
pub(super) fn choose(books: &Books, choose: &ChooseFunds, into: &mut Vec<Event>) -> Answer {
    let payer = find::payer(books, &choose.payer, into);
    let funds_at_open = choose.at_open;
    if into.is_empty() && books.projections.jobs.funds_at_open(payer) == funds_at_open {
        return Answer::Unchanged;
    }
    into.push(Event::PayerChose(PayerChose {
        payer,
        funds_at_open,
    }));
    Answer::Done
}
