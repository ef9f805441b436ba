//! What the signatures of requests cover.

use alloy_primitives::keccak256;
use purser_events::{Address, Word};

use super::signature::{SignatureError, signer};

/// The tag of a job request of version 1, filled up to 16 bytes.
const JOB_V1: &[u8; 16] = b"LP_BYOC_JOB_V1\0\0";

/// The account that signed a text: personally, over the hash of the text.
///
/// # Errors
/// When the signature names no signer.
pub fn text_signer(text: &str, signature: &[u8]) -> Result<Address, SignatureError> {
    signer(&text_hash(text), signature)
}

/// What a signature of a text signs.
#[must_use]
pub fn text_hash(text: &str) -> Word {
    Word(keccak256(text).0)
}

/// A job request of version 1, whose signature covers all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobV1<'a> {
    /// The job's id.
    pub id: &'a str,
    /// The capability that it asks for.
    pub capability: &'a str,
    /// The request, as JSON.
    pub request: &'a str,
    /// Its parameters, as JSON.
    pub parameters: &'a str,
    /// How long it may take, in seconds.
    pub timeout_sec: u32,
}

impl JobV1<'_> {
    /// The bytes that are hashed.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        let mut bytes = JOB_V1.to_vec();
        bytes.extend_from_slice(&self.timeout_sec.to_be_bytes());
        for text in [self.id, self.capability, self.request, self.parameters] {
            let length = u32::try_from(text.len()).expect("a request is below 4 GiB");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// What its signature signs.
    #[must_use]
    pub fn hash(&self) -> Word {
        Word(keccak256(self.preimage()).0)
    }
}
