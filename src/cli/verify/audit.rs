//! An auditor of its own: adds up every posting beside the folds, and trusts neither.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hashbrown::HashMap;
use purser_events::{Amount, AssetNo, Envelope, Micros, Position};
use purser_projections::Projections;
use purser_projections::accounts::{
    Account, Posting, Side, TrialRow, Turnover, ended_by, postings,
};
use purser_projections::grants::{GrantAudit, GrantBreach};

/// What the log says that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A position is missing or stands twice.
    #[error("position {expected} should follow")]
    Position {
        /// The position that should follow.
        expected: Position,
    },
    /// An event was recorded before its predecessor.
    #[error("it was recorded before its predecessor")]
    Time,
    /// An event cannot be folded: it contradicts what came before it.
    #[error("it contradicts what came before it")]
    Contradiction,
    /// An account that is owed to somebody falls below zero.
    #[error("the account {account} falls below zero")]
    Overdrawn {
        /// The account.
        account: String,
    },
    /// An account was closed with something left on it.
    #[error("the account {account} was closed with something left on it")]
    Unbalanced {
        /// The account.
        account: String,
    },
    /// An amount leaves the range of amounts.
    #[error("an amount leaves its range")]
    Range,
    /// An invariant of the grants does not hold.
    #[error("an invariant of the grants does not hold")]
    Grants(#[from] GrantBreach),
    /// The folds and the auditor disagree.
    #[error("the account {account} is not the sum of its postings")]
    Sum {
        /// The account.
        account: String,
    },
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Audit {
    pub(super) folds: Projections,
    accounts: HashMap<(AssetNo, Account), Turnover>,
    ended: HashMap<AssetNo, Turnover>,
    recorded_at: Micros,
    grants: GrantAudit,
}

impl Audit {
    /// Looks at the next event.
    pub(super) fn see(&mut self, envelope: &Envelope) -> Result<(), Breach> {
        let expected = self.folds.position.next();
        if envelope.position != expected {
            return Err(Breach::Position { expected });
        }
        if envelope.recorded_at < self.recorded_at {
            return Err(Breach::Time);
        }
        self.recorded_at = envelope.recorded_at;
        let mut found = Ok(());
        postings(&envelope.event, |posting| {
            if found.is_ok() {
                found = self.post(posting);
            }
        });
        found?;
        if let Some(ended) = ended_by(&envelope.event) {
            self.end(ended)?;
        }
        self.grants.see(&self.folds, envelope.recorded())?;
        let folded = catch_unwind(AssertUnwindSafe(|| self.folds.apply(envelope.recorded())));
        folded.map_err(|_| Breach::Contradiction)
    }

    /// Folds an account that leaves the books into the sum of all that did.
    fn end(&mut self, (asset, account): (AssetNo, Account)) -> Result<(), Breach> {
        let turnover = self.accounts.remove(&(asset, account));
        let turnover = turnover.unwrap_or_default();
        if turnover.debits != turnover.credits {
            let account = name(account, &self.folds);
            return Err(Breach::Unbalanced { account });
        }
        let ended = self.ended.entry(asset).or_default();
        *ended = ended.plus(turnover);
        Ok(())
    }

    fn post(&mut self, posting: Posting) -> Result<(), Breach> {
        let Posting {
            asset,
            debit,
            credit,
            amount,
        } = posting;
        let account = self.accounts.entry((asset, debit)).or_default();
        account.debits = sum(account.debits, amount)?;
        let is_short = account.debits > account.credits;
        self.bounded(debit, Side::Credit, is_short)?;
        let account = self.accounts.entry((asset, credit)).or_default();
        account.credits = sum(account.credits, amount)?;
        let is_short = account.credits > account.debits;
        self.bounded(credit, Side::Debit, is_short)
    }

    /// Whether an account may stand as it does, for accounts whose normal side is this one.
    fn bounded(&self, account: Account, side: Side, is_short: bool) -> Result<(), Breach> {
        if is_short && account.normal_side() == side && !account.may_overdraw() {
            let account = name(account, &self.folds);
            return Err(Breach::Overdrawn { account });
        }
        Ok(())
    }

    /// Compares the auditor's sums with the folds', and answers the trial balance.
    pub(super) fn close(&self) -> Result<Vec<TrialRow>, Breach> {
        self.grants.close(&self.folds)?;
        let accounts = &self.folds.accounts;
        for ((asset, account), turnover) in &self.accounts {
            if accounts.turnover(*asset, *account) != *turnover {
                let account = name(*account, &self.folds);
                return Err(Breach::Sum { account });
            }
        }
        for (asset, ledger) in accounts.ledgers() {
            let mine = self.accounts.iter().filter(|((one, _), _)| *one == asset);
            let mine = mine.map(|(_, turnover)| turnover);
            let ended = self.ended.get(&asset).copied().unwrap_or_default();
            let mine = mine.fold(ended, |sum, one| sum.plus(*one));
            let all = [ledger.sum(), ledger.posted(), mine];
            if mine.debits != mine.credits || all.iter().any(|sum| *sum != mine) {
                let account = "(all)".into();
                return Err(Breach::Sum { account });
            }
        }
        Ok(accounts.trial_balance(&self.folds.names))
    }
}

fn sum(one: Amount, other: Amount) -> Result<Amount, Breach> {
    one.0.checked_add(other.0).map(Amount).ok_or(Breach::Range)
}

/// The name of an account, whatever the log says of it.
fn name(account: Account, folds: &Projections) -> String {
    account.name(&folds.names)
}
