//! The pool's rules as facts: what they are changed to, and since when by their position.

use serde::{Deserialize, Serialize};

use crate::grant::GrantRule;
use crate::matching::Weights;
use crate::{Amount, AssetNo, BasisPoints, Label, PartitionNo, Wei};

/// One rule was set to a new value; it acts from this event's position on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChanged {
    /// The rule and its new value.
    pub change: PolicyChange,
}

/// A rule of the pool and its value. New rules are appended; none is ever removed or reordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyChange {
    /// The pool's share of each fee.
    Commission(BasisPoints),
    /// A worker is due when its unpaid total reaches this amount.
    PayoutThreshold(Wei),
    /// How long a granted lease lasts, in milliseconds.
    LeaseTtlMs(u32),
    /// How long a worker may be silent before it lapses, in milliseconds.
    HeartbeatGraceMs(u32),
    /// How soon a worker is asked to beat again, in milliseconds.
    HeartbeatIntervalMs(u32),
    /// How long after its last payout a worker is not due again, in milliseconds.
    PayoutIntervalMs(u32),
    /// The most that one run may request on chain.
    PayoutRunMax(Wei),
    /// The most that may be requested on chain in one day of UTC.
    PayoutDayMax(Wei),
    /// How long a job may be idle before it is closed, in milliseconds.
    JobIdleMs(u32),
    /// A payer that owes more than this, in base units of the asset, opens no job in it.
    DebtLimit(Amount),
    /// How many jobs of one payer may be open at once.
    OpenJobsMax(u32),
    /// The weights of the score that workers are matched by.
    MatchWeights(Weights),
    /// A rule of the grants.
    Grants(GrantRule),
}

/// What the nodes of a partition do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NodeType {
    /// AI inference: jobs are credited by matching a processed job to a received one.
    Ai,
    /// Transcoding: jobs name their worker.
    Transcode,
}

impl NodeType {
    /// The word that file keys and events use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ai => "ai",
            Self::Transcode => "transcode",
        }
    }

    /// Reads the word that file keys and events use.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ai" => Some(Self::Ai),
            "transcode" => Some(Self::Transcode),
            _ => None,
        }
    }
}

/// Files of this node type and region are taken in from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionDeclared {
    /// The partition's number: the next one.
    pub partition: PartitionNo,
    /// What its nodes do.
    pub node_type: NodeType,
    /// Where they are: the deployment's own label.
    pub region: Label,
}

/// Amounts may be held in this asset from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetDeclared {
    /// The asset's number: the next one.
    pub asset: AssetNo,
    /// The code people use, such as `ETH`.
    pub code: Label,
    /// How many decimal places the base unit lies below the asset's unit.
    pub exponent: u8,
}
