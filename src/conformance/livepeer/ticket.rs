//! Tickets: hashes, draws, what they are worth, and the terms they are issued on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use purser_commands::ticket::terms::{Free, LIFE_BLOCKS, NoTerms, Wanted, float_of, reserve_share};
use purser_events::ticket::SenderFunds;
use purser_events::{Address, Amount, U256, Wei, Word};
use purser_projections::tickets::Expected;

use crate::conformance::value::{Mismatch, Node, Rational, Wide};
use crate::tickets::hash::{Ticket, commitment, draw, personal_digest};
use crate::tickets::rand::{Bound, significant};
use crate::tickets::wire;

/// What a signature covers.
pub(super) fn hash(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let ticket = Ticket {
        recipient: input.get("recipient").address()?,
        sender: input.get("sender").address()?,
        face_value: input.get("face_value").wide()?,
        win_prob: input.get("win_prob").wide()?,
        nonce: input.get("sender_nonce").integer()?,
        rand_hash: input.get("recipient_rand_hash").word()?,
        round: input.get("creation_round").integer()?,
        round_hash: input.get("creation_round_block_hash").word()?,
    };
    expected.get("aux_data").is_bytes(&ticket.auxiliary())?;
    let preimage = ticket.preimage();
    if expected.get("preimage").is_there() {
        expected.get("preimage").is_bytes(&preimage)?;
    }
    expected.get("preimage_len").is(preimage.len())?;
    expected.get("hash").is(ticket.hash())?;
    expected
        .get("eip191_digest")
        .is(personal_digest(&ticket.hash()))
}

/// What the reference node draws with.
pub(super) fn rand(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let price = input.get("price");
    let price = price.rational()?.small();
    let bound = Bound {
        seed: input.get("seed").word()?,
        sender: input.get("sender").address()?,
        recipient: Address([0; 20]),
        face_value: input.get("face_value").wide()?,
        win_prob: input.get("win_prob").wide()?,
        expiration_block: input.get("expiration_block").wide()?,
        price: price.ok_or_else(|| input.get("price").wrong("is too large"))?,
        round: input.get("creation_round").integer()?,
        round_hash: input.get("creation_round_block_hash").word()?,
    };
    let secret = input.get("secret").bytes()?;
    expected
        .get("hmac_message")
        .is_bytes(&bound.reference_message())?;
    let rand = bound.reference_rand(&secret);
    expected
        .get("recipient_rand")
        .is(U256::from_be_bytes(rand.0))?;
    expected.get("recipient_rand_hash").is(commitment(&rand))
}

/// Whether a ticket wins.
pub(super) fn win(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let rand = Word(input.get("recipient_rand").wide()?.to_be_bytes());
    let draw = draw(&input.get("sig").bytes()?, &rand);
    expected.get("draw").is(draw)?;
    expected.get("won").is(draw < input.get("win_prob").wide()?)
}

/// What a ticket is worth: exactly, not only in whole wei.
pub(super) fn expected_value(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let face_value = Wei(input.get("face_value").integer()?);
    let win_prob = input.get("win_prob").wide()?;
    let worth = Expected::of(face_value, win_prob);
    is_worth(&expected.get("ev"), worth)?;
    let whole = Rational {
        is_negative: false,
        numerator: wide(win_prob),
        denominator: wide(U256::MAX),
    };
    let prob = expected.get("win_prob_float_string_10");
    prob.is(rounded(&whole, 10))?;
    expected
        .get("ev_float_string_0")
        .is(rounded(&expected.get("ev").rational()?, 0))
}

fn wide(number: U256) -> Wide {
    Wide::try_from_be_slice(&number.to_be_bytes()).expect("32 bytes fit")
}

/// Compares a rational with an expected value, to the last part.
pub(super) fn is_worth(node: &Node<'_>, worth: Expected) -> Result<(), Mismatch> {
    let rational = node.rational()?;
    let max = wide(U256::MAX);
    let parts = Wide::from(worth.floor().0) * max + wide(worth.parts());
    if rational.numerator * max == parts * rational.denominator {
        return Ok(());
    }
    Err(node.wrong(format!(
        "found {} wei and {} parts",
        worth.floor(),
        worth.parts()
    )))
}

/// The decimal digits of a number that is not below zero, half away from zero.
fn rounded(rational: &Rational, digits: usize) -> String {
    let scale = Wide::from(10_u64).pow(Wide::from(digits));
    let twice = Wide::from(2_u64);
    let numerator = rational.numerator * scale * twice + rational.denominator;
    let number = (numerator / (rational.denominator * twice)).to_string();
    if digits == 0 {
        return number;
    }
    let padded = format!("{number:0>width$}", width = digits + 1);
    let (whole, part) = padded.split_at(padded.len() - digits);
    format!("{whole}.{part}")
}

/// The terms of a set of parameters.
pub(super) fn params(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let wanted = Wanted {
        expected: Wei(input.get("ev").integer()?),
        redeem_gas: input.get("redeem_gas").integer()?,
        cost_multiplier: input.get("tx_cost_multiplier").integer()?,
        face_value_max: None,
    };
    let gas_price = Wei(input.get("gas_price").integer()?);
    // Amounts end at 2^128 - 1; a float above that bears every face value there is.
    let float = input.get("max_float").wide()?.to_u128();
    let float = Wei(float.unwrap_or(u128::MAX));
    let refused = "insufficient sender reserve";
    match wanted.face_value(gas_price, float) {
        Err(NoTerms::SenderReserveTooLow) => {
            expected.get("tx_cost_multiplier_error").is(refused)?;
        }
        Ok(face_value) => multiplier(expected, face_value, wanted.redeem_cost(gas_price))?,
    }
    let price = input.get("price").rational()?;
    let free = match price.numerator == Wide::ZERO {
        true => Free::Yes,
        false => Free::No,
    };
    let terms = match wanted.terms(free, gas_price, float) {
        Err(NoTerms::SenderReserveTooLow) => return expected.get("error").is(refused),
        Ok(terms) => terms,
    };
    expected.get("error").is("null")?;
    expected.get("face_value").is(terms.face_value)?;
    expected.get("win_prob").is(terms.win_prob)?;
    let last: u64 = input.get("last_l1_block").integer()?;
    expected.get("expiration_block").is(last + LIFE_BLOCKS)?;
    let worth = Expected::of(terms.face_value, terms.win_prob);
    is_worth(&expected.get("ev"), worth)
}

/// How many redemptions a winner pays for; nothing where they cost nothing.
fn multiplier(expected: &Node<'_>, face_value: Wei, cost: Wei) -> Result<(), Mismatch> {
    let node = expected.get("tx_cost_multiplier");
    let found = match cost.0 {
        0 => (Wide::ZERO, Wide::from(1_u64)),
        cost => (Wide::from(face_value.0), Wide::from(cost)),
    };
    let wanted = node.rational()?;
    if wanted.numerator * found.1 == found.0 * wanted.denominator {
        return Ok(());
    }
    Err(node.wrong(format!("found {}/{}", found.0, found.1)))
}

/// The greatest face value that a sender's funds bear.
pub(super) fn float(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let wei = |field: &str| input.get(field).integer().map(Amount);
    let funds = SenderFunds {
        deposit: wei("deposit")?,
        reserve: wei("funds_remaining")?,
        claimed: wei("claimed_in_current_round")?,
        claimed_by_us: wei("claimed_by_recipient")?,
        recipients: input.get("pool_size").integer()?,
        pending: wei("pending_amount")?,
        unlock_round: 0,
    };
    expected.get("reserve_alloc").is(reserve_share(&funds))?;
    expected.get("max_float").is(float_of(&funds))
}

/// A payment as it stands in a header, both ways.
pub(super) fn payment(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let built = payment_of(input)?;
    expected.get("protobuf").is_bytes(&built.encode_to_vec())?;
    let header = expected.get("header");
    header.is(STANDARD.encode(built.encode_to_vec()))?;
    let bytes = STANDARD.decode(header.text()?);
    let bytes = bytes.map_err(|error| header.wrong(error.to_string()))?;
    let read = wire::Payment::decode(bytes.as_slice());
    let read = read.map_err(|error| header.wrong(error.to_string()))?;
    if read == built {
        return Ok(());
    }
    Err(header.wrong("is read as another payment"))
}

/// The payment that a vector describes, as a gateway sends it.
pub(super) fn payment_of(input: &Node<'_>) -> Result<wire::Payment, Mismatch> {
    let params = input.get("ticket_params");
    let mut payment = wire::Payment {
        sender: input.get("sender").address()?.0.to_vec(),
        expected_price: Some(wire::Price {
            price_per_unit: input.get("price_per_unit").integer()?,
            pixels_per_unit: input.get("pixels_per_unit").integer()?,
            ..wire::Price::default()
        }),
        ..wire::Payment::default()
    };
    if !params.is_there() {
        return Ok(payment);
    }
    payment.expiration_params = Some(wire::ExpirationParams {
        creation_round: params.get("creation_round").integer()?,
        creation_round_block_hash: params.get("creation_round_block_hash").bytes()?,
    });
    let number = |field: &str| {
        let number = params.get(field).wide()?;
        Ok::<_, Mismatch>(significant(&number.to_be_bytes()).to_vec())
    };
    payment.ticket_params = Some(wire::TicketParams {
        recipient: params.get("recipient").bytes()?,
        face_value: number("face_value")?,
        win_prob: number("win_prob")?,
        recipient_rand_hash: params.get("recipient_rand_hash").bytes()?,
        seed: params.get("seed").bytes()?,
        expiration_block: number("expiration_block")?,
        expiration_params: None,
    });
    for ticket in input.get("tickets").list()? {
        payment.ticket_sender_params.push(wire::SenderParams {
            sender_nonce: ticket.get("sender_nonce").integer()?,
            sig: ticket.get("sig").bytes()?,
        });
    }
    Ok(payment)
}
