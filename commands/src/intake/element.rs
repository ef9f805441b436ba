//! One event of a file: new, a copy, or another content under a known id.

use purser_events::intake::{
    Attribution, JobProcessed, JobReceived, ModelNamed, OtherTaken, PartitionReset, Standing,
    Suspense, Taken, TicketRedeemed, TypeNamed, WorkerConnected, WorkerDisconnected,
};
use purser_events::policy::NodeType;
use purser_events::worker::WorkerNamed;
use purser_events::{Address, Event, ModelNo, TypeNo, WorkerNo};
use purser_projections::Books;
use purser_projections::order::content_of;
use purser_projections::recall::{RecallKey, Record, SeenEvent};

use super::{Processed, Says, connection, matching};
use crate::Execution;

/// What became of an element.
pub(super) enum Outcome {
    /// It is taken in.
    New,
    /// It had been taken in before.
    Duplicate,
    /// Its id had been taken in before with other content.
    Conflict,
}

pub(super) fn take(
    run: &mut Execution<'_>,
    node_type: NodeType,
    taken: Taken,
    says: &Says,
) -> Outcome {
    let key = RecallKey::of_event(&taken.id);
    if let Some(seen) = seen_before(run.books, &key) {
        return copy(run, node_type, (taken, seen), says);
    }
    name_all(run, node_type, says);
    let event = draft(run.books, node_type, taken, says).expect("everything is named now");
    match event {
        Event::JobReceived(job) => matching::received(run, node_type, job),
        Event::JobProcessed(job) => matching::processed(run, node_type, job),
        Event::WorkerConnected(_) | Event::WorkerDisconnected(_) => connection::take(run, event),
        event => run.happen(event),
    }
    Outcome::New
}

fn seen_before(books: &Books, key: &RecallKey) -> Option<SeenEvent> {
    match books.recalled.get(key).as_deref() {
        Some(Record::Event(seen)) => Some(*seen),
        _ => None,
    }
}

/// The id is known: a copy changes nothing, unless it stands in an earlier place.
fn copy(
    run: &mut Execution<'_>,
    node_type: NodeType,
    (taken, seen): (Taken, SeenEvent),
    says: &Says,
) -> Outcome {
    let place = (taken.stamps, taken.index);
    let Some(event) = draft(run.books, node_type, taken, says) else {
        return Outcome::Conflict;
    };
    if content_of(&event) != seen.content {
        return Outcome::Conflict;
    }
    if place < seen.place {
        moved(run, node_type, &seen, event);
    }
    Outcome::Duplicate
}

fn moved(run: &mut Execution<'_>, node_type: NodeType, seen: &SeenEvent, event: Event) {
    match event {
        Event::JobReceived(job) if node_type == NodeType::Ai => {
            matching::moved(run, seen, (job.taken, job.request), true);
        }
        Event::JobProcessed(job) if node_type == NodeType::Ai => {
            matching::moved(run, seen, (job.taken, job.request), false);
        }
        event => connection::moved(run, seen, &event),
    }
}

/// Gives a number to every name that the event brings up for the first time.
fn name_all(run: &mut Execution<'_>, node_type: NodeType, says: &Says) {
    match says {
        Says::Connected { worker, .. }
        | Says::Disconnected { worker, .. }
        | Says::Received { worker, .. } => name_worker(run, *worker),
        Says::Processed(job) if node_type == NodeType::Ai => name_model(run, job),
        Says::Processed(job) => name_worker(run, job.worker),
        Says::Other(name) => {
            let names = &run.books.projections.names;
            if names.event_type(name).is_none() {
                let event_type = TypeNo::following(names.types().len());
                let name = name.clone();
                run.happen(Event::TypeNamed(Box::new(TypeNamed { event_type, name })));
            }
        }
        Says::Reset | Says::Ticket { .. } => {}
    }
}

fn name_worker(run: &mut Execution<'_>, address: Option<Address>) {
    let names = &run.books.projections.names;
    if let Some(address) = address.filter(|address| names.payee(address).is_none()) {
        let worker = WorkerNo::following(names.workers().len());
        run.happen(Event::WorkerNamed(WorkerNamed { worker, address }));
    }
}

fn name_model(run: &mut Execution<'_>, job: &Processed) {
    let names = &run.books.projections.names;
    if names.model(&job.model_id, &job.pipeline).is_none() {
        let model = ModelNo::following(names.models().len());
        let (model_id, pipeline) = (job.model_id.clone(), job.pipeline.clone());
        run.happen(Event::ModelNamed(Box::new(ModelNamed {
            model,
            model_id,
            pipeline,
        })));
    }
}

/// The event that an element would be, before it is put in order with others; absent when it
/// brings up a name that has no number, and so cannot be a copy of anything.
fn draft(books: &Books, node_type: NodeType, taken: Taken, says: &Says) -> Option<Event> {
    let names = &books.projections.names;
    let event = match says {
        Says::Reset => Event::PartitionReset(Box::new(PartitionReset { taken })),
        Says::Connected { worker, connection } => {
            Event::WorkerConnected(Box::new(WorkerConnected {
                taken,
                worker: numbered(books, *worker)?,
                connection: connection.clone(),
                standing: Standing::Void,
            }))
        }
        Says::Disconnected { worker, connection } => {
            Event::WorkerDisconnected(Box::new(WorkerDisconnected {
                taken,
                worker: numbered(books, *worker)?,
                connection: connection.clone(),
                standing: Standing::Void,
            }))
        }
        Says::Received { request, worker } => Event::JobReceived(Box::new(JobReceived {
            taken,
            request: request.clone(),
            worker: numbered(books, *worker)?,
            matchable: false,
        })),
        Says::Processed(job) => {
            Event::JobProcessed(Box::new(draft_job(books, node_type, taken, job)?))
        }
        Says::Ticket {
            recipient,
            sender,
            face_value,
            tx_hash,
        } => Event::TicketRedeemed(Box::new(TicketRedeemed {
            taken,
            recipient: *recipient,
            sender: *sender,
            face_value: *face_value,
            tx_hash: *tx_hash,
        })),
        Says::Other(name) => Event::OtherTaken(Box::new(OtherTaken {
            taken,
            event_type: names.event_type(name)?,
        })),
    };
    Some(event)
}

/// The number of a payee, where one is named; absent when it has none yet.
#[expect(
    clippy::option_option,
    reason = "no payee named and no number yet are two things"
)]
fn numbered(books: &Books, address: Option<Address>) -> Option<Option<WorkerNo>> {
    match address {
        None => Some(None),
        Some(address) => books.projections.names.payee(&address).map(Some),
    }
}

fn draft_job(
    books: &Books,
    node_type: NodeType,
    taken: Taken,
    job: &Processed,
) -> Option<JobProcessed> {
    let names = &books.projections.names;
    let (model, attribution) = match node_type {
        NodeType::Ai => {
            let model = names.model(&job.model_id, &job.pipeline)?;
            (Some(model), Attribution::Suspense(Suspense::Orphan))
        }
        NodeType::Transcode => {
            let nobody = Attribution::Suspense(Suspense::NoAddress);
            let worker = numbered(books, job.worker)?;
            (None, worker.map_or(nobody, Attribution::Worker))
        }
    };
    Some(JobProcessed {
        taken,
        request: job.request.clone(),
        model,
        units: job.units,
        price_wei: job.price_wei,
        response_time: job.response_time,
        duration_ms: job.duration_ms,
        real_time_ratio: job.real_time_ratio,
        fee: job.fee.clone(),
        attribution,
        split: books.projections.policy.commission,
    })
}
