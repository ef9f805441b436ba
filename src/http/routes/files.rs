//! The log as files of a data set.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use purser_events::Position;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::events::{EVENTS_AT_ONCE, Words, edge, filter_of};
use crate::export::{DatasetForm, NEXT_FILE, Span, tar};
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Read, at};
use crate::http::query::ReadParams;
use crate::http::stream::{PIECE_BYTES, Sink, Stop, stream};
use crate::log::LogReader;
use crate::render::Filter;
use crate::view::View;

/// Positions that one answer covers: so many events are held in memory at once.
const POSITIONS_MAX: u64 = 200_000;

/// Which part of the log, and the form of the files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilesParams {
    /// The first event: a position, or a time in RFC 3339.
    from: Option<String>,
    /// The last event, with it: a position, or a time in RFC 3339. One answer ends earlier when
    /// there is more than it takes.
    to: Option<String>,
    /// Only events of this kind, such as `worker_beat`.
    r#type: Option<String>,
    /// Only events that concern this worker: its id or its address.
    worker: Option<String>,
    /// Parquet where it is left out.
    format: Option<FileForm>,
    /// Positions that the answer covers at most, from 1 to 200,000; 200,000 where it is left out.
    limit: Option<u64>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for FilesParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileForm {
    /// Typed columns.
    Parquet,
    /// One JSON object per line.
    Jsonl,
    /// A row per event, with a head.
    Csv,
    /// One CloudEvent 1.0 per line.
    #[serde(rename = "cloudevents")]
    CloudEvents,
}

impl From<FileForm> for DatasetForm {
    fn from(form: FileForm) -> Self {
        match form {
            FileForm::Parquet => Self::Parquet,
            FileForm::Jsonl => Self::Jsonl,
            FileForm::Csv => Self::Csv,
            FileForm::CloudEvents => Self::Cloudevents,
        }
    }
}

/// Events as files of a data set, by day and type, in a tar archive. Its last file, `_next.json`,
/// says with which position to go on; where that is `from`, there is nothing more.
#[utoipa::path(
    get, path = "/v1/events/files", tag = "log", security(("bearer" = [])), params(FilesParams),
    responses(
        (status = 200, content_type = "application/x-tar", body = String),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn files(
    State(app): State<App>,
    read: Read<AUDITOR, FilesParams>,
) -> Result<Response, Problem> {
    let params = read.params;
    let limit = params.limit.unwrap_or(POSITIONS_MAX);
    if !(1..=POSITIONS_MAX).contains(&limit) {
        let hint = "must be from 1 to 200000";
        return Err(Problem::field(Code::OutOfRange, "limit", hint));
    }
    let end = app.service.view.position();
    let words = Words {
        kind: params.r#type.as_deref(),
        worker: params.worker.as_deref(),
        ..Words::default()
    };
    let part = Part {
        log: Arc::clone(&app.service.log),
        view: Arc::clone(&app.service.view),
        filter: filter_of(&app, &words)?,
        edges: [
            edge("from", params.from.as_deref())?,
            edge("to", params.to.as_deref())?,
        ],
        end,
        limit,
        form: params.format.unwrap_or(FileForm::Parquet).into(),
    };
    stream(&app, "application/x-tar", move |sink| part.write(sink))
        .await
        .map(|response| at(end, response))
}

/// A part of the log that is to be written.
struct Part {
    log: Arc<dyn LogReader>,
    view: Arc<View>,
    filter: Filter,
    edges: [Option<Edge>; 2],
    end: Position,
    limit: u64,
    form: DatasetForm,
}

impl Part {
    fn write(mut self, sink: &Sink) -> Result<(), Stop> {
        let [from, to] = self.edges;
        let first = from.map_or(Ok(Position(1)), |edge| edge.first(&*self.log, self.end))?;
        let last = to.map_or(Ok(self.end), |edge| edge.last(&*self.log, self.end))?;
        let last = last.min(Position(first.0.saturating_add(self.limit - 1)));
        (self.filter.from, self.filter.to) = (Some(first), Some(last));
        let mut next = first;
        if first <= last {
            self.send(self.span(first, last)?, sink)?;
            next = last.next();
        }
        let next = serde_json::json!({ "next": next.0 }).to_string();
        put(NEXT_FILE, next.as_bytes(), sink)?;
        sink.send(tar::END.to_vec())
    }

    fn span(&self, first: Position, last: Position) -> Result<Span, Stop> {
        let mut span = Span::new(first, self.form);
        self.log.read_batches(first, &mut |envelopes| {
            for some in envelopes.chunks(EVENTS_AT_ONCE) {
                let folds = self.view.read();
                for envelope in some.iter().filter(|one| self.filter.admits(one)) {
                    span.push(envelope, &folds.names);
                }
            }
            match envelopes.last() {
                Some(newest) if newest.position >= last => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })?;
        Ok(span)
    }

    fn send(&self, span: Span, sink: &Sink) -> Result<(), Stop> {
        let files = span.files("").map_err(|error| {
            tracing::error!(%error, "files of a data set cannot be made");
            Stop::Broken(Problem::with(Code::Internal, "the files cannot be made"))
        })?;
        files
            .into_iter()
            .try_for_each(|(name, bytes)| put(&name, &bytes, sink))
    }
}

/// Sends one file.
fn put(name: &str, bytes: &[u8], sink: &Sink) -> Result<(), Stop> {
    sink.send(tar::head(name, bytes.len()))?;
    for piece in bytes.chunks(PIECE_BYTES) {
        sink.send(piece.to_vec())?;
    }
    sink.send(tar::padding(bytes.len()).to_vec())
}
