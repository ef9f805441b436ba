//! The rules in force.

use purser_events::intake::Split;
use purser_events::matching::Weights;
use purser_events::policy::PolicyChange;
use purser_events::{Amount, BasisPoints, Event, Position, Recorded, Wei};
use serde::{Deserialize, Serialize};

use crate::grants::GrantRules;

/// The rules in force, each the latest that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The event that last changed a rule.
    pub changed_at: Position,
    /// The pool's share of each fee, and the event that set it.
    pub commission: Split,
    /// A worker is due when its unpaid total reaches this amount.
    pub payout_threshold: Wei,
    /// How long a granted lease lasts, in milliseconds.
    pub lease_ttl_ms: u32,
    /// How long a worker may be silent before it lapses, in milliseconds.
    pub heartbeat_grace_ms: u32,
    /// How soon a worker is asked to beat again, in milliseconds.
    pub heartbeat_interval_ms: u32,
    /// How long after its last payout a worker is not due again, in milliseconds.
    pub payout_interval_ms: u32,
    /// The most that one run may request on chain.
    pub payout_run_max: Wei,
    /// The most that may be requested on chain in one day of UTC.
    pub payout_day_max: Wei,
    /// How long a job may be idle before it is closed, in milliseconds.
    pub job_idle_ms: u32,
    /// A payer that owes more than this, in base units of the asset, opens no job in it.
    pub debt_limit: Amount,
    /// How many jobs of one payer may be open at once.
    pub open_jobs_max: u32,
    /// The weights of the score that workers are matched by.
    pub match_weights: Weights,
    /// The rules of the grants.
    pub grants: GrantRules,
}

impl Default for Policy {
    /// The rules before any is set: no commission, the sources' usual times and threshold.
    fn default() -> Self {
        Self {
            changed_at: Position::ORIGIN,
            commission: Split {
                policy: Position::ORIGIN,
                commission: BasisPoints::default(),
            },
            payout_threshold: Wei(10_000_000_000_000_000),
            lease_ttl_ms: 60_000,
            heartbeat_grace_ms: 120_000,
            heartbeat_interval_ms: 15_000,
            payout_interval_ms: 0,
            payout_run_max: Wei(u128::MAX),
            payout_day_max: Wei(u128::MAX),
            job_idle_ms: 1_200_000,
            debt_limit: Amount::ZERO,
            open_jobs_max: 65_536,
            match_weights: Weights::default(),
            grants: GrantRules::default(),
        }
    }
}

impl Policy {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        let Event::PolicyChanged(changed) = fact.event else {
            return;
        };
        match changed.change {
            PolicyChange::Commission(commission) => {
                self.commission = Split {
                    policy: fact.position,
                    commission,
                };
            }
            PolicyChange::PayoutThreshold(threshold) => self.payout_threshold = threshold,
            PolicyChange::LeaseTtlMs(ttl) => self.lease_ttl_ms = ttl,
            PolicyChange::HeartbeatGraceMs(grace) => self.heartbeat_grace_ms = grace,
            PolicyChange::HeartbeatIntervalMs(interval) => self.heartbeat_interval_ms = interval,
            PolicyChange::PayoutIntervalMs(interval) => self.payout_interval_ms = interval,
            PolicyChange::PayoutRunMax(most) => self.payout_run_max = most,
            PolicyChange::PayoutDayMax(most) => self.payout_day_max = most,
            PolicyChange::JobIdleMs(idle) => self.job_idle_ms = idle,
            PolicyChange::DebtLimit(limit) => self.debt_limit = limit,
            PolicyChange::OpenJobsMax(most) => self.open_jobs_max = most,
            PolicyChange::MatchWeights(weights) => self.match_weights = weights,
            PolicyChange::Grants(rule) => self.grants.apply(rule),
        }
        self.changed_at = fact.position;
    }
}
