//! The coordinator of a simulated pool: it looks for workers, gives them jobs, charges the payers
//! and tells how it went.

use std::collections::VecDeque;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::drive::{AT_ONCE, Driven, Step};
use super::runs::{Found, Run, Turn};
use crate::client::{Client, ClientError};

/// Jobs that go on at once. They are given out one after the other and reported on before the
/// next ones are given out, so that each match finds the same at every run of a seed.
const WAVE: usize = 64;

/// Runs the jobs.
pub(super) async fn coordinate(
    client: &Client,
    runs: &[Run],
    driven: &mut Driven,
    told: &mut impl FnMut(Step),
) -> Result<(), ClientError> {
    let mut waiting: VecDeque<Turn<'_>> = runs.iter().map(Turn::first).collect();
    while !waiting.is_empty() {
        let wave = give_out(client, &mut waiting, driven, told).await?;
        let working = stream::iter(&wave).map(|(turn, worker)| turn.work(client, worker));
        let mut working = working.buffered(AT_ONCE);
        let (mut again, mut turns) = (Vec::new(), wave.iter());
        while let Some(worked) = working.try_next().await? {
            let turn = turns.next().map(|(turn, _)| *turn);
            driven.charged_wei += worked.charged_wei;
            driven.position = driven.position.max(worked.position);
            if worked.again {
                again.extend(turn.map(Turn::next));
            } else {
                driven.jobs += 1;
                told(Step::Ran);
            }
        }
        again
            .into_iter()
            .rev()
            .for_each(|turn| waiting.push_front(turn));
    }
    Ok(())
}

/// Gives out jobs until nobody has room: to whom each went.
async fn give_out<'a>(
    client: &Client,
    waiting: &mut VecDeque<Turn<'a>>,
    driven: &mut Driven,
    told: &mut impl FnMut(Step),
) -> Result<Vec<(Turn<'a>, String)>, ClientError> {
    let mut wave = Vec::new();
    while wave.len() < WAVE {
        let Some(turn) = waiting.pop_front() else {
            break;
        };
        let found = turn.assign(client, driven.position).await?;
        if let Found::Worker(_, position) | Found::Nobody(Some(position)) = &found {
            driven.matches += 1;
            driven.position = driven.position.max(*position);
        }
        match found {
            Found::Worker(worker, _) => wave.push((turn, worker)),
            // Whoever could do it may have no room only while the others go on.
            Found::Nobody(_) if !wave.is_empty() => {
                waiting.push_front(turn);
                break;
            }
            Found::Nobody(_) => {
                driven.unmet += 1;
                told(Step::Ran);
            }
            Found::Known => {
                driven.known += 1;
                told(Step::Ran);
            }
        }
    }
    Ok(wave)
}
