//! Many commands at once.

use std::io::Write as _;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use purser_commands::Answer as Granted;
use purser_events::Position;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::body::Media;
use crate::http::code::Code;
use crate::http::error::{FieldError, Problem, ProblemBody};
use crate::http::extract::{BATCH, COORDINATOR, OPERATOR, Write, actor, at, json};
use crate::http::wire::answer::FileBody;
use crate::http::wire::batch::{Item, Read, Sender};
use crate::http::wire::grant_answer::GrantBody;
use crate::http::wire::job_answer::JobBody;
use crate::writer::{Reply, Submission, SubmitError};

/// A body of at least this many bytes is read away from the threads that serve connections.
const LARGE_BYTES: usize = 512 * 1_024;

/// How the batch is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchParams {
    /// All or nothing: one refused command refuses the batch.
    atomic: Option<bool>,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// The last position that made a command durable; 0 when none was granted.
    position: u64,
    /// One result per command, in the same order.
    results: Vec<ItemAnswer>,
}

/// What became of one command: a position, or an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemAnswer {
    /// The position that made it durable.
    position: Option<u64>,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: Option<bool>,
    /// Of a registration: whether the worker is new.
    created: Option<bool>,
    /// Of a file: what became of it.
    file: Option<FileBody>,
    /// Of a command about grants: what came of it.
    grant: Option<GrantBody>,
    /// Why it was refused. Where a position stands beside it, something happened nevertheless: a
    /// payment came in and went back.
    error: Option<ItemError>,
}

/// Why one command was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemError {
    /// The stable code.
    code: &'static str,
    /// What happened.
    detail: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: Vec<FieldError>,
}

/// Up to 8192 commands at once, as a JSON array or as JSON Lines, each with its own result. A
/// command that cannot be read or is refused does not touch the others, unless the batch is atomic.
/// With an `Idempotency-Key`, each command without an own `id` is known as `<key>#<index>`.
#[utoipa::path(
    post, path = "/v1/commands", tag = "log",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(
        BatchParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content(
        (Vec<Item<'_>> = "application/json"), (String = "application/x-ndjson"),
    )),
    responses(
        (status = 200, body = BatchAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn commands(
    State(app): State<App>,
    write: Write<{ COORDINATOR | OPERATOR }, BATCH, BatchParams>,
) -> Result<Response, Problem> {
    let is_atomic = write.params.atomic.unwrap_or(false);
    let sender = Sender {
        actor: actor(write.principal)?,
        id: write.id,
        commands_max: app.settings.batch_commands_max,
        rules: app.settings.jobs,
    };
    let batch = Batch::of(read(sender, write.media, write.body).await?);
    if is_atomic && batch.has_unreadable() {
        return Err(batch.refused(&[]));
    }
    let (submissions, batch) = batch.take();
    let outcomes = match submissions.len() {
        0 => Vec::new(),
        _ => app.service.writer.submit_all(submissions, is_atomic).await,
    };
    batch.answer(&outcomes, is_atomic)
}

async fn read(sender: Sender, media: Media, body: Bytes) -> Result<Vec<Read>, Problem> {
    let is_small = body.len() < LARGE_BYTES;
    let read = move || match media {
        Media::JsonLines => sender.lines(&body),
        Media::Json | Media::Text | Media::Other => sender.array(&body),
    };
    if is_small {
        return read();
    }
    let reading = tokio::task::spawn_blocking(read).await;
    reading.unwrap_or_else(|_| Err(Problem::with(Code::Internal, "reading the batch failed")))
}

/// A batch as it was read: which of its items go to the writer, and why the others do not.
struct Batch {
    submissions: Vec<Submission>,
    unreadable: Vec<Option<Box<Problem>>>,
}

impl Batch {
    fn of(items: Vec<Read>) -> Self {
        let mut submissions = Vec::with_capacity(items.len());
        let mut unreadable = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Ok(submission) => {
                    submissions.push(submission);
                    unreadable.push(None);
                }
                Err(problem) => unreadable.push(Some(problem)),
            }
        }
        Self {
            submissions,
            unreadable,
        }
    }

    fn has_unreadable(&self) -> bool {
        self.unreadable.iter().any(Option::is_some)
    }

    fn take(mut self) -> (Vec<Submission>, Self) {
        (std::mem::take(&mut self.submissions), self)
    }

    fn answer(
        &self,
        outcomes: &[Result<Reply, SubmitError>],
        is_atomic: bool,
    ) -> Result<Response, Problem> {
        if let Some(error) = common_failure(outcomes) {
            return Err(error.into());
        }
        if is_atomic && outcomes.iter().any(Result::is_err) {
            return Err(self.refused(outcomes));
        }
        let granted = outcomes.iter().flatten();
        let position = granted
            .map(|reply| reply.position)
            .max()
            .unwrap_or(Position::ORIGIN);
        let mut out = Vec::with_capacity(40 + self.unreadable.len() * 40);
        put(
            &mut out,
            format_args!("{{\"position\":{position},\"results\":"),
        );
        self.results(&mut out, outcomes);
        out.push(b'}');
        Ok(at(position, json(out)))
    }

    fn results(&self, out: &mut Vec<u8>, outcomes: &[Result<Reply, SubmitError>]) {
        let mut outcomes = outcomes.iter();
        out.push(b'[');
        for (index, unreadable) in self.unreadable.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match (unreadable, outcomes.as_slice().first()) {
                (Some(problem), _) => put_error(out, problem),
                (None, Some(outcome)) => {
                    put_outcome(out, outcome);
                    outcomes.next();
                }
                (None, None) => put_error(out, &Problem::new(Code::BatchRefused)),
            }
        }
        out.push(b']');
    }

    /// The refusal of an atomic batch: with the status of the first command that was refused.
    fn refused(&self, outcomes: &[Result<Reply, SubmitError>]) -> Problem {
        let mut results = Vec::new();
        self.results(&mut results, outcomes);
        let results = String::from_utf8(results).ok();
        let results = results.and_then(|text| RawValue::from_string(text).ok());
        Problem {
            results,
            ..Problem::new(Code::BatchRefused)
        }
    }
}

/// The trouble that kept the whole batch from the log, if there was any.
fn common_failure(outcomes: &[Result<Reply, SubmitError>]) -> Option<SubmitError> {
    let (first, rest) = outcomes.split_first()?;
    let error = *first.as_ref().err()?;
    let is_common = Problem::from(error).code.status() == StatusCode::SERVICE_UNAVAILABLE;
    (is_common && rest.iter().all(|outcome| *outcome == Err(error))).then_some(error)
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes every text");
}

fn put_outcome(out: &mut Vec<u8>, outcome: &Result<Reply, SubmitError>) {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) => return put_error(out, &Problem::from(*error)),
    };
    let (position, replayed) = (reply.position, reply.replayed);
    put(
        out,
        format_args!("{{\"position\":{position},\"replayed\":{replayed}"),
    );
    let grant = match GrantBody::of(reply) {
        Ok(grant) => grant,
        Err(problem) => {
            // It was refused, and yet something happened: a payment came in and went back.
            out.push(b',');
            put_error_in(out, &problem);
            out.push(b'}');
            return;
        }
    };
    match &reply.answer {
        Granted::Grant(_) => {
            if let Some(body) = grant {
                out.extend_from_slice(b",\"grant\":");
                put_json(out, &body);
            }
        }
        Granted::Session { created, .. } => put(out, format_args!(",\"created\":{created}")),
        Granted::File(file) => {
            out.extend_from_slice(b",\"file\":");
            put_json(out, &FileBody::of(file, reply));
        }
        Granted::Job(_) => {
            if let Some(body) = JobBody::of(reply) {
                out.extend_from_slice(b",\"job\":");
                put_json(out, &body);
            }
        }
        Granted::Recorded { assigned } => put(out, format_args!(",\"assigned\":{assigned}")),
        Granted::Feedback { trust_ppm, .. } => {
            put(out, format_args!(",\"trust_ppm\":{trust_ppm}"));
        }
        Granted::Match(_) | Granted::Done | Granted::Unchanged | Granted::Payouts { .. } => {}
        // Tickets have a route of their own.
        Granted::Tickets(_) | Granted::Before(_) => {}
    }
    out.push(b'}');
}

fn put_error(out: &mut Vec<u8>, problem: &Problem) {
    out.push(b'{');
    put_error_in(out, problem);
    out.push(b'}');
}

/// Writes the member that says why a command was refused.
fn put_error_in(out: &mut Vec<u8>, problem: &Problem) {
    // What is wrong with the shape of one item is one code; the detail and the fields say more.
    let code = match problem.code.status() {
        StatusCode::BAD_REQUEST if problem.code != Code::BadKey => Code::MalformedCommand,
        _ => problem.code,
    };
    out.extend_from_slice(b"\"error\":");
    put_json(
        out,
        &ItemError {
            code: code.as_str(),
            detail: problem.detail.to_string(),
            errors: problem.errors.clone(),
        },
    );
}

fn put_json(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("an answer is plain text and numbers");
}
