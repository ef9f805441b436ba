//! Pools of generosity, and what goes through them day by day.

use std::collections::BTreeMap;

use purser_events::Amount;
use purser_events::AssetNo;
use serde::{Deserialize, Serialize};

use super::identity::{Day, WINDOW_DAYS};

/// One pool. What is available and what is reserved stands on its accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// What its amounts are in.
    pub asset: AssetNo,
    /// What it began with.
    pub seeded: Amount,
    /// What sponsors added.
    pub topped_up: Amount,
    /// What it was credited with, out of charges.
    pub credited: Amount,
    /// What it paid for work.
    pub granted: Amount,
}

impl Pool {
    /// Everything that ever came in.
    #[must_use]
    pub fn received(&self) -> Amount {
        self.seeded.plus(self.topped_up).plus(self.credited)
    }
}

/// What went through all pools on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFlow {
    /// What they paid for work.
    pub granted: Amount,
    /// What they were credited with, out of charges.
    pub credited: Amount,
    /// What sponsors added.
    pub topped_up: Amount,
}

impl DayFlow {
    fn plus(self, other: Self) -> Self {
        Self {
            granted: self.granted.plus(other.granted),
            credited: self.credited.plus(other.credited),
            topped_up: self.topped_up.plus(other.topped_up),
        }
    }
}

/// The last month, day by day, and the first day of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flows {
    first: Option<Day>,
    days: BTreeMap<Day, DayFlow>,
}

/// What went through all pools within some days up to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// How many days, with today.
    pub days: u32,
    /// The sums.
    pub sums: DayFlow,
}

impl Flows {
    pub(super) fn begin(&mut self, today: Day) {
        self.first.get_or_insert(today);
    }

    pub(super) fn at(&mut self, today: Day) -> &mut DayFlow {
        self.days.entry(today).or_default()
    }

    pub(super) fn wear(&mut self, today: Day) {
        self.days.retain(|day, _| today.since(*day) < WINDOW_DAYS);
    }

    /// What went through within the last `days` days, or since the first pool was opened.
    #[must_use]
    pub fn within(&self, days: u32, today: Day) -> Flow {
        let age = self.first.map_or(1, |first| today.since(first) + 1);
        let days = days.min(age);
        let first = Day(today.0.saturating_sub(days - 1));
        let sums = self.days.range(first..).map(|(_, flow)| *flow);
        let sums = sums.fold(DayFlow::default(), DayFlow::plus);
        Flow { days, sums }
    }
}

impl Flow {
    /// In how many days what is available is used up if all goes on so; `None` when as much comes
    /// in by credits as goes out.
    #[must_use]
    pub const fn days_left(&self, available: Amount) -> Option<u128> {
        let (out, back) = (self.sums.granted.0, self.sums.credited.0);
        if out <= back {
            return None;
        }
        // An available sum beyond 2^96 has more days left than anybody counts.
        Some(available.0.saturating_mul(self.days as u128) / (out - back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_that_are_left_follow_from_what_goes_out_beyond_what_comes_in() {
        let mut flows = Flows::default();
        flows.begin(Day(10));
        flows.at(Day(10)).granted = Amount(100);
        flows.at(Day(12)).granted = Amount(50);
        flows.at(Day(12)).credited = Amount(30);
        let flow = flows.within(7, Day(12));
        assert_eq!((flow.days, flow.sums.granted), (3, Amount(150)));
        assert_eq!(flow.days_left(Amount(800)), Some(20));
        let flow = flows.within(2, Day(13));
        assert_eq!((flow.days, flow.sums.granted), (2, Amount(50)));
        flows.at(Day(13)).credited = Amount(20);
        assert_eq!(flows.within(2, Day(13)).days_left(Amount(800)), None);
        assert_eq!(flows.within(7, Day(40)).days_left(Amount(800)), None);
    }
}
