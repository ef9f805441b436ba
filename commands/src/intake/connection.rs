//! Connects and disconnects: whether they say anything about the present.

use purser_events::intake::{EarlierCopyFound, Moved, Standing};
use purser_events::{Event, Label, PartitionNo, Position, WorkerNo};
use purser_projections::Books;
use purser_projections::order::{order_of, taken_of};
use purser_projections::recall::{
    ConnectionEntry, ConnectionTimeline, RecallKey, Record, SeenEvent,
};

use crate::Execution;

/// The connection that an event opens or closes.
struct End<'a> {
    partition: PartitionNo,
    worker: WorkerNo,
    connection: &'a Label,
    opens: bool,
}

fn end_of(event: &Event) -> Option<End<'_>> {
    let (taken, worker, connection, opens) = match event {
        Event::WorkerConnected(one) => (&one.taken, one.worker, &one.connection, true),
        Event::WorkerDisconnected(one) => (&one.taken, one.worker, &one.connection, false),
        _ => return None,
    };
    Some(End {
        partition: taken.partition,
        worker: worker?,
        connection: connection.as_ref()?,
        opens,
    })
}

impl End<'_> {
    fn timeline(&self, books: &Books) -> ConnectionTimeline {
        let key = RecallKey::of_connection(self.partition, self.worker, self.connection);
        match books.recalled.get(&key).as_deref() {
            Some(Record::Connection(timeline)) => timeline.clone(),
            _ => ConnectionTimeline::default(),
        }
    }

    fn entry(&self, event: Position, says: &Event) -> ConnectionEntry {
        ConnectionEntry {
            event,
            order: order_of(says),
            opens: self.opens,
        }
    }
}

/// Takes in a connect or disconnect.
pub(super) fn take(run: &mut Execution<'_>, mut event: Event) {
    let now = standing(run.books, &event);
    match &mut event {
        Event::WorkerConnected(one) => one.standing = now,
        Event::WorkerDisconnected(one) => one.standing = now,
        _ => unreachable!("only connects and disconnects have a standing"),
    }
    run.happen(event);
}

fn standing(books: &Books, event: &Event) -> Standing {
    let Some(end) = end_of(event) else {
        return Standing::Void;
    };
    let entry = end.entry(books.projections.position.next(), event);
    let timeline = end.timeline(books);
    if timeline.is_full_at(entry.order.occurred_at) {
        return Standing::Void;
    }
    let after = timeline.with(entry);
    if after
        .latest()
        .is_some_and(|latest| latest.event == entry.event)
    {
        Standing::Latest
    } else {
        Standing::Superseded
    }
}

/// A copy of an event that is no AI job was found in an earlier place.
pub(super) fn moved(run: &mut Execution<'_>, seen: &SeenEvent, event: &Event) {
    let copy = taken_of(event).expect("a copy comes from a source").clone();
    let moved = match event {
        Event::PartitionReset(_) => Moved::Reset,
        event => moved_connection(run.books, seen, event),
    };
    run.happen(Event::EarlierCopyFound(Box::new(EarlierCopyFound {
        event: seen.position,
        copy,
        content: seen.content,
        moved,
    })));
}

fn moved_connection(books: &Books, seen: &SeenEvent, event: &Event) -> Moved {
    let Some(end) = end_of(event) else {
        return Moved::Nothing;
    };
    let timeline = end.timeline(books);
    if !timeline.contains(seen.position) {
        return Moved::Nothing;
    }
    let after = timeline.with(end.entry(seen.position, event));
    let latest = after.latest().filter(|latest| latest.opens);
    Moved::Connection {
        worker: end.worker,
        connection: end.connection.clone(),
        opens: end.opens,
        connected: latest.map(|latest| latest.order),
    }
}
