//! The frames of a worker's WebSocket: each a JSON object.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::command::WorkerRef;
use purser_commands::instruction::AnswerInstruction;
use purser_events::{Label, Position};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::worker::{BeatBody, OfWorker};
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::extract::one_id;
use crate::http::json;

/// What a worker sends.
pub(crate) enum Frame<'a> {
    /// It lives.
    Beat(BeatBody<'a>),
    /// It does what it was asked for, or not.
    Answer(AnswerBody<'a>),
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, Problem> {
        match json::read(text) {
            Ok(beat) => Ok(Self::Beat(beat)),
            Err(problem) => json::read(text).map(Self::Answer).map_err(|other| {
                // Of a frame that is neither, what is wrong with it is told by what it looks like.
                if is_answer(text) { other } else { problem }
            }),
        }
    }

    /// Whether it is a heartbeat.
    pub(crate) const fn is_beat(&self) -> bool {
        matches!(self, Self::Beat(_))
    }

    /// The command, and its id.
    pub(crate) fn command(&self, worker: WorkerRef) -> Result<(Command, Option<Label>), Problem> {
        match self {
            Self::Beat(beat) => {
                silent_on_the_worker(beat)?;
                Ok((beat.own_command(worker)?, one_id(None, beat.id())?))
            }
            Self::Answer(answer) => {
                let id = one_id(None, answer.id.as_deref())?;
                let command = Command::AnswerInstruction(AnswerInstruction {
                    worker,
                    instruction: Position(answer.instruction),
                    accepted: answer.accepted,
                });
                Ok((command, id))
            }
        }
    }
}

/// Whether a worker does what it was asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    instruction: u64,
    accepted: bool,
}

/// Whether a frame was meant as an answer: it has a field that only answers have.
fn is_answer(text: &[u8]) -> bool {
    type Fields<'a> = std::collections::HashMap<Cow<'a, str>, IgnoredAny>;
    serde_json::from_slice::<Fields<'_>>(text)
        .is_ok_and(|fields| fields.contains_key("instruction") || fields.contains_key("accepted"))
}

/// The worker proved its session when it connected.
fn silent_on_the_worker(body: &dyn OfWorker) -> Result<(), Problem> {
    let named = body.named();
    let field = match (named.session_token, named.miner_id) {
        (Some(_), _) => "session_token",
        (None, Some(_)) => "miner_id",
        (None, None) => return Ok(()),
    };
    let detail = "is not known here; the connection names the worker";
    Err(Problem::field(Code::UnknownField, field, detail))
}

/// An answer as the text of a frame.
pub(crate) fn sheet(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("an answer is plain text and numbers")
}

/// The refusal of a frame: the body of an error answer, under `error`.
pub(crate) fn refusal(problem: &Problem, request_id: &str) -> String {
    problem.log(request_id);
    let body = problem.body(request_id);
    let body = String::from_utf8_lossy(&body);
    format!("{{\"error\":{body}}}")
}
