//! The memory of a whole server that takes in ten million events, each with an id of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use super::http::{Server, coordinator_key};
use super::load;
use super::table::{Figures, rate};

const EVENTS: u64 = 10_000_000;
const EVENTS_OF_A_FILE: u64 = 10_000;

/// Events of several files that wait at once: one is read while the one before is decided.
const CONNECTIONS: u64 = 2;

fn file(number: u64) -> String {
    let mut body = String::with_capacity(3 << 20);
    for index in 0..EVENTS_OF_A_FILE {
        let id = number * EVENTS_OF_A_FILE + index;
        let begin = if index == 0 { '[' } else { ',' };
        let worker = id % 1_000;
        write!(
            body,
            "{begin}{{\"ID\":\"{:08x}-0000-4000-8000-{id:012x}\",\"DT\":\"2024-06-12T04:56:30Z\",\
             \"EventType\":\"job-processed\",\"NodeType\":\"transcode\",\
             \"Region\":\"oceania\",\"Version\":1,\"Payload\":{{\
             \"ethAddress\":\"0x1b4897e079059ad22d9cd179c9e412e131{worker:06x}\",\
             \"fees\":{id},\"computeUnits\":{id},\"pricePerComputeUnit\":1}}}}",
            id.wrapping_mul(0x9e37_79b9) as u32,
        )
        .expect("memory takes all writes");
    }
    body + "]"
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let data = directory.join("ids");
    let server = Server::purser(&data);
    let key = coordinator_key(&data);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (key, address) = (&key, server.address);
            scope.spawn(move || {
                for number in (connection..EVENTS / EVENTS_OF_A_FILE).step_by(CONNECTIONS as usize)
                {
                    let path = "/v1/intake/events?key=oceania/transcode/\
                                oceania-transcode-20240612T045600Z_20240612T045700Z.json";
                    load::once(address, &load::post(path, key, &file(number)));
                }
            });
        }
    });
    let per_second = EVENTS as f64 / began.elapsed().as_secs_f64();
    figures.row(
        "taken in over HTTP, 10,000,000 events with ids of their own, peak resident",
        format!("{} MiB", server.peak_kib() / 1_024),
        rate(per_second),
        "< 500 MB",
    );
    server.stop();
}
