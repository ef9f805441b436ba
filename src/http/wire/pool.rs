//! What reads about pools and identities answer. Amounts are texts of digits in base units.

use purser_commands::grants::offer::Offer;
use purser_events::grant::Tier;
use purser_events::{Amount, Micros, PoolNo};
use purser_projections::Projections;
use purser_projections::accounts::Account;
use purser_projections::grants::{Day, Identity, Standing};
use serde::Serialize;
use utoipa::ToSchema;

use crate::metrics::PoolGauges;

/// Days that the solvency line looks back.
const SOLVENCY_DAYS: u32 = 7;

/// The pools of generosity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolAnswer {
    /// What the amounts are in; null while there is no pool.
    asset: Option<String>,
    /// What may still be granted.
    available: String,
    /// What is held for work under way.
    reserved: String,
    /// What was paid for work.
    granted: String,
    /// What came in out of charges.
    credited: String,
    /// What the pools began with.
    seeded: String,
    /// What sponsors added.
    topped_up: String,
    /// Each pool, in the order in which they are asked.
    pools: Vec<OnePool>,
    /// What each tier may be granted per UTC day.
    budgets: Budgets,
    /// The part of each net charge that the first pool is credited with, in hundredths of a
    /// percent.
    credit_bps: u16,
    /// Requests that are open.
    open_requests: u64,
    /// Requests that were ever decided.
    decided_requests: u64,
    /// Whether what comes in keeps up with what goes out.
    solvency: Solvency,
    /// The last position that is folded in.
    position: u64,
}

/// One pool.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnePool {
    /// What it is known by. The first pool of all is the house's own: credits go there.
    pool: String,
    /// What it may still grant.
    available: String,
    /// What of it is held for work under way.
    reserved: String,
    /// What it paid for work.
    granted: String,
    /// What it was credited with.
    credited: String,
    /// What it began with.
    seeded: String,
    /// What sponsors added.
    topped_up: String,
}

/// What each tier may be granted per UTC day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Budgets {
    /// Nobody that is known: always nothing.
    anonymous: String,
    new: String,
    established: String,
    trusted: String,
    elite: String,
}

/// Whether what comes in keeps up with what goes out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Solvency {
    /// The days looked at, with today.
    days: u32,
    /// What was granted per day, rounded up.
    granted_per_day: String,
    /// What was credited per day, rounded down.
    credited_per_day: String,
    /// What sponsors added per day, rounded down. It is not counted on.
    topped_up_per_day: String,
    /// Whether credits cover what is granted.
    solvent: bool,
    /// In how many days what is available is used up if all goes on so; null when credits cover
    /// what is granted.
    days_left: Option<String>,
}

impl PoolAnswer {
    /// The pools as they stand.
    pub(crate) fn of(folds: &Projections, now: Micros) -> Self {
        let grants = &folds.grants;
        let order = grants.order().iter();
        let pools: Vec<OnePool> = order.map(|pool| OnePool::of(folds, *pool)).collect();
        let sum = |of: fn(&purser_projections::grants::Pool) -> Amount| {
            let all = grants.pools().iter().map(of);
            all.fold(Amount::ZERO, Amount::plus).to_string()
        };
        let totals = grants.totals();
        Self {
            asset: grants.asset().map(|asset| folds.names.asset_code(asset)),
            available: grants.available(&folds.accounts).to_string(),
            reserved: reserved(folds).to_string(),
            granted: sum(|pool| pool.granted),
            credited: sum(|pool| pool.credited),
            seeded: sum(|pool| pool.seeded),
            topped_up: sum(|pool| pool.topped_up),
            pools,
            budgets: Budgets::of(folds),
            credit_bps: folds.policy.grants.credit_share.get(),
            open_requests: grants.open_len() as u64,
            decided_requests: totals.decided,
            solvency: Solvency::of(folds, now),
            position: folds.position.0,
        }
    }
}

/// What of all pools is held.
fn reserved(folds: &Projections) -> Amount {
    let order = folds.grants.order().iter();
    let each = order.map(|pool| balance(folds, Account::GrantsReserved(*pool)));
    each.fold(Amount::ZERO, Amount::plus)
}

fn balance(folds: &Projections, account: Account) -> Amount {
    let asset = folds.grants.asset().unwrap_or_default();
    folds.accounts.balance(asset, account).above_zero()
}

/// What stands on each pool, in the order in which they are asked.
pub(crate) fn pool_gauges(folds: &Projections) -> Vec<PoolGauges> {
    let order = folds.grants.order().iter();
    order.map(|pool| gauges_of(folds, *pool)).collect()
}

fn gauges_of(folds: &Projections, number: PoolNo) -> PoolGauges {
    PoolGauges {
        pool: folds.names.pools()[number.index()].to_string(),
        available: balance(folds, Account::GrantsAvailable(number)),
        reserved: balance(folds, Account::GrantsReserved(number)),
        granted: folds.grants.pools()[number.index()].granted,
    }
}

impl OnePool {
    fn of(folds: &Projections, number: PoolNo) -> Self {
        let pool = folds.grants.pools()[number.index()];
        let stands = gauges_of(folds, number);
        Self {
            pool: stands.pool,
            available: stands.available.to_string(),
            reserved: stands.reserved.to_string(),
            granted: stands.granted.to_string(),
            credited: pool.credited.to_string(),
            seeded: pool.seeded.to_string(),
            topped_up: pool.topped_up.to_string(),
        }
    }
}

impl Budgets {
    fn of(folds: &Projections) -> Self {
        let budget = |tier| folds.policy.grants.tier(tier).budget.to_string();
        Self {
            anonymous: Amount::ZERO.to_string(),
            new: budget(Tier::New),
            established: budget(Tier::Established),
            trusted: budget(Tier::Trusted),
            elite: budget(Tier::Elite),
        }
    }
}

impl Solvency {
    fn of(folds: &Projections, now: Micros) -> Self {
        let flow = folds.grants.flows().within(SOLVENCY_DAYS, Day::of(now));
        let days = u128::from(flow.days);
        let left = flow.days_left(folds.grants.available(&folds.accounts));
        Self {
            days: flow.days,
            granted_per_day: flow.sums.granted.0.div_ceil(days).to_string(),
            credited_per_day: (flow.sums.credited.0 / days).to_string(),
            topped_up_per_day: (flow.sums.topped_up.0 / days).to_string(),
            solvent: left.is_none(),
            days_left: left.map(|days| days.to_string()),
        }
    }
}

/// What a request would be offered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EstimateAnswer {
    /// `free`, `partial` or `gate`.
    serve: &'static str,
    /// What the pools would pay of the estimate.
    absorb: String,
    /// What would be left to be paid.
    charge: String,
    /// Why the pools would pay for nothing.
    reason: Option<&'static str>,
    /// What the amounts are in.
    asset: String,
    /// What all pools may still grant.
    pool_available: String,
    /// How the identity stands; null for nobody that is known.
    budget: Option<StandingAnswer>,
    /// The last position that is folded in.
    position: u64,
}

/// How an identity stands today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingAnswer {
    /// Its tier.
    tier: &'static str,
    /// Its score, after what wore off.
    score: u32,
    /// What it paid, net, within 30 days.
    paid: String,
    /// What it may be granted today.
    budget: String,
    /// What pools paid for it today.
    absorbed: String,
    /// What is held for it today.
    held: String,
    /// What it may still be granted today.
    left: String,
}

impl StandingAnswer {
    fn of(standing: &Standing) -> Self {
        Self {
            tier: standing.tier.as_str(),
            score: standing.score,
            paid: standing.paid.to_string(),
            budget: standing.budget.to_string(),
            absorbed: standing.used.absorbed.to_string(),
            held: standing.used.held.to_string(),
            left: standing.left().to_string(),
        }
    }
}

impl EstimateAnswer {
    /// The offer, and what it rests on.
    pub(crate) fn of(folds: &Projections, offered: &Offer) -> Self {
        let asset = folds.grants.asset().unwrap_or_default();
        Self {
            serve: offered.serve.as_str(),
            absorb: offered.absorb.to_string(),
            charge: offered.charge.to_string(),
            reason: offered.reason.map(|reason| reason.as_str()),
            asset: folds.names.asset_code(asset),
            pool_available: folds.grants.available(&folds.accounts).to_string(),
            budget: offered.standing.as_ref().map(StandingAnswer::of),
            position: folds.position.0,
        }
    }
}

/// An identity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentityAnswer {
    /// The identity.
    identity: String,
    /// The tier that an operator set; null where it is earned.
    set_tier: Option<&'static str>,
    /// How it stands today.
    #[serde(flatten)]
    standing: StandingAnswer,
    /// The last position that is folded in.
    position: u64,
}

impl IdentityAnswer {
    /// An identity as it stands; one of which nothing is known stands as anybody new.
    pub(crate) fn of(folds: &Projections, identity: &purser_events::Label, now: Micros) -> Self {
        let nothing = Identity::default();
        let known = folds.grants.identity(identity).unwrap_or(&nothing);
        let standing = known.standing(Day::of(now), &folds.policy.grants);
        Self {
            identity: identity.to_string(),
            set_tier: known.set.map(|tier| tier.as_str()),
            standing: StandingAnswer::of(&standing),
            position: folds.position.0,
        }
    }
}
