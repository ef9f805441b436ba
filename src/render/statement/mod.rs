//! A worker's statement: every event behind its balance, from the log itself.

pub mod payer;

mod row;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use purser_events::intake::{Attribution, EventId, RequestId, Split};
use purser_events::paid::{JobDebited, JobRef};
use purser_events::payout::Draw;
use purser_events::{
    Amount, AssetNo, Envelope, Event, EventKind, Micros, PartitionNo, PayoutNo, Position, Seconds,
    WorkerNo,
};

use crate::log::{LogReader, ReadError};

pub use row::{COLUMNS, CsvEntries, CsvRowsOf};

/// Whose statement, and of which part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The numbers that the worker earns under: its own, and that of the payee whose address it
    /// is paid at.
    pub workers: Vec<WorkerNo>,
    /// The first position whose entries are listed.
    pub from: Position,
    /// The last position whose entries are listed.
    pub to: Position,
    /// The asset that was earned.
    pub asset: AssetNo,
}

/// One posting to the worker's balance, or the word that a payout reached it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// Its kind.
    pub kind: EventKind,
    /// The number that was credited.
    pub worker: WorkerNo,
    /// The partition of the job; absent for jobs of payers, and for payouts.
    pub partition: Option<PartitionNo>,
    /// The event that recorded the job; absent where the entry is a payout's.
    pub job: Option<Position>,
    /// When the source says the job was done; known where the entry is the job's own.
    pub occurred_at: Option<Seconds>,
    /// The source's id of the job; known where the entry is the job's own.
    pub event_id: Option<EventId>,
    /// The request that the job answered.
    pub request: Option<RequestId>,
    /// The payer's job that was debited, and the number of the debit.
    pub debit: Option<(JobRef, u64)>,
    /// The late event that moved the job here or away.
    pub cause: Option<Position>,
    /// How the fee is shared out; absent where the entry is a payout's.
    pub split: Option<Split>,
    /// What the job earned in wei; below zero where a credit is reversed.
    pub fee_wei: i128,
    /// The pool's share in wei; below zero where a credit is reversed.
    pub commission_wei: i128,
    /// The worker's share in wei; below zero where a credit is reversed.
    pub net_wei: i128,
    /// The worker's shares in wei up to here, from the beginning of the log.
    pub running_net_wei: i128,
    /// The payout that the entry is of.
    pub payout: Option<PayoutNo>,
    /// What it takes from the balance, below zero; above zero where it was given up.
    pub payout_wei: i128,
    /// What was earned and neither paid nor held for a payout up to here.
    pub running_unpaid_wei: i128,
}

/// What the entries of a statement come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The worker's shares in wei before the first position asked for.
    pub opening_net_wei: i128,
    /// The worker's shares in wei up to the last position asked for.
    pub closing_net_wei: i128,
    /// What was neither paid nor held before the first position asked for.
    pub opening_unpaid_wei: i128,
    /// What is neither paid nor held at the last position asked for.
    pub closing_unpaid_wei: i128,
    /// What had been paid at the last position asked for.
    pub paid_wei: i128,
    /// What was held for payouts that were not finished at the last position asked for.
    pub in_flight_wei: i128,
    /// How many entries were listed.
    pub entries: u64,
}

/// Reads the log and hands over every entry, in order, until `each` breaks. The log is read from
/// its beginning, so that the running sums are those of the whole of history.
///
/// # Errors
/// When the log cannot be read.
pub fn scan(
    log: &dyn LogReader,
    query: &Query,
    each: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
) -> Result<Totals, ReadError> {
    let mut totals = Totals::default();
    let mut held = BTreeMap::new();
    log.read_batches(Position(1), &mut |envelopes| {
        for envelope in envelopes.iter() {
            if envelope.position > query.to {
                return ControlFlow::Break(());
            }
            let paid = query.paid(envelope, &mut held);
            for mut entry in entries(envelope).into_iter().flatten().chain(paid) {
                if query.takes(&mut entry, &mut totals) {
                    each(&entry)?;
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    totals.in_flight_wei = held.values().sum();
    totals.paid_wei = totals.closing_net_wei - totals.closing_unpaid_wei - totals.in_flight_wei;
    Ok(totals)
}

impl Query {
    /// Adds an entry to the sums; whether it is to be listed.
    fn takes(&self, entry: &mut Entry, totals: &mut Totals) -> bool {
        let asset = entry
            .debit
            .as_ref()
            .map_or(AssetNo::ETH, |(job, _)| job.asset);
        if asset != self.asset || !self.workers.contains(&entry.worker) {
            return false;
        }
        totals.closing_net_wei += entry.net_wei;
        entry.running_net_wei = totals.closing_net_wei;
        totals.closing_unpaid_wei += entry.net_wei + entry.payout_wei;
        entry.running_unpaid_wei = totals.closing_unpaid_wei;
        let listed = entry.position >= self.from;
        if listed {
            totals.entries += 1;
        } else {
            totals.opening_net_wei = totals.closing_net_wei;
            totals.opening_unpaid_wei = totals.closing_unpaid_wei;
        }
        listed
    }

    /// What a payout takes from the worker's balance or gives back to it, or that it reached the
    /// worker. `held` remembers the payouts that are not finished.
    fn paid(&self, envelope: &Envelope, held: &mut BTreeMap<PayoutNo, i128>) -> Option<Entry> {
        let own = |draws: &[Draw]| {
            let mut own = draws
                .iter()
                .filter(|draw| self.workers.contains(&draw.worker));
            let first = own.next()?;
            let amounts = own.map(|draw| draw.amount.0);
            let sum = amounts.fold(first.amount.0, u128::saturating_add);
            Some((first.worker, i128::try_from(sum).unwrap_or(i128::MAX)))
        };
        let (payout, worker, payout_wei) = match &envelope.event {
            Event::PayoutRequested(one) if one.asset == self.asset => {
                let (worker, amount) = own(&one.draws)?;
                held.insert(one.payout, amount);
                (one.payout, worker, -amount)
            }
            Event::PayoutReleased(one) => {
                let amount = held.remove(&one.payout)?;
                (one.payout, own(&one.draws)?.0, amount)
            }
            Event::PayoutFinal(one) => {
                held.remove(&one.payout)?;
                (one.payout, *self.workers.first()?, 0)
            }
            _ => return None,
        };
        Some(Entry {
            payout: Some(payout),
            payout_wei,
            ..bare(envelope, worker, None)
        })
    }
}

/// The postings of an event to workers' balances: the reversal before the credit.
fn entries(envelope: &Envelope) -> [Option<Entry>; 2] {
    match &envelope.event {
        Event::JobProcessed(job) => {
            let credit = posting(
                envelope,
                job.attribution,
                job.split,
                job.fee.payable().into(),
            );
            let credit = credit.map(|entry| Entry {
                partition: Some(job.taken.partition),
                occurred_at: Some(job.taken.occurred_at),
                event_id: Some(job.taken.id.clone()),
                request: job.request.clone(),
                ..entry
            });
            [credit, None]
        }
        Event::JobReattributed(moved) => {
            let fee = i128::from(moved.fee.payable());
            let of_job = |entry| Entry {
                partition: Some(moved.partition),
                job: Some(moved.job),
                request: Some(moved.request.clone()),
                cause: Some(moved.cause),
                ..entry
            };
            [
                posting(envelope, moved.from, moved.from_split, -fee).map(of_job),
                posting(envelope, moved.to, moved.to_split, fee).map(of_job),
            ]
        }
        Event::JobDebited(debit) => [debited(envelope, debit), None],
        _ => [None, None],
    }
}

/// What a worker earned by a debit of a payer's job.
fn debited(envelope: &Envelope, debit: &JobDebited) -> Option<Entry> {
    let worker = debit.worker.filter(|_| debit.charged > Amount::ZERO)?;
    let share = debit.split.commission.share_of_amount(debit.charged);
    let signed = |amount: Amount| i128::try_from(amount.0).ok();
    Some(Entry {
        job: Some(debit.job.number.into()),
        debit: Some((debit.job.clone(), debit.seq)),
        fee_wei: signed(debit.charged)?,
        commission_wei: signed(share)?,
        net_wei: signed(debit.charged.minus(share))?,
        ..bare(envelope, worker, Some(debit.split))
    })
}

/// The posting of a fee, or below zero of its reversal; work that earned nothing moves nothing.
fn posting(
    envelope: &Envelope,
    attribution: Attribution,
    split: Split,
    fee_wei: i128,
) -> Option<Entry> {
    let worker = crate::render::filter::credited(attribution)?;
    let fee = u64::try_from(fee_wei.unsigned_abs()).ok()?;
    if fee == 0 {
        return None;
    }
    let commission_wei = fee_wei.signum() * i128::from(split.commission.share_of(fee));
    Some(Entry {
        fee_wei,
        commission_wei,
        net_wei: fee_wei - commission_wei,
        ..bare(envelope, worker, Some(split))
    })
}

/// An entry that moves nothing yet.
fn bare(envelope: &Envelope, worker: WorkerNo, split: Option<Split>) -> Entry {
    Entry {
        position: envelope.position,
        recorded_at: envelope.recorded_at,
        kind: envelope.event.kind(),
        worker,
        partition: None,
        job: split.map(|_| envelope.position),
        occurred_at: None,
        event_id: None,
        request: None,
        debit: None,
        cause: None,
        split,
        fee_wei: 0,
        commission_wei: 0,
        net_wei: 0,
        running_net_wei: 0,
        payout: None,
        payout_wei: 0,
        running_unpaid_wei: 0,
    }
}
