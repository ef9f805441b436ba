//! The invariants of the grants, looked at from the outside: sums of the requests against sums of
//! the accounts.

use std::collections::BTreeMap;

use purser_events::{Amount, Label, PoolNo};

use super::identity::{Day, DayUse};
use super::{Grants, Share};
use crate::accounts::{Account, Accounts};

/// An invariant of the grants that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantBreach {
    /// I1: what a pool received is not what it has, holds and paid.
    Conservation(PoolNo),
    /// I2: an account stands below zero.
    BelowZero(PoolNo),
    /// I3: what is reserved of a pool is not what the open requests hold of it.
    Reserved(PoolNo),
    /// I5: what an identity holds on a day is not what its open requests hold.
    Held(Label, Day),
    /// I7: what is in escrow is not what was paid for the open requests.
    Escrow,
    /// I9: work that the pools pay for runs without a hold of the quoted size.
    Uncovered(Label),
}

impl std::fmt::Display for GrantBreach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conservation(pool) => write!(f, "I1: pool {pool} received, and has not, units"),
            Self::BelowZero(pool) => write!(f, "I2: pool {pool} stands below zero"),
            Self::Reserved(pool) => write!(f, "I3: pool {pool} reserves what nobody holds"),
            Self::Held(identity, day) => {
                write!(
                    f,
                    "I5: {identity} holds on day {} what no request does",
                    day.0
                )
            }
            Self::Escrow => f.write_str("I7: escrow is not what was paid"),
            Self::Uncovered(request) => write!(f, "I9: {request} runs without its hold"),
        }
    }
}

impl Grants {
    /// Looks at every pool and every open request.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check(&self, accounts: &Accounts) -> Result<(), GrantBreach> {
        self.check_pools(accounts)?;
        self.check_identities()?;
        self.check_escrows(accounts)?;
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

    fn check_pools(&self, accounts: &Accounts) -> Result<(), GrantBreach> {
        let mut held = vec![Amount::ZERO; self.kept.pools.len()];
        for share in self.holds() {
            let pool = &mut held[share.pool.index()];
            *pool = pool.plus(share.amount);
        }
        for (index, (pool, held)) in self.kept.pools.iter().zip(held).enumerate() {
            let number = PoolNo::following(index);
            let available = accounts.balance(pool.asset, Account::GrantsAvailable(number));
            let reserved = accounts.balance(pool.asset, Account::GrantsReserved(number));
            if available.below_zero || reserved.below_zero {
                return Err(GrantBreach::BelowZero(number));
            }
            let has = available.amount.plus(reserved.amount).plus(pool.granted);
            if has != pool.received() {
                return Err(GrantBreach::Conservation(number));
            }
            if reserved.amount != held {
                return Err(GrantBreach::Reserved(number));
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

    fn check_escrows(&self, accounts: &Accounts) -> Result<(), GrantBreach> {
        for grant in self.open() {
            let escrow = accounts.balance(grant.asset, Account::Escrow(grant.number));
            if escrow.below_zero || escrow.amount != grant.paid() {
                return Err(GrantBreach::Escrow);
            }
        }
        let mut escrows = accounts.ledgers().flat_map(|(_, ledger)| ledger.accounts());
        let open = escrows.all(|(account, _)| match account {
            Account::Escrow(number) => self.get(number).is_some(),
            _ => true,
        });
        if open {
            Ok(())
        } else {
            Err(GrantBreach::Escrow)
        }
    }
}
