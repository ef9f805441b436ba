//! Entries of a statement as JSON objects and as CSV rows.

use purser_events::intake::{EventId, RequestId};
use purser_events::{Micros, PartitionNo, PayerNo, Seconds, WorkerNo};
use purser_projections::names::Names;

use super::Entry;
use crate::render::csv::Rows;
use crate::render::object::Object;
use crate::render::{name, text, time};

/// The columns: the keys of the JSON objects too, where those that are absent are left out.
pub const COLUMNS: [&str; 22] = [
    "position",
    "recorded_at",
    "type",
    "worker",
    "partition",
    "job",
    "occurred_at",
    "event_id",
    "request",
    "payer",
    "job_id",
    "debit_seq",
    "cause",
    "policy",
    "commission_bps",
    "fee_wei",
    "commission_wei",
    "net_wei",
    "running_net_wei",
    "payout",
    "payout_wei",
    "running_unpaid_wei",
];

enum Value<'a> {
    Number(u64),
    Amount(i128),
    Word(&'static str),
    Moment(Micros),
    SourceTime(Seconds),
    Worker(WorkerNo),
    Partition(PartitionNo),
    EventId(&'a EventId),
    Request(&'a RequestId),
    Payer(PayerNo),
    Text(&'a str),
}

impl Value<'_> {
    fn write(&self, out: &mut Vec<u8>, names: &Names) {
        match *self {
            Self::Number(number) => text::decimal(out, number),
            Self::Amount(wei) => text::large_signed(out, wei),
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Moment(moment) => time::write_micros(out, moment),
            Self::SourceTime(moment) => time::write_seconds(out, moment),
            Self::Worker(worker) => name::worker(out, names, worker),
            Self::Partition(partition) => name::partition(out, names, partition),
            Self::EventId(id) => name::event_id(out, id),
            Self::Request(id) => name::request(out, id),
            Self::Payer(payer) => name::payer(out, names, payer),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

impl Entry {
    /// One value per column.
    fn values(&self) -> [Option<Value<'_>>; COLUMNS.len()] {
        let debit = self.debit.as_ref();
        [
            Some(Value::Number(self.position.0)),
            Some(Value::Moment(self.recorded_at)),
            Some(Value::Word(self.kind.name())),
            Some(Value::Worker(self.worker)),
            self.partition.map(Value::Partition),
            self.job.map(|job| Value::Number(job.0)),
            self.occurred_at.map(Value::SourceTime),
            self.event_id.as_ref().map(Value::EventId),
            self.request.as_ref().map(Value::Request),
            debit.map(|(job, _)| Value::Payer(job.payer)),
            debit.map(|(job, _)| Value::Text(job.id.as_str())),
            debit.map(|(_, seq)| Value::Number(*seq)),
            self.cause.map(|cause| Value::Number(cause.0)),
            self.split.map(|split| Value::Number(split.policy.0)),
            self.split
                .map(|split| Value::Number(split.commission.get().into())),
            Some(Value::Amount(self.fee_wei)),
            Some(Value::Amount(self.commission_wei)),
            Some(Value::Amount(self.net_wei)),
            Some(Value::Amount(self.running_net_wei)),
            self.payout.map(|payout| Value::Number(payout.0.into())),
            Some(Value::Amount(self.payout_wei)),
            Some(Value::Amount(self.running_unpaid_wei)),
        ]
    }

    /// Appends the entry as a JSON object without an end of line. `names` are the latest ones, or
    /// any that are no older than the entry.
    pub fn write_json(&self, out: &mut Vec<u8>, names: &Names) {
        let mut object = Object::new(out);
        for (column, value) in COLUMNS.iter().zip(self.values()) {
            match value {
                Some(Value::Number(number)) => object.number(column, number),
                Some(value) => object.quoted(column, |out| value.write(out, names)),
                None => {}
            }
        }
        object.end();
    }
}

/// Writes entries as CSV rows.
#[derive(Debug, Default)]
pub struct CsvEntries {
    rows: Rows,
}

impl CsvEntries {
    /// Appends the row that names the columns.
    pub fn head(&mut self) {
        self.rows.head(&COLUMNS);
    }

    /// Appends one entry. `names` are the latest ones, or any that are no older than the entry.
    pub fn push(&mut self, entry: &Entry, names: &Names) {
        for value in entry.values() {
            self.rows.put_with(|out| {
                if let Some(value) = value {
                    value.write(out, names);
                }
            });
        }
        self.rows.end_row();
    }

    /// Hands over the rows so far.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.rows.take()
    }
}

/// Comma-separated rows, field by field.
#[derive(Debug, Default)]
pub struct CsvRowsOf {
    rows: Rows,
}

impl CsvRowsOf {
    /// Appends the row that names the columns.
    pub fn head(&mut self, columns: &[&str]) {
        self.rows.head(columns);
    }

    /// A field whose bytes `write` appends.
    pub(super) fn field(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.rows.put_with(write);
    }

    /// Ends the row.
    pub(super) fn end(&mut self) {
        self.rows.end_row();
    }

    /// Hands over the rows so far.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.rows.take()
    }
}
