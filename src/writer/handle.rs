//! How the rest of the program reaches the writer.

use purser_commands::{Answer, Command, Rejection};
use purser_events::{Actor, Label, Position};
use tokio::sync::{mpsc, oneshot};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One message to the writer.
#[derive(Debug)]
pub(crate) enum Request {
    /// One command.
    One(Submission, oneshot::Sender<Result<Reply, SubmitError>>),
    /// Several commands, in order, in one commit.
    Many {
        /// The commands.
        submissions: Vec<Submission>,
        /// All or nothing.
        atomic: bool,
        /// One result per command.
        reply: oneshot::Sender<Vec<Result<Reply, SubmitError>>>,
    },
}

/// A way to reach the writer; cheap to clone.
#[derive(Clone, Debug)]
pub struct WriterHandle {
    queue: mpsc::Sender<Request>,
}

impl WriterHandle {
    pub(crate) const fn new(queue: mpsc::Sender<Request>) -> Self {
        Self { queue }
    }

    /// Asks for one command and waits until it is durable, or refused.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit(&self, submission: Submission) -> Result<Reply, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::One(submission, reply))?;
        answer.await.unwrap_or(Err(SubmitError::Unavailable))
    }

    /// Asks for several commands in one commit; the results stand in the same order.
    pub async fn submit_all(
        &self,
        submissions: Vec<Submission>,
        atomic: bool,
    ) -> Vec<Result<Reply, SubmitError>> {
        let count = submissions.len();
        let (reply, answers) = oneshot::channel();
        match self.send(Request::Many {
            submissions,
            atomic,
            reply,
        }) {
            Ok(()) => answers
                .await
                .unwrap_or_else(|_| vec![Err(SubmitError::Unavailable); count]),
            Err(error) => vec![Err(error); count],
        }
    }

    fn send(&self, request: Request) -> Result<(), SubmitError> {
        self.queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Unavailable,
        })
    }
}
