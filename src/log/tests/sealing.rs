//! The sealer changes where events are stored, and nothing else.

use std::ops::ControlFlow;

use proptest::prelude::*;
use purser_events::Position;
use redb::backends::InMemoryBackend;

use super::samples::{batch, envelope};
use crate::log::read::read_block;
use crate::log::sealed::{Packing, Segment};
use crate::log::stored::Stored;
use crate::log::tree::Frontier;
use crate::log::{Log, RedbLog, Root, Sealer};

fn memory_log() -> RedbLog {
    let memory = InMemoryBackend::new;
    RedbLog::create_with_backends(memory(), memory()).expect("memory")
}

fn log_of(sizes: &[u64]) -> RedbLog {
    let mut log = memory_log();
    let lease = log.acquire().expect("nobody else holds it");
    for &size in sizes {
        let batch = batch(log.end().position, size);
        log.append(lease, &batch).expect("a good batch");
    }
    log
}

/// Every row and leaf of the blocks, by the blocks themselves.
fn rows_and_leaves(log: &RedbLog) -> Vec<(Vec<u8>, Root)> {
    let stored = Stored::now(&log.shared().files, Position(1)).expect("a whole log");
    let mut all = Vec::new();
    for entry in stored
        .blocks(Position(1), Position(u64::MAX))
        .expect("a whole log")
    {
        let (first, bytes) = entry.expect("a whole log");
        let block = read_block(first, bytes.as_ref()).expect("a whole block");
        for (index, row) in (0..).zip(block.rows()) {
            let leaf = crate::log::tree::salt(&block.seed, first.0).leaf(index, row);
            all.push((row.to_vec(), Root(leaf)));
        }
    }
    all
}

fn seal(log: &RedbLog) -> Vec<u8> {
    let stored = Stored::now(&log.shared().files, Position(1)).expect("a whole log");
    let mut packing = Packing::after(Frontier::EMPTY);
    for entry in stored
        .blocks(Position(1), Position(u64::MAX))
        .expect("a whole log")
    {
        let (first, bytes) = entry.expect("a whole log");
        let block = read_block(first, bytes.as_ref()).expect("a whole block");
        packing.push(&block).expect("the next block");
    }
    let packed = packing.finish().expect("a whole log");
    packed.chunks().collect::<Vec<_>>().concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn sealing_changes_no_row_no_leaf_and_no_root(
        sizes in prop::collection::vec(1_u64..300, 1..12),
    ) {
        let log = log_of(&sizes);
        let before = rows_and_leaves(&log);
        let bytes = seal(&log);
        let segment = Segment::read(Position(1), &bytes).expect("what was just packed");
        let mut tree = Frontier::EMPTY;
        let mut at = 0;
        segment
            .each_leaf(segment.last(), &mut tree, |envelope, row| {
                assert_eq!(envelope, super::samples::envelope(at as u64 + 1));
                assert_eq!(row, before[at].0);
                at += 1;
                Ok(())
            })
            .expect("what was just packed");
        let mut leaves = Frontier::EMPTY;
        before.iter().for_each(|(_, leaf)| leaves.append(leaf.0));
        prop_assert_eq!(at, before.len());
        prop_assert_eq!(tree.root(), leaves.root());
        prop_assert_eq!(tree.root(), log.end().root);
        prop_assert_eq!(segment.root, log.end().root);
        let frontier = segment.frontier().expect("a frontier");
        prop_assert_eq!(frontier.bytes(), tree.bytes());
    }
}

#[test]
fn a_damaged_segment_is_never_read_as_another() {
    let log = log_of(&[40, 3, 60]);
    let bytes = seal(&log);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(
            Segment::read(Position(1), &damaged).is_err(),
            "byte {place} was not missed"
        );
    }
    assert!(Segment::read(Position(2), &bytes).is_err());
}

#[test]
fn events_of_one_kind_take_a_few_bytes_each_once_sealed() {
    let log = log_of(&[4_000]);
    let bytes = seal(&log).len() as u64;
    assert!(bytes < 4_000 * 16, "{bytes} bytes");
}

#[test]
fn the_sealer_leaves_the_newest_events_in_blocks() {
    let mut log = log_of(&[]);
    let sealer = Sealer::start(&log).expect("a thread");
    let lease = log.acquire().expect("nobody else holds it");
    for _ in 0..24 {
        let batch = batch(log.end().position, 8_192);
        log.append(lease, &batch).expect("a good batch");
    }
    let bell = &log.shared().bell;
    bell.await_sealed(Position(65_536));
    sealer.stop().expect("nothing is wrong");
    let stored = Stored::now(&log.shared().files, Position(1)).expect("a whole log");
    let sealed = stored.sealed_to().0;
    assert!((65_536..=131_072).contains(&sealed), "{sealed} are sealed");
    let mut next = 1;
    log.reader()
        .read(Position(1), &mut |found| {
            assert_eq!(found, envelope(next));
            next += 1;
            ControlFlow::Continue(())
        })
        .expect("a whole log");
    assert_eq!(next, 24 * 8_192 + 1);
}
