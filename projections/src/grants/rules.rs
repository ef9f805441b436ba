//! The rules of the grants.

use purser_events::grant::{GrantRule, Tier};
use purser_events::{Amount, BasisPoints};
use serde::{Deserialize, Serialize};

/// The rules of the grants in force, each the latest that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRules {
    tiers: [TierRule; Tier::ALL.len()],
    /// An earned budget is at most this part of what was paid, net, within 30 days.
    pub paid_share: BasisPoints,
    /// The part of each net charge that the first pool is credited with.
    pub credit_share: BasisPoints,
    /// How long a quote may be paid, in milliseconds.
    pub quote_ttl_ms: u32,
    /// How long running work may take, in milliseconds.
    pub hold_ttl_ms: u32,
}

/// What a tier gives, and what it takes to be of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierRule {
    /// What an identity of this tier may be granted per UTC day.
    pub budget: Amount,
    /// The score from which on an identity may be of this tier.
    pub score: u32,
    /// The net amount paid within 30 days from which on an identity may be of this tier.
    pub paid: Amount,
}

impl Default for GrantRules {
    /// The rules before any is set: those of the service whose pool this replaces. What must have
    /// been paid is four budgets, so that a tier never gives more than it brought.
    fn default() -> Self {
        let tier = |budget, score| TierRule {
            budget: Amount(budget),
            score,
            paid: Amount(budget * 4),
        };
        let share = |rate| BasisPoints::new(rate).expect("below the whole");
        Self {
            tiers: [tier(0, 0), tier(50, 10), tier(200, 50), tier(1_000, 200)],
            paid_share: share(2_500),
            credit_share: share(1_000),
            quote_ttl_ms: 900_000,
            hold_ttl_ms: 3_600_000,
        }
    }
}

impl GrantRules {
    /// The rule of a tier.
    #[must_use]
    pub const fn tier(&self, tier: Tier) -> TierRule {
        self.tiers[tier.index()]
    }

    /// The value in force of the rule that `rule` would set.
    #[must_use]
    pub const fn in_force(&self, rule: GrantRule) -> GrantRule {
        match rule {
            GrantRule::Budget(tier, _) => GrantRule::Budget(tier, self.tier(tier).budget),
            GrantRule::Score(tier, _) => GrantRule::Score(tier, self.tier(tier).score),
            GrantRule::Paid(tier, _) => GrantRule::Paid(tier, self.tier(tier).paid),
            GrantRule::PaidShare(_) => GrantRule::PaidShare(self.paid_share),
            GrantRule::CreditShare(_) => GrantRule::CreditShare(self.credit_share),
            GrantRule::QuoteTtlMs(_) => GrantRule::QuoteTtlMs(self.quote_ttl_ms),
            GrantRule::HoldTtlMs(_) => GrantRule::HoldTtlMs(self.hold_ttl_ms),
        }
    }

    pub(crate) fn apply(&mut self, rule: GrantRule) {
        match rule {
            GrantRule::Budget(tier, amount) => self.tiers[tier.index()].budget = amount,
            GrantRule::Score(tier, score) => self.tiers[tier.index()].score = score,
            GrantRule::Paid(tier, amount) => self.tiers[tier.index()].paid = amount,
            GrantRule::PaidShare(share) => self.paid_share = share,
            GrantRule::CreditShare(share) => self.credit_share = share,
            GrantRule::QuoteTtlMs(ttl) => self.quote_ttl_ms = ttl,
            GrantRule::HoldTtlMs(ttl) => self.hold_ttl_ms = ttl,
        }
    }
}
