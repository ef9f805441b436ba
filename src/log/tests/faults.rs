//! A disk that fails: what an append answers then, and that the log goes on by itself.

use std::io::{Error, ErrorKind};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use purser_events::Position;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::samples::batch;
use crate::log::{AppendError, Lease, Log, MemoryLog, RedbLog, Resolution, memory};

/// What is wrong with the disk.
#[derive(Debug, Default)]
struct Faults {
    /// Nothing new fits; what was written before can be written over.
    full: AtomicBool,
    /// Not even that: a file system that copies on write.
    overfull: AtomicBool,
    broken: AtomicBool,
    /// Syncs fail from this one on, counted from 1; 0 for never.
    sync_fails: AtomicU64,
    /// Writes fail from this one on, counted from 1; 0 for never.
    writes_fail: AtomicU64,
    syncs: AtomicU64,
    writes: AtomicU64,
    /// Where the bytes that were written so far end.
    used: AtomicU64,
}

#[derive(Debug)]
struct Disk {
    inner: InMemoryBackend,
    faults: Arc<Faults>,
}

impl Disk {
    fn new(faults: &Arc<Faults>) -> Self {
        let inner = InMemoryBackend::new();
        let faults = Arc::clone(faults);
        Self { inner, faults }
    }

    /// A log whose hot file stands on a disk with faults.
    fn log() -> (RedbLog, Lease, Arc<Faults>) {
        let (hot, cold) = (Arc::default(), Arc::default());
        let (log, lease) = Self::log_on(&hot, &cold);
        (log, lease, hot)
    }

    fn log_on(hot: &Arc<Faults>, cold: &Arc<Faults>) -> (RedbLog, Lease) {
        let log = RedbLog::create_with_backends(Self::new(hot), Self::new(cold));
        let mut log = log.expect("memory is there");
        let lease = log.acquire().expect("nobody else holds it");
        log.append(lease, &batch(Position::ORIGIN, 3))
            .expect("nothing is wrong yet");
        (log, lease)
    }

    fn check_write(&self, end: u64) -> Result<(), Error> {
        let count = self.faults.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.faults.writes_fail.load(Ordering::SeqCst);
        let late = fails > 0 && count >= fails;
        let full = self.faults.full.load(Ordering::SeqCst)
            && end > self.faults.used.load(Ordering::SeqCst);
        if full || self.faults.overfull.load(Ordering::SeqCst) {
            return Err(ErrorKind::StorageFull.into());
        }
        if late || self.faults.broken.load(Ordering::SeqCst) {
            return Err(Error::other("the disk is broken"));
        }
        self.faults.used.fetch_max(end, Ordering::SeqCst);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        // As on most file systems, a longer file takes space only where it is written to.
        self.check_write(0)?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> Result<(), Error> {
        let count = self.faults.syncs.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.faults.sync_fails.load(Ordering::SeqCst);
        if fails > 0 && count >= fails {
            return Err(Error::other("the disk did not sync"));
        }
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.check_write(offset + data.len() as u64)?;
        self.inner.write(offset, data)
    }
}

fn count(log: &dyn Log) -> usize {
    let mut count = 0;
    log.reader()
        .read(Position(1), &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .expect("a whole log");
    count
}

#[test]
fn a_full_disk_is_full_until_there_is_space_again() {
    let (mut log, lease, faults) = Disk::log();
    faults.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        // Space that was used before is used again first.
        let refused = loop {
            let batch = batch(log.end().position, 2_000);
            if let Err(refused) = log.append(lease, &batch) {
                break refused;
            }
        };
        assert!(matches!(refused, AppendError::Full), "{refused:?}");
        let end = log.end().position;
        assert_eq!(count(&log) as u64, end.0, "reading goes on meanwhile");
    }
    let end = log.end().position;
    let batch = batch(end, 2_000);
    faults.full.store(false, Ordering::SeqCst);
    log.append(lease, &batch).expect("there is space again");
    assert_eq!(count(&log) as u64, end.0 + 2_000);
}

#[test]
fn a_disk_too_full_to_open_the_log_again_is_full_as_well() {
    let (mut log, lease, faults) = Disk::log();
    faults.overfull.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let refused = log.append(lease, &batch(Position(3), 2));
        assert!(matches!(refused, Err(AppendError::Full)), "{refused:?}");
    }
    faults.overfull.store(false, Ordering::SeqCst);
    log.append(lease, &batch(Position(3), 2))
        .expect("there is space again");
    assert_eq!(count(&log), 5);
}

#[test]
fn a_failed_write_before_the_sync_leaves_the_batch_absent() {
    let (mut log, lease, faults) = Disk::log();
    faults.broken.store(true, Ordering::SeqCst);
    let batch = batch(Position(3), 2);
    let refused = log.append(lease, &batch);
    // Opening the file again needs the disk too: as long as that fails nobody can know.
    assert!(
        matches!(refused, Err(AppendError::Unknown(_))),
        "{refused:?}"
    );
    log.resolve(batch.id()).expect_err("the disk is broken");
    faults.broken.store(false, Ordering::SeqCst);
    let resolved = log.resolve(batch.id()).expect("the disk is whole again");
    assert_eq!(resolved, Resolution::Absent);
    log.append(lease, &batch).expect("the disk is whole again");
    assert_eq!(count(&log), 5);
}

#[test]
fn wherever_the_writes_begin_to_fail_the_batch_is_there_whole_or_not_at_all() {
    for writes in 1.. {
        let (mut log, lease, faults) = Disk::log();
        let before = faults.writes.load(Ordering::SeqCst);
        faults.writes_fail.store(before + writes, Ordering::SeqCst);
        let batch = batch(Position(3), 2);
        let Err(refused) = log.append(lease, &batch) else {
            assert!(writes > 4, "a commit takes several writes");
            return;
        };
        assert!(
            matches!(refused, AppendError::Unknown(_)),
            "write {writes}: {refused:?}"
        );
        faults.writes_fail.store(0, Ordering::SeqCst);
        let resolved = log.resolve(batch.id()).expect("the disk is whole again");
        let there = match resolved {
            Resolution::Committed(end) => {
                assert_eq!(end, log.end());
                2
            }
            Resolution::Absent => 0,
        };
        assert_eq!(count(&log), 3 + there, "write {writes}");
        let end = Position(3 + there as u64);
        assert_eq!(log.end().position, end);
        log.append(lease, &self::batch(end, 2))
            .expect("the disk is whole again");
    }
}

#[test]
fn after_a_failed_sync_nothing_is_known_any_more() {
    let (mut log, lease, faults) = Disk::log();
    let count = faults.syncs.load(Ordering::SeqCst);
    faults.sync_fails.store(count + 1, Ordering::SeqCst);
    let batch = batch(Position(3), 2);
    let refused = log.append(lease, &batch);
    assert!(
        matches!(refused, Err(AppendError::Unknown(_))),
        "{refused:?}"
    );
    faults.sync_fails.store(0, Ordering::SeqCst);
    log.resolve(batch.id())
        .expect_err("what is shown may not be on disk");
    let again = log.append(lease, &batch);
    assert!(matches!(again, Err(AppendError::Unknown(_))), "{again:?}");
}

#[test]
fn after_a_failed_sync_of_a_segment_nothing_is_appended_any_more() {
    let (hot, cold) = (Arc::default(), Arc::<Faults>::default());
    let (mut log, lease) = Disk::log_on(&hot, &cold);
    log.append(lease, &batch(Position(3), 2)).expect("all well");
    let count = cold.syncs.load(Ordering::SeqCst);
    cold.sync_fails.store(count + 1, Ordering::SeqCst);
    log.seal_all().expect_err("the disk did not sync");
    cold.sync_fails.store(0, Ordering::SeqCst);
    let refused = log.append(lease, &batch(Position(5), 2));
    assert!(
        matches!(refused, Err(AppendError::Unknown(_))),
        "{refused:?}"
    );
}

#[test]
fn a_hot_file_that_cannot_be_emptied_grows_no_further() {
    let (hot, cold) = (Arc::default(), Arc::<Faults>::default());
    let (mut log, lease) = Disk::log_on(&hot, &cold);
    log.set_hot_bytes_max(100_000);
    let mut append = |size| {
        let batch = batch(log.end().position, size);
        let appended = log.append(lease, &batch);
        (appended.map(drop), log.shared().hot_bytes())
    };
    for _ in 0..20 {
        let (appended, hot_bytes) = append(500);
        appended.expect("the writer seals");
        assert!(hot_bytes < 200_000, "{hot_bytes} bytes are hot");
    }
    cold.overfull.store(true, Ordering::SeqCst);
    let refused = loop {
        if let (Err(refused), _) = append(500) {
            break refused;
        }
    };
    assert!(matches!(refused, AppendError::Full), "{refused:?}");
    let (again, hot_bytes) = append(1);
    assert!(matches!(again, Err(AppendError::Full)), "{again:?}");
    assert!(hot_bytes < 200_000, "{hot_bytes} bytes are hot");
    cold.overfull.store(false, Ordering::SeqCst);
    append(1).0.expect("there is space again");
    let end = log.end().position;
    assert_eq!(count(&log) as u64, end.0);
}

#[test]
fn the_log_in_memory_fails_as_it_is_asked_to() {
    use memory::Fault::{
        Fenced, Full, Unavailable, UnknownAbsent, UnknownCommitted, UnknownForGood,
    };
    for fault in [
        Full,
        Unavailable,
        UnknownAbsent,
        UnknownCommitted,
        UnknownForGood,
        Fenced,
    ] {
        let mut log = MemoryLog::new();
        let lease = log.acquire().expect("nobody else holds it");
        log.fail_next(fault);
        let batch = batch(Position::ORIGIN, 4);
        let refused = log.append(lease, &batch).expect_err("it was asked to");
        let fits = match fault {
            Full => matches!(refused, AppendError::Full),
            Unavailable => matches!(refused, AppendError::Unavailable(_)),
            UnknownAbsent | UnknownCommitted | UnknownForGood => {
                matches!(refused, AppendError::Unknown(_))
            }
            Fenced => matches!(refused, AppendError::Fenced),
        };
        assert!(fits, "{fault:?} led to {refused:?}");
        let committed = matches!(fault, UnknownCommitted | UnknownForGood);
        match log.resolve(batch.id()) {
            Ok(resolved) => assert_eq!(resolved != Resolution::Absent, committed),
            Err(_) => assert_eq!(fault, UnknownForGood),
        }
        assert_eq!(count(&log), if committed { 4 } else { 0 });
        let again = log.append(lease, &batch);
        assert_eq!(again.is_ok(), !committed && fault != Fenced);
    }
}
