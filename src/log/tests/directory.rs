//! Who may open a data directory.

use std::fs;
use std::path::Path;

use purser_events::Position;
use redb::{Database, ReadableDatabase, ReadableTable};

use super::samples::batch;
use crate::log::stored::{BLOCKS, META, META_FORMAT};
use crate::log::{AcquireError, End, Log, ReadError, RedbLog, verify};

fn directory_with_a_log() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a place for files");
    let mut log = RedbLog::open(directory.path()).expect("a new log");
    let lease = log.acquire().expect("nobody else holds it");
    log.append(lease, &batch(Position::ORIGIN, 5))
        .expect("a good batch");
    directory
}

/// Every file with its bytes.
fn contents(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file");
            (path, bytes)
        })
        .collect::<Vec<_>>();
    files.sort();
    files
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let directory = directory_with_a_log();
    let end = {
        let mut log = RedbLog::open(directory.path()).expect("the log");
        assert_eq!(log.end().position, Position(5));
        let lease = log.acquire().expect("nobody else holds it");
        assert_eq!(lease.epoch, 2);
        log.append(lease, &batch(Position(5), 5_000))
            .expect("a good batch")
    };
    let log = RedbLog::open(directory.path()).expect("the log");
    assert_eq!(log.end(), end);
}

#[test]
fn a_sealed_log_goes_on_where_it_ended() {
    let directory = directory_with_a_log();
    let end = {
        let mut log = RedbLog::open(directory.path()).expect("the log");
        let lease = log.acquire().expect("nobody else holds it");
        log.append(lease, &batch(Position(5), 700))
            .expect("a good batch");
        let end = log
            .append(lease, &batch(Position(705), 1))
            .expect("a good batch");
        assert_eq!(log.seal_all().expect("a whole log"), Position(705));
        end
    };
    let mut log = RedbLog::open(directory.path()).expect("the log");
    assert_eq!(log.end(), end);
    let lease = log.acquire().expect("nobody else holds it");
    let more = log.append(lease, &batch(Position(706), 1));
    assert_eq!(more.expect("a good batch").position, Position(707));
}

#[test]
fn a_directory_that_is_held_is_refused_by_its_path() {
    let directory = directory_with_a_log();
    let _held = RedbLog::open(directory.path()).expect("the log");
    let refused = RedbLog::open(directory.path()).expect_err("held");
    let AcquireError::Held { path } = &refused else {
        panic!("not refused as held: {refused:?}");
    };
    assert!(path.starts_with(directory.path()));
    assert!(
        refused
            .to_string()
            .contains("another process holds the log")
    );
}

#[test]
fn a_directory_that_is_marked_as_newer_is_left_untouched() {
    let directory = directory_with_a_log();
    fs::write(directory.path().join("format"), "purser log, format 4\n").expect("written");
    assert_newer_and_untouched(&directory);
    fs::write(directory.path().join("format"), "something else").expect("written");
    assert_newer_and_untouched(&directory);
}

#[test]
fn a_newer_log_is_left_untouched_even_without_its_mark() {
    let directory = directory_with_a_log();
    let path = directory.path().join("log.redb");
    let database = Database::open(path).expect("the file");
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_quick_repair(true);
    transaction
        .open_table(META)
        .expect("the table")
        .insert(META_FORMAT, 4)
        .expect("inserted");
    transaction.commit().expect("committed");
    drop(database);
    fs::remove_file(directory.path().join("format")).expect("removed");
    assert_newer_and_untouched(&directory);
}

fn assert_newer_and_untouched(directory: &tempfile::TempDir) {
    let before = contents(directory.path());
    let refused = RedbLog::open(directory.path()).expect_err("newer");
    assert!(
        matches!(refused, AcquireError::NewerFormat { known: 3, .. }),
        "{refused:?}"
    );
    assert!(before == contents(directory.path()), "a file was changed");
}

/// A log of several batches; sealed up to 705, and 706 to 715 in blocks.
fn sealed_in_part() -> (tempfile::TempDir, End) {
    let directory = directory_with_a_log();
    let mut log = RedbLog::open(directory.path()).expect("the log");
    let lease = log.acquire().expect("nobody else holds it");
    for (after, size) in [(5, 700), (705, 10)] {
        log.append(lease, &batch(Position(after), size))
            .expect("a good batch");
    }
    assert_eq!(log.seal_all().expect("a whole log"), Position(705));
    let end = log.end();
    (directory, end)
}

fn blocks_of(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let database = Database::open(path).expect("the file");
    let transaction = database.begin_read().expect("a transaction");
    let blocks = transaction.open_table(BLOCKS).expect("the table");
    let entries = blocks.iter().expect("the table");
    let read = entries.map(|entry| {
        let (first, bytes) = entry.expect("an entry");
        (first.value(), bytes.value().to_vec())
    });
    read.collect()
}

fn put_blocks(path: &Path, blocks: &[(u64, Vec<u8>)], format: Option<u64>) {
    let database = Database::create(path).expect("the file");
    let transaction = database.begin_write().expect("a transaction");
    {
        let mut table = transaction.open_table(BLOCKS).expect("the table");
        for (first, bytes) in blocks {
            table.insert(first, &bytes[..]).expect("inserted");
        }
    }
    if let Some(format) = format {
        let mut meta = transaction.open_table(META).expect("the table");
        meta.insert(META_FORMAT, format).expect("inserted");
    }
    transaction.commit().expect("committed");
}

/// The directory as the first format had it: blocks and segments in one file.
fn in_the_first_format(directory: &Path) {
    let hot = directory.join("hot.redb");
    put_blocks(&directory.join("log.redb"), &blocks_of(&hot), Some(1));
    fs::remove_file(hot).expect("removed");
    fs::write(directory.join("format"), "purser log, format 1\n").expect("written");
}

#[test]
fn a_directory_of_the_first_format_is_brought_into_the_second() {
    for crashed in [false, true] {
        let (directory, end) = sealed_in_part();
        let hot = directory.path().join("hot.redb");
        let blocks = blocks_of(&hot);
        in_the_first_format(directory.path());
        if crashed {
            // The blocks were copied, and the old ones not yet removed.
            put_blocks(&hot, &blocks, None);
        }
        let verified = verify(directory.path(), &mut drop).expect("a whole log");
        assert_eq!(verified.end, end);
        assert_eq!(hot.exists(), crashed, "verifying makes nothing");
        for _ in 0..2 {
            let log = RedbLog::open(directory.path()).expect("an older log");
            assert_eq!(log.end(), end);
        }
        assert_eq!(blocks_of(&hot), blocks);
        let format = fs::read_to_string(directory.path().join("format"));
        assert_eq!(format.expect("a mark"), "purser log, format 2\n");
    }
}

#[test]
fn blocks_that_a_crash_left_beside_their_segment_are_removed_once_they_are_proved() {
    let directory = directory_with_a_log();
    let hot = directory.path().join("hot.redb");
    let mut log = RedbLog::open(directory.path()).expect("the log");
    let lease = log.acquire().expect("nobody else holds it");
    for (after, size) in [(5, 700), (705, 10)] {
        log.append(lease, &batch(Position(after), size))
            .expect("a good batch");
    }
    drop(log);
    let before = blocks_of(&hot);
    let log = RedbLog::open(directory.path()).expect("the log");
    log.seal_all().expect("a whole log");
    let end = log.end();
    drop(log);
    let after = blocks_of(&hot);
    assert!(after.len() < before.len(), "blocks went");
    // All of them are left, or only the newest.
    for from in [0, before.len() - after.len() - 1] {
        put_blocks(&hot, &before[from..], None);
        let verified = verify(directory.path(), &mut drop).expect("a whole log");
        assert_eq!(verified.end, end);
        let log = RedbLog::open(directory.path()).expect("the log");
        assert_eq!(log.end(), end);
        drop(log);
        assert_eq!(blocks_of(&hot), after);
    }
    // A block that is whole but says something else is not removed: it is a finding.
    let mut other = RedbLog::open(&directory.path().join("other")).expect("a log");
    let lease = other.acquire().expect("nobody else holds it");
    let mut foreign = batch(Position::ORIGIN, 4);
    foreign.push(&super::samples::envelope_of_another_log(5));
    other.append(lease, &foreign).expect("a good batch");
    drop(other);
    let foreign = blocks_of(&directory.path().join("other/hot.redb"));
    put_blocks(&hot, &foreign, None);
    assert!(matches!(
        RedbLog::open(directory.path()),
        Err(AcquireError::Corrupt(ReadError::Damaged { .. }))
    ));
}

#[test]
fn a_log_without_one_of_its_files_is_refused() {
    for name in ["hot.redb", "log.redb"] {
        for cut in [false, true] {
            let (directory, _) = sealed_in_part();
            let path = directory.path().join(name);
            match cut {
                true => fs::write(&path, []).expect("written"),
                false => fs::remove_file(&path).expect("removed"),
            }
            let refused = RedbLog::open(directory.path()).expect_err("half of a log");
            let AcquireError::Missing { path: missing } = &refused else {
                panic!("not refused as missing: {refused:?}");
            };
            assert_eq!(*missing, path);
        }
    }
}

#[test]
fn files_of_two_logs_or_two_days_are_refused() {
    let (directory, _) = sealed_in_part();
    let fresh = directory_with_a_log();
    let from = |directory: &tempfile::TempDir| directory.path().join("hot.redb");
    let kept = fs::read(from(&directory)).expect("a file");
    fs::copy(from(&fresh), from(&directory)).expect("copied");
    let refused = RedbLog::open(directory.path()).expect_err("the newest events are missing");
    assert!(
        matches!(refused, AcquireError::Corrupt(ReadError::Damaged { .. })),
        "{refused:?}"
    );
    fs::write(from(&fresh), kept).expect("written");
    let refused = RedbLog::open(fresh.path()).expect_err("the oldest events are missing");
    assert!(
        matches!(refused, AcquireError::Corrupt(ReadError::Damaged { .. })),
        "{refused:?}"
    );
}

#[test]
fn of_many_first_starts_at_once_one_holds_the_directory() {
    for _ in 0..8 {
        let directory = tempfile::tempdir().expect("a place for files");
        let barrier = std::sync::Barrier::new(4);
        let open = || {
            barrier.wait();
            let opened = RedbLog::open(directory.path());
            // Nobody lets go before all have tried.
            barrier.wait();
            opened.map(drop)
        };
        let opened: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            let join = |start: std::thread::ScopedJoinHandle<'_, _>| start.join();
            starts.into_iter().map(join).collect()
        });
        let refused = opened
            .into_iter()
            .filter_map(|one| one.expect("no panic").err());
        let refused: Vec<_> = refused.collect();
        assert!(refused.len() >= 3, "one at most holds it");
        assert!(
            refused
                .iter()
                .all(|error| matches!(error, AcquireError::Held { .. })),
            "{refused:?}"
        );
        RedbLog::open(directory.path()).expect("nothing was spoilt");
    }
}
