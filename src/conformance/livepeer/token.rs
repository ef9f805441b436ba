//! What gateways read of balances.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purser_events::{U256, Wei};
use purser_projections::tickets::Expected;

use super::ticket::is_worth;
use crate::conformance::value::{Mismatch, Node};
use crate::tickets::show;
use crate::tickets::token::Token;

/// The balance in a token.
pub(super) fn balance(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let balance = input.get("balance");
    let floor = balance.rational()?.floor();
    let wei = floor.ok_or_else(|| balance.wrong("is out of range"))?;
    expected
        .get("balance")
        .is(show::reference_token_balance(wei))
}

/// A token as gateways read it, both ways.
pub(super) fn token(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let body = input.get("body");
    let read: Token =
        serde_json::from_str(body.text()?).map_err(|error| body.wrong(error.to_string()))?;
    let again = serde_json::to_string(&read).map_err(|error| body.wrong(error.to_string()))?;
    body.is(&again)?;
    let params = &read.ticket_params;
    let number = |text: &str| {
        let bytes = STANDARD.decode(text).ok();
        bytes.and_then(|bytes| U256::from_be_slice(&bytes))
    };
    let wide = |text: &str| number(text).ok_or_else(|| body.wrong("holds a number of no form"));
    let (face_value, win_prob) = (wide(&params.face_value)?, wide(&params.win_prob)?);
    expected.get("face_value").is(face_value)?;
    expected.get("win_prob").is(win_prob)?;
    expected
        .get("expiration_block")
        .is(wide(&params.expiration_block)?)?;
    let recipient = STANDARD.decode(&params.recipient).unwrap_or_default();
    expected.get("recipient").is_bytes(&recipient)?;
    expected.get("balance").is(read.balance)?;
    let price = (&read.price.price_per_unit, &read.price.pixels_per_unit);
    expected
        .get("price")
        .is(format!("{}/{}", price.0, price.1))?;
    let face_value = Wei(face_value.to_u128().unwrap_or(u128::MAX));
    is_worth(
        &expected.get("ticket_ev"),
        Expected::of(face_value, win_prob),
    )
}
