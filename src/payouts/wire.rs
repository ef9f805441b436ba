//! What nodes of the chain answer: only the members that are looked at, so that other chains'
//! further kinds of transactions do not matter.

use alloy_primitives::{Address, B256, U64, U128, U256};
use serde::Deserialize;

/// A block's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// Its number.
    pub number: U64,
    /// Its hash.
    pub hash: B256,
    /// What a unit of gas costs at least.
    #[serde(default)]
    pub base_fee_per_gas: Option<U128>,
}

/// A block with the transactions in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FullBlock {
    /// The transactions, in order.
    pub transactions: Vec<Transaction>,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Its hash.
    pub hash: B256,
    /// Who made it.
    pub from: Address,
    /// Who is called; absent where a contract is made.
    #[serde(default)]
    pub to: Option<Address>,
    /// What is moved.
    pub value: U256,
    /// The maker's nonce.
    pub nonce: U64,
    /// The block that holds it; absent while it waits.
    #[serde(default)]
    pub block_number: Option<U64>,
}

/// What became of a transaction in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The transaction.
    pub transaction_hash: B256,
    /// The block.
    pub block_number: U64,
    /// The block's hash.
    pub block_hash: B256,
    /// 1 when it succeeded.
    pub status: U64,
    /// Units of gas that were used.
    pub gas_used: U64,
    /// What a unit of gas cost.
    pub effective_gas_price: U128,
}
