//! The accounts of one asset.

use std::collections::BTreeMap;

use purser_events::{Balance, GrantNo, JobNo, PayerNo, PoolNo, RailNo, WorkerNo};
use serde::{Deserialize, Serialize};

use super::account::{Account, Place, SINGLE, Side};
use super::postings::Posting;
use super::turnover::Turnover;
use crate::paged::Paged;

/// The accounts of one asset, each with what moved on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    single: [Turnover; SINGLE.len()],
    workers: Paged<Turnover>,
    rails: Paged<Turnover>,
    payers: Paged<Turnover>,
    debts: Paged<Turnover>,
    jobs: BTreeMap<JobNo, Turnover>,
    available: Paged<Turnover>,
    reserved: Paged<Turnover>,
    escrows: BTreeMap<GrantNo, Turnover>,
    /// What moved on accounts that left memory, each balanced when it did.
    ended: Turnover,
    ended_escrows: Turnover,
    posted: Turnover,
}

impl Ledger {
    pub(super) fn post(&mut self, posting: Posting) {
        let may_overdraw = posting.may_overdraw();
        let Posting {
            debit,
            credit,
            amount,
            ..
        } = posting;
        let account = self.at(debit);
        account.debits = account.debits.plus(amount);
        assert!(
            debit.normal_side() == Side::Debit || may_overdraw || account.is_in_credit(),
            "what is owed never falls below zero"
        );
        self.posted.debits = self.posted.debits.plus(amount);
        let account = self.at(credit);
        account.credits = account.credits.plus(amount);
        assert!(
            credit.normal_side() == Side::Credit || credit.may_overdraw() || account.is_in_debit(),
            "nobody pays more than he owes"
        );
        self.posted.credits = self.posted.credits.plus(amount);
    }

    /// Takes an account out of memory.
    ///
    /// # Panics
    /// When something is left on it.
    pub(super) fn end(&mut self, account: Account) {
        let turnover = match account.place() {
            Place::Job(job) => self.jobs.remove(&job).unwrap_or_default(),
            Place::Escrow(grant) => self.escrows.remove(&grant).unwrap_or_default(),
            _ => return,
        };
        let balance = turnover.balance(account.normal_side());
        assert_eq!(balance, Balance::default(), "what ends is balanced");
        let ended = match account {
            Account::Escrow(_) => &mut self.ended_escrows,
            _ => &mut self.ended,
        };
        *ended = ended.plus(turnover);
    }

    fn at(&mut self, account: Account) -> &mut Turnover {
        match account.place() {
            Place::Single(place) => &mut self.single[place],
            Place::Worker(worker) => self.workers.at(worker.index()),
            Place::Rail(rail) => self.rails.at(rail.index()),
            Place::Payer(payer) => self.payers.at(payer.index()),
            Place::Debt(payer) => self.debts.at(payer.index()),
            Place::Job(job) => self.jobs.entry(job).or_default(),
            Place::Available(pool) => self.available.at(pool.index()),
            Place::Reserved(pool) => self.reserved.at(pool.index()),
            Place::Escrow(grant) => self.escrows.entry(grant).or_default(),
        }
    }

    /// What moved on an account.
    #[must_use]
    pub fn turnover(&self, account: Account) -> Turnover {
        let found = match account.place() {
            Place::Single(place) => Some(&self.single[place]),
            Place::Worker(worker) => self.workers.get(worker.index()),
            Place::Rail(rail) => self.rails.get(rail.index()),
            Place::Payer(payer) => self.payers.get(payer.index()),
            Place::Debt(payer) => self.debts.get(payer.index()),
            Place::Job(job) => self.jobs.get(&job),
            Place::Available(pool) => self.available.get(pool.index()),
            Place::Reserved(pool) => self.reserved.get(pool.index()),
            Place::Escrow(grant) => self.escrows.get(&grant),
        };
        found.copied().unwrap_or_default()
    }

    /// The turnover of all accounts together: debits equal credits.
    #[must_use]
    pub const fn posted(&self) -> Turnover {
        self.posted
    }

    /// What moved on accounts of things that ended.
    #[must_use]
    pub const fn ended(&self) -> Turnover {
        self.ended
    }

    /// What moved on escrows of requests that are closed.
    #[must_use]
    pub const fn ended_escrows(&self) -> Turnover {
        self.ended_escrows
    }

    /// Every account that moved and is in memory, with what moved on it, by kind and number.
    pub fn accounts(&self) -> impl Iterator<Item = (Account, Turnover)> + '_ {
        let single = SINGLE.into_iter().zip(self.single);
        let rails = of(&self.rails, |at| Account::Rail(RailNo::following(at)));
        let payers = of(&self.payers, |at| Account::Payer(PayerNo::following(at)));
        let debts = of(&self.debts, |at| Account::Debt(PayerNo::following(at)));
        let jobs = self
            .jobs
            .iter()
            .map(|(job, one)| (Account::Job(*job), *one));
        let workers = of(&self.workers, |at| Account::Worker(WorkerNo::following(at)));
        let pool = PoolNo::following;
        let available = of(&self.available, move |at| {
            Account::GrantsAvailable(pool(at))
        });
        let reserved = of(&self.reserved, move |at| Account::GrantsReserved(pool(at)));
        let escrows = self.escrows.iter();
        let escrows = escrows.map(|(grant, one)| (Account::Escrow(*grant), *one));
        let all = single.chain(rails).chain(payers).chain(debts);
        all.chain(jobs)
            .chain(workers)
            .chain(available)
            .chain(reserved)
            .chain(escrows)
            .filter(|(_, one)| *one != Turnover::default())
    }

    /// The sum over every account: what [`Ledger::posted`] must be.
    #[must_use]
    pub fn sum(&self) -> Turnover {
        let all = self.accounts().map(|(_, one)| one);
        all.fold(self.ended.plus(self.ended_escrows), Turnover::plus)
    }

    pub(super) fn is_balanced(&self) -> bool {
        self.posted.debits == self.posted.credits
    }
}

fn of(
    table: &Paged<Turnover>,
    account: impl Fn(usize) -> Account,
) -> impl Iterator<Item = (Account, Turnover)> {
    table.iter().map(move |(at, one)| (account(at), *one))
}
