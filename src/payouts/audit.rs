//! The log against the chain: each final payout is exactly one transfer, and the key made no other.

use std::collections::{BTreeMap, BTreeSet};

use purser_events::Address;
use serde::{Deserialize, Serialize};

use super::node::{At, Node, NodeError};
use super::trace::{Found, find_nonce};
use super::wire::Transaction;
use crate::render::payout::PayoutRecord;

/// A key that signed payouts, from one position of the log on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Since when.
    pub position: u64,
    /// Its address.
    pub address: Address,
    /// Its chain.
    pub chain_id: u64,
    /// The first nonce that payouts used.
    pub nonce: u64,
}

/// What the log and the chain come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// Payouts on chain that are final.
    pub final_payouts: u64,
    /// Their sum by the log, in wei.
    pub final_wei: String,
    /// The sum of their transfers by the chain, in wei.
    pub transferred_wei: String,
    /// Payouts on chain that are not finished: what they come to is not known yet.
    pub open_payouts: u64,
    /// Transactions that the keys had made before the log knew them.
    pub before_the_log: u64,
    /// What does not fit.
    pub differences: Vec<Difference>,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What kind: `missing`, `differs`, `twice`, `landed_though_released`, `foreign`, `hidden`.
    pub kind: String,
    /// The payout, if it is about one.
    pub payout: Option<String>,
    /// The nonce, if it is known.
    pub nonce: Option<u64>,
    /// The chain transaction, if it is known.
    pub transaction: Option<String>,
    /// What is wrong, in words.
    pub detail: String,
}

/// Compares the payouts on chain of a log with the chain.
///
/// # Errors
/// When no node answers.
pub async fn audit(
    node: &Node,
    records: &[PayoutRecord],
    opened: &[Opened],
) -> Result<Audited, NodeError> {
    let mut audit = Audit::default();
    let head = node.block(At::Latest).await?;
    let head = head.map_or(0, |block| block.number.to::<u64>());
    let keys: BTreeSet<Address> = opened.iter().map(|one| one.address).collect();
    let chain: Vec<&PayoutRecord> = records.iter().filter(|one| one.rail == "chain").collect();
    for record in &chain {
        let key = key_of(record, opened);
        audit.record(node, record, key).await?;
    }
    for address in keys {
        let openings = opened.iter().filter(|one| one.address == address);
        let first = openings.map(|one| one.nonce).min().unwrap_or(0);
        audit.summary.before_the_log += first;
        let known = nonces(&chain, opened, address);
        let count = node.nonce(address, At::Number(head)).await?;
        for nonce in (first..count).filter(|nonce| !known.contains(nonce)) {
            let found = find_nonce(node, (address, nonce), head).await?;
            audit.foreign((address, nonce), found);
        }
    }
    Ok(audit.end())
}

/// The key that signed a payout: the one that was open when it was signed first.
fn key_of(record: &PayoutRecord, opened: &[Opened]) -> Option<Address> {
    let signed = record.positions.get(1).or(record.positions.first())?;
    let before = opened.iter().filter(|one| one.position < *signed);
    before.max_by_key(|one| one.position).map(|one| one.address)
}

/// The nonces that payouts of a key used, or may still use.
fn nonces(records: &[&PayoutRecord], opened: &[Opened], key: Address) -> BTreeSet<u64> {
    let own = records
        .iter()
        .filter(|one| key_of(one, opened) == Some(key));
    let landed = own.filter(|one| one.failure.as_deref() != Some("nonce_used"));
    landed.filter_map(|one| one.nonce).collect()
}

#[derive(Default)]
struct Audit {
    summary: Audited,
    logged: u128,
    moved: u128,
    transactions: BTreeMap<String, String>,
}

impl Audit {
    async fn record(
        &mut self,
        node: &Node,
        record: &PayoutRecord,
        key: Option<Address>,
    ) -> Result<(), NodeError> {
        match record.state.as_ref() {
            "final" => self.settled(node, record, key).await,
            "failed" | "released" => self.given_up(node, record).await,
            _ => {
                self.summary.open_payouts += 1;
                Ok(())
            }
        }
    }

    /// A final payout is one transfer of its amount to its address, with its nonce.
    async fn settled(
        &mut self,
        node: &Node,
        record: &PayoutRecord,
        key: Option<Address>,
    ) -> Result<(), NodeError> {
        self.summary.final_payouts += 1;
        self.logged += record.amount.parse::<u128>().unwrap_or(0);
        let Some(hash) = record.block.as_ref().map(|block| block.transaction.clone()) else {
            self.differ("missing", record, "the log names no transaction".into());
            return Ok(());
        };
        if let Some(other) = self.transactions.insert(hash.clone(), record.id.clone()) {
            self.differ(
                "twice",
                record,
                format!("payout {other} names the same transaction"),
            );
        }
        let Some(bytes) = hash_of(&hash) else {
            self.differ("missing", record, "the hash in the log is none".into());
            return Ok(());
        };
        let found = node.transaction(bytes).await?;
        let receipt = node.receipt(bytes).await?;
        let (Some(found), Some(receipt)) = (found, receipt) else {
            self.differ(
                "missing",
                record,
                "the chain does not show its transaction".into(),
            );
            return Ok(());
        };
        if receipt.status.to::<u64>() != 1 {
            self.differ("differs", record, "its transaction was reverted".into());
            return Ok(());
        }
        self.moved += u128::try_from(found.value).unwrap_or(u128::MAX);
        let wrong = wrong_in(&found, record, key);
        if !wrong.is_empty() {
            self.differ("differs", record, wrong.join("; "));
        }
        Ok(())
    }

    /// What was given up must not have landed.
    async fn given_up(&mut self, node: &Node, record: &PayoutRecord) -> Result<(), NodeError> {
        for one in &record.transactions {
            let Some(hash) = hash_of(&one.hash) else {
                continue;
            };
            let receipt = node.receipt(hash).await?;
            if receipt.is_some_and(|receipt| receipt.status.to::<u64>() == 1) {
                let detail = format!("{} moved its value", one.hash);
                self.differ("landed_though_released", record, detail);
            }
        }
        Ok(())
    }

    /// A nonce that no payout used.
    fn foreign(&mut self, (address, nonce): (Address, u64), found: Found) {
        let (kind, transaction, detail) = match found {
            Found::Transaction(one, block) => {
                let to = one.to.map_or_else(|| "a new contract".into(), lower);
                let value = one.value;
                let detail = format!("{address} sent {value} wei to {to} in block {block}");
                ("foreign", Some(one.hash.to_string()), detail)
            }
            Found::Hidden | Found::Unused => {
                let detail = format!("{address} used it, and no node shows by what");
                ("hidden", None, detail)
            }
        };
        self.summary.differences.push(Difference {
            kind: kind.into(),
            payout: None,
            nonce: Some(nonce),
            transaction,
            detail,
        });
    }

    fn differ(&mut self, kind: &str, record: &PayoutRecord, detail: String) {
        let block = record.block.as_ref();
        self.summary.differences.push(Difference {
            kind: kind.into(),
            payout: Some(record.id.clone()),
            nonce: record.nonce,
            transaction: block.map(|block| block.transaction.clone()),
            detail,
        });
    }

    fn end(mut self) -> Audited {
        self.summary.final_wei = self.logged.to_string();
        self.summary.transferred_wei = self.moved.to_string();
        self.summary
    }
}

/// What of a transfer is not what the log says.
fn wrong_in(found: &Transaction, record: &PayoutRecord, key: Option<Address>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, chain: String, log: String| {
        if chain != log {
            wrong.push(format!("{what} is {chain} on chain, {log} in the log"));
        }
    };
    let none = || "nobody".to_owned();
    let key = key.map_or_else(none, |key| key.to_string());
    check("the sender", lower(found.from), key);
    let to = record.address.clone().unwrap_or_else(none);
    check("the receiver", found.to.map_or_else(none, lower), to);
    check("the amount", found.value.to_string(), record.amount.clone());
    let nonce = record.nonce.map(|nonce| nonce.to_string());
    let nonce = nonce.unwrap_or_else(|| "none".into());
    check("the nonce", found.nonce.to::<u64>().to_string(), nonce);
    wrong
}

fn lower(address: alloy_primitives::Address) -> String {
    Address(address.into_array()).to_string()
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    text.parse::<alloy_primitives::B256>()
        .ok()
        .map(|hash| hash.0)
}
