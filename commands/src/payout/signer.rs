//! The key that signs: opened, stopped, resumed.

use purser_events::Event;
use purser_events::payout::{SignerOpened, SignerResumed, SignerStopped};
use purser_projections::Books;

use super::{OpenSigner, ResumeSigner, StopSigner};
use crate::{Answer, Rejection};

pub(crate) fn open(
    books: &Books,
    open: &OpenSigner,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let payouts = &books.projections.payouts;
    if let Some(signer) = payouts.signer() {
        if (signer.address, signer.chain_id) == (open.address, open.chain_id) {
            return Ok(Answer::Unchanged);
        }
        // What the other key signed may still land: only that key's nonces tell.
        if payouts.signed_payouts().next().is_some() {
            return Err(Rejection::SignerBusy);
        }
    }
    into.push(Event::SignerOpened(Box::new(SignerOpened {
        address: open.address,
        chain_id: open.chain_id,
        nonce: open.nonce,
    })));
    Ok(Answer::Done)
}

pub(crate) fn stop(
    books: &Books,
    stop: &StopSigner,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let signer = books.projections.payouts.signer();
    let signer = signer.ok_or(Rejection::SignerMissing)?;
    if signer.stopped.is_some() {
        return Ok(Answer::Unchanged);
    }
    let (nonce, chain_nonce) = (signer.next_nonce, stop.chain_nonce);
    if chain_nonce <= nonce {
        return Err(Rejection::NonceDiffers);
    }
    let stopped = SignerStopped { nonce, chain_nonce };
    into.push(Event::SignerStopped(Box::new(stopped)));
    Ok(Answer::Done)
}

/// The next nonce is one that neither the log nor the chain has seen.
pub(crate) fn resume(
    books: &Books,
    resume: &ResumeSigner,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let signer = books.projections.payouts.signer();
    let signer = signer.ok_or(Rejection::SignerMissing)?;
    if signer.stopped.is_none() {
        return Ok(Answer::Unchanged);
    }
    let nonce = signer.next_nonce.max(resume.chain_nonce);
    into.push(Event::SignerResumed(Box::new(SignerResumed { nonce })));
    Ok(Answer::Done)
}
