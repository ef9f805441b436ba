//! Which workers are connected, one connection each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purser_events::WorkerNo;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The workers that are connected.
#[derive(Debug)]
pub(crate) struct Seats {
    room: Arc<Semaphore>,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct Taken(Mutex<HashMap<WorkerNo, Arc<Bell>>>);

/// How a connection is told that there is something to do.
#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    replaced: AtomicBool,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    worker: WorkerNo,
    bell: Arc<Bell>,
    taken: Arc<Taken>,
    _room: OwnedSemaphorePermit,
}

impl Seats {
    /// Room for so many connections.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(max)),
            taken: Arc::default(),
        }
    }

    /// A place for a worker's connection; an older one of the same worker is told to end. `None`
    /// when all are taken.
    pub(super) fn take(&self, worker: WorkerNo) -> Option<Seat> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let bell = Arc::new(Bell::default());
        let older = self.taken.lock().insert(worker, Arc::clone(&bell));
        if let Some(older) = older {
            older.replaced.store(true, Ordering::Release);
            older.rung.notify_one();
        }
        Some(Seat {
            worker,
            bell,
            taken: Arc::clone(&self.taken),
            _room: room,
        })
    }

    /// Tells a worker's connection that there is something for it; `false` when it has none.
    pub(crate) fn ring(&self, worker: WorkerNo) -> bool {
        let bell = self.taken.lock().get(&worker).cloned();
        bell.inspect(|bell| bell.rung.notify_one()).is_some()
    }

    /// Whether a worker is connected.
    pub(crate) fn holds(&self, worker: WorkerNo) -> bool {
        self.taken.lock().contains_key(&worker)
    }

    /// How many workers are connected.
    pub(crate) fn count(&self) -> usize {
        self.taken.lock().len()
    }
}

impl Taken {
    fn lock(&self) -> MutexGuard<'_, HashMap<WorkerNo, Arc<Bell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Waits until there is something to do. A bell that rang before is heard.
    pub(super) async fn rung(&self) {
        self.bell.rung.notified().await;
    }

    /// Whether a newer connection of the worker took its place.
    pub(super) fn replaced(&self) -> bool {
        self.bell.replaced.load(Ordering::Acquire)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if taken
            .get(&self.worker)
            .is_some_and(|bell| Arc::ptr_eq(bell, &self.bell))
        {
            taken.remove(&self.worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_connection_takes_the_place_of_an_older_one() {
        let (seats, worker) = (Seats::new(2), WorkerNo(7));
        let older = seats.take(worker).expect("there is room");
        let newer = seats.take(worker).expect("there is room");
        older.rung().await;
        assert!(older.replaced() && !newer.replaced());
        assert!(seats.take(worker).is_none(), "the older one is still there");
        drop(older);
        assert!(seats.ring(worker), "the newer one stays");
        newer.rung().await;
        drop(newer);
        assert!(!seats.holds(worker) && !seats.ring(worker));
        assert_eq!(seats.count(), 0);
        assert!(seats.take(worker).is_some());
    }
}
