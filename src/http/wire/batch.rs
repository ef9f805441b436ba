//! Batches of commands: many typed items, each with its own outcome.
//!
//! A body that is whole is read in one pass. Only when that fails is it cut into its items first,
//! so that the items that are whole are not lost with the others.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purser_commands::Command;
use purser_commands::jobs::command::JobRules;
use purser_events::{Actor, Label};
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::grant::{
    ConfirmBody, DecideBody, OrderBody, PoolBody, RefundBody, ReleaseBody, SettleGrantBody,
    TierBody, TopUpBody,
};
use super::job::{AdmitBody, CloseBody, CreditBody, DebitBody, OpenBody};
use super::money::{
    CapabilityBody, CapabilityName, ChoiceBody, DepositBody, SettleBody, SlotBody, TransferBody,
};
use super::policy::{AssetBody, PartitionBody, PolicyBody};
use super::register::RegisterBody;
use super::worker::{BeatBody, OfWorker, UpdateBody, WorkerBody};
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::extract::one_id;
use crate::http::json;
use crate::http::objects::Objects;
use crate::intake::read_file;
use crate::writer::Submission;

/// One command of a batch: an object with one field, which names the command.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Item<'a> {
    /// Say that a worker lives.
    #[serde(borrow)]
    Beat(BeatBody<'a>),
    /// Register a worker.
    #[serde(borrow)]
    Register(Box<RegisterBody<'a>>),
    /// Report a change between heartbeats.
    #[serde(borrow)]
    Update(UpdateBody<'a>),
    /// Renew a worker's lease.
    #[serde(borrow)]
    RenewLease(WorkerBody<'a>),
    /// End a worker's session.
    #[serde(borrow)]
    LogOut(WorkerBody<'a>),
    /// Take in a delivered file.
    #[serde(borrow)]
    TakeFile(FileItem<'a>),
    /// Decide how a request is served.
    #[serde(borrow)]
    DecideGrant(DecideBody<'a>),
    /// Take the payment of a request.
    #[serde(borrow)]
    ConfirmGrant(ConfirmBody<'a>),
    /// Say what the work of a request did cost.
    #[serde(borrow)]
    SettleGrant(SettleGrantBody<'a>),
    /// Say that the work of a request failed, or call it off.
    #[serde(borrow)]
    ReleaseGrant(ReleaseBody<'a>),
    /// Pay a charge back after the settlement. Operators only.
    #[serde(borrow)]
    RefundCharge(RefundBody<'a>),
    /// Open a pool of generosity. Operators only.
    #[serde(borrow)]
    OpenPool(PoolBody<'a>),
    /// Ask the pools in another order. Operators only.
    #[serde(borrow)]
    OrderPools(OrderBody<'a>),
    /// Add to a pool. Operators only.
    #[serde(borrow)]
    TopUpPool(TopUpBody<'a>),
    /// Set an identity's tier. Operators only.
    #[serde(borrow)]
    SetTier(TierBody<'a>),
    /// Set a rule. Operators only.
    #[serde(borrow)]
    SetPolicy(PolicyBody<'a>),
    /// Take in files of a further partition. Operators only.
    #[serde(borrow)]
    DeclarePartition(PartitionBody<'a>),
    /// Hold amounts in a further asset. Operators only.
    #[serde(borrow)]
    DeclareAsset(AssetBody<'a>),
    /// Open a job.
    #[serde(borrow)]
    OpenJob(Box<OpenBody<'a>>),
    /// Credit a job with a payment.
    #[serde(borrow)]
    CreditJob(Box<CreditBody<'a>>),
    /// Hold units for a job, if it covers them.
    #[serde(borrow)]
    AdmitJob(AdmitBody<'a>),
    /// Charge a job for work.
    #[serde(borrow)]
    DebitJob(Box<DebitBody<'a>>),
    /// End a job.
    #[serde(borrow)]
    CloseJob(CloseBody<'a>),
    /// Credit a payer's own funds with a payment.
    #[serde(borrow)]
    Deposit(Box<DepositBody<'a>>),
    /// Give a payer's funds to a job.
    #[serde(borrow)]
    Transfer(Box<TransferBody<'a>>),
    /// Settle what a payer owes from its funds.
    #[serde(borrow)]
    SettleDebt(SettleBody<'a>),
    /// Choose what becomes of a payer's funds when it opens a job.
    #[serde(borrow)]
    ChooseFunds(ChoiceBody<'a>),
    /// Count a capability's slots.
    #[serde(borrow)]
    DeclareCapability(CapabilityBody<'a>),
    /// Count a capability's slots no longer.
    #[serde(borrow)]
    RemoveCapability(CapabilityName<'a>),
    /// Reserve a slot of a capability.
    #[serde(borrow)]
    ReserveSlot(SlotBody<'a>),
    /// Free a slot of a capability.
    #[serde(borrow)]
    FreeSlot(SlotBody<'a>),
}

/// A delivered file in a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileItem<'a> {
    /// The idempotency key.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    id: Option<Cow<'a, str>>,
    /// The key that the file was stored under.
    #[serde(borrow)]
    #[schema(value_type = String)]
    key: Cow<'a, str>,
    /// The entity tag, where the store gave one.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    etag: Option<Cow<'a, str>>,
    /// Its bytes in base64.
    #[serde(borrow)]
    #[schema(value_type = String, content_encoding = "base64")]
    body_base64: Cow<'a, str>,
}

impl FileItem<'_> {
    fn command(&self) -> Result<Command, Problem> {
        let bytes = STANDARD.decode(self.body_base64.as_bytes());
        let wrong = |_| Problem::field(Code::InvalidField, "body_base64", "is no base64");
        let bytes = bytes.map_err(wrong)?;
        let file = read_file(&self.key, self.etag.as_deref(), &bytes);
        let file = file.map_err(|error| Problem::with(Code::BadKey, error.to_string()))?;
        Ok(Command::TakeFile(Box::new(file)))
    }
}

/// Who sends a batch, and under which id.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// Who sends it.
    pub(crate) actor: Actor,
    /// The id of the whole batch; items without an own one get theirs from it.
    pub(crate) id: Option<Label>,
    /// Commands of one batch.
    pub(crate) commands_max: usize,
    /// The rules that jobs are admitted and stopped by.
    pub(crate) rules: JobRules,
}

/// What became of one item when it was read.
pub(crate) type Read = Result<Submission, Box<Problem>>;

impl Sender {
    /// Reads a JSON array.
    pub(crate) fn array(&self, body: &[u8]) -> Result<Vec<Read>, Problem> {
        let items = self.array_at_once(body);
        if let Some(items) = items {
            return self.bounded(items);
        }
        let raws: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
            let is_text = std::str::from_utf8(body).is_ok();
            match error.classify() {
                serde_json::error::Category::Data => {
                    Problem::field(Code::InvalidField, "body", "must be an array of commands")
                }
                _ if is_text => Problem::with(Code::MalformedJson, error.to_string()),
                _ => Problem::new(Code::NotUtf8),
            }
        })?;
        let items = raws.iter().enumerate();
        self.bounded(
            items
                .map(|(at, raw)| self.item(at, raw.get().as_bytes()))
                .collect(),
        )
    }

    /// Reads a whole array in one pass; `None` when an item is no command.
    fn array_at_once(&self, body: &[u8]) -> Option<Vec<Read>> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let items = reader.deserialize_seq(Items(self)).ok()?;
        reader.end().ok()?;
        Some(items)
    }

    /// Reads JSON texts, one per line; empty lines are skipped.
    pub(crate) fn lines(&self, body: &[u8]) -> Result<Vec<Read>, Problem> {
        let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let lines = lines
            .filter(|line| !line.is_empty())
            .take(self.commands_max + 1);
        self.bounded(
            lines
                .enumerate()
                .map(|(at, line)| self.item(at, line))
                .collect(),
        )
    }

    fn bounded(&self, items: Vec<Read>) -> Result<Vec<Read>, Problem> {
        if items.len() > self.commands_max {
            let detail = format!("a batch holds at most {} commands", self.commands_max);
            return Err(Problem::with(Code::TooManyCommands, detail));
        }
        Ok(items)
    }

    fn item(&self, at: usize, text: &[u8]) -> Read {
        json::read(text)
            .map_err(Box::new)
            .and_then(|item: Strict<'_>| self.submission(at, &item.0))
    }

    fn submission(&self, at: usize, item: &Item<'_>) -> Read {
        let read = || {
            let (command, id) = item.command(self.rules)?;
            let for_operators = item.is_for_operators();
            if for_operators != matches!(self.actor, Actor::Operator(_)) {
                return Err(Problem::new(Code::Forbidden));
            }
            let (id, actor) = (self.id_of(at, id)?, self.actor);
            Ok(Submission { command, id, actor })
        };
        read().map_err(Box::new)
    }

    /// The id of an item: its own, or made of the batch's and its place.
    fn id_of(&self, at: usize, own: Option<&str>) -> Result<Option<Label>, Problem> {
        match (own, &self.id) {
            (Some(own), _) => one_id(None, Some(own)),
            (None, Some(batch)) => Ok(Label::new(&format!("{batch}#{at}")).ok()),
            (None, None) => Ok(None),
        }
    }
}

/// Reads items as they come.
struct Items<'s>(&'s Sender);

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Read>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of commands")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::with_capacity(self.0.commands_max.min(1_024));
        while let Some(item) = seq.next_element::<Strict<'de>>()? {
            if items.len() > self.0.commands_max {
                // Reading on makes no sense; one too many says enough.
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                break;
            }
            items.push(self.0.submission(items.len(), &item.0));
        }
        Ok(items)
    }
}

/// An item whose body is an object: an array is not taken for one, field by field.
struct Strict<'a>(Item<'a>);

impl<'de> Deserialize<'de> for Strict<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Item::deserialize(Objects(from)).map(Self)
    }
}

impl Item<'_> {
    /// The command, and the item's own id.
    fn command(&self, rules: JobRules) -> Result<(Command, Option<&str>), Problem> {
        let on_behalf = |body: &dyn OfWorker| body.named().in_batch();
        let command = match self {
            Self::Beat(beat) => beat.command(on_behalf(beat)?)?,
            Self::Register(register) => register.command()?,
            Self::Update(update) => update.command(on_behalf(update)?)?,
            Self::RenewLease(worker) => Command::RenewLease(on_behalf(worker)?),
            Self::LogOut(worker) => Command::LogOut(on_behalf(worker)?),
            Self::TakeFile(file) => file.command()?,
            Self::SetPolicy(policy) => policy.command()?,
            Self::DeclarePartition(partition) => partition.command()?,
            Self::DeclareAsset(asset) => asset.command()?,
            Self::OpenJob(body) => body.command()?,
            Self::CreditJob(body) => body.command(None)?,
            Self::AdmitJob(body) => body.command(None, rules.admit)?,
            Self::DebitJob(body) => body.command(None, rules.stop)?,
            Self::CloseJob(body) => body.command(None)?,
            Self::Deposit(body) => body.command(None)?,
            Self::Transfer(body) => body.command()?,
            Self::SettleDebt(body) => body.command(None)?,
            Self::ChooseFunds(body) => body.command(None)?,
            Self::DeclareCapability(body) => body.command()?,
            Self::RemoveCapability(body) => body.command()?,
            Self::ReserveSlot(body) => body.reserve(None)?,
            Self::FreeSlot(body) => body.free()?,
            Self::DecideGrant(one) => one.command()?,
            Self::ConfirmGrant(one) => one.command(None)?,
            Self::SettleGrant(one) => one.command(None)?,
            Self::ReleaseGrant(one) => one.command(None)?,
            Self::RefundCharge(one) => one.command(None)?,
            Self::OpenPool(one) => one.command()?,
            Self::OrderPools(one) => one.command()?,
            Self::TopUpPool(one) => one.command()?,
            Self::SetTier(one) => one.command(None)?,
        };
        Ok((command, self.id()))
    }

    /// The item's own id.
    fn id(&self) -> Option<&str> {
        match self {
            Self::Beat(beat) => beat.id(),
            Self::Update(update) => update.id(),
            Self::RenewLease(worker) | Self::LogOut(worker) => worker.id(),
            Self::Register(register) => register.id.as_deref(),
            Self::TakeFile(file) => file.id.as_deref(),
            Self::SetPolicy(policy) => policy.id.as_deref(),
            Self::DeclarePartition(partition) => partition.id.as_deref(),
            Self::DeclareAsset(asset) => asset.id.as_deref(),
            Self::OpenJob(body) => body.id.as_deref(),
            Self::CreditJob(body) => body.id.as_deref(),
            Self::AdmitJob(body) => body.id.as_deref(),
            Self::DebitJob(body) => body.id.as_deref(),
            Self::CloseJob(body) => body.id.as_deref(),
            Self::Deposit(body) => body.id.as_deref(),
            Self::Transfer(body) => body.id.as_deref(),
            Self::SettleDebt(body) => body.id.as_deref(),
            Self::ChooseFunds(body) => body.id.as_deref(),
            Self::DeclareCapability(body) => body.id.as_deref(),
            Self::RemoveCapability(body) => body.id.as_deref(),
            Self::ReserveSlot(body) | Self::FreeSlot(body) => body.id.as_deref(),
            Self::DecideGrant(one) => one.id.as_deref(),
            Self::ConfirmGrant(one) => one.id.as_deref(),
            Self::SettleGrant(one) => one.id.as_deref(),
            Self::ReleaseGrant(one) => one.id.as_deref(),
            Self::RefundCharge(one) => one.id.as_deref(),
            Self::OpenPool(one) => one.id.as_deref(),
            Self::OrderPools(one) => one.id.as_deref(),
            Self::TopUpPool(one) => one.id.as_deref(),
            Self::SetTier(one) => one.id.as_deref(),
        }
    }

    /// Whether operators send it; everything else is for coordinators.
    const fn is_for_operators(&self) -> bool {
        matches!(
            self,
            Self::SetPolicy(_)
                | Self::DeclarePartition(_)
                | Self::DeclareAsset(_)
                | Self::RefundCharge(_)
                | Self::OpenPool(_)
                | Self::OrderPools(_)
                | Self::TopUpPool(_)
                | Self::SetTier(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use purser_events::KeyTag;

    use super::*;
    use crate::http::extract::command_id;

    fn sender(id: Option<&str>) -> Sender {
        Sender {
            actor: Actor::Coordinator(KeyTag(1)),
            id: id.and_then(command_id),
            commands_max: 3,
            rules: JobRules::default(),
        }
    }

    fn codes(items: &[Read]) -> Vec<&'static str> {
        let code = |item: &Read| item.as_ref().map_or_else(|no| no.code.as_str(), |_| "ok");
        items.iter().map(code).collect()
    }

    const GOOD: &str = r#"{"beat":{"miner_id":"w1","queue_len":3}}"#;

    #[test]
    fn what_is_wrong_with_one_item_does_not_touch_the_others() {
        for (bad, code) in [
            ("7", "malformed_json"),
            ("{}", "malformed_json"),
            (r#"{"dance":{}}"#, "invalid_field"),
            (
                r#"{"beat":[null,"w1",null,null,3,null,null,null]}"#,
                "invalid_field",
            ),
            (r#"{"log_out":[null,"w1",null]}"#, "invalid_field"),
            (r#"{"beat":{"miner_id":"w1"}}"#, "missing_field"),
            (
                r#"{"beat":{"miner_id":"w1","queue_len":-1}}"#,
                "out_of_range",
            ),
            (
                r#"{"set_policy":{"rule":"lease_ttl_ms","value":5000}}"#,
                "forbidden",
            ),
            (
                r#"{"take_file":{"key":"k","body_base64":"*"}}"#,
                "invalid_field",
            ),
        ] {
            let expected = vec!["ok", code, "ok"];
            let array = format!("[{GOOD},{bad},{GOOD}]");
            let items = sender(None)
                .array(array.as_bytes())
                .expect("the array is whole");
            assert_eq!(codes(&items), expected, "{bad}");
            let lines = format!("{GOOD}\n{bad}\r\n\n{GOOD}");
            let items = sender(None)
                .lines(lines.as_bytes())
                .expect("the lines are few");
            assert_eq!(codes(&items), expected, "{bad}");
        }
    }

    #[test]
    fn a_body_that_is_no_array_or_too_long_is_refused_as_a_whole() {
        let four = format!("[{}]", [GOOD; 4].join(","));
        let many = format!("[{}]", [GOOD; 40].join(","));
        for (body, code) in [
            ("", "malformed_json"),
            ("[", "malformed_json"),
            ("{}", "invalid_field"),
            ("[] []", "malformed_json"),
            (four.as_str(), "too_many_commands"),
            (many.as_str(), "too_many_commands"),
        ] {
            let problem = sender(None)
                .array(body.as_bytes())
                .expect_err("it is refused");
            assert_eq!(problem.code.as_str(), code, "{body}");
        }
        assert!(
            sender(None)
                .array(b"[]")
                .is_ok_and(|items| items.is_empty())
        );
    }

    #[test]
    fn items_without_an_own_id_get_theirs_from_the_batch() {
        let own = r#"{"beat":{"id":"own","miner_id":"w1","queue_len":3}}"#;
        let body = format!("[{GOOD},{own}]");
        let items = sender(Some("b"))
            .array(body.as_bytes())
            .expect("the array is whole");
        let id = |item: &Read| {
            item.as_ref()
                .ok()
                .and_then(|one| one.id.as_ref()?.as_str().to_owned().into())
        };
        let ids: Vec<Option<String>> = items.iter().map(id).collect();
        assert_eq!(ids, [Some(String::from("b#0")), Some(String::from("own"))]);
    }
}
