//! A payment's bytes become a batch of tickets whose form is checked.

use prost::Message;
use purser_events::{Address, Amount, U256, Word};

use super::hash::Ticket;
use super::rand::Bound;
use super::wire;

/// Tickets that one batch holds at most.
pub const TICKETS_MAX: usize = 600;

/// A batch of tickets whose form is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What the tickets' parameters were derived from.
    pub bound: Bound,
    /// The hash of what is drawn with.
    pub rand_hash: Word,
    /// The face value, which is within our amounts.
    pub face_value: Amount,
    /// The block from which on no ticket is taken.
    pub expiration_block: u64,
    /// Number and signature of each ticket.
    pub tickets: Vec<(u32, Vec<u8>)>,
}

/// Why bytes are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Malformed {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub detail: &'static str,
    /// Whether the form is right and the value is past a limit.
    pub out_of_range: bool,
    /// The numbers of the tickets that were in the payment.
    pub nonces: Vec<u32>,
}

fn wrong(field: &'static str, detail: &'static str) -> Malformed {
    Malformed {
        field,
        detail,
        out_of_range: false,
        nonces: Vec::new(),
    }
}

fn past(field: &'static str, detail: &'static str) -> Malformed {
    Malformed {
        out_of_range: true,
        ..wrong(field, detail)
    }
}

/// Reads a payment; `None` where it holds no tickets, as payments for free work do.
///
/// # Errors
/// When the bytes are no payment, or a part of it is missing, malformed or past a limit.
pub fn read(bytes: &[u8]) -> Result<Option<Batch>, Malformed> {
    let payment = wire::Payment::decode(bytes)
        .map_err(|_| wrong("payment", "is no whole protobuf message net.Payment"))?;
    batch_of(&payment).map_err(|malformed| Malformed {
        nonces: nonces(&payment),
        ..malformed
    })
}

fn nonces(payment: &wire::Payment) -> Vec<u32> {
    let tickets = payment.ticket_sender_params.iter().take(TICKETS_MAX);
    tickets.map(|ticket| ticket.sender_nonce).collect()
}

fn batch_of(payment: &wire::Payment) -> Result<Option<Batch>, Malformed> {
    let sender = address("sender", &payment.sender)?;
    let price = price(payment.expected_price.as_ref())?;
    let Some(params) = &payment.ticket_params else {
        return match payment.ticket_sender_params.len() {
            0 => Ok(None),
            _ => Err(wrong("ticket_params", "is missing")),
        };
    };
    let tickets = &payment.ticket_sender_params;
    if tickets.len() > TICKETS_MAX {
        return Err(past("ticket_sender_params", "holds more than 600 tickets"));
    }
    if tickets.is_empty() {
        return Err(wrong("ticket_sender_params", "holds no ticket"));
    }
    let round = payment.expiration_params.as_ref();
    let round = round.ok_or_else(|| wrong("expiration_params", "is missing"))?;
    let bound = bound(params, round, (sender, price))?;
    let face_value = bound.face_value.to_u128().map(Amount);
    let face_value = face_value.filter(|value| *value <= Amount::MAX);
    let expiration = bound.expiration_block.to_u128();
    let tickets = tickets.iter();
    Ok(Some(Batch {
        face_value: face_value
            .ok_or_else(|| past("ticket_params.face_value", "is above 2^96 - 1 wei"))?,
        expiration_block: expiration
            .and_then(|block| u64::try_from(block).ok())
            .ok_or_else(|| past("ticket_params.expiration_block", "is above 2^64 - 1"))?,
        rand_hash: Word(fixed(
            "ticket_params.recipient_rand_hash",
            &params.recipient_rand_hash,
            "is not of 32 bytes",
        )?),
        tickets: tickets
            .map(|one| (one.sender_nonce, one.sig.clone()))
            .collect(),
        bound,
    }))
}

fn bound(
    params: &wire::TicketParams,
    round: &wire::ExpirationParams,
    (sender, price): (Address, (u64, u64)),
) -> Result<Bound, Malformed> {
    let number = |field, bytes: &[u8]| {
        U256::from_be_slice(bytes).ok_or_else(|| past(field, "is above 2^256 - 1"))
    };
    let seed = number("ticket_params.seed", &params.seed)?;
    let creation_round = u64::try_from(round.creation_round)
        .map_err(|_| past("expiration_params.creation_round", "is below zero"))?;
    let hash = &round.creation_round_block_hash;
    let round_hash = match hash.is_empty() {
        true => Word::ZERO,
        false => Word(fixed(
            "expiration_params.creation_round_block_hash",
            hash,
            "is not of 32 bytes",
        )?),
    };
    Ok(Bound {
        seed: Word(seed.to_be_bytes()),
        sender,
        recipient: address("ticket_params.recipient", &params.recipient)?,
        face_value: number("ticket_params.face_value", &params.face_value)?,
        win_prob: number("ticket_params.win_prob", &params.win_prob)?,
        expiration_block: number("ticket_params.expiration_block", &params.expiration_block)?,
        price,
        round: creation_round,
        round_hash,
    })
}

fn price(price: Option<&wire::Price>) -> Result<(u64, u64), Malformed> {
    let price = price.ok_or_else(|| wrong("expected_price", "is missing"))?;
    let numerator = u64::try_from(price.price_per_unit)
        .map_err(|_| past("expected_price.pricePerUnit", "is below zero"))?;
    let denominator = u64::try_from(price.pixels_per_unit)
        .map_err(|_| past("expected_price.pixelsPerUnit", "is below zero"))?;
    if denominator == 0 {
        return Err(past("expected_price.pixelsPerUnit", "is zero"));
    }
    Ok((numerator, denominator))
}

fn address(field: &'static str, bytes: &[u8]) -> Result<Address, Malformed> {
    fixed(field, bytes, "is not of 20 bytes").map(Address)
}

fn fixed<const N: usize>(
    field: &'static str,
    bytes: &[u8],
    detail: &'static str,
) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| wrong(field, detail))
}

impl Batch {
    /// A ticket of the batch, as its sender signs it.
    #[must_use]
    pub const fn ticket(&self, nonce: u32) -> Ticket {
        let bound = &self.bound;
        Ticket {
            recipient: bound.recipient,
            sender: bound.sender,
            face_value: bound.face_value,
            win_prob: bound.win_prob,
            nonce,
            rand_hash: self.rand_hash,
            round: bound.round,
            round_hash: bound.round_hash,
        }
    }
}
