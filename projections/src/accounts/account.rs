//! The accounts: whose money they hold, what they are called, how low they may fall.

use purser_events::intake::Suspense;
use purser_events::{GrantNo, JobNo, Label, PayerNo, PoolNo, RailNo, WorkerNo};

use crate::fees::{SUSPENSE_REASONS, suspense_index, suspense_name};
use crate::names::Names;

/// Whose money an account holds. Each exists once per asset.
///
/// To add a kind: a variant here; its side and how low it may fall ([`Account::normal_side`],
/// [`Account::may_overdraw`]); its name ([`Account::name`], and back in [`Account::parse`]); its
/// place in `ledger.rs`. An account that exists once is one more entry of [`SINGLE`]; one per
/// thing that lives for ever is a dense table; one per thing that ends is a map that the ending
/// event takes it out of. Its postings stand in `postings.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What the pool's gateways owe for work, less the tickets that settled it.
    OpenPool,
    /// Face values that came in by tickets.
    Tickets,
    /// The pool's share of fees.
    Commission,
    /// Charges that no worker earned.
    Revenue,
    /// Cost that nobody else bears.
    Overrun,
    /// Face value won, less the expected value that was credited.
    Luck,
    /// What the chain took for payouts.
    Gas,
    /// What is held for payouts that are not finished.
    InFlight,
    /// What left by chain for payouts and their gas.
    Chain,
    /// Face values of winning tickets that wait to be redeemed.
    Winners,
    /// Fees that cannot be attributed yet.
    Suspense(Suspense),
    /// Payments that came in by this way, less those that went out by it.
    Rail(RailNo),
    /// A payer's funds that no job holds.
    Payer(PayerNo),
    /// What a payer owes, from jobs that closed below zero.
    Debt(PayerNo),
    /// What a job may still spend.
    Job(JobNo),
    /// What is owed to a worker.
    Worker(WorkerNo),
    /// What a pool of generosity may still grant.
    GrantsAvailable(PoolNo),
    /// What of a pool of generosity is held for work under way.
    GrantsReserved(PoolNo),
    /// What was paid for work under way that a grant was decided for.
    Escrow(GrantNo),
}

/// Which side of an account its balance normally stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Debits exceed credits.
    Debit,
    /// Credits exceed debits.
    Credit,
}

/// The accounts that exist once per asset, in the order of their places.
pub const SINGLE: [Account; 10 + SUSPENSE_REASONS.len()] = [
    Account::OpenPool,
    Account::Tickets,
    Account::Commission,
    Account::Revenue,
    Account::Overrun,
    Account::Luck,
    Account::Gas,
    Account::InFlight,
    Account::Chain,
    Account::Winners,
    Account::Suspense(SUSPENSE_REASONS[0]),
    Account::Suspense(SUSPENSE_REASONS[1]),
    Account::Suspense(SUSPENSE_REASONS[2]),
    Account::Suspense(SUSPENSE_REASONS[3]),
];

/// Where an account's turnover is kept.
pub(super) enum Place {
    Single(usize),
    Rail(RailNo),
    Payer(PayerNo),
    Debt(PayerNo),
    Job(JobNo),
    Worker(WorkerNo),
    Available(PoolNo),
    Reserved(PoolNo),
    Escrow(GrantNo),
}

impl Account {
    /// The side its balance normally stands on.
    #[must_use]
    pub const fn normal_side(self) -> Side {
        match self {
            Self::OpenPool
            | Self::Tickets
            | Self::Winners
            | Self::Rail(_)
            | Self::Chain
            | Self::Debt(_)
            | Self::Gas
            | Self::Overrun => Side::Debit,
            Self::Commission
            | Self::Revenue
            | Self::Luck
            | Self::InFlight
            | Self::Suspense(_)
            | Self::Payer(_)
            | Self::Job(_)
            | Self::Worker(_)
            | Self::GrantsAvailable(_)
            | Self::GrantsReserved(_)
            | Self::Escrow(_) => Side::Credit,
        }
    }

    /// Whether its balance may stand on the other side: the world outside may owe or be owed, luck
    /// may be bad, and a job is charged for work that was done, whether or not it was paid for.
    #[must_use]
    pub const fn may_overdraw(self) -> bool {
        matches!(
            self,
            Self::OpenPool
                | Self::Tickets
                | Self::Rail(_)
                | Self::Chain
                | Self::Luck
                | Self::Job(_)
        )
    }

    pub(super) const fn place(self) -> Place {
        match self {
            Self::OpenPool => Place::Single(0),
            Self::Tickets => Place::Single(1),
            Self::Commission => Place::Single(2),
            Self::Revenue => Place::Single(3),
            Self::Overrun => Place::Single(4),
            Self::Luck => Place::Single(5),
            Self::Gas => Place::Single(6),
            Self::InFlight => Place::Single(7),
            Self::Chain => Place::Single(8),
            Self::Winners => Place::Single(9),
            Self::Suspense(reason) => Place::Single(10 + suspense_index(reason)),
            Self::Rail(rail) => Place::Rail(rail),
            Self::Payer(payer) => Place::Payer(payer),
            Self::Debt(payer) => Place::Debt(payer),
            Self::Job(job) => Place::Job(job),
            Self::Worker(worker) => Place::Worker(worker),
            Self::GrantsAvailable(pool) => Place::Available(pool),
            Self::GrantsReserved(pool) => Place::Reserved(pool),
            Self::Escrow(grant) => Place::Escrow(grant),
        }
    }

    /// The name that people use. A job, and a grant's escrow, is named by its number, the position
    /// that began it; a name
    /// that the log does not hold is shown as `#` and its number.
    #[must_use]
    pub fn name(self, names: &Names) -> String {
        match self {
            Self::OpenPool => "external:openpool".into(),
            Self::Tickets => "external:tickets".into(),
            Self::Commission => "pool:commission".into(),
            Self::Revenue => "pool:revenue".into(),
            Self::Overrun => "operator:overrun".into(),
            Self::Luck => "luck".into(),
            Self::Winners => "external:winners".into(),
            Self::Gas => "operator:gas".into(),
            Self::InFlight => "payouts:in_flight".into(),
            Self::Chain => "external:chain".into(),
            Self::Suspense(reason) => format!("suspense:{}", suspense_name(reason)),
            Self::Rail(rail) => named("external", names.rails().get(rail.index()), rail.0),
            Self::Payer(payer) => named("payer", names.payers().get(payer.index()), payer.0),
            Self::Debt(payer) => named("debt", names.payers().get(payer.index()), payer.0),
            Self::Job(job) => format!("job:{job}"),
            Self::Worker(worker) => named("worker", names.workers().get(worker.index()), worker.0),
            Self::GrantsAvailable(PoolNo::HOUSE) => "grants:available".into(),
            Self::GrantsReserved(PoolNo::HOUSE) => "grants:reserved".into(),
            Self::GrantsAvailable(pool) => of_pool("grants:available", pool, names),
            Self::GrantsReserved(pool) => of_pool("grants:reserved", pool, names),
            Self::Escrow(grant) => format!("escrow:{grant}"),
        }
    }
}

impl Account {
    /// The account that goes by a name: what [`Account::name`] makes.
    #[must_use]
    pub fn parse(text: &str, names: &Names) -> Option<Self> {
        let single = SINGLE.into_iter().find(|one| one.name(names) == text);
        if single.is_some() {
            return single;
        }
        let (kind, rest) = text.split_once(':')?;
        let label = || Label::new(rest).ok();
        match kind {
            "external" => names.rail(&label()?).map(Self::Rail),
            "payer" => names.payer(&label()?).map(Self::Payer),
            "debt" => names.payer(&label()?).map(Self::Debt),
            "job" => rest.parse().ok().map(|job| Self::Job(JobNo(job))),
            "worker" => names.worker(rest).map(Self::Worker),
            "escrow" => rest.parse().ok().map(|grant| Self::Escrow(GrantNo(grant))),
            "grants" => of_grants(rest, names),
            _ => None,
        }
    }
}

/// The account of a pool by what stands behind `grants:`; the house's own has the plain name.
fn of_grants(rest: &str, names: &Names) -> Option<Account> {
    let (kind, pool) = match rest.split_once(':') {
        Some((kind, name)) => (kind, names.pool(&Label::new(name).ok()?)?),
        None => (rest, PoolNo::HOUSE),
    };
    match kind {
        "available" => Some(Account::GrantsAvailable(pool)),
        "reserved" => Some(Account::GrantsReserved(pool)),
        _ => None,
    }
}

/// The house's own pool has the plain name.
fn of_pool(kind: &str, pool: PoolNo, names: &Names) -> String {
    named(kind, names.pools().get(pool.index()), pool.0)
}

fn named(kind: &str, name: Option<&impl std::fmt::Display>, number: u32) -> String {
    name.map_or_else(
        || format!("{kind}:#{number}"),
        |name| format!("{kind}:{name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_single_account_has_the_place_that_it_is_listed_at() {
        for (at, account) in SINGLE.into_iter().enumerate() {
            assert!(matches!(account.place(), Place::Single(place) if place == at));
        }
    }
}
