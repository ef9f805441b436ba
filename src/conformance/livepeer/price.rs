//! Prices, and what they charge.

use purser_commands::ticket::price::{Rate, thousandths, whole_wei, with_overhead};
use purser_events::{Amount, Balance, Price};

use crate::conformance::value::{Mismatch, Node};

fn rate(node: &Node<'_>) -> Result<Rate, Mismatch> {
    let small = node.rational()?.small();
    small.ok_or_else(|| node.wrong("is out of range"))
}

/// Whole wei per unit.
pub(super) fn to_whole(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let (numerator, denominator) = whole_wei(rate(&input.get("price"))?);
    expected
        .get("value")
        .is(format!("{numerator}/{denominator}"))
}

/// Thousandths of a wei per unit.
pub(super) fn to_fixed(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let price = input.get("price");
    let fixed = thousandths(rate(&price)?);
    let fixed = fixed.ok_or_else(|| price.wrong("is out of range"))?;
    expected.get("fixed").is(fixed)?;
    let (numerator, denominator) = rate(&expected.get("price"))?;
    let same = u128::from(numerator) * 1_000 == u128::from(fixed) * u128::from(denominator);
    match same {
        true => Ok(()),
        false => Err(expected.get("price").wrong(format!("found {fixed}/1000"))),
    }
}

/// The price of a job, as a token tells it.
pub(super) fn of_job(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let mut price = rate(&input.get("base_price"))?;
    if input.get("auto_adjust").flag()? {
        let (face_value, cost) = rate(&input.get("tx_cost_multiplier"))?;
        price = with_overhead(price, face_value.into(), cost.into());
    }
    let (numerator, denominator) = whole_wei(price);
    expected.get("price_per_unit").is(numerator)?;
    expected.get("pixels_per_unit").is(denominator)
}

/// The price of a vector.
pub(super) fn price_of(input: &Node<'_>) -> Result<Price, Mismatch> {
    let numerator = Amount(input.get("price_per_unit").integer()?);
    let denominator = input.get("pixels_per_unit").integer()?;
    let price = Price::new(numerator, denominator);
    price.ok_or_else(|| input.get("price_per_unit").wrong("is no price"))
}

/// What so many units cost.
pub(super) fn cost(input: &Node<'_>, price: Price, units: u64) -> Result<Amount, Mismatch> {
    let cost = price.charge(units);
    cost.ok_or_else(|| input.get("units").wrong("cost more than there can be"))
}

/// The balance of a vector in whole wei; absent where there is none.
pub(super) fn balance_of(node: &Node<'_>) -> Result<Option<Balance>, Mismatch> {
    if node.text()?.is_empty() {
        return Ok(None);
    }
    let wei = node.rational()?.floor();
    let wei = wei.ok_or_else(|| node.wrong("is out of range"))?;
    let amount = Amount(wei.unsigned_abs());
    let balance = match wei < 0 {
        true => Balance::default().minus(amount),
        false => Balance::default().plus(amount),
    };
    Ok(Some(balance))
}

/// A balance as a number.
pub(super) fn wei(balance: Balance) -> i128 {
    let amount = i128::try_from(balance.amount.0).unwrap_or(i128::MAX);
    if balance.below_zero { -amount } else { amount }
}

/// Compares a balance with a rational in whole wei, or with `nil`.
pub(super) fn is_balance(node: &Node<'_>, balance: Option<Balance>) -> Result<(), Mismatch> {
    match balance {
        Some(balance) => node.is_floor(wei(balance)),
        None => node.is("nil"),
    }
}

/// A balance after a debit.
pub(super) fn debit(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let balance = balance_of(&input.get("balance"))?.unwrap_or_default();
    let charged = cost(input, price_of(input)?, input.get("units").integer()?)?;
    is_balance(&expected.get("balance_after"), Some(balance.minus(charged)))
}
