//! The live sets of ticket parameters.

use std::collections::{BTreeMap, BTreeSet};

use purser_events::ticket::{TicketParams, TicketSetOpened};
use purser_events::{JobNo, PayerNo, TicketSetNo, Wei, Word};
use serde::{Deserialize, Serialize};

use super::{Expected, Nonces};

/// A set of ticket parameters under which tickets came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSet {
    /// Who pays.
    pub payer: PayerNo,
    /// The job that its tickets pay for.
    pub job: JobNo,
    /// What its tickets say.
    pub params: TicketParams,
    /// The numbers that were used.
    pub nonces: Nonces,
}

impl TicketSet {
    /// What one of its tickets is worth.
    #[must_use]
    pub const fn ticket_worth(&self) -> Expected {
        Expected::of(Wei(self.params.face_value.0), self.params.win_prob)
    }
}

/// The live sets, and the ways they are found by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSets {
    sets: BTreeMap<TicketSetNo, TicketSet>,
    by_hash: BTreeMap<Word, TicketSetNo>,
    by_expiration: BTreeSet<(u64, TicketSetNo)>,
    by_payer: BTreeMap<PayerNo, u32>,
}

impl TicketSets {
    /// How many are live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether none is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// How many are live of one payer.
    #[must_use]
    pub fn of_payer(&self, payer: PayerNo) -> u32 {
        self.by_payer.get(&payer).copied().unwrap_or_default()
    }

    /// The set of this number.
    #[must_use]
    pub fn get(&self, number: TicketSetNo) -> Option<&TicketSet> {
        self.sets.get(&number)
    }

    /// The set with this hash of what is drawn with, and its number.
    #[must_use]
    pub fn find(&self, rand_hash: &Word) -> Option<(TicketSetNo, &TicketSet)> {
        let number = self.by_hash.get(rand_hash)?;
        Some((*number, self.sets.get(number)?))
    }

    pub(super) fn at(&mut self, number: TicketSetNo) -> &mut TicketSet {
        let set = self.sets.get_mut(&number);
        set.expect("tickets come in under a live set")
    }

    pub(super) fn open(&mut self, number: TicketSetNo, opened: &TicketSetOpened) {
        let (hash, expiration) = (opened.params.rand_hash, opened.params.expiration_block);
        let before = self.by_hash.insert(hash, number);
        assert!(before.is_none(), "a set is opened once");
        self.by_expiration.insert((expiration, number));
        *self.by_payer.entry(opened.payer).or_default() += 1;
        let set = TicketSet {
            payer: opened.payer,
            job: opened.job,
            params: opened.params.clone(),
            nonces: Nonces::default(),
        };
        self.sets.insert(number, set);
    }

    /// Forgets the sets whose last block has come.
    pub(super) fn expire(&mut self, block: u64) {
        while let Some(&(expiration, number)) = self.by_expiration.first() {
            if expiration > block {
                return;
            }
            self.by_expiration.pop_first();
            let set = self.sets.remove(&number).expect("a set expires once");
            self.by_hash.remove(&set.params.rand_hash);
            let count = self.by_payer.get_mut(&set.payer);
            let count = count.expect("a payer's sets are counted");
            *count -= 1;
            if *count == 0 {
                self.by_payer.remove(&set.payer);
            }
        }
    }
}
