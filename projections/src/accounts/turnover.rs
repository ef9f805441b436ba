//! What moved on an account, and what stands on it.

use std::fmt;

use purser_events::Amount;
use serde::{Deserialize, Serialize};

use super::account::Side;

/// What moved on an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turnover {
    /// The sum of its debits.
    pub debits: Amount,
    /// The sum of its credits.
    pub credits: Amount,
}

/// What stands on an account: an amount on its normal side, or on the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Balance {
    /// Whether it stands on the other side; never for nothing.
    pub below_zero: bool,
    /// How much stands there.
    pub amount: Amount,
}

impl Turnover {
    /// What stands on the account.
    #[must_use]
    pub fn balance(&self, side: Side) -> Balance {
        match side {
            Side::Debit => Balance::of(self.debits, self.credits),
            Side::Credit => Balance::of(self.credits, self.debits),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            debits: self.debits.plus(other.debits),
            credits: self.credits.plus(other.credits),
        }
    }

    pub(super) fn is_in_credit(&self) -> bool {
        self.credits >= self.debits
    }

    pub(super) fn is_in_debit(&self) -> bool {
        self.debits >= self.credits
    }
}

impl Balance {
    /// What is left of `normal` after `other`.
    #[must_use]
    pub fn of(normal: Amount, other: Amount) -> Self {
        let below_zero = normal < other;
        let amount = if below_zero {
            other.minus(normal)
        } else {
            normal.minus(other)
        };
        Self { below_zero, amount }
    }

    /// What may be spent: nothing below zero.
    #[must_use]
    pub const fn above_zero(self) -> Amount {
        if self.below_zero {
            Amount::ZERO
        } else {
            self.amount
        }
    }

    /// What is missing: nothing above zero.
    #[must_use]
    pub const fn missing(self) -> Amount {
        if self.below_zero {
            self.amount
        } else {
            Amount::ZERO
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below_zero {
            f.write_str("-")?;
        }
        self.amount.fmt(f)
    }
}
