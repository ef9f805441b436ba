//! Who works in a partition and what they earned, in the layout that dashboards of the OpenPool
//! read, with every amount as a text besides: browsers lose digits of large numbers.
//!
//! Payouts are made on a worker's total. In the summary of a partition, what was paid covers what
//! the worker earned in the partitions in their order; so the summaries of all of them add up.

use std::collections::BTreeMap;

use purser_events::{AssetNo, Micros, PartitionNo, WorkerNo};
use purser_projections::Projections;
use purser_projections::fees::FeeRow;
use purser_projections::names::Partition;

use super::number::{ether, ratio};
use super::object::Object;
use super::performance::list;
use super::{name, text};

/// Who works in a partition and what they earned.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The folds.
    pub folds: &'a Projections,
    /// The partition.
    pub number: PartitionNo,
    /// The same, by its name.
    pub partition: &'a Partition,
    /// When, as `YYYYMMDD_HHMMSS`.
    pub timestamp: &'a str,
    /// Whether the addresses of connections are shown.
    pub with_connections: bool,
}

/// What one worker comes to.
#[derive(Clone, Default)]
struct Row {
    connections: Vec<String>,
    gross: u128,
    commission: u128,
    net: u128,
    paid: u128,
    /// When a payout was last asked for.
    paid_at: Option<Micros>,
    is_due: bool,
}

impl Row {
    const fn pending(&self) -> u128 {
        self.net.saturating_sub(self.paid)
    }
}

impl Summary<'_> {
    /// Appends the JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        let rows = self.rows();
        let mut object = Object::new(out);
        object.text("export_timestamp", self.timestamp);
        let mut data = Object::new(object.key("data"));
        data.text("node_type", self.partition.node_type.as_str());
        data.text("region", self.partition.region.as_str());
        data.text("timestamp", self.timestamp);
        let mut workers = Object::new(data.key("workers"));
        for (worker, row) in &rows {
            self.worker(workers.escaped_key(worker), worker, row);
        }
        workers.end();
        // The layout's own word, which ours do not use.
        let sums = concat!("aggre", "gates");
        self.sums(data.key(sums), &rows);
        data.end();
        object.end();
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let mut rows: BTreeMap<WorkerNo, Row> = BTreeMap::new();
        let fees = self.folds.fees.partition(self.number);
        for (worker, fees) in fees.into_iter().flat_map(|fees| fees.workers()) {
            let row = rows.entry(worker).or_default();
            row.gross = fees.gross.0;
            row.commission = fees.commission.0;
            row.net = fees.net().0;
            row.paid = self.paid(worker, fees);
            let paid = self.folds.payouts.row(AssetNo::ETH, worker);
            row.paid_at = Some(paid.requested_at);
            row.is_due = self.is_due(worker);
        }
        let connections = self.folds.connections.partition(self.number);
        for (worker, connection) in connections.into_iter().flat_map(|one| one.open()) {
            let row = rows.entry(worker).or_default();
            row.connections.push(connection.to_string());
        }
        let named = rows.into_iter().map(|(worker, row)| {
            let mut text = Vec::new();
            name::worker(&mut text, &self.folds.names, worker);
            (String::from_utf8_lossy(&text).into_owned(), row)
        });
        named.collect()
    }

    /// What of a worker's payouts covers what it earned here.
    fn paid(&self, worker: WorkerNo, here: &FeeRow) -> u128 {
        let paid = self.folds.payouts.row(AssetNo::ETH, worker).paid.0;
        let before = self.folds.fees.partitions().take(self.number.index());
        let before = before.filter_map(|(_, fees)| fees.worker(worker));
        let before: u128 = before.map(|row| row.net().0).sum();
        paid.saturating_sub(before).min(here.net().0)
    }

    fn is_due(&self, worker: WorkerNo) -> bool {
        let total = self.folds.fees.total(worker).net().0;
        let row = self.folds.payouts.row(AssetNo::ETH, worker);
        let unpaid = total.saturating_sub(row.paid.0 + row.in_flight.0);
        unpaid > 0 && unpaid >= self.folds.policy.payout_threshold.0
    }

    fn worker(&self, out: &mut Vec<u8>, worker: &str, row: &Row) {
        let mut object = Object::new(out);
        object.text("eth_address", worker);
        object.text("node_type", self.partition.node_type.as_str());
        object.text("region", self.partition.region.as_str());
        object.flag("active", !row.connections.is_empty());
        let shown = row.connections.iter().filter(|_| self.with_connections);
        list(object.key("connections"), shown, |out, connection| {
            text::quote(out, connection);
        });
        object.number("connection_count", row.connections.len() as u64);
        amount(&mut object, "total_fees", row.gross);
        amount(&mut object, "pool_commission", row.commission);
        amount(&mut object, "worker_earnings", row.net);
        object.number("payment_count", u64::from(row.paid > 0));
        list(object.key("payment_history"), [0; 0].iter(), |_, _| {});
        match row.paid_at.filter(|_| row.paid > 0) {
            Some(moment) => object.moment("last_payment_date", moment),
            None => object.null("last_payment_date"),
        }
        amount(&mut object, "total_fees_paid", row.paid);
        amount(&mut object, "pending_fees", row.pending());
        ether_of(&mut object, "pending_eth", row.pending());
        object.flag("payment_due", row.is_due);
        object.end();
    }

    fn sums(&self, out: &mut Vec<u8>, rows: &BTreeMap<String, Row>) {
        let sum = |of: fn(&Row) -> u128| rows.values().map(of).sum::<u128>();
        let count = |of: fn(&Row) -> bool| rows.values().filter(|row| of(row)).count() as u64;
        let active = count(|row| !row.connections.is_empty());
        let mut object = Object::new(out);
        object.number("total_workers", rows.len() as u64);
        object.number("active_workers", active);
        let share = object.key("active_worker_percentage");
        ratio(share, i128::from(active) * 100, rows.len() as u128);
        let connections = rows.values().map(|row| row.connections.len() as u64);
        object.number("total_connections", connections.sum::<u64>());
        object.number("total_payments", count(|row| row.paid > 0));
        for (key, in_ether, of) in [
            (
                "total_fees",
                Some("total_fees_eth"),
                (|row| row.gross) as fn(&Row) -> u128,
            ),
            ("total_fees_paid", Some("total_fees_paid_eth"), |row| {
                row.paid
            }),
            (
                "total_pending_fees",
                Some("total_pending_eth"),
                Row::pending,
            ),
            ("total_pool_commission", None, |row| row.commission),
            ("total_worker_earnings", None, |row| row.net),
        ] {
            amount(&mut object, key, sum(of));
            if let Some(in_ether) = in_ether {
                ether_of(&mut object, in_ether, sum(of));
            }
        }
        let rate = self.folds.policy.commission.commission.get();
        ratio(object.key("pool_commission_rate"), rate.into(), 10_000);
        object.number("workers_eligible_for_payment", count(|row| row.is_due));
        object.end();
    }
}

/// An amount as the layout has it, a bare number, and as a text.
fn amount(object: &mut Object<'_>, key: &str, wei: u128) {
    text::large(object.key(key), wei);
    object.amount(&format!("{key}_wei"), wei);
}

fn ether_of(object: &mut Object<'_>, key: &str, wei: u128) {
    ether(object.key(key), i128::try_from(wei).unwrap_or(i128::MAX));
}
