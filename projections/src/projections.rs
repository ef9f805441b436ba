//! All folds together, at one position.

use purser_events::{Address, Event, Micros, Position, Recorded, WorkerNo};
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
        match fact.event {
            // By far the most frequent, and nobody else's: the others are not asked.
            Event::WorkerBeat(_) => self.registry.apply(fact, &self.policy),
            _ => self.apply_everywhere(fact),
        }
        self.position = fact.position;
        self.recorded_at = fact.recorded_at;
    }

    fn apply_everywhere(&mut self, fact: Recorded<'_>) {
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

#[cfg(test)]
mod tests {
    use purser_events::worker::{KeyHash, Manifest, WorkerBeat, WorkerRegistered};
    use purser_events::{Event, Label, Micros, Position, Recorded, WorkerNo};

    use super::Projections;

    fn registered() -> Event {
        let label = |text| Label::new(text).expect("a label");
        Event::WorkerRegistered(Box::new(WorkerRegistered {
            worker: WorkerNo(0),
            miner_id: label("m-0"),
            key: KeyHash {
                salt: [0; 16],
                hash: [0; 32],
            },
            manifest: Manifest {
                addr: label("10.0.0.1:7000"),
                proto: label("http"),
                gpu_name: label("RTX 4090"),
                vram_mb: 24_576,
                cpu_cores: 16,
                ram_mb: 65_536,
                price_micro: 1,
                max_parallel: 1,
                tags: Vec::new(),
                capabilities: Vec::new(),
                accel: Vec::new(),
                region: None,
                node_type: None,
                payout_address: None,
            },
        }))
    }

    /// A heartbeat goes to the registry alone: asking everybody would change nothing more.
    #[test]
    fn a_heartbeat_is_nobody_elses() {
        fn fact(number: u64, event: &Event) -> Recorded<'_> {
            Recorded {
                position: Position(number),
                recorded_at: Micros(number * 60_000_000),
                event,
            }
        }
        let mut folds = Projections::default();
        folds.apply(fact(1, &registered()));
        let beat = Event::WorkerBeat(WorkerBeat {
            worker: WorkerNo(0),
            lag_ms: Some(7),
            queue_len: 3,
            avg_latency_ms: Some(20),
            temp_decidegrees: Some(-5),
            mem_free_mb: None,
        });
        let mut everywhere = folds.clone();
        everywhere.apply_everywhere(fact(2, &beat));
        folds.apply(fact(2, &beat));
        everywhere.position = folds.position;
        everywhere.recorded_at = folds.recorded_at;
        assert_eq!(folds, everywhere);
        assert_eq!(
            folds
                .registry
                .pulse(WorkerNo(0))
                .map(|pulse| pulse.queue_len),
            Some(3)
        );
    }
}
