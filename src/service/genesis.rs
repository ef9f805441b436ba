//! The first events of a new log: the rules that the configuration starts the pool with.

use purser_commands::Command;
use purser_commands::command::{DeclareAsset, DeclarePartition, SetPolicy};
use purser_commands::grants::GrantCommand;
use purser_commands::grants::command::OpenPool;
use purser_events::grant::{GrantRule, Tier};
use purser_events::matching::Weights;
use purser_events::policy::{NodeType, PolicyChange};
use purser_events::{Actor, Amount, BasisPoints, Label, Wei};

use crate::writer::{Submission, SubmitError, WriterHandle};

/// The rules that a new log starts with. Later changes are commands; an existing log keeps its
/// own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The pool's share of each fee.
    pub commission: BasisPoints,
    /// A worker is due when its unpaid total reaches this amount.
    pub payout_threshold: Wei,
    /// How long a granted lease lasts, in milliseconds.
    pub lease_ttl_ms: u32,
    /// How long a worker may be silent before it lapses, in milliseconds.
    pub heartbeat_grace_ms: u32,
    /// How soon a worker is asked to beat again, in milliseconds.
    pub heartbeat_interval_ms: u32,
    /// The weights of the parts of a match's score.
    pub match_weights: Weights,
    /// The rules of the grants, and the house's own pool.
    pub grants: GrantsGenesis,
    /// How long after its last payout a worker is not due again, in milliseconds.
    pub payout_interval_ms: u32,
    /// The most that one run may request on chain.
    pub payout_run_max: Wei,
    /// The most that may be requested on chain in one day.
    pub payout_day_max: Wei,
    /// The partitions whose files are taken in.
    pub partitions: Vec<(NodeType, Label)>,
}

/// The rules of the grants, and the house's own pool of generosity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantsGenesis {
    /// The code of the asset that pools are in.
    pub asset: Label,
    /// Decimal places between that asset's unit and its base unit.
    pub exponent: u8,
    /// What the pool begins with.
    pub seed: Amount,
    /// The part of each net charge that the pool is credited with.
    pub credit_share: BasisPoints,
    /// What each tier may be granted per UTC day, the lowest tier first.
    pub budgets: [Amount; Tier::ALL.len()],
}

impl Default for GrantsGenesis {
    /// The pool of the service that this replaces: 10,000 satoshis, a tenth of each charge.
    fn default() -> Self {
        Self {
            asset: label("BTC"),
            exponent: 8,
            seed: Amount(10_000),
            credit_share: BasisPoints::new(1_000).expect("below the whole"),
            budgets: [0, 50, 200, 1_000].map(Amount),
        }
    }
}

impl GrantsGenesis {
    fn commands(&self) -> impl Iterator<Item = Command> {
        let declare = Command::DeclareAsset(DeclareAsset {
            code: self.asset.clone(),
            exponent: self.exponent,
        });
        let open = Command::Grant(Box::new(GrantCommand::OpenPool(OpenPool {
            name: label("house"),
            asset: self.asset.clone(),
            seed: self.seed,
            rail: label("seed"),
        })));
        let budgets = Tier::ALL.into_iter().zip(self.budgets);
        let budgets = budgets.map(|(tier, budget)| GrantRule::Budget(tier, budget));
        let share = GrantRule::CreditShare(self.credit_share);
        let rules = budgets.chain([share]).map(|rule| {
            let (change, expected) = (PolicyChange::Grants(rule), None);
            Command::SetPolicy(SetPolicy { change, expected })
        });
        [declare, open].into_iter().chain(rules)
    }
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short word is a label")
}

impl Default for Genesis {
    /// The deployed pool's rules: a quarter commission, 0.01 ETH, its five partitions.
    fn default() -> Self {
        let regions = ["eu-central", "oceania", "us-central", "us-west"];
        let transcode = regions.map(|region| (NodeType::Transcode, label(region)));
        let mut partitions = vec![(NodeType::Ai, label("us-central"))];
        partitions.extend(transcode);
        Self {
            commission: BasisPoints::new(2_500).expect("below the whole"),
            payout_threshold: Wei(10_000_000_000_000_000),
            lease_ttl_ms: 60_000,
            heartbeat_grace_ms: 120_000,
            heartbeat_interval_ms: 15_000,
            match_weights: Weights::default(),
            grants: GrantsGenesis::default(),
            payout_interval_ms: 0,
            payout_run_max: Wei(u128::MAX),
            payout_day_max: Wei(u128::MAX),
            partitions,
        }
    }
}

impl Genesis {
    fn commands(&self) -> Vec<Command> {
        let code = Label::new("ETH").expect("a short word is a label");
        let mut commands = vec![Command::DeclareAsset(DeclareAsset { code, exponent: 18 })];
        let rules = [
            PolicyChange::Commission(self.commission),
            PolicyChange::PayoutThreshold(self.payout_threshold),
            PolicyChange::LeaseTtlMs(self.lease_ttl_ms),
            PolicyChange::HeartbeatGraceMs(self.heartbeat_grace_ms),
            PolicyChange::HeartbeatIntervalMs(self.heartbeat_interval_ms),
            PolicyChange::PayoutIntervalMs(self.payout_interval_ms),
            PolicyChange::PayoutRunMax(self.payout_run_max),
            PolicyChange::PayoutDayMax(self.payout_day_max),
        ];
        commands.extend(rules.map(|change| {
            Command::SetPolicy(SetPolicy {
                change,
                expected: None,
            })
        }));
        // The folds begin with the usual weights.
        if self.match_weights != Weights::default() {
            commands.push(Command::SetPolicy(SetPolicy {
                change: PolicyChange::MatchWeights(self.match_weights),
                expected: None,
            }));
        }
        commands.extend(self.grants.commands());
        commands.extend(self.partitions.iter().map(|(node_type, region)| {
            let (node_type, region) = (*node_type, region.clone());
            Command::DeclarePartition(DeclarePartition { node_type, region })
        }));
        commands
    }

    /// Writes the first events, all in one commit.
    pub(super) fn write(&self, writer: &WriterHandle) -> Result<(), SubmitError> {
        let submission = |command| Submission {
            command,
            id: None,
            actor: Actor::Purser,
        };
        let submissions = self.commands().into_iter().map(submission).collect();
        writer
            .submit_all_blocking(submissions)
            .into_iter()
            .try_for_each(|one| one.map(drop))
    }
}
