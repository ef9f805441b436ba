//! Balances by double entry.

use purser_events::intake::{Attribution, Split, Suspense};
use purser_events::{Event, Recorded, Wei, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::fees::{SUSPENSE_REASONS, suspense_index, suspense_name};
use crate::names::Names;
use crate::paged::Paged;

/// Whose money an account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What the pool's gateways owe for work, less the tickets that settled it.
    OpenPool,
    /// Face values that came in by tickets.
    Tickets,
    /// The pool's share of fees.
    Commission,
    /// Fees that cannot be attributed yet.
    Suspense(Suspense),
    /// What is owed to a worker.
    Worker(WorkerNo),
}

/// Which side of an account its balance normally stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Debits exceed credits.
    Debit,
    /// Credits exceed debits.
    Credit,
}

impl Account {
    /// The side its balance normally stands on.
    #[must_use]
    pub const fn normal_side(self) -> Side {
        match self {
            Self::OpenPool | Self::Tickets => Side::Debit,
            Self::Commission | Self::Suspense(_) | Self::Worker(_) => Side::Credit,
        }
    }

    /// The name that people use.
    #[must_use]
    pub fn name(self, names: &Names) -> String {
        match self {
            Self::OpenPool => "external:openpool".into(),
            Self::Tickets => "external:tickets".into(),
            Self::Commission => "pool:commission".into(),
            Self::Suspense(reason) => format!("suspense:{}", suspense_name(reason)),
            Self::Worker(worker) => format!("worker:{}", names.workers()[worker.index()]),
        }
    }
}

/// One amount, one account that is debited and one that is credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// The amount, more than zero.
    pub amount: Wei,
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
            let (debit, credit) = (Account::Tickets, Account::OpenPool);
            post(debit, credit, face_value.unwrap_or(Wei::ZERO), &mut each);
        }
        _ => {}
    }
}

impl Posting {
    const fn reversed(self) -> Self {
        Self {
            debit: self.credit,
            credit: self.debit,
            amount: self.amount,
        }
    }
}

fn earned(by: Attribution, fee: u64, split: Split, mut each: impl FnMut(Posting)) {
    match by {
        Attribution::Worker(worker) => {
            let share = split.commission.share_of(fee);
            let net = Wei((fee - share).into());
            post(Account::OpenPool, Account::Worker(worker), net, &mut each);
            let share = Wei(share.into());
            post(Account::OpenPool, Account::Commission, share, &mut each);
        }
        Attribution::Suspense(reason) => {
            let to = Account::Suspense(reason);
            post(Account::OpenPool, to, Wei(fee.into()), &mut each);
        }
    }
}

fn post(debit: Account, credit: Account, amount: Wei, mut each: impl FnMut(Posting)) {
    if amount > Wei::ZERO {
        each(Posting {
            debit,
            credit,
            amount,
        });
    }
}

/// What moved on one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turnover {
    /// The sum of its debits.
    pub debits: Wei,
    /// The sum of its credits.
    pub credits: Wei,
}

impl Turnover {
    /// What stands on the normal side.
    ///
    /// # Panics
    /// When the other side is greater.
    #[must_use]
    pub fn balance(&self, side: Side) -> Wei {
        match side {
            Side::Debit => self.debits.minus(self.credits),
            Side::Credit => self.credits.minus(self.debits),
        }
    }
}

/// Balances by double entry, in wei.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    open_pool: Turnover,
    tickets: Turnover,
    commission: Turnover,
    suspense: [Turnover; SUSPENSE_REASONS.len()],
    workers: Paged<Turnover>,
    posted: Turnover,
}

/// One account of the trial balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRow {
    /// The account's name.
    pub name: String,
    /// The side its balance normally stands on.
    pub side: Side,
    /// What moved on it.
    pub turnover: Turnover,
}

impl Accounts {
    /// Folds one event in.
    ///
    /// # Panics
    /// When debits and credits part, or what is owed to anybody falls below zero.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        postings(fact.event, |posting| self.post(posting));
        assert_eq!(
            self.posted.debits, self.posted.credits,
            "debits equal credits after every event"
        );
    }

    fn post(&mut self, posting: Posting) {
        let Posting {
            debit,
            credit,
            amount,
        } = posting;
        let account = self.at(debit);
        account.debits = account.debits.plus(amount);
        assert!(
            debit.normal_side() == Side::Debit || account.debits <= account.credits,
            "what is owed never falls below zero"
        );
        self.posted.debits = self.posted.debits.plus(amount);
        let account = self.at(credit);
        account.credits = account.credits.plus(amount);
        self.posted.credits = self.posted.credits.plus(amount);
    }

    fn at(&mut self, account: Account) -> &mut Turnover {
        match account {
            Account::OpenPool => &mut self.open_pool,
            Account::Tickets => &mut self.tickets,
            Account::Commission => &mut self.commission,
            Account::Suspense(reason) => &mut self.suspense[suspense_index(reason)],
            Account::Worker(worker) => self.workers.at(worker.index()),
        }
    }

    /// What moved on an account.
    #[must_use]
    pub fn turnover(&self, account: Account) -> Turnover {
        match account {
            Account::OpenPool => self.open_pool,
            Account::Tickets => self.tickets,
            Account::Commission => self.commission,
            Account::Suspense(reason) => self.suspense[suspense_index(reason)],
            Account::Worker(worker) => {
                let row = self.workers.get(worker.index());
                row.copied().unwrap_or_default()
            }
        }
    }

    /// The turnover of all accounts together: debits equal credits.
    #[must_use]
    pub const fn posted(&self) -> Turnover {
        self.posted
    }

    /// Every account that ever moved, by name.
    #[must_use]
    pub fn trial_balance(&self, names: &Names) -> Vec<TrialRow> {
        let mut rows: Vec<TrialRow> = self
            .all(names)
            .map(|account| TrialRow {
                name: account.name(names),
                side: account.normal_side(),
                turnover: self.turnover(account),
            })
            .filter(|row| row.turnover != Turnover::default())
            .collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows
    }

    fn all<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = Account> + 'a {
        let pool = [Account::OpenPool, Account::Tickets, Account::Commission];
        let suspense = SUSPENSE_REASONS.into_iter().map(Account::Suspense);
        let workers = 0..names.workers().len();
        let workers = workers.map(|index| Account::Worker(WorkerNo::following(index)));
        pool.into_iter().chain(suspense).chain(workers)
    }
}
