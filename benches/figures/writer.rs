//! The writer without HTTP: decide, fold, encode, hash, commit, answer.

use std::path::Path;
use std::time::Instant;

use purser::service::{Running, Settings};

use super::pool::{Dice, beat, register, submission};
use super::table::{Figures, median, rate};

/// Workers of the pool.
const WORKERS: u64 = 10_000;

/// Commands of one run.
const COMMANDS: usize = 200_000;

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let running = Running::open(&Settings::new(directory.join("writer"))).expect("it starts");
    let writer = running.service.writer.clone();
    for from in (0..WORKERS).step_by(1_000) {
        let batch = (from..from + 1_000)
            .map(|number| submission(register(number)))
            .collect();
        assert!(writer.submit_all_blocking(batch).iter().all(Result::is_ok));
    }
    for size in [1, 64, 512, 8_192] {
        let rounds = (COMMANDS / size).clamp(8, 2_000);
        let per_second = median(|| {
            let mut dice = Dice(42);
            let batches: Vec<_> = (0..rounds)
                .map(|_| {
                    let mut one = || {
                        let worker = dice.below(WORKERS);
                        submission(beat(worker, &mut dice))
                    };
                    (0..size).map(|_| one()).collect::<Vec<_>>()
                })
                .collect();
            let began = Instant::now();
            for batch in batches {
                let replies = writer.submit_all_blocking(batch);
                assert!(replies.iter().all(Result::is_ok));
            }
            (rounds * size) as f64 / began.elapsed().as_secs_f64()
        });
        let name = format!("writer, commands one batch of {size} at a time");
        figures.row(&name, rate(per_second), String::new(), "");
    }
    running.stop().expect("it stops");
}
