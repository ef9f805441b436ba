//! A gateway of the reference node, as far as it signs: token requests and tickets.

use alloy_primitives::keccak256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use purser::tickets::hash::{Ticket, personal_digest};
use purser::tickets::request::text_hash;
use purser::tickets::signature::address_of;
use purser::tickets::wire::{ExpirationParams, Payment, Price, SenderParams, TicketParams};
use purser_events::{Address, U256, Word};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SecretKey};
use serde_json::{Value, json};

/// Our recipient in tests.
pub(crate) const RECIPIENT: &str = "0x9761d58e9df6fc4f0088ae9a4ea3776fd10a1cee";

/// A gateway with a key of its own.
#[derive(Clone, Copy)]
pub(crate) struct Gateway {
    key: SecretKey,
    pub(crate) address: Address,
}

impl Gateway {
    /// The gateway of this name.
    pub(crate) fn named(name: &str) -> Self {
        let key = SecretKey::from_secret_bytes(keccak256(name).0).expect("a key");
        let address = address_of(&PublicKey::from_secret_key(&key));
        Self { key, address }
    }

    /// A personal signature over 32 bytes.
    pub(crate) fn sign(&self, message: &Word) -> Vec<u8> {
        let digest = Message::from_digest(personal_digest(message).0);
        let signature = RecoverableSignature::sign_ecdsa_recoverable(digest, &self.key);
        let (parity, compact) = signature.serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(27 + parity.to_u8());
        bytes
    }

    /// The value of `Livepeer-Eth-Address`.
    pub(crate) fn header(&self) -> String {
        let addr = self.address.to_string();
        let signature = self.sign(&text_hash(&addr));
        let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        STANDARD.encode(json!({ "addr": addr, "sig": format!("0x{digits}") }).to_string())
    }

    /// A payment with these tickets, under the parameters of a token or a quote.
    pub(crate) fn payment(
        &self,
        params: &Value,
        price: (i64, i64),
        nonces: impl IntoIterator<Item = u32>,
    ) -> Payment {
        let params = read(params);
        let round = params.expiration_params.clone();
        let tickets = nonces.into_iter().map(|nonce| SenderParams {
            sender_nonce: nonce,
            sig: self.sign(&self.ticket(&params, nonce).hash()),
        });
        Payment {
            sender: self.address.0.to_vec(),
            expiration_params: round,
            ticket_sender_params: tickets.collect(),
            expected_price: Some(Price {
                price_per_unit: price.0,
                pixels_per_unit: price.1,
                ..Price::default()
            }),
            ticket_params: Some(TicketParams {
                expiration_params: None,
                ..params
            }),
        }
    }

    fn ticket(&self, params: &TicketParams, nonce: u32) -> Ticket {
        let round = params.expiration_params.clone().unwrap_or_default();
        let word = |bytes: &[u8]| Word(bytes.try_into().expect("32 bytes"));
        let number = |bytes: &[u8]| U256::from_be_slice(bytes).expect("a number");
        Ticket {
            recipient: Address(params.recipient[..].try_into().expect("20 bytes")),
            sender: self.address,
            face_value: number(&params.face_value),
            win_prob: number(&params.win_prob),
            nonce,
            rand_hash: word(&params.recipient_rand_hash),
            round: round.creation_round.unsigned_abs(),
            round_hash: word(&round.creation_round_block_hash),
        }
    }
}

/// A payment in base64.
pub(crate) fn encoded(payment: &Payment) -> String {
    STANDARD.encode(payment.encode_to_vec())
}

/// The parameters of a token or a quote.
pub(crate) fn read(params: &Value) -> TicketParams {
    let bytes = |field: &Value| {
        STANDARD
            .decode(field.as_str().unwrap_or(""))
            .expect("base64")
    };
    let round = &params["expiration_params"];
    TicketParams {
        recipient: bytes(&params["recipient"]),
        face_value: bytes(&params["face_value"]),
        win_prob: bytes(&params["win_prob"]),
        recipient_rand_hash: bytes(&params["recipient_rand_hash"]),
        seed: bytes(&params["seed"]),
        expiration_block: bytes(&params["expiration_block"]),
        expiration_params: Some(ExpirationParams {
            creation_round: round["creation_round"].as_i64().unwrap_or(0),
            creation_round_block_hash: bytes(&round["creation_round_block_hash"]),
        }),
    }
}

/// Where the chain stands, as a node tells it.
pub(crate) fn chain(l1_block: u64) -> Value {
    json!({
        "l1_block": l1_block, "round": 3456, "gas_price_wei": "10000000",
        "round_block_hash": format!("0x{}", "20".repeat(32)),
    })
}
