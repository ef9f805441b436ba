//! The protobuf messages of a payment (`net/lp_rpc.proto` of go-livepeer).

use prost::Message;

/// A batch of signed tickets.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Payment {
    /// The parameters that the tickets were made with.
    #[prost(message, optional, tag = "1")]
    pub ticket_params: Option<TicketParams>,
    /// Who pays: 20 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub sender: Vec<u8>,
    /// The round that the tickets were made in.
    #[prost(message, optional, tag = "3")]
    pub expiration_params: Option<ExpirationParams>,
    /// A number and a signature per ticket.
    #[prost(message, repeated, tag = "4")]
    pub ticket_sender_params: Vec<SenderParams>,
    /// The price that the sender was told.
    #[prost(message, optional, tag = "5")]
    pub expected_price: Option<Price>,
}

/// The parameters that tickets are made with. Numbers are bytes, the greatest first, without
/// leading zeros.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TicketParams {
    /// Whom a winner pays: 20 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub recipient: Vec<u8>,
    /// What a winner pays, in wei.
    #[prost(bytes = "vec", tag = "2")]
    pub face_value: Vec<u8>,
    /// A ticket wins when its draw is below this.
    #[prost(bytes = "vec", tag = "3")]
    pub win_prob: Vec<u8>,
    /// The hash of what the recipient draws with: 32 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub recipient_rand_hash: Vec<u8>,
    /// Tells sets of parameters apart.
    #[prost(bytes = "vec", tag = "5")]
    pub seed: Vec<u8>,
    /// The L1 block from which on no ticket is taken.
    #[prost(bytes = "vec", tag = "6")]
    pub expiration_block: Vec<u8>,
    /// The round that tickets shall name.
    #[prost(message, optional, tag = "7")]
    pub expiration_params: Option<ExpirationParams>,
}

/// A round.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExpirationParams {
    /// Its number.
    #[prost(int64, tag = "1")]
    pub creation_round: i64,
    /// The hash of its first block: 32 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub creation_round_block_hash: Vec<u8>,
}

/// A ticket of a batch.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SenderParams {
    /// Its number.
    #[prost(uint32, tag = "1")]
    pub sender_nonce: u32,
    /// Its signature: 65 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub sig: Vec<u8>,
}

/// A price in wei per unit.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Price {
    /// The numerator.
    #[prost(int64, tag = "1")]
    pub price_per_unit: i64,
    /// The denominator.
    #[prost(int64, tag = "2")]
    pub pixels_per_unit: i64,
    /// The capability.
    #[prost(uint32, tag = "3")]
    pub capability: u32,
    /// The model.
    #[prost(string, tag = "4")]
    pub constraint: String,
}
