//! What tickets are expected to be worth, without a fraction that drifts.

use purser_events::{U256, Wei};
use serde::{Deserialize, Serialize};

/// An amount in whole wei and in parts of 1/(2^256 - 1) wei.
///
/// A ticket's expected value is its face value times its win probability over 2^256 - 1: a whole
/// number of such parts. So sums are exact, and do not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Expected {
    wei: Wei,
    /// Below 2^256 - 1.
    parts: U256,
}

impl Expected {
    /// Nothing.
    pub const ZERO: Self = Self {
        wei: Wei::ZERO,
        parts: U256::ZERO,
    };

    /// The expected value of a ticket.
    #[must_use]
    pub const fn of(face_value: Wei, win_prob: U256) -> Self {
        // With M = 2^256 - 1: above x 2^256 + rest = above x M + (above + rest).
        let (above, rest) = win_prob.times(face_value.0);
        let (parts, past) = rest.plus(U256::from_u128(above));
        Self::carried(above, parts, past)
    }

    /// A fraction of a wei that was kept from an earlier sum.
    #[must_use]
    pub const fn of_parts(parts: U256) -> Self {
        Self::carried(0, parts, false)
    }

    /// `wei` and so many parts, where `past` is whether 2^256 parts more are meant.
    const fn carried(wei: u128, parts: U256, past: bool) -> Self {
        let full = matches!(parts.minus(U256::MAX).to_u128(), Some(0));
        // 2^256 parts are one wei and one part.
        let (parts, more) = match (past, full) {
            (true, _) => (parts.plus(U256::from_u128(1)).0, 1),
            (false, true) => (U256::ZERO, 1),
            (false, false) => (parts, 0),
        };
        let wei = Wei(wei + more);
        Self { wei, parts }
    }

    /// The sum; `None` from 2^128 wei on.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        let (parts, past) = self.parts.plus(other.parts);
        let Some(wei) = self.wei.0.checked_add(other.wei.0) else {
            return None;
        };
        if wei == u128::MAX {
            return None;
        }
        Some(Self::carried(wei, parts, past))
    }

    /// So many times this; `None` from 2^128 wei on.
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        (0..count).try_fold(Self::ZERO, |sum, _| sum.plus(self))
    }

    /// The whole wei.
    #[must_use]
    pub const fn floor(self) -> Wei {
        self.wei
    }

    /// What is left below one wei, in parts of 1/(2^256 - 1) wei.
    #[must_use]
    pub const fn parts(self) -> U256 {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_that_always_wins_is_worth_its_face_value() {
        for face_value in [0, 1, 1_000, u128::MAX - 1] {
            let expected = Expected::of(Wei(face_value), U256::MAX);
            assert_eq!(
                (expected.floor(), expected.parts()),
                (Wei(face_value), U256::ZERO)
            );
        }
    }

    #[test]
    fn fractions_add_up_to_whole_wei_and_never_drift() {
        // 2^256 - 1 is divisible by three.
        let (third, _) = U256::MAX.divided_by(3);
        let one = Expected::of(Wei(1), third);
        assert_eq!(one.floor(), Wei(0));
        assert_eq!(one.times(3), Some(Expected::of(Wei(1), U256::MAX)));
        let many = Expected::of(Wei(100), third).times(600).expect("small");
        assert_eq!((many.floor(), many.parts()), (Wei(20_000), U256::ZERO));
        let kept = Expected::of_parts(one.parts()).plus(one.times(2).expect("small"));
        assert_eq!(kept, Some(Expected::of(Wei(1), U256::MAX)));
    }

    #[test]
    fn the_least_and_the_greatest_probability_count() {
        let least = Expected::of(Wei(u128::MAX), U256::from_u128(1));
        assert_eq!(least.floor(), Wei(0));
        assert_eq!(least.parts(), U256::from_u128(u128::MAX));
        let almost = Expected::of(Wei(2), U256::MAX.minus(U256::from_u128(1)));
        assert_eq!(almost.floor(), Wei(1));
    }

    #[test]
    fn a_sum_past_the_limit_is_none() {
        let most = Expected::of(Wei(u128::MAX - 1), U256::MAX);
        assert_eq!(most.plus(Expected::of(Wei(1), U256::MAX)), None);
        assert_eq!(most.times(2), None);
    }
}
