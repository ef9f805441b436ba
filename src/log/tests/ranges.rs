//! Sealed ranges of one log make another one that says the same.

use purser_events::Position;
use redb::backends::InMemoryBackend;

use super::samples::batch;
use crate::log::memory::MemoryLog;
use crate::log::{Log, LogReader, ReadError, RedbLog, SealedRange};

fn log_of(sizes: &[u64]) -> RedbLog {
    let memory = InMemoryBackend::new;
    let mut log = RedbLog::create_with_backends(memory(), memory()).expect("memory");
    let lease = log.acquire().expect("nobody else holds it");
    for &size in sizes {
        let batch = batch(log.end().position, size);
        log.append(lease, &batch).expect("a good batch");
        log.seal_all().expect("a whole log");
    }
    log
}

fn ranges(log: &dyn LogReader) -> Vec<SealedRange> {
    let (mut ranges, mut next) = (Vec::new(), Position(1));
    while let Some(range) = log.sealed_range(next).expect("a whole log") {
        next = range.last.next();
        ranges.push(range);
    }
    ranges
}

fn events(log: &RedbLog) -> Vec<purser_events::Envelope> {
    let mut all = Vec::new();
    let read = log.reader().read(Position(1), &mut |envelope| {
        all.push(envelope);
        std::ops::ControlFlow::Continue(())
    });
    read.expect("a whole log");
    all
}

#[test]
fn a_log_made_anew_from_its_ranges_says_the_same_and_goes_on() {
    let log = log_of(&[300, 20, 4_000, 5, 7]);
    let ranges = ranges(&*log.reader());
    assert!(ranges.len() > 1, "{}", ranges.len());
    let last = ranges.last().expect("there are ranges").last;
    let directory = tempfile::tempdir().expect("a directory");
    for range in &ranges {
        // Each time from the beginning: a restore that was cut short goes on.
        let mut anew = RedbLog::open(directory.path()).expect("it opens");
        let end = anew.take_in(range).expect("it follows");
        assert_eq!((end.position, end.root), (range.last, range.root));
        let again = anew.take_in(range);
        assert!(
            matches!(again, Err(ReadError::Damaged { .. })),
            "only what follows"
        );
    }
    let mut anew = RedbLog::open(directory.path()).expect("a log may end with a sealed range");
    let root = log.reader().root_at(last).expect("a whole log");
    assert_eq!((anew.end().position, Some(anew.end().root)), (last, root));
    let told = events(&log);
    let kept = usize::try_from(last.0).expect("few");
    assert_eq!(events(&anew), told[..kept]);
    assert_eq!(anew.end().recorded_at, told[kept - 1].recorded_at);
    let lease = anew.acquire().expect("nobody else holds it");
    anew.append(lease, &batch(last, 3)).expect("it goes on");
    drop(anew);
    let anew = RedbLog::open(directory.path()).expect("it opens");
    assert_eq!(anew.end().position, last.plus(3));
}

#[test]
fn a_changed_or_foreign_range_is_not_taken_in() {
    let log = log_of(&[300, 20, 5]);
    let ranges = ranges(&*log.reader());
    let (first, second) = (&ranges[0], &ranges[1]);
    for at in 0..first.bytes.len() {
        let mut bytes = first.bytes.clone();
        bytes[at] ^= 1;
        assert!(SealedRange::read(Position(1), bytes).is_err(), "byte {at}");
    }
    let mut anew = log_of(&[]);
    assert!(anew.take_in(second).is_err(), "nothing is left out");
    let mut other = log_of(&[1]);
    assert!(
        other.take_in(second).is_err(),
        "a log of blocks is none of ranges"
    );
    let mut renamed = first.clone();
    renamed.first = Position(2);
    assert!(
        anew.take_in(&renamed).is_err(),
        "a range says where it stands"
    );
    assert_eq!(anew.end().position, Position::ORIGIN);
    assert_eq!(
        MemoryLog::new()
            .reader()
            .sealed_range(Position(1))
            .ok()
            .flatten(),
        None
    );
}
