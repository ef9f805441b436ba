//! Balances by double entry: for each asset, what moved on each account.

mod account;
mod granted;
mod ledger;
mod postings;
mod turnover;

use purser_events::{AssetNo, Balance, Recorded};
use serde::{Deserialize, Serialize};

use crate::names::Names;
use crate::paged::grown;

pub use account::{Account, SINGLE, Side};
pub use ledger::Ledger;
pub use postings::{Posting, ended_by, postings};
pub use turnover::Turnover;

/// Balances by double entry, asset by asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    assets: Vec<Ledger>,
}

/// One account of the trial balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRow {
    /// The asset.
    pub asset: AssetNo,
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
    /// When debits and credits part, or an account falls lower than it may.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        postings(fact.event, |posting| {
            let ledger = grown(&mut self.assets, posting.asset.index());
            ledger.post(posting);
            assert!(
                ledger.is_balanced(),
                "debits equal credits after every event"
            );
        });
        if let Some((asset, account)) = ended_by(fact.event) {
            grown(&mut self.assets, asset.index()).end(account);
        }
    }

    /// What moved on an account.
    #[must_use]
    pub fn turnover(&self, asset: AssetNo, account: Account) -> Turnover {
        let ledger = self.ledger(asset);
        ledger.map_or_else(Turnover::default, |ledger| ledger.turnover(account))
    }

    /// What stands on an account.
    #[must_use]
    pub fn balance(&self, asset: AssetNo, account: Account) -> Balance {
        self.turnover(asset, account).balance(account.normal_side())
    }

    /// The accounts of an asset; absent when nothing of it ever moved.
    #[must_use]
    pub fn ledger(&self, asset: AssetNo) -> Option<&Ledger> {
        self.assets.get(asset.index())
    }

    /// Every asset that moved.
    pub fn ledgers(&self) -> impl Iterator<Item = (AssetNo, &Ledger)> {
        let numbered = self.assets.iter().enumerate();
        numbered.map(|(index, ledger)| (AssetNo::following(index), ledger))
    }

    /// Every account that ever moved, by asset and name. Jobs share one row, and escrows another:
    /// there may be many, and those that closed have left memory.
    #[must_use]
    pub fn trial_balance(&self, names: &Names) -> Vec<TrialRow> {
        let mut rows = Vec::new();
        for (asset, ledger) in self.ledgers() {
            let first = rows.len();
            let mut jobs = ledger.ended();
            let mut escrows = ledger.ended_escrows();
            for (account, turnover) in ledger.accounts() {
                let shared = match account {
                    Account::Job(_) => Some(&mut jobs),
                    Account::Escrow(_) => Some(&mut escrows),
                    _ => None,
                };
                if let Some(shared) = shared {
                    *shared = shared.plus(turnover);
                    continue;
                }
                rows.push(TrialRow {
                    asset,
                    name: account.name(names),
                    side: account.normal_side(),
                    turnover,
                });
            }
            for (name, turnover) in [("job:*", jobs), ("escrow:*", escrows)] {
                if turnover != Turnover::default() {
                    rows.push(TrialRow {
                        asset,
                        name: name.into(),
                        side: Side::Credit,
                        turnover,
                    });
                }
            }
            rows[first..].sort_by(|one, other| one.name.cmp(&other.name));
        }
        rows
    }
}
