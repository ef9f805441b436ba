//! Who signed.

use alloy_primitives::keccak256;
use purser_events::{Address, Word};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};

use super::hash::personal_digest;

/// Bytes of a signature: r, s and v.
pub const BYTES: usize = 65;

/// Half of the curve's order: of the two forms of each signature, the one with the greater `s` is
/// refused.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// Why a signature names no signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It has another length.
    #[error("a signature has 65 bytes")]
    Length,
    /// Its last byte is something else.
    #[error("the last byte of a signature is 27 or 28")]
    Parity,
    /// It is the form with the greater `s`.
    #[error("the s of a signature is at most half of the curve's order")]
    HighS,
    /// No key made it.
    #[error("no key made the signature")]
    Invalid,
}

/// The account whose personal signature over these 32 bytes this is.
///
/// # Errors
/// See [`SignatureError`].
pub fn signer(message: &Word, signature: &[u8]) -> Result<Address, SignatureError> {
    let digest = personal_digest(message);
    recover(&digest, signature)
}

/// The account that signed this digest.
fn recover(digest: &Word, signature: &[u8]) -> Result<Address, SignatureError> {
    let &[ref compact @ .., parity] = signature else {
        return Err(SignatureError::Length);
    };
    if compact.len() != BYTES - 1 {
        return Err(SignatureError::Length);
    }
    let recovery = match parity {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        _ => return Err(SignatureError::Parity),
    };
    if compact[32..] > HALF_ORDER[..] {
        return Err(SignatureError::HighS);
    }
    let signature = RecoverableSignature::from_compact(compact, recovery);
    let key = signature.and_then(|signature| signature.recover(Message::from_digest(digest.0)));
    key.map(|key| address_of(&key))
        .map_err(|_| SignatureError::Invalid)
}

/// The account of a public key.
#[must_use]
pub fn address_of(key: &PublicKey) -> Address {
    let hash = keccak256(&key.serialize_uncompressed()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}
