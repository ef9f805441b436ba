//! What is known of payers' jobs, debits and payments: enough to answer a repetition as the first
//! time, long after the job left memory.

use purser_events::paid::{
    Decision, FundsTransferred, JobClosed, JobCredited, JobDebited, JobTerms, Used,
};
use purser_events::payer::FundsDeposited;
use purser_events::{
    Amount, AssetNo, Balance, Event, JobNo, Label, PayerNo, Position, Recorded, WorkerNo, codec,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::RecallKey;
use super::record::Record;
use crate::order::first_eight;

/// A payer's job. The event that opened it and the one that closed it each know a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenJob {
    /// Its number: the position of the event that opened it.
    pub number: JobNo,
    /// The digest of what it was opened with.
    pub terms: Option<u64>,
    /// How it ended, if it did.
    pub closed: Option<SeenClose>,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenClose {
    /// The event that closed it.
    pub position: Position,
    /// What of the rest settled debt.
    pub settled: Amount,
    /// What of the rest went to the payer's funds.
    pub swept: Amount,
    /// What was missing.
    pub debt: Amount,
}

/// A debit that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDebit {
    /// Its event.
    pub position: Position,
    /// What was used.
    pub used: Used,
    /// Who earned it.
    pub worker: Option<WorkerNo>,
    /// What it cost.
    pub charged: Amount,
    /// What the job's units came to.
    pub total_units: u64,
    /// What the job's balance came to.
    pub balance: Balance,
    /// What the coordinator was told.
    pub decision: Decision,
}

/// A payment or a transfer that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPayment {
    /// Its event.
    pub position: Position,
    /// Whose money it is.
    pub payer: PayerNo,
    /// The job that it is for; absent for a payer's own funds.
    pub job: Option<JobNo>,
    /// Its asset.
    pub asset: AssetNo,
    /// How much it is.
    pub amount: Amount,
    /// What of it settled debt.
    pub settled: Amount,
    /// What the job's balance, or the payer's funds, came to.
    pub balance: Balance,
}

/// The digest of what a job is opened with: tells a repetition from another job of the same id.
#[must_use]
pub fn terms_digest(asset: AssetNo, terms: &JobTerms) -> u64 {
    let digest = Sha256::digest(codec::to_bytes(&(asset, terms)));
    first_eight(&digest)
}

impl SeenJob {
    pub(super) fn merge(&mut self, other: &Self) {
        assert_eq!(self.number, other.number, "an id is one job's, for ever");
        self.terms = self.terms.or(other.terms);
        self.closed = self.closed.or(other.closed);
    }
}

/// The record that an event about a payer's money adds.
pub(super) fn record(fact: Recorded<'_>) -> Option<(RecallKey, Record)> {
    let position = fact.position;
    match fact.event {
        Event::JobOpened(one) => {
            let seen = SeenJob {
                number: JobNo::from(position),
                terms: Some(terms_digest(one.asset, &one.terms)),
                closed: None,
            };
            let key = RecallKey::of_job(one.payer, &one.id);
            Some((key, Record::Job(Box::new(seen))))
        }
        Event::JobClosed(one) => Some(closed(position, one)),
        Event::JobDebited(one) => Some(debited(position, one)),
        Event::JobCredited(one) => Some(credited(position, one)),
        Event::FundsDeposited(one) => Some(deposited(position, one)),
        Event::FundsTransferred(one) => {
            let transfer = one.transfer.as_ref()?;
            Some(transferred(position, one, transfer))
        }
        _ => None,
    }
}

fn closed(position: Position, one: &JobClosed) -> (RecallKey, Record) {
    let seen = SeenJob {
        number: one.job.number,
        terms: None,
        closed: Some(SeenClose {
            position,
            settled: one.settled,
            swept: one.swept,
            debt: one.debt,
        }),
    };
    let key = RecallKey::of_job(one.job.payer, &one.job.id);
    (key, Record::Job(Box::new(seen)))
}

fn debited(position: Position, one: &JobDebited) -> (RecallKey, Record) {
    let seen = SeenDebit {
        position,
        used: one.used,
        worker: one.worker,
        charged: one.charged,
        total_units: one.total_units,
        balance: one.balance,
        decision: one.decision,
    };
    let key = RecallKey::of_debit(one.job.payer, &one.job.id, one.seq);
    (key, Record::Debit(Box::new(seen)))
}

fn credited(position: Position, one: &JobCredited) -> (RecallKey, Record) {
    let seen = SeenPayment {
        position,
        payer: one.job.payer,
        job: Some(one.job.number),
        asset: one.job.asset,
        amount: one.amount,
        settled: one.settled,
        balance: one.balance,
    };
    let key = RecallKey::of_payment(one.rail, &one.payment);
    (key, Record::Payment(Box::new(seen)))
}

fn deposited(position: Position, one: &FundsDeposited) -> (RecallKey, Record) {
    let seen = SeenPayment {
        position,
        payer: one.payer,
        job: None,
        asset: one.asset,
        amount: one.amount,
        settled: one.settled,
        balance: Balance::default().plus(one.funds),
    };
    let key = RecallKey::of_payment(one.rail, &one.payment);
    (key, Record::Payment(Box::new(seen)))
}

fn transferred(
    position: Position,
    one: &FundsTransferred,
    transfer: &Label,
) -> (RecallKey, Record) {
    let seen = SeenPayment {
        position,
        payer: one.job.payer,
        job: Some(one.job.number),
        asset: one.job.asset,
        amount: one.amount,
        settled: Amount::ZERO,
        balance: one.balance,
    };
    let key = RecallKey::of_transfer(one.job.payer, transfer);
    (key, Record::Payment(Box::new(seen)))
}
