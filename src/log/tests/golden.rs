//! The stored form of a block, which must stay readable for ever.

use purser_events::worker::LeaseGranted;
use purser_events::{Actor, Envelope, Event, Micros, Position, WorkerNo};

use crate::log::block::{Block, cut};
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
