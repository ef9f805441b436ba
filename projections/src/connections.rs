//! Which connections are open.

use std::collections::BTreeMap;

use purser_events::intake::{EarlierCopyFound, Moved, Order, Standing};
use purser_events::{Event, Label, PartitionNo, Position, Recorded, Seconds, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::order::order_of;
use crate::paged::grown;

/// Which connections are open. Memory holds those, and what happened in the second of the latest
/// reset of each partition; the rest of history is in the index of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    partitions: Vec<PartitionConnections>,
}

/// The connections of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionConnections {
    /// Connections whose latest event is a connect that is not older than the second of the
    /// latest reset, with the order of that connect.
    connected: BTreeMap<(WorkerNo, Label), Order>,
    resets: Resets,
}

/// The resets of the latest second that has any. Copies found in earlier places move resets within
/// their second only, so older ones can never come to be the latest again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Resets {
    second: Option<Seconds>,
    orders: BTreeMap<Position, Order>,
    latest: Option<Order>,
}

/// So many resets of one second are told apart; only a flood has more.
const RESETS_OF_A_SECOND: usize = 1_024;

impl Connections {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::WorkerConnected(event) if event.standing == Standing::Latest => {
                let at = self.at(event.taken.partition);
                let connection = at_connection(event.worker, event.connection.as_ref());
                at.connect(connection, order_of(fact.event));
            }
            Event::WorkerDisconnected(event) if event.standing == Standing::Latest => {
                let at = self.at(event.taken.partition);
                let connection = at_connection(event.worker, event.connection.as_ref());
                at.connected.remove(&connection);
            }
            Event::PartitionReset(event) => {
                let order = order_of(fact.event);
                self.at(event.taken.partition).reset(fact.position, order);
            }
            Event::EarlierCopyFound(found) => self.moved(found, order_of(fact.event)),
            _ => {}
        }
    }

    fn moved(&mut self, found: &EarlierCopyFound, order: Order) {
        match &found.moved {
            Moved::Connection {
                worker,
                connection,
                connected,
                ..
            } => {
                let at = self.at(found.copy.partition);
                let connection = (*worker, connection.clone());
                match connected {
                    Some(order) => at.connect(connection, *order),
                    None => {
                        at.connected.remove(&connection);
                    }
                }
            }
            Moved::Reset => self.at(found.copy.partition).reset(found.event, order),
            Moved::Nothing | Moved::Received(_) | Moved::Processed(_) => {}
        }
    }

    fn at(&mut self, partition: PartitionNo) -> &mut PartitionConnections {
        grown(&mut self.partitions, partition.index())
    }

    /// The connections of a partition; absent when none was ever opened.
    #[must_use]
    pub fn partition(&self, partition: PartitionNo) -> Option<&PartitionConnections> {
        self.partitions.get(partition.index())
    }
}

fn at_connection(worker: Option<WorkerNo>, connection: Option<&Label>) -> (WorkerNo, Label) {
    let worker = worker.expect("the latest of a connection names its worker");
    let connection = connection.expect("the latest of a connection names it");
    (worker, connection.clone())
}

impl PartitionConnections {
    /// The open connections, by worker and then by text.
    pub fn open(&self) -> impl Iterator<Item = (WorkerNo, &Label)> {
        let open = self.connected.iter();
        let open = open.filter(|(_, order)| self.resets.latest.is_none_or(|last| last < **order));
        open.map(|((worker, connection), _)| (*worker, connection))
    }

    fn connect(&mut self, connection: (WorkerNo, Label), order: Order) {
        if self
            .resets
            .second
            .is_none_or(|second| order.occurred_at >= second)
        {
            self.connected.insert(connection, order);
        } else {
            self.connected.remove(&connection);
        }
    }

    fn reset(&mut self, event: Position, order: Order) {
        let Some(second) = self.resets.note(event, order) else {
            return;
        };
        self.connected
            .retain(|_, connect| connect.occurred_at >= second);
    }
}

impl Resets {
    /// Takes a reset in, or moves it; says the second of the latest one when that is a new one.
    fn note(&mut self, event: Position, order: Order) -> Option<Seconds> {
        if self.second > Some(order.occurred_at) {
            return None;
        }
        let later = self.second < Some(order.occurred_at);
        if later {
            self.orders.clear();
            self.second = Some(order.occurred_at);
        }
        if self.orders.len() < RESETS_OF_A_SECOND || self.orders.contains_key(&event) {
            self.orders.insert(event, order);
        }
        self.latest = self.orders.values().max().copied();
        later.then_some(order.occurred_at)
    }
}
