//! The longest wait under a steady load, while the index of ids absorbs, the sealer seals and
//! snapshots are taken.

use std::path::Path;
use std::time::Duration;

use super::calibrate;
use super::http::{Server, WORKERS, coordinator_key, register};
use super::load;
use super::pool::{Dice, miner};
use super::table::{Figures, rate};

const PERIOD: Duration = Duration::from_secs(40);
const CONNECTIONS: usize = 16;

/// Often enough for several in the period.
const SNAPSHOT_EVERY: &str = "150000";

/// A heartbeat under an id that was never used before: each is remembered for ever.
fn beat(connection: usize, count: u64) -> String {
    let mut dice = Dice(count * 97 + connection as u64);
    let (miner, queue) = (miner(dice.below(WORKERS)), dice.below(4));
    let id = format!("beat-{connection}-{count}");
    format!("[{{\"beat\":{{\"miner_id\":\"{miner}\",\"queue_len\":{queue},\"id\":\"{id}\"}}}}]")
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let data = directory.join("steady");
    let server = Server::purser_with(&data, &[("PURSER_SNAPSHOT_EVERY_EVENTS", SNAPSHOT_EVERY)]);
    let key = coordinator_key(&data);
    for from in (0..WORKERS).step_by(1_000) {
        let request = load::post("/v1/commands", &key, &register(from));
        load::once(server.address, &request);
    }
    let seen = load::run(server.address, CONNECTIONS, PERIOD, move |number, count| {
        load::post("/v1/commands", &key, &beat(number, count))
    });
    let snapshots = std::fs::read_dir(data.join("snapshots")).map_or(0, Iterator::count);
    figures.row(
        &format!("steady load, single commands with ids, {CONNECTIONS} connections"),
        rate(seen.per_second()),
        format!(
            "{} commands, {snapshots} snapshots kept, {} MiB at most",
            seen.answers,
            server.peak_kib() / 1_024
        ),
        "",
    );
    drop(server);
    // Where the disk itself pauses, so does every commit.
    let alone = calibrate::longest_sync(directory, PERIOD);
    let at = |share| seen.percentile_us(share);
    figures.row(
        "... p50 / p99 / p99.99 / max beside absorbs, seals and snapshots",
        format!(
            "{} / {} / {} / {} us",
            at(0.5),
            at(0.99),
            at(0.9999),
            at(1.0)
        ),
        format!(
            "the longest sync of the disk alone: {} us",
            alone.as_micros()
        ),
        "max <= 50 ms",
    );
}
