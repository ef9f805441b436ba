//! Reading bodies: bounded in bytes and in time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::code::Code;
use super::error::Problem;

/// How much may come, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes_max: usize,
    pub(crate) timeout: Duration,
}

/// Reads a whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: BodyLimit,
) -> Result<Bytes, Problem> {
    if announced(headers).is_some_and(|length| length > limit.bytes_max as u64) {
        return Err(too_large(limit));
    }
    let whole = Limited::new(body, limit.bytes_max).collect();
    match tokio::time::timeout(limit.timeout, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(Problem::new(Code::IncompleteBody)),
        Err(_) => Err(Problem::new(Code::BodyTimeout)),
    }
}

/// The length that the sender announced: reading more than the limit is then never begun.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cold]
fn too_large(limit: BodyLimit) -> Problem {
    let detail = format!("the body is larger than {} bytes", limit.bytes_max);
    Problem::with(Code::BodyTooLarge, detail)
}

/// What a body is, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// One JSON text; also what is assumed where no type is sent.
    Json,
    /// JSON texts, one per line.
    JsonLines,
    /// Plain text.
    Text,
    /// Anything else.
    Other,
}

/// What the sender says the body is.
pub(crate) fn media(headers: &HeaderMap) -> Media {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Media::Json;
    };
    let value = value.as_bytes();
    let end = value
        .iter()
        .position(|byte| *byte == b';')
        .unwrap_or(value.len());
    let essence = value[..end].trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        Media::Json
    } else if essence.eq_ignore_ascii_case(b"application/x-ndjson")
        || essence.eq_ignore_ascii_case(b"application/jsonl")
    {
        Media::JsonLines
    } else if essence.eq_ignore_ascii_case(b"text/plain") {
        Media::Text
    } else {
        Media::Other
    }
}
