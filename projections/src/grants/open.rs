//! A request that is not closed yet.

use purser_events::grant::{
    GateReason, GrantConfirmed, GrantDecided, Party, PayMode, Refund, Serve, Share, Tier,
};
use purser_events::{Amount, AssetNo, GrantNo, JobNo, Label, Micros};
use serde::{Deserialize, Serialize};

use super::identity::Day;

/// A request that is not closed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGrant {
    /// Its number.
    pub number: GrantNo,
    /// Its id.
    pub request: Label,
    /// Whose request it is.
    pub identity: Option<Label>,
    /// The identity's tier when it was decided.
    pub tier: Option<Tier>,
    /// What the work is believed to cost.
    pub est: Amount,
    /// How the rest is paid.
    pub mode: PayMode,
    /// How it is served.
    pub serve: Serve,
    /// What the pools pay of the estimate.
    pub absorb: Amount,
    /// What is left to be paid.
    pub charge: Amount,
    /// Why the pools pay for nothing.
    pub reason: Option<GateReason>,
    /// What the amounts are in.
    pub asset: AssetNo,
    /// When it was decided.
    pub decided_at: Micros,
    /// Until when it may wait for a payment, or run.
    pub valid_until: Micros,
    /// What runs, if it runs.
    pub running: Option<Running>,
    /// Payments that were refunded at once.
    pub refunded_at_once: Amount,
    /// The job that was opened on it.
    pub job: Option<JobNo>,
}

/// What is held and paid for work under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The day on which the hold counts.
    pub day: Day,
    /// What is held, pool by pool.
    pub holds: Vec<Share>,
    /// What was paid, and where it goes back to.
    pub paid: Option<Refund>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GrantState {
    /// A partial grant waits for the rest to be paid.
    Quoted,
    /// The full price waits to be paid.
    Awaiting,
    /// It runs on a hold.
    Reserved,
    /// It runs at full price.
    FullPrice,
    /// It was done and paid for.
    Settled,
    /// It failed or was called off; everybody has everything back.
    Released,
    /// It did not end in time; everybody has everything back.
    Expired,
    /// It was never begun.
    Voided,
}

impl GrantState {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::Awaiting => "awaiting",
            Self::Reserved => "reserved",
            Self::FullPrice => "full_price",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Voided => "voided",
        }
    }
}

/// The sum of all shares.
#[must_use]
pub fn sum_of(shares: &[Share]) -> Amount {
    let amounts = shares.iter().map(|share| share.amount);
    amounts.fold(Amount::ZERO, Amount::plus)
}

impl OpenGrant {
    pub(super) fn new(number: GrantNo, decided: &GrantDecided, at: Micros) -> Self {
        let is_paid = decided.payer.filter(|_| decided.charge > Amount::ZERO);
        let paid = is_paid.map(|payer| Refund {
            to: Party::Payer(payer),
            amount: decided.charge,
        });
        let runs = !decided.holds.is_empty() || paid.is_some();
        let running = runs.then(|| Running {
            day: Day::of(at),
            holds: decided.holds.clone(),
            paid,
        });
        Self {
            number,
            request: decided.request.clone(),
            identity: decided.identity.clone(),
            tier: decided.tier,
            est: decided.est,
            mode: decided.mode,
            serve: decided.serve,
            absorb: decided.absorb,
            charge: decided.charge,
            reason: decided.reason,
            asset: decided.asset,
            decided_at: at,
            valid_until: until(at, decided.valid_ms),
            running,
            refunded_at_once: Amount::ZERO,
            job: None,
        }
    }

    pub(super) fn confirm(&mut self, confirmed: &GrantConfirmed, at: Micros) {
        assert!(self.running.is_none(), "a request is paid once");
        self.valid_until = until(at, confirmed.valid_ms);
        self.running = Some(Running {
            day: Day::of(at),
            holds: confirmed.holds.clone(),
            paid: Some(Refund {
                to: Party::Rail(confirmed.rail),
                amount: confirmed.paid,
            }),
        });
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> GrantState {
        match (&self.running, self.serve) {
            (None, Serve::Gate) => GrantState::Awaiting,
            (None, _) => GrantState::Quoted,
            (Some(_), Serve::Gate) => GrantState::FullPrice,
            (Some(_), _) => GrantState::Reserved,
        }
    }

    /// What is held of the pools.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.running
            .as_ref()
            .map_or(Amount::ZERO, |running| sum_of(&running.holds))
    }

    /// What was paid and is in escrow.
    #[must_use]
    pub fn paid(&self) -> Amount {
        let paid = self.running.as_ref().and_then(|running| running.paid);
        paid.map_or(Amount::ZERO, |paid| paid.amount)
    }

    /// Whether its time has run out. A job that was opened on it has a time of its own.
    #[must_use]
    pub fn is_due(&self, now: Micros) -> bool {
        self.job.is_none() && now > self.valid_until
    }
}

const fn until(at: Micros, valid_ms: u32) -> Micros {
    Micros(at.0.saturating_add(valid_ms as u64 * 1_000))
}
