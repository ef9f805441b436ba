//! The writer's thread: decide, commit, answer, publish; and what happens when a commit fails.
//!
//! It commits on its own thread: while the disk syncs, requests pile up in the queue and share
//! the next commit. A second thread for commits costs more in hand-overs than it wins.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use purser_events::{Envelope, Position};
use purser_projections::Books;
use purser_projections::recall::{RecallKey, Recalled};
use tokio::sync::mpsc;

use super::group::{Caller, Draft, Group, note};
use super::handle::{Outcome, Request, Submission, SubmitError, Verdict, WriterHandle};
use super::publisher::Publisher;
use super::stats::WriterStats;
use crate::clock::Clock;
use crate::log::{AppendError, Batch, BatchId, Lease, Log, Resolution};
use crate::recall::Index;
use crate::view::View;

/// Records that are gathered in memory before they go to the index together.
pub const GENERATION: usize = 262_144;

/// Room for records beyond a full generation, for those of the commit that fills it.
pub(crate) const GENERATION_ROOM: usize = GENERATION * 5 / 4;

/// After a commit failed for lack of space, commands are refused this long before the next try.
const READ_ONLY_RETRY: Duration = Duration::from_millis(250);

/// What the writer starts with.
pub struct Start {
    /// The log.
    pub log: Box<dyn Log>,
    /// The right to append to it.
    pub lease: Lease,
    /// The index of ids.
    pub index: Arc<dyn Index>,
    /// Everything up to here was handed to the index.
    pub absorbed: Position,
    /// The state at the end of the log, with the records that the index does not hold yet.
    pub books: Books,
    /// Where what is durable is published.
    pub view: Arc<View>,
    /// The clock that stamps commits.
    pub clock: Arc<Clock>,
    /// Requests that may wait.
    pub queue_max: usize,
    /// Commands that share a commit at most.
    pub commands_max: usize,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// The writer's thread.
#[derive(Debug)]
pub struct WriterThread {
    handle: WriterHandle,
    thread: JoinHandle<()>,
}

impl WriterThread {
    /// Answers every request that waits, then stops.
    pub fn stop(self) {
        self.handle.stop();
        // A panic there is a breach: its own message has told, and the failure is in the stats.
        let _ = self.thread.join();
    }
}

/// Starts the writer.
///
/// # Errors
/// When a thread cannot be started, or no randomness can be drawn.
pub fn start(from: Start) -> std::io::Result<(WriterHandle, WriterThread, Arc<WriterStats>)> {
    let (sender, queue) = mpsc::channel(from.queue_max);
    let handle = WriterHandle::new(sender, from.log.reader());
    let stats = Arc::new(WriterStats::default());
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
    let publisher = Publisher::start(Arc::clone(&from.view), Arc::clone(&stats))?;
    let engine = Engine {
        start: from,
        publisher,
        stats: Arc::clone(&stats),
        seed,
        keys: Vec::new(),
        refused_until: None,
    };
    let thread = std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || engine.run(queue))?;
    Ok((handle.clone(), WriterThread { handle, thread }, stats))
}

struct Engine {
    start: Start,
    publisher: Publisher,
    stats: Arc<WriterStats>,
    seed: [u8; 32],
    keys: Vec<RecallKey>,
    refused_until: Option<Instant>,
}

/// The writer cannot go on.
struct Fatal(String);

impl Engine {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let guard = PanicGuard(Arc::clone(&self.stats));
        let ended = self.serve_all(&mut queue);
        queue.close();
        match ended {
            Ok(()) => {
                self.publisher.settle();
                self.hand_over(0);
            }
            // What was decided last may not be in the log: its records must not get into the index.
            Err(Fatal(why)) => {
                tracing::error!(why, "the writer stopped for good");
                self.stats.fail(why);
            }
        }
        std::mem::forget(guard);
    }

    /// Serves groups of requests until it is told to stop.
    fn serve_all(&mut self, queue: &mut mpsc::Receiver<Request>) -> Result<(), Fatal> {
        loop {
            let group = Group::gather(queue, self.start.commands_max);
            let stop = group.stop;
            self.serve(group)?;
            if stop {
                return Ok(());
            }
        }
    }

    /// Decides a group of requests, commits, answers.
    fn serve(&mut self, group: Group) -> Result<(), Fatal> {
        if group.requests.is_empty() {
            return Ok(());
        }
        if self
            .refused_until
            .is_some_and(|until| Instant::now() < until)
        {
            refuse(group, SubmitError::ReadOnly);
            return Ok(());
        }
        self.load(&group)?;
        let folds = &self.start.books.projections;
        let at = self.start.clock.now().max(folds.recorded_at);
        let mut draft = Draft::new(at, folds.position);
        let mut callers = Vec::with_capacity(group.requests.len());
        for request in group.requests {
            callers.extend(self.decide(&mut draft, request));
        }
        self.start.books.recalled.unload();
        if draft.is_empty() {
            self.answer(callers);
            return Ok(());
        }
        self.commit(draft, callers)
    }

    /// Loads the records of history that the group's decisions look at.
    fn load(&mut self, group: &Group) -> Result<(), Fatal> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        group.recall(&self.start.books.projections.names, &mut keys);
        let recalled = &mut self.start.books.recalled;
        let loaded = match keys.is_empty() {
            true => Ok(()),
            false => self
                .start
                .index
                .load(&keys, &mut |key, record| recalled.load(key, record)),
        };
        self.keys = keys;
        loaded.map_err(|error| Fatal(describe("the index of ids cannot be read", &error)))
    }

    fn decide(&mut self, draft: &mut Draft, request: Request) -> Option<Caller> {
        match request {
            Request::One(submission, reply) => {
                let outcome = draft.run(&mut self.start.books, submission);
                Some(Caller::One(reply, outcome))
            }
            Request::Many {
                submissions,
                atomic: false,
                reply,
            } => {
                let books = &mut self.start.books;
                let outcomes = submissions
                    .into_iter()
                    .map(|one| draft.run(books, one))
                    .collect();
                Some(Caller::Many(reply, outcomes))
            }
            Request::Many {
                submissions,
                atomic: true,
                reply,
            } => {
                let outcomes = self.all_or_nothing(draft, submissions);
                Some(Caller::Many(reply, outcomes))
            }
            Request::Recall { keys, reply } => {
                let recalled = &self.start.books.recalled;
                let known = |key| Some((key, recalled.get(&key)?.into_owned()));
                // A caller that went away does not wait.
                let _ = reply.send(keys.into_iter().filter_map(known).collect());
                None
            }
            Request::Stop => None,
        }
    }

    fn all_or_nothing(&mut self, draft: &mut Draft, submissions: Vec<Submission>) -> Vec<Outcome> {
        let (mark, count) = (draft.mark(), submissions.len());
        let mut outcomes = Vec::with_capacity(count);
        self.start.books.recalled.remember();
        for submission in submissions {
            let outcome = draft.run(&mut self.start.books, submission);
            let refused = outcome.is_err();
            outcomes.push(outcome);
            if refused {
                self.undo(draft, mark);
                let last = outcomes.len() - 1;
                outcomes[..last].fill(Err(SubmitError::BatchRefused));
                outcomes.resize(count, Err(SubmitError::BatchRefused));
                break;
            }
        }
        self.start.books.recalled.keep();
        outcomes
    }

    /// Takes back what was decided after `mark`: the folds as they are durable, and then once more
    /// what this commit decided before.
    fn undo(&mut self, draft: &mut Draft, mark: super::group::Mark) {
        if draft.mark() == mark {
            return;
        }
        self.start.books.recalled.take_back();
        self.publisher.settle();
        let folds = &mut self.start.books.projections;
        folds.take_back(&self.start.view.read(), draft.events());
        draft.back_to(mark);
        draft.fold_again(folds);
    }

    /// Appends the draft. Nobody is answered before the log says that it is durable; a crash
    /// before leaves nothing of it, a crash after loses only answers, which a repetition under the
    /// same id brings back.
    fn commit(&mut self, draft: Draft, callers: Vec<Caller>) -> Result<(), Fatal> {
        let envelopes = draft.into_envelopes();
        let batch = self.batch(&envelopes)?;
        let began = Instant::now();
        match self.append(&batch) {
            Ok(()) => {
                self.stats.committed(envelopes.len(), began.elapsed());
                self.writable(true);
                self.answer(callers);
                self.publisher.publish(envelopes);
                self.hand_over(GENERATION);
                Ok(())
            }
            Err(error) => self.failed(&error, callers),
        }
    }

    /// Appends, and asks for an outcome that is unknown. Once: where the log cannot tell even then,
    /// nobody can.
    fn append(&mut self, batch: &Batch) -> Result<(), AppendError> {
        let log = &mut self.start.log;
        let unknown = match log.append(self.start.lease, batch) {
            Ok(_) => return Ok(()),
            Err(AppendError::Unknown(why)) => why,
            Err(error) => return Err(error),
        };
        match log.resolve(batch.id()) {
            Ok(Resolution::Committed(_)) => Ok(()),
            Ok(Resolution::Absent) => Err(AppendError::Unavailable(unknown)),
            Err(_) => Err(AppendError::Unknown(unknown)),
        }
    }

    fn batch(&self, envelopes: &[Envelope]) -> Result<Batch, Fatal> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| Fatal(describe("no randomness", &error)))?;
        let after = Position(envelopes[0].position.0 - 1);
        let mut batch = Batch::new(BatchId(id), self.seed, after);
        envelopes.iter().for_each(|envelope| batch.push(envelope));
        Ok(batch)
    }

    /// The batch is surely not in the log: restore the books and go on. Or nobody knows: stop.
    fn failed(&mut self, error: &AppendError, callers: Vec<Caller>) -> Result<(), Fatal> {
        let (answer, fatal) = match error {
            AppendError::Full => (SubmitError::ReadOnly, false),
            AppendError::TooLarge => (SubmitError::TooLarge, false),
            AppendError::Unavailable(_) => (SubmitError::Unavailable, false),
            AppendError::Unknown(_) | AppendError::Fenced | AppendError::Conflict { .. } => {
                (SubmitError::Unavailable, true)
            }
        };
        // The counters say it before the callers hear it, so that nobody sees them disagree.
        if fatal {
            let why = describe("a commit to the log failed", error);
            self.stats.fail(why.clone());
            callers.into_iter().for_each(|caller| caller.fail(answer));
            return Err(Fatal(why));
        }
        self.writable(!matches!(error, AppendError::Full));
        callers.into_iter().for_each(|caller| caller.fail(answer));
        tracing::warn!(%error, "a commit failed; nothing of it is in the log");
        self.restore()
    }

    fn writable(&mut self, writable: bool) {
        self.refused_until = (!writable).then(|| Instant::now() + READ_ONLY_RETRY);
        self.stats.set_read_only(!writable);
    }

    /// Rebuilds the decision state from what is durable.
    fn restore(&mut self) -> Result<(), Fatal> {
        self.publisher.settle();
        let projections = self.start.view.read().clone();
        let end = projections.position;
        let recalled = Recalled::with_capacity(GENERATION_ROOM);
        let mut books = Books {
            projections,
            recalled,
        };
        if self.start.absorbed < end {
            let from = self.start.absorbed.next();
            let read = self.start.log.reader().read(from, &mut |envelope| {
                if envelope.position > end {
                    return ControlFlow::Break(());
                }
                recall_again(&mut books, &envelope);
                ControlFlow::Continue(())
            });
            read.map_err(|error| Fatal(describe("the log cannot be read again", &error)))?;
        }
        self.start.books = books;
        Ok(())
    }

    /// Hands the records gathered so far to the index, once there are `least` of them. They are
    /// all durable in the log; a crash before the index is written costs only their reading.
    fn hand_over(&mut self, least: usize) {
        let books = &mut self.start.books;
        if books.recalled.recent_len() < least.max(1) {
            return;
        }
        let position = books.projections.position;
        let generation = books.recalled.take_recent(GENERATION_ROOM);
        match self.start.index.absorb(generation, position) {
            Ok(()) => self.start.absorbed = position,
            Err(error) => tracing::error!(%error, "the index of ids cannot be written"),
        }
    }

    fn answer(&self, callers: Vec<Caller>) {
        let (mut granted, mut refused, mut replayed) = (0, 0, 0);
        for caller in callers {
            for outcome in caller.outcomes() {
                match outcome {
                    Ok(Verdict::Granted(_)) => granted += 1,
                    Ok(Verdict::Before(_)) => replayed += 1,
                    Err(_) => refused += 1,
                }
            }
            caller.answer();
        }
        self.stats.answered(granted, refused, replayed);
    }
}

/// Notes in the books what one stored envelope says about ids.
pub(crate) fn recall_again(books: &mut Books, envelope: &Envelope) {
    books.recalled.apply(envelope.recorded());
    if let Some(stamp) = &envelope.command {
        note(books, envelope.position, envelope.actor, stamp);
    }
}

fn refuse(group: Group, error: SubmitError) {
    for request in group.requests {
        match request {
            Request::One(_, reply) => drop(reply.send(Err(error))),
            Request::Many {
                submissions, reply, ..
            } => {
                drop(reply.send(vec![Err(error); submissions.len()]));
            }
            Request::Recall { .. } | Request::Stop => {}
        }
    }
}

/// An error and its causes, in one line.
fn describe(what: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Tells the process when a broken invariant ends the writer's thread.
struct PanicGuard(Arc<WriterStats>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        self.0
            .fail("a broken invariant: see the message above".into());
    }
}
