//! The records that an event adds to the index: from the event alone.

use purser_events::intake::{
    Attribution, EarlierCopyFound, FileQuarantined, FileTaken, JobProcessed, JobReattributed,
    KeyState, Moved, RequestId, Standing, Suspense, Taken,
};
use purser_events::{Event, Label, PartitionNo, Position, Recorded, WorkerNo};

use super::grant;
use super::key::RecallKey;
use super::matching;
use super::paid;
use super::record::{PayoutTrail, Record, SeenEvent, SeenFile};
use super::ticket;
use super::timeline::{
    ConnectionEntry, ConnectionTimeline, Job, RequestEntry, RequestTimeline, Stands, What,
};
use crate::intake::state_of;
use crate::order::{content_of, order_at, rank_of, taken_of};

/// The records that an event adds to the index.
pub fn records_of(fact: Recorded<'_>, mut each: impl FnMut(RecallKey, Record)) {
    match fact.event {
        Event::FileTaken(file) => file_taken(fact.position, file, each),
        Event::FileQuarantined(file) => file_quarantined(fact.position, file, each),
        Event::JobReattributed(change) => reattributed(fact.position, change, each),
        Event::EarlierCopyFound(found) => moved(fact, found, each),
        Event::MatchMade(made) => matching::made(fact.position, made, each),
        Event::FeedbackGiven(given) => matching::given(fact.position, given, each),
        Event::AssignmentExpired(expired) => matching::expired(fact.position, expired, each),
        event => {
            if let Some(payout) = crate::payouts::payout_of(event) {
                let trail = PayoutTrail::of(fact.position);
                each(RecallKey::of_payout(payout), Record::Payout(trail));
            }
            if let Some(taken) = taken_of(event) {
                let key = RecallKey::of_event(&taken.id);
                let seen = SeenEvent {
                    position: fact.position,
                    place: (taken.stamps, taken.index),
                    content: content_of(event),
                };
                each(key, Record::Event(seen));
                timeline(fact, taken, key, each);
            } else if let Some((key, record)) = paid::record(fact).or_else(|| ticket::record(fact))
            {
                each(key, record);
            } else {
                grant::records(fact, each);
            }
        }
    }
}

fn timeline(
    fact: Recorded<'_>,
    taken: &Taken,
    key: RecallKey,
    each: impl FnMut(RecallKey, Record),
) {
    let order = order_at(taken, rank_of(fact.event), &key);
    let entry = |what| RequestEntry {
        event: fact.position,
        order: Some(order),
        stands: Some(Stands {
            since: fact.position,
            what,
        }),
    };
    let end = |opens| ConnectionEntry {
        event: fact.position,
        order,
        opens,
    };
    let partition = taken.partition;
    match fact.event {
        Event::JobReceived(job) if job.matchable => {
            let request = job
                .request
                .as_ref()
                .expect("a matchable job names its request");
            let worker = job.worker.expect("a matchable job names its worker");
            add_job(partition, request, entry(What::Received(worker)), each);
        }
        Event::JobProcessed(job) => {
            if let Some(request) = matched_by(job) {
                add_job(
                    partition,
                    request,
                    entry(What::Processed(job_of(job))),
                    each,
                );
            }
        }
        Event::WorkerConnected(one) if one.standing != Standing::Void => {
            let connection = (one.worker, one.connection.as_ref());
            add_end(partition, connection, end(true), each);
        }
        Event::WorkerDisconnected(one) if one.standing != Standing::Void => {
            let connection = (one.worker, one.connection.as_ref());
            add_end(partition, connection, end(false), each);
        }
        _ => {}
    }
}

/// The request that a processed job is matched by; absent when it is not matched at all.
fn matched_by(job: &JobProcessed) -> Option<&RequestId> {
    let crowded = job.attribution == Attribution::Suspense(Suspense::Crowded);
    let is_ai = job.model.is_some();
    job.request.as_ref().filter(|_| is_ai && !crowded)
}

fn job_of(job: &JobProcessed) -> Job {
    Job {
        model: job.model,
        response_time: job.response_time,
        fee: job.fee.clone(),
        attribution: job.attribution,
        split: job.split,
    }
}

fn add_job(
    partition: PartitionNo,
    request: &RequestId,
    entry: RequestEntry,
    mut each: impl FnMut(RecallKey, Record),
) {
    let key = RecallKey::of_request(partition, request);
    each(key, Record::Request(RequestTimeline::of(entry)));
}

fn add_end(
    partition: PartitionNo,
    connection: (Option<WorkerNo>, Option<&Label>),
    entry: ConnectionEntry,
    mut each: impl FnMut(RecallKey, Record),
) {
    let worker = connection
        .0
        .expect("a connection that counts names its worker");
    let text = connection.1.expect("a connection that counts is named");
    let key = RecallKey::of_connection(partition, worker, text);
    each(key, Record::Connection(ConnectionTimeline::of(entry)));
}

fn reattributed(position: Position, change: &JobReattributed, each: impl FnMut(RecallKey, Record)) {
    let job = Job {
        model: change.model,
        response_time: change.response_time,
        fee: change.fee.clone(),
        attribution: change.to,
        split: change.to_split,
    };
    let entry = RequestEntry {
        event: change.job,
        order: None,
        stands: Some(Stands {
            since: position,
            what: What::Processed(job),
        }),
    };
    add_job(change.partition, &change.request, entry, each);
}

fn moved(fact: Recorded<'_>, found: &EarlierCopyFound, mut each: impl FnMut(RecallKey, Record)) {
    let key = RecallKey::of_event(&found.copy.id);
    let seen = SeenEvent {
        position: found.event,
        place: (found.copy.stamps, found.copy.index),
        content: found.content,
    };
    each(key, Record::Event(seen));
    let order = order_at(&found.copy, rank_of(fact.event), &key);
    let partition = found.copy.partition;
    match &found.moved {
        Moved::Received(request) | Moved::Processed(request) => {
            let entry = RequestEntry {
                event: found.event,
                order: Some(order),
                stands: None,
            };
            add_job(partition, request, entry, each);
        }
        Moved::Connection {
            worker,
            connection,
            opens,
            ..
        } => {
            let entry = ConnectionEntry {
                event: found.event,
                order,
                opens: *opens,
            };
            add_end(partition, (Some(*worker), Some(connection)), entry, each);
        }
        Moved::Nothing | Moved::Reset => {}
    }
}

fn file_taken(position: Position, file: &FileTaken, mut each: impl FnMut(RecallKey, Record)) {
    let seen = SeenFile {
        position,
        quarantined: None,
        elements: file.elements,
        malformed: file.malformed,
        misrouted: file.misrouted,
    };
    let key = RecallKey::of_file(file.partition, file.stamps, &file.content);
    each(key, Record::File(seen));
    let key = RecallKey::of_place(file.partition, file.stamps);
    each(key, Record::Key(KeyState::Read));
}

fn file_quarantined(
    position: Position,
    file: &FileQuarantined,
    mut each: impl FnMut(RecallKey, Record),
) {
    let seen = SeenFile {
        position,
        quarantined: Some(file.reason),
        elements: 0,
        malformed: 0,
        misrouted: 0,
    };
    let (one, all) = match file.place {
        Some((partition, stamps)) => (
            RecallKey::of_file(partition, stamps, &file.content),
            RecallKey::of_place(partition, stamps),
        ),
        None => (
            RecallKey::of_foreign_file(&file.key, &file.content),
            RecallKey::of_foreign_key(&file.key),
        ),
    };
    each(one, Record::File(seen));
    each(all, Record::Key(state_of(file.reason)));
}
