//! The rules in force, and a change of one.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::command::{DeclareAsset, DeclarePartition, SetPolicy};
use purser_events::grant::{GrantRule, Tier};
use purser_events::matching::Weights;
use purser_events::policy::{NodeType, PolicyChange};

use purser_events::{BasisPoints, Wei};
use purser_projections::grants::GrantRules;
use purser_projections::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{label, whole};
use crate::http::code::Code;
use crate::http::error::Problem;

/// A rule of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "Cow<'_, str>")]
#[schema(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// The pool's share of each fee in hundredths of a percent: a number from 0 to 10000.
    CommissionBps,
    /// The unpaid total at which a worker is due: a text of digits, in wei.
    PayoutThresholdWei,
    /// How long a granted lease lasts: milliseconds from 1000 to 86400000.
    LeaseTtlMs,
    /// How long a worker may be silent before it lapses: milliseconds from 1000 to 86400000.
    HeartbeatGraceMs,
    /// How soon a worker is asked to beat again: milliseconds from 1000 to 86400000.
    HeartbeatIntervalMs,
    /// How long after its last payout a worker is not due again: milliseconds below 2^32.
    PayoutIntervalMs,
    /// The most that one run may request on chain: a text of digits, in wei.
    PayoutRunMaxWei,
    /// The most that may be requested on chain in one day of UTC: a text of digits, in wei.
    PayoutDayMaxWei,
    /// How long a job may be idle before it is closed: milliseconds from 1000 to 86400000.
    JobIdleMs,
    /// A payer that owes more opens no job: a text of digits, in base units of the job's asset.
    DebtLimit,
    /// How many jobs of one payer may be open at once: a number.
    OpenJobsMax,
    /// The weights of the score that workers are matched by: an object of `cap`, `price`,
    /// `latency`, `trust` and `load` in millionths, together 1000000.
    MatchWeights,
    /// What an identity of tier new may be granted per UTC day: a text of
    /// digits, in base units.
    GrantBudgetNew,
    /// What an identity of tier established may be granted per UTC day: a text of
    /// digits, in base units.
    GrantBudgetEstablished,
    /// What an identity of tier trusted may be granted per UTC day: a text of
    /// digits, in base units.
    GrantBudgetTrusted,
    /// What an identity of tier elite may be granted per UTC day: a text of
    /// digits, in base units.
    GrantBudgetElite,
    /// The score from which on an identity may be of tier established: a number from 1 to 1000.
    GrantScoreEstablished,
    /// The score from which on an identity may be of tier trusted: a number from 1 to 1000.
    GrantScoreTrusted,
    /// The score from which on an identity may be of tier elite: a number from 1 to 1000.
    GrantScoreElite,
    /// The net amount paid within 30 days that tier established takes: a text of
    /// digits, in base units.
    GrantPaidEstablished,
    /// The net amount paid within 30 days that tier trusted takes: a text of
    /// digits, in base units.
    GrantPaidTrusted,
    /// The net amount paid within 30 days that tier elite takes: a text of
    /// digits, in base units.
    GrantPaidElite,
    /// An earned budget is at most this part of what was paid, net, within 30 days: a number from
    /// 0 to 10000.
    GrantPaidShareBps,
    /// The part of each net charge that the first pool is credited with: a number from 0 to
    /// 10000.
    GrantCreditBps,
    /// How long a quote may be paid: milliseconds from 1000 to 86400000.
    GrantQuoteTtlMs,
    /// How long running work may take: milliseconds from 1000 to 86400000.
    GrantHoldTtlMs,
}

/// A change of one rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The rule.
    rule: Rule,
    /// Its new value: a number, or a text of digits for an amount.
    #[serde(borrow)]
    #[schema(value_type = Object, example = json!(2500))]
    value: &'a RawValue,
    /// The value that the caller believes is in force; refused when it is another.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Object>, example = json!(2000))]
    expected: Option<&'a RawValue>,
}

impl PolicyBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        let change = self.rule.read("value", self.value)?;
        let expected = self
            .expected
            .map(|raw| self.rule.read("expected", raw))
            .transpose()?;
        Ok(Command::SetPolicy(SetPolicy { change, expected }))
    }
}

impl TryFrom<Cow<'_, str>> for Rule {
    type Error = &'static str;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Ok(match text.as_ref() {
            "commission_bps" => Self::CommissionBps,
            "payout_threshold_wei" => Self::PayoutThresholdWei,
            "lease_ttl_ms" => Self::LeaseTtlMs,
            "heartbeat_grace_ms" => Self::HeartbeatGraceMs,
            "heartbeat_interval_ms" => Self::HeartbeatIntervalMs,
            "payout_interval_ms" => Self::PayoutIntervalMs,
            "payout_run_max_wei" => Self::PayoutRunMaxWei,
            "payout_day_max_wei" => Self::PayoutDayMaxWei,
            "job_idle_ms" => Self::JobIdleMs,
            "debt_limit" => Self::DebtLimit,
            "open_jobs_max" => Self::OpenJobsMax,
            "match_weights" => Self::MatchWeights,
            "grant_budget_new" => Self::GrantBudgetNew,
            "grant_budget_established" => Self::GrantBudgetEstablished,
            "grant_budget_trusted" => Self::GrantBudgetTrusted,
            "grant_budget_elite" => Self::GrantBudgetElite,
            "grant_score_established" => Self::GrantScoreEstablished,
            "grant_score_trusted" => Self::GrantScoreTrusted,
            "grant_score_elite" => Self::GrantScoreElite,
            "grant_paid_established" => Self::GrantPaidEstablished,
            "grant_paid_trusted" => Self::GrantPaidTrusted,
            "grant_paid_elite" => Self::GrantPaidElite,
            "grant_paid_share_bps" => Self::GrantPaidShareBps,
            "grant_credit_bps" => Self::GrantCreditBps,
            "grant_quote_ttl_ms" => Self::GrantQuoteTtlMs,
            "grant_hold_ttl_ms" => Self::GrantHoldTtlMs,
            _ => return Err("there is no rule of this name"),
        })
    }
}

impl Rule {
    fn read(self, field: &'static str, raw: &RawValue) -> Result<PolicyChange, Problem> {
        Ok(match self {
            Self::CommissionBps => PolicyChange::Commission(basis_points(field, raw)?),
            Self::PayoutThresholdWei => PolicyChange::PayoutThreshold(wei(field, raw)?),
            Self::LeaseTtlMs => PolicyChange::LeaseTtlMs(number(field, raw)?),
            Self::HeartbeatGraceMs => PolicyChange::HeartbeatGraceMs(number(field, raw)?),
            Self::HeartbeatIntervalMs => PolicyChange::HeartbeatIntervalMs(number(field, raw)?),
            Self::PayoutIntervalMs => PolicyChange::PayoutIntervalMs(number(field, raw)?),
            Self::PayoutRunMaxWei => PolicyChange::PayoutRunMax(wei(field, raw)?),
            Self::PayoutDayMaxWei => PolicyChange::PayoutDayMax(wei(field, raw)?),
            Self::JobIdleMs => PolicyChange::JobIdleMs(number(field, raw)?),
            Self::DebtLimit => PolicyChange::DebtLimit(wei(field, raw)?.into()),
            Self::OpenJobsMax => PolicyChange::OpenJobsMax(number(field, raw)?),
            Self::MatchWeights => PolicyChange::MatchWeights(weights(field, raw)?),
            Self::GrantBudgetNew => {
                PolicyChange::Grants(GrantRule::Budget(Tier::New, wei(field, raw)?.into()))
            }
            Self::GrantBudgetEstablished => PolicyChange::Grants(GrantRule::Budget(
                Tier::Established,
                wei(field, raw)?.into(),
            )),
            Self::GrantBudgetTrusted => {
                PolicyChange::Grants(GrantRule::Budget(Tier::Trusted, wei(field, raw)?.into()))
            }
            Self::GrantBudgetElite => {
                PolicyChange::Grants(GrantRule::Budget(Tier::Elite, wei(field, raw)?.into()))
            }
            Self::GrantScoreEstablished => {
                PolicyChange::Grants(GrantRule::Score(Tier::Established, number(field, raw)?))
            }
            Self::GrantScoreTrusted => {
                PolicyChange::Grants(GrantRule::Score(Tier::Trusted, number(field, raw)?))
            }
            Self::GrantScoreElite => {
                PolicyChange::Grants(GrantRule::Score(Tier::Elite, number(field, raw)?))
            }
            Self::GrantPaidEstablished => {
                PolicyChange::Grants(GrantRule::Paid(Tier::Established, wei(field, raw)?.into()))
            }
            Self::GrantPaidTrusted => {
                PolicyChange::Grants(GrantRule::Paid(Tier::Trusted, wei(field, raw)?.into()))
            }
            Self::GrantPaidElite => {
                PolicyChange::Grants(GrantRule::Paid(Tier::Elite, wei(field, raw)?.into()))
            }
            Self::GrantPaidShareBps => {
                PolicyChange::Grants(GrantRule::PaidShare(basis_points(field, raw)?))
            }
            Self::GrantCreditBps => {
                PolicyChange::Grants(GrantRule::CreditShare(basis_points(field, raw)?))
            }
            Self::GrantQuoteTtlMs => {
                PolicyChange::Grants(GrantRule::QuoteTtlMs(number(field, raw)?))
            }
            Self::GrantHoldTtlMs => PolicyChange::Grants(GrantRule::HoldTtlMs(number(field, raw)?)),
        })
    }
}

fn number<T: TryFrom<i64>>(field: &'static str, raw: &RawValue) -> Result<T, Problem> {
    let value: i64 = raw
        .get()
        .parse()
        .map_err(|_| Problem::field(Code::InvalidField, field, "must be a whole number"))?;
    whole(field, value, 0)
}

/// Weights as they are sent and answered.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeightsBody {
    /// Of the share of wanted capabilities.
    cap: u32,
    /// Of the price.
    price: u32,
    /// Of the latency.
    latency: u32,
    /// Of the trust.
    trust: u32,
    /// Of the load.
    load: u32,
}

impl WeightsBody {
    /// Weights as they are answered.
    pub(crate) const fn of(weights: &Weights) -> Self {
        Self {
            cap: weights.cap,
            price: weights.price,
            latency: weights.latency,
            trust: weights.trust,
            load: weights.load,
        }
    }
}

fn weights(field: &'static str, raw: &RawValue) -> Result<Weights, Problem> {
    let body: WeightsBody = serde_json::from_str(raw.get()).map_err(|_| {
        let detail = "must be an object of cap, price, latency, trust and load in millionths";
        Problem::field(Code::InvalidField, field, detail)
    })?;
    Ok(Weights {
        cap: body.cap,
        price: body.price,
        latency: body.latency,
        trust: body.trust,
        load: body.load,
    })
}

fn basis_points(field: &'static str, raw: &RawValue) -> Result<BasisPoints, Problem> {
    let rate = BasisPoints::new(number(field, raw)?);
    rate.ok_or_else(|| Problem::field(Code::PolicyOutOfRange, field, "is at most 10000"))
}

/// An amount: a JSON text of digits. A JSON number is refused.
fn wei(field: &'static str, raw: &RawValue) -> Result<Wei, Problem> {
    let digits = raw
        .get()
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let all_digits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let digits = digits.filter(all_digits).ok_or_else(|| {
        Problem::field(
            Code::InvalidField,
            field,
            "must be a text of digits, in base units",
        )
    })?;
    let amount = digits.parse().map(Wei);
    amount.map_err(|_| Problem::field(Code::OutOfRange, field, "is too large"))
}

/// Take in files of a further partition.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionBody<'a> {
    /// The idempotency key.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// `ai` or `transcode`.
    #[serde(borrow)]
    #[schema(value_type = String)]
    node_type: Cow<'a, str>,
    /// The deployment's own label.
    #[serde(borrow)]
    #[schema(value_type = String)]
    region: Cow<'a, str>,
}

impl PartitionBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        let node_type = NodeType::parse(&self.node_type).ok_or_else(|| {
            Problem::field(Code::OutOfRange, "node_type", "must be `ai` or `transcode`")
        })?;
        let region = label("region", &self.region)?;
        Ok(Command::DeclarePartition(DeclarePartition {
            node_type,
            region,
        }))
    }
}

/// Hold amounts in a further asset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetBody<'a> {
    /// The idempotency key.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The code people use, such as `ETH`.
    #[serde(borrow)]
    #[schema(value_type = String)]
    code: Cow<'a, str>,
    /// Decimal places between the asset's unit and its base unit.
    exponent: u8,
}

impl AssetBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        let (code, exponent) = (label("code", &self.code)?, self.exponent);
        Ok(Command::DeclareAsset(DeclareAsset { code, exponent }))
    }
}

/// The rules in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyAnswer {
    /// The pool's share of each fee in hundredths of a percent.
    commission_bps: u16,
    /// The event that set it; 0 when none did.
    commission_position: u64,
    /// The asset of the amounts.
    asset: &'static str,
    /// The unpaid total at which a worker is due, in wei.
    payout_threshold_wei: String,
    /// How long a granted lease lasts, in milliseconds.
    lease_ttl_ms: u32,
    /// How long a worker may be silent before it lapses, in milliseconds.
    heartbeat_grace_ms: u32,
    /// How soon a worker is asked to beat again, in milliseconds.
    heartbeat_interval_ms: u32,
    /// How long after its last payout a worker is not due again, in milliseconds.
    payout_interval_ms: u32,
    /// The most that one run may request on chain, in wei.
    payout_run_max_wei: String,
    /// The most that may be requested on chain in one day of UTC, in wei.
    payout_day_max_wei: String,
    /// How long a job may be idle before it is closed, in milliseconds.
    job_idle_ms: u32,
    /// A payer that owes more opens no job, in base units of the job's asset.
    debt_limit: String,
    /// How many jobs of one payer may be open at once.
    open_jobs_max: u32,
    /// The weights of the score that workers are matched by, in millionths.
    match_weights: WeightsBody,
    /// The rules of the grants.
    grants: GrantRulesAnswer,
    /// The event that last changed a rule; 0 when none did.
    changed_position: u64,
}

/// The rules of the grants in force; amounts in base units of the pools' asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantRulesAnswer {
    /// What each tier gives, and what it takes to be of it.
    tiers: Vec<TierRuleAnswer>,
    /// An earned budget is at most this part of what was paid, net, within 30 days.
    paid_share_bps: u16,
    /// The part of each net charge that the first pool is credited with.
    credit_bps: u16,
    /// How long a quote may be paid, in milliseconds.
    quote_ttl_ms: u32,
    /// How long running work may take, in milliseconds.
    hold_ttl_ms: u32,
}

/// What a tier gives, and what it takes to be of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TierRuleAnswer {
    /// The tier.
    tier: &'static str,
    /// What an identity of this tier may be granted per UTC day.
    budget: String,
    /// The score from which on an identity may be of this tier.
    score: u32,
    /// The net amount paid within 30 days from which on an identity may be of this tier.
    paid: String,
}

impl GrantRulesAnswer {
    fn of(rules: &GrantRules) -> Self {
        let tier = |tier: Tier| {
            let rule = rules.tier(tier);
            TierRuleAnswer {
                tier: tier.as_str(),
                budget: rule.budget.to_string(),
                score: rule.score,
                paid: rule.paid.to_string(),
            }
        };
        Self {
            tiers: Tier::ALL.into_iter().map(tier).collect(),
            paid_share_bps: rules.paid_share.get(),
            credit_bps: rules.credit_share.get(),
            quote_ttl_ms: rules.quote_ttl_ms,
            hold_ttl_ms: rules.hold_ttl_ms,
        }
    }
}

impl PolicyAnswer {
    /// The rules as they are answered.
    pub(crate) fn of(policy: &Policy) -> Self {
        Self {
            commission_bps: policy.commission.commission.get(),
            commission_position: policy.commission.policy.0,
            asset: "ETH",
            payout_threshold_wei: policy.payout_threshold.to_string(),
            lease_ttl_ms: policy.lease_ttl_ms,
            heartbeat_grace_ms: policy.heartbeat_grace_ms,
            heartbeat_interval_ms: policy.heartbeat_interval_ms,
            payout_interval_ms: policy.payout_interval_ms,
            payout_run_max_wei: policy.payout_run_max.to_string(),
            payout_day_max_wei: policy.payout_day_max.to_string(),
            job_idle_ms: policy.job_idle_ms,
            debt_limit: policy.debt_limit.to_string(),
            open_jobs_max: policy.open_jobs_max,
            match_weights: WeightsBody::of(&policy.match_weights),
            grants: GrantRulesAnswer::of(&policy.grants),
            changed_position: policy.changed_at.0,
        }
    }
}
