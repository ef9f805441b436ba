//! Ending jobs: what is left goes to the payer, what is missing becomes its debt.

use purser_events::paid::{CloseReason, JobClosed};
use purser_events::{Event, JobNo, Micros};
use purser_projections::Books;
use purser_projections::jobs::Job;

use super::answer::{Closed, JobAnswer};
use super::command::CloseJob;
use super::find;
use crate::grants::on_job;
use crate::{Answer, Rejection};

/// Closing twice answers as the first time.
pub(super) fn close(
    books: &Books,
    close: &CloseJob,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let payer = books.projections.names.payer(&close.job.payer);
    let seen = payer.and_then(|payer| find::seen(books, payer, &close.job.id));
    if let Some(closed) = seen.and_then(|seen| seen.closed) {
        return Ok(Answer::Job(JobAnswer::Closed((&closed).into())));
    }
    let job = find::open_job(books, &close.job)?;
    let closed = end(books, job, CloseReason::Asked(close.reason.clone()), into)?;
    Ok(Answer::Job(JobAnswer::Closed(closed)))
}

/// What the job did meanwhile is seen here, not by whoever asks.
pub(super) fn close_idle(
    books: &Books,
    at: Micros,
    job: JobNo,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let projections = &books.projections;
    let Some(job) = projections.jobs.get(job) else {
        return Ok(Answer::Unchanged);
    };
    if !job.idle(at, projections.policy.job_idle_ms) {
        return Err(Rejection::NotIdle);
    }
    let closed = end(books, job, CloseReason::Idle, into)?;
    Ok(Answer::Job(JobAnswer::Closed(closed)))
}

fn end(
    books: &Books,
    job: &Job,
    reason: CloseReason,
    into: &mut Vec<Event>,
) -> Result<Closed, Rejection> {
    find::room(books, job.asset)?;
    let balance = on_job::settle(books, job, into);
    let left = balance.above_zero();
    let settled = find::debt(books, job.payer, job.asset).min(left);
    let closed = Closed {
        repeated: false,
        settled,
        swept: left.minus(settled),
        debt: balance.missing(),
    };
    into.push(Event::JobClosed(Box::new(JobClosed {
        job: job.reference(),
        reason,
        settled: closed.settled,
        swept: closed.swept,
        debt: closed.debt,
        units: job.units,
        charged: job.charged,
        credited: job.credited,
    })));
    Ok(closed)
}
