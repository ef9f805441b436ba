//! One hash over fees, connections and suspense that does not depend on how things are numbered.

use purser_events::{PartitionNo, codec};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::build::partition_name;
use crate::Projections;
use crate::fees::{FeeRow, JobCounts, PartitionFees, SUSPENSE_REASONS, SuspenseRow, TicketCounts};

/// The state of one partition, by names.
#[derive(Serialize)]
struct State {
    fees: Vec<(String, FeeRow)>,
    suspense: Vec<SuspenseRow>,
    jobs: JobCounts,
    received: u64,
    matched: u64,
    tickets: TicketCounts,
    connections: Vec<(String, String)>,
}

/// A SHA-256 over fees, connections and suspense, sorted by names: equal for every order in which
/// the same files were delivered under the same policy.
#[must_use]
pub fn state_digest(folds: &Projections) -> [u8; 32] {
    let numbered = (0..).zip(folds.names.partitions());
    let mut states: Vec<(String, State)> = numbered
        .map(|(number, partition)| (partition_name(partition), state(folds, PartitionNo(number))))
        .collect();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    Sha256::digest(codec::to_bytes(&states)).into()
}

fn state(folds: &Projections, partition: PartitionNo) -> State {
    let name = |worker: purser_events::WorkerNo| folds.names.workers()[worker.index()].to_string();
    let nothing = PartitionFees::default();
    let fees = folds.fees.partition(partition).unwrap_or(&nothing);
    let suspense = SUSPENSE_REASONS.iter();
    let mut state = State {
        fees: fees
            .workers()
            .map(|(worker, row)| (name(worker), *row))
            .collect(),
        suspense: suspense.map(|reason| *fees.suspense(*reason)).collect(),
        jobs: fees.jobs,
        received: fees.received,
        matched: fees.matched,
        tickets: fees.tickets,
        connections: Vec::new(),
    };
    if let Some(connections) = folds.connections.partition(partition) {
        let open = connections.open();
        let named = open.map(|(worker, connection)| (name(worker), connection.to_string()));
        state.connections = named.collect();
    }
    state.fees.sort_by(|one, other| one.0.cmp(&other.0));
    state.connections.sort();
    state
}
