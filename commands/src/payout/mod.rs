//! Payouts: who is due, what is signed, what the chain said, and what a person decides.

mod elsewhere;
mod observe;
mod plan;
mod run;
mod sign;
mod signer;

use purser_events::payout::{Draw, PayoutReleased, PayoutRequested, Rail};
use purser_events::{Address, Amount, AssetNo, Event, Label, PayoutNo, Position, Wei, WorkerNo};
use purser_projections::payouts::OpenPayout;
use purser_projections::{Books, Projections};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Answer, Rejection};

pub use plan::{Due, Plan, Skip, Skipped, plan};

pub(crate) use elsewhere::{confirm, request_elsewhere};
pub(crate) use observe::observe;
pub(crate) use run::run;
pub(crate) use sign::sign;
pub(crate) use signer::{open, resume, stop};

/// So many transactions are signed for one payout at most.
pub const ATTEMPTS_MAX: usize = 64;

/// The longest signed transaction, in bytes: a plain transfer has about 120.
pub const RAW_BYTES_MAX: usize = 1_024;

/// The name that no other way of paying may have.
pub const CHAIN_RAIL: &str = "chain";

/// Request a payout on chain for everybody who is due.
#[derive(Clone, Debug, Serialize)]
pub struct RunPayouts {
    /// What the signer's account holds, where that is known: no more is requested than it covers.
    #[serde(skip)]
    pub funds: Option<Amount>,
}

/// Hold an amount for a payout that the operator makes elsewhere; or book it as made.
#[derive(Clone, Debug, Serialize)]
pub struct RequestElsewhere {
    /// Whose account pays for it.
    pub worker: WorkerNo,
    /// What is paid.
    pub asset: AssetNo,
    /// How much.
    pub amount: Amount,
    /// How: the operator's word, such as `lightning`.
    pub rail: Label,
    /// What it can be found by, once it is made.
    pub reference: Option<Label>,
}

/// A payout, as a person names it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PayoutRef {
    /// Its number.
    pub payout: PayoutNo,
    /// The second part of its id, where it was named.
    pub digest: Option<[u8; 8]>,
}

/// Book a payout as made elsewhere.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmPayout {
    /// The payout.
    pub payout: PayoutRef,
    /// What it can be found by.
    pub reference: Label,
}

/// Record the transfer that was signed for a payout, before anybody is told.
#[derive(Clone, Debug, Serialize)]
pub struct SignPayout {
    /// The payout.
    pub payout: PayoutNo,
    /// The signer's nonce.
    pub nonce: u64,
    /// The hash of the transaction.
    pub hash: [u8; 32],
    /// The most that a unit of gas may cost.
    pub max_fee: Wei,
    /// What of it goes to whoever makes the block, at most.
    pub tip: Wei,
    /// The most units of gas that it may use.
    pub gas_limit: u64,
    /// The signed bytes.
    pub raw: Vec<u8>,
}

/// Record what the chain said of a payout.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ObservePayout {
    /// The payout.
    pub payout: PayoutNo,
    /// What was seen.
    pub seen: Seen,
}

/// What the chain said of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Seen {
    /// A node knows this transaction of it.
    Known([u8; 32]),
    /// A transaction of it stands in a block.
    InBlock(InBlock),
    /// The block that held it is no part of the chain any more.
    Gone {
        /// The block.
        block_hash: [u8; 32],
    },
    /// The block that holds it is final.
    Final {
        /// The block.
        block_hash: [u8; 32],
    },
    /// Another transaction of the key used its nonce, for good.
    NonceUsed {
        /// How many transactions of the key the chain counts.
        chain_nonce: u64,
    },
}

/// Where a transaction stands, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InBlock {
    /// The transaction.
    pub hash: [u8; 32],
    /// The block's number.
    pub block: u64,
    /// The block's hash.
    pub block_hash: [u8; 32],
    /// Whether the value moved.
    pub succeeded: bool,
    /// Units of gas that were used.
    pub gas_used: u64,
    /// What a unit of gas cost.
    pub gas_price: Wei,
}

/// Sign payouts with this key from now on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OpenSigner {
    /// Its address.
    pub address: Address,
    /// The chain that it pays on.
    pub chain_id: u64,
    /// How many transactions the key has made before.
    #[serde(skip)]
    pub nonce: u64,
}

/// Sign and send nothing any more: the key made a transaction that is no payout.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StopSigner {
    /// How many transactions of the key the chain counts.
    pub chain_nonce: u64,
}

/// Let a stopped signer go on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ResumeSigner {
    /// How many transactions of the key the chain counts.
    #[serde(skip)]
    pub chain_nonce: u64,
}

/// Finds a payout that is not finished.
fn find(folds: &Projections, wanted: PayoutRef) -> Result<&OpenPayout, Rejection> {
    let payouts = &folds.payouts;
    let Some(payout) = payouts.open(wanted.payout) else {
        let known = wanted.payout.0 < payouts.count();
        return Err(if known {
            Rejection::PayoutFinished
        } else {
            Rejection::UnknownPayout
        });
    };
    match wanted.digest {
        Some(digest) if digest != payout.digest => Err(Rejection::UnknownPayout),
        _ => Ok(payout),
    }
}

/// Gives a payout up, if it is sure that it never lands.
pub(crate) fn cancel(
    books: &Books,
    wanted: PayoutRef,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let payout = find(&books.projections, wanted)?;
    if !payout.may_release() {
        return Err(Rejection::PayoutUnderway);
    }
    into.push(Event::PayoutReleased(Box::new(PayoutReleased {
        payout: wanted.payout,
        asset: payout.asset,
        draws: payout.draws.clone(),
    })));
    Ok(Answer::Done)
}

/// What a new payout is made of.
struct Asked {
    rail: Rail,
    address: Option<Address>,
    asset: AssetNo,
    draws: Vec<Draw>,
}

/// The event that holds the amount of a new payout; `ahead` events were decided before it.
fn requested(folds: &Projections, (ahead, number): (u64, PayoutNo), asked: Asked) -> Event {
    let position = folds.position.plus(ahead + 1);
    Event::PayoutRequested(Box::new(PayoutRequested {
        payout: number,
        digest: digest(position, &asked),
        rail: asked.rail,
        address: asked.address,
        asset: asked.asset,
        draws: asked.draws,
        policy: folds.policy.changed_at,
    }))
}

/// What is paid, to whom and since which position: the same log gives the same ids.
fn digest(position: Position, asked: &Asked) -> [u8; 8] {
    let mut hash = Sha256::new_with_prefix(b"purser payout");
    hash.update(position.0.to_le_bytes());
    hash.update(match asked.rail {
        Rail::Chain => u32::MAX.to_le_bytes(),
        Rail::Other(rail) => rail.0.to_le_bytes(),
    });
    hash.update(asked.address.map_or([0; 20], |address| address.0));
    hash.update(asked.asset.0.to_le_bytes());
    for draw in &asked.draws {
        hash.update(draw.worker.0.to_le_bytes());
        hash.update(draw.amount.0.to_le_bytes());
    }
    let mut digest = [0; 8];
    digest.copy_from_slice(&hash.finalize()[..8]);
    digest
}
