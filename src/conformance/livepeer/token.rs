//! What gateways read of balances.

use crate::conformance::value::{Mismatch, Node};
use crate::tickets::show;

/// The balance in a token.
pub(super) fn balance(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let balance = input.get("balance");
    let floor = balance.rational()?.floor();
    let wei = floor.ok_or_else(|| balance.wrong("is out of range"))?;
    expected
        .get("balance")
        .is(show::reference_token_balance(wei))
}
