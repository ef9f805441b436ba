//! The one table of postings: what each event moves.

use purser_events::intake::{Attribution, Split};
use purser_events::paid::JobDebited;
use purser_events::payout::{Draw, Rail};
use purser_events::ticket::WinnerReport;
use purser_events::{Amount, AssetNo, Event, Wei};

use super::account::Account;
use super::granted;

/// One amount of one asset, one account that is debited and one that is credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The asset of the amount.
    pub asset: AssetNo,
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// The amount, more than zero.
    pub amount: Amount,
}

/// The postings that an event expands to: the one table of them.
pub fn postings(event: &Event, mut each: impl FnMut(Posting)) {
    match event {
        Event::JobProcessed(job) => {
            earned(job.attribution, job.fee.payable(), job.split, &mut each);
        }
        Event::JobReattributed(change) => {
            let fee = change.fee.payable();
            earned(change.from, fee, change.from_split, |posting| {
                each(posting.reversed());
            });
            earned(change.to, fee, change.to_split, &mut each);
        }
        Event::TicketRedeemed(ticket) => {
            let face_value = ticket.face_value.filter(|_| ticket.tx_hash.is_some());
            let amount = face_value.unwrap_or(Wei::ZERO).into();
            let (debit, credit) = (Account::Tickets, Account::OpenPool);
            post(AssetNo::ETH, debit, credit, amount, &mut each);
        }
        Event::PayoutRequested(payout) => held(payout.asset, &payout.draws, &mut each),
        Event::PayoutReleased(payout) => {
            held(payout.asset, &payout.draws, |posting| {
                each(posting.reversed());
            });
        }
        Event::PayoutFinal(payout) => {
            let out = match payout.rail {
                Rail::Chain => Account::Chain,
                Rail::Other(rail) => Account::Rail(rail),
            };
            let held = Account::InFlight;
            post(payout.asset, held, out, payout.amount, &mut each);
            post(
                payout.asset,
                Account::Gas,
                Account::Chain,
                payout.gas,
                &mut each,
            );
        }
        Event::PayoutFailed(failed) => {
            post(
                failed.asset,
                Account::Gas,
                Account::Chain,
                failed.gas,
                &mut each,
            );
        }
        event => paid(event, each),
    }
}

/// The postings of payers' funds and jobs.
fn paid(event: &Event, mut each: impl FnMut(Posting)) {
    match event {
        Event::FundsDeposited(one) => {
            let (asset, payer) = (one.asset, Account::Payer(one.payer));
            post(asset, Account::Rail(one.rail), payer, one.amount, &mut each);
            post(
                asset,
                payer,
                Account::Debt(one.payer),
                one.settled,
                &mut each,
            );
        }
        Event::DebtSettled(one) => {
            let (payer, debt) = (Account::Payer(one.payer), Account::Debt(one.payer));
            post(one.asset, payer, debt, one.amount, &mut each);
        }
        Event::JobCredited(one) => {
            let (asset, job) = (one.job.asset, Account::Job(one.job.number));
            post(asset, Account::Rail(one.rail), job, one.amount, &mut each);
            let debt = Account::Debt(one.job.payer);
            post(asset, job, debt, one.settled, &mut each);
        }
        Event::FundsTransferred(one) => {
            let job = Account::Job(one.job.number);
            let payer = Account::Payer(one.job.payer);
            post(one.job.asset, payer, job, one.amount, &mut each);
        }
        Event::JobDebited(one) => debited(one, &mut each),
        Event::JobClosed(one) => {
            let (asset, job) = (one.job.asset, Account::Job(one.job.number));
            let (payer, debt) = (Account::Payer(one.job.payer), Account::Debt(one.job.payer));
            post(asset, job, debt, one.settled, &mut each);
            post(asset, job, payer, one.swept, &mut each);
            post(asset, debt, job, one.debt, &mut each);
        }
        Event::TicketsTaken(one) => {
            let (asset, job) = (one.job.asset, Account::Job(one.job.number));
            post(asset, Account::Luck, job, one.credited, &mut each);
            let debt = Account::Debt(one.job.payer);
            post(asset, job, debt, one.settled, &mut each);
        }
        Event::TicketWon(one) => {
            let (winners, luck) = (Account::Winners, Account::Luck);
            post(AssetNo::ETH, winners, luck, one.face_value, &mut each);
        }
        Event::WinnerReported(one) => {
            let to = match one.report {
                WinnerReport::Submitted(_) => return,
                WinnerReport::Redeemed(_) => Account::Tickets,
                WinnerReport::Failed(_) => Account::Luck,
            };
            post(
                AssetNo::ETH,
                to,
                Account::Winners,
                one.face_value,
                &mut each,
            );
        }
        event => granted::postings(event, &mut each),
    }
}

/// What is held for a payout.
fn held(asset: AssetNo, draws: &[Draw], mut each: impl FnMut(Posting)) {
    for draw in draws {
        let worker = Account::Worker(draw.worker);
        post(asset, worker, Account::InFlight, draw.amount, &mut each);
    }
}

/// The account that leaves memory with this event: it is balanced then.
#[must_use]
pub fn ended_by(event: &Event) -> Option<(AssetNo, Account)> {
    match event {
        Event::JobClosed(one) => Some((one.job.asset, Account::Job(one.job.number))),
        event => granted::ended_by(event),
    }
}

fn debited(debit: &JobDebited, mut each: impl FnMut(Posting)) {
    let (asset, from) = (debit.job.asset, Account::Job(debit.job.number));
    let Some(worker) = debit.worker else {
        post(asset, from, Account::Revenue, debit.charged, &mut each);
        return;
    };
    let share = debit.split.commission.share_of_amount(debit.charged);
    let net = debit.charged.minus(share);
    post(asset, from, Account::Worker(worker), net, &mut each);
    post(asset, from, Account::Commission, share, &mut each);
}

impl Posting {
    /// Whether the debited account may stand below zero afterwards. A late fact takes back what a
    /// worker was credited with, and may already have been paid: the worker owes it to the pool,
    /// and earns it again before it is paid anything else.
    pub(super) fn may_overdraw(&self) -> bool {
        let taken_back = self.credit == Account::OpenPool;
        self.debit.may_overdraw() || (taken_back && matches!(self.debit, Account::Worker(_)))
    }

    const fn reversed(self) -> Self {
        Self {
            debit: self.credit,
            credit: self.debit,
            ..self
        }
    }
}

fn earned(by: Attribution, fee: u64, split: Split, mut each: impl FnMut(Posting)) {
    let (asset, from) = (AssetNo::ETH, Account::OpenPool);
    match by {
        Attribution::Worker(worker) => {
            let share = split.commission.share_of(fee);
            let net = Amount((fee - share).into());
            post(asset, from, Account::Worker(worker), net, &mut each);
            let share = Amount(share.into());
            post(asset, from, Account::Commission, share, &mut each);
        }
        Attribution::Suspense(reason) => {
            let to = Account::Suspense(reason);
            post(asset, from, to, Amount(fee.into()), &mut each);
        }
    }
}

/// Hands over a posting, unless nothing moves.
pub(super) fn post(
    asset: AssetNo,
    debit: Account,
    credit: Account,
    amount: Amount,
    mut each: impl FnMut(Posting),
) {
    if amount > Amount::ZERO {
        each(Posting {
            asset,
            debit,
            credit,
            amount,
        });
    }
}
