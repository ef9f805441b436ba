//! Events as a data set: files in a directory or a bucket, by day and by type of event.
//!
//! The log is cut into spans of positions. Each span becomes one file per day and type, named by
//! the span's first position; when all of them are stored, the checkpoint moves behind the span.
//! A crash before that leaves files that the next run writes anew under the same names, with the
//! same rows or with more: no row is ever there twice, and none is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use purser_events::{Envelope, EventKind, Position};
use purser_projections::names::Names;
use serde::{Deserialize, Serialize};

use super::columns::{Columns, Shared};
use super::tar::Cut;
use crate::objects::{ObjectError, Objects};
use crate::render::{CloudLines, CsvRows, JsonLines, time};

/// The object that says how far a data set is complete.
const CHECKPOINT: &str = "_checkpoint.json";

/// The file that says with which position an answer of files is to be gone on with.
pub const NEXT_FILE: &str = "_next.json";

/// Files that are stored at once.
const AT_ONCE: usize = 8;

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetForm {
    /// One JSON object per line.
    Jsonl,
    /// A row per event, with a head.
    Csv,
    /// One CloudEvent per line.
    Cloudevents,
    /// Typed columns.
    Parquet,
}

impl DatasetForm {
    /// Its name in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Cloudevents => "cloudevents",
            Self::Parquet => "parquet",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Cloudevents => "cloudevents.jsonl",
            Self::Parquet => "parquet",
        }
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Cloudevents => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// How far a data set is complete, and of which events it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The form of the files.
    pub form: DatasetForm,
    /// Which events are wanted, as the caller says it; another wish is another data set.
    pub wanted: String,
    /// The first position that is not in it.
    pub next: u64,
}

/// Why a data set cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The store does not do what it is asked.
    #[error(transparent)]
    Store(#[from] ObjectError),
    /// What stands there was made from other events, or in another form.
    #[error("{place} holds an export of other events or in another form; name another place")]
    Other {
        /// The place.
        place: String,
    },
    /// A server's answer is not whole.
    #[error(transparent)]
    Cut(#[from] Cut),
    /// Columns cannot be written.
    #[error("the columns cannot be written")]
    Columns(#[from] parquet::errors::ParquetError),
}

/// A data set in a store.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The store.
    pub store: Arc<dyn Objects>,
    /// What the keys of its files begin with: empty, or ending in a slash.
    pub prefix: String,
}

impl Dataset {
    /// Where it stands now; the beginning where there is nothing yet.
    ///
    /// # Errors
    /// When the store cannot be read, or holds something else.
    pub async fn checkpoint(&self, fresh: Checkpoint) -> Result<Checkpoint, DatasetError> {
        let key = format!("{}{CHECKPOINT}", self.prefix);
        let found = match self.store.get(&key, 1 << 16).await {
            Err(ObjectError::NotFound { .. }) => return Ok(fresh),
            found => found?,
        };
        let found: Option<Checkpoint> = serde_json::from_slice(&found.bytes).ok();
        let same = found.filter(|one| one.form == fresh.form && one.wanted == fresh.wanted);
        same.ok_or_else(|| DatasetError::Other {
            place: format!("{}/{}", self.store.name(), self.prefix),
        })
    }

    /// Stores the files of a span, then moves the checkpoint behind it.
    ///
    /// # Errors
    /// When a file cannot be written; the checkpoint then stays.
    pub async fn store(&self, span: Span, next: &Checkpoint) -> Result<(), DatasetError> {
        self.store_files(span.files("")?, next).await
    }

    /// The same, of files that were made elsewhere.
    ///
    /// # Errors
    /// When a file cannot be written; the checkpoint then stays.
    pub async fn store_files(
        &self,
        files: Vec<(String, Bytes)>,
        next: &Checkpoint,
    ) -> Result<(), DatasetError> {
        let media = next.form.media();
        stream::iter(files)
            .map(|(name, bytes)| async move {
                let key = format!("{}{name}", self.prefix);
                self.store.put(&key, bytes, media).await
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        let key = format!("{}{CHECKPOINT}", self.prefix);
        let bytes = serde_json::to_vec(next).expect("a checkpoint is plain JSON");
        Ok(self
            .store
            .put(&key, bytes.into(), "application/json")
            .await?)
    }
}

/// Events of a span of positions, by day and type.
#[derive(Debug)]
pub struct Span {
    first: Position,
    form: DatasetForm,
    parts: BTreeMap<(u64, EventKind), Part>,
    shared: Shared,
    events: usize,
}

#[derive(Debug)]
enum Part {
    Jsonl(JsonLines),
    Csv(Box<CsvRows>),
    Cloudevents(CloudLines),
    Parquet(Box<Columns>),
}

/// Microseconds of a day.
const DAY_US: u64 = 86_400_000_000;

impl Span {
    /// A span that begins here.
    #[must_use]
    pub fn new(first: Position, form: DatasetForm) -> Self {
        Self {
            first,
            form,
            parts: BTreeMap::new(),
            shared: Shared::default(),
            events: 0,
        }
    }

    /// How many events it holds.
    #[must_use]
    pub const fn events(&self) -> usize {
        self.events
    }

    /// Adds an event.
    pub fn push(&mut self, envelope: &Envelope, names: &Names) {
        let key = (envelope.recorded_at.0 / DAY_US, envelope.event.kind());
        let form = self.form;
        let part = self.parts.entry(key).or_insert_with(|| Part::new(form));
        match part {
            Part::Jsonl(lines) => lines.push(envelope, names),
            Part::Csv(rows) => rows.push(envelope, names),
            Part::Cloudevents(lines) => lines.push(envelope, names),
            Part::Parquet(columns) => columns.push(envelope, names, &mut self.shared),
        }
        self.events += 1;
    }

    /// The files, with their keys.
    ///
    /// # Errors
    /// When columns cannot be written.
    pub fn files(self, prefix: &str) -> Result<Vec<(String, Bytes)>, DatasetError> {
        let (first, ending) = (self.first, self.form.ending());
        let files = self.parts.into_iter().map(|((day, kind), part)| {
            let day = time::show(purser_events::Micros(day * DAY_US));
            let (day, kind) = (&day[..10], kind.name());
            let key = format!("{prefix}day={day}/type={kind}/{:020}.{ending}", first.0);
            Ok((key, part.into_bytes()?))
        });
        files.collect()
    }
}

impl Part {
    fn new(form: DatasetForm) -> Self {
        match form {
            DatasetForm::Jsonl => Self::Jsonl(JsonLines::default()),
            DatasetForm::Csv => {
                let mut rows = Box::<CsvRows>::default();
                rows.head();
                Self::Csv(rows)
            }
            DatasetForm::Cloudevents => Self::Cloudevents(CloudLines::default()),
            DatasetForm::Parquet => Self::Parquet(Box::default()),
        }
    }

    fn into_bytes(self) -> Result<Bytes, DatasetError> {
        Ok(match self {
            Self::Jsonl(mut lines) => lines.take().into(),
            Self::Csv(mut rows) => rows.take().into(),
            Self::Cloudevents(mut lines) => lines.take().into(),
            Self::Parquet(columns) => columns.into_file()?.into(),
        })
    }
}
