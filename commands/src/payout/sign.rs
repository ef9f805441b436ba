//! The transfer of a payout, recorded before anybody is told; and its replacement.

use purser_events::payout::{PayoutSigned, Rail};
use purser_events::{Amount, Event, Wei};
use purser_projections::Books;
use purser_projections::payouts::{OpenPayout, PayoutState, Signer};

use super::{ATTEMPTS_MAX, PayoutRef, RAW_BYTES_MAX, SignPayout, find};
use crate::{Answer, Rejection};

pub(crate) fn sign(
    books: &Books,
    sign: &SignPayout,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    let wanted = PayoutRef {
        payout: sign.payout,
        digest: None,
    };
    let payout = find(folds, wanted)?;
    let signer = folds.payouts.signer().ok_or(Rejection::SignerMissing)?;
    if signer.stopped.is_some() {
        return Err(Rejection::SignerStopped);
    }
    if payout.knows(&sign.hash) {
        return Ok(Answer::Unchanged);
    }
    may_be_signed(payout)?;
    if sign.nonce != nonce_of(payout, signer) {
        return Err(Rejection::NonceDiffers);
    }
    check_fees(payout, sign)?;
    into.push(Event::PayoutSigned(Box::new(PayoutSigned {
        payout: sign.payout,
        nonce: sign.nonce,
        hash: sign.hash,
        max_fee: sign.max_fee,
        tip: sign.tip,
        gas_limit: sign.gas_limit,
        raw: sign.raw.clone(),
    })));
    Ok(Answer::Done)
}

fn may_be_signed(payout: &OpenPayout) -> Result<(), Rejection> {
    let fits = match payout.state {
        PayoutState::Requested | PayoutState::Signed | PayoutState::Sent => true,
        PayoutState::Mined | PayoutState::Failed(_) => false,
    };
    if fits && payout.rail == Rail::Chain && payout.attempts.len() < ATTEMPTS_MAX {
        Ok(())
    } else {
        Err(Rejection::PayoutDiffers)
    }
}

/// A payout keeps its nonce for ever: so at most one of its transactions lands.
fn nonce_of(payout: &OpenPayout, signer: &Signer) -> u64 {
    payout.nonce.unwrap_or(signer.next_nonce)
}

/// Fees that can be paid at all; and for a replacement, fees that nodes take instead: a tenth more.
fn check_fees(payout: &OpenPayout, sign: &SignPayout) -> Result<(), Rejection> {
    let most = sign.max_fee.0.checked_mul(sign.gas_limit.into());
    let in_range = most.is_some_and(|most| most <= Amount::MAX.0);
    let whole = !sign.raw.is_empty() && sign.raw.len() <= RAW_BYTES_MAX;
    if !in_range || !whole || sign.tip > sign.max_fee {
        return Err(Rejection::FeeOutOfRange);
    }
    let Some(latest) = payout.attempts.last() else {
        return Ok(());
    };
    if sign.max_fee < bumped(latest.max_fee) || sign.tip < latest.tip {
        return Err(Rejection::FeeTooLow);
    }
    Ok(())
}

/// A tenth more, rounded up.
fn bumped(fee: Wei) -> Wei {
    Wei(fee.0.saturating_add(fee.0.div_ceil(10)))
}
