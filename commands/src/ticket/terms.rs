//! The terms of a set of ticket parameters: how much a winner pays, and how often one wins.

use purser_events::ticket::SenderFunds;
use purser_events::{U256, Wei};

/// L1 blocks that parameters are good for, from the newest known one on.
pub const LIFE_BLOCKS: u64 = 40;

/// The price of gas that a sender's funds must bear at least, in wei.
const AVERAGE_GAS_PRICE_WEI: u128 = 3_000_000_000;

/// A face value made of the expected value alone is so many times that.
const EXPECTED_VALUES: u128 = 100;

/// Pending redemptions are covered when the deposit is so many times their sum.
const COVERING_DEPOSITS: u128 = 3;

/// What the pool wants of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What a ticket should be worth.
    pub expected: Wei,
    /// Gas that a redemption takes.
    pub redeem_gas: u64,
    /// A winner should pay so many times what its redemption costs.
    pub cost_multiplier: u32,
    /// The operator's cap of face values.
    pub face_value_max: Option<Wei>,
}

impl Default for Wanted {
    /// The reference node's usual values on a second layer.
    fn default() -> Self {
        Self {
            expected: Wei(8_000_000_000),
            redeem_gas: 1_200_000,
            cost_multiplier: 100,
            face_value_max: None,
        }
    }
}

/// How much a winner pays, and how often a ticket wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What a winner pays.
    pub face_value: Wei,
    /// A ticket wins when its draw of 256 bits is below this.
    pub win_prob: U256,
}

/// Why no terms can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTerms {
    /// The sender's reserve does not bear a ticket that is worth redeeming.
    SenderReserveTooLow,
}

/// What the reserve holds for our recipient in this round.
#[must_use]
pub fn reserve_share(funds: &SenderFunds) -> Wei {
    let whole = funds.reserve.0.saturating_add(funds.claimed.0);
    let share = whole.checked_div(funds.recipients.into()).unwrap_or(0);
    Wei(share.saturating_sub(funds.claimed_by_us.0))
}

/// The greatest face value that a sender's funds bear.
#[must_use]
pub fn float_of(funds: &SenderFunds) -> Wei {
    let pending = funds.pending.0;
    let covered = pending == 0 || funds.deposit.0 / pending >= COVERING_DEPOSITS;
    let pending = if covered { 0 } else { pending };
    Wei(reserve_share(funds).0.saturating_sub(pending))
}

impl Wanted {
    /// What one redemption costs.
    #[must_use]
    pub fn redeem_cost(&self, gas_price: Wei) -> Wei {
        Wei(gas_price.0.saturating_mul(self.redeem_gas.into()))
    }

    /// The face value, whatever the price of the work is.
    ///
    /// # Errors
    /// When the greatest face value that the sender's funds bear is below the expected value, or
    /// below what a redemption costs.
    pub fn face_value(&self, gas_price: Wei, float: Wei) -> Result<Wei, NoTerms> {
        let cost = self.redeem_cost(gas_price).0;
        let mut face_value = cost.saturating_mul(self.cost_multiplier.into());
        if face_value < self.expected.0 {
            face_value = self.expected.0.saturating_mul(EXPECTED_VALUES);
        }
        face_value = face_value.min(float.0);
        if let Some(max) = self.face_value_max {
            face_value = face_value.min(max.0);
        }
        if Wei(face_value) < self.least(gas_price) {
            return Err(NoTerms::SenderReserveTooLow);
        }
        Ok(Wei(face_value))
    }

    /// The least face value that is worth while: what is expected of a ticket, and what its
    /// redemption costs now or on average, whichever is less.
    #[must_use]
    pub fn least(&self, gas_price: Wei) -> Wei {
        let average = AVERAGE_GAS_PRICE_WEI.saturating_mul(self.redeem_gas.into());
        let cost = self.redeem_cost(gas_price).0.min(average);
        self.expected.max(Wei(cost))
    }

    /// The terms for work that has a price; work without one asks for tickets of no value.
    ///
    /// # Errors
    /// As [`Wanted::face_value`].
    pub fn terms(&self, free: Free, gas_price: Wei, float: Wei) -> Result<Terms, NoTerms> {
        if free == Free::Yes {
            let (face_value, win_prob) = (Wei::ZERO, U256::ZERO);
            return Ok(Terms {
                face_value,
                win_prob,
            });
        }
        let face_value = self.face_value(gas_price, float)?;
        let win_prob = win_prob(self.expected, face_value);
        Ok(Terms {
            face_value,
            win_prob,
        })
    }
}

/// Whether work costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Free {
    /// It costs nothing.
    Yes,
    /// It has a price.
    No,
}

/// How often a ticket of this face value must win to be worth `expected`, by a hair more at most.
fn win_prob(expected: Wei, face_value: Wei) -> U256 {
    if face_value == Wei::ZERO {
        return U256::ZERO;
    }
    if face_value == expected {
        return U256::MAX;
    }
    let (mut share, rest) = U256::MAX.divided_by(face_value.0);
    if rest > 0 {
        share = share.plus(U256::from_u128(1)).0;
    }
    let (above, win_prob) = share.times(expected.0);
    // A face value is not below the expected value, so the product stays below 2^256, but for the
    // rounding at its very end.
    if above > 0 { U256::MAX } else { win_prob }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_worth_what_is_wanted_or_a_hair_more() {
        use purser_projections::tickets::Expected;
        for expected in [1, 5, 8_000_000_000, 3_000_000_000_000] {
            for face_value in [expected + 1, expected * 3 / 2 + 1, expected * 1_000_003] {
                let prob = win_prob(Wei(expected), Wei(face_value));
                let worth = Expected::of(Wei(face_value), prob);
                assert_eq!(worth.floor(), Wei(expected), "{expected} of {face_value}");
            }
        }
    }

    #[test]
    fn funds_at_the_limits_do_not_overflow() {
        let most = Wei(u128::MAX);
        let amount = purser_events::Amount(u128::MAX);
        let funds = SenderFunds {
            reserve: amount,
            claimed: amount,
            recipients: 1,
            pending: amount,
            ..SenderFunds::default()
        };
        assert_eq!((reserve_share(&funds), float_of(&funds)), (most, Wei::ZERO));
        let wanted = Wanted::default();
        let terms = wanted.terms(Free::No, most, most).expect("funds enough");
        assert_eq!(terms.face_value, most);
    }
}
