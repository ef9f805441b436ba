//! What a ticket's signature covers, and whether a ticket wins.

use alloy_primitives::keccak256;
use purser_events::{Address, U256, Word};

/// A ticket, as its sender signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Whom a winner pays.
    pub recipient: Address,
    /// Who pays.
    pub sender: Address,
    /// What a winner pays, in wei.
    pub face_value: U256,
    /// It wins when its draw is below this.
    pub win_prob: U256,
    /// Its number among those of its parameters.
    pub nonce: u32,
    /// The hash of what the recipient draws with.
    pub rand_hash: Word,
    /// The round that it was made in.
    pub round: u64,
    /// The hash of that round's first block.
    pub round_hash: Word,
}

/// Bytes before the round.
const FIXED: usize = 168;

impl Ticket {
    /// The round and its hash: 64 bytes, or none when both are zero.
    #[must_use]
    pub fn auxiliary(&self) -> Vec<u8> {
        if self.round == 0 && self.round_hash == Word::ZERO {
            return Vec::new();
        }
        let round = U256::from_u128(self.round.into()).to_be_bytes();
        [round, self.round_hash.0].concat()
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + 64);
        bytes.extend_from_slice(&self.recipient.0);
        bytes.extend_from_slice(&self.sender.0);
        bytes.extend_from_slice(&self.face_value.to_be_bytes());
        bytes.extend_from_slice(&self.win_prob.to_be_bytes());
        bytes.extend_from_slice(&U256::from_u128(self.nonce.into()).to_be_bytes());
        bytes.extend_from_slice(&self.rand_hash.0);
        bytes.extend_from_slice(&self.auxiliary());
        bytes
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> Word {
        Word(keccak256(self.preimage()).0)
    }
}

/// What a personal signature over these 32 bytes signs (EIP-191).
#[must_use]
pub fn personal_digest(message: &Word) -> Word {
    const HEAD: &[u8; 28] = b"\x19Ethereum Signed Message:\n32";
    let mut bytes = [0; 60];
    bytes[..28].copy_from_slice(HEAD);
    bytes[28..].copy_from_slice(&message.0);
    Word(keccak256(bytes).0)
}

/// What a ticket with this signature draws against what the recipient draws with.
#[must_use]
pub fn draw(signature: &[u8], rand: &Word) -> U256 {
    let mut bytes = Vec::with_capacity(signature.len() + 32);
    bytes.extend_from_slice(signature);
    bytes.extend_from_slice(&rand.0);
    U256::from_be_bytes(keccak256(bytes).0)
}

/// The hash that commits the recipient to what it draws with.
#[must_use]
pub fn commitment(rand: &Word) -> Word {
    Word(keccak256(rand.0).0)
}
