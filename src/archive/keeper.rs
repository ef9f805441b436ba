//! The keeper: puts every range that is sealed into the archive, as soon as it is, and takes from
//! the local disk what need not stay there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use purser_events::Position;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{ArchiveError, Local, kept, key_of};
use crate::clock::Clock;
use crate::log::{LogReader, SealedRange};
use crate::objects::{Created, Objects};
use crate::service::{Reported, RunnerStatus, Runners};

/// What the runner is called in `/v1/status`.
const NAME: &str = "archive_log";

/// The wait after the first failure; it doubles up to [`LAST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);

const LAST_WAIT: Duration = Duration::from_secs(60);

const MEDIA: &str = "application/octet-stream";

/// What the keeper needs.
#[derive(Clone)]
pub struct Parts {
    /// The bucket.
    pub store: Arc<dyn Objects>,
    /// What the keys of ranges begin with.
    pub prefix: String,
    /// The log.
    pub log: Arc<dyn LogReader>,
    /// Our clock.
    pub clock: Arc<Clock>,
    /// Where it says how it is.
    pub runners: Arc<Runners>,
    /// How often it looks whether something was sealed.
    pub interval: Duration,
    /// What of the log stays on the local disk; all of it where nothing is said.
    pub local: Option<Local>,
}

/// The keeper, until it is stopped.
#[derive(Debug)]
pub struct Keeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

struct State {
    parts: Parts,
    /// The next position that is not kept; unknown until the archive was listed.
    next: Option<Position>,
    /// Up to where the log is on the local disk no longer.
    pruned_to: Position,
    status: RunnerStatus,
}

impl Keeper {
    /// Begins where the archive ends.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let (stop, stopped) = watch::channel(false);
        let state = State {
            parts,
            next: None,
            pruned_to: Position::ORIGIN,
            status: RunnerStatus::default(),
        };
        let task = tokio::spawn(run(state, stopped));
        Self { stop, task }
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the keeper of the archive had ended badly");
        }
    }
}

async fn run(mut state: State, mut stopped: watch::Receiver<bool>) {
    let mut failures = 0_u32;
    loop {
        let outcome = tokio::select! {
            outcome = state.keep_and_prune() => outcome,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let wait = match &outcome {
            Ok(()) => {
                failures = 0;
                state.parts.interval
            }
            Err(_) => {
                failures += 1;
                // What is kept is looked up anew: nothing is known of a put that failed.
                state.next = None;
                (FIRST_WAIT * (1 << (failures - 1).min(10))).min(LAST_WAIT)
            }
        };
        state.note(outcome.err().map(|error| error.to_string()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

impl State {
    async fn keep_and_prune(&mut self) -> Result<(), ArchiveError> {
        self.keep_all().await?;
        let (Some(local), Some(next)) = (self.parts.local.clone(), self.next) else {
            return Ok(());
        };
        self.pruned_to = local.pruned_to().await?;
        let now = self.parts.clock.now();
        while let Some(range) = local.surplus((&*self.parts.log, now)).await? {
            if range.last >= next {
                return Ok(());
            }
            self.prove_kept(&range).await?;
            self.pruned_to = range.last;
            local.prune(range, self.place()).await?;
        }
        Ok(())
    }

    /// Reads a range back: it is in the archive, byte for byte, when this returns `Ok`.
    async fn prove_kept(&self, range: &SealedRange) -> Result<(), ArchiveError> {
        let key = key_of(&self.parts.prefix, range.first, range.last);
        let object = self.parts.store.get(&key, u64::MAX).await?;
        match object.bytes == range.bytes {
            true => Ok(()),
            false => Err(self.other(range.first)),
        }
    }

    fn place(&self) -> String {
        format!("{}/{}", self.parts.store.name(), self.parts.prefix)
    }

    async fn keep_all(&mut self) -> Result<(), ArchiveError> {
        let mut next = match self.next {
            Some(next) => next,
            None => self.begin().await?,
        };
        self.next = Some(next);
        while let Some(range) = self.sealed(next).await? {
            next = self.keep(range).await?;
            self.next = Some(next);
        }
        Ok(())
    }

    /// Where the archive ends, once it is known to be of this log: the root behind its last range
    /// is compared with ours.
    async fn begin(&self) -> Result<Position, ArchiveError> {
        let Parts { store, prefix, .. } = &self.parts;
        let kept = kept(&**store, prefix).await?;
        let Some(last) = kept.last() else {
            return Ok(Position(1));
        };
        let object = store.get(&last.key, u64::MAX).await?;
        let range = SealedRange::read(last.first, object.bytes.to_vec())?;
        let (log, position) = (Arc::clone(&self.parts.log), range.last);
        let ours = tokio::task::spawn_blocking(move || log.root_at(position)).await;
        if ours.map_err(|_| ArchiveError::Thread)?? != Some(range.root) {
            return Err(self.other(last.first));
        }
        Ok(range.last.next())
    }

    async fn sealed(&self, from: Position) -> Result<Option<SealedRange>, ArchiveError> {
        let log = Arc::clone(&self.parts.log);
        let looked = tokio::task::spawn_blocking(move || log.sealed_range(from)).await;
        Ok(looked.map_err(|_| ArchiveError::Thread)??)
    }

    /// Puts a range where there is none. It is there, byte for byte, when this returns `Ok`.
    async fn keep(&self, range: SealedRange) -> Result<Position, ArchiveError> {
        let key = key_of(&self.parts.prefix, range.first, range.last);
        let bytes = Bytes::from(range.bytes);
        match self.parts.store.create(&key, bytes, MEDIA).await? {
            Created::Written | Created::Same => Ok(range.last.next()),
            Created::Other => Err(self.other(range.first)),
        }
    }

    fn other(&self, position: Position) -> ArchiveError {
        let place = self.place();
        ArchiveError::Other { place, position }
    }

    fn note(&mut self, error: Option<String>) {
        if let Some(error) = &error {
            tracing::warn!(%error, "the keeper of the archive waits and tries again");
        }
        let status = &mut self.status;
        status.runs += 1;
        status.last_run_at = Some(self.parts.clock.now());
        status.last_error.clone_from(&error);
        status.waits_for = Some(error.unwrap_or_else(|| "the next sealed range".into()));
        let kept_to = self.next.map(|next| next.0 - 1);
        let detail = serde_json::json!({
            "archive": self.place(),
            "kept_to": kept_to,
            "pruned_to": self.pruned_to.0,
        });
        let status = self.status.clone();
        self.parts.runners.report(NAME, Reported { status, detail });
    }
}
