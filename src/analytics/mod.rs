//! The analyst: folds the log into [`Analytics`] on a thread of its own, behind the writer.
//!
//! Nothing is decided by what it knows, so it may lag; each answer says which position it reflects.
//! What it knows is kept on disk every now and then, and a start goes on from there. Tables that
//! are asked for are written out in the background, and served as they are.

mod frozen;
mod table;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use purser_events::{Envelope, Event, Position};
use purser_projections::analytics::{Analytics, Looked, PartitionSpeed};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::background;
use crate::clock::Clock;
use crate::log::{LogReader, ReadError};
use crate::render::{Performance, compact_time};
use crate::view::View;

pub use frozen::FrozenFile;
pub use table::{Key, Shown, Table, Tables, Write};

/// Between two looks at the log: what came meanwhile is read at once, so that many small commits
/// cost no more than few large ones.
const PAUSE: Duration = Duration::from_millis(10);

/// Between two looks whether tables are to be made anew.
const REFRESH: Duration = Duration::from_millis(250);

/// Making tables takes at most one part of so many of the time.
const REFRESH_SHARE: u32 = 4;

/// The wait after the log could not be read; it doubles up to [`LAST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);

const LAST_WAIT: Duration = Duration::from_secs(30);

/// What is on disk is written anew once so many parts of all events are not in it: so the work of
/// writing stays in proportion to that of folding.
const FRESH_PARTS: u64 = 16;

/// What the analyst knows, for any thread to look at.
#[derive(Debug)]
pub struct Analyst {
    fold: RwLock<Analytics>,
    position: watch::Sender<Position>,
    stop: watch::Sender<bool>,
    failure: Mutex<Option<String>>,
    tables: Tables,
    waits_for: Mutex<Option<String>>,
    view: Arc<View>,
    clock: Arc<Clock>,
}

/// What an analyst needs.
pub(crate) struct Parts {
    pub(crate) log: Arc<dyn LogReader>,
    pub(crate) view: Arc<View>,
    /// Where what it knows is kept.
    pub(crate) file: FrozenFile,
    /// How many events there are at least between two times that it is kept.
    pub(crate) every: u64,
    pub(crate) clock: Arc<Clock>,
}

/// The thread of an analyst; it ends when it is told to.
#[derive(Debug)]
pub(crate) struct AnalystThread {
    analyst: Arc<Analyst>,
    threads: [JoinHandle<()>; 2],
}

impl Analyst {
    /// Begins with what is on disk, or at the start of the log.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub(crate) fn start(parts: Parts) -> std::io::Result<(Arc<Self>, AnalystThread)> {
        let analyst = Arc::new(Self {
            fold: RwLock::default(),
            position: watch::Sender::new(Position::ORIGIN),
            stop: watch::Sender::new(false),
            failure: Mutex::default(),
            tables: Tables::default(),
            waits_for: Mutex::default(),
            view: Arc::clone(&parts.view),
            clock: Arc::clone(&parts.clock),
        });
        let follower = Arc::clone(&analyst);
        let thread = background::spawn("analyst", move || follower.follow(&parts))?;
        let refresher = Arc::clone(&analyst);
        let tables = background::spawn("tables", move || refresher.refresh())?;
        let thread = AnalystThread {
            analyst: Arc::clone(&analyst),
            threads: [thread, tables],
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

    /// How fast the jobs of a partition are done, in a window that ends now. One that was asked for
    /// before is found, and may be a moment old, but not older than `at_least`; the first answer,
    /// and one that reflects more than what was made, is made while the caller waits.
    #[must_use]
    pub fn speed(&self, key: Key, at_least: Position) -> Shown {
        let found = self.tables.find(key, at_least);
        found.unwrap_or_else(|| self.make_speed(key))
    }

    fn make_speed(&self, key: Key) -> Shown {
        let now = self.clock.now();
        self.tables
            .make(&self.fold, (key, now), &|key, speed| self.write(key, speed))
    }

    /// A table as JSON.
    fn write(&self, (number, window): Key, speed: &PartitionSpeed) -> Vec<u8> {
        let folds = self.view.read();
        let performance = Performance {
            partition: &folds.names.partitions()[number.index()],
            names: &folds.names,
            speed,
            window,
            timestamp: &compact_time(folds.recorded_at),
        };
        let mut out = Vec::new();
        performance.write(&mut out);
        out
    }

    /// Makes tables anew that are asked for, until it is told to stop.
    fn refresh(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(&error),
        };
        let mut wait = REFRESH;
        while !self.pause(&runtime, wait) {
            let began = Instant::now();
            let now = self.clock.now();
            let write: Write<'_> = &|key, speed| self.write(key, speed);
            self.tables.refresh(&self.fold, now, write);
            wait = REFRESH.max(began.elapsed() * REFRESH_SHARE);
        }
    }

    /// What it waits for before it can go on, if it cannot now.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        let waits_for = self.waits_for.lock();
        waits_for.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn follow(&self, parts: &Parts) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(&error),
        };
        let mut kept = match self.insist(&runtime, || self.thaw(parts)) {
            Some(kept) => kept,
            None => return,
        };
        let mut durable = parts.view.subscribe();
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
                return self.keep_if_worth_while(parts, &mut kept, 1);
            }
            let (end, recorded_at) = {
                let folds = parts.view.read();
                (folds.position, folds.recorded_at)
            };
            let mut fold = self.fold.write().unwrap_or_else(PoisonError::into_inner);
            fold.foresee(recorded_at);
            drop(fold);
            if self
                .insist(&runtime, || self.catch_up(parts, end))
                .is_none()
            {
                return;
            }
            self.keep_if_worth_while(parts, &mut kept, parts.every);
            self.pause(&runtime, PAUSE);
        }
    }

    /// Takes over what is on disk; answers up to where that is.
    fn thaw(&self, parts: &Parts) -> Result<Position, ReadError> {
        let Some(thawed) = parts.file.thaw(&*parts.log)? else {
            return Ok(Position::ORIGIN);
        };
        let position = thawed.position;
        *self.fold.write().unwrap_or_else(PoisonError::into_inner) = thawed;
        self.position.send_replace(position);
        Ok(position)
    }

    /// Keeps what is known, once enough of it is not on disk.
    fn keep_if_worth_while(&self, parts: &Parts, kept: &mut Position, least: u64) {
        let fold = self.read();
        let fresh = fold.position.0 - kept.0;
        if fresh < least.max(fold.position.0 / FRESH_PARTS).max(1) {
            return;
        }
        match parts.file.keep(&fold, &*parts.log) {
            Ok(_) => *kept = fold.position,
            Err(error) => {
                tracing::warn!(%error, "the analytics cannot be kept on disk");
                // Tried again when as much has come again.
                *kept = fold.position;
            }
        }
    }

    /// Tries until it succeeds: a part of the log may be in an archive that is away. `None` when
    /// it is told to stop, or the log is damaged.
    fn insist<T>(
        &self,
        runtime: &Runtime,
        mut attempt: impl FnMut() -> Result<T, ReadError>,
    ) -> Option<T> {
        let mut wait = FIRST_WAIT;
        loop {
            match attempt() {
                Ok(done) => {
                    self.set_waits_for(None);
                    return Some(done);
                }
                Err(error @ ReadError::Damaged { .. }) => {
                    self.fail(&error);
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "the analytics wait for the log");
                    self.set_waits_for(Some(error.to_string()));
                }
            }
            if self.pause(runtime, wait) {
                return None;
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    fn set_waits_for(&self, what: Option<String>) {
        let waits_for = self.waits_for.lock();
        *waits_for.unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Waits; `true` when it is told to stop.
    fn pause(&self, runtime: &Runtime, time: Duration) -> bool {
        let mut stopped = self.stop.subscribe();
        let stop = stopped.wait_for(|stop| *stop);
        runtime.block_on(async { tokio::time::timeout(time, stop).await.is_ok() })
    }

    /// Folds in what is durable; not more, so that no reader of it is ahead of the others.
    fn catch_up(&self, parts: &Parts, end: Position) -> Result<(), ReadError> {
        let log = &*parts.log;
        let mut failed = None;
        log.read_batches(self.position().next(), &mut |envelopes| {
            let wanted = envelopes.iter().take_while(|one| one.position <= end);
            let position = match self.fold_in(log, wanted) {
                Ok(position) => position,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            self.position.send_replace(position);
            if position >= end || *self.stop.borrow() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Folds some events in. What an old job said is looked up before its event is folded, with
    /// nothing locked: when that fails, the fold ends before the event.
    fn fold_in<'a>(
        &self,
        log: &dyn LogReader,
        envelopes: impl Iterator<Item = &'a Envelope>,
    ) -> Result<Position, ReadError> {
        let lock = || self.fold.write().unwrap_or_else(PoisonError::into_inner);
        let mut fold = lock();
        for envelope in envelopes {
            let mut looked = None;
            if let Some(position) = fold.wants(&envelope.event) {
                self.position.send_replace(fold.position);
                drop(fold);
                looked = looked_up(log, position)?;
                fold = lock();
            }
            fold.apply(envelope.recorded(), &mut |_| looked.clone());
        }
        Ok(fold.position)
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
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("the analyst had ended badly");
            }
        }
    }
}

/// The job at a position, and when it was recorded.
fn looked_up(log: &dyn LogReader, position: Position) -> Result<Option<Looked>, ReadError> {
    let mut found = None;
    log.read(position, &mut |envelope| {
        if let Event::JobProcessed(job) = envelope.event {
            found = Some((*job, envelope.recorded_at));
        }
        ControlFlow::Break(())
    })?;
    Ok(found)
}
