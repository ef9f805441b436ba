//! Which transaction used a nonce: found by halving the chain, however long ago it was.

use purser_events::Address;

use super::node::{At, Node, NodeError};
use super::wire::Transaction;

/// What used a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This transaction, in the block of this number.
    Transaction(Box<Transaction>, u64),
    /// Nothing has, up to the block that was looked at.
    Unused,
    /// The node counts it, and does not show it: it keeps too little of history.
    Hidden,
}

/// Finds the transaction that used a nonce of an address, up to a block.
///
/// # Errors
/// When no node answers, or the nodes keep too little of history to be asked.
pub async fn find_nonce(
    node: &Node,
    (address, nonce): (Address, u64),
    up_to: u64,
) -> Result<Found, NodeError> {
    if node.nonce(address, At::Number(up_to)).await? <= nonce {
        return Ok(Found::Unused);
    }
    // The first block at whose end the nonce is used: it lies above `unused`, and is not above
    // `used`.
    let (mut unused, mut used) = (None, up_to);
    while unused.map_or(0, |number: u64| number + 1) < used {
        let low = unused.map_or(0, |number| number + 1);
        let middle = low + (used - low) / 2;
        if node.nonce(address, At::Number(middle)).await? > nonce {
            used = middle;
        } else {
            unused = Some(middle);
        }
    }
    let block = node.full_block(used).await?;
    let found = block.and_then(|block| {
        let mut transactions = block.transactions.into_iter();
        transactions.find(|one| one.from.0 == address.0 && one.nonce.to::<u64>() == nonce)
    });
    Ok(match found {
        Some(transaction) => Found::Transaction(Box::new(transaction), used),
        None => Found::Hidden,
    })
}
