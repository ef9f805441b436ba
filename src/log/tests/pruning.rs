//! Ranges that are kept elsewhere are read from there, and nothing else about the log changes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use purser_events::{Envelope, Position};
use tempfile::TempDir;

use super::samples::{batch, envelopes};
use crate::log::error::Damage;
use crate::log::{
    Log, PrunedRange, RangeFault, Ranges, ReadError, RedbLog, VerifyError, verify, verify_with,
};

const SIZES: [u64; 5] = [300, 20, 4_000, 5, 7];
const LAST: u64 = 4_332;

/// Ranges in memory, by first position.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<u64, Vec<u8>>>);

impl Ranges for Kept {
    fn range(&self, wanted: &PrunedRange) -> Result<Vec<u8>, RangeFault> {
        assert_eq!(wanted.place, "the attic");
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&wanted.first.0)
            .cloned()
            .ok_or_else(|| "it is not there".into())
    }
}

impl Kept {
    fn change(&self, change: impl FnOnce(&mut BTreeMap<u64, Vec<u8>>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn log_in(directory: &TempDir) -> RedbLog {
    let mut log = RedbLog::open(directory.path()).expect("a log");
    let lease = log.acquire().expect("nobody else holds it");
    for size in SIZES {
        let batch = batch(log.end().position, size);
        log.append(lease, &batch).expect("a good batch");
        log.seal_all().expect("a whole log");
    }
    log
}

/// Prunes all that may be pruned; answers up to where.
fn prune(log: &RedbLog, kept: &Kept) -> Position {
    let pruner = log.pruner();
    while let Some(range) = pruner.oldest().expect("a whole log") {
        kept.change(|kept| drop(kept.insert(range.first.0, range.bytes.clone())));
        pruner.prune(&range, "the attic").expect("it is pruned");
        let again = pruner.prune(&range, "the attic");
        assert!(again.is_err(), "only the oldest range is pruned");
    }
    pruner.pruned_to().expect("a whole log")
}

fn events(log: &RedbLog, from: u64) -> Result<Vec<Envelope>, ReadError> {
    let mut all = Vec::new();
    log.reader().read(Position(from), &mut |envelope| {
        all.push(envelope);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

#[test]
fn a_pruned_log_reads_verifies_and_goes_on_as_before() {
    let (directory, kept) = (
        TempDir::new().expect("a directory"),
        Arc::new(Kept::default()),
    );
    let log = log_in(&directory);
    let roots = |log: &RedbLog| {
        let root = |at| log.reader().root_at(Position(at)).expect("it can be read");
        [1, 299, 300, 320, 321, 4_000, LAST].map(root)
    };
    let (end, told) = (log.end(), roots(&log));
    assert_eq!(log.pruner().pruned_to().ok(), Some(Position::ORIGIN));
    let pruned_to = prune(&log, &kept);
    assert!((4_000..LAST).contains(&pruned_to.0), "{pruned_to}");
    log.read_pruned_from(Arc::clone(&kept) as Arc<dyn Ranges>);
    assert!(events(&log, 1).expect("all is there") == envelopes(1..=LAST));
    assert_eq!(roots(&log), told);
    drop(log);

    let format = || std::fs::read_to_string(directory.path().join("format")).expect("a mark");
    let mut log = RedbLog::open(directory.path()).expect("a pruned log opens");
    assert_eq!(format(), "purser log, format 3\n");
    assert_eq!(log.end(), end);
    log.read_pruned_from(Arc::clone(&kept) as Arc<dyn Ranges>);
    let lease = log.acquire().expect("nobody else holds it");
    log.append(lease, &batch(Position(LAST), 3))
        .expect("it goes on");
    log.compact().expect("it is sealed");
    assert!(events(&log, 200).expect("all is there") == envelopes(200..=LAST + 3));
    drop(log);
    let mut seen = Vec::new();
    let verified = verify_with(directory.path(), Some(kept), &mut |one| seen.push(one));
    assert_eq!(
        verified.expect("it is whole").end.position,
        Position(LAST + 3)
    );
    assert!(seen == envelopes(1..=LAST + 3));
}

#[test]
fn a_pruned_range_that_cannot_be_had_or_is_another_says_so() {
    let (directory, kept) = (
        TempDir::new().expect("a directory"),
        Arc::new(Kept::default()),
    );
    let log = log_in(&directory);
    let pruned_to = prune(&log, &kept).0;
    let away = |outcome: Result<Vec<Envelope>, ReadError>| match outcome {
        Err(ReadError::Away { place, .. }) => place == "the attic",
        _ => false,
    };
    assert!(away(events(&log, 1)), "nobody says where to look");
    let newest = events(&log, pruned_to + 1).expect("the newest range is here");
    assert!(newest == envelopes(pruned_to + 1..=LAST));
    let root = log.reader().root_at(Position(pruned_to));
    assert!(root.expect("it is known here").is_some());

    log.read_pruned_from(Arc::clone(&kept) as Arc<dyn Ranges>);
    kept.change(|kept| drop(kept.remove(&1)));
    assert!(away(events(&log, 1)), "it is not there");
    kept.change(|kept| {
        let other = kept.values().next().cloned().expect("some are kept");
        kept.insert(1, other);
    });
    let other = events(&log, 1);
    assert!(
        matches!(
            other,
            Err(ReadError::Damaged {
                position: Position(1),
                damage: Damage::Archive,
            })
        ),
        "{other:?}"
    );
    drop(log);
    let found = verify(directory.path(), &mut drop);
    assert!(matches!(
        found,
        Err(VerifyError::Breach(ReadError::Away { .. }))
    ));
    let found = verify_with(directory.path(), Some(kept), &mut drop);
    assert!(matches!(
        found,
        Err(VerifyError::Breach(ReadError::Damaged { .. }))
    ));
}
