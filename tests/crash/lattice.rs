//! Every boundary of a run, and every kind of image at each.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::check::{Expected, check, check_making};
use crate::disk::{Disk, Files, Name, Operation, usize_of};
use crate::images::{Moment, Survive};
use crate::random::Random;
use crate::run::{Run, record};

/// Every how many images commands are delivered again.
const REPEAT_EVERY: usize = 5;

/// Every how many images the start after the crash is crashed too.
const AGAIN_EVERY: usize = 97;

/// Images and what went wrong with some.
#[derive(Debug, Default)]
struct Tally {
    images: usize,
    failures: Vec<String>,
}

impl Tally {
    fn check(&mut self, files: Files, expected: &Expected<'_>, what: &str) -> Option<Disk> {
        self.images += 1;
        let making = expected.after <= expected.run.made;
        let verdict = catch_unwind(AssertUnwindSafe(|| match making {
            true => check_making(&files).map(|()| Disk::default()),
            false => check(files, expected),
        }));
        let why = match verdict {
            Ok(Ok(disk)) => return Some(disk),
            Ok(Err(why)) => why,
            Err(_) => "a panic; see above".to_owned(),
        };
        let after = expected.after;
        self.failures
            .push(format!("after operation {after}, {what}: {why}"));
        None
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().expect("a number"))
}

/// The images of one boundary, the certain ones first.
fn kinds(deep: u64) -> Vec<Survive> {
    let mut kinds = vec![Survive::None, Survive::All];
    for _ in 0..deep {
        kinds.extend([Survive::Some, Survive::Torn]);
    }
    kinds
}

fn walk(run: &Run, deep: u64, random: &mut Random) -> Tally {
    let mut tally = Tally::default();
    let mut moment = Moment::default();
    for (before, (name, operation)) in run.operations.iter().enumerate() {
        moment.advance(*name, operation);
        for survive in kinds(deep) {
            let files = moment.image(survive, random);
            let expected = Expected {
                run,
                after: before + 1,
                repeat: tally.images.is_multiple_of(REPEAT_EVERY),
                ends_as_in_run: true,
            };
            let again = tally.images % AGAIN_EVERY == AGAIN_EVERY - 1;
            let image = again.then(|| files.clone());
            let disk = tally.check(files, &expected, &format!("{survive:?}"));
            if let (Some(image), Some(disk)) = (image, disk) {
                crash_again(&mut tally, (image, &disk), &expected, random);
            }
            if moment.is_settled() {
                break;
            }
        }
    }
    tally
}

/// Crashes the start that followed a crash, and the commands after it.
fn crash_again(
    tally: &mut Tally,
    (image, disk): (Files, &Disk),
    expected: &Expected<'_>,
    random: &mut Random,
) {
    let expected = Expected {
        repeat: false,
        ends_as_in_run: false,
        ..*expected
    };
    let mut moment = Moment::starting_from(image);
    for (name, operation) in disk.operations() {
        moment.advance(name, &operation);
        if !moment.is_settled() {
            let files = moment.image(Survive::Torn, random);
            tally.check(files, &expected, "torn, and torn again while it started");
        }
    }
}

#[test]
fn whatever_a_crash_leaves_starts_with_everything_that_was_acknowledged() {
    let deep = setting("PURSER_CRASH_DEEP", 1);
    let seed = setting("PURSER_CRASH_SEED", 0x5eed);
    let rounds = setting("PURSER_CRASH_ROUNDS", 3);
    let run = record(3, usize_of(rounds));
    assert!(run.archived.count() > 1, "ranges are pruned on the way");
    let tally = walk(&run, deep, &mut Random::new(seed));
    let (images, failures) = (tally.images, tally.failures.len());
    let operations = run.operations.len();
    // Written past the test runner, so that the count is seen whenever the tests run.
    let of = format!("{operations} operations, seed {seed}");
    let line = format!("crash lattice: {images} images, {failures} failures ({of})\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("the line is told");
    assert!(images > operations, "each boundary has images");
    let shown = failures.min(20);
    assert!(tally.failures.is_empty(), "{:#?}", &tally.failures[..shown]);
}

/// Answers that came before their own sync must be found out: else the lattice proves nothing.
#[test]
fn an_answer_before_its_sync_is_found() {
    let mut run = record(1, 1);
    for one in &mut run.acknowledged {
        one.after = 1;
    }
    let tally = walk(&run, 0, &mut Random::new(1));
    assert!(tally.failures.iter().any(|why| why.contains("is lost")));
}

/// A log that loses what it synced must be found out as well.
#[test]
fn a_sync_that_is_not_kept_is_found() {
    let mut run = record(1, 1);
    let made = run.made;
    for (name, operation) in run.operations.iter_mut().skip(made) {
        if (*name, &*operation) == (Name::Hot, &Operation::Sync) {
            // A write of nothing: the boundary stays, what it made durable does not.
            *operation = Operation::Write(0, Vec::new());
        }
    }
    let tally = walk(&run, 0, &mut Random::new(1));
    assert!(!tally.failures.is_empty());
}
