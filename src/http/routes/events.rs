//! The log, as it is.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use purser_events::{Envelope, PayerNo, Position};
use purser_projections::names::Names;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Read, at};
use crate::http::query::ReadParams;
use crate::http::stream::{PIECE_BYTES, Sink, Stop, stream};
use crate::http::wire::field::name;
use crate::log::LogReader;
use crate::render::{CloudLines, CsvRows, Filter, JsonLines, kind_named};
use crate::view::View;

/// Events that are rendered while the read side is looked at once.
pub(super) const EVENTS_AT_ONCE: usize = 128;

/// Which part of the log, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsParams {
    /// The first event: a position, or a time in RFC 3339.
    from: Option<String>,
    /// The last event, with it: a position, or a time in RFC 3339.
    to: Option<String>,
    /// Only events of this kind, such as `worker_beat`.
    r#type: Option<String>,
    /// Only events that concern this worker: its id or its address.
    worker: Option<String>,
    /// Only events that concern this payer.
    payer: Option<String>,
    /// Only events that concern jobs of this id.
    job: Option<String>,
    /// JSON Lines where it is left out.
    format: Option<Format>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for EventsParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values, with a row of names.
    Csv,
    /// One CloudEvent 1.0 per line.
    #[serde(rename = "cloudevents")]
    CloudEvents,
}

impl Format {
    pub(crate) const fn media(self) -> &'static str {
        match self {
            Self::Jsonl | Self::CloudEvents => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Events, from one position to another, as they are in the log.
#[utoipa::path(
    get, path = "/v1/events", tag = "log", security(("bearer" = [])), params(EventsParams),
    responses(
        (status = 200, content(
            (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn events(
    State(app): State<App>,
    read: Read<AUDITOR, EventsParams>,
) -> Result<Response, Problem> {
    let params = read.params;
    let end = app.service.view.position();
    let part = Part {
        log: Arc::clone(&app.service.log),
        view: Arc::clone(&app.service.view),
        filter: filter(&app, &params)?,
        edges: [
            edge("from", params.from.as_deref())?,
            edge("to", params.to.as_deref())?,
        ],
        end,
        format: params.format.unwrap_or(Format::Jsonl),
    };
    let media = part.format.media();
    stream(&app, media, move |sink| part.write(sink))
        .await
        .map(|response| at(end, response))
}

/// An edge that may be absent.
pub(crate) fn edge(name: &'static str, text: Option<&str>) -> Result<Option<Edge>, Problem> {
    text.map(|text| Edge::parse(name, text)).transpose()
}

fn filter(app: &App, params: &EventsParams) -> Result<Filter, Problem> {
    filter_of(
        app,
        &Words {
            kind: params.r#type.as_deref(),
            worker: params.worker.as_deref(),
            payer: params.payer.as_deref(),
            job: params.job.as_deref(),
        },
    )
}

/// Which events are wanted, as the caller says it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) worker: Option<&'a str>,
    pub(crate) payer: Option<&'a str>,
    pub(crate) job: Option<&'a str>,
}

/// Which events are wanted, by number.
pub(crate) fn filter_of(app: &App, words: &Words<'_>) -> Result<Filter, Problem> {
    let unknown = || Problem::field(Code::InvalidParameter, "type", "is no kind of event");
    let kind = words
        .kind
        .map(|name| kind_named(name).ok_or_else(unknown))
        .transpose()?;
    let worker = words.worker.map(|text| {
        let number = app.service.view.read().names.worker(text);
        number.ok_or_else(|| Problem::new(Code::UnknownWorker))
    });
    let payer = words.payer.map(|text| payer_named(app, text)).transpose()?;
    let job = words.job.map(|text| name("job", text)).transpose()?;
    Ok(Filter {
        kind,
        worker: worker.transpose()?,
        payer,
        job,
        from: None,
        to: None,
    })
}

fn payer_named(app: &App, text: &str) -> Result<PayerNo, Problem> {
    let name = name("payer", text)?;
    let payer = app.service.view.read().names.payer(&name);
    payer.ok_or_else(|| Problem::new(Code::UnknownPayer))
}

/// A part of the log that is to be written.
struct Part {
    log: Arc<dyn LogReader>,
    view: Arc<View>,
    filter: Filter,
    edges: [Option<Edge>; 2],
    end: Position,
    format: Format,
}

impl Part {
    fn write(mut self, sink: &Sink) -> Result<(), Stop> {
        let [from, to] = self.edges;
        let (log, end) = (Arc::clone(&self.log), self.end);
        let first = from.map(|edge| edge.first(&*log, end)).transpose()?;
        let last = to.map(|edge| edge.last(&*log, end)).transpose()?;
        self.filter.from = first;
        // What was recorded after the question is not part of the answer, so that it ends.
        self.filter.to = Some(last.unwrap_or(end));
        let mut rows = Rows::new(self.format);
        let start = self.filter.start();
        if start > end {
            return sink.send(rows.take());
        }
        let mut gone = None;
        log.read_batches(
            start,
            &mut |envelopes| match self.push(&mut rows, envelopes, sink) {
                Ok(flow) => flow,
                Err(stop) => {
                    gone = Some(stop);
                    ControlFlow::Break(())
                }
            },
        )?;
        gone.map_or(Ok(()), Err)?;
        sink.send(rows.take())
    }

    fn push(
        &self,
        rows: &mut Rows,
        envelopes: &[Envelope],
        sink: &Sink,
    ) -> Result<ControlFlow<()>, Stop> {
        for some in envelopes.chunks(EVENTS_AT_ONCE) {
            self.push_some(rows, some);
            if rows.is_piece() {
                sink.send(rows.take())?;
            }
            if some
                .last()
                .is_some_and(|last| self.filter.is_past(last.position.next()))
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Renders a few events; the read side is held no longer than that takes.
    fn push_some(&self, rows: &mut Rows, envelopes: &[Envelope]) {
        let mut wanted = envelopes
            .iter()
            .filter(|one| self.filter.admits(one))
            .peekable();
        if wanted.peek().is_none() {
            return;
        }
        let folds = self.view.read();
        for envelope in wanted {
            rows.push(envelope, &folds.names);
        }
    }
}

/// Rows of one of the forms.
enum Rows {
    Jsonl(JsonLines),
    /// The rows, and about how many bytes they have.
    Csv(Box<CsvRows>, usize),
    CloudEvents(CloudLines),
}

/// About how many bytes a row of CSV has.
const CSV_ROW_BYTES: usize = 200;

impl Rows {
    fn new(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl(JsonLines::default()),
            Format::CloudEvents => Self::CloudEvents(CloudLines::default()),
            Format::Csv => {
                let mut rows = Box::<CsvRows>::default();
                rows.head();
                Self::Csv(rows, 0)
            }
        }
    }

    fn push(&mut self, envelope: &Envelope, names: &Names) {
        match self {
            Self::Jsonl(lines) => lines.push(envelope, names),
            Self::CloudEvents(lines) => lines.push(envelope, names),
            Self::Csv(rows, bytes) => {
                rows.push(envelope, names);
                *bytes += CSV_ROW_BYTES;
            }
        }
    }

    fn is_piece(&self) -> bool {
        match self {
            Self::Jsonl(lines) => lines.bytes().len() >= PIECE_BYTES,
            Self::CloudEvents(lines) => lines.bytes().len() >= PIECE_BYTES,
            Self::Csv(_, bytes) => *bytes >= PIECE_BYTES,
        }
    }

    fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Jsonl(lines) => lines.take(),
            Self::CloudEvents(lines) => lines.take(),
            Self::Csv(rows, bytes) => {
                *bytes = 0;
                rows.take()
            }
        }
    }
}
