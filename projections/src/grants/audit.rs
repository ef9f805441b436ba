//! The invariants of the grants that only events can show: looked at one by one, each before it is
//! folded.

use purser_events::grant::{
    GrantConfirmed, GrantDecided, GrantSettled, PaymentRefunded, Refund, Share,
};
use purser_events::{Amount, Event, GrantNo, Label, Micros, PoolNo, Recorded};

use super::{Day, GrantBreach, OpenGrant, sum_of};
use crate::Projections;

/// An auditor of grants: adds up what requests absorbed, beside the folds.
#[derive(Clone, Debug, Default)]
pub struct GrantAudit {
    absorbed: Vec<Amount>,
}

impl GrantAudit {
    /// Looks at the next event, against the folds of everything before it.
    ///
    /// # Errors
    /// The first invariant that the event breaks.
    pub fn see(&mut self, before: &Projections, fact: Recorded<'_>) -> Result<(), GrantBreach> {
        let seen = Seen { before, fact };
        match fact.event {
            Event::GrantDecided(one) => seen.decided(one),
            Event::GrantConfirmed(one) => seen.confirmed(one),
            Event::PaymentRefunded(one) => seen.refunded(one),
            Event::GrantSettled(one) => {
                for share in &one.shares {
                    let index = share.pool.index();
                    let least = self.absorbed.len().max(index + 1);
                    self.absorbed.resize(least, Amount::ZERO);
                    self.absorbed[index] = self.absorbed[index].plus(share.absorbed);
                }
                seen.settled(one)
            }
            Event::GrantReleased(one) => seen.gone_back(one.grant, &one.returned, one.refund),
            Event::GrantExpired(one) => seen.gone_back(one.grant, &one.returned, one.refund),
            Event::GrantOverran(one) => match seen.open(one.grant) {
                Some(open) => Err(GrantBreach::NotLate(open.request.clone())),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Looks at the folds of everything that was seen.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn close(&self, after: &Projections) -> Result<(), GrantBreach> {
        let (grants, names) = (&after.grants, &after.names);
        grants.check(&after.accounts, names)?;
        for (index, pool) in grants.pools().iter().enumerate() {
            let absorbed = self.absorbed.get(index).copied().unwrap_or_default();
            if absorbed != pool.granted {
                let name = names.pools()[PoolNo::following(index).index()].clone();
                return Err(GrantBreach::Granted(name));
            }
        }
        Ok(())
    }
}

/// An event, and what came before it.
struct Seen<'a> {
    before: &'a Projections,
    fact: Recorded<'a>,
}

impl Seen<'_> {
    /// An event about a request that is not open is the fold's to refuse.
    fn open(&self, grant: GrantNo) -> Option<&OpenGrant> {
        self.before.grants.get(grant)
    }

    fn decided(&self, one: &GrantDecided) -> Result<(), GrantBreach> {
        if one.absorb.plus(one.charge) != one.est {
            return Err(GrantBreach::Borne(one.request.clone()));
        }
        let held = sum_of(&one.holds);
        let runs = held > Amount::ZERO || one.payer.is_some();
        if runs && held != one.absorb {
            return Err(GrantBreach::Uncovered(one.request.clone()));
        }
        self.within_budget((&one.request, one.identity.as_ref()), held)
    }

    fn confirmed(&self, one: &GrantConfirmed) -> Result<(), GrantBreach> {
        let Some(open) = self.open(one.grant) else {
            return Ok(());
        };
        let held = sum_of(&one.holds);
        if held != open.absorb {
            return Err(GrantBreach::Uncovered(open.request.clone()));
        }
        if one.paid != open.charge {
            return Err(GrantBreach::Paid(open.request.clone()));
        }
        self.within_budget((&open.request, open.identity.as_ref()), held)
    }

    /// The tier, and so the budget, is that of this moment.
    fn within_budget(
        &self,
        (request, identity): (&Label, Option<&Label>),
        held: Amount,
    ) -> Result<(), GrantBreach> {
        if held == Amount::ZERO {
            return Ok(());
        }
        let Some(identity) = identity else {
            return Err(GrantBreach::Uncovered(request.clone()));
        };
        let at: Micros = self.fact.recorded_at;
        let rules = &self.before.policy.grants;
        let standing = self.before.grants.standing(identity, at, rules);
        if held > standing.left() {
            return Err(GrantBreach::Budget(identity.clone(), Day::of(at)));
        }
        Ok(())
    }

    fn refunded(&self, one: &PaymentRefunded) -> Result<(), GrantBreach> {
        match self.open(one.grant) {
            Some(open) if open.refunded_at_once.plus(one.paid) != one.refunded_total => {
                Err(GrantBreach::Paid(open.request.clone()))
            }
            _ => Ok(()),
        }
    }

    fn settled(&self, one: &GrantSettled) -> Result<(), GrantBreach> {
        let Some(open) = self.open(one.grant) else {
            return Ok(());
        };
        let request = || open.request.clone();
        let sum =
            |amounts: &mut dyn Iterator<Item = Amount>| amounts.fold(Amount::ZERO, Amount::plus);
        let absorbed = sum(&mut one.shares.iter().map(|share| share.absorbed));
        let returned = sum(&mut one.shares.iter().map(|share| share.returned));
        if absorbed.plus(returned) != open.held() {
            return Err(GrantBreach::Returned(request()));
        }
        if one.charged > open.charge || one.charged.plus(one.refunded) != open.paid() {
            return Err(GrantBreach::Paid(request()));
        }
        if absorbed.plus(one.charged).plus(one.overrun) != one.actual {
            return Err(GrantBreach::Borne(request()));
        }
        Ok(())
    }

    /// Whoever holds or paid has everything back.
    fn gone_back(
        &self,
        grant: GrantNo,
        returned: &[Share],
        refund: Option<Refund>,
    ) -> Result<(), GrantBreach> {
        let Some(open) = self.open(grant) else {
            return Ok(());
        };
        if sum_of(returned) != open.held() {
            return Err(GrantBreach::Returned(open.request.clone()));
        }
        if refund.map_or(Amount::ZERO, |refund| refund.amount) != open.paid() {
            return Err(GrantBreach::Paid(open.request.clone()));
        }
        Ok(())
    }
}
