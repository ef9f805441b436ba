//! What workers do themselves: register, beat, update, renew, log out.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use purser_commands::command::WorkerRef;
use purser_commands::{Answer as Granted, Command};
use purser_events::{Actor, Label};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, Newcomer, OwnWrite, at, one_id};
use crate::http::json;
use crate::http::query::NoParams;
use crate::http::session::{Session, issue, prove};
use crate::http::wire::answer::{SessionAnswer, Written};
use crate::http::wire::register::RegisterBody;
use crate::http::wire::worker::{BeatBody, OfWorker, UpdateBody, WorkerBody};
use crate::writer::{Reply, Submission};

/// The session in the query, as the pool hub's guide has it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionParams {
    /// The worker's session; the body or the bearer may carry it instead.
    pub(crate) session_token: Option<String>,
}

/// A write by a worker's session.
type ByWorker = OwnWrite<SessionParams>;

/// A command that a request asks for, and the session that it proves.
struct Asked {
    session: Session,
    command: Command,
    id: Option<Label>,
}

/// What a request asks for: the session by its body, its query or its bearer, and the command
/// that the body makes of it.
fn ask(
    app: &App,
    write: &ByWorker,
    body: &dyn OfWorker,
    command: impl FnOnce(WorkerRef) -> Result<Command, Problem>,
) -> Result<Asked, Problem> {
    let named = body.named();
    if named.miner_id.is_some() {
        let detail = "is not known here; the session names the worker";
        return Err(Problem::field(Code::UnknownField, "miner_id", detail));
    }
    let query = write.params.session_token.as_deref();
    let token = named.session_token.or(query).or(write.bearer.as_deref());
    let session = prove(app, token)?;
    let command = command(session.worker())?;
    let id = one_id(write.id.clone(), body.id())?;
    Ok(Asked {
        session,
        command,
        id,
    })
}

async fn submit(app: &App, asked: Asked) -> Result<Reply, Problem> {
    let actor = Actor::Worker(asked.session.worker);
    let (command, id) = (asked.command, asked.id);
    Ok(app
        .service
        .writer
        .submit(Submission { command, id, actor })
        .await?)
}

/// Registers a worker, or says again what it offers. Its id is bound to its key from the first
/// registration on. So many registrations per address are admitted, unless a coordinator's key
/// stands beside them.
#[utoipa::path(
    post, path = "/v1/miners/register", tag = "workers", security((), ("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = RegisterBody<'_>),
    responses(
        (status = 201, body = SessionAnswer, description = "The worker is new"),
        (status = 200, body = SessionAnswer, description = "The worker was known"),
        (status = 400, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn register(
    State(app): State<App>,
    _: Newcomer,
    write: OwnWrite<NoParams>,
) -> Result<Response, Problem> {
    let body: RegisterBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let (command, actor) = (body.command()?, Actor::Newcomer);
    let reply = app
        .service
        .writer
        .submit(Submission { command, id, actor })
        .await?;
    let Granted::Session {
        worker,
        session,
        created,
    } = reply.answer
    else {
        return Err(Problem::with(
            Code::Internal,
            "the command answered no session",
        ));
    };
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let answer = session_answer(&app, &reply, Session { worker, session });
    Ok((status, answer).into_response())
}

fn session_answer(app: &App, reply: &Reply, session: Session) -> Answer<SessionAnswer> {
    let folds = app.service.view.read();
    let (lease_ms, next_ms) = (
        folds.policy.lease_ttl_ms,
        folds.policy.heartbeat_interval_ms,
    );
    drop(folds);
    Answer {
        position: reply.position,
        body: SessionAnswer {
            status: "ok",
            session_token: issue(app, session),
            token_ttl_sec: app.settings.session_token_ttl.as_secs(),
            lease_ttl_sec: lease_ms / 1_000,
            next_heartbeat_sec: next_ms / 1_000,
            position: reply.position.0,
            replayed: reply.replayed,
        },
    }
}

/// Says that a worker lives, and how it is.
#[utoipa::path(
    post, path = "/v1/miners/heartbeat", tag = "workers", security(("session" = [])),
    params(
        SessionParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = BeatBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn beat(
    State(app): State<App>,
    write: ByWorker,
) -> Result<Answer<Written>, Problem> {
    let body: BeatBody<'_> = json::read(&write.body)?;
    let asked = ask(&app, &write, &body, |worker| body.own_command(worker))?;
    app.limits.beat(asked.session.worker)?;
    let reply = submit(&app, asked).await?;
    Ok(Written::answer(&reply))
}

/// Reports a change between heartbeats.
#[utoipa::path(
    post, path = "/v1/miners/update", tag = "workers", security(("session" = [])),
    params(
        SessionParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = UpdateBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn update(
    State(app): State<App>,
    write: ByWorker,
) -> Result<Answer<Written>, Problem> {
    let body: UpdateBody<'_> = json::read(&write.body)?;
    let asked = ask(&app, &write, &body, |worker| body.command(worker))?;
    let reply = submit(&app, asked).await?;
    Ok(Written::answer(&reply))
}

fn worker_body(bytes: &[u8]) -> Result<WorkerBody<'_>, Problem> {
    if bytes.is_empty() {
        return Ok(WorkerBody::default());
    }
    json::read(bytes)
}

/// Renews a worker's lease, and its token: the guide's form, with the session in the query.
#[utoipa::path(
    get, path = "/v1/miners/lease/renew", tag = "workers", security(("session" = [])),
    params(SessionParams),
    responses(
        (status = 200, body = SessionAnswer), (status = 401, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn renew(
    State(app): State<App>,
    write: ByWorker,
) -> Result<Answer<SessionAnswer>, Problem> {
    renew_lease(&app, write).await
}

/// Renews a worker's lease, and its token, with the session in the body or as the bearer.
#[utoipa::path(
    post, path = "/v1/miners/lease", tag = "workers", security(("session" = [])),
    params(SessionParams), request_body(content = WorkerBody<'_>),
    responses(
        (status = 200, body = SessionAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn lease(
    State(app): State<App>,
    write: ByWorker,
) -> Result<Answer<SessionAnswer>, Problem> {
    renew_lease(&app, write).await
}

async fn renew_lease(app: &App, write: ByWorker) -> Result<Answer<SessionAnswer>, Problem> {
    let body = worker_body(&write.body)?;
    let asked = ask(app, &write, &body, |worker| Ok(Command::RenewLease(worker)))?;
    let session = asked.session;
    let reply = submit(app, asked).await?;
    Ok(session_answer(app, &reply, session))
}

/// Ends a worker's session. Repeatable: a session that has ended stays ended.
#[utoipa::path(
    post, path = "/v1/miners/logout", tag = "workers", security(("session" = [])),
    params(SessionParams), request_body(content = WorkerBody<'_>),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn logout(State(app): State<App>, write: ByWorker) -> Result<Response, Problem> {
    let body = worker_body(&write.body)?;
    let asked = ask(&app, &write, &body, |worker| Ok(Command::LogOut(worker)))?;
    let gone = StatusCode::NO_CONTENT.into_response();
    match submit(&app, asked).await {
        Ok(reply) => Ok(at(reply.position, gone)),
        Err(problem) if problem.code == Code::SessionEnded => Ok(gone),
        Err(problem) => Err(problem),
    }
}
