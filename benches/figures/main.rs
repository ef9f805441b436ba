//! The figures that the README quotes, each beside what this machine can do in the same run.
//!
//! `cargo bench --bench figures` prints the table; words after `--` choose sections.

#![expect(clippy::print_stderr, reason = "tells how far it is, beside the table")]
#![expect(
    clippy::float_arithmetic,
    reason = "ratios and rates, for people to look at"
)]

mod analysts;
mod bare;
mod bucket;
mod calibrate;
#[path = "../../tests/gateway/mod.rs"]
mod gateway;
mod grants;
mod history;
mod http;
mod ids;
mod jobs;
mod load;
mod log;
mod matching;
mod pool;
mod replay;
mod sockets;
mod steady;
mod streams;
mod table;
mod tickets;
mod writer;

use std::path::Path;

use table::Figures;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if std::env::var_os(bare::VARIABLE).is_some() {
        return bare::serve();
    }
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let wants = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    // The disk that is measured is that of the system's temporary files, unless told otherwise.
    let directory = match std::env::var_os("PURSER_BENCH_DIR") {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    let directory = directory.expect("a temporary directory");
    let mut figures = Figures::new();
    let sync = calibrate::sync_time(directory.path());
    figures.row(
        "sync of a zeroed 4 KiB block",
        format!("{} us", sync.as_micros()),
        String::new(),
        "",
    );
    if wants("writer") {
        writer::measure(&mut figures, directory.path());
    }
    if wants("log") {
        log::appends(&mut figures, directory.path(), 1.0 / sync.as_secs_f64());
        log::sealing(&mut figures, directory.path());
        log::waits(&mut figures, directory.path());
        log::crash(&mut figures, directory.path());
    }
    if wants("codec") {
        replay::codec(&mut figures);
    }
    if wants("replay") {
        replay::measure(&mut figures, directory.path());
    }
    if wants("bucket") {
        bucket::measure(&mut figures, directory.path());
    }
    if wants("analysts") {
        analysts::measure(&mut figures, directory.path());
    }
    subjects(&mut figures, directory.path(), &wants);
    if wants("http") {
        http::measure(&mut figures, directory.path(), sync);
    }
    if wants("steady") {
        steady::measure(&mut figures, directory.path());
    }
    if wants("ids") {
        ids::measure(&mut figures, directory.path());
    }
    println!("\n{figures}");
}

/// Subjects that need no yardstick.
fn subjects(figures: &mut Figures, directory: &Path, wants: &dyn Fn(&str) -> bool) {
    if wants("jobs") {
        jobs::measure(figures, directory);
    }
    if wants("tickets") {
        tickets::measure(figures);
    }
    if wants("streams") {
        streams::measure(figures, directory);
    }
    if wants("matching") {
        matching::measure(figures, directory);
    }
    if wants("sockets") {
        sockets::measure(figures, directory);
    }
    if wants("grants") {
        grants::measure(figures, directory);
    }
}
