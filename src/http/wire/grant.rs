//! What is asked about grants, pools of generosity and identities. Amounts are texts of digits in
//! base units of the pools' asset.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::grants::GrantCommand;
use purser_commands::grants::command::{
    ConfirmGrant, DecideGrant, OpenPool, PaidBy, RefundCharge, ReleaseGrant, SetTier, SettleGrant,
    TopUpPool,
};
use purser_events::grant::{PayMode, Tier};
use purser_events::{Amount, Label};
use serde::Deserialize;
use utoipa::ToSchema;

use super::field::{label, name, names, optional_name};
use crate::http::code::Code;
use crate::http::error::Problem;

/// The way by which an invoice is paid where none is named.
pub(crate) const INVOICE: &str = "invoice";

/// The way by which sponsors pay where none is named.
pub(crate) const SPONSOR: &str = "sponsor";

/// An amount: a text of digits.
pub(crate) fn base_units(field: &'static str, text: &str) -> Result<Amount, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = "must be a text of digits, in base units";
        return Err(Problem::field(Code::InvalidField, field, detail));
    }
    let amount = text.parse().map(Amount).ok();
    let amount = amount.filter(|amount| *amount <= Amount::MAX);
    amount.ok_or_else(|| Problem::field(Code::OutOfRange, field, "is at most 2^96 - 1"))
}

fn wish(command: GrantCommand) -> Command {
    Command::Grant(Box::new(command))
}

/// The request of a path, or of a batch's item: one of them names it.
fn request_of(path: Option<&str>, body: Option<&str>) -> Result<Label, Problem> {
    match (path, body) {
        (Some(text), None) | (None, Some(text)) => name("request", text),
        (None, None) => Err(Problem::field(Code::MissingField, "request", "is required")),
        (Some(_), Some(_)) => Err(Problem::field(
            Code::UnknownField,
            "request",
            "stands in the path",
        )),
    }
}

/// Decide how a request is served.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The request's id: unique for ever.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    request: Cow<'a, str>,
    /// Whose request it is; absent for nobody that is known.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    identity: Option<Cow<'a, str>>,
    /// What the work is believed to cost, from 1.
    #[serde(borrow)]
    #[schema(value_type = String, example = "120")]
    est: Cow<'a, str>,
    /// `invoice`: what is left is paid by an invoice and confirmed. `prepaid`: it is taken from the
    /// identity's funds at once.
    #[serde(borrow)]
    #[schema(value_type = String, example = "invoice")]
    mode: Cow<'a, str>,
}

impl DecideBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::Decide(DecideGrant {
            request: name("request", &self.request)?,
            identity: optional_name("identity", self.identity.as_deref())?,
            est: base_units("est", &self.est)?,
            mode: mode(&self.mode)?,
        })))
    }
}

/// How the rest is paid.
fn mode(text: &str) -> Result<PayMode, Problem> {
    let detail = "must be `invoice` or `prepaid`";
    PayMode::parse(text).ok_or_else(|| Problem::field(Code::OutOfRange, "mode", detail))
}

/// Take the payment of a request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The request, in a batch.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    request: Option<Cow<'a, str>>,
    /// How much came in.
    #[serde(borrow)]
    #[schema(value_type = String, example = "70")]
    paid: Cow<'a, str>,
    /// The payment's id: one payment counts once.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payment: Cow<'a, str>,
    /// The way by which it came in; `invoice` where none is named.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    source: Option<Cow<'a, str>>,
}

impl ConfirmBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let rail = self.source.as_deref().unwrap_or(INVOICE);
        Ok(wish(GrantCommand::Confirm(ConfirmGrant {
            request: request_of(path, self.request.as_deref())?,
            paid: PaidBy {
                amount: base_units("paid", &self.paid)?,
                rail: name("source", rail)?,
                payment: name("payment", &self.payment)?,
            },
        })))
    }
}

/// Say what the work of a request did cost.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleGrantBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The request, in a batch.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    request: Option<Cow<'a, str>>,
    /// What it did cost, from 0.
    #[serde(borrow)]
    #[schema(value_type = String, example = "90")]
    actual: Cow<'a, str>,
    /// Who earns it, less the commission: a worker's id or address. The house earns what nobody is
    /// named for.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    worker: Option<Cow<'a, str>>,
}

impl SettleGrantBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::Settle(SettleGrant {
            request: request_of(path, self.request.as_deref())?,
            actual: base_units("actual", &self.actual)?,
            worker: optional_name("worker", self.worker.as_deref())?,
        })))
    }
}

/// Say that the work of a request failed, or call it off.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The request, in a batch.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    request: Option<Cow<'a, str>>,
    /// Whether the identity is to blame: that costs it five points of its score.
    #[serde(default)]
    fault: bool,
}

impl ReleaseBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::Release(ReleaseGrant {
            request: request_of(path, self.request.as_deref())?,
            fault: self.fault,
        })))
    }
}

/// Pay a charge back after the settlement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The request, in a batch.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    request: Option<Cow<'a, str>>,
    /// How much, from 1 to what was charged and not paid back yet.
    #[serde(borrow)]
    #[schema(value_type = String, example = "40")]
    amount: Cow<'a, str>,
    /// The refund's id: unique for the request.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    refund: Cow<'a, str>,
}

impl RefundBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::RefundCharge(RefundCharge {
            request: request_of(path, self.request.as_deref())?,
            amount: base_units("amount", &self.amount)?,
            refund: name("refund", &self.refund)?,
        })))
    }
}

/// Open a pool of generosity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// What it is known by.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    name: Cow<'a, str>,
    /// The code of the asset of its amounts: that of the first pool.
    #[serde(borrow)]
    #[schema(value_type = String, example = "BTC")]
    asset: Cow<'a, str>,
    /// What it begins with; nothing where that is not named.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "10000")]
    seed: Option<Cow<'a, str>>,
    /// The way by which that comes in; `sponsor` where none is named.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    source: Option<Cow<'a, str>>,
}

impl PoolBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::OpenPool(OpenPool {
            name: name("name", &self.name)?,
            asset: label("asset", &self.asset)?,
            seed: base_units("seed", self.seed.as_deref().unwrap_or("0"))?,
            rail: name("source", self.source.as_deref().unwrap_or(SPONSOR))?,
        })))
    }
}

/// Ask the pools in another order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// Every pool, the first to be asked first.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>)]
    order: Vec<Cow<'a, str>>,
}

impl OrderBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        let order = names("order", &self.order)?;
        Ok(wish(GrantCommand::OrderPools(order)))
    }
}

/// Add to a pool.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUpBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The pool; the house's own where none is named.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pool: Option<Cow<'a, str>>,
    /// How much, from 1.
    #[serde(borrow)]
    #[schema(value_type = String, example = "5000")]
    amount: Cow<'a, str>,
    /// The payment's id: one payment counts once.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    payment: Cow<'a, str>,
    /// The way by which it came in; `sponsor` where none is named.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    source: Option<Cow<'a, str>>,
}

impl TopUpBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(wish(GrantCommand::TopUp(TopUpPool {
            pool: optional_name("pool", self.pool.as_deref())?,
            paid: PaidBy {
                amount: base_units("amount", &self.amount)?,
                rail: name("source", self.source.as_deref().unwrap_or(SPONSOR))?,
                payment: name("payment", &self.payment)?,
            },
        })))
    }
}

/// Set an identity's tier, or leave it to be earned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TierBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The identity, in a batch.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    identity: Option<Cow<'a, str>>,
    /// `new`, `established`, `trusted` or `elite`; null leaves the tier to be earned.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, example = "trusted")]
    tier: Option<Cow<'a, str>>,
}

impl TierBody<'_> {
    /// The command.
    pub(crate) fn command(&self, path: Option<&str>) -> Result<Command, Problem> {
        let identity = match (path, self.identity.as_deref()) {
            (Some(path), None) => name("id", path)?,
            (None, Some(body)) => name("identity", body)?,
            (None, None) => {
                return Err(Problem::field(
                    Code::MissingField,
                    "identity",
                    "is required",
                ));
            }
            (Some(_), Some(_)) => {
                let detail = "stands in the path";
                return Err(Problem::field(Code::UnknownField, "identity", detail));
            }
        };
        let tier = |text: &str| {
            let detail = "must be `new`, `established`, `trusted`, `elite` or null";
            Tier::parse(text).ok_or_else(|| Problem::field(Code::OutOfRange, "tier", detail))
        };
        let tier = self.tier.as_deref().map(tier).transpose()?;
        Ok(wish(GrantCommand::SetTier(SetTier { identity, tier })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_text_of_digits() {
        let most = Amount::MAX.to_string();
        let table = [
            ("0", Ok(Amount::ZERO)),
            ("80", Ok(Amount(80))),
            (most.as_str(), Ok(Amount::MAX)),
            ("79228162514264337593543950336", Err("out_of_range")),
            (
                "999999999999999999999999999999999999999999",
                Err("out_of_range"),
            ),
            ("", Err("invalid_field")),
            ("-5", Err("invalid_field")),
            ("+5", Err("invalid_field")),
            ("1.0", Err("invalid_field")),
        ];
        for (text, expected) in table {
            let found = base_units("est", text).map_err(|problem| problem.code.as_str());
            assert_eq!(found, expected, "{text}");
        }
    }
}
