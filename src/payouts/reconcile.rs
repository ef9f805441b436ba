//! What became of what was signed. Nothing is decided from a node's error: after any answer, or
//! none, the chain is asked for receipts, transactions and nonces.

use hashbrown::HashMap;
use purser_commands::Command;
use purser_commands::payout::{InBlock, Seen, StopSigner};
use purser_events::{PayoutNo, Wei};
use purser_projections::payouts::{Mined, OpenPayout, PayoutState};

use super::books::{self, Open, Work, seen};
use super::fault;
use super::node::{At, NodeError};
use super::runner::{RoundError, Runner, Sight};
use super::trace::{Found, find_nonce};
use super::wire::Receipt;

/// So many waiting transactions are looked at in one round, the lowest nonces first: the others
/// wait for them anyway.
const WAITING_MAX: usize = 64;

/// Asks the chain about everything that was signed, and reports; whether there was anything new.
pub(super) async fn reconcile(
    runner: &Runner,
    work: &Work,
    sight: &Sight,
) -> Result<bool, RoundError> {
    let mut found = Findings::default();
    let shaken = is_shaken(runner, work).await?;
    for (number, payout) in &work.signed {
        match (payout.state, payout.mined) {
            (PayoutState::Mined, Some(mined)) => {
                let settled = sight.settled.is_some_and(|settled| mined.block <= settled);
                if shaken || settled {
                    standing(runner, (*number, payout, mined), &mut found).await?;
                }
            }
            _ if payout.nonce.is_some_and(|nonce| nonce < sight.nonce) => {
                landed(runner, (*number, payout), sight, &mut found).await?;
            }
            _ => {}
        }
    }
    foreign(runner, work, sight, &mut found).await?;
    found.report(runner).await
}

/// What was found, in the order in which it is reported: final last, so that a crash in between
/// leaves a state that every step follows from.
#[derive(Default)]
struct Findings {
    blocks: Vec<Command>,
    finals: Vec<Command>,
    hashes: HashMap<u64, Option<[u8; 32]>>,
}

impl Findings {
    async fn report(self, runner: &Runner) -> Result<bool, RoundError> {
        let blocks = books::report(&runner.service, self.blocks).await?;
        if blocks {
            fault::point("mined");
        }
        if !self.finals.is_empty() {
            fault::point("before_final");
        }
        let finals = books::report(&runner.service, self.finals).await?;
        if finals {
            fault::point("final");
        }
        Ok(blocks || finals)
    }

    /// The hash of the chain's block of this number.
    async fn hash(&mut self, runner: &Runner, number: u64) -> Result<Option<[u8; 32]>, NodeError> {
        if let Some(known) = self.hashes.get(&number) {
            return Ok(*known);
        }
        let block = runner.node.block(At::Number(number)).await?;
        let hash = block.map(|block| block.hash.0);
        self.hashes.insert(number, hash);
        Ok(hash)
    }
}

/// Whether the highest block that holds a payout is gone. While it stands, so do those below it.
async fn is_shaken(runner: &Runner, work: &Work) -> Result<bool, RoundError> {
    let mined = work.signed.iter().filter_map(|(_, payout)| payout.mined);
    let Some(highest) = mined.max_by_key(|mined| mined.block) else {
        return Ok(false);
    };
    let block = runner.node.block(At::Number(highest.block)).await?;
    Ok(block.is_none_or(|block| block.hash.0 != highest.block_hash))
}

/// A payout that was seen in a block: still there, elsewhere, or gone.
async fn standing(
    runner: &Runner,
    (number, payout, mined): (PayoutNo, &OpenPayout, Mined),
    found: &mut Findings,
) -> Result<(), RoundError> {
    let Some(receipt) = receipt(runner, payout).await? else {
        let block_hash = mined.block_hash;
        found.blocks.push(seen(number, Seen::Gone { block_hash }));
        return Ok(());
    };
    let place = in_block(&receipt);
    let canonical = found.hash(runner, place.block).await?;
    if canonical != Some(place.block_hash) {
        // The node contradicts itself: the next look tells.
        return Ok(());
    }
    if (place.hash, place.block_hash) == (mined.hash, mined.block_hash) {
        let block_hash = mined.block_hash;
        if place.succeeded == mined.succeeded {
            found.finals.push(seen(number, Seen::Final { block_hash }));
        }
    } else {
        found.blocks.push(seen(number, Seen::InBlock(place)));
    }
    Ok(())
}

/// A payout whose nonce the chain has passed: by one of its transactions, or by a foreign one.
async fn landed(
    runner: &Runner,
    (number, payout): (PayoutNo, &OpenPayout),
    sight: &Sight,
    found: &mut Findings,
) -> Result<(), RoundError> {
    if let Some(receipt) = receipt(runner, payout).await? {
        found
            .blocks
            .push(seen(number, Seen::InBlock(in_block(&receipt))));
        return Ok(());
    }
    // Not shown is not gone: only what used the nonce instead, in a block that is final, proves
    // that this payout never lands.
    let (Some(nonce), Some(settled)) = (payout.nonce, sight.settled) else {
        return Ok(());
    };
    let address = runner.settings.key.address();
    match find_nonce(&runner.node, (address, nonce), settled).await? {
        Found::Unused => Ok(()),
        Found::Hidden => Err(RoundError::Hidden(nonce)),
        Found::Transaction(one, _) if payout.knows(&one.hash.0) => Ok(()),
        Found::Transaction(one, _) => {
            let hash = one.hash;
            let told = "the signer's key was used elsewhere: a person must look";
            tracing::error!(nonce, %hash, "{told}");
            let chain_nonce = sight.nonce;
            found
                .finals
                .push(seen(number, Seen::NonceUsed { chain_nonce }));
            Ok(())
        }
    }
}

/// Transactions of the key beyond every nonce that the log gave.
async fn foreign(
    runner: &Runner,
    work: &Work,
    sight: &Sight,
    found: &mut Findings,
) -> Result<(), RoundError> {
    let (Some(signer), Some(settled)) = (work.signer, sight.settled) else {
        return Ok(());
    };
    if signer.stopped.is_some() || sight.nonce <= signer.next_nonce {
        return Ok(());
    }
    let settled = At::Number(settled);
    let chain_nonce = runner.node.nonce(signer.address, settled).await?;
    if chain_nonce > signer.next_nonce {
        let nonce = signer.next_nonce;
        tracing::error!(
            nonce,
            "the signer's key was used elsewhere: a person must look"
        );
        let stop = StopSigner { chain_nonce };
        found.finals.push(Command::StopSigner(stop));
    }
    Ok(())
}

/// The receipt of whichever of a payout's transactions landed.
async fn receipt(runner: &Runner, payout: &OpenPayout) -> Result<Option<Receipt>, NodeError> {
    for attempt in payout.attempts.iter().rev() {
        let receipt = runner.node.receipt(attempt.hash).await?;
        if receipt.is_some_and(|one| one.transaction_hash.0 == attempt.hash) {
            return Ok(receipt);
        }
    }
    Ok(None)
}

fn in_block(receipt: &Receipt) -> InBlock {
    InBlock {
        hash: receipt.transaction_hash.0,
        block: receipt.block_number.to(),
        block_hash: receipt.block_hash.0,
        succeeded: receipt.status.to::<u64>() == 1,
        gas_used: receipt.gas_used.to(),
        gas_price: Wei(receipt.effective_gas_price.to()),
    }
}

/// Sends what waits, in the order of the nonces, the same bytes as often as it takes; whether a
/// node was found to know something new. The next nonce is not sent before a node knows this one.
pub(super) async fn send(runner: &Runner, work: &Work, sight: &Sight) -> Result<bool, RoundError> {
    if work.signer.is_none_or(|signer| signer.stopped.is_some()) {
        return Ok(false);
    }
    let mut known = Vec::new();
    let mut looked = 0;
    let mut failed = Ok(());
    for (number, payout) in waiting(work, sight) {
        let new = payout.state == PayoutState::Signed;
        looked += usize::from(!new);
        if looked > WAITING_MAX {
            break;
        }
        match deliver(runner, payout, new).await {
            Ok(Some(hash)) if new => known.push(seen(*number, Seen::Known(hash))),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                failed = Err(error);
                break;
            }
        }
    }
    if !known.is_empty() {
        fault::point("broadcast");
    }
    let moved = books::report(&runner.service, known).await?;
    if moved {
        fault::point("sent");
    }
    failed?;
    Ok(moved)
}

fn waiting<'a>(work: &'a Work, sight: &Sight) -> impl Iterator<Item = &'a Open> {
    let nonce = sight.nonce;
    let signed = work.signed.iter();
    signed.filter(move |(_, payout)| {
        payout.is_pending() && payout.nonce.is_some_and(|one| one >= nonce)
    })
}

/// Makes sure that a node knows the latest transaction of a payout; answers its hash when one does.
async fn deliver(
    runner: &Runner,
    payout: &OpenPayout,
    new: bool,
) -> Result<Option<[u8; 32]>, NodeError> {
    let Some(attempt) = payout.attempts.last() else {
        return Ok(None);
    };
    let node = &runner.node;
    let hash = attempt.hash;
    if !new && node.transaction(hash).await?.is_some() {
        return Ok(Some(hash));
    }
    fault::point("before_broadcast");
    match node.send(&payout.raw).await {
        Ok(answered) if answered == hash => return Ok(Some(hash)),
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "a transfer was not taken, or not answered"),
    }
    // Whatever came back: only the chain knows.
    for attempt in payout.attempts.iter().rev() {
        let known = node.transaction(attempt.hash).await?;
        if known.is_some() {
            return Ok(Some(attempt.hash));
        }
    }
    Ok(None)
}
