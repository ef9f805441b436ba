//! All folds together, at one position.

use purser_events::{Address, Micros, Position, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::connections::Connections;
use crate::fees::Fees;
use crate::grants::Grants;
use crate::instructions::Instructions;
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::matching::Matching;
use crate::names::{Names, WorkerName};
use crate::payouts::Payouts;
use crate::policy::Policy;
use crate::registry::Registry;
use crate::tickets::Tickets;

/// Everything that is answered from memory. It grows with live workers, names and open work, not
/// with history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projections {
    /// The last event that is folded in.
    pub position: Position,
    /// When that event was recorded.
    pub recorded_at: Micros,
    /// Long names and the numbers that stand for them.
    pub names: Names,
    /// The rules in force.
    pub policy: Policy,
    /// The workers that registered.
    pub registry: Registry,
    /// Trust, jobs that hold slots, demand.
    pub matching: Matching,
    /// What workers were asked for and have not answered.
    pub instructions: Instructions,
    /// Who earned what in which partition.
    pub fees: Fees,
    /// Balances by double entry.
    pub accounts: Accounts,
    /// The jobs that are open.
    pub jobs: Jobs,
    /// Which connections are open.
    pub connections: Connections,
    /// What was taken in, and what was set aside.
    pub intake: Intake,
    /// Payouts that are not finished, what was paid to whom, and the signer.
    pub payouts: Payouts,
    /// Pools of generosity, and what is open on them.
    pub grants: Grants,
    /// Signed tickets: the chain, live sets of parameters, winners.
    pub tickets: Tickets,
}

impl Projections {
    /// Folds one event in.
    ///
    /// # Panics
    /// When the event is not the next one, or breaks an invariant: history that `decide` could
    /// not have written.
    pub fn apply(&mut self, fact: Recorded<'_>) {
        assert_eq!(
            fact.position,
            self.position.next(),
            "events are folded in order, without gaps"
        );
        assert!(
            fact.recorded_at >= self.recorded_at,
            "recorded time never goes back"
        );
        self.names.apply(fact);
        self.policy.apply(fact);
        self.registry.apply(fact, &self.policy);
        self.matching.apply(fact);
        self.instructions.apply(fact);
        self.fees.apply(fact);
        self.accounts.apply(fact);
        self.jobs.apply(fact, &self.accounts);
        self.connections.apply(fact);
        self.intake.apply(fact);
        self.payouts.apply(fact);
        self.grants.apply(fact, &self.accounts);
        self.tickets.apply(fact);
        self.position = fact.position;
        self.recorded_at = fact.recorded_at;
    }

    /// Where a worker is paid: the address that it is known by, or the one that it registered.
    ///
    /// # Panics
    /// When there is no worker of this number.
    #[must_use]
    pub fn payout_address(&self, worker: WorkerNo) -> Option<Address> {
        match &self.names.workers()[worker.index()] {
            WorkerName::Address(address) => Some(*address),
            WorkerName::Miner(_) => {
                let worker = self.registry.worker(worker)?;
                worker.file.manifest.payout_address
            }
        }
    }
}
