//! Prices as ratios of integers, and what units cost at them.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Amount;

/// What one unit costs: `numerator / denominator` base units of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Price {
    numerator: Amount,
    denominator: u32,
}

impl Price {
    /// The greatest denominator.
    pub const DENOMINATOR_MAX: u32 = 1_000_000_000;

    /// Checks a price: the numerator is at most [`Amount::MAX`], the denominator is from 1 to
    /// [`Price::DENOMINATOR_MAX`].
    #[must_use]
    pub const fn new(numerator: Amount, denominator: u32) -> Option<Self> {
        if numerator.0 > Amount::MAX.0 || denominator == 0 || denominator > Self::DENOMINATOR_MAX {
            return None;
        }
        Some(Self {
            numerator,
            denominator,
        })
    }

    /// The base units that so many units cost.
    #[must_use]
    pub const fn numerator(self) -> Amount {
        self.numerator
    }

    /// So many units cost the numerator.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// `ceil(units x price)`: exact, rounded up once. `None` beyond [`Amount::MAX`].
    #[must_use]
    pub fn charge(self, units: u64) -> Option<Amount> {
        let denominator = u128::from(self.denominator);
        let mut limbs = product(self.numerator.0, units);
        let mut rest = 0;
        // Long division, the highest limb first: the rest is below 2^32, so each step fits.
        for limb in limbs.iter_mut().rev() {
            let part = (rest << 64) | u128::from(*limb);
            *limb = (part / denominator) as u64;
            rest = part % denominator;
        }
        let [low, middle, high, highest] = limbs;
        if high != 0 || highest != 0 {
            return None;
        }
        let whole = (u128::from(middle) << 64) | u128::from(low);
        let charge = whole.checked_add(u128::from(rest > 0))?;
        (charge <= Amount::MAX.0).then_some(Amount(charge))
    }
}

/// The product in 256 bits, the lowest limb first.
const fn product(amount: u128, units: u64) -> [u64; 4] {
    let units = units as u128;
    let low = (amount & u64::MAX as u128) * units;
    let high = (amount >> 64) * units + (low >> 64);
    [low as u64, high as u64, (high >> 64) as u64, 0]
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (numerator, denominator) = <(Amount, u32)>::deserialize(from)?;
        let checked = Self::new(numerator, denominator);
        checked.ok_or_else(|| serde::de::Error::custom("a price is a ratio within its limits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(numerator: u128, denominator: u32, units: u64) -> Option<u128> {
        let price = Price::new(Amount(numerator), denominator).expect("a price");
        price.charge(units).map(|amount| amount.0)
    }

    #[test]
    fn a_charge_is_rounded_up_once() {
        for (numerator, denominator, units, expected) in [
            (10, 1, 5, 50),
            (0, 1, u64::MAX, 0),
            (1, 3, 0, 0),
            (1, 3, 1, 1),
            (1, 3, 3, 1),
            (1, 3, 4, 2),
            (999, 1_000, 1, 1),
            (1_500, 1_000, 2, 3),
            (1, 1_000_000_000, u64::MAX, 18_446_744_074),
        ] {
            let found = charge(numerator, denominator, units);
            assert_eq!(
                found,
                Some(expected),
                "{units} at {numerator}/{denominator}"
            );
        }
    }

    #[test]
    fn a_product_beyond_128_bits_is_exact() {
        // (2^96 - 1) x (2^64 - 1) / 10^9 needs 160 bits on the way, and is refused: 2^130.
        assert_eq!(charge(Amount::MAX.0, 1_000_000_000, u64::MAX), None);
        // (2^96 - 1) x 10^9 / 10^9 needs 126 bits on the way.
        let most = charge(Amount::MAX.0, 1_000_000_000, 1_000_000_000);
        assert_eq!(most, Some(Amount::MAX.0));
        assert_eq!(charge(Amount::MAX.0, 1_000_000_000, 1_000_000_001), None);
        // 2^95 x 2^33 = 2^128.
        let half = charge(1 << 95, 1 << 29, 1 << 29);
        assert_eq!(half, Some(1 << 95));
    }

    #[test]
    fn what_is_no_price_is_refused() {
        assert_eq!(Price::new(Amount(1), 0), None);
        assert_eq!(Price::new(Amount(1), Price::DENOMINATOR_MAX + 1), None);
        assert_eq!(Price::new(Amount(Amount::MAX.0 + 1), 1), None);
        assert!(Price::new(Amount::MAX, Price::DENOMINATOR_MAX).is_some());
    }
}
