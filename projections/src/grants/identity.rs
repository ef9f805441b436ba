//! Identities: how far they are trusted, and what they were granted today.

use std::collections::BTreeMap;

use purser_events::grant::Tier;
use purser_events::{Amount, Micros};
use serde::{Deserialize, Serialize};

use super::rules::GrantRules;

/// A UTC day: days since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Day(pub u32);

/// Days in which what was paid counts, and for which absence costs no score.
pub const WINDOW_DAYS: u32 = 30;

/// A score grows no further: it has worn off after so many days and a month.
pub const SCORE_MAX: u32 = 1_000;

const SUCCESS: u32 = 2;
const FAILURE: u32 = 5;

impl Day {
    /// The day of a moment.
    #[must_use]
    pub const fn of(moment: Micros) -> Self {
        // 2^64 microseconds are some 213 million days.
        Self((moment.millis() / 86_400_000) as u32)
    }

    /// How many days lie between an earlier day and this one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What an identity was granted on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// What pools paid for holds of this day.
    pub absorbed: Amount,
    /// What is still held since this day.
    pub held: Amount,
}

/// What is known of an identity. One of which nothing is known is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The tier that an operator set.
    pub set: Option<Tier>,
    score: u32,
    seen: Day,
    paid: BTreeMap<Day, Amount>,
    days: BTreeMap<Day, DayUse>,
}

/// How an identity stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its tier.
    pub tier: Tier,
    /// Its score, after what wore off.
    pub score: u32,
    /// What it paid, net, within 30 days.
    pub paid: Amount,
    /// What it may be granted on this day.
    pub budget: Amount,
    /// What it was granted on this day.
    pub used: DayUse,
}

impl Standing {
    /// What it may still be granted on this day.
    #[must_use]
    pub fn left(&self) -> Amount {
        let taken = self.used.absorbed.plus(self.used.held);
        self.budget.minus(self.budget.min(taken))
    }
}

impl Identity {
    /// How it stands on a day.
    #[must_use]
    pub fn standing(&self, day: Day, rules: &GrantRules) -> Standing {
        let (score, paid) = (self.score_on(day), self.paid_until(day));
        let tier = self.set.unwrap_or_else(|| earned(score, paid, rules));
        let budget = rules.tier(tier).budget;
        let budget = match self.set {
            Some(_) => budget,
            None => budget.min(rules.paid_share.share_of_amount(paid)),
        };
        Standing {
            tier,
            score,
            paid,
            budget,
            used: self.days.get(&day).copied().unwrap_or_default(),
        }
    }

    /// The score, less one for each day after a month without a word.
    fn score_on(&self, day: Day) -> u32 {
        let worn = day.since(self.seen).saturating_sub(WINDOW_DAYS);
        self.score.saturating_sub(worn)
    }

    fn paid_until(&self, day: Day) -> Amount {
        let first = Day(day.0.saturating_sub(WINDOW_DAYS - 1));
        let counted = self.paid.range(first..).map(|(_, amount)| *amount);
        counted.fold(Amount::ZERO, Amount::plus)
    }

    /// The figures of each day that is still kept.
    pub fn days(&self) -> impl Iterator<Item = (Day, DayUse)> + '_ {
        self.days.iter().map(|(day, used)| (*day, *used))
    }

    pub(super) fn hold(&mut self, day: Day, amount: Amount) {
        let used = self.days.entry(day).or_default();
        used.held = used.held.plus(amount);
    }

    /// A hold of `day` ended, and of it so much was absorbed.
    pub(super) fn free(&mut self, day: Day, held: Amount, absorbed: Amount) {
        let used = self.days.get_mut(&day).expect("a hold has its day");
        used.held = used.held.minus(held);
        used.absorbed = used.absorbed.plus(absorbed);
        if *used == DayUse::default() {
            self.days.remove(&day);
        }
    }

    /// Work ended well, and so much was paid for it.
    pub(super) fn succeed(&mut self, today: Day, paid: Amount) {
        self.score = (self.score_on(today) + SUCCESS).min(SCORE_MAX);
        self.seen = self.seen.max(today);
        if paid > Amount::ZERO {
            let of_day = self.paid.entry(today).or_default();
            *of_day = of_day.plus(paid);
        }
    }

    pub(super) fn fail(&mut self, today: Day) {
        self.score = self.score_on(today).saturating_sub(FAILURE);
        self.seen = self.seen.max(today);
    }

    /// Drops what no longer counts; whether anything is left to know.
    pub(super) fn wear(&mut self, today: Day) -> bool {
        self.paid.retain(|day, _| today.since(*day) < WINDOW_DAYS);
        // Yesterday is kept for whoever looks back; an older day only for what is still held.
        self.days
            .retain(|day, used| used.held > Amount::ZERO || today.since(*day) <= 1);
        let is_known = self.set.is_some() || self.score_on(today) > 0;
        is_known || !self.paid.is_empty() || !self.days.is_empty()
    }
}

/// The highest tier that this score and this amount reach.
fn earned(score: u32, paid: Amount, rules: &GrantRules) -> Tier {
    let reached = |tier: &Tier| {
        let rule = rules.tier(*tier);
        score >= rule.score && paid >= rule.paid
    };
    let higher = Tier::ALL.into_iter().skip(1).rev();
    higher.into_iter().find(reached).unwrap_or(Tier::New)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: fn() -> GrantRules = GrantRules::default;

    fn after(successes: u32, paid: u128) -> Identity {
        let mut identity = Identity::default();
        for _ in 0..successes {
            identity.succeed(Day(100), Amount::ZERO);
        }
        identity.succeed(Day(100), Amount(paid));
        identity
    }

    #[test]
    fn a_tier_takes_both_a_score_and_money() {
        for (successes, paid, tier, budget) in [
            (0, 0, Tier::New, 0),
            (500, 0, Tier::New, 0),
            (500, 199, Tier::New, 0),
            (3, 4_000, Tier::New, 0),
            (4, 200, Tier::Established, 50),
            (24, 799, Tier::Established, 50),
            (24, 800, Tier::Trusted, 200),
            (99, 4_000, Tier::Elite, 1_000),
        ] {
            let standing = after(successes, paid).standing(Day(100), &RULES());
            let found = (standing.tier, standing.budget);
            assert_eq!(found, (tier, Amount(budget)), "{successes} {paid}");
        }
    }

    #[test]
    fn an_earned_budget_is_at_most_a_quarter_of_what_was_paid() {
        let mut rules = RULES();
        rules.apply(purser_events::grant::GrantRule::Paid(
            Tier::Established,
            Amount(1),
        ));
        let identity = after(9, 100);
        assert_eq!(identity.standing(Day(100), &rules).budget, Amount(25));
        let set = Identity {
            set: Some(Tier::Trusted),
            ..Identity::default()
        };
        assert_eq!(set.standing(Day(100), &rules).budget, Amount(200));
    }

    #[test]
    fn a_score_wears_off_after_a_month_and_a_write_takes_that_in() {
        let mut identity = after(9, 0);
        let score = |identity: &Identity, day| identity.standing(Day(day), &RULES()).score;
        for (day, expected) in [
            (100, 20),
            (130, 20),
            (131, 19),
            (149, 1),
            (150, 0),
            (900, 0),
        ] {
            assert_eq!(score(&identity, day), expected, "day {day}");
        }
        identity.succeed(Day(140), Amount::ZERO);
        assert_eq!(score(&identity, 140), 12);
        assert_eq!(score(&identity, 171), 11);
        identity.fail(Day(172));
        assert_eq!(score(&identity, 172), 5);
        identity.fail(Day(172));
        identity.fail(Day(172));
        assert_eq!(score(&identity, 172), 0);
    }

    #[test]
    fn what_was_paid_counts_for_thirty_days() {
        let identity = after(0, 400);
        let paid = |day| identity.standing(Day(day), &RULES()).paid;
        assert_eq!((paid(129), paid(130)), (Amount(400), Amount::ZERO));
    }

    #[test]
    fn an_identity_of_which_nothing_is_left_to_know_is_forgotten() {
        let mut identity = after(0, 400);
        identity.hold(Day(100), Amount(5));
        assert!(identity.wear(Day(900)), "something is held");
        identity.free(Day(100), Amount(5), Amount(3));
        assert!(!identity.wear(Day(900)));
        let mut set = Identity {
            set: Some(Tier::New),
            ..Identity::default()
        };
        assert!(set.wear(Day(900)), "an operator's word stays");
    }
}
