//! The key that signs payouts.

use purser_events::Address;
use purser_events::payout::{SignerOpened, SignerStopped};
use serde::{Deserialize, Serialize};

/// The key that signs payouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Its address.
    pub address: Address,
    /// The chain that it pays on.
    pub chain_id: u64,
    /// The nonce of the first payout that it signed.
    pub first_nonce: u64,
    /// The nonce that the next payout uses.
    pub next_nonce: u64,
    /// Why it does nothing, if it does not.
    pub stopped: Option<Stop>,
}

/// Why a signer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The first nonce that the key used elsewhere.
    pub nonce: u64,
    /// How many transactions of the key the chain counts.
    pub chain_nonce: u64,
}

impl Signer {
    pub(super) const fn opened(opened: &SignerOpened) -> Self {
        Self {
            address: opened.address,
            chain_id: opened.chain_id,
            first_nonce: opened.nonce,
            next_nonce: opened.nonce,
            stopped: None,
        }
    }

    pub(super) const fn stop(&mut self, stopped: &SignerStopped) {
        self.stopped = Some(Stop {
            nonce: stopped.nonce,
            chain_nonce: stopped.chain_nonce,
        });
    }

    pub(super) fn resume(&mut self, nonce: u64) {
        assert!(self.stopped.is_some(), "only a stopped signer goes on");
        assert!(nonce >= self.next_nonce, "a nonce is never used again");
        self.stopped = None;
        self.next_nonce = nonce;
    }
}
