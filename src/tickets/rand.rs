//! What a recipient draws with: derived from a secret and all that the parameters say, so that
//! nothing has to be kept for parameters that nobody ever pays with.

use hmac::{Hmac, Mac};
use purser_events::{Address, U256, Word};
use sha2::Sha256;

/// What the draw of a set of parameters depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Tells sets apart.
    pub seed: Word,
    /// Who pays.
    pub sender: Address,
    /// Whom a winner pays.
    pub recipient: Address,
    /// What a winner pays, in wei.
    pub face_value: U256,
    /// How often a ticket wins.
    pub win_prob: U256,
    /// The L1 block from which on no ticket is taken.
    pub expiration_block: U256,
    /// The price of the work: numerator and denominator.
    pub price: (u64, u64),
    /// The round.
    pub round: u64,
    /// The hash of that round's first block.
    pub round_hash: Word,
}

/// Tells our derivation from every other use of a secret.
const DOMAIN: &[u8; 24] = b"purser/ticket-rand/v1\0\0\0";

fn mac(secret: &[u8], message: &[u8]) -> Word {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(message);
    Word(mac.finalize().into_bytes().into())
}

impl Bound {
    /// What is drawn with under one of our secrets: every part has its own place, so that no two
    /// sets share a message.
    #[must_use]
    pub fn rand(&self, secret: &[u8; 32], id: u16) -> Word {
        let wide = |value: u64| U256::from_u128(value.into()).to_be_bytes();
        let mut message = Vec::with_capacity(328);
        message.extend_from_slice(DOMAIN);
        message.extend_from_slice(&id.to_be_bytes());
        message.extend_from_slice(&self.seed.0);
        message.extend_from_slice(&self.sender.0);
        message.extend_from_slice(&self.recipient.0);
        message.extend_from_slice(&self.face_value.to_be_bytes());
        message.extend_from_slice(&self.win_prob.to_be_bytes());
        message.extend_from_slice(&self.expiration_block.to_be_bytes());
        message.extend_from_slice(&wide(self.price.0));
        message.extend_from_slice(&wide(self.price.1));
        message.extend_from_slice(&self.round.to_be_bytes());
        message.extend_from_slice(&self.round_hash.0);
        mac(secret, &message)
    }

    /// The message of the reference node: integers without leading zeros, one behind the other.
    #[must_use]
    pub fn reference_message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        message.extend_from_slice(significant(&self.seed.0));
        message.extend_from_slice(&self.sender.0);
        message.extend_from_slice(significant(&self.face_value.to_be_bytes()));
        message.extend_from_slice(significant(&self.win_prob.to_be_bytes()));
        message.extend_from_slice(significant(&self.expiration_block.to_be_bytes()));
        message.extend_from_slice(significant(&self.price.0.to_be_bytes()));
        message.extend_from_slice(significant(&self.price.1.to_be_bytes()));
        if self.round != 0 || self.round_hash != Word::ZERO {
            message.extend_from_slice(&U256::from_u128(self.round.into()).to_be_bytes());
            message.extend_from_slice(&self.round_hash.0);
        }
        message
    }

    /// What the reference node draws with.
    #[must_use]
    pub fn reference_rand(&self, secret: &[u8]) -> Word {
        mac(secret, &self.reference_message())
    }
}

/// An integer without its leading zeros.
pub(crate) fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}
