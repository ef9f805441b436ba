//! What moved on an account, and what stands on it.

use purser_events::{Amount, Balance};
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

    /// Whether nothing ever moved.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn is_in_credit(&self) -> bool {
        self.credits >= self.debits
    }

    pub(super) fn is_in_debit(&self) -> bool {
        self.debits >= self.credits
    }
}
