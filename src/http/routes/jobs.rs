//! Payers' jobs: opened, paid for, admitted, debited, closed.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::answer::JobAnswer;
use purser_commands::jobs::command::JobName;
use purser_commands::{Answer as Granted, Command};
use purser_events::{Actor, AssetNo, Envelope, Position};
use purser_projections::recall::SeenJob;
use serde::Deserialize;
use utoipa::IntoParams;

use super::write::submit;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, InPath, ORDINARY, Read, Write, one_id};
use crate::http::json;
use crate::http::query::{NoParams, ReadParams};
use crate::http::wire::job::{AdmitBody, CloseBody, CreditBody, DebitBody, OpenBody, job_name};
use crate::http::wire::job_answer::{
    AdmittedBody, ClosedBody, CreditedBody, DebitedBody, JobBody, OpenedBody,
};
use crate::http::wire::job_view::JobView;
use crate::log::LogReader;
use crate::writer::{Reply, Submission};

/// A write by a coordinator, whose body is JSON.
pub(super) type ByCoordinator = Write<COORDINATOR, ORDINARY, NoParams>;

/// What a write about jobs answers.
pub(super) fn answered(reply: &Reply) -> Result<Response, Problem> {
    let body = JobBody::of(reply).ok_or_else(|| {
        let detail = "the command answered nothing about a job";
        Problem::with(Code::Internal, detail)
    })?;
    let status = match &body {
        JobBody::Opened(opened) if opened.created && !reply.replayed => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let position = reply.position;
    Ok((status, Answer { position, body }).into_response())
}

/// Opens a job. The same terms again change nothing; an id is a payer's for ever.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = OpenBody<'_>),
    responses(
        (status = 201, body = OpenedBody), (status = 200, body = OpenedBody),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 402, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn open(
    State(app): State<App>,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<OpenBody<'_>>(&app, None).await?)
}

/// Credits a job with a payment. A payment counts once, whatever delivers it how often.
#[utoipa::path(
    post, path = "/v1/jobs/{job_id}/credits", tag = "jobs", security(("bearer" = [])),
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = CreditBody<'_>),
    responses(
        (status = 200, body = CreditedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn credit(
    State(app): State<App>,
    InPath(job): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<CreditBody<'_>>(&app, Some(&job)).await?)
}

/// Holds units for a job if its balance, less what its payer owes, covers them.
#[utoipa::path(
    post, path = "/v1/jobs/{job_id}/admit", tag = "jobs", security(("bearer" = [])),
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = AdmitBody<'_>),
    responses(
        (status = 200, body = AdmittedBody),
        (status = 402, body = ProblemBody, description = "With the `shortfall`, in tickets too"),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn admit(
    State(app): State<App>,
    InPath(job): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    let body: AdmitBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let command = body.command(Some(&job), app.settings.jobs.admit)?;
    let reply = submit(&app, (write.principal, id), command).await;
    answered(&reply.map_err(|problem| in_tickets(&app, (body.payer(), &job), problem))?)
}

/// Says a shortfall in tickets too, where tickets can pay for the job.
fn in_tickets(app: &App, (payer, job): (&str, &str), problem: Problem) -> Problem {
    let paid = job_name(payer, job).ok().filter(|wanted| {
        let folds = app.service.view.read();
        let payer = folds.names.payer(&wanted.payer);
        let job = payer.and_then(|payer| folds.jobs.named(payer, &wanted.id));
        job.is_some_and(|job| job.asset == AssetNo::ETH)
    });
    let worth = app.desk.as_ref().map(|desk| desk.rules.wanted.expected.0);
    let missing = problem.shortfall.as_ref().map(|missing| missing.0);
    let (Some(_), Some(worth), Some(missing)) = (paid, worth, missing) else {
        return problem;
    };
    Problem {
        shortfall_tickets: u64::try_from(missing.div_ceil(worth.max(1))).ok(),
        ..problem
    }
}

/// Charges a job for work that was done: never refused for lack of money.
#[utoipa::path(
    post, path = "/v1/jobs/{job_id}/debits", tag = "jobs", security(("bearer" = [])),
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = DebitBody<'_>),
    responses(
        (status = 200, body = DebitedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn debit(
    State(app): State<App>,
    InPath(job): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<DebitBody<'_>>(&app, Some(&job)).await?)
}

/// Ends a job: what is left goes to its payer, what is missing becomes the payer's debt.
#[utoipa::path(
    post, path = "/v1/jobs/{job_id}/close", tag = "jobs", security(("bearer" = [])),
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = CloseBody<'_>),
    responses(
        (status = 200, body = ClosedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn close(
    State(app): State<App>,
    InPath(job): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<CloseBody<'_>>(&app, Some(&job)).await?)
}

/// Whose job.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfPayer {
    /// The job's payer.
    payer: String,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for OfPayer {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// One job, open or closed.
#[utoipa::path(
    get, path = "/v1/jobs/{job_id}", tag = "jobs", security(("bearer" = [])),
    params(("job_id" = String, Path, description = "The job's id"), OfPayer),
    responses(
        (status = 200, body = JobView), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    InPath(job): InPath,
    read: Read<{ AUDITOR | COORDINATOR }, OfPayer>,
) -> Result<Answer<JobView>, Problem> {
    let wanted = job_name(&read.params.payer, &job)?;
    if let Some(open) = open_job(&app, &wanted) {
        return Ok(open);
    }
    let (seen, position) = find(&app, &wanted).await?;
    let Some(closed) = seen.closed else {
        // It is open, and the read side does not know yet.
        let limit = app.settings.min_position_wait;
        app.service.view.reached(position, limit).await;
        let open = open_job(&app, &wanted);
        return open.ok_or_else(|| Problem::new(Code::PositionNotReached));
    };
    let log = Arc::clone(&app.service.log);
    let ends = [seen.number.into(), closed.position];
    let read = tokio::task::spawn_blocking(move || {
        let [opened, closed] = ends.map(|position| event_at(&*log, position));
        Ok::<_, Problem>((opened?, closed?))
    });
    let failed = |_| Problem::with(Code::Internal, "reading the log failed");
    let (opened, closed) = read.await.map_err(failed)??;
    let folds = app.service.view.read();
    let body = JobView::closed(&folds, &opened, &closed);
    let body = body.ok_or_else(|| Problem::new(Code::UnknownJob))?;
    Ok(Answer { position, body })
}

fn open_job(app: &App, wanted: &JobName) -> Option<Answer<JobView>> {
    let folds = app.service.view.read();
    let payer = folds.names.payer(&wanted.payer)?;
    let job = folds.jobs.named(payer, &wanted.id)?;
    let (position, body) = (folds.position, JobView::open(&folds, job));
    Some(Answer { position, body })
}

/// What the writer knows of a job by the index of ids.
async fn find(app: &App, wanted: &JobName) -> Result<(SeenJob, Position), Problem> {
    let submission = Submission {
        command: Command::Job(Box::new(JobCommand::Find(wanted.clone()))),
        id: None,
        actor: Actor::Purser,
    };
    let reply = app.service.writer.submit(submission).await?;
    match reply.answer {
        Granted::Job(JobAnswer::Found(seen)) => Ok((seen, reply.position)),
        _ => Err(Problem::new(Code::UnknownJob)),
    }
}

fn event_at(log: &dyn LogReader, position: Position) -> Result<Envelope, Problem> {
    let mut found = None;
    log.read(position, &mut |envelope| {
        found = Some(envelope);
        ControlFlow::Break(())
    })?;
    found.ok_or_else(|| Problem::with(Code::Internal, "the log ends before the job"))
}
