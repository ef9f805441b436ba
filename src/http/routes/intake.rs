//! Delivered files.

use std::ops::ControlFlow;

use axum::body::Bytes;
use axum::extract::State;
use purser_commands::answer::FileAnswer;
use purser_commands::intake::TakeFile;
use purser_commands::{Answer as Granted, Command};
use purser_events::Position;
use purser_projections::Projections;
use purser_projections::report::{Report, ReportBuilder};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, FILE, Read, Write, actor};
use crate::http::query::PlainRead;
use crate::http::stream::room;
use crate::http::wire::answer::FileBody;
use crate::intake::read_file;
use crate::log::{LogReader, ReadError};
use crate::writer::Submission;

/// A file of at least this many bytes is read away from the threads that serve connections.
const LARGE_BYTES: usize = 256 * 1_024;

/// What the file was stored under.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileParams {
    /// The key: `region/type/region-type-STAMP_STAMP.json`.
    key: String,
    /// The entity tag, where the store gave one.
    etag: Option<String>,
}

/// Takes in one file as it was delivered: its raw bytes. Bytes that cannot be read are taken in
/// too, with the reason; only a key that cannot be one is refused.
#[utoipa::path(
    post, path = "/v1/intake/events", tag = "intake", security(("bearer" = [])),
    params(
        FileParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = FileBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn take(
    State(app): State<App>,
    write: Write<COORDINATOR, FILE, FileParams>,
) -> Result<Answer<FileBody>, Problem> {
    let actor = actor(write.principal)?;
    let file = read(write.params, write.body).await?;
    let (command, id) = (Command::TakeFile(Box::new(file)), write.id);
    let reply = app
        .service
        .writer
        .submit(Submission { command, id, actor })
        .await?;
    let nothing = FileAnswer::default();
    let file = match &reply.answer {
        Granted::File(file) => file,
        _ => &nothing,
    };
    let (position, body) = (reply.position, FileBody::of(file, &reply));
    Ok(Answer { position, body })
}

async fn read(params: FileParams, bytes: Bytes) -> Result<TakeFile, Problem> {
    let is_small = bytes.len() < LARGE_BYTES;
    let read = move || {
        let file = read_file(&params.key, params.etag.as_deref(), &bytes);
        file.map_err(|error| Problem::with(Code::BadKey, error.to_string()))
    };
    if is_small {
        return read();
    }
    let reading = tokio::task::spawn_blocking(read).await;
    reading.unwrap_or_else(|_| Err(Problem::with(Code::Internal, "reading the file failed")))
}

/// What all files add up to. Reads the whole log, so that the medians are exact.
#[utoipa::path(
    get, path = "/v1/intake/report", tag = "intake", security(("bearer" = [])),
    params(PlainRead),
    responses(
        (status = 200, body = Object, description = "Counts, partitions, totals and workers"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn report(
    State(app): State<App>,
    _read: Read<AUDITOR, PlainRead>,
) -> Result<Answer<Report>, Problem> {
    let room = room(&app)?;
    let scanning = tokio::task::spawn_blocking(move || {
        let folds = app.service.view.read().clone();
        let report = scan(&*app.service.log, &folds);
        drop(room);
        report.map(|report| (folds.position, report))
    });
    let scanned = scanning.await;
    let scanned = scanned.map_err(|_| Problem::with(Code::Internal, "the scan failed"))?;
    let (position, body) = scanned?;
    Ok(Answer { position, body })
}

/// The report at the position of the folds.
fn scan(log: &dyn LogReader, folds: &Projections) -> Result<Report, ReadError> {
    let mut builder = ReportBuilder::default();
    if folds.position > Position::ORIGIN {
        log.read_batches(Position(1), &mut |envelopes| {
            for envelope in envelopes.iter() {
                if envelope.position > folds.position {
                    return ControlFlow::Break(());
                }
                builder.fold(envelope.recorded());
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(builder.finish(folds))
}
