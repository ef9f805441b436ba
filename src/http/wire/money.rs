//! Amounts and payments, and the bodies of writes about payers' funds and slots.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{
    ChooseFunds, DeclareCapability, Deposit, Payment, SettleDebt, SlotOf, TransferFunds,
};
use purser_events::Amount;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{at_most, name, optional_name, whole};
use super::job::{asset, job_name};
use crate::http::code::Code;
use crate::http::error::Problem;

/// The most slots of one capability.
const SLOTS_MAX: i64 = 1_000_000;

/// Ways of money that the books know by themselves.
const RESERVED: [&str; 3] = ["openpool", "tickets", "chain"];

/// An amount: a text of digits from `min` to [`Amount::MAX`].
pub(crate) fn amount(field: &'static str, text: &str, min: u128) -> Result<Amount, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = "must be a text of digits, in base units";
        return Err(Problem::field(Code::InvalidField, field, detail));
    }
    let parsed = text.parse().ok().filter(|amount| *amount <= Amount::MAX.0);
    let Some(amount) = parsed else {
        let detail = format!("must be at most {}", Amount::MAX);
        return Err(Problem::field(Code::OutOfRange, field, detail));
    };
    if amount < min {
        let detail = format!("must be at least {min}");
        return Err(Problem::field(Code::OutOfRange, field, detail));
    }
    Ok(Amount(amount))
}

/// A whole number, as a text of digits or as a JSON number.
pub(crate) fn whole_digits(field: &'static str, raw: &RawValue) -> Result<u128, Problem> {
    let text = raw.get();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let digits = inner.unwrap_or(text);
    if let Some(number) = digits.strip_prefix('-')
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(Problem::field(
            Code::OutOfRange,
            field,
            "must not be negative",
        ));
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = "must be a whole number, or a text of its digits";
        return Err(Problem::field(Code::InvalidField, field, detail));
    }
    let beyond = |_| {
        let detail = format!("must be at most {}", Amount::MAX);
        Problem::field(Code::OutOfRange, field, detail)
    };
    digits.parse().map_err(beyond)
}

/// A payment as its source tells it.
pub(crate) fn payment(text: &str, id: &str, source: &str) -> Result<Payment, Problem> {
    if RESERVED.contains(&source) {
        let detail = "is a name of the books' own; name another way";
        return Err(Problem::field(Code::OutOfRange, "source", detail));
    }
    Ok(Payment {
        amount: amount("amount", text, 1)?,
        rail: name("source", source)?,
        id: name("payment_id", id)?,
    })
}

fn command(command: JobCommand) -> Command {
    Command::Job(Box::new(command))
}

/// What the path says, or in a batch the body; where both say it they must agree.
fn from<'a>(
    field: &'static str,
    path: Option<&'a str>,
    body: Option<&'a str>,
) -> Result<&'a str, Problem> {
    match (path, body) {
        (Some(path), Some(body)) if path != body => {
            let detail = "is another one than the path's";
            Err(Problem::field(Code::InvalidField, field, detail))
        }
        (Some(text), _) | (None, Some(text)) => Ok(text),
        (None, None) => Err(Problem::field(Code::MissingField, field, "is required")),
    }
}

/// Prepaid funds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepositBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the payer.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    payer: Option<Cow<'a, str>>,
    /// The code of the asset; `ETH` where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
    /// A text of digits in base units: 1 to 2^96 - 1.
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Cow<'a, str>,
    /// The source's own id of the payment: counts once, for ever.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payment_id: Cow<'a, str>,
    /// The way it came, such as `stripe`.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    source: Cow<'a, str>,
}

impl DepositBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let payer = from("payer", path, self.payer.as_deref())?;
        Ok(command(JobCommand::Deposit(Deposit {
            payer: name("payer", payer)?,
            asset: asset(self.asset.as_deref())?,
            payment: payment(&self.amount, &self.payment_id, &self.source)?,
        })))
    }
}

/// Funds of a payer for one of its jobs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The payer.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payer: Cow<'a, str>,
    /// The job.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    job_id: Cow<'a, str>,
    /// A text of digits in base units: 1 to 2^96 - 1.
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Cow<'a, str>,
    /// The code of the asset; the job's where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
    /// The coordinator's own id of the transfer: counts once, for ever.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    transfer_id: Option<Cow<'a, str>>,
}

impl TransferBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(command(JobCommand::Transfer(TransferFunds {
            job: job_name(&self.payer, &self.job_id)?,
            asset: optional_name("asset", self.asset.as_deref())?,
            amount: amount("amount", &self.amount, 1)?,
            transfer: optional_name("transfer_id", self.transfer_id.as_deref())?,
        })))
    }
}

/// Debt to be settled from funds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the payer.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    payer: Option<Cow<'a, str>>,
    /// The code of the asset; `ETH` where it is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    asset: Option<Cow<'a, str>>,
}

impl SettleBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let payer = from("payer", path, self.payer.as_deref())?;
        Ok(command(JobCommand::Settle(SettleDebt {
            payer: name("payer", payer)?,
            asset: asset(self.asset.as_deref())?,
        })))
    }
}

/// What becomes of a payer's funds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the payer.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    payer: Option<Cow<'a, str>>,
    /// Whether all its funds of the job's asset go to the job that it opens next.
    funds_at_open: bool,
}

impl ChoiceBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let payer = from("payer", path, self.payer.as_deref())?;
        Ok(command(JobCommand::Choose(ChooseFunds {
            payer: name("payer", payer)?,
            at_open: self.funds_at_open,
        })))
    }
}

/// A capability whose slots are counted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapabilityBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// What it is known by.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    name: Cow<'a, str>,
    /// How many jobs may hold a slot at once: 0 to 1000000.
    #[schema(minimum = 0, maximum = 1_000_000)]
    capacity: i64,
}

impl CapabilityBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        let slots = at_most("capacity", self.capacity, SLOTS_MAX)?;
        Ok(command(JobCommand::DeclareCapability(DeclareCapability {
            name: name("name", &self.name)?,
            slots: whole("capacity", slots, 0)?,
        })))
    }
}

/// A capability by its name, in a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapabilityName<'a> {
    /// The idempotency key.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// What it is known by.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    name: Cow<'a, str>,
}

impl CapabilityName<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        remove_capability(&self.name)
    }
}

/// Count a capability's slots no longer.
pub(crate) fn remove_capability(text: &str) -> Result<Command, Problem> {
    let name = name("name", text)?;
    Ok(command(JobCommand::RemoveCapability(name)))
}

/// A slot of a capability.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlotBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// In a batch: the capability.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    capability: Option<Cow<'a, str>>,
    /// The job that holds it.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    job_id: Cow<'a, str>,
    /// The payer, where it is an open job of these books: then its end frees the slot.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    payer: Option<Cow<'a, str>>,
}

impl SlotBody<'_> {
    /// The command that reserves it.
    pub(crate) fn reserve(&self, path: Option<&str>) -> Result<Command, Problem> {
        self.slot(path).map(JobCommand::ReserveSlot).map(command)
    }

    /// The command that frees it.
    pub(crate) fn free(&self) -> Result<Command, Problem> {
        self.slot(None).map(JobCommand::FreeSlot).map(command)
    }

    fn slot(&self, path: Option<&str>) -> Result<SlotOf, Problem> {
        let capability = from("capability", path, self.capability.as_deref())?;
        slot(capability, &self.job_id, self.payer.as_deref())
    }
}

fn slot(capability: &str, job_id: &str, payer: Option<&str>) -> Result<SlotOf, Problem> {
    Ok(SlotOf {
        capability: name("capability", capability)?,
        job_id: name("job_id", job_id)?,
        payer: optional_name("payer", payer)?,
    })
}

/// The command that frees a slot that a path names.
pub(crate) fn free_slot(
    capability: &str,
    job_id: &str,
    payer: Option<&str>,
) -> Result<Command, Problem> {
    let slot = slot(capability, job_id, payer)?;
    Ok(command(JobCommand::FreeSlot(slot)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_text_of_digits_within_its_range() {
        let most = Amount::MAX.to_string();
        for (text, expected) in [
            ("1", Ok(Amount(1))),
            (most.as_str(), Ok(Amount::MAX)),
            ("79228162514264337593543950336", Err("out_of_range")),
            (
                "340282366920938463463374607431768211456",
                Err("out_of_range"),
            ),
            ("0", Err("out_of_range")),
            ("", Err("invalid_field")),
            ("-1", Err("invalid_field")),
            ("+1", Err("invalid_field")),
            ("1.5", Err("invalid_field")),
            ("1e3", Err("invalid_field")),
            (" 1", Err("invalid_field")),
        ] {
            let found = amount("amount", text, 1).map_err(|problem| problem.code.as_str());
            assert_eq!(found, expected, "{text}");
        }
    }
}
