//! What writes answer.

use purser_commands::answer::FileAnswer;
use purser_projections::intake::file_reason_name;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::extract::Answer;
use crate::writer::Reply;

/// What every write answers.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

impl Written {
    /// The common part of a reply.
    pub(crate) const fn of(reply: &Reply) -> Self {
        let (position, replayed) = (reply.position.0, reply.replayed);
        Self { position, replayed }
    }

    /// The whole answer, where there is no more to say.
    pub(crate) const fn answer(reply: &Reply) -> Answer<Self> {
        let (position, body) = (reply.position, Self::of(reply));
        Answer { position, body }
    }
}

/// What a registration and a renewal answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    /// Always `ok`.
    pub(crate) status: &'static str,
    /// Proves the session on the worker's routes. A secret. The one before it stays good until its
    /// own time is over.
    pub(crate) session_token: String,
    /// How long the token is good, in seconds; a renewal answers a new one.
    pub(crate) token_ttl_sec: u64,
    /// How long the lease lasts, in seconds.
    pub(crate) lease_ttl_sec: u32,
    /// How soon to beat again, in seconds.
    pub(crate) next_heartbeat_sec: u32,
    /// The position that made it durable.
    pub(crate) position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    pub(crate) replayed: bool,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileBody {
    /// Elements of its array.
    elements: u32,
    /// Events that are new.
    events: u32,
    /// Events that had been taken in before.
    duplicates: u32,
    /// Elements whose id had been taken in before with other content.
    conflicts: u32,
    /// Elements that are no events.
    malformed: u32,
    /// Elements whose region or node type is not the key's.
    misrouted: u32,
    /// New jobs whose fee nobody is known to have earned.
    suspense: u32,
    /// Why the file was set aside unread; null when it was read.
    quarantined: Option<&'static str>,
    /// Whether exactly this content was delivered under this key before.
    repeated: bool,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

impl FileBody {
    /// A file's answer as it is written.
    pub(crate) fn of(file: &FileAnswer, reply: &Reply) -> Self {
        Self {
            elements: file.elements,
            events: file.events,
            duplicates: file.duplicates,
            conflicts: file.conflicts,
            malformed: file.malformed,
            misrouted: file.misrouted,
            suspense: file.suspense,
            quarantined: file.quarantined.map(file_reason_name),
            repeated: file.repeated,
            position: reply.position.0,
            replayed: reply.replayed,
        }
    }
}
