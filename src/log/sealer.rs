//! The sealer: packs closed ranges of blocks into segments, in the background.
//!
//! Packing and proving run on the sealer's own thread, and the segment goes to the cold file, where
//! no commit waits for it. Only then are its blocks removed from the hot file, a few at a time, so
//! that the writer waits for a few milliseconds at most.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::ReadableTable;

use crate::background;

use super::error::ReadError;
use super::files::Files;
use super::read::read_block;
use super::redb_log::{RedbLog, Shared};
use super::sealed::{Packed, Packing};
use super::store::{Store, StoreError};
use super::stored::{BLOCKS, SEALED, Stored, unreadable};
use purser_events::Position;

/// The newest events stay in blocks: they are read most, and a crash is followed by hashing them.
const KEEP_HOT: u64 = 65_536;

/// The sealer waits until this many events may be sealed.
const WORTH_WHILE: u64 = 65_536;

/// Or until the blocks take this much, however few events they hold.
const HOT_BYTES: u64 = 32 << 20;

/// After a failure the sealer waits until this many events have come.
const PATIENCE: u64 = 1_024;

/// Blocks that are removed in one transaction of the hot file.
const REMOVE_AT_ONCE: usize = 1_024;

/// Between two removals the writer gets its turn.
const PAUSE: Duration = Duration::from_millis(1);

/// What wakes the sealer.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<Ring>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct Ring {
    end: Position,
    hot_bytes: u64,
    // What the sealer waits for: the first, or many bytes and the second.
    wanted: Position,
    patience: Position,
    sealed: Position,
    stop: bool,
}

impl Ring {
    fn is_due(&self) -> bool {
        self.end >= self.wanted || self.hot_bytes > HOT_BYTES && self.end >= self.patience
    }
}

impl Bell {
    fn state(&self) -> MutexGuard<'_, Ring> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells where the log ends now, and how much of it is hot.
    pub(crate) fn ring(&self, end: Position, hot_bytes: u64) {
        let mut state = self.state();
        state.end = end;
        state.hot_bytes = hot_bytes;
        let due = state.is_due();
        drop(state);
        // Most commits wake nobody.
        if due {
            self.rung.notify_all();
        }
    }

    /// Tells up to where the log is sealed now.
    fn tell_sealed(&self, until: Position) {
        self.state().sealed = until;
        self.rung.notify_all();
    }

    /// Waits until the log is sealed up to a position.
    #[cfg(test)]
    pub(crate) fn await_sealed(&self, until: Position) {
        let waited = self
            .rung
            .wait_while(self.state(), |state| state.sealed < until);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn stop(&self) {
        self.state().stop = true;
        self.rung.notify_all();
    }

    /// Waits until the log reaches a position, or else takes many bytes and reaches another;
    /// `None` when the sealer is to stop.
    fn wait(&self, wanted: Position, patience: Position) -> Option<Position> {
        let mut state = self.state();
        (state.wanted, state.patience) = (wanted, patience);
        let state = self
            .rung
            .wait_while(state, |state| !state.stop && !state.is_due())
            .unwrap_or_else(PoisonError::into_inner);
        (!state.stop).then_some(state.end)
    }
}

/// Seals a log in the background until it is stopped or dropped.
#[derive(Debug)]
pub struct Sealer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), ReadError>>>,
}

impl Sealer {
    /// Starts to seal. There should be one sealer for a log.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(log: &RedbLog) -> std::io::Result<Self> {
        let shared = log.shared().clone();
        let ours = shared.clone();
        shared.bell.ring(shared.end().position, shared.hot_bytes());
        let thread = background::spawn("sealer", move || run(&ours))?;
        let thread = Some(thread);
        Ok(Self { shared, thread })
    }

    /// Stops after the segment that is being packed, and waits for that.
    ///
    /// # Errors
    /// What ended the sealing early: the log is damaged, or cannot be written.
    pub fn stop(mut self) -> Result<(), ReadError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), ReadError> {
        self.shared.bell.stop();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        if self.thread.is_some()
            && let Err(error) = self.join()
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "sealing ended early"
            );
        }
    }
}

fn run(shared: &Shared) -> Result<(), ReadError> {
    let mut sealed = sealed_until(shared)?;
    let mut patience = Position::ORIGIN;
    loop {
        let wanted = sealed.plus(KEEP_HOT + WORTH_WHILE).max(patience);
        let Some(end) = shared.bell.wait(wanted, patience) else {
            return Ok(());
        };
        let kept = if end >= wanted { KEEP_HOT } else { 1 };
        match seal_one(shared, Position(end.0 - kept)) {
            Ok(Some(until)) => sealed = until,
            // Nothing could be sealed before there is more.
            Ok(None) => patience = end.plus(PATIENCE),
            // The writer meets the same failure and deals with it; blocks stay as they are.
            Err(ReadError::Unreadable { .. }) => patience = end.plus(PATIENCE),
            Err(error) => return Err(error),
        }
    }
}

/// Seals all blocks but the newest one, and answers up to where the log is sealed.
pub(super) fn seal_all(shared: &Shared) -> Result<Position, ReadError> {
    let limit = Position(shared.end().position.0.saturating_sub(1));
    while seal_one(shared, limit)?.is_some() {}
    sealed_until(shared)
}

/// Seals the oldest segment, whatever the newest events are; `false` when there is none.
pub(super) fn seal_oldest(shared: &Shared) -> Result<bool, ReadError> {
    let limit = Position(shared.end().position.0.saturating_sub(1));
    Ok(seal_one(shared, limit)?.is_some())
}

/// Seals one segment of blocks that end at or before `limit`; `None` when there are none.
fn seal_one(shared: &Shared, limit: Position) -> Result<Option<Position>, ReadError> {
    let _alone = shared
        .sealing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(packing) = gather(shared, limit)? else {
        return Ok(None);
    };
    let packed = packing.finish()?;
    let failed = |error| unreadable(packed.first, error);
    // A crash between the two leaves the blocks beside their segment: the next start removes them.
    let cold = &shared.files.cold;
    if let Err(error) = store(cold, &packed) {
        // What is sealed stays readable meanwhile, if the file can be opened again at all.
        let _ = cold.writing().recover();
        return Err(failed(error));
    }
    let removed = remove_sealed(&shared.files, packed.last, |bytes| shared.cooled(bytes));
    removed.map_err(failed)?;
    shared.bell.tell_sealed(packed.last);
    Ok(Some(packed.last))
}

fn sealed_until(shared: &Shared) -> Result<Position, ReadError> {
    let stored = Stored::now(&shared.files, Position::ORIGIN)?;
    Ok(stored.sealed_to())
}

/// Copies out the blocks of the next segment, so that none of redb's pages are held while they are
/// packed.
fn gather(shared: &Shared, limit: Position) -> Result<Option<Packing>, ReadError> {
    let stored = Stored::now(&shared.files, limit)?;
    let tree = stored.sealed_tree()?;
    let from = Position(tree.size() + 1);
    let mut packing = Packing::after(tree);
    for entry in stored.blocks(from, limit)? {
        let (first, bytes) = entry?;
        let block = read_block(first, bytes.as_ref())?;
        if packing.is_full() || block.last() > limit {
            break;
        }
        packing.push(&block)?;
    }
    Ok((!packing.is_empty()).then_some(packing))
}

/// Stores a segment. A crash before the commit leaves nothing of it, one after it all of it.
fn store(cold: &Store, packed: &Packed) -> Result<(), StoreError> {
    let writing = cold.writing();
    let transaction = writing.begin()?;
    {
        let mut sealed = transaction.open_table(SEALED)?;
        for (chunk, number) in packed.chunks().zip(0..) {
            sealed.insert((packed.first.0, number), chunk)?;
        }
    }
    Ok(transaction.commit()?)
}

/// Removes the blocks that end at or before a position up to which the cold file is durable, and
/// tells how many bytes they had. A crash leaves the newest of them, which the next start removes.
pub(super) fn remove_sealed(
    files: &Files,
    until: Position,
    removed: impl Fn(u64),
) -> Result<(), StoreError> {
    loop {
        let (bytes, more) = remove_some(&files.hot, until)?;
        removed(bytes);
        if !more {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

fn remove_some(hot: &Store, until: Position) -> Result<(u64, bool), StoreError> {
    let writing = hot.writing();
    let transaction = writing.begin()?;
    let (mut bytes, mut count) = (0, 0);
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        while count < REMOVE_AT_ONCE
            && blocks
                .first()?
                .is_some_and(|(first, _)| first.value() <= until.0)
        {
            let removed = blocks.pop_first()?;
            bytes += removed.map_or(0, |(_, block)| block.value().len() as u64);
            count += 1;
        }
    }
    if count == 0 {
        transaction.abort()?;
    } else {
        transaction.commit()?;
    }
    Ok((bytes, count == REMOVE_AT_ONCE))
}
