//! Jobs that are opened on a request: the request bears what the job is debited, and is settled
//! when the job closes.

use purser_events::grant::{Earner, GrantJoined};
use purser_events::{Amount, AssetNo, Balance, Event, JobNo, Label};
use purser_projections::Books;
use purser_projections::jobs::Job;

use super::close::released;
use super::find::{self, Found};
use super::settle::settlement;
use crate::Rejection;

/// Joins a job that is about to be opened to a request under way.
pub(crate) fn join(
    books: &Books,
    request: &Label,
    (job, asset): (JobNo, AssetNo),
) -> Result<Event, Rejection> {
    let Found::Open(open) = find::found(books, request)? else {
        return Err(Rejection::RequestClosed);
    };
    if open.asset != asset {
        return Err(Rejection::RequestDiffers);
    }
    if open.running.is_none() {
        return Err(Rejection::NotPaid);
    }
    if open.job.is_some() {
        return Err(Rejection::OnJob);
    }
    Ok(Event::GrantJoined(Box::new(GrantJoined {
        grant: open.number,
        request: request.clone(),
        job,
    })))
}

/// Whether a job that is known was opened on this request, or on none.
pub(crate) fn is_joined(books: &Books, request: Option<&Label>, job: JobNo) -> bool {
    match request {
        Some(request) => find::seen(books, request).is_ok_and(|seen| seen.job == Some(job)),
        None => books.projections.grants.of_job(job).is_none(),
    }
}

/// What a request still bears of a job's debits, beyond the job's own balance.
pub(crate) fn cover(books: &Books, job: JobNo) -> Amount {
    let open = books.projections.grants.of_job(job);
    open.map_or(Amount::ZERO, |open| open.held().plus(open.paid()))
}

/// Settles the request of a job that is about to close; the balance that the job has then. The
/// pools pay first, then what was paid for the request, then what was credited to the job; the
/// operator bears the rest: nobody pays more than was quoted.
pub(crate) fn settle(books: &Books, job: &Job, into: &mut Vec<Event>) -> Balance {
    let balance = crate::jobs::find::balance(books, job);
    let Some(open) = books.projections.grants.of_job(job.number) else {
        return balance;
    };
    if job.charged == Amount::ZERO {
        into.push(Event::GrantReleased(Box::new(released(books, open, false))));
        return balance;
    }
    let borne = job.charged.min(open.held().plus(open.paid()));
    let rest = job.charged.minus(borne);
    let actual = job.charged.minus(rest.min(job.credited));
    let settled = settlement(books, open, actual, Earner::Job(job.number));
    into.push(Event::GrantSettled(Box::new(settled)));
    balance.plus(actual)
}
