//! The first events of a new log: the rules that the configuration starts the pool with.

use purser_commands::Command;
use purser_commands::command::{DeclareAsset, DeclarePartition, SetPolicy};
use purser_events::policy::{NodeType, PolicyChange};
use purser_events::{Actor, BasisPoints, Label, Wei};

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
    /// The partitions whose files are taken in.
    pub partitions: Vec<(NodeType, Label)>,
}

impl Default for Genesis {
    /// The deployed pool's rules: a quarter commission, 0.01 ETH, its five partitions.
    fn default() -> Self {
        let label = |text| Label::new(text).expect("a short word is a label");
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
        ];
        commands.extend(rules.map(|change| {
            Command::SetPolicy(SetPolicy {
                change,
                expected: None,
            })
        }));
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
