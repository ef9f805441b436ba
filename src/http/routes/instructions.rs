//! Asking something of workers.

use axum::extract::State;
use purser_commands::Command;
use purser_commands::command::WorkerRef;
use purser_commands::instruction::InstructWorker;
use purser_events::{Label, WorkerNo};
use purser_projections::Projections;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{
    AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, Read, Write, actor, one_id,
};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead};
use crate::http::wire::instruction::{Instructed, InstructionBody, Told};
use crate::writer::Submission;

/// What a worker was asked for and has not answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asked {
    /// Oldest first; at most one of each kind.
    instructions: Vec<Told>,
    /// Whether the worker is connected.
    connected: bool,
}

/// Asks something of a worker, which accepts or refuses it over its WebSocket. It holds until the
/// worker answers, or until it is asked again for something of the same kind; a worker that is not
/// connected is told when it is.
#[utoipa::path(
    post, path = "/v1/miners/{id}/instructions", tag = "workers", security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The worker's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = InstructionBody<'_>),
    responses(
        (status = 200, body = Instructed), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn instruct(
    State(app): State<App>,
    InPath(id): InPath,
    write: Write<{ OPERATOR | COORDINATOR }, ORDINARY, NoParams>,
) -> Result<Answer<Instructed>, Problem> {
    let body: InstructionBody<'_> = json::read(&write.body)?;
    let miner = Label::new(&id).map_err(|_| Problem::new(Code::UnknownWorker))?;
    let submission = Submission {
        command: Command::InstructWorker(Box::new(InstructWorker {
            worker: WorkerRef::Miner(miner),
            instruction: body.instruction()?,
        })),
        id: one_id(write.id, body.id.as_deref())?,
        actor: actor(write.principal)?,
    };
    let reply = app.service.writer.submit(submission).await?;
    // The connection looks at the read side.
    let (view, limit) = (&app.service.view, app.settings.min_position_wait);
    view.reached(reply.position, limit).await;
    let worker = number(&view.read(), &id)?;
    Ok(Instructed::answer(&reply, app.seats.ring(worker)))
}

/// What a worker was asked for and has not answered.
#[utoipa::path(
    get, path = "/v1/miners/{id}/instructions", tag = "workers", security(("bearer" = [])),
    params(("id" = String, Path, description = "The worker's id"), PlainRead),
    responses(
        (status = 200, body = Asked), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn asked(
    State(app): State<App>,
    _read: Read<{ OPERATOR | COORDINATOR | AUDITOR }, PlainRead>,
    InPath(id): InPath,
) -> Result<Answer<Asked>, Problem> {
    let folds = app.service.view.read();
    let worker = number(&folds, &id)?;
    let instructions = folds.instructions.of(worker).iter().map(Told::of).collect();
    let position = folds.position;
    drop(folds);
    let connected = app.seats.holds(worker);
    let body = Asked {
        instructions,
        connected,
    };
    Ok(Answer { position, body })
}

fn number(folds: &Projections, id: &str) -> Result<WorkerNo, Problem> {
    let known = folds.names.worker(id);
    let known = known.filter(|worker| folds.registry.worker(*worker).is_some());
    known.ok_or_else(|| Problem::new(Code::UnknownWorker))
}
