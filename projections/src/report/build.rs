//! From folds and samples to the report.

use std::collections::BTreeMap;

use purser_events::intake::Suspense;
use purser_events::policy::NodeType;
use purser_events::{PartitionNo, Recorded, Wei, WorkerNo};

use super::samples::Samples;
use super::{
    Counts, Jobs, PartitionReport, PartitionWorker, Received, Report, Tickets, Totals, WeiText,
    WorkerReport,
};
use crate::Projections;
use crate::fees::{FeeRow, PartitionFees};
use crate::intake::{KNOWN_TYPES, PartitionEvents};
use crate::names::Partition;

/// Makes a [`Report`]: folds every event of the log for the medians, and takes everything else
/// from the folds at the same position.
#[derive(Clone, Debug, Default)]
pub struct ReportBuilder {
    samples: Samples,
}

impl ReportBuilder {
    /// Folds one event in. Events that are no jobs may be left out.
    pub fn fold(&mut self, fact: Recorded<'_>) {
        self.samples.fold(fact);
    }

    /// The report, given the folds at the position of the last event that was folded in.
    #[must_use]
    pub fn finish(&self, folds: &Projections) -> Report {
        let numbered = (0..).zip(folds.names.partitions());
        let partitions: BTreeMap<_, _> = numbered
            .map(|(number, partition)| {
                let report = self.partition(folds, PartitionNo(number), partition);
                (partition_name(partition), report)
            })
            .collect();
        let workers = workers(&partitions, folds.policy.payout_threshold);
        Report {
            counts: counts(folds),
            totals: totals(&partitions, workers.len()),
            partitions,
            workers,
        }
    }

    fn partition(
        &self,
        folds: &Projections,
        number: PartitionNo,
        partition: &Partition,
    ) -> PartitionReport {
        let nothing = PartitionFees::default();
        let fees = folds.fees.partition(number).unwrap_or(&nothing);
        let none = PartitionEvents::default();
        let events = folds.intake.partition(number).unwrap_or(&none);
        let is_ai = partition.node_type == NodeType::Ai;
        let workers = partition_workers(folds, number, fees);
        let rows = || fees.workers().map(|(_, row)| row);
        PartitionReport {
            active_connections: workers.values().map(connections_of).sum(),
            active_workers: active(&workers),
            by_type: by_type(folds, events),
            commission_wei: sum(rows().map(|row| row.commission)),
            fees_wei: sum(rows().map(|row| row.gross)),
            jobs: jobs(fees),
            models: is_ai.then(|| self.samples.models(number, &folds.names)),
            net_wei: sum(rows().map(FeeRow::net)),
            performance: (!is_ai).then(|| self.samples.performance(number, &folds.names)),
            received: is_ai.then(|| received(fees)),
            suspense_fees_wei: WeiText(fees.suspense_total()),
            tickets: Tickets {
                count: fees.tickets.count,
                face_value_wei: WeiText(fees.tickets.face_value),
                redeemed: fees.tickets.redeemed,
            },
            unique_events: events.unique(),
            workers_due: due(rows(), folds.policy.payout_threshold),
            workers,
        }
    }
}

/// A partition as `type|region`.
pub(super) fn partition_name(partition: &Partition) -> String {
    format!("{}|{}", partition.node_type.as_str(), partition.region)
}

fn sum(amounts: impl Iterator<Item = Wei>) -> WeiText {
    WeiText(amounts.fold(Wei::ZERO, Wei::plus))
}

fn counts(folds: &Projections) -> Counts {
    let (keys, elements) = (&folds.intake.keys, &folds.intake.elements);
    Counts {
        elements_total: elements.total,
        events_duplicate: elements.duplicates + elements.conflicts,
        events_malformed: elements.malformed,
        events_misrouted: elements.misrouted,
        events_unique: folds.intake.unique_events(),
        events_valid: elements.total - elements.malformed - elements.misrouted,
        files_malformed: keys.unreadable,
        files_ok: keys.read,
        keys_bad_name: keys.bad_name,
        keys_total: keys.total(),
        keys_unknown_partition: keys.unknown,
    }
}

fn by_type(folds: &Projections, events: &PartitionEvents) -> BTreeMap<String, u64> {
    let known = KNOWN_TYPES.iter().map(ToString::to_string);
    let known = known.zip(events.known().iter().copied());
    let names = folds.names.types();
    let others = events
        .others()
        .map(|(number, count)| (names[number.index()].to_string(), count));
    known
        .chain(others)
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn jobs(fees: &PartitionFees) -> Jobs {
    let suspended = |reason| fees.suspense(reason).jobs;
    Jobs {
        bad_fee: fees.jobs.bad_fee,
        fee_mismatch: fees.jobs.fee_mismatch,
        no_address: suspended(Suspense::NoAddress),
        no_request_id: suspended(Suspense::NoRequestId),
        nonpositive_fee: fees.jobs.nonpositive_fee,
        orphan: suspended(Suspense::Orphan) + suspended(Suspense::Crowded),
        payable: fees.jobs.payable,
        processed: fees.jobs.processed,
    }
}

fn received(fees: &PartitionFees) -> Received {
    Received {
        matched: fees.matched,
        total: fees.received,
        unmatched: fees.received - fees.matched,
    }
}

fn due<'a>(rows: impl Iterator<Item = &'a FeeRow>, threshold: Wei) -> u64 {
    rows.filter(|row| row.net() >= threshold).count() as u64
}

fn active(workers: &BTreeMap<String, PartitionWorker>) -> u64 {
    let active = workers.values().filter(|worker| connections_of(worker) > 0);
    active.count() as u64
}

fn connections_of(worker: &PartitionWorker) -> u64 {
    worker.connections.len() as u64
}

fn partition_workers(
    folds: &Projections,
    number: PartitionNo,
    fees: &PartitionFees,
) -> BTreeMap<String, PartitionWorker> {
    let name = |worker: WorkerNo| folds.names.workers()[worker.index()].to_string();
    let mut workers: BTreeMap<String, PartitionWorker> = BTreeMap::new();
    for (worker, row) in fees.workers() {
        workers.insert(
            name(worker),
            PartitionWorker {
                commission_wei: WeiText(row.commission),
                connections: Vec::new(),
                fees_wei: WeiText(row.gross),
                jobs: row.jobs,
                net_wei: WeiText(row.net()),
            },
        );
    }
    let connections = folds.connections.partition(number).into_iter();
    for (worker, connection) in connections.flat_map(|partition| partition.open()) {
        let worker = workers.entry(name(worker)).or_default();
        worker.connections.push(connection.to_string());
    }
    workers
}

fn workers(
    partitions: &BTreeMap<String, PartitionReport>,
    threshold: Wei,
) -> BTreeMap<String, WorkerReport> {
    let mut all: BTreeMap<String, WorkerReport> = BTreeMap::new();
    let rows = partitions.values().flat_map(|partition| &partition.workers);
    for (name, row) in rows {
        let worker = all.entry(name.clone()).or_default();
        worker.active_connections += connections_of(row);
        worker.commission_wei.add(row.commission_wei.0);
        worker.fees_wei.add(row.fees_wei.0);
        worker.net_wei.add(row.net_wei.0);
        worker.jobs += row.jobs;
        worker.due_in_some_partition |= row.net_wei.0 >= threshold;
        worker.due_on_total = worker.net_wei.0 >= threshold;
    }
    all
}

fn totals(partitions: &BTreeMap<String, PartitionReport>, workers: usize) -> Totals {
    let mut totals = Totals {
        workers: workers as u64,
        ..Totals::default()
    };
    for partition in partitions.values() {
        totals.active_connections += partition.active_connections;
        totals.commission_wei.add(partition.commission_wei.0);
        totals.fees_wei.add(partition.fees_wei.0);
        totals.jobs_payable += partition.jobs.payable;
        totals.net_wei.add(partition.net_wei.0);
        totals.suspense_fees_wei.add(partition.suspense_fees_wei.0);
        totals
            .tickets_face_value_wei
            .add(partition.tickets.face_value_wei.0);
    }
    totals
}
