//! Events as text, from a data directory or from a server, into whatever can be written to.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::str::FromStr;

use clap::ValueEnum;
use indicatif::ProgressBar;
use purser_events::{Envelope, Micros, Position};
use purser_projections::names::Names;

use super::Failure;
use super::ledger::Books;
use super::place::Place;
use crate::client::{Ask, Client};
use crate::render::time::{self, TimeError};
use crate::render::{CloudLines, CsvRows, Filter, JsonLines, kind_named};

/// Text that is gathered before it is written, in bytes.
const GATHER: usize = 1 << 16;

/// The form of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One JSON object per line
    Jsonl,
    /// A row per event, with a head
    Csv,
    /// One CloudEvent 1.0 per line
    Cloudevents,
    /// Typed columns, as a data set of files
    Parquet,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Wanted {
    /// The first event: a position, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHERE")]
    pub from: Option<Edge>,
    /// The last event: a position, or a time
    #[arg(long, value_name = "WHERE")]
    pub to: Option<Edge>,
    /// Only events of this type, such as job_processed
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only events that concern this worker: its id or its address
    #[arg(long, value_name = "WORKER")]
    pub worker: Option<String>,
}

/// Where a part of the log begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// At a position.
    Position(Position),
    /// At the events recorded at a time.
    Time(Micros),
}

impl FromStr for Edge {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        match text.parse() {
            Ok(position) => Ok(Self::Position(Position(position))),
            Err(_) => time::parse(text).map(Self::Time),
        }
    }
}

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Position(position) => position.fmt(f),
            Self::Time(moment) => f.write_str(&time::show(*moment)),
        }
    }
}

impl Wanted {
    /// The same wish has the same description.
    pub(super) fn describe(&self) -> String {
        let edge = |edge: Option<Edge>| edge.map(|edge| edge.to_string());
        let parts = [
            edge(self.from),
            edge(self.to),
            self.kind.clone(),
            self.worker.clone(),
        ];
        parts.map(|part| part.unwrap_or_default()).join(" ")
    }
}

/// Whether an event is wanted, by its time too.
pub(super) fn admitted(wanted: &Wanted, filter: &Filter, envelope: &Envelope) -> bool {
    let at = envelope.recorded_at;
    time_of(wanted.from).is_none_or(|since| at >= since)
        && time_of(wanted.to).is_none_or(|until| at <= until)
        && filter.admits(envelope)
}

/// How events are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) form: Form,
    /// Whether a CSV begins with the names of its columns.
    pub(super) head: bool,
}

/// Writes the wanted events.
pub(super) fn copy(
    place: &Place,
    wanted: &Wanted,
    shape: Shape,
    to: &mut Target<'_>,
) -> Result<(), Failure> {
    match place {
        Place::Data(config) => from_books(&Books::open(config)?, wanted, shape, to),
        Place::Server(client) => super::runtime()?.block_on(from_server(client, wanted, shape, to)),
    }
}

/// Where events are written to, and who is told how far that is.
pub(super) struct Target<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) bar: &'a ProgressBar,
}

fn from_books(
    books: &Books,
    wanted: &Wanted,
    shape: Shape,
    to: &mut Target<'_>,
) -> Result<(), Failure> {
    let folds = books.folds()?.folds;
    let filter = filter(wanted, &folds.names)?;
    let end = filter
        .to
        .map_or(folds.position, |to| to.min(folds.position));
    to.bar
        .set_length((end.0 + 1).saturating_sub(filter.start().0));
    let (since, until) = (time_of(wanted.from), time_of(wanted.to));
    let mut text = Text::new(shape);
    let mut failed = None;
    books.reader().read(filter.start(), &mut |envelope| {
        let at = envelope.recorded_at;
        if filter.is_past(envelope.position) || until.is_some_and(|until| at > until) {
            return ControlFlow::Break(());
        }
        if since.is_none_or(|since| at >= since) && filter.admits(&envelope) {
            text.push(&envelope, &folds.names);
        }
        match text.hand_over(GATHER, to, envelope.position.0 - filter.start().0) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    text.hand_over(0, to, to.bar.length().unwrap_or_default())?;
    Ok(to.out.flush()?)
}

const fn time_of(edge: Option<Edge>) -> Option<Micros> {
    match edge {
        Some(Edge::Time(moment)) => Some(moment),
        _ => None,
    }
}

const fn position_of(edge: Option<Edge>) -> Option<Position> {
    match edge {
        Some(Edge::Position(position)) => Some(position),
        _ => None,
    }
}

pub(super) fn filter(wanted: &Wanted, names: &Names) -> Result<Filter, Failure> {
    let unknown = |what, text: &String| Failure::Unknown {
        what,
        text: text.clone(),
    };
    let kind = wanted.kind.as_ref();
    let worker = wanted.worker.as_ref();
    Ok(Filter {
        kind: kind
            .map(|text| kind_named(text).ok_or_else(|| unknown("type of event", text)))
            .transpose()?,
        worker: worker
            .map(|text| names.worker(text).ok_or_else(|| unknown("worker", text)))
            .transpose()?,
        from: position_of(wanted.from),
        to: position_of(wanted.to),
        ..Filter::default()
    })
}

/// Events as text, in one of the forms.
enum Text {
    Jsonl(JsonLines),
    Csv(Box<CsvRows>, usize),
    CloudEvents(CloudLines),
}

impl Text {
    fn new(shape: Shape) -> Self {
        match shape.form {
            Form::Jsonl => Self::Jsonl(JsonLines::default()),
            Form::Cloudevents | Form::Parquet => Self::CloudEvents(CloudLines::default()),
            Form::Csv => {
                let mut rows = CsvRows::default();
                if shape.head {
                    rows.head();
                }
                Self::Csv(Box::new(rows), 0)
            }
        }
    }

    fn push(&mut self, envelope: &Envelope, names: &Names) {
        match self {
            Self::Jsonl(lines) => lines.push(envelope, names),
            Self::CloudEvents(lines) => lines.push(envelope, names),
            Self::Csv(rows, count) => {
                rows.push(envelope, names);
                *count += 1;
            }
        }
    }

    /// Writes what was gathered, once it is at least so many bytes.
    fn hand_over(&mut self, least: usize, to: &mut Target<'_>, done: u64) -> io::Result<()> {
        match self {
            Self::Jsonl(lines) if lines.bytes().len() >= least => {
                to.out.write_all(lines.bytes())?;
                lines.clear();
            }
            Self::CloudEvents(lines) if lines.bytes().len() >= least => {
                to.out.write_all(lines.bytes())?;
                lines.clear();
            }
            // The length of the rows is not known; none is longer than a few hundred bytes.
            Self::Csv(rows, count) if *count * 256 >= least => {
                to.out.write_all(&rows.take())?;
                *count = 0;
            }
            _ => return Ok(()),
        }
        to.bar.set_position(done);
        Ok(())
    }
}

pub(super) async fn from_server(
    client: &Client,
    wanted: &Wanted,
    shape: Shape,
    to: &mut Target<'_>,
) -> Result<(), Failure> {
    let text = |edge: Option<Edge>| edge.map(|edge| edge.to_string());
    let form = match shape.form {
        Form::Jsonl => "jsonl",
        Form::Csv => "csv",
        Form::Cloudevents | Form::Parquet => "cloudevents",
    };
    let query: Vec<(&str, String)> = [
        ("from", text(wanted.from)),
        ("to", text(wanted.to)),
        ("type", wanted.kind.clone()),
        ("worker", wanted.worker.clone()),
        ("format", Some(form.to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut pieces = client
        .stream(Ask {
            path: "/v1/events",
            query: &query,
        })
        .await?;
    let mut skipping = shape.form == Form::Csv && !shape.head;
    while let Some(piece) = pieces.next().await? {
        let mut rest = &piece[..];
        if skipping {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                continue;
            };
            rest = &rest[end + 1..];
            skipping = false;
        }
        to.out.write_all(rest)?;
        to.bar
            .inc(rest.iter().filter(|byte| **byte == b'\n').count() as u64);
    }
    Ok(to.out.flush()?)
}
