//! The one table of postings: what each event moves.

use purser_events::intake::{Attribution, Split};
use purser_events::payout::{Draw, Rail};
use purser_events::{Amount, AssetNo, Event, Wei};

use super::account::Account;

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
        _ => {}
    }
}

/// What is held for a payout.
fn held(asset: AssetNo, draws: &[Draw], mut each: impl FnMut(Posting)) {
    for draw in draws {
        let worker = Account::Worker(draw.worker);
        post(asset, worker, Account::InFlight, draw.amount, &mut each);
    }
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
fn post(
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
