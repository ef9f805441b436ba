//! Writes a run: records come in the order of their keys, blocks and pieces of the filter go out.

use purser_projections::recall::RecallKey;
use serde::{Deserialize, Serialize};

use super::block::{BlockWriter, Mark, OVERHEAD};
use super::filter::{FilterWriter, lines_for, part};

/// What the records of a block take on average. Keys spread evenly, so that a block of short
/// records rarely passes 4 KiB, which is what redb then gives it on disk.
const BLOCK_BYTES: u64 = 3_300;

/// How a run is laid out, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Records, each of another key.
    pub(super) records: u64,
    /// Bytes of the encoded records.
    pub(super) bytes: u64,
    /// Into how many equal parts the key space is cut: each is one block.
    pub(super) blocks: u64,
    /// Lines of the filter.
    pub(super) lines: u64,
}

impl Shape {
    /// The shape for at most so many records of so many bytes.
    pub(super) fn of(records: u64, bytes: u64) -> Self {
        let all = bytes + records * OVERHEAD as u64;
        Self {
            records,
            bytes,
            blocks: all.div_ceil(BLOCK_BYTES).max(1),
            lines: lines_for(records),
        }
    }

    /// The block that holds the key, if any does.
    pub(super) const fn block_of(&self, key: &RecallKey) -> u32 {
        part(key, self.blocks) as u32
    }
}

/// Blocks and pieces that are ready to be stored.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) blocks: Vec<(u32, Vec<u8>)>,
    pub(super) pieces: Vec<(u32, Vec<u8>)>,
    /// The length of the blocks.
    pub(super) bytes: u64,
}

/// Collects the records of one run.
#[derive(Debug)]
pub(super) struct RunBuilder {
    run: u32,
    shape: Shape,
    block: u32,
    writer: BlockWriter,
    filter: FilterWriter,
    pages: Pages,
}

impl RunBuilder {
    /// Begins a run of at most so many records and bytes as `planned` says.
    pub(super) fn new(run: u32, planned: Shape) -> Self {
        Self {
            run,
            shape: Shape {
                records: 0,
                bytes: 0,
                ..planned
            },
            block: 0,
            writer: BlockWriter::default(),
            filter: FilterWriter::new(run, planned.lines),
            pages: Pages::default(),
        }
    }

    /// Adds a record; keys must grow.
    pub(super) fn push(&mut self, key: RecallKey, record: &[u8]) {
        self.close_until(self.shape.block_of(&key));
        self.writer.push(key, record);
        self.filter.add(&key, &mut self.pages.pieces);
        self.shape.records += 1;
        self.shape.bytes += record.len() as u64;
    }

    /// How many bytes of blocks are ready.
    pub(super) const fn ready(&self) -> u64 {
        self.pages.bytes
    }

    /// Hands over what is ready.
    pub(super) fn take(&mut self) -> Pages {
        std::mem::take(&mut self.pages)
    }

    /// Ends the run: its shape as it became, and the last pages.
    pub(super) fn finish(mut self) -> (Shape, Pages) {
        self.close_until(self.shape.blocks as u32);
        self.filter.finish(&mut self.pages.pieces);
        (self.shape, self.pages)
    }

    /// Blocks without a record are written too, so that a missing one is a sign of damage.
    fn close_until(&mut self, next: u32) {
        while self.block < next {
            let bytes = self.writer.finish(Mark::Block(self.run, self.block));
            self.pages.bytes += bytes.len() as u64;
            self.pages.blocks.push((self.block, bytes));
            self.block += 1;
        }
    }
}
