//! Payouts: money on its way to those who earned it, from the hold to finality; and the one
//! whose key signs them.

use serde::{Deserialize, Serialize};

use crate::{Address, Amount, AssetNo, Label, PayoutNo, Position, RailNo, Wei, WorkerNo};

/// How a payout reaches its payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rail {
    /// A transfer on chain, signed by the signer's key.
    Chain,
    /// Made elsewhere by the operator, and booked here with its reference.
    Other(RailNo),
}

/// What is taken from one worker's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The worker.
    pub worker: WorkerNo,
    /// The amount, more than zero.
    pub amount: Amount,
}

/// A payout was decided: its amount is held for it from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutRequested {
    /// The payout's number: the next one.
    pub payout: PayoutNo,
    /// The first eight bytes of the SHA-256 of what is paid, to whom and since which position: the
    /// second part of the payout's id.
    pub digest: [u8; 8],
    /// How it reaches its payee.
    pub rail: Rail,
    /// Where it goes to; always there on chain.
    pub address: Option<Address>,
    /// What is paid.
    pub asset: AssetNo,
    /// Whose accounts pay for it, by number; at least one.
    pub draws: Vec<Draw>,
    /// The event that last changed a rule.
    pub policy: Position,
}

/// The transfer of a payout was signed, and nothing was sent yet. A replacement is signed again
/// under the same nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutSigned {
    /// The payout.
    pub payout: PayoutNo,
    /// The signer's nonce.
    pub nonce: u64,
    /// The hash of the chain transaction.
    pub hash: [u8; 32],
    /// The most that a unit of gas may cost.
    pub max_fee: Wei,
    /// What of it goes to whoever makes the block, at most.
    pub tip: Wei,
    /// The most units of gas that it may use.
    pub gas_limit: u64,
    /// The signed bytes: what is sent, as often as it takes.
    pub raw: Vec<u8>,
}

/// A payout is under way: a node of the chain knows its transaction, or the operator made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutSent {
    /// The payout.
    pub payout: PayoutNo,
    /// What it can be found by.
    pub proof: Proof,
}

/// What a payout can be found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// The hash of its chain transaction.
    Transaction([u8; 32]),
    /// The operator's reference to a payment made elsewhere.
    Reference(Label),
}

/// The transaction of a payout stands in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutMined {
    /// The payout.
    pub payout: PayoutNo,
    /// Which of its transactions.
    pub hash: [u8; 32],
    /// The block's number.
    pub block: u64,
    /// The block's hash: the number alone survives a reorganisation.
    pub block_hash: [u8; 32],
    /// Whether the value moved; a reverted transaction only burns gas.
    pub succeeded: bool,
    /// Units of gas that were used.
    pub gas_used: u64,
    /// What a unit of gas cost.
    pub gas_price: Wei,
}

/// The block that held a payout's transaction is no longer part of the chain: it is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutReorged {
    /// The payout.
    pub payout: PayoutNo,
    /// The block that is gone.
    pub block_hash: [u8; 32],
}

/// A payout reached its payee for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutFinal {
    /// The payout.
    pub payout: PayoutNo,
    /// How it reached its payee.
    pub rail: Rail,
    /// What was paid.
    pub asset: AssetNo,
    /// How much.
    pub amount: Amount,
    /// What the chain took for it.
    pub gas: Amount,
}

/// A payout cannot land as it was signed. Its amount stays held until the operator cancels it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutFailed {
    /// The payout.
    pub payout: PayoutNo,
    /// Why.
    pub reason: FailureReason,
    /// The asset that gas is paid in.
    pub asset: AssetNo,
    /// What the chain took for it.
    pub gas: Amount,
}

/// Why a payout cannot land as it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureReason {
    /// Its transaction is final, and the payee refused the value.
    Reverted,
    /// Another transaction used its nonce for good.
    NonceUsed,
}

/// A payout was given up: what was held for it is its workers' again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutReleased {
    /// The payout.
    pub payout: PayoutNo,
    /// What was held.
    pub asset: AssetNo,
    /// Whose it is again.
    pub draws: Vec<Draw>,
}

/// A key signs payouts from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerOpened {
    /// Its address.
    pub address: Address,
    /// The chain that it pays on.
    pub chain_id: u64,
    /// The first nonce that payouts use: how many transactions the key had made before.
    pub nonce: u64,
}

/// The key signs and sends nothing until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerStopped {
    /// The first nonce that the key used elsewhere.
    pub nonce: u64,
    /// How many transactions of the key the chain counts.
    pub chain_nonce: u64,
}

/// An operator looked, and let the signer go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerResumed {
    /// The nonce that the next payout uses.
    pub nonce: u64,
}
