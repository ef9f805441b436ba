//! What was paid to whom, and on one day.

use purser_events::{Amount, Micros};
use serde::{Deserialize, Serialize};

/// Microseconds of a day.
pub const DAY_US: u64 = 86_400_000_000;

/// What was paid to one worker in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidRow {
    /// What reached it.
    pub paid: Amount,
    /// What is held for payouts that are not finished.
    pub in_flight: Amount,
    /// When a payout was last requested.
    pub requested_at: Micros,
}

/// What was requested on the latest day that anything was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    day: u64,
    amount: Amount,
}

impl DayTotal {
    pub(super) fn add(&mut self, at: Micros, amount: Amount) {
        let before = self.of(at);
        self.day = at.0 / DAY_US;
        self.amount = before.plus(amount);
    }

    pub(super) const fn of(&self, at: Micros) -> Amount {
        if self.day == at.0 / DAY_US {
            self.amount
        } else {
            Amount::ZERO
        }
    }
}
