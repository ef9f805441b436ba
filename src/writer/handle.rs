//! How the rest of the program reaches the writer.

use std::ops::ControlFlow;
use std::sync::Arc;

use purser_commands::{Answer, Command, Rejection};
use purser_events::{Actor, Label, Position};
use purser_projections::recall::{RecallKey, Record, SeenCommand};
use tokio::sync::{mpsc, oneshot};

use super::vigil::Vigil;
use crate::log::LogReader;

/// A command on its way to the writer.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is asked.
    pub command: Command,
    /// The id that makes a repetition harmless: any label of up to 128 bytes.
    pub id: Option<Label>,
    /// Who asks.
    pub actor: Actor,
}

/// The answer to a granted command. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the command answers.
    pub answer: Answer,
    /// The position that made it durable: of its last event, or, where it led to none, the last
    /// one that it was decided against.
    pub position: Position,
    /// Whether this is the first answer to an earlier delivery of the same command.
    pub replayed: bool,
}

/// Why a command was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The rules say no. Nothing happened.
    #[error("refused: {}", .0.code())]
    Rejected(Rejection),
    /// Its id was used for another command. Nothing happened.
    #[error("the command id was used for another command")]
    IdempotencyConflict,
    /// Another command of an atomic batch was refused. Nothing happened.
    #[error("another command of the batch was refused")]
    BatchRefused,
    /// The command leads to more events than one commit takes. Nothing happened.
    #[error("the command is too large for one commit")]
    TooLarge,
    /// The queue is full; try again. Nothing happened.
    #[error("the queue is full")]
    Busy,
    /// No space is left on the disk; reads go on. Nothing happened.
    #[error("no space is left for the log")]
    ReadOnly,
    /// The log cannot be written; whether it happened is not known to the caller. Repeat under
    /// the same id.
    #[error("the log cannot be written")]
    Unavailable,
}

/// What the writer says to a command.
pub(crate) type Outcome = Result<Verdict, SubmitError>;

/// A granted command, as the writer tells it.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It was granted now.
    Granted(Reply),
    /// It was granted before: the first answer stands in the log.
    Before(SeenCommand),
}

/// One message to the writer.
#[derive(Debug)]
pub(crate) enum Request {
    /// One command.
    One(Submission, oneshot::Sender<Outcome>),
    /// Several commands, in order, in one commit.
    Many {
        /// The commands.
        submissions: Vec<Submission>,
        /// All or nothing.
        atomic: bool,
        /// One result per command.
        reply: oneshot::Sender<Vec<Outcome>>,
    },
    /// Say what is known of some ids.
    Recall {
        /// What the records are found by.
        keys: Vec<RecallKey>,
        /// Those that there are. They may tell of events that are just about to be durable.
        reply: oneshot::Sender<Vec<(RecallKey, Record)>>,
    },
    /// Answer what came before, then stop.
    Stop,
}

/// A way to reach the writer; cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    queue: mpsc::Sender<Request>,
    log: Arc<dyn LogReader>,
    vigil: Arc<Vigil>,
}

impl std::fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterHandle")
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

impl WriterHandle {
    pub(crate) fn new(queue: mpsc::Sender<Request>, log: Arc<dyn LogReader>) -> Self {
        let vigil = Arc::new(Vigil::new());
        Self { queue, log, vigil }
    }

    /// How many requests wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Asks for one command and waits until it is durable, or refused.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit(&self, submission: Submission) -> Result<Reply, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::One(submission, reply))?;
        let outcome = self.vigil.wait(answer).await;
        self.settle(outcome.unwrap_or(Err(SubmitError::Unavailable)))
            .await
    }

    /// Asks for several commands in one commit; the results stand in the same order.
    pub async fn submit_all(
        &self,
        submissions: Vec<Submission>,
        atomic: bool,
    ) -> Vec<Result<Reply, SubmitError>> {
        let count = submissions.len();
        let (reply, answers) = oneshot::channel();
        let outcomes = match self.send(Request::Many {
            submissions,
            atomic,
            reply,
        }) {
            Ok(()) => {
                let outcomes = self.vigil.wait(answers).await;
                outcomes.unwrap_or_else(|| vec![Err(SubmitError::Unavailable); count])
            }
            Err(error) => vec![Err(error); count],
        };
        let mut settled = Vec::with_capacity(count);
        for outcome in outcomes {
            settled.push(self.settle(outcome).await);
        }
        settled
    }

    /// As [`WriterHandle::submit_all`] without `atomic`; waits while the queue is full.
    pub async fn submit_all_waiting(
        &self,
        submissions: Vec<Submission>,
    ) -> Vec<Result<Reply, SubmitError>> {
        let count = submissions.len();
        let (reply, answers) = oneshot::channel();
        let request = Request::Many {
            submissions,
            atomic: false,
            reply,
        };
        let outcomes = match self.queue.send(request).await {
            Ok(()) => answers.await.ok(),
            Err(_) => None,
        };
        let outcomes = outcomes.unwrap_or_else(|| vec![Err(SubmitError::Unavailable); count]);
        let mut settled = Vec::with_capacity(count);
        for outcome in outcomes {
            settled.push(self.settle(outcome).await);
        }
        settled
    }

    /// What history knows of some ids: those records that there are. They may tell of events that
    /// are just about to be durable.
    ///
    /// # Errors
    /// When the queue is full, or the writer has stopped.
    pub async fn recall(
        &self,
        keys: Vec<RecallKey>,
    ) -> Result<Vec<(RecallKey, Record)>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Recall { keys, reply })?;
        answer.await.map_err(|_| SubmitError::Unavailable)
    }

    /// As [`WriterHandle::submit`], for a thread that may block; waits while the queue is full.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_blocking(&self, submission: Submission) -> Result<Reply, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::One(submission, reply);
        self.queue
            .blocking_send(request)
            .map_err(|_| SubmitError::Unavailable)?;
        match answer
            .blocking_recv()
            .unwrap_or(Err(SubmitError::Unavailable))?
        {
            Verdict::Granted(reply) => Ok(reply),
            Verdict::Before(seen) => recollect(&*self.log, seen),
        }
    }

    /// As [`WriterHandle::submit_all`] without `atomic`, for a thread that may block; waits while
    /// the queue is full.
    #[must_use]
    pub fn submit_all_blocking(
        &self,
        submissions: Vec<Submission>,
    ) -> Vec<Result<Reply, SubmitError>> {
        let count = submissions.len();
        let (reply, answers) = oneshot::channel();
        let request = Request::Many {
            submissions,
            atomic: false,
            reply,
        };
        let sent = self.queue.blocking_send(request);
        let outcomes = match sent.map(|()| answers.blocking_recv()) {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(_)) | Err(_) => vec![Err(SubmitError::Unavailable); count],
        };
        outcomes
            .into_iter()
            .map(|outcome| self.settle_blocking(outcome?))
            .collect()
    }

    fn settle_blocking(&self, verdict: Verdict) -> Result<Reply, SubmitError> {
        match verdict {
            Verdict::Granted(reply) => Ok(reply),
            Verdict::Before(seen) => recollect(&*self.log, seen),
        }
    }

    pub(crate) fn stop(&self) {
        // A writer that is gone has stopped already.
        let _ = self.queue.blocking_send(Request::Stop);
    }

    fn send(&self, request: Request) -> Result<(), SubmitError> {
        self.queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Unavailable,
        })
    }

    /// Looks the first answer up where there is one; away from the async threads, since that
    /// reads the disk.
    async fn settle(&self, outcome: Outcome) -> Result<Reply, SubmitError> {
        match outcome? {
            Verdict::Granted(reply) => Ok(reply),
            Verdict::Before(seen) => {
                let log = Arc::clone(&self.log);
                let looked_up = tokio::task::spawn_blocking(move || recollect(&*log, seen)).await;
                looked_up.unwrap_or(Err(SubmitError::Unavailable))
            }
        }
    }
}

/// Tells the first answer again, from the events that the command led to.
fn recollect(log: &dyn LogReader, seen: SeenCommand) -> Result<Reply, SubmitError> {
    let mut events = Vec::with_capacity(seen.events as usize);
    let read = log.read(seen.position, &mut |envelope| {
        events.push(envelope);
        if events.len() < seen.events as usize {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    let last = events.last().map(|envelope| envelope.position);
    match (read, last) {
        (Ok(_), Some(position)) => Ok(Reply {
            answer: Answer::recollect(&events),
            position,
            replayed: true,
        }),
        _ => Err(SubmitError::Unavailable),
    }
}
