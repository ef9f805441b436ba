//! The real program over real HTTP, killed while it works: whatever it answered is there, once.
//!
//! `PURSER_KILL_ROUNDS=N` kills it N times; `PURSER_KILL_SEED=S` chooses other moments.

#[path = "kill/audit.rs"]
mod audit;
#[expect(dead_code, reason = "no gateway asks for a token here")]
#[path = "gateway/mod.rs"]
mod gateway;
#[path = "kill/grants.rs"]
mod grants;
#[path = "kill/load.rs"]
mod load;
#[path = "kill/server.rs"]
mod server;
#[path = "kill/tickets.rs"]
mod tickets;

use std::io::Write;
use std::sync::Arc;

use load::{Ledger, Work};
use server::Server;

const FEEDERS: u64 = 4;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().expect("a number"))
}

/// SplitMix64, as a step of the seed.
const fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Feeds the server from several sides and kills it once `answers` more have come.
async fn feed_and_kill(mut server: Server, ledger: &Arc<Ledger>, answers: u64) {
    let mut feeders = tokio::task::JoinSet::new();
    for _ in 0..FEEDERS {
        feeders.spawn(load::feed(server.http(), Arc::clone(ledger)));
    }
    ledger.wait_for(ledger.answers() + answers).await;
    server.kill();
    while let Some(fed) = feeders.join_next().await {
        fed.expect("no answer was wrong");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_comes_back_with_every_answer_it_gave() {
    let rounds = setting("PURSER_KILL_ROUNDS", 5);
    let seed = setting("PURSER_KILL_SEED", 1);
    let data = tempfile::tempdir().expect("a data directory");
    let ledger = Arc::new(Ledger::default());
    for round in 0..rounds {
        let server = Server::start(data.path());
        audit::deliver_again(&server.http(), &ledger).await;
        audit::events(&server.http(), &ledger).await;
        if round == 0 {
            load::begin(&server.http(), &ledger).await;
        }
        let answers = 5 + mixed(seed.wrapping_mul(1_000) + round) % 200;
        feed_and_kill(server, &ledger, answers).await;
    }
    let server = Server::start(data.path());
    audit::deliver_again(&server.http(), &ledger).await;
    audit::events(&server.http(), &ledger).await;
    audit::balance(&server.http(), &ledger).await;
    assert_eq!(server.end_in_order(), Some(0));
    audit::verify(data.path());
    let done = ledger.done();
    let files = done
        .iter()
        .filter(|one| matches!(one.work, Work::File(_)))
        .count();
    assert!(files > 0, "files were delivered too");
    let paid = done
        .iter()
        .filter(|one| matches!(one.work, Work::Tickets(_)));
    assert!(paid.count() > 0, "tickets paid too");
    // Written past the test runner, so that the count is seen whenever the tests run.
    let answers = done.len();
    let line = format!("kill loop: {rounds} kills, {answers} answers, 0 lost, seed {seed}\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("the line is told");
}
