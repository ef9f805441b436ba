//! Whatever is changed in a log is found.

use std::fs;
use std::path::Path;

use purser_events::Position;

use super::samples::{batch, envelopes};
use crate::log::stored::Stored;
use crate::log::{Log, ReadError, RedbLog, VerifyError, verify};

const FILES: [&str; 2] = ["log.redb", "hot.redb"];

/// A log with sealed segments and blocks in a directory, and the values that are stored in it.
fn a_log() -> (tempfile::TempDir, Vec<Vec<u8>>) {
    let directory = tempfile::tempdir().expect("a place for files");
    let mut log = RedbLog::open(directory.path()).expect("a new log");
    let lease = log.acquire().expect("nobody else holds it");
    for size in [900, 1, 40, 700, 2] {
        let batch = batch(log.end().position, size);
        log.append(lease, &batch).expect("a good batch");
        if size == 700 {
            log.seal_all().expect("a whole log");
        }
    }
    let values = values(&log);
    (directory, values)
}

fn values(log: &RedbLog) -> Vec<Vec<u8>> {
    let stored = Stored::now(&log.shared().files, Position(1)).expect("a whole log");
    let mut values = Vec::new();
    for entry in stored
        .blocks(Position(1), Position(u64::MAX))
        .expect("a whole log")
    {
        values.push(entry.expect("a whole log").1.as_ref().to_vec());
    }
    let mut from = Position(0);
    while let Some(first) = stored.segment_from(from).expect("a whole log") {
        let mut bytes = Vec::new();
        stored.segment(first, &mut bytes).expect("a whole log");
        values.push(bytes);
        from = first.next();
    }
    assert!(values.len() >= 3, "blocks and a segment");
    values
}

fn verdict(directory: &Path) -> Result<Position, VerifyError> {
    verify(directory, &mut drop).map(|verified| verified.end.position)
}

#[test]
fn a_whole_log_is_found_whole_and_is_not_changed() {
    let (directory, _) = a_log();
    let files = || FILES.map(|name| fs::read(directory.path().join(name)).expect("a file"));
    let before = files();
    let mut all = Vec::new();
    let verified = verify(directory.path(), &mut |envelope| all.push(envelope));
    let verified = verified.expect("a whole log");
    assert_eq!(all, envelopes(1..=1_643));
    assert!(before == files());
    let log = RedbLog::open(directory.path()).expect("the log");
    assert_eq!(verified.end, log.end());
    assert_eq!(verified.segments, 1);
    assert!(verified.blocks > 0);
}

#[test]
fn a_log_that_is_held_or_missing_is_not_verified() {
    let (directory, _) = a_log();
    let held = RedbLog::open(directory.path()).expect("the log");
    assert!(matches!(
        verdict(directory.path()),
        Err(VerifyError::Open(_))
    ));
    drop(held);
    let missing = directory.path().join("missing");
    assert!(matches!(verdict(&missing), Err(VerifyError::Open(_))));
    assert!(!missing.exists());
}

#[test]
fn a_flipped_byte_of_a_stored_value_is_found() {
    let (directory, values) = a_log();
    for value in values {
        // A value longer than a part of a segment is not in one piece: look for its beginning.
        let value = &value[..value.len().min(4_000)];
        for place in [0, 1, 9, 20, value.len() / 2, value.len() - 1] {
            let found = FILES
                .iter()
                .any(|name| is_found(directory.path(), name, value, place));
            assert!(found, "byte {place} of a value of {} bytes", value.len());
        }
    }
}

/// Changes a byte of a value, wherever the value stands in a file, and puts it right again.
fn is_found(directory: &Path, name: &str, value: &[u8], place: usize) -> bool {
    let path = directory.join(name);
    let whole = fs::read(&path).expect("a file");
    let found = occurrences(&whole, value).into_iter().any(|start| {
        let mut damaged = whole.clone();
        damaged[start + place] ^= 0x04;
        fs::write(&path, &damaged).expect("written");
        let verdict = verdict(directory);
        matches!(
            verdict,
            Err(VerifyError::Breach(ReadError::Damaged { position, .. }))
                if position > Position::ORIGIN
        )
    });
    fs::write(&path, &whole).expect("written");
    found
}

/// Where a value stands in the file: in the live page, and in pages that were freed since.
fn occurrences(file: &[u8], value: &[u8]) -> Vec<usize> {
    let starts = 0..=file.len() - value.len();
    starts
        .filter(|&start| file[start..].starts_with(value))
        .collect()
}

#[test]
fn a_flipped_byte_anywhere_is_found_or_changes_nothing() {
    let (directory, _) = a_log();
    for name in FILES {
        let path = directory.path().join(name);
        let whole = fs::read(&path).expect("a file");
        let used = whole.iter().rposition(|&byte| byte != 0).unwrap_or(0);
        let mut found = 0;
        for place in (0..=used).step_by(9_973).chain((0..320).step_by(7)) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x40;
            fs::write(&path, &damaged).expect("written");
            let mut all = Vec::new();
            match verify(directory.path(), &mut |envelope| all.push(envelope)) {
                Ok(_) => assert_eq!(all.len(), 1_643, "byte {place} of {name}"),
                Err(_) => found += 1,
            }
        }
        assert!(found > 10, "only {found} flips of {name} were found");
        fs::write(&path, &whole).expect("written");
    }
}

#[test]
fn a_missing_block_is_found_with_its_position() {
    let (directory, _) = a_log();
    let path = directory.path().join("hot.redb");
    let database = redb::Database::open(path).expect("the file");
    let transaction = database.begin_write().expect("a transaction");
    let first = {
        let mut blocks = transaction
            .open_table(crate::log::stored::BLOCKS)
            .expect("the table");
        let (first, _) = blocks.pop_first().expect("read").expect("a block");
        Position(first.value())
    };
    transaction.commit().expect("committed");
    drop(database);
    let Err(VerifyError::Breach(ReadError::Damaged { position, .. })) = verdict(directory.path())
    else {
        panic!("the gap was not found");
    };
    assert_eq!(position, first);
}
