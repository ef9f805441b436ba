//! The two ways that a file goes: straight to the writer, or through a server.

use std::future::Future;

use axum::body::Bytes;
use purser_commands::answer::FileAnswer;
use purser_commands::{Answer, Command};
use purser_events::Actor;
use purser_projections::intake::file_reason_name;
use serde::Deserialize;

use super::summary::TakenFile;
use crate::cli::Failure;
use crate::cli::walk::Found;
use crate::client::{Ask, Client, ClientError};
use crate::intake::read_file;
use crate::writer::{Submission, SubmitError, WriterHandle};

/// What became of one file.
pub(super) enum Outcome {
    /// It was taken in, or set aside with its reason.
    Taken { key: String, file: TakenFile },
    /// It did not get as far; the others do.
    Failed { key: String, why: String },
}

/// Delivers files one by one. An error is for what stops all of them.
pub(super) trait Deliver {
    fn deliver(&self, found: Found) -> impl Future<Output = Result<Outcome, Failure>>;
}

/// Into a data directory that this process holds.
pub(super) struct Books {
    pub(super) writer: WriterHandle,
}

impl Deliver for Books {
    async fn deliver(&self, found: Found) -> Result<Outcome, Failure> {
        let Found { key, path } = found;
        let failed = |why: String| {
            Ok(Outcome::Failed {
                key: key.clone(),
                why,
            })
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return failed(error.to_string()),
        };
        let command = match read_file(&key, None, &bytes) {
            Ok(file) => Command::TakeFile(Box::new(file)),
            Err(error) => return failed(error.to_string()),
        };
        let submission = Submission {
            command,
            id: None,
            actor: Actor::CommandLine,
        };
        match self.writer.submit(submission).await {
            Ok(reply) => match reply.answer {
                Answer::File(answer) => Ok(Outcome::Taken {
                    key,
                    file: (&answer).into(),
                }),
                _ => failed("the writer gave another command's answer".into()),
            },
            Err(error @ (SubmitError::Unavailable | SubmitError::ReadOnly)) => {
                Err(Failure::Submit(error))
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

impl From<&FileAnswer> for TakenFile {
    fn from(answer: &FileAnswer) -> Self {
        Self {
            repeated: answer.repeated,
            quarantined: answer
                .quarantined
                .map(|reason| file_reason_name(reason).to_owned()),
            elements: answer.elements.into(),
            events: answer.events.into(),
            duplicates: answer.duplicates.into(),
            malformed: answer.malformed.into(),
            misrouted: answer.misrouted.into(),
            suspense: answer.suspense.into(),
        }
    }
}

/// Through a running server.
pub(super) struct Server {
    pub(super) client: Client,
}

#[derive(Deserialize)]
struct Health {
    position: u64,
}

impl Server {
    /// Where the server's log ends now.
    pub(super) async fn position(&self) -> Result<u64, Failure> {
        let ask = Ask {
            path: "/v1/health",
            query: &[],
        };
        let health: Health = self.client.get(ask).await?;
        Ok(health.position)
    }
}

impl Deliver for Server {
    async fn deliver(&self, found: Found) -> Result<Outcome, Failure> {
        let Found { key, path } = found;
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) => {
                return Ok(Outcome::Failed {
                    key,
                    why: error.to_string(),
                });
            }
        };
        self.send(key, bytes).await
    }
}

impl Server {
    /// Hands the bytes of a file to the server.
    pub(super) async fn send(&self, key: String, bytes: Bytes) -> Result<Outcome, Failure> {
        let query = [("key", key.as_str())];
        let ask = Ask {
            path: "/v1/intake/events",
            query: &query,
        };
        match self.client.post_bytes(ask, bytes).await {
            Ok(file) => Ok(Outcome::Taken { key, file }),
            // This file is not to be taken; the next one may be.
            Err(ClientError::Refused {
                status: 400 | 413,
                detail,
                ..
            }) => Ok(Outcome::Failed { key, why: detail }),
            Err(error) => Err(error.into()),
        }
    }
}
