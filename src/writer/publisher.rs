//! Folds what has become durable into the read side, on a thread of its own: a slow reader of the
//! view never holds up a commit.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use purser_events::Envelope;

use super::stats::WriterStats;
use crate::view::View;

/// How many commits may wait to be folded in before the writer waits for the read side.
const BACKLOG: usize = 64;

/// What the publishing thread is told.
#[derive(Debug)]
enum Message {
    /// Fold these in.
    Commit(Vec<Envelope>),
    /// Say when everything before is folded in.
    Barrier(SyncSender<()>),
}

/// The way to the publishing thread.
#[derive(Debug)]
pub(super) struct Publisher {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    pub(super) fn start(view: Arc<View>, stats: Arc<WriterStats>) -> std::io::Result<Self> {
        let (queue, batches) = sync_channel(BACKLOG);
        let thread = std::thread::Builder::new()
            .name("publisher".into())
            .spawn(move || publish_all(&view, &stats, &batches))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Hands over one commit.
    pub(super) fn publish(&self, batch: Vec<Envelope>) {
        self.send(Message::Commit(batch));
    }

    /// Waits until everything handed over is folded in.
    pub(super) fn settle(&self) {
        let (done, wait) = sync_channel(1);
        self.send(Message::Barrier(done));
        wait.recv().expect("the publisher outlives the writer");
    }

    fn send(&self, message: Message) {
        let queue = self
            .queue
            .as_ref()
            .expect("the queue is closed only on drop");
        queue
            .send(message)
            .expect("the publisher outlives the writer");
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there is a breach that its own message has told.
            let _ = thread.join();
        }
    }
}

fn publish_all(view: &View, stats: &WriterStats, messages: &Receiver<Message>) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Commit(batch) => {
                stats.published(&batch);
                view.publish(&batch);
            }
            // Nobody waits any more: nothing to tell.
            Message::Barrier(done) => drop(done.send(())),
        }
    }
}
