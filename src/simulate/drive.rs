//! Drives a running server with a simulated pool, as its workers and orchestrators do.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::coordinate::coordinate;
use super::line::Line;
use super::pool::{Delivered, Pool, SimulatedWorker};
use crate::client::{Ask, Client, ClientError};

/// Requests that are under way at once.
pub(super) const AT_ONCE: usize = 32;

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A worker registered.
    Registered,
    /// A worker beat.
    Beaten,
    /// The coordinator is done with a job.
    Ran,
    /// A file was delivered; it holds so many events that are new.
    Delivered {
        /// Events that are new.
        events: u32,
    },
}

/// What the server made of it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Driven {
    /// Workers that registered.
    pub workers: u64,
    /// Heartbeats that were taken, before the jobs began.
    pub beats: u64,
    /// Jobs that the coordinator ran to their end.
    pub jobs: u64,
    /// Matches that it asked for: more than jobs, as some workers refuse or are lost.
    pub matches: u64,
    /// Jobs that nobody was found for.
    pub unmet: u64,
    /// Jobs that the same pool had done before.
    pub known: u64,
    /// What payers were charged for them, in wei.
    #[serde(serialize_with = "digits")]
    pub charged_wei: u128,
    /// Files that were taken in.
    pub files: u64,
    /// Events that were new.
    pub events: u64,
    /// Where the log ended with the last of them.
    pub position: u64,
}

/// Amounts are texts: not every reader's numbers hold them.
fn digits<S: serde::Serializer>(amount: &u128, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(amount)
}

#[derive(Deserialize)]
struct Session {
    session_token: String,
    position: u64,
}

#[derive(Deserialize)]
struct Taken {
    events: u32,
    position: u64,
}

/// Registers every worker, connects it and lets it beat `beats` times, runs the coordinator's
/// jobs, and delivers every file. Workers stay connected, and beat, until the end.
///
/// # Errors
/// At the first request that the server does not grant.
pub async fn drive(
    client: &Client,
    pool: &Pool,
    beats: u32,
    mut told: impl FnMut(Step),
) -> Result<Driven, ClientError> {
    let mut driven = Driven::default();
    let mut sessions = Vec::with_capacity(pool.workers.len());
    let mut registering = stream::iter(&pool.workers)
        .map(|worker| register(client, worker))
        .buffered(AT_ONCE);
    while let Some(session) = registering.try_next().await? {
        driven.position = driven.position.max(session.position);
        sessions.push(session.session_token);
        driven.workers += 1;
        told(Step::Registered);
    }
    let lines = stream::iter(sessions.iter().zip(&pool.workers));
    let lines = lines.map(|(session, worker)| Line::open(client, session, worker.latency_ms));
    let mut lines: Vec<Line> = lines.buffered(AT_ONCE).try_collect().await?;
    for _ in 0..beats {
        let beating = stream::iter(&mut lines).map(Line::beat);
        // Where workers must be patient, they are so at the same time.
        let mut beating = beating.buffer_unordered(sessions.len());
        while let Some(position) = beating.try_next().await? {
            driven.position = driven.position.max(position);
            driven.beats += 1;
            told(Step::Beaten);
        }
    }
    let mut staying = JoinSet::new();
    for line in lines {
        staying.spawn(line.stay());
    }
    coordinate(client, &pool.runs, &mut driven, &mut told).await?;
    let mut delivering = stream::iter(&pool.files)
        .map(|file| deliver(client, file))
        .buffered(AT_ONCE);
    while let Some(Taken { events, position }) = delivering.try_next().await? {
        driven.files += 1;
        driven.events += u64::from(events);
        driven.position = driven.position.max(position);
        told(Step::Delivered { events });
    }
    Ok(driven)
}

async fn register(client: &Client, worker: &SimulatedWorker) -> Result<Session, ClientError> {
    let ask = Ask {
        path: "/v1/miners/register",
        query: &[],
    };
    client.post(ask, &worker.manifest).await
}

async fn deliver(client: &Client, file: &Delivered) -> Result<Taken, ClientError> {
    let query = [("key", file.key.as_str())];
    let ask = Ask {
        path: "/v1/intake/events",
        query: &query,
    };
    client.post_bytes(ask, file.bytes.clone().into()).await
}
