//! How a caller waits for its answer: awake, where it is alone and comes right after the last.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// How long a caller stays awake: a commit, with room. To sleep and be woken takes a sixth of what
/// a command of one client takes.
const AWAKE: Duration = Duration::from_micros(300);

/// How soon after the last answer a caller comes that is one of a run of them. A caller now and
/// then sleeps: it is not worth a processor.
const RUN: Duration = Duration::from_micros(500);

/// Who waits for the writer.
#[derive(Debug)]
pub(super) struct Vigil {
    waiting: AtomicUsize,
    // Microseconds from `since` to the last answer.
    answered: AtomicU64,
    since: Instant,
}

/// One that waits; it may go away before it is answered.
struct Waiting<'a>(&'a Vigil);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Vigil {
            waiting, answered, ..
        } = self.0;
        waiting.fetch_sub(1, Ordering::Relaxed);
        answered.store(self.0.now(), Ordering::Relaxed);
    }
}

impl Vigil {
    pub(super) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            since: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Waits for an answer; `None` when nobody will give one. Meanwhile the thread serves whoever
    /// else has something for it.
    pub(super) async fn wait<T>(&self, mut answer: oneshot::Receiver<T>) -> Option<T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self);
        let began = self.now();
        let last = self.answered.load(Ordering::Relaxed);
        if u128::from(began.saturating_sub(last)) < RUN.as_micros() {
            let until = Instant::now() + AWAKE;
            while self.waiting.load(Ordering::Relaxed) == 1 && Instant::now() < until {
                match answer.try_recv() {
                    Ok(answer) => return Some(answer),
                    Err(TryRecvError::Closed) => return None,
                    Err(TryRecvError::Empty) => tokio::task::yield_now().await,
                }
            }
        }
        answer.await.ok()
    }
}
