//! The stored forms of a block and of a segment, which must stay readable for ever.

use purser_events::codec::decode_envelope;
use purser_events::worker::LeaseGranted;
use purser_events::{Actor, Envelope, Event, Micros, Position, WorkerNo};

use crate::log::block::{Block, cut};
use crate::log::sealed::Segment;
use crate::log::tree::Frontier;
use crate::log::{Batch, BatchId};

/// Version, checksum, flags, count, seed, root, batch, lengths, rows.
const BLOCK: &str = concat!(
    "0186c2f7d5acbb4d350002000000",
    "0101010101010101010101010101010101010101010101010101010101010101",
    "87262cb882f7a80b66b3a471fbd81bc49484a59f574f0828667bf561bda7ab7e",
    "02020202020202020202020202020202",
    "0b0bfc41420f00000006010109fc42420f00000006010209",
);

#[test]
fn the_stored_bytes_of_a_block_stay_as_they_are() {
    let mut batch = Batch::new(BatchId([2; 16]), [1; 32], Position::ORIGIN);
    for position in 1..=2 {
        let worker = WorkerNo(position as u32);
        let session = 9;
        batch.push(&Envelope {
            position: Position(position),
            recorded_at: Micros(1_000_000 + position),
            command: None,
            actor: Actor::Purser,
            event: Event::LeaseGranted(LeaseGranted { worker, session }),
        });
    }
    let mut stored = Vec::new();
    let put = cut(&batch, &mut Frontier::EMPTY.clone(), |first, bytes| {
        stored.push((first, bytes.to_vec()));
        Ok::<(), std::convert::Infallible>(())
    });
    assert_eq!(put, Ok(()));
    let [(first, bytes)] = &stored[..] else {
        panic!("one small batch is one block");
    };
    let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
    assert_eq!(hex.collect::<String>(), BLOCK);
    let block = Block::read(*first, bytes).expect("what was just written");
    assert_eq!(
        block.rows().collect::<Vec<_>>(),
        batch.rows().collect::<Vec<_>>()
    );
}

/// Rows of many kinds, and the segment that they were sealed into. Not edited: another form of
/// segments, or rows of further kinds, get a file of their own.
const SEGMENT: &str = include_str!("golden/segment-1.txt");

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| {
        let text = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(text, 16).expect("two hexadecimal digits")
    };
    pairs.map(byte).collect()
}

fn lines(name: &str) -> Vec<Vec<u8>> {
    let lines = SEGMENT.lines().filter_map(|line| line.strip_prefix(name));
    lines.map(|hex| bytes(hex.trim())).collect()
}

#[test]
fn a_stored_segment_says_what_it_always_said() {
    let (rows, stored) = (lines("row "), lines("segment ").concat());
    assert!(rows.len() > 50, "many kinds");
    let segment = Segment::read(Position(1), &stored).expect("whole bytes");
    assert_eq!(segment.count as usize, rows.len());
    let mut tree = Frontier::EMPTY;
    let mut next = rows.iter();
    segment
        .each_leaf(segment.last(), &mut tree, |envelope, row| {
            let stored = next.next().expect("as many as there are rows");
            assert_eq!(row, stored);
            let read = decode_envelope(envelope.position, stored).expect("whole bytes");
            assert_eq!(envelope, read);
            Ok(())
        })
        .expect("whole bytes");
    assert_eq!(tree.root(), segment.root);
    assert_eq!(
        Some(tree.bytes()),
        segment.frontier().as_ref().map(Frontier::bytes)
    );
}
