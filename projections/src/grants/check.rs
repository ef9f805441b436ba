//! The invariants of the grants, looked at from the outside: sums of the requests against sums of
//! the accounts.

use std::collections::BTreeMap;

use purser_events::{Amount, Label, PoolNo};

use super::identity::{Day, DayUse};
use super::{Grants, Share};
use crate::accounts::{Account, Accounts};
use crate::names::Names;

/// An invariant of the grants that does not hold, and whose. The numbers are those of
/// `docs/grants.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantBreach {
    /// I1: what a pool received is not what it has, holds and paid.
    Conservation(Label),
    /// I2: a pool's account, or one of a payer's funds, stands below zero.
    BelowZero(String),
    /// I3: what is reserved of a pool is not what the open requests hold of it.
    Reserved(Label),
    /// I4: what a pool says it paid is not what the requests absorbed of it.
    Granted(Label),
    /// I5: what an identity holds on a day is not what its open requests hold.
    Held(Label, Day),
    /// I5: a hold takes an identity past its budget of the day.
    Budget(Label, Day),
    /// I6: what a request held is not what was absorbed and returned of it.
    Returned(Label),
    /// I7: what was paid for a request is not what was charged and went back, or more was charged
    /// than was quoted.
    Paid(Label),
    /// I7: what is in escrow is not what was paid for an open request.
    Escrow(String),
    /// I8: what work did cost is not what its bearers bear.
    Borne(Label),
    /// I9: work that the pools pay for runs without a hold of the quoted size.
    Uncovered(Label),
    /// I10: a result counts as late for a request that is still open.
    NotLate(Label),
}

impl std::fmt::Display for GrantBreach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conservation(pool) => {
                write!(
                    f,
                    "I1: the pool {pool} did not receive what it has, holds and paid"
                )
            }
            Self::BelowZero(account) => write!(f, "I2: {account} stands below zero"),
            Self::Reserved(pool) => write!(f, "I3: the pool {pool} reserves what nobody holds"),
            Self::Granted(pool) => write!(f, "I4: the pool {pool} paid what nobody absorbed"),
            Self::Held(who, day) => {
                write!(f, "I5: {who} holds on day {} what no request does", day.0)
            }
            Self::Budget(who, day) => {
                write!(f, "I5: {who} holds on day {} more than its budget", day.0)
            }
            Self::Returned(request) => {
                write!(
                    f,
                    "I6: what {request} held is not what was absorbed and returned"
                )
            }
            Self::Paid(request) => {
                write!(
                    f,
                    "I7: what was paid for {request} is not what was charged and went back"
                )
            }
            Self::Escrow(account) => write!(f, "I7: {account} is not what was paid"),
            Self::Borne(request) => write!(f, "I8: what {request} did cost has no bearer"),
            Self::Uncovered(request) => write!(f, "I9: {request} runs without its hold"),
            Self::NotLate(request) => {
                write!(f, "I10: a result is late for {request}, which is open")
            }
        }
    }
}

impl std::error::Error for GrantBreach {}

impl Grants {
    /// Looks at every pool, every identity and every open request. What only events can show is
    /// looked at by [`super::GrantAudit`].
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check(&self, accounts: &Accounts, names: &Names) -> Result<(), GrantBreach> {
        self.check_pools(accounts, names)?;
        self.check_identities()?;
        self.check_accounts(accounts, names)?;
        for grant in self.open() {
            if grant.running.is_some() && grant.held() != grant.absorb {
                return Err(GrantBreach::Uncovered(grant.request.clone()));
            }
        }
        Ok(())
    }

    fn holds(&self) -> impl Iterator<Item = &Share> {
        let running = self.open().filter_map(|grant| grant.running.as_ref());
        running.flat_map(|running| &running.holds)
    }

    fn check_pools(&self, accounts: &Accounts, names: &Names) -> Result<(), GrantBreach> {
        let mut held = vec![Amount::ZERO; self.kept.pools.len()];
        for share in self.holds() {
            let pool = &mut held[share.pool.index()];
            *pool = pool.plus(share.amount);
        }
        for (index, (pool, held)) in self.kept.pools.iter().zip(held).enumerate() {
            let number = PoolNo::following(index);
            let name = || names.pools()[index].clone();
            let available = accounts.balance(pool.asset, Account::GrantsAvailable(number));
            let reserved = accounts.balance(pool.asset, Account::GrantsReserved(number));
            let has = available.amount.plus(reserved.amount).plus(pool.granted);
            if has != pool.received() {
                return Err(GrantBreach::Conservation(name()));
            }
            if reserved.amount != held {
                return Err(GrantBreach::Reserved(name()));
            }
        }
        Ok(())
    }

    fn check_identities(&self) -> Result<(), GrantBreach> {
        let mut held: BTreeMap<(&Label, Day), Amount> = BTreeMap::new();
        for grant in self.open() {
            if let (Some(identity), Some(running)) = (&grant.identity, &grant.running) {
                let sum = held.entry((identity, running.day)).or_default();
                *sum = sum.plus(grant.held());
            }
        }
        for (identity, known) in self.identities() {
            for (day, DayUse { held: said, .. }) in known.days() {
                let found = held.remove(&(identity, day)).unwrap_or_default();
                if found != said {
                    return Err(GrantBreach::Held(identity.clone(), day));
                }
            }
        }
        match held.into_iter().find(|(_, sum)| *sum > Amount::ZERO) {
            Some(((identity, day), _)) => Err(GrantBreach::Held(identity.clone(), day)),
            None => Ok(()),
        }
    }

    /// Nothing that pools or payers own is below zero, and an escrow holds what was paid for its
    /// request.
    fn check_accounts(&self, accounts: &Accounts, names: &Names) -> Result<(), GrantBreach> {
        let escrow = |number| GrantBreach::Escrow(Account::Escrow(number).name(names));
        for grant in self.open() {
            let kept = accounts.balance(grant.asset, Account::Escrow(grant.number));
            if kept.below_zero || kept.amount != grant.paid() {
                return Err(escrow(grant.number));
            }
        }
        let all = accounts.ledgers().flat_map(|(_, ledger)| ledger.accounts());
        for (account, turnover) in all {
            match account {
                Account::Escrow(number) if self.get(number).is_none() => {
                    return Err(escrow(number));
                }
                Account::GrantsAvailable(_) | Account::GrantsReserved(_) | Account::Payer(_)
                    if turnover.balance(account.normal_side()).below_zero =>
                {
                    return Err(GrantBreach::BelowZero(account.name(names)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
