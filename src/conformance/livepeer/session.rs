//! Admission, and streams and sessions that are charged as they go.

use purser_commands::jobs::{decision, shortfall};
use purser_events::paid::Decision;
use purser_events::{Amount, Balance, Price};

use super::price::{balance_of, cost, is_balance, price_of, wei};
use crate::conformance::value::{Mismatch, Node};

/// Seconds that the reference node wants covered before it does anything.
const ADMISSION_SEC: u64 = 60;

/// Seconds between two debits of a stream.
const TICK_SEC: u64 = 23;

/// Whether a job may begin: with what a payment brings, it must cover a minute.
pub(super) fn admission(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let mut balance = balance_of(&input.get("balance"))?;
    if let Some(credit) = balance_of(&input.get("payment_credit"))? {
        balance = Some(balance.unwrap_or_default().plus(credit.amount));
    }
    let minute = cost(input, price_of(input)?, ADMISSION_SEC)?;
    let stands = balance.unwrap_or_default();
    let admitted = shortfall(stands, Amount::ZERO, minute) == Amount::ZERO;
    if expected.get("panic").is_there() {
        // The reference node falls over a refused payment; here it brings nothing, and the job is
        // not admitted for want of money.
        let refused = !admitted && !input.get("payment_error").text()?.is_empty();
        return match refused {
            true => Ok(()),
            false => Err(expected.get("panic").wrong("the job is admitted")),
        };
    }
    expected.get("error").is(match admitted {
        true => "null",
        false => "Insufficient balance for request",
    })?;
    is_balance(&expected.get("balance_after"), balance)
}

/// A session is charged before it goes on, or released.
pub(super) fn account(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let balance = balance_of(&input.get("balance"))?;
    let fee = cost(input, price_of(input)?, input.get("units").integer()?)?;
    let stands = balance.unwrap_or_default();
    let accepted = shortfall(stands, Amount::ZERO, fee) == Amount::ZERO;
    expected.get("accepted").is(accepted)?;
    let after = balance.map(|balance| match accepted {
        true => balance.minus(fee),
        false => balance,
    });
    is_balance(&expected.get("balance_after"), after)
}

/// A stream is charged for its start and then at each tick; what is paid between two ticks counts
/// at the later one. It stops at the second tick that finds it below zero.
pub(super) fn stream(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let price = input.get("price").rational()?.small();
    let (numerator, denominator) = price.ok_or_else(|| input.get("price").wrong("is too large"))?;
    let denominator = u32::try_from(denominator).unwrap_or(0);
    let price = Price::new(Amount(numerator.into()), denominator);
    let price = price.ok_or_else(|| input.get("price").wrong("is no price"))?;
    let mut stream = Stream {
        price,
        balance: balance_of(&input.get("credit"))?.unwrap_or_default(),
        units: 0,
    };
    let start: u64 = input.get("start_seconds").integer()?;
    let mut decision = stream.charge(input, start)?;
    let mut balances = vec![wei(stream.balance)];
    let ticks: u64 = input.get("max_ticks").integer()?;
    let mut stopped_at = None;
    for tick in 1..=ticks {
        for second in (tick - 1) * TICK_SEC + 1..=tick * TICK_SEC {
            stream.pay(&input.get("payments").get(&second.to_string()))?;
        }
        decision = stream.charge(input, TICK_SEC)?;
        balances.push(wei(stream.balance));
        if decision == Decision::Stop {
            stopped_at = Some(tick * TICK_SEC);
            break;
        }
    }
    let said = expected.get("balance_after_start_and_each_tick");
    expected.get("stopped_at_second").is(match stopped_at {
        Some(second) => second.to_string(),
        None => String::from("null"),
    })?;
    let mut found = balances.into_iter();
    for node in said.list()? {
        let balance = found.next();
        node.is_floor(balance.ok_or_else(|| node.wrong(format!("ended with {decision:?}")))?)?;
    }
    match found.next() {
        Some(balance) => Err(said.wrong(format!("one more follows: {balance}"))),
        None => Ok(()),
    }
}

struct Stream {
    price: Price,
    balance: Balance,
    units: u64,
}

impl Stream {
    fn charge(&mut self, input: &Node<'_>, units: u64) -> Result<Decision, Mismatch> {
        let before = cost(input, self.price, self.units)?;
        self.units += units;
        let charged = cost(input, self.price, self.units)?.minus(before);
        let was = self.balance;
        self.balance = was.minus(charged);
        Ok(decision(was, self.balance))
    }

    fn pay(&mut self, payment: &Node<'_>) -> Result<(), Mismatch> {
        if payment.is_there() {
            let paid = balance_of(payment)?.unwrap_or_default();
            self.balance = self.balance.plus(paid.amount);
        }
        Ok(())
    }
}

/// Whole units are told; the fraction is carried.
pub(super) fn units(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let per_second: u128 = input.get("units_per_second").integer()?;
    let mut told = 0;
    let mut said = expected.get("billed_units").list()?;
    for callback in input.get("callback_ms").list()? {
        let elapsed_ms: u128 = callback.integer()?;
        let whole = per_second * elapsed_ms / 1_000;
        let missing = || expected.get("billed_units").wrong("is too short");
        said.next().ok_or_else(missing)?.is(whole - told)?;
        told = whole;
    }
    Ok(())
}
