//! The rules of the source told a second time: all elements at once, sorted and walked through,
//! with no corrections, no index and no log. Slow, short, and made to be compared with.

use std::collections::{BTreeMap, BTreeSet};

use purser_commands::intake::{Element, Says, TakeFile};
use purser_events::intake::{EventId, Fee, FileStamps};
use purser_events::policy::NodeType;
use purser_events::{Address, BasisPoints, Label, Seconds, Wei};
use purser_projections::recall::RecallKey;
use purser_projections::report::Report;

/// What one partition adds up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Gross, commission and payable jobs by worker.
    earned: BTreeMap<String, (Wei, Wei, u64)>,
    suspense: Wei,
    orphans: u64,
    no_address: u64,
    matched: u64,
    open: BTreeMap<String, BTreeSet<String>>,
    samples: u64,
}

/// Where an element stands: time, rank, key, index, and the id for two contents of one key.
type Order = (Seconds, u8, FileStamps, u32, u64);

struct Placed {
    order: Order,
    says: Says,
}

/// What files add up to, by partition; every id must always have the same content.
pub(crate) fn sums(files: &[TakeFile], rate: BasisPoints) -> BTreeMap<String, Sums> {
    let mut partitions: BTreeMap<(NodeType, Label), BTreeMap<EventId, Placed>> = BTreeMap::new();
    for file in files {
        let (Some(name), Ok(elements)) = (&file.name, &file.elements) else {
            continue;
        };
        let of_partition = partitions
            .entry((name.node_type, name.region.clone()))
            .or_default();
        for (element, index) in elements.iter().zip(0..) {
            if let Element::Event {
                id,
                occurred_at,
                says,
            } = element
            {
                let rank = u8::from(!matches!(says, Says::Received { .. }));
                let tie = RecallKey::of_event(id).tie();
                let order = (*occurred_at, rank, name.stamps, index, tie);
                let placed = of_partition.entry(id.clone()).or_insert_with(|| Placed {
                    order,
                    says: says.clone(),
                });
                placed.order = placed.order.min(order);
            }
        }
    }
    partitions
        .into_iter()
        .map(|((node_type, region), events)| {
            let name = format!("{}|{region}", node_type.as_str());
            (name, walk(node_type, events.into_values().collect(), rate))
        })
        .collect()
}

fn walk(node_type: NodeType, mut events: Vec<Placed>, rate: BasisPoints) -> Sums {
    events.sort_by_key(|event| event.order);
    let mut sums = Sums::default();
    let mut pending = BTreeMap::new();
    for event in events {
        match event.says {
            Says::Reset => sums.open.clear(),
            Says::Connected {
                worker: Some(worker),
                connection: Some(connection),
            } => {
                let open = sums.open.entry(worker.to_string()).or_default();
                open.insert(connection.to_string());
            }
            Says::Disconnected {
                worker: Some(worker),
                connection: Some(connection),
            } => {
                if let Some(open) = sums.open.get_mut(&worker.to_string()) {
                    open.remove(connection.as_str());
                }
            }
            Says::Received {
                request: Some(request),
                worker: Some(worker),
            } => {
                pending.insert(request, worker);
            }
            Says::Processed(job) => {
                let worker = match node_type {
                    NodeType::Transcode => job.worker,
                    NodeType::Ai => job.request.and_then(|request| pending.remove(&request)),
                };
                let is_sample = job.response_time.is_some_and(|time| time > 0);
                processed(&mut sums, (node_type, worker, is_sample), &job.fee, rate);
            }
            _ => {}
        }
    }
    sums.open.retain(|_, open| !open.is_empty());
    sums
}

fn processed(
    sums: &mut Sums,
    (node_type, worker, is_sample): (NodeType, Option<Address>, bool),
    fee: &Fee,
    rate: BasisPoints,
) {
    let fee = fee.payable();
    let Some(worker) = worker else {
        sums.suspense = sums.suspense.plus(Wei(fee.into()));
        match node_type {
            NodeType::Ai => sums.orphans += 1,
            NodeType::Transcode => sums.no_address += 1,
        }
        return;
    };
    sums.matched += u64::from(node_type == NodeType::Ai);
    sums.samples += u64::from(is_sample);
    if fee > 0 {
        let (gross, commission, jobs) = sums.earned.entry(worker.to_string()).or_default();
        *gross = gross.plus(Wei(fee.into()));
        let share = u128::from(fee) * u128::from(rate.get()) / 10_000;
        *commission = commission.plus(Wei(share));
        *jobs += 1;
    }
}

/// The same sums as a report tells them.
pub(crate) fn told(report: &Report) -> BTreeMap<String, Sums> {
    let told = report.partitions.iter().map(|(name, partition)| {
        let mut sums = Sums {
            suspense: partition.suspense_fees_wei.0,
            orphans: partition.jobs.orphan,
            no_address: partition.jobs.no_address,
            matched: partition.received.map_or(0, |received| received.matched),
            ..Sums::default()
        };
        for (worker, row) in &partition.workers {
            if row.jobs > 0 {
                let earned = (row.fees_wei.0, row.commission_wei.0, row.jobs);
                sums.earned.insert(worker.clone(), earned);
            }
            if !row.connections.is_empty() {
                let open = row.connections.iter().cloned().collect();
                sums.open.insert(worker.clone(), open);
            }
        }
        let models = partition.models.iter().flatten();
        let models = models.map(|(_, model)| model.samples);
        let performance = partition.performance.iter().flatten();
        sums.samples = models.chain(performance.map(|(_, one)| one.samples)).sum();
        (name.clone(), sums)
    });
    told.collect()
}
