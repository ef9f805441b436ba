//! Instructions to workers, as an operator writes them and as a worker reads them.

use std::borrow::Cow;

use purser_events::instruction::Instruction;
use purser_projections::instructions::Waiting;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::names;
use super::register::price;
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::extract::Answer;
use crate::writer::Reply;

/// What a worker is asked for: exactly one of the fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstructionBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// To ask for no more than this price.
    #[serde(borrow, default)]
    set_price_cap: Option<PriceCap<'a>>,
    /// To go by these tags.
    #[serde(borrow, default)]
    update_tags: Option<Tags<'a>>,
    /// To take no further work, or to take work again.
    #[serde(default)]
    drain: Option<Drain>,
}

/// A price that is not to be passed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceCap<'a> {
    /// Price in credits per kilosecond, of at most six decimal places.
    #[serde(borrow)]
    #[schema(value_type = String, example = "0.75")]
    price_token_per_ksec: &'a RawValue,
}

/// The tags to go by.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tags<'a> {
    /// All of them.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>, max_items = 64)]
    tags: Vec<Cow<'a, str>>,
}

/// Whether to take work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Drain {
    /// Whether to take no further work.
    on: bool,
}

impl InstructionBody<'_> {
    /// What is asked for.
    pub(crate) fn instruction(&self) -> Result<Instruction, Problem> {
        match (&self.set_price_cap, &self.update_tags, &self.drain) {
            (Some(cap), None, None) => price(cap.price_token_per_ksec).map(Instruction::CapPrice),
            (None, Some(tags), None) => names("tags", &tags.tags).map(Instruction::SetTags),
            (None, None, Some(drain)) => Ok(Instruction::Drain(drain.on)),
            (None, None, None) => {
                let detail = "or `update_tags` or `drain` is required";
                Err(Problem::field(Code::MissingField, "set_price_cap", detail))
            }
            _ => {
                let detail = "one instruction at a time";
                Err(Problem::field(Code::InvalidField, "body", detail))
            }
        }
    }
}

/// An instruction as a worker reads it: its number, and one field that says what is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    /// Its number, which the answer repeats.
    instruction: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_price_cap: Option<ToldCap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_tags: Option<ToldTags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drain: Option<ToldDrain>,
}

/// A price that is not to be passed.
#[derive(Debug, Serialize, ToSchema)]
struct ToldCap {
    /// Price in credits per kilosecond.
    price_token_per_ksec: String,
}

/// The tags to go by.
#[derive(Debug, Serialize, ToSchema)]
struct ToldTags {
    /// All of them.
    tags: Vec<String>,
}

/// Whether to take work.
#[derive(Debug, Serialize, ToSchema)]
struct ToldDrain {
    /// Whether to take no further work.
    on: bool,
}

impl Told {
    /// An instruction as it is told.
    pub(crate) fn of(waiting: &Waiting) -> Self {
        let mut told = Self {
            instruction: waiting.number.0,
            set_price_cap: None,
            update_tags: None,
            drain: None,
        };
        match &waiting.instruction {
            Instruction::CapPrice(micro) => {
                let price_token_per_ksec =
                    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
                told.set_price_cap = Some(ToldCap {
                    price_token_per_ksec,
                });
            }
            Instruction::SetTags(tags) => {
                let tags = tags.iter().map(ToString::to_string).collect();
                told.update_tags = Some(ToldTags { tags });
            }
            Instruction::Drain(on) => told.drain = Some(ToldDrain { on: *on }),
        }
        told
    }
}

/// What an instruction answers to who gave it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Instructed {
    /// The instruction's number.
    instruction: u64,
    /// Whether the worker is connected and is being told now; else it is told when it connects.
    connected: bool,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

impl Instructed {
    /// The whole answer.
    pub(crate) const fn answer(reply: &Reply, connected: bool) -> Answer<Self> {
        let position = reply.position;
        let body = Self {
            instruction: position.0,
            connected,
            position: position.0,
            replayed: reply.replayed,
        };
        Answer { position, body }
    }
}
