//! `purser export --url URL --into PLACE`: a data set, out of a running server.

use std::time::Duration;

use axum::body::Bytes;
use purser_events::Position;
use serde::Deserialize;

use super::dataset::{dataset, form};
use super::follow::position;
use crate::cli::args::Export;
use crate::cli::out::{bar, tell};
use crate::cli::stream::{Edge, Wanted};
use crate::cli::{Failure, configured, runtime};
use crate::client::{Ask, Client};
use crate::export::{Checkpoint, Dataset, DatasetError, NEXT_FILE, tar};

/// Between two looks for what is new: each that finds something makes files of its own.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The file that says how far an answer reaches.
#[derive(Deserialize)]
struct Next {
    next: u64,
}

/// Where a data set stands, and what it is made of.
struct State<'a> {
    client: &'a Client,
    dataset: Dataset,
    wanted: &'a Wanted,
    checkpoint: Checkpoint,
    /// Whether nothing was stored before: then it begins where the caller says, maybe at a time.
    is_fresh: bool,
}

pub(super) fn run(args: &Export, client: &Client, to: &str) -> Result<(), Failure> {
    let config = configured(&args.place.config)?;
    let dataset = dataset(&config, to)?;
    runtime()?.block_on(async {
        let first = match args.wanted.from {
            Some(Edge::Position(first)) => first.0.max(1),
            _ => 1,
        };
        let fresh = Checkpoint {
            form: form(args.format),
            wanted: args.wanted.describe(),
            next: first,
        };
        let checkpoint = dataset.checkpoint(fresh).await?;
        let mut state = State {
            client,
            dataset,
            wanted: &args.wanted,
            is_fresh: checkpoint.next == first,
            checkpoint,
        };
        loop {
            state.catch_up().await?;
            if !args.follow {
                let last = state.checkpoint.next - 1;
                tell(&format!("{to} is complete up to position {last}"));
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })
}

impl State<'_> {
    /// Stores everything that is there now, one answer after another.
    async fn catch_up(&mut self) -> Result<(), Failure> {
        let end = position(self.client).await?;
        let bar = bar("export", (end + 1).saturating_sub(self.checkpoint.next));
        loop {
            let mut files = self.ask(end).await?;
            let next = next_of(&files)?;
            files.retain(|(name, _)| name != NEXT_FILE);
            // Where a time to begin with has not come, there is nothing to go on behind.
            let has_begun = !self.begins_at_a_time() || !files.is_empty();
            let is_more = next > self.checkpoint.next && has_begun;
            if is_more {
                bar.inc(next - self.checkpoint.next);
                self.checkpoint.next = next;
                self.is_fresh = false;
                self.dataset.store_files(files, &self.checkpoint).await?;
            }
            if !is_more || next > end {
                bar.finish_and_clear();
                return Ok(());
            }
        }
    }

    /// Whether nothing is stored yet, and the caller says when to begin.
    const fn begins_at_a_time(&self) -> bool {
        self.is_fresh && matches!(self.wanted.from, Some(Edge::Time(_)))
    }

    /// The files of what comes next, up to `end`.
    async fn ask(&self, end: u64) -> Result<Vec<(String, Bytes)>, Failure> {
        let next = Edge::Position(Position(self.checkpoint.next));
        let from = match self.begins_at_a_time() {
            true => self.wanted.from.unwrap_or(next),
            false => next,
        };
        let to = self.wanted.to.unwrap_or(Edge::Position(Position(end)));
        let mut query = vec![
            ("from", from.to_string()),
            ("to", to.to_string()),
            ("format", self.checkpoint.form.name().to_owned()),
        ];
        let words = [("type", &self.wanted.kind), ("worker", &self.wanted.worker)];
        query.extend(
            words
                .into_iter()
                .filter_map(|(name, word)| Some((name, word.clone()?))),
        );
        let query: Vec<_> = query
            .iter()
            .map(|(name, word)| (*name, word.as_str()))
            .collect();
        let mut pieces = self
            .client
            .stream(Ask {
                path: "/v1/events/files",
                query: &query,
            })
            .await?;
        let mut archive = Vec::new();
        while let Some(piece) = pieces.next().await? {
            archive.extend_from_slice(&piece);
        }
        Ok(tar::files(&archive.into()).map_err(DatasetError::from)?)
    }
}

fn next_of(files: &[(String, Bytes)]) -> Result<u64, DatasetError> {
    let found = files.iter().find(|(name, _)| name == NEXT_FILE);
    let next: Option<Next> = found.and_then(|(_, bytes)| serde_json::from_slice(bytes).ok());
    next.map(|next| next.next)
        .ok_or(DatasetError::Cut(tar::Cut))
}
