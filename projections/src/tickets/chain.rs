//! Where the chain stands, as far as anybody told: nothing here reads a chain.

use std::collections::BTreeMap;

use purser_events::ticket::SenderFunds;
use purser_events::{Amount, Event, PayerNo, Word};
use serde::{Deserialize, Serialize};

/// What was seen of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    state: Option<ChainState>,
    last_block: u64,
    secret: u16,
    senders: BTreeMap<PayerNo, SenderFunds>,
}

/// Where the chain stood when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainState {
    /// The round.
    pub round: u64,
    /// The hash of the round's first L1 block.
    pub round_hash: Word,
    /// What gas costs, in wei.
    pub gas_price: Amount,
    /// Whether tickets of this round can be redeemed by their recipient.
    pub recipient_active: bool,
}

impl Chain {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::ChainObserved(seen) => {
                self.state = Some(ChainState {
                    round: seen.round,
                    round_hash: seen.round_hash,
                    gas_price: seen.gas_price,
                    recipient_active: seen.recipient_active,
                });
                self.last_block = self.last_block.max(seen.l1_block);
            }
            Event::BlockObserved(seen) => {
                assert!(
                    seen.l1_block > self.last_block,
                    "a block seen is a newer one"
                );
                self.last_block = seen.l1_block;
            }
            Event::SenderObserved(seen) => {
                self.senders.insert(seen.payer, seen.funds);
            }
            Event::TicketSecretAdded(added) => self.secret = self.secret.max(added.secret),
            _ => {}
        }
    }

    /// Where the chain stood when it was last looked at; absent before anybody did.
    #[must_use]
    pub const fn state(&self) -> Option<ChainState> {
        self.state
    }

    /// The newest L1 block that anybody told of; 0 before.
    #[must_use]
    pub const fn last_block(&self) -> u64 {
        self.last_block
    }

    /// The number of the secret that was added last; 0 before the first.
    #[must_use]
    pub const fn secret(&self) -> u16 {
        self.secret
    }

    /// A sender's funds, as they were last seen.
    #[must_use]
    pub fn funds(&self, payer: PayerNo) -> Option<SenderFunds> {
        self.senders.get(&payer).copied()
    }
}
