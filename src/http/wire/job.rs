//! The bodies of writes about payers' jobs. On a job's own route the path names it.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{
    AdmitJob, AdmitRule, CloseJob, CreditJob, DebitJob, JobName, OpenJob, StopRule,
};
use purser_events::paid::Used;
use purser_events::{Amount, Label, Price};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{at_most, name, optional_name, whole};
use super::money::{amount, payment, whole_digits};
use crate::http::code::Code;
use crate::http::error::Problem;

/// The longest timeout, in seconds: a year.
const TIMEOUT_MAX_SEC: i64 = 31_536_000;

/// Units that an admission asks for where it does not say: a minute.
const MIN_UNITS: i64 = 60;

/// The id of a job: from the path, or in a batch from the body; where both say it they must agree.
fn job_id<'a>(path: Option<&'a str>, body: Option<&'a str>) -> Result<&'a str, Problem> {
    match (path, body) {
        (Some(path), Some(body)) if path != body => {
            let detail = "is another one than the path's";
            Err(Problem::field(Code::InvalidField, "job_id", detail))
        }
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => Err(Problem::field(Code::MissingField, "job_id", "is required")),
    }
}

/// A job by its payer and its id.
pub(crate) fn job_name(payer: &str, id: &str) -> Result<JobName, Problem> {
    let (payer, id) = (name("payer", payer)?, name("job_id", id)?);
    Ok(JobName { payer, id })
}

fn command(command: JobCommand) -> Command {
    Command::Job(Box::new(command))
}

/// What a unit costs: `num / den` base units of the asset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceBody<'a> {
    /// A text of digits, or a whole number: at most 2^96 - 1.
    #[serde(borrow)]
    #[schema(value_type = String, example = "1000000000")]
    num: &'a RawValue,
    /// From 1 to 1000000000; 1 where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "1")]
    den: Option<&'a RawValue>,
}

impl PriceBody<'_> {
    fn price(&self) -> Result<Price, Problem> {
        let numerator = whole_digits("price.num", self.num)?;
        let denominator = self.den.map(|den| whole_digits("price.den", den));
        let denominator = denominator.transpose()?.unwrap_or(1);
        let checked = u32::try_from(denominator).ok();
        let price = checked.and_then(|den| Price::new(Amount(numerator), den));
        price.ok_or_else(|| {
            let (field, detail) = if numerator > Amount::MAX.0 {
                ("price.num", format!("must be at most {}", Amount::MAX))
            } else {
                let most = Price::DENOMINATOR_MAX;
                ("price.den", format!("must be from 1 to {most}"))
            };
            Problem::field(Code::OutOfRange, field, detail)
        })
    }
}

/// A job to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// Unique for the payer, for ever.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    job_id: Cow<'a, str>,
    /// Whose money it spends.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// What it asks for.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    capability: Option<Cow<'a, str>>,
    /// The code of the asset that it is paid in; `ETH` where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
    /// What a unit costs; without it the job is debited by amount.
    #[serde(borrow, default)]
    price: Option<PriceBody<'a>>,
    /// How many seconds, and so units, it is meant to take at most: 1 to 31536000.
    #[schema(minimum = 1, maximum = 31_536_000)]
    timeout_sec: Option<i64>,
    /// The payer's own reference.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    payer_ref: Option<Cow<'a, str>>,
    /// Who earns what it is debited: a worker's id or address.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    worker: Option<Cow<'a, str>>,
    /// The request under way, decided by `/v1/grants/decide`, that bears what it is debited. The
    /// job is in the asset of the pools then.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    request: Option<Cow<'a, str>>,
}

impl OpenBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(command(JobCommand::Open(OpenJob {
            job: job_name(&self.payer, &self.job_id)?,
            asset: asset(self.asset.as_deref())?,
            price: self.price.as_ref().map(PriceBody::price).transpose()?,
            timeout_sec: self.timeout_sec.map(timeout).transpose()?,
            capability: optional_name("capability", self.capability.as_deref())?,
            payer_ref: optional_name("payer_ref", self.payer_ref.as_deref())?,
            worker: optional_name("worker", self.worker.as_deref())?,
            request: optional_name("request", self.request.as_deref())?,
        })))
    }
}

/// An asset by its code; ETH where none is named.
pub(crate) fn asset(code: Option<&str>) -> Result<Label, Problem> {
    name("asset", code.unwrap_or("ETH"))
}

fn timeout(sec: i64) -> Result<u32, Problem> {
    whole(
        "timeout_sec",
        at_most("timeout_sec", sec, TIMEOUT_MAX_SEC)?,
        1,
    )
}

/// A payment for a job.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the job.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    job_id: Option<Cow<'a, str>>,
    /// The job's payer.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// A text of digits in base units: 1 to 2^96 - 1.
    #[serde(borrow)]
    #[schema(value_type = String, example = "60000000000")]
    amount: Cow<'a, str>,
    /// The code of the asset; the job's where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
    /// The source's own id of the payment: counts once, for ever.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payment_id: Cow<'a, str>,
    /// The way it came, such as `stripe`.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    source: Cow<'a, str>,
}

impl CreditBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let id = job_id(path, self.job_id.as_deref())?;
        Ok(command(JobCommand::Credit(CreditJob {
            job: job_name(&self.payer, id)?,
            asset: optional_name("asset", self.asset.as_deref())?,
            payment: payment(&self.amount, &self.payment_id, &self.source)?,
        })))
    }
}

/// Units to be held for a job.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdmitBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the job.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    job_id: Option<Cow<'a, str>>,
    /// The job's payer.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// Units that must be covered, but no more than the job's timeout; 60 where it is left out.
    #[schema(minimum = 0)]
    min_units: Option<i64>,
}

impl AdmitBody<'_> {
    /// The job's payer.
    pub(crate) fn payer(&self) -> &str {
        &self.payer
    }

    /// The command.
    pub(crate) fn command(&self, path: Option<&str>, rule: AdmitRule) -> Result<Command, Problem> {
        let id = job_id(path, self.job_id.as_deref())?;
        Ok(command(JobCommand::Admit(AdmitJob {
            job: job_name(&self.payer, id)?,
            units: whole("min_units", self.min_units.unwrap_or(MIN_UNITS), 0)?,
            rule,
        })))
    }
}

/// Work that a job is charged for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebitBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the job.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    job_id: Option<Cow<'a, str>>,
    /// The job's payer.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// Units used since the debit before, at the job's price. This or `amount`.
    #[schema(minimum = 0)]
    units: Option<i64>,
    /// What the work cost: a text of digits in base units, 0 to 2^96 - 1. This or `units`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    amount: Option<Cow<'a, str>>,
    /// The coordinator's number of this debit of this job: counts once, for ever.
    #[schema(minimum = 0)]
    debit_seq: i64,
    /// Who earned it, if not the worker that the job was opened with: an id or an address.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    worker: Option<Cow<'a, str>>,
}

impl DebitBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>, rule: StopRule) -> Result<Command, Problem> {
        let id = job_id(path, self.job_id.as_deref())?;
        let used = match (self.units, &self.amount) {
            (Some(units), None) => Used::Units(whole("units", units, 0)?),
            (None, Some(text)) => Used::Amount(amount("amount", text, 0)?),
            (None, None) => {
                let detail = "is required, or `amount`";
                return Err(Problem::field(Code::MissingField, "units", detail));
            }
            (Some(_), Some(_)) => {
                let detail = "is not known beside `units`";
                return Err(Problem::field(Code::InvalidField, "amount", detail));
            }
        };
        Ok(command(JobCommand::Debit(DebitJob {
            job: job_name(&self.payer, id)?,
            seq: whole("debit_seq", self.debit_seq, 0)?,
            used,
            worker: optional_name("worker", self.worker.as_deref())?,
            rule,
        })))
    }
}

/// A job to be ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the job.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    job_id: Option<Cow<'a, str>>,
    /// The job's payer.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// Why.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    reason: Option<Cow<'a, str>>,
}

impl CloseBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let id = job_id(path, self.job_id.as_deref())?;
        Ok(command(JobCommand::Close(CloseJob {
            job: job_name(&self.payer, id)?,
            reason: optional_name("reason", self.reason.as_deref())?,
        })))
    }
}
