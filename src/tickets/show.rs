//! Balances and prices as gateways read them, in integers of fixed size.

/// The greatest balance that a token can show, in wei.
pub const TOKEN_BALANCE_MAX: i64 = i64::MAX / 1_000;

/// A balance in whole wei as a token shows it: never more than the greatest that it can show.
#[must_use]
pub fn token_balance(wei: i128) -> i64 {
    let bound = i128::from(TOKEN_BALANCE_MAX);
    let shown = wei.clamp(-bound, bound);
    i64::try_from(shown).expect("it was just bounded")
}

/// A balance in whole wei as the reference node shows it: from 2^63 wei on, as nothing.
#[must_use]
pub fn reference_token_balance(wei: i128) -> i64 {
    match i64::try_from(wei) {
        Ok(_) => token_balance(wei),
        Err(_) => 0,
    }
}
