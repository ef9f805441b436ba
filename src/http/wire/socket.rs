//! The frames of a worker's WebSocket: each a JSON object.

use purser_commands::Command;
use purser_commands::command::WorkerRef;
use purser_events::Label;
use serde::Serialize;

use super::worker::{BeatBody, OfWorker};
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::extract::one_id;
use crate::http::json;

/// What a worker sends.
pub(crate) enum Frame<'a> {
    /// It lives.
    Beat(BeatBody<'a>),
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, Problem> {
        json::read(text).map(Self::Beat)
    }

    /// The command, and its id.
    pub(crate) fn command(&self, worker: WorkerRef) -> Result<(Command, Option<Label>), Problem> {
        match self {
            Self::Beat(beat) => {
                silent_on_the_worker(beat)?;
                Ok((beat.own_command(worker)?, one_id(None, beat.id())?))
            }
        }
    }
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
