//! Events as they happen, as server-sent events.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use purser_events::{Envelope, Position};
use purser_projections::names::Names;
use serde::Deserialize;
use utoipa::IntoParams;

use super::events::{Words, edge, filter_of};
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Read};
use crate::http::query::ReadParams;
use crate::http::stream::{PIECE_BYTES, Sink, Stop, stream};
use crate::log::LogReader;
use crate::render::{Filter, write_envelope};
use crate::view::View;

/// The header by which a reader that lost its connection says how far it came.
const LAST_EVENT_ID: &str = "last-event-id";

/// How often something is said when nothing happens, so that neither side takes the other for
/// gone.
const BEAT: Duration = Duration::from_secs(10);

/// Where the stream begins, and what is in it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// The first event: a position, or a time in RFC 3339. Where it is left out, and no
    /// `Last-Event-ID` is sent, the stream begins with what happens next.
    from: Option<String>,
    /// Only events of this kind, such as `worker_beat`.
    r#type: Option<String>,
    /// Only events that concern this worker: its id or its address.
    worker: Option<String>,
    /// Only events that concern this payer.
    payer: Option<String>,
    /// Only events that concern jobs of this id.
    job: Option<String>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for StreamParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// Events as they happen. The id of each is its position: a reader that sends the last one as
/// `Last-Event-ID` goes on behind it, without a gap.
#[utoipa::path(
    get, path = "/v1/events/stream", tag = "log", security(("bearer" = [])),
    params(
        StreamParams,
        ("Last-Event-ID" = Option<u64>, Header, description = "Goes on behind this position"),
    ),
    responses(
        (status = 200, content((String = "text/event-stream"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
    headers: HeaderMap,
    read: Read<AUDITOR, StreamParams>,
) -> Result<Response, Problem> {
    let params = read.params;
    let from = edge("from", params.from.as_deref())?;
    let words = Words {
        kind: params.r#type.as_deref(),
        worker: params.worker.as_deref(),
        payer: params.payer.as_deref(),
        job: params.job.as_deref(),
    };
    let filter = filter_of(&app, &words)?;
    let begin = match (last_event_id(&headers)?, from) {
        (Some(last), _) => Begin::At(last.next()),
        (None, Some(edge)) => Begin::Edge(edge),
        (None, None) => Begin::At(app.service.view.position().next()),
    };
    let live = Live {
        log: Arc::clone(&app.service.log),
        view: Arc::clone(&app.service.view),
        filter,
        begin,
    };
    stream(&app, "text/event-stream", move |sink| live.write(sink)).await
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let position = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let wrong = || Problem::field(Code::InvalidParameter, "Last-Event-ID", "is no position");
    position.map(Position).map(Some).ok_or_else(wrong)
}

#[derive(Clone, Copy)]
enum Begin {
    At(Position),
    Edge(Edge),
}

/// A stream that never ends by itself.
struct Live {
    log: Arc<dyn LogReader>,
    view: Arc<View>,
    filter: Filter,
    begin: Begin,
}

impl Live {
    fn write(self, sink: &Sink) -> Result<(), Stop> {
        let end = self.view.position();
        let mut next = match self.begin {
            Begin::At(position) => position.max(Position(1)),
            Begin::Edge(edge) => edge.first(&*self.log, end)?,
        };
        // The reader learns at once that it is heard.
        sink.send(b": purser\n\n".to_vec())?;
        let mut durable = self.view.subscribe();
        loop {
            let end = self.view.position();
            if next <= end {
                next = self.write_until(next, end, sink)?;
                continue;
            }
            let more = sink.wait(BEAT, durable.wait_for(|end| *end >= next))?;
            if !more {
                sink.send(b": still here\n\n".to_vec())?;
            }
        }
    }

    fn write_until(&self, next: Position, end: Position, sink: &Sink) -> Result<Position, Stop> {
        let mut out = Vec::new();
        let mut gone = None;
        let read = self.log.read_batches(next, &mut |envelopes| {
            let folds = self.view.read();
            let durable = envelopes.iter().filter(|one| one.position <= end);
            for envelope in durable.filter(|one| self.filter.admits(one)) {
                write_event(&mut out, envelope, &folds.names);
            }
            drop(folds);
            let last = envelopes.last().map_or(end, |last| last.position);
            let is_full = out.len() >= PIECE_BYTES;
            if is_full && let Err(stop) = sink.send(std::mem::take(&mut out)) {
                gone = Some(stop);
                return ControlFlow::Break(());
            }
            if last >= end {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        gone.map_or(Ok(()), Err)?;
        sink.send(out)?;
        Ok(read.min(end.next()))
    }
}

fn write_event(out: &mut Vec<u8>, envelope: &Envelope, names: &Names) {
    let (position, kind) = (envelope.position.0, envelope.event.kind().name());
    let head = format!("id: {position}\nevent: {kind}\ndata: ");
    out.extend_from_slice(head.as_bytes());
    // JSON has no line breaks inside: one line of data is the whole of it.
    write_envelope(out, envelope, names);
    out.extend_from_slice(b"\n\n");
}
