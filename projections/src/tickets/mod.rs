//! Tickets: what they are worth, where the chain stands, the live sets of parameters, and winners
//! that wait to be redeemed.
//!
//! A set lives until its last L1 block has come. Afterwards its parameters say by themselves that
//! they expired, since they are derived together with that block: nothing has to be remembered.

mod atoms;
mod chain;
mod nonces;
mod sets;
mod winners;

use std::collections::BTreeMap;

use purser_events::ticket::TicketsTaken;
use purser_events::{Event, JobNo, Recorded, U256};
use serde::{Deserialize, Serialize};

pub use atoms::Expected;
pub use chain::{Chain, ChainState};
pub use nonces::Nonces;
pub use sets::{TicketSet, TicketSets};
pub use winners::{Winner, Winners};

/// What is known of tickets. It grows with live sets, open jobs, senders and winners that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tickets {
    /// Where the chain stands, and the senders' funds there.
    pub chain: Chain,
    /// The live sets of parameters.
    pub sets: TicketSets,
    /// Winners that wait to be redeemed.
    pub winners: Winners,
    /// What the tickets of each open job are worth beyond the whole wei that it was credited, in
    /// parts of 1/(2^256 - 1) wei; jobs without any are left out.
    parts: BTreeMap<JobNo, U256>,
}

impl Tickets {
    /// Folds one event in.
    ///
    /// # Panics
    /// When a ticket counts twice, a job is credited something else than its tickets are worth, or
    /// a winner is none: history that `decide` could not have written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        self.chain.apply(fact.event);
        match fact.event {
            Event::ChainObserved(_) | Event::BlockObserved(_) => {
                self.sets.expire(self.chain.last_block());
            }
            Event::TicketSetOpened(opened) => self.sets.open(fact.position.into(), opened),
            Event::TicketsTaken(taken) => self.take(taken),
            Event::TicketWon(won) => {
                let set = self.sets.get(won.set).expect("a winner's set is live");
                self.winners.add(fact, won, set);
            }
            Event::WinnerReported(reported) => self.winners.report(fact, reported),
            Event::JobClosed(closed) => {
                self.parts.remove(&closed.job.number);
            }
            _ => {}
        }
    }

    fn take(&mut self, taken: &TicketsTaken) {
        let set = self.sets.at(taken.set);
        assert_eq!(set.job, taken.job.number, "a set pays for its own job");
        let mut count = 0;
        for run in &taken.verdicts {
            let nonces = run.nonce..run.nonce + run.count;
            if run.verdict.uses_nonce() {
                nonces.for_each(|nonce| set.nonces.take(nonce));
            }
            if run.verdict.is_credited() {
                count += run.count;
            }
        }
        let worth = set.ticket_worth().times(count);
        let worth = worth.expect("a batch is worth less than 2^128 wei");
        let worth = self.owed(taken.job.number, worth);
        assert_eq!(
            worth.floor().0,
            taken.credited.0,
            "a job is credited what its tickets are worth"
        );
        if worth.parts() == U256::ZERO {
            self.parts.remove(&taken.job.number);
        } else {
            self.parts.insert(taken.job.number, worth.parts());
        }
    }

    /// What a job is owed once its tickets are worth `more`: with what is left of earlier ones.
    ///
    /// # Panics
    /// From 2^128 wei on.
    #[must_use]
    pub fn owed(&self, job: JobNo, more: Expected) -> Expected {
        let parts = self.parts.get(&job).copied().unwrap_or_default();
        let sum = more.plus(Expected::of_parts(parts));
        sum.expect("a batch is worth less than 2^128 wei")
    }
}
