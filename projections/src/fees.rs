//! Who earned what in which partition.

use purser_events::intake::{
    Attribution, Fee, JobProcessed, JobReattributed, JobReceived, Split, Suspense, TicketRedeemed,
};
use purser_events::paid::JobDebited;
use purser_events::{Amount, AssetNo, Event, PartitionNo, Recorded, Wei, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::paged::{Paged, grown};

/// Who earned what in which partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    partitions: Vec<PartitionFees>,
    debits: Vec<Paged<DebitRow>>,
}

/// What one worker earned by debits of payers' jobs, in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitRow {
    /// Charges before the pool's share.
    pub gross: Amount,
    /// The pool's share.
    pub commission: Amount,
    /// Debits that charged something.
    pub debits: u64,
}

/// What was earned in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionFees {
    workers: Paged<FeeRow>,
    suspense: [SuspenseRow; SUSPENSE_REASONS.len()],
    /// How the jobs and their fees turned out.
    pub jobs: JobCounts,
    /// Received AI jobs, whether or not they can be matched.
    pub received: u64,
    /// Processed AI jobs that were matched to a received one.
    pub matched: u64,
    /// The pool's income.
    pub tickets: TicketCounts,
}

/// What one worker earned in one partition, over payable jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeRow {
    /// Fees before the pool's share.
    pub gross: Wei,
    /// The pool's share.
    pub commission: Wei,
    /// Payable jobs.
    pub jobs: u64,
}

impl FeeRow {
    /// What is the worker's.
    #[must_use]
    pub fn net(&self) -> Wei {
        self.gross.minus(self.commission)
    }
}

/// Jobs that nobody is known to have earned, for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspenseRow {
    /// Jobs, whatever their fee.
    pub jobs: u64,
    /// Their payable fees.
    pub amount: Wei,
}

/// How the jobs of a partition turned out. A job without a worker whose fee is bad counts as both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// All processed jobs.
    pub processed: u64,
    /// Jobs with a positive fee and a known worker.
    pub payable: u64,
    /// Jobs whose fee is no integer of at most 63 bits.
    pub bad_fee: u64,
    /// Jobs whose fee is zero or less.
    pub nonpositive_fee: u64,
    /// Jobs whose fee is not units times price: for information only.
    pub fee_mismatch: u64,
}

/// Tickets of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketCounts {
    /// Attempts to redeem one.
    pub count: u64,
    /// Attempts that succeeded.
    pub redeemed: u64,
    /// The face value of the redeemed ones.
    pub face_value: Wei,
}

/// Every reason for suspense, in the order of its rows.
pub const SUSPENSE_REASONS: [Suspense; 4] = [
    Suspense::Orphan,
    Suspense::NoAddress,
    Suspense::NoRequestId,
    Suspense::Crowded,
];

pub(crate) const fn suspense_index(reason: Suspense) -> usize {
    match reason {
        Suspense::Orphan => 0,
        Suspense::NoAddress => 1,
        Suspense::NoRequestId => 2,
        Suspense::Crowded => 3,
    }
}

/// The name of a reason for suspense, as accounts and reports write it.
#[must_use]
pub const fn suspense_name(reason: Suspense) -> &'static str {
    match reason {
        Suspense::Orphan => "orphan",
        Suspense::NoAddress => "no_address",
        Suspense::NoRequestId => "no_request_id",
        Suspense::Crowded => "crowded",
    }
}

impl Fees {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::JobProcessed(job) => self.at(job.taken.partition).processed(job),
            Event::JobReceived(job) => self.at(job.taken.partition).received(job),
            Event::JobReattributed(change) => self.at(change.partition).reattributed(change),
            Event::TicketRedeemed(ticket) => self.at(ticket.taken.partition).ticket(ticket),
            Event::JobDebited(debit) => self.debited(debit),
            _ => {}
        }
    }

    fn debited(&mut self, debit: &JobDebited) {
        let Some(worker) = debit.worker.filter(|_| debit.charged > Amount::ZERO) else {
            return;
        };
        let row = grown(&mut self.debits, debit.job.asset.index()).at(worker.index());
        let share = debit.split.commission.share_of_amount(debit.charged);
        row.gross = row.gross.plus(debit.charged);
        row.commission = row.commission.plus(share);
        row.debits += 1;
    }

    /// What workers earned by debits in an asset, by number.
    pub fn debits(&self, asset: AssetNo) -> impl Iterator<Item = (WorkerNo, &DebitRow)> {
        let rows = self.debits.get(asset.index()).into_iter();
        let rows = rows.flat_map(Paged::iter).filter(|(_, row)| row.debits > 0);
        rows.map(|(index, row)| (WorkerNo::following(index), row))
    }

    fn at(&mut self, partition: PartitionNo) -> &mut PartitionFees {
        grown(&mut self.partitions, partition.index())
    }

    /// What was earned in a partition; absent when no job of it was taken in.
    #[must_use]
    pub fn partition(&self, partition: PartitionNo) -> Option<&PartitionFees> {
        self.partitions.get(partition.index())
    }

    /// Every partition that was touched, by number.
    pub fn partitions(&self) -> impl Iterator<Item = (PartitionNo, &PartitionFees)> {
        let numbered = self.partitions.iter().enumerate();
        numbered.map(|(index, fees)| (PartitionNo::following(index), fees))
    }

    /// What a worker earned over all partitions.
    #[must_use]
    pub fn total(&self, worker: WorkerNo) -> FeeRow {
        let rows = self.partitions.iter().filter_map(|one| one.worker(worker));
        rows.fold(FeeRow::default(), |total, row| FeeRow {
            gross: total.gross.plus(row.gross),
            commission: total.commission.plus(row.commission),
            jobs: total.jobs + row.jobs,
        })
    }
}

impl PartitionFees {
    /// What a worker earned here.
    #[must_use]
    pub fn worker(&self, worker: WorkerNo) -> Option<&FeeRow> {
        self.workers.get(worker.index()).filter(|row| row.jobs > 0)
    }

    /// Everybody who earned something here, by number.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerNo, &FeeRow)> {
        let rows = self.workers.iter().filter(|(_, row)| row.jobs > 0);
        rows.map(|(index, row)| (WorkerNo::following(index), row))
    }

    /// What is in suspense for one reason.
    #[must_use]
    pub const fn suspense(&self, reason: Suspense) -> &SuspenseRow {
        &self.suspense[suspense_index(reason)]
    }

    /// All fees in suspense.
    #[must_use]
    pub fn suspense_total(&self) -> Wei {
        let amounts = self.suspense.iter().map(|row| row.amount);
        amounts.fold(Wei::ZERO, Wei::plus)
    }

    fn processed(&mut self, job: &JobProcessed) {
        let fee = job.fee.payable();
        self.jobs.processed += 1;
        self.jobs.bad_fee += u64::from(matches!(job.fee, Fee::Bad(_)));
        self.jobs.nonpositive_fee += u64::from(matches!(job.fee, Fee::NonPositive(_)));
        self.jobs.fee_mismatch += u64::from(is_mismatch(job));
        self.matched += u64::from(is_match(job.attribution) && job.model.is_some());
        self.credit(job.attribution, fee, job.split);
    }

    fn received(&mut self, _job: &JobReceived) {
        self.received += 1;
    }

    fn reattributed(&mut self, change: &JobReattributed) {
        let fee = change.fee.payable();
        self.reverse(change.from, fee, change.from_split);
        self.credit(change.to, fee, change.to_split);
        self.matched += u64::from(is_match(change.to));
        self.matched -= u64::from(is_match(change.from));
    }

    fn ticket(&mut self, ticket: &TicketRedeemed) {
        self.tickets.count += 1;
        if ticket.tx_hash.is_some() {
            self.tickets.redeemed += 1;
            let face_value = ticket.face_value.unwrap_or(Wei::ZERO);
            self.tickets.face_value = self.tickets.face_value.plus(face_value);
        }
    }

    fn credit(&mut self, to: Attribution, fee: u64, split: Split) {
        match to {
            Attribution::Worker(worker) => {
                if fee > 0 {
                    let row = self.workers.at(worker.index());
                    row.gross = row.gross.plus(Wei(fee.into()));
                    let share = split.commission.share_of(fee);
                    row.commission = row.commission.plus(Wei(share.into()));
                    row.jobs += 1;
                    self.jobs.payable += 1;
                }
            }
            Attribution::Suspense(reason) => {
                let row = &mut self.suspense[suspense_index(reason)];
                row.amount = row.amount.plus(Wei(fee.into()));
                row.jobs += 1;
            }
        }
    }

    fn reverse(&mut self, from: Attribution, fee: u64, split: Split) {
        match from {
            Attribution::Worker(worker) => {
                if fee > 0 {
                    let row = self.workers.at(worker.index());
                    row.gross = row.gross.minus(Wei(fee.into()));
                    let share = split.commission.share_of(fee);
                    row.commission = row.commission.minus(Wei(share.into()));
                    row.jobs -= 1;
                    self.jobs.payable -= 1;
                }
            }
            Attribution::Suspense(reason) => {
                let row = &mut self.suspense[suspense_index(reason)];
                row.amount = row.amount.minus(Wei(fee.into()));
                row.jobs -= 1;
            }
        }
    }
}

const fn is_match(attribution: Attribution) -> bool {
    matches!(attribution, Attribution::Worker(_))
}

/// Whether the fee is another integer than units times price.
fn is_mismatch(job: &JobProcessed) -> bool {
    let fee = match job.fee {
        Fee::Payable(wei) => i128::from(wei),
        Fee::NonPositive(wei) => i128::from(wei),
        Fee::Bad(_) => return false,
    };
    let (Some(units), Some(price)) = (job.units, job.price_wei) else {
        return false;
    };
    i128::from(units) * i128::from(price) != fee
}
