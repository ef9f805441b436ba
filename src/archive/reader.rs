//! Pruned ranges, read from the archive for threads that wait.

use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use purser_events::Position;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{ArchiveError, key_of};
use crate::log::{PrunedRange, RangeFault, Ranges};
use crate::objects::{Address, Objects, Service, ServiceSettings};

/// Ranges that are held in memory: histories are read in order, and often twice.
const HELD: usize = 8;

/// Reads ranges of a log from its archive. Nothing is asked, and no thread started, before a range
/// is wanted.
#[derive(Debug)]
pub struct ArchiveReader {
    settings: ServiceSettings,
    /// Where the archive is by the configuration; else where the log says that it was put.
    at: Option<Address>,
    asking: Mutex<Option<UnboundedSender<Ask>>>,
    held: Mutex<VecDeque<(Position, Bytes)>>,
}

#[derive(Debug)]
struct Ask {
    bucket: String,
    key: String,
    answer: Sender<Result<Bytes, RangeFault>>,
}

impl ArchiveReader {
    /// The reader of an archive.
    #[must_use]
    pub fn new(settings: ServiceSettings, at: Option<Address>) -> Self {
        Self {
            settings,
            at,
            asking: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The way to the thread that asks; it ends with this reader.
    fn asking(&self) -> std::io::Result<UnboundedSender<Ask>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asking) = &*asking {
            return Ok(asking.clone());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (sender, asked) = unbounded_channel();
        let settings = self.settings.clone();
        std::thread::Builder::new()
            .name("archive".into())
            .spawn(move || runtime.block_on(answer_all(&settings, asked)))?;
        *asking = Some(sender.clone());
        Ok(sender)
    }

    fn held(&self, first: Position) -> Option<Bytes> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.iter().find(|(held, _)| *held == first);
        found.map(|(_, bytes)| bytes.clone())
    }

    fn hold(&self, first: Position, bytes: &Bytes) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= HELD {
            held.pop_front();
        }
        held.push_back((first, bytes.clone()));
    }

    fn fetch(&self, wanted: &PrunedRange) -> Result<Bytes, RangeFault> {
        let Address { bucket, prefix } = match &self.at {
            Some(at) => at.clone(),
            None => wanted.place.parse()?,
        };
        let (answer, answered) = channel();
        let key = key_of(&prefix, wanted.first, wanted.last);
        let ask = Ask {
            bucket,
            key,
            answer,
        };
        // A thread that is gone drops what it was asked: that shows below.
        let _ = self.asking()?.send(ask);
        answered.recv().map_err(|_| ArchiveError::Thread)?
    }
}

impl Ranges for ArchiveReader {
    fn range(&self, wanted: &PrunedRange) -> Result<Vec<u8>, RangeFault> {
        if let Some(bytes) = self.held(wanted.first) {
            return Ok(bytes.to_vec());
        }
        let bytes = self.fetch(wanted)?;
        self.hold(wanted.first, &bytes);
        Ok(bytes.to_vec())
    }
}

/// Fetches what is asked for, several ranges at once. The service is this thread's own: its
/// connections live as long as the runtime that they were made on.
async fn answer_all(settings: &ServiceSettings, mut asked: UnboundedReceiver<Ask>) {
    let service = Service::new(settings);
    while let Some(Ask {
        bucket,
        key,
        answer,
    }) = asked.recv().await
    {
        let bucket = Arc::new(service.bucket(&bucket));
        tokio::spawn(async move {
            let fetched = bucket.get(&key, u64::MAX).await;
            // Whoever asked may have gone.
            let _ = answer.send(fetched.map(|one| one.bytes).map_err(Into::into));
        });
    }
}
