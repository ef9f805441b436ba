//! AI jobs: who answered the request that a processed job belongs to.
//!
//! Within a request, in the source's order, a processed job is credited to the worker of the entry
//! right before it, if that is a received job. So a late or moved entry changes what comes right
//! after its old and its new place, and nothing else.

use purser_events::intake::{
    Attribution, EarlierCopyFound, JobProcessed, JobReattributed, JobReceived, Moved, Order,
    RequestId, Suspense, Taken,
};
use purser_events::policy::NodeType;
use purser_events::{Event, PartitionNo, Position};
use purser_projections::Books;
use purser_projections::order::order_of;
use purser_projections::recall::{
    Job, REQUEST_ROOM, RecallKey, Record, RequestTimeline, SeenEvent, What,
};

use crate::Execution;

pub(super) fn received(run: &mut Execution<'_>, node_type: NodeType, mut job: Box<JobReceived>) {
    let named = job.request.is_some() && job.worker.is_some();
    let Some(request) = job
        .request
        .clone()
        .filter(|_| named && node_type == NodeType::Ai)
    else {
        return run.happen(Event::JobReceived(job));
    };
    let partition = job.taken.partition;
    let place = (partition, &request);
    job.matchable = look(run.books, place, has_room);
    let is_matchable = job.matchable;
    let event = Event::JobReceived(job);
    let order = order_of(&event);
    let is_late = is_matchable && look(run.books, place, |jobs| stands_before_any(jobs, order));
    run.happen(event);
    if is_late {
        let cause = run.books.projections.position;
        settle(run, partition, &request, cause);
    }
}

pub(super) fn processed(run: &mut Execution<'_>, node_type: NodeType, mut job: Box<JobProcessed>) {
    if node_type != NodeType::Ai {
        return run.happen(Event::JobProcessed(job));
    }
    let Some(request) = job.request.clone() else {
        job.attribution = Attribution::Suspense(Suspense::NoRequestId);
        return run.happen(Event::JobProcessed(job));
    };
    let partition = job.taken.partition;
    let place = (partition, &request);
    if !look(run.books, place, has_room) {
        job.attribution = Attribution::Suspense(Suspense::Crowded);
        return run.happen(Event::JobProcessed(job));
    }
    let mut event = Event::JobProcessed(job);
    let order = order_of(&event);
    if let Event::JobProcessed(job) = &mut event {
        job.attribution = look(run.books, place, |jobs| attribution_at(jobs, order));
    }
    let is_late = look(run.books, place, |jobs| stands_before_any(jobs, order));
    run.happen(event);
    if is_late {
        let cause = run.books.projections.position;
        settle(run, partition, &request, cause);
    }
}

/// A copy of a job was found in an earlier place.
pub(super) fn moved(
    run: &mut Execution<'_>,
    seen: &SeenEvent,
    (copy, request): (Taken, Option<RequestId>),
    is_received: bool,
) {
    let partition = copy.partition;
    let request = request.filter(|request| {
        let place = (partition, request);
        look(run.books, place, |jobs| jobs.contains(seen.position))
    });
    let moved = match (&request, is_received) {
        (None, _) => Moved::Nothing,
        (Some(request), true) => Moved::Received(request.clone()),
        (Some(request), false) => Moved::Processed(request.clone()),
    };
    run.happen(Event::EarlierCopyFound(Box::new(EarlierCopyFound {
        event: seen.position,
        copy,
        content: seen.content,
        moved,
    })));
    if let Some(request) = request {
        let cause = run.books.projections.position;
        settle(run, partition, &request, cause);
    }
}

/// Looks at the jobs of a request.
fn look<T>(
    books: &Books,
    (partition, request): (PartitionNo, &RequestId),
    at: impl FnOnce(&RequestTimeline) -> T,
) -> T {
    let key = RecallKey::of_request(partition, request);
    match books.recalled.get(&key).as_deref() {
        Some(Record::Request(timeline)) => at(timeline),
        _ => at(&RequestTimeline::default()),
    }
}

fn has_room(timeline: &RequestTimeline) -> bool {
    timeline.len() < REQUEST_ROOM
}

fn stands_before_any(timeline: &RequestTimeline, order: Order) -> bool {
    timeline.whole().any(|(other, ..)| other > order)
}

/// Who earned a processed job that stands at `order`.
fn attribution_at(timeline: &RequestTimeline, order: Order) -> Attribution {
    let before = timeline.whole().filter(|(other, ..)| *other < order);
    let before = before.max_by_key(|(other, event, _)| (*other, *event));
    attribution_after(before.map(|(_, _, what)| what))
}

fn attribution_after(before: Option<&What>) -> Attribution {
    match before {
        Some(What::Received(worker)) => Attribution::Worker(*worker),
        Some(What::Processed(_)) | None => Attribution::Suspense(Suspense::Orphan),
    }
}

/// Credits every job of a request to whoever earned it by what is known now.
fn settle(run: &mut Execution<'_>, partition: PartitionNo, request: &RequestId, cause: Position) {
    let place = (partition, request);
    let timeline = look(run.books, place, RequestTimeline::clone);
    let mut before = None;
    for (_, event, what) in timeline.in_order() {
        if let What::Processed(job) = what {
            let to = attribution_after(before);
            if job.attribution != to {
                let change = JobReattributed {
                    to,
                    to_split: run.books.projections.policy.commission,
                    cause,
                    ..unchanged(place, event, job)
                };
                run.happen(Event::JobReattributed(Box::new(change)));
            }
        }
        before = Some(what);
    }
}

/// A change that leaves a job as it is.
fn unchanged(
    (partition, request): (PartitionNo, &RequestId),
    event: Position,
    job: &Job,
) -> JobReattributed {
    JobReattributed {
        job: event,
        partition,
        request: request.clone(),
        model: job.model,
        response_time: job.response_time,
        fee: job.fee.clone(),
        from: job.attribution,
        from_split: job.split,
        to: job.attribution,
        to_split: job.split,
        cause: event,
    }
}
