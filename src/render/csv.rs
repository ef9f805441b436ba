//! Envelopes as CSV rows: the columns that most readers want, and the rest as JSON.

use purser_events::intake::{Fee, Split};
use purser_events::{AssetNo, Envelope, Event, PartitionNo};
use purser_projections::names::Names;

use super::filter::workers_of;
use super::{json, name, text, time};

/// The columns.
pub const COLUMNS: [&str; 9] = [
    "position",
    "recorded_at",
    "type",
    "actor",
    "worker",
    "partition",
    "amount_wei",
    "commission_wei",
    "data",
];

/// Writes envelopes as CSV rows.
#[derive(Debug, Default)]
pub struct CsvRows {
    rows: Rows,
}

impl CsvRows {
    /// Appends the row that names the columns.
    pub fn head(&mut self) {
        self.rows.head(&COLUMNS);
    }

    /// Appends one envelope. `names` are the latest ones, or any that are no older than the
    /// envelope.
    pub fn push(&mut self, envelope: &Envelope, names: &Names) {
        let (rows, event) = (&mut self.rows, &envelope.event);
        rows.put_with(|out| text::decimal(out, envelope.position.0));
        rows.put_with(|out| time::write_micros(out, envelope.recorded_at));
        rows.put(event.kind().name().as_bytes());
        rows.put_with(|out| name::actor(out, names, envelope.actor));
        rows.put_with(|out| {
            if let Some(worker) = workers_of(event)[0] {
                name::worker(out, names, worker);
            }
        });
        rows.put_with(|out| {
            if let Some(partition) = partition_of(event) {
                name::partition(out, names, partition);
            }
        });
        for amount in amounts_of(event) {
            rows.put_with(|out| match amount {
                Some(Amount::Unsigned(wei)) => text::large(out, wei),
                Some(Amount::Signed(wei)) => text::signed(out, wei),
                None => {}
            });
        }
        rows.put_with(|out| json::write_data(out, envelope, names));
        rows.end_row();
    }

    /// Hands over the rows so far.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.rows.take()
    }
}

/// CSV rows in memory, field by field.
#[derive(Debug)]
pub(super) struct Rows {
    writer: csv::Writer<Vec<u8>>,
    field: Vec<u8>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            writer: csv::Writer::from_writer(Vec::new()),
            field: Vec::new(),
        }
    }
}

impl Rows {
    pub(super) fn head(&mut self, columns: &[&str]) {
        columns.iter().for_each(|name| self.put(name.as_bytes()));
        self.end_row();
    }

    pub(super) fn put(&mut self, field: &[u8]) {
        let written = self.writer.write_field(field);
        written.expect("memory does not fail to be written");
    }

    /// A field whose bytes `write` appends.
    pub(super) fn put_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut field = std::mem::take(&mut self.field);
        field.clear();
        write(&mut field);
        self.put(&field);
        self.field = field;
    }

    pub(super) fn end_row(&mut self) {
        let written = self.writer.write_record(None::<&[u8]>);
        written.expect("memory does not fail to be written");
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        let taken = std::mem::take(self).writer.into_inner();
        taken.expect("memory does not fail to be written")
    }
}

pub(super) const fn partition_of(event: &Event) -> Option<PartitionNo> {
    match event {
        Event::PartitionDeclared(one) => Some(one.partition),
        Event::FileTaken(one) => Some(one.partition),
        Event::FileQuarantined(one) => match one.place {
            Some((partition, _)) => Some(partition),
            None => None,
        },
        Event::WorkerConnected(one) => Some(one.taken.partition),
        Event::WorkerDisconnected(one) => Some(one.taken.partition),
        Event::PartitionReset(one) => Some(one.taken.partition),
        Event::JobReceived(one) => Some(one.taken.partition),
        Event::JobProcessed(one) => Some(one.taken.partition),
        Event::JobReattributed(one) => Some(one.partition),
        Event::TicketRedeemed(one) => Some(one.taken.partition),
        Event::OtherTaken(one) => Some(one.taken.partition),
        Event::EarlierCopyFound(one) => Some(one.copy.partition),
        _ => None,
    }
}

/// What moves.
pub(super) enum Amount {
    Unsigned(u128),
    Signed(i64),
}

/// What an event moves, and the pool's share of it.
pub(super) fn amounts_of(event: &Event) -> [Option<Amount>; 2] {
    match event {
        Event::JobProcessed(job) => fee(&job.fee, job.split),
        Event::JobReattributed(job) => fee(&job.fee, job.to_split),
        Event::TicketRedeemed(ticket) => {
            let value = ticket.face_value;
            [value.map(|wei| Amount::Unsigned(wei.0)), None]
        }
        Event::PayoutRequested(payout) if payout.asset == AssetNo::ETH => {
            let amounts = payout.draws.iter().map(|draw| draw.amount.0);
            [Some(Amount::Unsigned(amounts.sum())), None]
        }
        Event::PayoutFinal(payout) if payout.asset == AssetNo::ETH => {
            [Some(Amount::Unsigned(payout.amount.0)), None]
        }
        Event::JobDebited(debit) if debit.job.asset == AssetNo::ETH => {
            let share = debit.worker.map(|_| {
                let share = debit.split.commission.share_of_amount(debit.charged);
                Amount::Unsigned(share.0)
            });
            [Some(Amount::Unsigned(debit.charged.0)), share]
        }
        Event::JobCredited(one) if one.job.asset == AssetNo::ETH => {
            [Some(Amount::Unsigned(one.amount.0)), None]
        }
        Event::FundsDeposited(one) if one.asset == AssetNo::ETH => {
            [Some(Amount::Unsigned(one.amount.0)), None]
        }
        Event::FundsTransferred(one) if one.job.asset == AssetNo::ETH => {
            [Some(Amount::Unsigned(one.amount.0)), None]
        }
        _ => [None, None],
    }
}

fn fee(fee: &Fee, split: Split) -> [Option<Amount>; 2] {
    let commission = Amount::Unsigned(split.commission.share_of(fee.payable()).into());
    match fee {
        Fee::Payable(wei) => [Some(Amount::Unsigned((*wei).into())), Some(commission)],
        Fee::NonPositive(wei) => [Some(Amount::Signed(*wei)), Some(commission)],
        Fee::Bad(_) => [None, None],
    }
}
