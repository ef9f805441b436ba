//! Prices as the reference node quotes them, for runs beside one.

use purser_events::{Price, U256};

/// A price in wei per unit: numerator and denominator, which is above zero and at most
/// [`Price::DENOMINATOR_MAX`].
pub type Rate = (u64, u64);

/// Rounded down to whole wei per unit.
#[must_use]
pub fn whole_wei((numerator, denominator): Rate) -> Rate {
    (numerator.checked_div(denominator).unwrap_or(0), 1)
}

/// Thousandths of a wei per unit, rounded down.
#[must_use]
pub fn thousandths((numerator, denominator): Rate) -> Option<u64> {
    let whole = u128::from(numerator) * 1_000;
    u64::try_from(whole.checked_div(denominator.into())?).ok()
}

/// The price with the cost of redemptions on top, in thousandths of a wei, rounded down: `cost` of
/// every `face_value` that is paid out. The price itself where it is out of range.
#[must_use]
pub fn with_overhead(price: Rate, face_value: u128, cost: u128) -> Rate {
    overhead(price, face_value, cost).unwrap_or(price)
}

fn overhead((numerator, denominator): Rate, face_value: u128, cost: u128) -> Option<Rate> {
    if denominator > Price::DENOMINATOR_MAX.into() {
        return None;
    }
    let both = U256::from_u128(face_value.checked_add(cost)?);
    let (above, product) = both.times(u128::from(numerator) * 1_000);
    let divisor = u128::from(denominator).checked_mul(face_value)?;
    if above > 0 || divisor == 0 {
        return None;
    }
    let (thousandths, _) = product.divided_by(divisor);
    Some((u64::try_from(thousandths.to_u128()?).ok()?, 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overhead_is_the_share_of_a_winner_that_its_redemption_costs() {
        assert_eq!(with_overhead((10, 1), 100, 1), (10_100, 1_000));
        assert_eq!(with_overhead((3, 2), 3, 1), (2_000, 1_000));
        assert_eq!(with_overhead((0, 1), 100, 1), (0, 1_000));
    }

    #[test]
    fn figures_out_of_range_leave_the_price_as_it_is() {
        for (price, face_value, cost) in [
            ((10, 0), 100, 1),
            ((10, 1), 0, 1),
            ((10, 1), u128::MAX, 1),
            ((u64::MAX, 1), 1, u128::MAX - 1),
            ((10, 1 << 40), 100, 1),
        ] {
            assert_eq!(with_overhead(price, face_value, cost), price);
        }
    }

    #[test]
    fn fractions_of_a_wei_are_free_when_prices_are_whole() {
        assert_eq!(whole_wei((999, 1_000)), (0, 1));
        assert_eq!(whole_wei((3, 2)), (1, 1));
        assert_eq!(whole_wei((3, 0)), (0, 1));
    }
}
