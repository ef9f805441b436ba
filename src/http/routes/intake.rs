//! Delivered files.

use axum::body::Bytes;
use axum::extract::State;
use purser_commands::answer::FileAnswer;
use purser_commands::intake::TakeFile;
use purser_commands::{Answer as Granted, Command};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, COORDINATOR, FILE, Write, actor};
use crate::http::wire::answer::FileBody;
use crate::intake::read_file;
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
