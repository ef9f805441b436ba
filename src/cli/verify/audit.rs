//! An auditor of its own: adds up every posting beside the folds, and trusts neither.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hashbrown::HashMap;
use purser_events::{Envelope, Micros, Position, Wei};
use purser_projections::Projections;
use purser_projections::accounts::{Account, Posting, Side, TrialRow, Turnover, postings};

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
    /// An amount leaves the range of amounts.
    #[error("an amount leaves its range")]
    Range,
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
    accounts: HashMap<Account, Turnover>,
    recorded_at: Micros,
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
        let folded = catch_unwind(AssertUnwindSafe(|| self.folds.apply(envelope.recorded())));
        folded.map_err(|_| Breach::Contradiction)
    }

    fn post(&mut self, posting: Posting) -> Result<(), Breach> {
        let debit = self.accounts.entry(posting.debit).or_default();
        debit.debits = sum(debit.debits, posting.amount)?;
        let is_owed = posting.debit.normal_side() == Side::Credit;
        if is_owed && debit.debits > debit.credits {
            let account = name(posting.debit, &self.folds);
            return Err(Breach::Overdrawn { account });
        }
        let credit = self.accounts.entry(posting.credit).or_default();
        credit.credits = sum(credit.credits, posting.amount)?;
        Ok(())
    }

    /// Compares the auditor's sums with the folds', and answers the trial balance.
    pub(super) fn close(&self) -> Result<Vec<TrialRow>, Breach> {
        for (account, turnover) in &self.accounts {
            if self.folds.accounts.turnover(*account) != *turnover {
                let account = name(*account, &self.folds);
                return Err(Breach::Sum { account });
            }
        }
        let rows = self.folds.accounts.trial_balance(&self.folds.names);
        let moved = self
            .accounts
            .values()
            .filter(|one| **one != Turnover::default())
            .count();
        match rows.iter().try_fold((Wei::ZERO, Wei::ZERO), |all, row| {
            Ok::<_, Breach>((
                sum(all.0, row.turnover.debits)?,
                sum(all.1, row.turnover.credits)?,
            ))
        })? {
            (debits, credits) if debits == credits && rows.len() == moved => Ok(rows),
            _ => Err(Breach::Sum {
                account: "(all)".into(),
            }),
        }
    }
}

fn sum(one: Wei, other: Wei) -> Result<Wei, Breach> {
    one.0.checked_add(other.0).map(Wei).ok_or(Breach::Range)
}

/// The name of an account, whatever the log says of it.
fn name(account: Account, folds: &Projections) -> String {
    match account {
        Account::Worker(worker) if worker.index() >= folds.names.workers().len() => {
            format!("worker number {worker}")
        }
        other => other.name(&folds.names),
    }
}

/// What stands on an account: more than nothing on its normal side, less on the other.
pub(super) fn balance(row: &TrialRow) -> (Sign, Wei) {
    let Turnover { debits, credits } = row.turnover;
    let (normal, other) = match row.side {
        Side::Debit => (debits, credits),
        Side::Credit => (credits, debits),
    };
    if normal >= other {
        (Sign::Plus, normal.minus(other))
    } else {
        (Sign::Minus, other.minus(normal))
    }
}

/// On which side a balance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// The normal one.
    Plus,
    /// The other one: more was settled than was ever owed.
    Minus,
}

impl Sign {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Plus => "",
            Self::Minus => "-",
        }
    }
}
