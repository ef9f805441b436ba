//! Who is due, how much, and why others are not: from the folds alone.

use std::collections::{BTreeMap, BTreeSet};

use purser_events::payout::{Draw, Rail};
use purser_events::{Address, Amount, AssetNo, Micros, WorkerNo};
use purser_projections::Projections;
use purser_projections::accounts::Account;
use purser_projections::payouts::{OpenPayout, PayoutState};

/// What a run would request, and what it would leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who is due, in the order in which they are paid.
    pub due: Vec<Due>,
    /// Who is owed something and is not due.
    pub skipped: Vec<Skipped>,
    /// The sum of what is due.
    pub total: Amount,
    /// The sum of what is requested or signed, and has not left the signer's account yet.
    pub outstanding: Amount,
    /// The sum of what is owed to all workers and not held for a payout, due or not.
    pub owed: Amount,
}

/// A payee that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Where it is paid.
    pub address: Address,
    /// How much.
    pub amount: Amount,
    /// Whose accounts pay for it.
    pub draws: Vec<Draw>,
}

/// A payee that is owed something and is not due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The worker, or the first of several that are paid at one address.
    pub worker: WorkerNo,
    /// Where it would be paid.
    pub address: Option<Address>,
    /// What it is owed.
    pub amount: Amount,
    /// Why it is not due.
    pub why: Skip,
}

/// Why a payee is not due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It never said where it is paid.
    NoAddress,
    /// Its address is nobody's, or the signer's own.
    OddAddress,
    /// A payout to it is not finished.
    Unfinished,
    /// What it is owed is below the threshold.
    BelowThreshold,
    /// Its last payout is too recent.
    TooSoon,
    /// The most that one run may request would be passed.
    RunMax,
    /// The most that one day may request would be passed.
    DayMax,
}

impl Skip {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::OddAddress => "odd_address",
            Self::Unfinished => "unfinished",
            Self::BelowThreshold => "below_threshold",
            Self::TooSoon => "too_soon",
            Self::RunMax => "run_max",
            Self::DayMax => "day_max",
        }
    }
}

/// Everybody who is paid at one address. What one of them owes to the pool is not taken from the
/// others: anybody may register with anybody's address.
#[derive(Default)]
struct Payee {
    owed: Vec<Draw>,
    last: Micros,
    busy: bool,
}

impl Payee {
    fn payable(&self) -> Amount {
        let owed = self.owed.iter().map(|draw| draw.amount);
        owed.fold(Amount::ZERO, Amount::plus)
    }
}

/// Who is due on chain at `at`. Whoever waits longest comes first.
#[must_use]
pub fn plan(folds: &Projections, at: Micros) -> Plan {
    let mut plan = Plan {
        outstanding: outstanding(folds),
        ..Plan::default()
    };
    let mut payees: Vec<_> = payees(folds, &mut plan).into_iter().collect();
    payees.sort_by_key(|(address, payee)| (payee.last, *address));
    let mut left = Room::of(folds, at);
    for (address, payee) in payees {
        let amount = payee.payable();
        let Some(first) = payee.owed.first() else {
            continue;
        };
        plan.owed = plan.owed.plus(amount);
        let verdict = judge(folds, (address, &payee), at).and_then(|()| left.take(amount));
        match verdict {
            Ok(()) => {
                plan.total = plan.total.plus(amount);
                plan.due.push(Due {
                    address,
                    amount,
                    draws: payee.owed,
                });
            }
            Err(why) => plan.skipped.push(Skipped {
                worker: first.worker,
                address: Some(address),
                amount,
                why,
            }),
        }
    }
    plan
}

/// Whether a payee is due, whatever the limits of runs and days say.
fn judge(folds: &Projections, (address, payee): (Address, &Payee), at: Micros) -> Result<(), Skip> {
    let policy = &folds.policy;
    let own = folds.payouts.signer().map(|signer| signer.address);
    let soon = u64::from(policy.payout_interval_ms) * 1_000;
    let amount = payee.payable();
    if address.0 == [0; 20] || own == Some(address) {
        Err(Skip::OddAddress)
    } else if payee.busy {
        Err(Skip::Unfinished)
    } else if amount == Amount::ZERO || amount < policy.payout_threshold.into() {
        Err(Skip::BelowThreshold)
    } else if payee.last > Micros(0) && at.0 < payee.last.0.saturating_add(soon) {
        Err(Skip::TooSoon)
    } else {
        Ok(())
    }
}

/// What may still be requested.
struct Room {
    run: Amount,
    day: Amount,
}

impl Room {
    fn of(folds: &Projections, at: Micros) -> Self {
        let before = folds.payouts.requested_on_day(at);
        let day = Amount::from(folds.policy.payout_day_max);
        Self {
            run: folds.policy.payout_run_max.into(),
            day: Amount(day.0.saturating_sub(before.0)),
        }
    }

    fn take(&mut self, amount: Amount) -> Result<(), Skip> {
        if amount > self.run {
            return Err(Skip::RunMax);
        }
        if amount > self.day {
            return Err(Skip::DayMax);
        }
        self.run = self.run.minus(amount);
        self.day = self.day.minus(amount);
        Ok(())
    }
}

/// Everybody with an address, and what they are owed; who has none is noted as skipped.
fn payees(folds: &Projections, plan: &mut Plan) -> BTreeMap<Address, Payee> {
    let asset = AssetNo::ETH;
    let (busy_workers, busy_addresses) = unfinished(folds);
    let mut payees: BTreeMap<Address, Payee> = BTreeMap::new();
    for index in 0..folds.names.workers().len() {
        let worker = WorkerNo::following(index);
        let balance = folds.accounts.balance(asset, Account::Worker(worker));
        let row = folds.payouts.row(asset, worker);
        if balance.amount == Amount::ZERO && row.requested_at == Micros(0) {
            continue;
        }
        let owed = balance.above_zero();
        let Some(address) = folds.payout_address(worker) else {
            if owed > Amount::ZERO {
                plan.owed = plan.owed.plus(owed);
                plan.skipped.push(Skipped {
                    worker,
                    address: None,
                    amount: owed,
                    why: Skip::NoAddress,
                });
            }
            continue;
        };
        let payee = payees.entry(address).or_default();
        payee.last = payee.last.max(row.requested_at);
        payee.busy |= busy_workers.contains(&worker) || busy_addresses.contains(&address);
        if owed > Amount::ZERO {
            let amount = owed;
            payee.owed.push(Draw { worker, amount });
        }
    }
    payees
}

/// Whose payouts on chain are not finished.
fn unfinished(folds: &Projections) -> (BTreeSet<WorkerNo>, BTreeSet<Address>) {
    let open = || on_chain(folds);
    let draws = open().flat_map(|payout| &payout.draws);
    let workers = draws.map(|draw| draw.worker).collect();
    let addresses = open().filter_map(|payout| payout.address).collect();
    (workers, addresses)
}

fn on_chain(folds: &Projections) -> impl Iterator<Item = &OpenPayout> {
    let open = folds.payouts.all_open().map(|(_, payout)| payout);
    open.filter(|payout| payout.rail == Rail::Chain)
}

/// What is requested and has not left the signer's account yet.
fn outstanding(folds: &Projections) -> Amount {
    let waiting = on_chain(folds).filter(|payout| {
        matches!(
            payout.state,
            PayoutState::Requested | PayoutState::Signed | PayoutState::Sent
        )
    });
    waiting.fold(Amount::ZERO, |sum, payout| sum.plus(payout.amount))
}
