//! What the chain said of a payout. What was seen too late to matter changes nothing.

use purser_events::payout::{
    FailureReason, PayoutFailed, PayoutFinal, PayoutMined, PayoutReorged, PayoutSent, Proof,
    SignerStopped,
};
use purser_events::{Amount, Event, PayoutNo};
use purser_projections::Books;
use purser_projections::payouts::{Mined, OpenPayout, PayoutState};

use super::{InBlock, ObservePayout, PayoutRef, Seen, find};
use crate::{Answer, Rejection};

pub(crate) fn observe(
    books: &Books,
    observed: &ObservePayout,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    let (payout, digest) = (observed.payout, None);
    let open = find(folds, PayoutRef { payout, digest })?;
    match observed.seen {
        Seen::Known(hash) => known((payout, open), hash, into),
        Seen::InBlock(block) => in_block((payout, open), block, into),
        Seen::Gone { block_hash } => gone((payout, open), block_hash, into),
        Seen::Final { block_hash } => landed((payout, open), block_hash, into),
        Seen::NonceUsed { chain_nonce } => {
            let stopped = folds
                .payouts
                .signer()
                .is_some_and(|one| one.stopped.is_some());
            nonce_used((payout, open), (chain_nonce, stopped), into)
        }
    }
}

type Known<'a> = (PayoutNo, &'a OpenPayout);

fn known(
    (payout, open): Known<'_>,
    hash: [u8; 32],
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if !open.knows(&hash) {
        return Err(Rejection::PayoutDiffers);
    }
    if open.state != PayoutState::Signed {
        return Ok(Answer::Unchanged);
    }
    into.push(sent(payout, hash));
    Ok(Answer::Done)
}

fn sent(payout: PayoutNo, hash: [u8; 32]) -> Event {
    let proof = Proof::Transaction(hash);
    Event::PayoutSent(Box::new(PayoutSent { payout, proof }))
}

fn in_block(
    (payout, open): Known<'_>,
    block: InBlock,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let attempt = open.attempts.iter().find(|one| one.hash == block.hash);
    let attempt = attempt.ok_or(Rejection::PayoutDiffers)?;
    // The chain never takes more than was signed; who says so is not to be believed.
    if block.gas_used > attempt.gas_limit || block.gas_price > attempt.max_fee {
        return Err(Rejection::PayoutDiffers);
    }
    match open.state {
        PayoutState::Signed => into.push(sent(payout, block.hash)),
        PayoutState::Sent => {}
        PayoutState::Mined => {
            let before = open.mined.ok_or(Rejection::PayoutDiffers)?;
            if (before.hash, before.block_hash) == (block.hash, block.block_hash) {
                return Ok(Answer::Unchanged);
            }
            into.push(reorged(payout, before));
        }
        PayoutState::Requested | PayoutState::Failed(_) => return Err(Rejection::PayoutDiffers),
    }
    into.push(Event::PayoutMined(Box::new(PayoutMined {
        payout,
        hash: block.hash,
        block: block.block,
        block_hash: block.block_hash,
        succeeded: block.succeeded,
        gas_used: block.gas_used,
        gas_price: block.gas_price,
    })));
    Ok(Answer::Done)
}

fn reorged(payout: PayoutNo, before: Mined) -> Event {
    let block_hash = before.block_hash;
    Event::PayoutReorged(Box::new(PayoutReorged { payout, block_hash }))
}

/// Where it stands, if it stands in this block.
fn standing(open: &OpenPayout, block_hash: [u8; 32]) -> Option<Mined> {
    let mined = open.mined.filter(|one| one.block_hash == block_hash);
    mined.filter(|_| open.state == PayoutState::Mined)
}

fn gone(
    (payout, open): Known<'_>,
    block_hash: [u8; 32],
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let before = standing(open, block_hash).ok_or(Rejection::PayoutDiffers)?;
    into.push(reorged(payout, before));
    Ok(Answer::Done)
}

fn landed(
    (payout, open): Known<'_>,
    block_hash: [u8; 32],
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let mined = standing(open, block_hash).ok_or(Rejection::PayoutDiffers)?;
    into.push(if mined.succeeded {
        Event::PayoutFinal(Box::new(PayoutFinal {
            payout,
            rail: open.rail,
            asset: open.asset,
            amount: open.amount,
            gas: mined.gas,
        }))
    } else {
        Event::PayoutFailed(Box::new(PayoutFailed {
            payout,
            reason: FailureReason::Reverted,
            asset: open.asset,
            gas: mined.gas,
        }))
    });
    Ok(Answer::Done)
}

/// The nonce is gone for good, so the payout never lands; and the key made a transaction that the
/// log does not know, so nothing more is signed until a person has looked.
fn nonce_used(
    (payout, open): Known<'_>,
    (chain_nonce, stopped): (u64, bool),
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let nonce = open.nonce.filter(|_| open.is_pending());
    let nonce = nonce.ok_or(Rejection::PayoutDiffers)?;
    if chain_nonce <= nonce {
        return Err(Rejection::NonceDiffers);
    }
    into.push(Event::PayoutFailed(Box::new(PayoutFailed {
        payout,
        reason: FailureReason::NonceUsed,
        asset: open.asset,
        gas: Amount::ZERO,
    })));
    if !stopped {
        let stop = SignerStopped { nonce, chain_nonce };
        into.push(Event::SignerStopped(Box::new(stop)));
    }
    Ok(Answer::Done)
}
