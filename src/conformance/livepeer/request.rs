//! Signatures of tickets and of requests.

use crate::conformance::value::{Mismatch, Node};
use crate::tickets::hash::personal_digest;
use crate::tickets::request::{JobV1, text_hash, text_signer};
use crate::tickets::signature::signer;

/// Whether a personal signature is the address's.
pub(super) fn signature(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let message = input.get("message").word()?;
    let signature = input.get("sig").bytes()?;
    let address = input.get("address").address()?;
    let found = signer(&message, &signature);
    expected.get("valid").is(found == Ok(address))
}

/// Whether a signed text is the address's.
pub(super) fn text(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let text = input.get("text").text()?;
    let signature = input.get("sig").bytes()?;
    let address = input.get("address").address()?;
    expected.get("keccak").is(text_hash(text))?;
    let found = text_signer(text, &signature);
    expected.get("valid").is(found == Ok(address))
}

/// A signed job request of version 1.
pub(super) fn job_v1(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let job = JobV1 {
        id: input.get("id").text()?,
        capability: input.get("capability").text()?,
        request: input.get("request").text()?,
        parameters: input.get("parameters").text()?,
        timeout_sec: input.get("timeout_seconds").integer()?,
    };
    expected.get("preimage").is_bytes(&job.preimage())?;
    expected.get("keccak").is(job.hash())?;
    expected.get("digest").is(personal_digest(&job.hash()))?;
    let signature = expected.get("sig").bytes()?;
    let found = signer(&job.hash(), &signature);
    let found = found.map_err(|error| expected.get("sig").wrong(error.to_string()))?;
    expected.get("signer").is(found)
}
