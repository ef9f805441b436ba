//! Events in the columns of a Parquet file.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use axum::body::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use purser_events::Envelope;
use purser_projections::names::Names;

use crate::render::{Cells, NameText, cells, write_data};

/// The columns. Amounts stand in each row twice: as a number that adds up, and as its digits.
const SCHEMA: &str = "
message event {
  REQUIRED INT64 position;
  REQUIRED INT32 entry;
  REQUIRED INT64 recorded_at (TIMESTAMP(MICROS,true));
  OPTIONAL INT64 occurred_at (TIMESTAMP(MICROS,true));
  REQUIRED BYTE_ARRAY type (STRING);
  REQUIRED BYTE_ARRAY actor (STRING);
  OPTIONAL BYTE_ARRAY worker (STRING);
  OPTIONAL BYTE_ARRAY partition (STRING);
  OPTIONAL BYTE_ARRAY model (STRING);
  OPTIONAL BYTE_ARRAY pipeline (STRING);
  OPTIONAL BYTE_ARRAY request (STRING);
  OPTIONAL INT64 units;
  OPTIONAL INT64 price_wei;
  OPTIONAL INT64 response_time;
  OPTIONAL INT64 duration_ms;
  OPTIONAL FIXED_LEN_BYTE_ARRAY(16) amount (DECIMAL(38,0));
  OPTIONAL BYTE_ARRAY amount_text (STRING);
  OPTIONAL FIXED_LEN_BYTE_ARRAY(16) commission (DECIMAL(38,0));
  OPTIONAL BYTE_ARRAY commission_text (STRING);
  OPTIONAL FIXED_LEN_BYTE_ARRAY(16) net (DECIMAL(38,0));
  OPTIONAL BYTE_ARRAY net_text (STRING);
  REQUIRED BYTE_ARRAY data (STRING);
}";

/// The largest number of 38 digits.
const DECIMAL_MAX: u128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// A column whose cells may be empty.
#[derive(Debug)]
struct Optional<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            levels: Vec::new(),
        }
    }
}

impl<T> Optional<T> {
    fn push(&mut self, cell: Option<T>) {
        self.levels.push(i16::from(cell.is_some()));
        self.values.extend(cell);
    }
}

/// Texts one behind another, that become cells without being copied once more.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn into_cells(self) -> Vec<ByteArray> {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let cells = self.ends.into_iter().map(|end| {
            let cell = ByteArray::from(bytes.slice(start..end));
            start = end;
            cell
        });
        cells.collect()
    }
}

/// A text that may be empty in some rows.
#[derive(Debug, Default)]
struct OptionalTexts {
    texts: Texts,
    levels: Vec<i16>,
}

impl OptionalTexts {
    fn push_with(&mut self, write: Option<impl FnOnce(&mut Vec<u8>)>) {
        self.levels.push(i16::from(write.is_some()));
        if let Some(write) = write {
            write(&mut self.texts.bytes);
            self.texts.end();
        }
    }
}

/// Texts that many rows share: made once for each number.
#[derive(Debug, Default)]
pub(super) struct Shared {
    workers: HashMap<u32, ByteArray>,
    partitions: HashMap<u32, ByteArray>,
    models: HashMap<u32, (ByteArray, ByteArray)>,
    actors: HashMap<Vec<u8>, ByteArray>,
}

/// Rows on their way into a file.
#[derive(Debug, Default)]
pub(super) struct Columns {
    position: Vec<i64>,
    entry: Vec<i32>,
    recorded_at: Vec<i64>,
    occurred_at: Optional<i64>,
    kind: Vec<ByteArray>,
    actor: Vec<ByteArray>,
    worker: Optional<ByteArray>,
    partition: Optional<ByteArray>,
    model: Optional<ByteArray>,
    pipeline: Optional<ByteArray>,
    request: OptionalTexts,
    units: Optional<i64>,
    price_wei: Optional<i64>,
    response_time: Optional<i64>,
    duration_ms: Optional<i64>,
    amounts: [(Optional<FixedLenByteArray>, OptionalTexts); 3],
    data: Texts,
}

impl Columns {
    /// Adds what an event says: a row, or two.
    pub(super) fn push(&mut self, envelope: &Envelope, names: &Names, shared: &mut Shared) {
        let (first, second) = cells(&envelope.event);
        let start = self.data.bytes.len();
        self.row(envelope, &first, (names, shared));
        write_data(&mut self.data.bytes, envelope, names);
        self.data.end();
        if let Some(second) = second {
            self.row(envelope, &second, (names, shared));
            self.data.bytes.extend_from_within(start..);
            self.data.end();
            *self.entry.last_mut().expect("a row was added") = 1;
        }
    }

    fn row(
        &mut self,
        envelope: &Envelope,
        cells: &Cells<'_>,
        (names, shared): (&Names, &mut Shared),
    ) {
        let text = NameText { names };
        self.position.push(clamped(envelope.position.0));
        self.entry.push(0);
        self.recorded_at.push(clamped(envelope.recorded_at.0));
        self.occurred_at.push(cells.occurred_at);
        let kind = envelope.event.kind().name();
        self.kind
            .push(ByteArray::from(Bytes::from_static(kind.as_bytes())));
        self.actor
            .push(shared.actor(|out| text.actor(out, envelope.actor)));
        self.worker.push(cells.worker.map(|worker| {
            let cell = shared.workers.entry(worker.0);
            cell.or_insert_with(|| made(|out| text.worker(out, worker)))
                .clone()
        }));
        self.partition.push(cells.partition.map(|partition| {
            let cell = shared.partitions.entry(partition.0);
            cell.or_insert_with(|| made(|out| text.partition(out, partition)))
                .clone()
        }));
        let model = cells.model.map(|model| {
            let cell = shared.models.entry(model.0);
            let (model, pipeline) = cell.or_insert_with(|| {
                let [model, pipeline] = text.model(model);
                (
                    ByteArray::from(model.as_str()),
                    ByteArray::from(pipeline.as_str()),
                )
            });
            (model.clone(), pipeline.clone())
        });
        let (model, pipeline) = model.unzip();
        self.model.push(model);
        self.pipeline.push(pipeline);
        let request = cells.request;
        self.request
            .push_with(request.map(|request| |out: &mut Vec<u8>| text.request(out, request)));
        self.units.push(cells.units);
        self.price_wei.push(cells.price_wei);
        self.response_time.push(cells.response_time);
        self.duration_ms.push(cells.duration_ms);
        let amounts = [cells.amount, cells.commission, cells.net];
        for ((numbers, digits), amount) in self.amounts.iter_mut().zip(amounts) {
            let number = amount.filter(|amount| amount.unsigned_abs() <= DECIMAL_MAX);
            numbers.push(number.map(|number| {
                FixedLenByteArray::from(ByteArray::from(number.to_be_bytes().to_vec()))
            }));
            digits.push_with(
                amount.map(|amount| move |out: &mut Vec<u8>| NameText::amount(out, amount)),
            );
        }
    }

    /// Writes the file.
    pub(super) fn into_file(self) -> Result<Vec<u8>, ParquetError> {
        let properties = Arc::new(properties()?);
        let mut file = SerializedFileWriter::new(Vec::new(), schema()?, properties)?;
        let mut group = file.next_row_group()?;
        put::<Int64Type, _>(&mut group, &self.position, None)?;
        put::<Int32Type, _>(&mut group, &self.entry, None)?;
        put::<Int64Type, _>(&mut group, &self.recorded_at, None)?;
        optional::<Int64Type, _>(&mut group, &self.occurred_at)?;
        put::<ByteArrayType, _>(&mut group, &self.kind, None)?;
        put::<ByteArrayType, _>(&mut group, &self.actor, None)?;
        for column in [&self.worker, &self.partition, &self.model, &self.pipeline] {
            optional::<ByteArrayType, _>(&mut group, column)?;
        }
        texts(&mut group, self.request)?;
        for column in [
            &self.units,
            &self.price_wei,
            &self.response_time,
            &self.duration_ms,
        ] {
            optional::<Int64Type, _>(&mut group, column)?;
        }
        for (numbers, digits) in self.amounts {
            optional::<FixedLenByteArrayType, _>(&mut group, &numbers)?;
            texts(&mut group, digits)?;
        }
        put::<ByteArrayType, _>(&mut group, &self.data.into_cells(), None)?;
        group.close()?;
        file.into_inner()
    }
}

impl Shared {
    fn actor(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> ByteArray {
        let mut text = Vec::new();
        write(&mut text);
        match self.actors.get(&text) {
            Some(cell) => cell.clone(),
            None => {
                let cell = ByteArray::from(text.clone());
                self.actors.insert(text, cell.clone());
                cell
            }
        }
    }
}

fn made(write: impl FnOnce(&mut Vec<u8>)) -> ByteArray {
    let mut text = Vec::new();
    write(&mut text);
    ByteArray::from(text)
}

fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn schema() -> Result<TypePtr, ParquetError> {
    parse_message_type(SCHEMA).map(Arc::new)
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("purser ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    // Nearly every row has another value: a dictionary of them would be tried and thrown away.
    for column in ["position", "recorded_at", "occurred_at", "request", "data"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    for column in ["position", "recorded_at", "occurred_at"] {
        let column = ColumnPath::from(column);
        properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    let data = ColumnPath::from("data");
    properties = properties.set_column_statistics_enabled(data, EnabledStatistics::None);
    Ok(properties.build())
}

fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.expect("the schema has as many columns as are written");
    let typed: &mut ColumnWriterImpl<'_, T> = column.typed::<T>();
    typed.write_batch(values, levels, None)?;
    column.close()
}

fn optional<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Optional<T::T>,
) -> Result<(), ParquetError> {
    put::<T, W>(group, &column.values, Some(&column.levels))
}

fn texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: OptionalTexts,
) -> Result<(), ParquetError> {
    let cells = column.texts.into_cells();
    put::<ByteArrayType, W>(group, &cells, Some(&column.levels))
}
