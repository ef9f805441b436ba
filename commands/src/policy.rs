//! Setting the pool's rules.

use purser_events::policy::{AssetDeclared, PartitionDeclared, PolicyChange, PolicyChanged};
use purser_events::{AssetNo, Event, PartitionNo};
use purser_projections::Books;
use purser_projections::policy::Policy;

use crate::command::{DeclareAsset, DeclarePartition, SetPolicy};
use crate::{Answer, Rejection, grants};

/// The longest time that a rule may name, in milliseconds: one day.
pub const LONGEST_MS: u32 = 86_400_000;

/// The shortest time that a rule may name, in milliseconds.
pub const SHORTEST_MS: u32 = 1_000;

pub(crate) fn set(
    books: &Books,
    set: &SetPolicy,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let in_force = in_force(&books.projections.policy, &set.change);
    if set.expected.is_some_and(|expected| expected != in_force) {
        return Err(Rejection::PolicyDiffers);
    }
    if !in_range(&set.change) {
        return Err(Rejection::PolicyOutOfRange);
    }
    if set.change == in_force && was_set(&books.projections.policy, &set.change) {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::PolicyChanged(PolicyChanged { change: set.change }));
    Ok(Answer::Done)
}

/// The value in force of the rule that `change` would set.
fn in_force(policy: &Policy, change: &PolicyChange) -> PolicyChange {
    match change {
        PolicyChange::Commission(_) => PolicyChange::Commission(policy.commission.commission),
        PolicyChange::PayoutThreshold(_) => PolicyChange::PayoutThreshold(policy.payout_threshold),
        PolicyChange::LeaseTtlMs(_) => PolicyChange::LeaseTtlMs(policy.lease_ttl_ms),
        PolicyChange::HeartbeatGraceMs(_) => {
            PolicyChange::HeartbeatGraceMs(policy.heartbeat_grace_ms)
        }
        PolicyChange::HeartbeatIntervalMs(_) => {
            PolicyChange::HeartbeatIntervalMs(policy.heartbeat_interval_ms)
        }
        PolicyChange::PayoutIntervalMs(_) => {
            PolicyChange::PayoutIntervalMs(policy.payout_interval_ms)
        }
        PolicyChange::PayoutRunMax(_) => PolicyChange::PayoutRunMax(policy.payout_run_max),
        PolicyChange::PayoutDayMax(_) => PolicyChange::PayoutDayMax(policy.payout_day_max),
        PolicyChange::JobIdleMs(_) => PolicyChange::JobIdleMs(policy.job_idle_ms),
        PolicyChange::DebtLimit(_) => PolicyChange::DebtLimit(policy.debt_limit),
        PolicyChange::OpenJobsMax(_) => PolicyChange::OpenJobsMax(policy.open_jobs_max),
        PolicyChange::MatchWeights(_) => PolicyChange::MatchWeights(policy.match_weights),
        PolicyChange::Grants(rule) => PolicyChange::Grants(policy.grants.in_force(*rule)),
    }
}

/// Whether the log says so, and not only our default.
fn was_set(policy: &Policy, change: &PolicyChange) -> bool {
    !matches!(change, PolicyChange::Commission(_)) || policy.commission.policy.0 > 0
}

fn in_range(change: &PolicyChange) -> bool {
    match change {
        PolicyChange::Commission(_)
        | PolicyChange::PayoutThreshold(_)
        | PolicyChange::PayoutIntervalMs(_)
        | PolicyChange::PayoutRunMax(_)
        | PolicyChange::PayoutDayMax(_)
        | PolicyChange::DebtLimit(_)
        | PolicyChange::OpenJobsMax(_) => true,
        PolicyChange::MatchWeights(weights) => weights.whole(),
        PolicyChange::Grants(rule) => grants::in_range(*rule),
        PolicyChange::LeaseTtlMs(ms)
        | PolicyChange::JobIdleMs(ms)
        | PolicyChange::HeartbeatGraceMs(ms)
        | PolicyChange::HeartbeatIntervalMs(ms) => (SHORTEST_MS..=LONGEST_MS).contains(ms),
    }
}

pub(crate) fn declare_partition(
    books: &Books,
    declare: &DeclarePartition,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let names = &books.projections.names;
    if names
        .partition(declare.node_type, declare.region.as_str())
        .is_some()
    {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::PartitionDeclared(PartitionDeclared {
        partition: PartitionNo::following(names.partitions().len()),
        node_type: declare.node_type,
        region: declare.region.clone(),
    }));
    Ok(Answer::Done)
}

pub(crate) fn declare_asset(
    books: &Books,
    declare: &DeclareAsset,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let assets = books.projections.names.assets();
    if let Some(asset) = assets.iter().find(|asset| asset.code == declare.code) {
        let same = asset.exponent == declare.exponent;
        return if same {
            Ok(Answer::Unchanged)
        } else {
            Err(Rejection::AssetDiffers)
        };
    }
    into.push(Event::AssetDeclared(AssetDeclared {
        asset: AssetNo::following(assets.len()),
        code: declare.code.clone(),
        exponent: declare.exponent,
    }));
    Ok(Answer::Done)
}
