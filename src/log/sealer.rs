//! The sealer: packs closed ranges of blocks into segments, in the background.
//!
//! Packing and proving run on the sealer's own thread. The exchange of the blocks for the segment
//! is one small transaction of its own. To hand the packed bytes to the writer's next append
//! would save a sync, but make that append wait for the writing of half a megabyte, and a quiet
//! log would never be sealed; by itself the exchange holds the writer up for a few milliseconds
//! per 65,536 events (`benches/log.rs` measures it).

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::error::ReadError;
use super::read::read_block;
use super::redb_log::{RedbLog, Shared};
use super::sealed::{Packed, Packing};
use super::store::StoreError;
use super::stored::{BLOCKS, SEALED, Stored, unreadable};
use purser_events::Position;

/// The newest events stay in blocks: they are read most, and a crash is followed by hashing them.
const KEEP_HOT: u64 = 65_536;

/// The sealer waits until this many events may be sealed.
const WORTH_WHILE: u64 = 65_536;

/// What wakes the sealer.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<Ring>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct Ring {
    end: Position,
    sealed: Position,
    stop: bool,
}

impl Bell {
    /// Tells where the log ends now.
    pub(crate) fn ring(&self, end: Position) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.end = end;
        drop(state);
        self.rung.notify_all();
    }

    /// Tells up to where the log is sealed now.
    fn tell_sealed(&self, until: Position) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sealed = until;
        drop(state);
        self.rung.notify_all();
    }

    /// Waits until the log is sealed up to a position.
    #[cfg(test)]
    pub(crate) fn await_sealed(&self, until: Position) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rung.wait_while(state, |state| state.sealed < until);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stop = true;
        drop(state);
        self.rung.notify_all();
    }

    /// Waits until the log reaches a position; `None` when the sealer is to stop.
    fn wait(&self, until: Position) -> Option<Position> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self
            .rung
            .wait_while(state, |state| !state.stop && state.end < until)
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
        shared.bell.ring(shared.end().position);
        let thread = std::thread::Builder::new()
            .name("sealer".to_owned())
            .spawn(move || run(&ours))?;
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
    while let Some(end) = shared.bell.wait(sealed.plus(KEEP_HOT + WORTH_WHILE)) {
        let limit = Position(end.0 - KEEP_HOT);
        match seal_one(shared, limit) {
            Ok(Some(until)) => sealed = until,
            // Nothing could be sealed before there is more.
            Ok(None) => sealed = limit,
            // The writer meets the same failure and deals with it; blocks stay as they are.
            Err(ReadError::Unreadable { .. }) => sealed = end,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Seals all blocks but the newest one, and answers up to where the log is sealed.
pub(super) fn seal_all(shared: &Shared) -> Result<Position, ReadError> {
    let limit = Position(shared.end().position.0.saturating_sub(1));
    while seal_one(shared, limit)?.is_some() {}
    sealed_until(shared)
}

/// Seals one segment of blocks that end at or before `limit`; `None` when there are none.
fn seal_one(shared: &Shared, limit: Position) -> Result<Option<Position>, ReadError> {
    let _alone = shared
        .sealing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(packed) = pack(shared, limit)? else {
        return Ok(None);
    };
    exchange(shared, &packed).map_err(|error| unreadable(packed.first, error))?;
    shared.bell.tell_sealed(packed.last);
    Ok(Some(packed.last))
}

fn sealed_until(shared: &Shared) -> Result<Position, ReadError> {
    let stored = Stored::now(&shared.store, Position::ORIGIN)?;
    Ok(Position(stored.sealed_tree()?.size()))
}

fn pack(shared: &Shared, limit: Position) -> Result<Option<Packed>, ReadError> {
    let stored = Stored::now(&shared.store, limit)?;
    let tree = stored.sealed_tree()?;
    let from = Position(tree.size() + 1);
    let mut packing = Packing::after(tree);
    for entry in stored.blocks(from.0.., from)? {
        let (first, bytes) = entry?;
        let block = read_block(first, bytes.as_ref())?;
        if packing.is_full() || block.last() > limit {
            break;
        }
        packing.push(&block)?;
    }
    if packing.is_empty() {
        return Ok(None);
    }
    packing.finish().map(Some)
}

/// Puts the segment in the place of its blocks. A crash leaves either these or that.
fn exchange(shared: &Shared, packed: &Packed) -> Result<(), StoreError> {
    let writing = shared.store.writing();
    let transaction = writing.begin()?;
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        blocks.retain_in(packed.first.0..=packed.last.0, |_, _| false)?;
        let mut sealed = transaction.open_table(SEALED)?;
        for (chunk, number) in packed.chunks().zip(0..) {
            sealed.insert((packed.first.0, number), chunk)?;
        }
    }
    Ok(transaction.commit()?)
}
