//! `purser export --follow`: events as they happen, until the reader has enough.

use std::io::Write;
use std::time::Duration;

use indicatif::ProgressBar;
use purser_events::Position;
use serde::Deserialize;

use crate::cli::Failure;
use crate::cli::place::Place;
use crate::cli::stream::{Edge, Shape, Target, Wanted, from_server};
use crate::client::{Ask, Client};

/// How long to wait where nothing new has happened.
const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
struct Health {
    position: u64,
}

/// Writes what is there, and then what comes.
pub(super) fn run(
    place: &Place,
    wanted: &Wanted,
    mut shape: Shape,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // Nobody else writes into a directory that we hold: there is nothing to follow.
    let Place::Server(client) = place else {
        return Err(Failure::FollowData);
    };
    let bar = ProgressBar::hidden();
    let mut wanted = wanted.clone();
    crate::cli::runtime()?.block_on(async {
        loop {
            let end = position(client).await?;
            let first = match wanted.from {
                Some(Edge::Position(first)) => first.0,
                _ => 0,
            };
            if first <= end {
                wanted.to = Some(Edge::Position(Position(end)));
                from_server(client, &wanted, shape, &mut Target { out, bar: &bar }).await?;
                shape.head = false;
                wanted.from = Some(Edge::Position(Position(end + 1)));
            } else {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    })
}

pub(super) async fn position(client: &Client) -> Result<u64, Failure> {
    let ask = Ask {
        path: "/v1/health",
        query: &[],
    };
    let health: Health = client.get(ask).await?;
    Ok(health.position)
}
