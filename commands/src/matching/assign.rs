//! Who gets a job: the writer decides one match after the other, so a slot has one winner.

use purser_events::matching::{AssignmentExpired, Candidate, Evidence, MatchMade};
use purser_events::{Event, Micros, WorkerNo};
use purser_projections::Books;

use super::{AssignMatch, ExpireAssignment, is_over, seen};
use crate::{Answer, Rejection};

/// How long a slot is held where the job names no deadline, in milliseconds: one hour.
const DEADLINE_MS: u32 = 3_600_000;

/// How long after its deadline a job may still be reported on, in milliseconds.
const REPORT_MS: u32 = 30_000;

/// When a slot that is taken now is free again without a report.
pub(super) fn expires_at_ms(at: Micros, deadline_ms: Option<u32>) -> u64 {
    let wait = u64::from(deadline_ms.unwrap_or(DEADLINE_MS)) + u64::from(REPORT_MS);
    at.millis().saturating_add(wait)
}

/// A match that found nobody is recorded as well: that is unmet demand.
pub(crate) fn assign(
    books: &Books,
    at: Micros,
    assign: &AssignMatch,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let live = books.projections.matching.jobs.get(&assign.job);
    if let Some(job) = live {
        return Err(if job.coordinator == assign.coordinator {
            Rejection::JobAssigned
        } else {
            Rejection::JobOfAnother
        });
    }
    if seen(books, &assign.job).completed {
        return Err(Rejection::JobCompleted);
    }
    let found = &assign.found;
    let mut assigned = Vec::new();
    for candidate in &found.candidates {
        let wanted = assigned.len() < assign.count as usize;
        let again = assigned.contains(&candidate.worker);
        if wanted && !again && stands(books, at, assign, candidate) {
            assigned.push(candidate.worker);
        }
    }
    if assigned.is_empty() && !found.candidates.is_empty() {
        return Err(Rejection::CandidatesGone);
    }
    let count = u32::try_from(assigned.len()).unwrap_or(u32::MAX);
    into.push(Event::MatchMade(Box::new(MatchMade {
        job: assign.job.clone(),
        coordinator: assign.coordinator,
        ask: assign.ask.clone(),
        weights: found.weights,
        looked_at: found.looked_at,
        candidates: candidates_of(books, assign, &assigned),
        left_out: found.left_out.clone(),
        assigned,
        expires_at_ms: expires_at_ms(at, assign.ask.deadline_ms),
    })));
    Ok(Answer::Recorded { assigned: count })
}

/// The candidates as they are recorded: those whose part in the job is over are none any more, and
/// whoever was only looked at in their place is left out again.
fn candidates_of(books: &Books, assign: &AssignMatch, assigned: &[WorkerNo]) -> Vec<Candidate> {
    let found = assign.found.candidates.iter();
    let open = found.filter(|one| !is_over(books, &assign.job, one.worker));
    let mut open: Vec<Candidate> = open.cloned().collect();
    let last = open.iter().rposition(|one| assigned.contains(&one.worker));
    open.truncate((assign.ask.top_k as usize).max(last.map_or(0, |last| last + 1)));
    open
}

/// Whether a candidate can still take the job: much may have happened since it was looked at.
fn stands(books: &Books, at: Micros, assign: &AssignMatch, candidate: &Candidate) -> bool {
    let folds = &books.projections;
    let Some(worker) = folds.registry.worker(candidate.worker) else {
        return false;
    };
    let standing = folds.matching.standing(candidate.worker);
    let offer = &worker.file.manifest;
    worker.pulse.live()
        && !worker.pulse.silent(at, folds.policy.heartbeat_grace_ms)
        && !worker.pulse.busy
        && !standing.suspended(at.millis())
        && worker.pulse.jobs(standing.open) < offer.max_parallel
        && worker.pulse.reserved < u16::MAX
        && offer.price_micro == candidate.price_micro
        && !is_over(books, &assign.job, candidate.worker)
}

/// A slot that the worker had accepted counts against it; one that nobody ever confirmed does not.
pub(crate) fn expire(
    books: &Books,
    at: Micros,
    expire: &ExpireAssignment,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let job = books.projections.matching.jobs.get(&expire.job);
    let Some(slot) = job.and_then(|job| job.slot(expire.worker)) else {
        return Ok(Answer::Unchanged);
    };
    if at.millis() <= slot.expires_at_ms {
        return Err(Rejection::NotExpired);
    }
    let failure_milli = if slot.accepted { 500 } else { 0 };
    into.push(Event::AssignmentExpired(Box::new(AssignmentExpired {
        job: expire.job.clone(),
        worker: expire.worker,
        evidence: Evidence {
            failure_milli,
            ..Evidence::default()
        },
    })));
    Ok(Answer::Done)
}
