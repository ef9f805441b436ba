//! The log in memory: for tests, and as the second witness of what a log does.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use purser_events::{Envelope, Micros, Position};

use super::block::cut;
use super::read::{Chunk, Source, read_batches, tree_at};
use super::tree::Frontier;
use super::{AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader};
use super::{ReadError, Resolution, Root};

/// What goes wrong with the next append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No space is left; the batch is absent.
    Full,
    /// The log cannot be written; the batch is absent.
    Unavailable,
    /// Nobody says so, but the batch is in the log.
    UnknownCommitted,
    /// Nobody says so, but the batch is not in the log.
    UnknownAbsent,
    /// The batch is in the log, and nobody can be asked before the next lease.
    UnknownForGood,
    /// Somebody else has taken the lease.
    Fenced,
}

/// A failure that a test asked for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a failure that was asked for: {0:?}")]
struct Asked(Fault);

/// The log in memory. What it holds is gone with its last reader.
#[derive(Debug)]
pub struct MemoryLog {
    shared: Arc<RwLock<Stored>>,
    tree: Frontier,
    last: Option<BatchId>,
    epoch: u64,
    fault: Option<Fault>,
    // Whether nobody can be asked.
    mute: bool,
    limits: Limits,
}

#[derive(Debug)]
struct Stored {
    blocks: BTreeMap<u64, Arc<[u8]>>,
    end: End,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        let end = End {
            position: Position::ORIGIN,
            recorded_at: Micros(0),
            root: Frontier::EMPTY.root(),
        };
        let blocks = BTreeMap::new();
        Self {
            shared: Arc::new(RwLock::new(Stored { blocks, end })),
            tree: Frontier::EMPTY,
            last: None,
            epoch: 0,
            fault: None,
            mute: false,
            limits: super::LIMITS,
        }
    }

    /// Lets the next append go wrong.
    pub const fn fail_next(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    /// Sets what it can take.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    fn put(&mut self, batch: &Batch) -> End {
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let put: Result<(), std::convert::Infallible> =
            cut(batch, &mut self.tree, |first, bytes| {
                shared.blocks.insert(first.0, bytes.into());
                Ok(())
            });
        let Ok(()) = put;
        self.last = Some(batch.id());
        shared.end = End {
            position: batch.last(),
            recorded_at: batch.recorded_at(),
            root: self.tree.root(),
        };
        shared.end
    }

    fn fail(&mut self, fault: Fault, batch: &Batch) -> AppendError {
        match fault {
            Fault::Full => AppendError::Full,
            Fault::Unavailable => AppendError::Unavailable(Box::new(Asked(fault))),
            Fault::UnknownAbsent => AppendError::Unknown(Box::new(Asked(fault))),
            Fault::UnknownCommitted => {
                self.put(batch);
                AppendError::Unknown(Box::new(Asked(fault)))
            }
            Fault::UnknownForGood => {
                self.put(batch);
                self.mute = true;
                AppendError::Unknown(Box::new(Asked(fault)))
            }
            Fault::Fenced => {
                self.epoch += 1;
                AppendError::Fenced
            }
        }
    }
}

impl Log for MemoryLog {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        self.epoch += 1;
        self.mute = false;
        Ok(Lease { epoch: self.epoch })
    }

    fn end(&self) -> End {
        end_of(&self.shared)
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        if lease.epoch != self.epoch {
            return Err(AppendError::Fenced);
        }
        super::check_batch(batch, self.end().position, self.limits)?;
        if batch.is_empty() {
            return Ok(self.end());
        }
        match self.fault.take() {
            Some(fault) => Err(self.fail(fault, batch)),
            None => Ok(self.put(batch)),
        }
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        if self.mute {
            let source = Box::new(Asked(Fault::UnknownForGood));
            let position = self.end().position;
            return Err(ReadError::Unreadable { position, source });
        }
        Ok(if self.last == Some(batch) {
            Resolution::Committed(self.end())
        } else {
            Resolution::Absent
        })
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(MemoryReader(self.shared.clone()))
    }
}

fn end_of(shared: &RwLock<Stored>) -> End {
    shared.read().unwrap_or_else(PoisonError::into_inner).end
}

#[derive(Debug)]
struct MemoryReader(Arc<RwLock<Stored>>);

impl LogReader for MemoryReader {
    fn end(&self) -> Result<End, ReadError> {
        Ok(end_of(&self.0))
    }

    fn root_at(&self, position: Position) -> Result<Option<Root>, ReadError> {
        let stored = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if position > stored.end.position {
            return Ok(None);
        }
        let blocks = stored.blocks.range(..=position.0).rev();
        let blocks = blocks.map(|(&first, bytes)| Ok((Position(first), bytes)));
        let tree = tree_at(position, blocks, || Ok(Frontier::EMPTY))?;
        Ok(Some(tree.root()))
    }

    fn read_batches(
        &self,
        from: Position,
        each: &mut dyn FnMut(&mut Vec<Envelope>) -> ControlFlow<()>,
    ) -> Result<Position, ReadError> {
        read_batches(self, from, each)
    }
}

impl Source for MemoryReader {
    fn fetch(&self, from: Position, into: &mut Chunk) -> Result<(), ReadError> {
        let stored = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let before = stored.blocks.range(..=from.0).next_back();
        let start = before.map_or(0, |(&first, _)| first);
        for (&first, bytes) in stored.blocks.range(start..) {
            if into.push(Position(first), bytes) {
                break;
            }
        }
        Ok(())
    }
}
