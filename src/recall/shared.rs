//! What the callers of the disk index share with its background thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use hashbrown::HashMap;
use purser_events::Position;
use purser_projections::recall::{RecallKey, Record};

use super::IndexError;
use super::run::Run;

/// So many generations may wait before the caller does.
const WAITING_MAX: usize = 2;

pub(super) type Generation = HashMap<RecallKey, Record>;

/// A generation that is not on disk yet, and how far it reaches.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) generation: Arc<Generation>,
    pub(super) position: Position,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Waiting>,
    pub(super) checkpoint: Position,
    /// Something failed; nothing is tried before a caller asks for it.
    pub(super) halted: bool,
    /// The failure, until somebody was told.
    pub(super) failure: Option<IndexError>,
    /// The database refuses to work since an error, and must be opened anew.
    pub(super) suspect: bool,
    pub(super) stopping: bool,
    /// Merges under way, and runs that are to be deleted.
    pub(super) unfinished: u64,
    /// Bytes of pages stored so far.
    pub(super) written: u64,
}

impl State {
    /// Lets the background thread try again; answers what had failed.
    fn resume(&mut self) -> Option<IndexError> {
        self.halted = false;
        self.failure.take()
    }
}

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// None while the file cannot be opened. A lookup holds the lock to its end, so that the
    /// thread can close the file without pulling it from under a reader.
    runs: RwLock<Option<Vec<Run>>>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for that.
    pub(super) fn change<T>(&self, how: impl FnOnce(&mut State) -> T) -> T {
        let answer = how(&mut self.state());
        self.changed.notify_all();
        answer
    }

    pub(super) fn runs(&self) -> RwLockReadGuard<'_, Option<Vec<Run>>> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn runs_mut(&self) -> RwLockWriteGuard<'_, Option<Vec<Run>>> {
        self.runs.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generations that are not on disk yet. Whoever looks at these first and at the runs
    /// after misses nothing: a generation leaves the queue when its run can be seen.
    pub(super) fn waiting(&self) -> Vec<Arc<Generation>> {
        let state = self.state();
        state
            .queue
            .iter()
            .map(|waiting| Arc::clone(&waiting.generation))
            .collect()
    }

    pub(super) fn absorb(&self, waiting: Waiting) -> Result<(), IndexError> {
        let mut failure = self.change(State::resume);
        let mut state = self.state();
        while state.queue.len() >= WAITING_MAX && !state.halted {
            state = self.wait(state);
        }
        failure = state.failure.take().or(failure);
        state.queue.push_back(waiting);
        drop(state);
        self.changed.notify_all();
        failure.map_or(Ok(()), Err)
    }

    /// After a lookup failed: has the file opened anew, because redb refuses to work after an
    /// error. Answers when that was tried.
    pub(super) fn recover(&self) {
        self.change(|state| {
            state.suspect = true;
            state.halted = false;
        });
        let mut state = self.state();
        while state.suspect && !state.halted && !state.stopping {
            state = self.wait(state);
        }
    }

    pub(super) fn flush(&self) -> Result<(), IndexError> {
        let before = self.change(State::resume);
        let mut state = self.state();
        while !state.queue.is_empty() && !state.halted {
            state = self.wait(state);
        }
        if state.queue.is_empty() {
            return Ok(());
        }
        let unnamed = || IndexError::Storage(Box::new(redb::Error::PreviousIo));
        Err(state.failure.take().or(before).unwrap_or_else(unnamed))
    }
}

/// Does what may meet damaged bytes in redb's hands, which it answers by a panic here and there.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(IndexError::Damaged))
}
