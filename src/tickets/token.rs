//! What a gateway is told before it pays: the token of the reference node, and its parameters as
//! JSON and as protobuf.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purser_events::U256;
use purser_events::ticket::TicketParams;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rand::significant;
use super::wire;

/// A token: what it costs, what is left, and the parameters of the tickets that pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Who asked, as it was sent.
    pub sender_address: SignedAddress,
    /// The parameters of tickets.
    pub ticket_params: ParamsBody,
    /// The balance in whole wei.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub balance: i64,
    /// The price of a unit.
    pub price: PriceBody,
    /// Where the node is reached.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_addr: String,
    /// Slots of the capability that are free.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub available_capacity: i64,
    /// Always 0: under new parameters tickets are numbered from 1.
    #[serde(rename = "LastNonce")]
    pub last_nonce: u32,
    /// `job`: balances are kept per job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub balance_keying: Option<String>,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// An address and its owner's signature over its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedAddress {
    /// The address.
    pub addr: String,
    /// The signature in hexadecimal digits.
    pub sig: String,
}

/// A price in wei per unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceBody {
    /// The numerator.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub price_per_unit: i64,
    /// The denominator.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pixels_per_unit: i64,
}

/// Parameters of tickets. Numbers and hashes are bytes in base64, numbers with the greatest byte
/// first and without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParamsBody {
    /// Whom a winner pays.
    pub recipient: String,
    /// What a winner pays, in wei.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub face_value: String,
    /// A ticket wins when its draw is below this.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub win_prob: String,
    /// The hash of what is drawn with.
    pub recipient_rand_hash: String,
    /// Tells sets of parameters apart.
    pub seed: String,
    /// The L1 block from which on no ticket is taken.
    pub expiration_block: String,
    /// The round.
    pub expiration_params: RoundBody,
}

/// A round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoundBody {
    /// Its number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub creation_round: i64,
    /// The hash of its first L1 block.
    pub creation_round_block_hash: String,
}

fn number(number: U256) -> Vec<u8> {
    significant(&number.to_be_bytes()).to_vec()
}

/// Parameters as protobuf.
#[must_use]
pub fn protobuf(params: &TicketParams) -> wire::TicketParams {
    wire::TicketParams {
        recipient: params.recipient.0.to_vec(),
        face_value: number(U256::from_u128(params.face_value.0)),
        win_prob: number(params.win_prob),
        recipient_rand_hash: params.rand_hash.0.to_vec(),
        seed: significant(&params.seed.0).to_vec(),
        expiration_block: number(U256::from_u128(params.expiration_block.into())),
        expiration_params: Some(wire::ExpirationParams {
            creation_round: i64::try_from(params.round).unwrap_or(i64::MAX),
            creation_round_block_hash: params.round_hash.0.to_vec(),
        }),
    }
}

impl ParamsBody {
    /// Parameters as JSON.
    #[must_use]
    pub fn of(params: &TicketParams) -> Self {
        let wire = protobuf(params);
        let round = wire.expiration_params.unwrap_or_default();
        let text = |bytes: &[u8]| STANDARD.encode(bytes);
        Self {
            recipient: text(&wire.recipient),
            face_value: text(&wire.face_value),
            win_prob: text(&wire.win_prob),
            recipient_rand_hash: text(&wire.recipient_rand_hash),
            seed: text(&wire.seed),
            expiration_block: text(&wire.expiration_block),
            expiration_params: RoundBody {
                creation_round: round.creation_round,
                creation_round_block_hash: text(&round.creation_round_block_hash),
            },
        }
    }
}
