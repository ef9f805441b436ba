//! Payouts as they are asked for and answered.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::payout::{ConfirmPayout, Due, PayoutRef, Plan, RequestElsewhere, Skipped};
use purser_events::{Amount, AssetNo};
use purser_projections::Projections;
use purser_projections::payouts::parse_payout_id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::{label, name};
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::render::payout::PayoutRecord;
use crate::writer::Reply;

/// A run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunBody {
    /// Only say what would be paid.
    pub(crate) dry_run: bool,
}

/// Nothing more to say.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyBody {}

/// What a run did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunAnswer {
    /// Whether nothing was requested because only the plan was asked for.
    pub(crate) dry_run: bool,
    /// How many payouts were requested, or would be.
    pub(crate) requested: u32,
    /// Their sum, in wei.
    pub(crate) amount_wei: String,
    /// The asset.
    pub(crate) asset: &'static str,
    /// Who is due; only of a dry run.
    pub(crate) due: Option<Vec<DueRow>>,
    /// Who is owed something and is not due; only of a dry run.
    pub(crate) skipped: Option<Vec<SkippedRow>>,
    /// What there is to pay from; only of a dry run.
    pub(crate) solvency: Option<Solvency>,
    /// The position that made it durable, or that the plan reflects.
    pub(crate) position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    pub(crate) replayed: bool,
}

/// Who is due.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DueRow {
    address: String,
    workers: Vec<String>,
    amount_wei: String,
}

/// Who is owed something and is not due.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SkippedRow {
    worker: String,
    address: Option<String>,
    amount_wei: String,
    /// `no_address`, `odd_address`, `unfinished`, `below_threshold`, `too_soon`, `run_max` or
    /// `day_max`.
    why: &'static str,
}

/// What the account that pays holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Funds {
    /// The chain tells.
    OnChain(Amount),
    /// The operator does.
    Declared(Amount),
}

impl Funds {
    const fn amount(self) -> Amount {
        match self {
            Self::OnChain(amount) | Self::Declared(amount) => amount,
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::OnChain(_) => "chain",
            Self::Declared(_) => "declared",
        }
    }
}

/// Income and funds against what is due.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Solvency {
    /// What the account that pays holds; null where no node tells and nothing is declared.
    funds_wei: Option<String>,
    /// Who says so: `chain`, or `declared` for the setting.
    funds_from: Option<&'static str>,
    /// What is requested and has not left that account yet.
    outstanding_wei: String,
    /// What this run needs: what is due and what is outstanding.
    needed_wei: String,
    /// Whether the funds cover it, gas apart; null where they are not known.
    funds_cover: Option<bool>,
    /// The face value of redeemed tickets: the pool's income.
    income_wei: String,
    /// What was paid before, gas included.
    spent_wei: String,
    /// What is owed to all workers, due or not.
    owed_wei: String,
    /// Whether the income covers what was spent, what is outstanding and what is owed.
    income_covers: bool,
}

impl RunAnswer {
    /// What a run did.
    pub(crate) fn done(requested: u32, amount: Amount, reply: &Reply) -> Self {
        Self {
            dry_run: false,
            requested,
            amount_wei: amount.to_string(),
            asset: "ETH",
            due: None,
            skipped: None,
            solvency: None,
            position: reply.position.0,
            replayed: reply.replayed,
        }
    }

    /// What a run would do.
    pub(crate) fn planned(folds: &Projections, plan: &Plan, funds: Option<Funds>) -> Self {
        let due = plan.due.iter().map(|due| due_row(folds, due)).collect();
        let skipped = plan.skipped.iter().map(|one| skipped_row(folds, one));
        Self {
            dry_run: true,
            requested: u32::try_from(plan.due.len()).unwrap_or(u32::MAX),
            amount_wei: plan.total.to_string(),
            asset: "ETH",
            due: Some(due),
            skipped: Some(skipped.collect()),
            solvency: Some(Solvency::of(folds, plan, funds)),
            position: folds.position.0,
            replayed: false,
        }
    }
}

impl Solvency {
    fn of(folds: &Projections, plan: &Plan, funds: Option<Funds>) -> Self {
        use purser_projections::accounts::Account;
        let asset = AssetNo::ETH;
        let finished = folds.payouts.finished(asset);
        let income = folds.accounts.turnover(asset, Account::Tickets).debits;
        let spent = finished.amount.plus(finished.gas);
        let needed = plan.total.plus(plan.outstanding);
        let liabilities = spent.plus(plan.outstanding).plus(plan.owed);
        Self {
            funds_wei: funds.map(|funds| funds.amount().to_string()),
            funds_from: funds.map(Funds::source),
            outstanding_wei: plan.outstanding.to_string(),
            needed_wei: needed.to_string(),
            funds_cover: funds.map(|funds| funds.amount() >= needed),
            income_wei: income.to_string(),
            spent_wei: spent.to_string(),
            owed_wei: plan.owed.to_string(),
            income_covers: income >= liabilities,
        }
    }
}

fn due_row(folds: &Projections, due: &Due) -> DueRow {
    let workers = folds.names.workers();
    let worker = |draw: &purser_events::payout::Draw| workers[draw.worker.index()].to_string();
    DueRow {
        address: due.address.to_string(),
        workers: due.draws.iter().map(worker).collect(),
        amount_wei: due.amount.to_string(),
    }
}

fn skipped_row(folds: &Projections, skipped: &Skipped) -> SkippedRow {
    SkippedRow {
        worker: folds.names.workers()[skipped.worker.index()].to_string(),
        address: skipped.address.map(|address| address.to_string()),
        amount_wei: skipped.amount.to_string(),
        why: skipped.why.name(),
    }
}

/// A page of payouts, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutPage {
    /// The payouts.
    pub(crate) payouts: Vec<PayoutRecord>,
    /// The cursor of the next page; null on the last one.
    pub(crate) next: Option<u32>,
    /// The position that the page reflects.
    pub(crate) position: u64,
}

/// A payout that the operator makes elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElsewhereBody<'a> {
    /// The worker's id or address.
    #[serde(borrow)]
    #[schema(value_type = String)]
    worker: Cow<'a, str>,
    /// The asset's code; ETH where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
    /// How much, as a text of digits in base units.
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Cow<'a, str>,
    /// How: the operator's word, such as `lightning`, up to 128 bytes.
    #[serde(borrow)]
    #[schema(value_type = String)]
    rail: Cow<'a, str>,
    /// What it can be found by, where it is made already; else its amount is held until it is
    /// confirmed.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    reference: Option<Cow<'a, str>>,
}

impl ElsewhereBody<'_> {
    /// The command.
    pub(crate) fn command(&self, folds: &Projections) -> Result<Command, Problem> {
        let worker = folds.names.worker(&self.worker);
        let worker = worker.ok_or_else(|| Problem::new(Code::UnknownWorker))?;
        let digits = self.amount.bytes().all(|byte| byte.is_ascii_digit());
        let amount = self.amount.parse().ok().filter(|_| digits).map(Amount);
        let amount = amount.ok_or_else(|| {
            let detail = "must be a text of digits, in base units";
            Problem::field(Code::InvalidField, "amount", detail)
        })?;
        let reference = self.reference.as_deref();
        Ok(Command::RequestElsewhere(Box::new(RequestElsewhere {
            worker,
            asset: self.asset(folds)?,
            amount,
            rail: name("rail", &self.rail)?,
            reference: reference.map(|text| label("reference", text)).transpose()?,
        })))
    }

    fn asset(&self, folds: &Projections) -> Result<AssetNo, Problem> {
        let Some(code) = self.asset.as_deref() else {
            return Ok(AssetNo::ETH);
        };
        let assets = folds.names.assets().iter();
        let found = assets
            .enumerate()
            .find(|(_, asset)| asset.code.as_str() == code);
        found
            .map(|(index, _)| AssetNo::following(index))
            .ok_or_else(|| Problem::new(Code::UnknownAsset))
    }
}

/// A payout that was made elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmBody<'a> {
    /// What it can be found by.
    #[serde(borrow)]
    #[schema(value_type = String)]
    reference: Cow<'a, str>,
}

impl ConfirmBody<'_> {
    /// The command.
    pub(crate) fn command(&self, payout: PayoutRef) -> Result<Command, Problem> {
        let reference = label("reference", &self.reference)?;
        Ok(Command::ConfirmPayout(Box::new(ConfirmPayout {
            payout,
            reference,
        })))
    }
}

/// A payout that was requested by hand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ElsewhereAnswer {
    /// What it is known by.
    id: String,
    /// Its number.
    number: u32,
    /// `requested`, or `final` where a reference was given.
    state: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

impl ElsewhereAnswer {
    /// The answer, from the payout's record.
    pub(crate) fn of(record: &PayoutRecord, reply: &Reply) -> Self {
        Self {
            id: record.id.clone(),
            number: record.number,
            state: record.state.to_string(),
            position: reply.position.0,
            replayed: reply.replayed,
        }
    }
}

/// A payout by its id, or by its number alone.
pub(crate) fn payout_ref(text: &str) -> Result<PayoutRef, Problem> {
    let found = parse_payout_id(text).ok_or_else(|| Problem::new(Code::UnknownPayout))?;
    let (payout, digest) = found;
    Ok(PayoutRef { payout, digest })
}
