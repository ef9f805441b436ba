//! A running ledger: the writer, the read side and the log of one data directory.

use std::sync::Arc;

use crate::clock::Clock;
use crate::log::LogReader;
use crate::view::View;
use crate::writer::WriterHandle;

/// A running ledger, to be shared by everything that serves it.
#[derive(Clone)]
pub struct Service {
    /// Where commands go.
    pub writer: WriterHandle,
    /// The folds of what is durable.
    pub view: Arc<View>,
    /// The log, for reading.
    pub log: Arc<dyn LogReader>,
    /// The clock that stamps commits.
    pub clock: Arc<Clock>,
}
