//! One pass over a bucket: everything that is there and was not taken in is taken in.
//!
//! Files are fetched in parallel and handed over in the order of their keys, many in one commit.
//! A file counts as done once it stands in the archive and its events are durable, in that order.
//! A crash anywhere leaves files that are done, and files that the next pass begins anew.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use purser_commands::answer::FileAnswer;
use purser_commands::{Answer, Command};
use purser_events::Actor;
use purser_events::intake::FileReason;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::fetch::{Fetched, Lost, fetch};
use super::inventory::{Entry, Known, Mark};
use super::{Inventory, InventoryError, Source};
use crate::intake::file_times;
use crate::objects::{Listed, ObjectError};
use crate::view::View;
use crate::writer::{Submission, SubmitError, WriterHandle};

/// Listed files that wait to be fetched.
const LISTED_AHEAD: usize = 2_000;

/// Batches that wait for the writer. Their bytes are bounded by the room that they hold.
const BATCHES_AHEAD: usize = 256;

/// How long files are gathered for one commit.
const GATHER: Duration = Duration::from_millis(100);

/// After so many files that could not be had, the store is left alone for a while.
const LOST_MAX: u64 = 16;

/// How much a pass takes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files that are handed to the writer at once.
    pub files: usize,
    /// Bytes of files that are held in memory.
    pub bytes: usize,
    /// Files that are fetched at once.
    pub at_once: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
}

/// A pass over a bucket.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The bucket.
    pub source: Source,
    /// What was taken in.
    pub inventory: Arc<Inventory>,
    /// Where files go.
    pub writer: WriterHandle,
    /// Which partitions are declared.
    pub view: Arc<View>,
    /// In whose name files are taken in.
    pub actor: Actor,
    /// How much is taken on at once.
    pub limits: Limits,
}

/// A file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its key.
    pub key: String,
    /// What became of it.
    pub answer: FileAnswer,
}

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Files of the bucket.
    pub listed: u64,
    /// Files that were taken in.
    pub taken: u64,
    /// Files that were gone when they were to be fetched.
    pub vanished: u64,
    /// Files that could not be had; the next pass tries them again.
    pub lost: u64,
    /// Why the last of these could not be had.
    pub last_error: Option<ObjectError>,
}

/// Why a pass ended before its time. What it had taken in stays taken in.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The bucket cannot be listed or read.
    #[error(transparent)]
    Store(#[from] ObjectError),
    /// The inventory cannot be used.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The writer does not take files.
    #[error(transparent)]
    Writer(#[from] SubmitError),
}

/// A listed file that is to be fetched.
type Wanted = (Listed, Known);

impl Pass {
    /// Takes in everything that is new. `each` is told of every file, in order.
    ///
    /// # Errors
    /// See [`PassError`].
    pub async fn run(&self, each: &mut (dyn FnMut(&Taken) + Send)) -> Result<Passed, PassError> {
        let (wanted, mut to_fetch) = mpsc::channel(LISTED_AHEAD);
        let (ready, to_submit) = mpsc::channel(BATCHES_AHEAD);
        // Dropped with this pass: nothing of it goes on behind its back.
        let mut listing = JoinSet::new();
        let this = self.clone();
        listing.spawn(async move { this.list(&wanted).await });
        let fetching = self.fetch_all(&mut to_fetch, ready);
        let submitting = self.submit_all(to_submit, each);
        let (fetched, submitted) = tokio::join!(fetching, submitting);
        let inventory = Arc::clone(&self.inventory);
        let settling = tokio::task::spawn_blocking(move || inventory.settle()).await;
        settling.expect("noting does not panic")?;
        let mut passed = fetched?;
        passed.taken = submitted?;
        if let Some(listed) = listing.join_next().await {
            passed.listed = listed.expect("listing does not panic")?;
        }
        Ok(passed)
    }

    /// Lists the bucket and passes on what is new; answers how many files there are.
    async fn list(&self, wanted: &mpsc::Sender<Wanted>) -> Result<u64, PassError> {
        let (mut listed, mut next) = (0, None);
        loop {
            let bucket = &self.source.bucket;
            let page = bucket.list(&self.source.prefix, next.as_deref()).await?;
            listed += page.objects.len() as u64;
            let known = self.inventory.know(&page.objects)?;
            for (file, known) in page.objects.into_iter().zip(known) {
                let is_wanted = match known {
                    Known::New | Known::Changed => true,
                    Known::Foreign => self.is_declared(&file.key),
                    Known::Large => file.bytes <= self.limits.file_bytes,
                    Known::Taken => false,
                };
                if is_wanted && wanted.send((file, known)).await.is_err() {
                    // Nobody fetches any more: why is told there.
                    return Ok(listed);
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Whether the partition that a key names is declared by now.
    fn is_declared(&self, key: &str) -> bool {
        let Some(times) = file_times(key) else {
            return false;
        };
        let folds = self.view.read();
        let mut declared = folds.names.partitions().iter();
        declared.any(|one| {
            let name = times.partition.split_once('|');
            name == Some((one.node_type.as_str(), one.region.as_str()))
        })
    }

    /// Fetches in parallel and passes on, in order, whatever is ready.
    async fn fetch_all(
        &self,
        wanted: &mut mpsc::Receiver<Wanted>,
        ready: mpsc::Sender<Vec<Fetched>>,
    ) -> Result<Passed, PassError> {
        let room = Arc::new(Semaphore::new(
            self.limits.bytes.min(Semaphore::MAX_PERMITS),
        ));
        let fetching = stream::poll_fn(|context| wanted.poll_recv(context))
            .then(|file| begin(self.source.clone(), self.limits, file, Arc::clone(&room)))
            .buffered(self.limits.at_once)
            .ready_chunks(self.limits.files);
        let mut fetching = Box::pin(fetching);
        let mut passed = Passed::default();
        while let Some(outcomes) = fetching.next().await {
            let mut batch = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                match outcome {
                    Ok(fetched) => batch.push(fetched),
                    Err(lost) => passed.note_lost(lost)?,
                }
            }
            if !batch.is_empty() && ready.send(batch).await.is_err() {
                // The writer does not take files: why is told there.
                return Ok(passed);
            }
        }
        Ok(passed)
    }

    /// Hands batches to the writer, one after another; answers how many files it took.
    async fn submit_all(
        &self,
        mut ready: mpsc::Receiver<Vec<Fetched>>,
        each: &mut (dyn FnMut(&Taken) + Send),
    ) -> Result<u64, PassError> {
        let mut taken = 0;
        while let Some(mut batch) = ready.recv().await {
            // Few large commits cost less than many small ones, and nobody waits for an answer.
            let until = tokio::time::Instant::now() + GATHER;
            while batch.len() < self.limits.files
                && let Ok(Some(more)) = tokio::time::timeout_at(until, ready.recv()).await
            {
                batch.extend(more);
            }
            taken += self.submit(batch, each).await?;
        }
        Ok(taken)
    }

    async fn submit(
        &self,
        batch: Vec<Fetched>,
        each: &mut (dyn FnMut(&Taken) + Send),
    ) -> Result<u64, PassError> {
        let mut files = Vec::with_capacity(batch.len());
        let mut room = Vec::with_capacity(batch.len());
        let mut submissions = Vec::with_capacity(batch.len());
        for fetched in batch {
            files.push(fetched.listed);
            room.push(fetched.room);
            let file = fetched.file;
            submissions.push(Submission {
                command: Command::TakeFile(Box::new(file)),
                id: None,
                actor: self.actor,
            });
        }
        let outcomes = self.writer.submit_all_waiting(submissions).await;
        drop(room);
        let (mut entries, mut refused) = (Vec::with_capacity(files.len()), None);
        for (listed, outcome) in files.into_iter().zip(outcomes) {
            match outcome {
                Ok(reply) => {
                    let Answer::File(answer) = reply.answer else {
                        continue;
                    };
                    let Listed { key, version, .. } = listed;
                    let mark = match answer.quarantined {
                        Some(FileReason::UnknownPartition) => Mark::Foreign,
                        Some(FileReason::TooLarge) => Mark::Large,
                        _ => Mark::Taken,
                    };
                    each(&Taken {
                        key: key.clone(),
                        answer,
                    });
                    entries.push(Entry { key, version, mark });
                }
                Err(error) => refused = Some(error),
            }
        }
        let taken = entries.len() as u64;
        let inventory = Arc::clone(&self.inventory);
        let noting = tokio::task::spawn_blocking(move || inventory.note(&entries)).await;
        noting.expect("noting does not panic")?;
        refused.map_or(Ok(taken), |error| Err(error.into()))
    }
}

/// Begins to fetch a file once there is room for it; the file comes later.
async fn begin(
    source: Source,
    limits: Limits,
    wanted: Wanted,
    room: Arc<Semaphore>,
) -> impl Future<Output = Result<Fetched, Lost>> + Send + 'static {
    // What is too large is not fetched.
    let bytes = match wanted.0.bytes {
        bytes if bytes > limits.file_bytes => 1,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    };
    let bytes = bytes.clamp(1, limits.bytes.min(u32::MAX as usize));
    let permit = room.acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
    let permit = permit.await.expect("the room is never closed");
    let mut task = JoinSet::new();
    task.spawn(async move { fetch(&source, wanted, limits.file_bytes, permit).await });
    async move {
        let fetched = task.join_next().await.expect("it was just spawned");
        fetched.expect("fetching does not panic")
    }
}

impl Passed {
    /// Counts a file that could not be had; too many of them end the pass.
    fn note_lost(&mut self, Lost { key, error }: Lost) -> Result<(), PassError> {
        if matches!(error, ObjectError::NotFound { .. }) {
            // Deleted since it was listed: the next listing does not name it.
            self.vanished += 1;
            return Ok(());
        }
        tracing::warn!(%key, %error, "a file cannot be had; the next pass tries it again");
        self.lost += 1;
        if error.concerns_the_store() && self.lost >= LOST_MAX {
            return Err(error.into());
        }
        self.last_error = Some(error);
        Ok(())
    }
}
