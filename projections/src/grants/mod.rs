//! Grants: pools of generosity, the identities that are granted from them, the requests that are
//! not closed yet. Closed requests, and identities of which nothing is left to know, leave memory:
//! what is known of them is in the index of ids and in the log.

mod audit;
mod check;
mod identity;
mod open;
mod pool;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use purser_events::grant::{
    GrantSettled, PaymentRefunded, PoolOpened, PoolToppedUp, SettledShare, Share, TierSet,
};
use purser_events::{Amount, AssetNo, Event, GrantNo, JobNo, Label, Micros, PoolNo, Recorded};
use serde::{Deserialize, Serialize};

use crate::accounts::{Account, Accounts};

pub use audit::GrantAudit;
pub use check::GrantBreach;
pub use identity::{Day, DayUse, Identity, SCORE_MAX, Standing, WINDOW_DAYS};
pub use open::{GrantState, OpenGrant, Running, sum_of};
pub use pool::{DayFlow, Flow, Flows, Pool};
pub use rules::{GrantRules, TierRule};

/// The pools, the live identities and the open requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Grants {
    kept: Kept,
    #[serde(skip)]
    by_request: HashMap<Label, GrantNo>,
    #[serde(skip)]
    due: BTreeSet<(Micros, GrantNo)>,
    #[serde(skip)]
    by_job: HashMap<JobNo, GrantNo>,
}

/// What cannot be had from the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    pools: Vec<Pool>,
    order: Vec<PoolNo>,
    open: BTreeMap<GrantNo, Box<OpenGrant>>,
    identities: BTreeMap<Label, Identity>,
    flows: Flows,
    today: Day,
    totals: Totals,
}

/// Sums over all requests of all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many were decided.
    pub decided: u64,
    /// How many were served for free.
    pub free: u64,
    /// What was charged, net of refunds at the settlement.
    pub charged: Amount,
    /// What operators bore.
    pub overrun: Amount,
    /// What was paid back after settlements.
    pub paid_back: Amount,
}

impl PartialEq for Grants {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept
    }
}

impl Eq for Grants {}

impl From<Kept> for Grants {
    fn from(kept: Kept) -> Self {
        let mut grants = Self::default();
        for grant in kept.open.values() {
            grants
                .by_request
                .insert(grant.request.clone(), grant.number);
            grants.set_due(grant);
            grants
                .by_job
                .extend(grant.job.map(|job| (job, grant.number)));
        }
        grants.kept = kept;
        grants
    }
}

impl Grants {
    /// Folds one event in, after the accounts.
    ///
    /// # Panics
    /// When the event is about a request that is not where the event says: history that `decide`
    /// could not have written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>, accounts: &Accounts) {
        let today = Day::of(fact.recorded_at);
        match fact.event {
            Event::PoolOpened(one) => self.pool_opened(one, today),
            Event::PoolsOrdered(one) => self.kept.order.clone_from(&one.order),
            Event::PoolToppedUp(one) => self.topped_up(one, today),
            Event::TierSet(one) => self.tier_set(one),
            Event::GrantDecided(_) => self.decided(fact, today),
            Event::GrantConfirmed(one) => {
                let mut grant = self.take(one.grant);
                grant.confirm(one, fact.recorded_at);
                self.hold(&grant, today);
                self.keep(grant);
            }
            Event::PaymentRefunded(one) => self.refunded_at_once(one),
            Event::GrantSettled(one) => self.settled(one, today),
            Event::GrantReleased(one) => {
                let grant = self.ended(one.grant, Amount::ZERO);
                if one.fault {
                    self.judged(&grant, |identity| identity.fail(today));
                }
            }
            Event::GrantExpired(one) => drop(self.ended(one.grant, Amount::ZERO)),
            Event::GrantVoided(one) => self.voided(one.grant),
            Event::GrantOverran(one) => self.overran(one.actual),
            Event::ChargeRefunded(one) => {
                let totals = &mut self.kept.totals;
                totals.paid_back = totals.paid_back.plus(one.amount);
            }
            Event::GrantJoined(one) => {
                let mut grant = self.take(one.grant);
                assert!(grant.running.is_some(), "a job is opened on running work");
                grant.job = Some(one.job);
                self.keep(grant);
            }
            _ => return,
        }
        if let Some(said) = available_of(fact.event) {
            let found = self.available(accounts);
            assert_eq!(found, said, "pools have what the event says");
        }
        if today > self.kept.today {
            self.wear(today);
        }
    }

    fn pool_opened(&mut self, opened: &PoolOpened, today: Day) {
        let number = PoolNo::following(self.kept.pools.len());
        assert_eq!(number, opened.pool, "pools are numbered densely");
        self.kept.flows.begin(today);
        self.kept.order.push(number);
        self.kept.pools.push(Pool {
            asset: opened.asset,
            seeded: opened.seed,
            topped_up: Amount::ZERO,
            credited: Amount::ZERO,
            granted: Amount::ZERO,
        });
    }

    fn topped_up(&mut self, one: &PoolToppedUp, today: Day) {
        let pool = &mut self.kept.pools[one.pool.index()];
        pool.topped_up = pool.topped_up.plus(one.amount);
        let flow = self.kept.flows.at(today);
        flow.topped_up = flow.topped_up.plus(one.amount);
    }

    fn tier_set(&mut self, one: &TierSet) {
        let identities = &mut self.kept.identities;
        match one.tier {
            Some(_) => identities.entry(one.identity.clone()).or_default().set = one.tier,
            None => {
                if let Some(identity) = identities.get_mut(&one.identity) {
                    identity.set = None;
                }
            }
        }
    }

    fn decided(&mut self, fact: Recorded<'_>, today: Day) {
        let Event::GrantDecided(decided) = fact.event else {
            return;
        };
        let number = GrantNo::from(fact.position);
        assert_eq!(number, decided.grant, "a grant is numbered by its position");
        let grant = OpenGrant::new(number, decided, fact.recorded_at);
        self.hold(&grant, today);
        let totals = &mut self.kept.totals;
        totals.decided += 1;
        totals.free += u64::from(decided.charge == Amount::ZERO);
        let before = self.by_request.insert(grant.request.clone(), number);
        assert!(before.is_none(), "a request is decided once");
        self.keep(Box::new(grant));
    }

    /// Counts what a request holds on the identity's day.
    fn hold(&mut self, grant: &OpenGrant, today: Day) {
        let held = grant.held();
        if held > Amount::ZERO {
            let identity = grant.identity.clone();
            let identity = identity.expect("pools pay for somebody who is known");
            let identity = self.kept.identities.entry(identity).or_default();
            identity.hold(today, held);
        }
    }

    fn keep(&mut self, grant: Box<OpenGrant>) {
        self.set_due(&grant);
        self.by_job.extend(grant.job.map(|job| (job, grant.number)));
        self.kept.open.insert(grant.number, grant);
    }

    fn set_due(&mut self, grant: &OpenGrant) {
        if grant.job.is_none() {
            self.due.insert((grant.valid_until, grant.number));
        }
    }

    /// Takes an open request out, to be changed or closed.
    fn take(&mut self, number: GrantNo) -> Box<OpenGrant> {
        let grant = self.kept.open.remove(&number);
        let grant = grant.expect("only an open request moves");
        self.due.remove(&(grant.valid_until, number));
        if let Some(job) = grant.job {
            self.by_job.remove(&job);
        }
        grant
    }

    fn close(&mut self, number: GrantNo) -> Box<OpenGrant> {
        let grant = self.take(number);
        self.by_request.remove(&grant.request);
        grant
    }

    fn refunded_at_once(&mut self, one: &PaymentRefunded) {
        if one.reason.voids().is_some() {
            self.voided(one.grant);
        } else if let Some(grant) = self.kept.open.get_mut(&one.grant) {
            grant.refunded_at_once = one.refunded_total;
        }
    }

    fn voided(&mut self, number: GrantNo) {
        let grant = self.close(number);
        assert!(grant.running.is_none(), "work under way is not void");
    }

    /// Work under way ended, and of its hold so much was absorbed.
    fn ended(&mut self, number: GrantNo, absorbed: Amount) -> Box<OpenGrant> {
        let grant = self.close(number);
        let running = grant.running.as_ref().expect("only work under way ends");
        let held = sum_of(&running.holds);
        if held > Amount::ZERO {
            let identity = grant.identity.as_ref();
            let identity = identity.and_then(|one| self.kept.identities.get_mut(one));
            let identity = identity.expect("whoever holds is remembered");
            identity.free(running.day, held, absorbed);
        }
        grant
    }

    fn settled(&mut self, one: &GrantSettled, today: Day) {
        let mut absorbed = Amount::ZERO;
        let flow = self.kept.flows.at(today);
        for share in &one.shares {
            let pool = &mut self.kept.pools[share.pool.index()];
            pool.granted = pool.granted.plus(share.absorbed);
            absorbed = absorbed.plus(share.absorbed);
        }
        flow.granted = flow.granted.plus(absorbed);
        flow.credited = flow.credited.plus(one.credit);
        if one.credit > Amount::ZERO {
            let house = &mut self.kept.pools[PoolNo::HOUSE.index()];
            house.credited = house.credited.plus(one.credit);
        }
        let grant = self.ended(one.grant, absorbed);
        assert_returned(&grant, &one.shares);
        self.judged(&grant, |identity| identity.succeed(today, one.charged));
        let totals = &mut self.kept.totals;
        totals.charged = totals.charged.plus(one.charged);
        totals.overrun = totals.overrun.plus(one.overrun);
    }

    fn overran(&mut self, actual: Amount) {
        let totals = &mut self.kept.totals;
        totals.overrun = totals.overrun.plus(actual);
    }

    fn judged(&mut self, grant: &OpenGrant, judge: impl FnOnce(&mut Identity)) {
        if let Some(identity) = &grant.identity {
            judge(self.kept.identities.entry(identity.clone()).or_default());
        }
    }

    /// A new day: what no longer counts is forgotten.
    fn wear(&mut self, today: Day) {
        self.kept.today = today;
        self.kept.flows.wear(today);
        let identities = &mut self.kept.identities;
        identities.retain(|_, identity| identity.wear(today));
    }

    /// Every pool, by number.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.kept.pools
    }

    /// The pools in the order in which they are asked.
    #[must_use]
    pub fn order(&self) -> &[PoolNo] {
        &self.kept.order
    }

    /// What all pools together may still grant.
    #[must_use]
    pub fn available(&self, accounts: &Accounts) -> Amount {
        let pools = self.kept.pools.iter().enumerate();
        let each = pools.map(|(index, pool)| {
            let account = Account::GrantsAvailable(PoolNo::following(index));
            accounts.balance(pool.asset, account).above_zero()
        });
        each.fold(Amount::ZERO, Amount::plus)
    }

    /// What the pools' amounts are in; `None` while there is no pool.
    #[must_use]
    pub fn asset(&self) -> Option<AssetNo> {
        self.kept.pools.first().map(|pool| pool.asset)
    }

    /// What went through the pools.
    #[must_use]
    pub const fn flows(&self) -> &Flows {
        &self.kept.flows
    }

    /// Sums over all requests of all times.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.kept.totals
    }

    /// An open request.
    #[must_use]
    pub fn get(&self, grant: GrantNo) -> Option<&OpenGrant> {
        self.kept.open.get(&grant).map(|grant| &**grant)
    }

    /// The open request of this id.
    #[must_use]
    pub fn named(&self, request: &Label) -> Option<&OpenGrant> {
        self.get(*self.by_request.get(request)?)
    }

    /// The open request that a job was opened on.
    #[must_use]
    pub fn of_job(&self, job: JobNo) -> Option<&OpenGrant> {
        self.get(*self.by_job.get(&job)?)
    }

    /// Every open request, the oldest first.
    pub fn open(&self) -> impl Iterator<Item = &OpenGrant> {
        self.kept.open.values().map(|grant| &**grant)
    }

    /// The open requests from one of these numbers on, the oldest first.
    pub fn open_from(&self, from: GrantNo) -> impl Iterator<Item = &OpenGrant> {
        let rest = self.kept.open.range(from..);
        rest.map(|(_, grant)| &**grant)
    }

    /// How many requests are open.
    #[must_use]
    pub fn open_len(&self) -> usize {
        self.kept.open.len()
    }

    /// The requests whose time has run out, the one that waits longest first.
    pub fn due(&self, now: Micros) -> impl Iterator<Item = GrantNo> {
        let due = self.due.iter();
        due.take_while(move |(until, _)| now > *until)
            .map(|(_, number)| *number)
    }

    /// What is known of an identity; `None` for one of which nothing is.
    #[must_use]
    pub fn identity(&self, identity: &Label) -> Option<&Identity> {
        self.kept.identities.get(identity)
    }

    /// Every identity of which something is known, by name.
    pub fn identities(&self) -> impl Iterator<Item = (&Label, &Identity)> {
        self.kept.identities.iter()
    }

    /// How an identity stands at a moment.
    #[must_use]
    pub fn standing(&self, identity: &Label, at: Micros, rules: &GrantRules) -> Standing {
        let day = Day::of(at);
        match self.identity(identity) {
            Some(known) => known.standing(day, rules),
            None => Identity::default().standing(day, rules),
        }
    }
}

/// What an event says that all pools together have after it.
fn available_of(event: &Event) -> Option<Amount> {
    Some(match event {
        Event::GrantDecided(one) => one.available,
        Event::GrantConfirmed(one) => one.available,
        Event::GrantSettled(one) => one.available,
        Event::GrantReleased(one) => one.available,
        Event::GrantExpired(one) => one.available,
        _ => return None,
    })
}

/// Every unit that was held was absorbed or returned.
fn assert_returned(grant: &OpenGrant, shares: &[SettledShare]) {
    let whole = |share: &SettledShare| Share {
        pool: share.pool,
        amount: share.absorbed.plus(share.returned),
    };
    let running = grant.running.as_ref();
    let holds = running.map_or(&[] as &[Share], |running| &running.holds);
    assert!(
        shares.iter().map(whole).eq(holds.iter().copied()),
        "what was held is absorbed or returned"
    );
}
