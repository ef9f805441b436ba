//! Who may open a data directory.

use std::fs;
use std::path::Path;

use purser_events::Position;
use redb::Database;

use super::samples::batch;
use crate::log::stored::{META, META_FORMAT};
use crate::log::{AcquireError, Log, RedbLog};

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
    fs::write(directory.path().join("format"), "purser log, format 2\n").expect("written");
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
        .insert(META_FORMAT, 2)
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
        matches!(refused, AcquireError::NewerFormat { known: 1, .. }),
        "{refused:?}"
    );
    assert!(before == contents(directory.path()), "a file was changed");
}
