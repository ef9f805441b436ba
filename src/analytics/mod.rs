//! The analyst: folds the log into [`Analytics`] on a thread of its own, behind the writer.
//!
//! Nothing is decided by what it knows, so it may lag, and it begins anew at every start. Tables
//! are written out once per change and then served as they are.

mod table;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use purser_events::{Event, Position};
use purser_projections::analytics::{Analytics, Looked};
use tokio::sync::watch;

use crate::log::{LogReader, ReadError};
use crate::view::View;

pub use table::{Shown, Tables};

/// Between two looks at the log: what came meanwhile is read at once, so that many small commits
/// cost no more than few large ones.
const PAUSE: Duration = Duration::from_millis(10);

/// What the analyst knows, for any thread to look at.
#[derive(Debug)]
pub struct Analyst {
    fold: RwLock<Analytics>,
    position: watch::Sender<Position>,
    stop: watch::Sender<bool>,
    failure: Mutex<Option<String>>,
    tables: Tables,
}

/// The thread of an analyst; it ends when it is told to.
#[derive(Debug)]
pub(crate) struct AnalystThread {
    analyst: Arc<Analyst>,
    thread: JoinHandle<()>,
}

impl Analyst {
    /// Begins at the start of the log.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub(crate) fn start(
        log: Arc<dyn LogReader>,
        view: Arc<View>,
    ) -> std::io::Result<(Arc<Self>, AnalystThread)> {
        let analyst = Arc::new(Self {
            fold: RwLock::default(),
            position: watch::Sender::new(Position::ORIGIN),
            stop: watch::Sender::new(false),
            failure: Mutex::default(),
            tables: Tables::default(),
        });
        let follower = Arc::clone(&analyst);
        let thread = std::thread::Builder::new()
            .name("analyst".into())
            .spawn(move || follower.follow(&*log, &view))?;
        let thread = AnalystThread {
            analyst: Arc::clone(&analyst),
            thread,
        };
        Ok((analyst, thread))
    }

    /// The fold. Hold it only to copy out what is needed.
    pub fn read(&self) -> RwLockReadGuard<'_, Analytics> {
        self.fold.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last position that is folded in.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Why it cannot go on, if so.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    /// Waits until `position` is folded in; `false` when `limit` ran out before.
    pub async fn reached(&self, position: Position, limit: Duration) -> bool {
        let mut seen = self.position.subscribe();
        let wait = seen.wait_for(|now| *now >= position);
        matches!(tokio::time::timeout(limit, wait).await, Ok(Ok(_)))
    }

    /// The tables that were written out already.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    fn follow(&self, log: &dyn LogReader, view: &View) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(&error),
        };
        let mut durable = view.subscribe();
        let mut stopped = self.stop.subscribe();
        loop {
            let next = self.position().next();
            let is_more = runtime.block_on(async {
                tokio::select! {
                    more = durable.wait_for(|end| *end >= next) => more.is_ok(),
                    _ = stopped.wait_for(|stop| *stop) => false,
                }
            });
            if !is_more {
                return;
            }
            let (end, recorded_at) = {
                let folds = view.read();
                (folds.position, folds.recorded_at)
            };
            let mut fold = self.fold.write().unwrap_or_else(PoisonError::into_inner);
            fold.foresee(recorded_at);
            drop(fold);
            if let Err(error) = self.catch_up(log, end) {
                return self.fail(&error);
            }
            runtime.block_on(async {
                let stop = stopped.wait_for(|stop| *stop);
                // Which of the two it was shows at the next turn.
                let _ = tokio::time::timeout(PAUSE, stop).await;
            });
        }
    }

    /// Folds in what is durable; not more, so that no reader of it is ahead of the others.
    fn catch_up(&self, log: &dyn LogReader, end: Position) -> Result<(), ReadError> {
        let mut failed = None;
        log.read_batches(self.position().next(), &mut |envelopes| {
            let mut look_up = |position| looked_up(log, position, &mut failed);
            let mut fold = self.fold.write().unwrap_or_else(PoisonError::into_inner);
            for envelope in envelopes.iter() {
                if envelope.position > end {
                    break;
                }
                fold.apply(envelope.recorded(), &mut look_up);
            }
            let position = fold.position;
            drop(fold);
            self.position.send_replace(position);
            if position >= end || failed.is_some() || *self.stop.borrow() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn fail(&self, error: &dyn std::error::Error) {
        tracing::error!(%error, "the analytics cannot go on");
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        *failure = Some(error.to_string());
    }
}

impl AnalystThread {
    /// Ends the thread.
    pub(crate) fn stop(self) {
        self.analyst.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the analyst had ended badly");
        }
    }
}

/// The job at a position, and when it was recorded.
fn looked_up(
    log: &dyn LogReader,
    position: Position,
    failed: &mut Option<ReadError>,
) -> Option<Looked> {
    let mut found = None;
    let read = log.read(position, &mut |envelope| {
        if let Event::JobProcessed(job) = envelope.event {
            found = Some((*job, envelope.recorded_at));
        }
        ControlFlow::Break(())
    });
    if let Err(error) = read {
        *failed = Some(error);
    }
    found
}
