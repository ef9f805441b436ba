//! A payer's statement: every event behind its balance, or behind that of one of its references.

use std::collections::HashSet;
use std::ops::ControlFlow;

use purser_events::paid::JobRef;
use purser_events::{
    Amount, AssetNo, Balance, Envelope, Event, EventKind, JobNo, Label, Micros, PayerNo, Position,
};
use purser_projections::names::Names;

use crate::log::{LogReader, ReadError};
use crate::render::object::Object;
use crate::render::{name, text, time};

/// Whose statement, and of which part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The payer.
    pub payer: PayerNo,
    /// Only jobs that were opened with this reference.
    pub payer_ref: Option<Label>,
    /// The asset.
    pub asset: AssetNo,
    /// The first position whose entries are listed.
    pub from: Position,
    /// The last position whose entries are listed.
    pub to: Position,
}

/// One event that moved the balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// Its kind.
    pub kind: EventKind,
    /// The asset.
    pub asset: AssetNo,
    /// The job, where it is about one.
    pub job: Option<Label>,
    /// What came in.
    pub received: Amount,
    /// What went out.
    pub spent: Amount,
    /// What the balance came to.
    pub balance: Balance,
}

/// What a statement comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The balance before the first position asked for.
    pub opening: Balance,
    /// The balance up to the last position asked for.
    pub closing: Balance,
    /// How many entries were listed.
    pub entries: u64,
}

/// Reads the log and hands over every entry, in order, until `each` breaks. The log is read from
/// its beginning, so that the balance is that of the whole of history. Of the payer's jobs only
/// the numbers of those that are open and have the reference are kept meanwhile.
///
/// # Errors
/// When the log cannot be read.
pub fn scan(
    log: &dyn LogReader,
    query: &Query,
    each: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
) -> Result<Totals, ReadError> {
    let (mut totals, mut jobs) = (Totals::default(), HashSet::new());
    log.read_batches(Position(1), &mut |envelopes| {
        for envelope in envelopes.iter() {
            if envelope.position > query.to {
                return ControlFlow::Break(());
            }
            let Some((received, spent, job)) = query.moved(envelope, &mut jobs) else {
                continue;
            };
            totals.closing = totals.closing.plus(received).minus(spent);
            if envelope.position < query.from {
                totals.opening = totals.closing;
                continue;
            }
            totals.entries += 1;
            each(&Entry {
                position: envelope.position,
                recorded_at: envelope.recorded_at,
                kind: envelope.event.kind(),
                asset: query.asset,
                job: job.cloned(),
                received,
                spent,
                balance: totals.closing,
            })?;
        }
        ControlFlow::Continue(())
    })?;
    Ok(totals)
}

impl Query {
    /// What an event moved: in, out, and the job it is about.
    fn moved<'a>(
        &self,
        envelope: &'a Envelope,
        jobs: &mut HashSet<JobNo>,
    ) -> Option<(Amount, Amount, Option<&'a Label>)> {
        let none = Amount::ZERO;
        if self.payer_ref.is_some() {
            return self.moved_by_ref(envelope, jobs);
        }
        let mine = |job: &JobRef| job.payer == self.payer && job.asset == self.asset;
        match &envelope.event {
            Event::FundsDeposited(one) if one.payer == self.payer && one.asset == self.asset => {
                Some((one.amount, none, None))
            }
            Event::JobCredited(one) if mine(&one.job) => {
                Some((one.amount, none, Some(&one.job.id)))
            }
            Event::TicketsTaken(one) if mine(&one.job) => {
                Some((one.credited, none, Some(&one.job.id)))
            }
            Event::JobDebited(one) if mine(&one.job) => {
                Some((none, one.charged, Some(&one.job.id)))
            }
            _ => None,
        }
    }

    /// The same for the jobs of one reference: what they got, were charged, and gave back.
    fn moved_by_ref<'a>(
        &self,
        envelope: &'a Envelope,
        jobs: &mut HashSet<JobNo>,
    ) -> Option<(Amount, Amount, Option<&'a Label>)> {
        let none = Amount::ZERO;
        match &envelope.event {
            Event::JobOpened(one) => {
                let is_ref = one.terms.payer_ref == self.payer_ref;
                if one.payer == self.payer && one.asset == self.asset && is_ref {
                    jobs.insert(envelope.position.into());
                }
                None
            }
            Event::JobCredited(one) if jobs.contains(&one.job.number) => {
                Some((one.amount.minus(one.settled), none, Some(&one.job.id)))
            }
            Event::TicketsTaken(one) if jobs.contains(&one.job.number) => {
                let received = one.credited.minus(one.settled);
                Some((received, none, Some(&one.job.id)))
            }
            Event::FundsTransferred(one) if jobs.contains(&one.job.number) => {
                Some((one.amount, none, Some(&one.job.id)))
            }
            Event::JobDebited(one) if jobs.contains(&one.job.number) => {
                Some((none, one.charged, Some(&one.job.id)))
            }
            Event::JobClosed(one) if jobs.remove(&one.job.number) => {
                let left = one.settled.plus(one.swept);
                Some((one.debt, left, Some(&one.job.id)))
            }
            _ => None,
        }
    }
}

impl Entry {
    /// Appends the entry as a JSON object without an end of line.
    pub fn write_json(&self, out: &mut Vec<u8>, names: &Names) {
        let mut object = Object::new(out);
        object.number("position", self.position.0);
        object.moment("recorded_at", self.recorded_at);
        object.text("type", self.kind.name());
        if let Some(job) = &self.job {
            object.text("job_id", job.as_str());
        }
        object.quoted("asset", |out| name::asset(out, names, self.asset));
        object.amount("received", self.received.0);
        object.amount("spent", self.spent.0);
        let balance = self.balance.to_string();
        object.plain("balance", |out| out.extend_from_slice(balance.as_bytes()));
        object.end();
    }

    /// Appends the entry as a row of comma-separated values.
    pub fn write_csv(&self, rows: &mut super::row::CsvRowsOf, names: &Names) {
        rows.field(|out| text::decimal(out, self.position.0));
        rows.field(|out| time::write_micros(out, self.recorded_at));
        rows.field(|out| out.extend_from_slice(self.kind.name().as_bytes()));
        rows.field(|out| {
            let job = self.job.as_ref().map_or("", Label::as_str);
            out.extend_from_slice(job.as_bytes());
        });
        rows.field(|out| name::asset(out, names, self.asset));
        rows.field(|out| text::large(out, self.received.0));
        rows.field(|out| text::large(out, self.spent.0));
        rows.field(|out| out.extend_from_slice(self.balance.to_string().as_bytes()));
        rows.end();
    }
}

/// The columns of the comma-separated form.
pub const COLUMNS: [&str; 8] = [
    "position",
    "recorded_at",
    "type",
    "job_id",
    "asset",
    "received",
    "spent",
    "balance",
];
