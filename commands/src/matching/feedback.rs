//! How a job went, and what that says about the worker.

use purser_events::matching::{Evidence, FeedbackGiven, Outcome};
use purser_events::{Event, Micros, WorkerNo};
use purser_projections::Books;

use super::assign::expires_at_ms;
use super::{GiveFeedback, is_over, known};
use crate::answer::Counted;
use crate::{Answer, Rejection};

/// What an outcome counts for or against a worker.
#[must_use]
pub fn evidence_of(outcome: Outcome, fail_code: Option<&str>, late: bool) -> Evidence {
    let (success_milli, failure_milli) = match (outcome, fail_code) {
        (Outcome::Accepted, _) => (0, 0),
        (Outcome::Completed, _) if late => (500, 500),
        (Outcome::Completed, _) => (1_000, 0),
        (Outcome::Rejected, Some("policy")) => (0, 0),
        (Outcome::Rejected, Some("price_changed")) => (0, 250),
        (Outcome::Rejected, _) => (0, 100),
        (Outcome::Failed, Some(code)) => (0, of_failure(code)),
        (Outcome::Failed, None) => (0, 1_000),
    };
    let fraud = outcome == Outcome::Failed && fail_code.is_some_and(is_fraud);
    Evidence {
        success_milli,
        failure_milli,
        fraud,
    }
}

fn is_fraud(code: &str) -> bool {
    matches!(
        code,
        "invalid_result" | "forged_capability" | "double_claim"
    )
}

fn of_failure(code: &str) -> u32 {
    match code {
        "client_cancelled" | "coordinator_error" | "payment_failed" => 0,
        "net_timeout" | "conn_reset" | "preempted" | "oom_retryable" => 250,
        code if is_fraud(code) => 5_000,
        _ => 1_000,
    }
}

/// What a job is to a worker that is reported on.
struct Part {
    deadline_ms: Option<u32>,
    accepted: bool,
}

/// Only what was assigned or offered counts, and only once.
pub(crate) fn give(
    books: &Books,
    at: Micros,
    given: &GiveFeedback,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let worker = known(books, &given.worker)?;
    let standing = books.projections.matching.standing(worker);
    let now_ms = at.millis();
    let ignored = |counted| {
        let trust_ppm = standing.trust.ppm(now_ms);
        Ok(Answer::Feedback { trust_ppm, counted })
    };
    let part = match part(books, given, worker)? {
        Ok(part) => part,
        Err(counted) => return ignored(counted),
    };
    if given.outcome == Outcome::Accepted && part.accepted {
        return ignored(Counted::Duplicate);
    }
    let late = match (given.latency_ms, part.deadline_ms) {
        (Some(took), Some(deadline)) => took > deadline,
        _ => false,
    };
    let code = given.fail_code.as_ref().map(purser_events::Label::as_str);
    let evidence = evidence_of(given.outcome, code, late);
    let mut after = standing.clone();
    after.weigh(evidence, now_ms);
    let trust_ppm = after.trust.ppm(now_ms);
    let expires = expires_at_ms(at, part.deadline_ms);
    into.push(Event::FeedbackGiven(Box::new(FeedbackGiven {
        job: given.job.clone(),
        coordinator: given.coordinator,
        worker,
        outcome: given.outcome,
        latency_ms: given.latency_ms,
        fail_code: given.fail_code.clone(),
        tokens_spent: given.tokens_spent,
        evidence,
        trust_ppm,
        deadline_ms: part.deadline_ms,
        expires_at_ms: (given.outcome == Outcome::Accepted).then_some(expires),
    })));
    let counted = Counted::Yes;
    Ok(Answer::Feedback { trust_ppm, counted })
}

/// The worker's part in the job, or why there is none.
fn part(
    books: &Books,
    given: &GiveFeedback,
    worker: WorkerNo,
) -> Result<Result<Part, Counted>, Rejection> {
    let live = books.projections.matching.jobs.get(&given.job);
    if live.is_some_and(|job| job.coordinator != given.coordinator) {
        return Err(Rejection::JobOfAnother);
    }
    if let Some(slot) = live.and_then(|job| job.slot(worker)) {
        return Ok(Ok(Part {
            deadline_ms: slot.deadline_ms,
            accepted: slot.accepted,
        }));
    }
    if is_over(books, &given.job, worker) {
        return Ok(Err(Counted::Duplicate));
    }
    let offered = given.offered.ok_or(Counted::NotAssigned);
    Ok(offered.map(|offered| Part {
        deadline_ms: offered.deadline_ms,
        accepted: false,
    }))
}
