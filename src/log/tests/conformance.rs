//! What every log must do, whatever holds it.

use std::ops::ControlFlow;

use purser_events::worker::WorkerRegistered;
use purser_events::{Envelope, Event, Label, Position};

use super::samples::{batch, envelope, envelopes};
use crate::log::{
    AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader, MemoryLog,
    ReadError, RedbLog, Resolution, Root,
};

/// Sizes of batches: tiny ones, ones of one block and ones of several.
const SIZES: [u64; 9] = [1, 1, 2, 64, 3, 5_000, 1, 900, 129];

fn redb() -> RedbLog {
    let memory = redb::backends::InMemoryBackend::new;
    RedbLog::create_with_backends(memory(), memory()).expect("memory is there")
}

fn check(behaviour: impl Fn(&mut dyn Log)) {
    behaviour(&mut MemoryLog::new());
    behaviour(&mut redb());
    behaviour(&mut Sealing(redb()));
}

/// Seals all it can after every append.
struct Sealing(RedbLog);

impl Log for Sealing {
    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        self.0.acquire()
    }

    fn end(&self) -> End {
        self.0.end()
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        let end = self.0.append(lease, batch)?;
        let sealed = self.0.seal_all().expect("a whole log");
        assert!(sealed < end.position, "the newest block stays");
        Ok(end)
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        self.0.resolve(batch)
    }

    fn reader(&self) -> std::sync::Arc<dyn LogReader> {
        self.0.reader()
    }
}

/// Appends batches of these sizes and answers the root after each.
fn fill(log: &mut dyn Log, sizes: &[u64]) -> Vec<Root> {
    let lease = log.acquire().expect("nobody else holds it");
    sizes
        .iter()
        .map(|&size| {
            let batch = batch(log.end().position, size);
            let end = log.append(lease, &batch).expect("a good batch");
            assert_eq!(end.position, batch.last());
            assert_eq!(end, log.end());
            end.root
        })
        .collect()
}

fn read_from(reader: &dyn LogReader, from: u64) -> Vec<Envelope> {
    let mut found = Vec::new();
    let next = reader
        .read(Position(from), &mut |envelope| {
            found.push(envelope);
            ControlFlow::Continue(())
        })
        .expect("a whole log");
    let after = found.last().map_or(from.max(1), |last| last.position.0 + 1);
    assert_eq!(next, Position(after));
    found
}

#[test]
fn an_empty_log_ends_before_the_first_position() {
    check(|log| {
        assert_eq!(log.end().position, Position::ORIGIN);
        assert_eq!(log.reader().end().expect("an end"), log.end());
        assert!(read_from(&*log.reader(), 0).is_empty());
    });
}

#[test]
fn what_was_appended_is_read_gapless_from_any_position() {
    check(|log| {
        fill(log, &SIZES);
        let last = log.end().position.0;
        assert_eq!(last, SIZES.iter().sum::<u64>());
        assert_eq!(log.end().recorded_at, envelope(last).recorded_at);
        let reader = log.reader();
        for from in [0, 1, 2, 3, 5, 70, 2_500, 5_071, last - 1, last] {
            assert_eq!(read_from(&*reader, from), envelopes(from.max(1)..=last));
        }
        for from in [last + 1, last + 2, u64::MAX] {
            assert!(read_from(&*reader, from).is_empty());
        }
    });
}

#[test]
fn reading_stops_where_the_reader_says_so() {
    check(|log| {
        fill(log, &SIZES);
        let mut seen = 0;
        let next = log.reader().read(Position(50), &mut |envelope| {
            seen += 1;
            if envelope.position == Position(2_000) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(next.expect("a whole log"), Position(2_001));
        assert_eq!(seen, 1_951);
    });
}

#[test]
fn a_reader_sees_what_is_appended_after_it_was_made() {
    check(|log| {
        let reader = log.reader();
        fill(log, &[3]);
        assert_eq!(read_from(&*reader, 1), envelopes(1..=3));
        fill(log, &[2]);
        assert_eq!(read_from(&*reader, 4), envelopes(4..=5));
        assert_eq!(reader.end().expect("an end"), log.end());
    });
}

#[test]
fn a_batch_that_does_not_follow_the_end_conflicts() {
    check(|log| {
        fill(log, &[3]);
        let lease = log.acquire().expect("nobody else holds it");
        for after in [0, 2, 4] {
            let refused = log.append(lease, &batch(Position(after), 1));
            let Err(AppendError::Conflict { expected, found }) = refused else {
                panic!("a batch after {after} was not a conflict: {refused:?}");
            };
            assert_eq!((expected, found), (Position(after), Position(3)));
        }
        assert_eq!(read_from(&*log.reader(), 1), envelopes(1..=3));
    });
}

#[test]
fn a_newer_lease_fences_every_older_one() {
    check(|log| {
        let old = log.acquire().expect("nobody else holds it");
        let new = log.acquire().expect("nobody else holds it");
        assert!(new > old);
        let batch = batch(Position::ORIGIN, 1);
        for lease in [old, Lease { epoch: 0 }, Lease { epoch: 99 }] {
            let refused = log.append(lease, &batch);
            assert!(matches!(refused, Err(AppendError::Fenced)), "{lease:?}");
        }
        log.append(new, &batch).expect("the newest lease");
    });
}

#[test]
fn a_batch_is_resolved_to_what_became_of_it() {
    check(|log| {
        fill(log, &[3, 7]);
        let there = batch(Position(3), 7).id();
        let resolved = log.resolve(there).expect("a whole log");
        assert_eq!(resolved, Resolution::Committed(log.end()));
        let absent = log.resolve(BatchId([9; 16])).expect("a whole log");
        assert_eq!(absent, Resolution::Absent);
    });
}

#[test]
fn an_empty_batch_changes_nothing() {
    check(|log| {
        fill(log, &[3]);
        let lease = log.acquire().expect("nobody else holds it");
        let before = log.end();
        let end = log.append(lease, &batch(Position(3), 0)).expect("nothing");
        assert_eq!(end, before);
        assert_eq!(read_from(&*log.reader(), 1).len(), 3);
    });
}

fn large_envelope(position: u64, tags: usize) -> Envelope {
    let label = Label::new(&"x".repeat(200)).expect("a label");
    let manifest = purser_events::worker::Manifest {
        addr: label.clone(),
        proto: label.clone(),
        gpu_name: label.clone(),
        vram_mb: 1,
        cpu_cores: 2,
        ram_mb: 3,
        price_micro: 4,
        max_parallel: 5,
        tags: vec![label.clone(); tags],
        capabilities: Vec::new(),
        accel: Vec::new(),
        region: None,
        node_type: None,
        payout_address: None,
    };
    let key = purser_events::worker::KeyHash {
        salt: [1; 16],
        hash: [2; 32],
    };
    let registered = WorkerRegistered {
        worker: purser_events::WorkerNo(0),
        miner_id: label,
        key,
        manifest,
    };
    Envelope {
        event: Event::WorkerRegistered(Box::new(registered)),
        ..envelope(position)
    }
}

#[test]
fn envelopes_larger_than_a_block_are_kept() {
    check(|log| {
        let lease = log.acquire().expect("nobody else holds it");
        let all = [3, 400, 1, 170, 155, 900, 2]
            .into_iter()
            .zip(1..)
            .map(|(tags, position)| large_envelope(position, tags))
            .collect::<Vec<_>>();
        let mut batch = Batch::new(BatchId([1; 16]), [2; 32], Position::ORIGIN);
        all.iter().for_each(|envelope| batch.push(envelope));
        log.append(lease, &batch).expect("within the limits");
        assert_eq!(read_from(&*log.reader(), 1), all);
        assert_eq!(read_from(&*log.reader(), 5), all[4..]);
    });
}

#[test]
fn a_batch_beyond_the_limits_is_refused_whole() {
    check(|log| {
        let lease = log.acquire().expect("nobody else holds it");
        let limits = log.limits();
        let many = batch(Position::ORIGIN, limits.batch_events_max as u64 + 1);
        let mut long = Batch::new(BatchId([1; 16]), [2; 32], Position::ORIGIN);
        long.push(&large_envelope(1, limits.envelope_bytes_max / 200));
        for batch in [many, long] {
            let refused = log.append(lease, &batch);
            assert!(matches!(refused, Err(AppendError::TooLarge)));
        }
        assert_eq!(log.end().position, Position::ORIGIN);
    });
}

#[test]
fn equal_seeds_lead_to_equal_roots_in_every_log() {
    let mut roots = Vec::new();
    let collected = std::cell::RefCell::new(&mut roots);
    check(|log| collected.borrow_mut().push(fill(log, &SIZES)));
    assert_eq!(roots.len(), 3);
    assert!(roots.iter().all(|each| *each == roots[0]));
}

#[test]
fn the_root_at_a_position_is_the_one_that_the_log_had_there() {
    check(|log| {
        let empty = log.end().root;
        let roots = fill(log, &[1, 2, 4_093, 1, 1, 5_000, 3, 700]);
        let reader = log.reader();
        assert_eq!(
            reader.root_at(Position(0)).expect("a whole log"),
            Some(empty)
        );
        let ends = [1, 3, 4_096, 4_097, 4_098, 9_098, 9_101, 9_801];
        for (end, root) in ends.into_iter().zip(roots) {
            let found = reader.root_at(Position(end)).expect("a whole log");
            assert_eq!(found, Some(root), "at {end}");
        }
        let past = reader.root_at(Position(9_802)).expect("a whole log");
        assert_eq!(past, None);
    });
}

#[test]
fn the_root_inside_a_block_is_that_of_a_log_whose_block_ends_there() {
    check(|long| {
        fill(long, &[3, 40]);
        let mut short = MemoryLog::new();
        let lease = short.acquire().expect("nobody else holds it");
        let head = batch(Position(0), 3);
        short.append(lease, &head).expect("a good batch");
        let cut = {
            let whole = batch(Position(3), 40);
            let mut cut = Batch::new(whole.id(), *whole.seed(), Position(3));
            (4..=20).for_each(|position| cut.push(&envelope(position)));
            cut
        };
        let end = short.append(lease, &cut).expect("a good batch");
        let inside = long.reader().root_at(Position(20)).expect("a whole log");
        assert_eq!(inside, Some(end.root));
    });
}
