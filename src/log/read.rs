//! Reading that all logs share: from stored blocks to envelopes.

use std::ops::{ControlFlow, Range};

use purser_events::codec::decode_envelope;
use purser_events::{Envelope, Position};

use super::block::Block;
use super::error::{Damage, ReadError};
use super::sealed::Segment;
use super::tree::Frontier;

/// Envelopes are handed over in batches of about this many: enough to make the hand-over cheap,
/// few enough to stay in the processor's cache.
const HAND_OVER: usize = 256;

/// A source stops adding blocks to a chunk when it holds this many bytes.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// Stored blocks, copied out of the log so that nothing of it stays open.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    blocks: Vec<(Position, Range<usize>)>,
    sealed: Option<Position>,
}

impl Chunk {
    /// Forgets everything; keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.blocks.clear();
        self.sealed = None;
    }

    /// Makes it hold one sealed segment, whose bytes are to be appended to what this answers.
    pub(crate) fn sealed(&mut self, first: Position) -> &mut Vec<u8> {
        self.sealed = Some(first);
        &mut self.bytes
    }

    /// Adds a stored block; `true` when that is enough for one chunk.
    pub(crate) fn push(&mut self, first: Position, bytes: &[u8]) -> bool {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.blocks.push((first, start..self.bytes.len()));
        self.bytes.len() >= CHUNK_BYTES
    }

    fn blocks(&self) -> impl Iterator<Item = (Position, &[u8])> {
        self.blocks
            .iter()
            .map(|(first, range)| (*first, &self.bytes[range.clone()]))
    }
}

/// The tree at a position, from the blocks that hold it and what comes before it, the newest
/// first: from the newest frontier that is stored, and the leaves that follow it. Before the
/// oldest block lies what `before` answers. The roots of the blocks that are passed on the way are
/// compared.
pub(crate) fn tree_at<B: AsRef<[u8]>>(
    position: Position,
    blocks: impl Iterator<Item = Result<(Position, B), ReadError>>,
    before: impl FnOnce() -> Result<Frontier, ReadError>,
) -> Result<Frontier, ReadError> {
    let mut stored = None;
    let mut newer = Vec::new();
    for entry in blocks {
        let (first, bytes) = entry?;
        let block = read_block(first, bytes.as_ref())?;
        let known = (block.last() <= position).then(|| block.frontier());
        newer.push((first, bytes));
        if let Some(frontier) = known.flatten() {
            stored = Some(frontier);
            break;
        }
    }
    let mut tree = stored.map_or_else(before, Ok)?;
    for (first, bytes) in newer.iter().rev() {
        advance(&mut tree, &read_block(*first, bytes.as_ref())?, position)?;
    }
    Ok(tree)
}

/// Reads a block, and says where it stands when it is damaged.
pub(crate) fn read_block(first: Position, bytes: &[u8]) -> Result<Block<'_>, ReadError> {
    Block::read(first, bytes).map_err(|damage| damaged(first, damage))
}

/// Adds a block's leaves up to a position to the tree, unless they are in it.
pub(crate) fn advance(
    tree: &mut Frontier,
    block: &Block<'_>,
    to: Position,
) -> Result<(), ReadError> {
    if tree.size() + 1 == block.first.0 {
        block.append_leaves(to, tree);
    }
    if tree.size() != block.last().min(to).0 {
        return Err(damaged(Position(tree.size() + 1), Damage::Gap));
    }
    if block.last() <= to && tree.root() != block.root {
        return Err(damaged(block.first, Damage::Root));
    }
    Ok(())
}

/// Where stored blocks come from.
pub(crate) trait Source {
    /// Fills an empty chunk with the block that holds `from` and some that follow it. Where no
    /// block holds it, the one before it, if any, comes first: then the blocks that follow tell
    /// whether there is a gap or the log ends.
    fn fetch(&self, from: Position, into: &mut Chunk) -> Result<(), ReadError>;
}

/// Reads on from a position until the log ends or `each` breaks.
pub(crate) fn read_batches(
    source: &impl Source,
    from: Position,
    each: &mut dyn FnMut(&mut Vec<Envelope>) -> ControlFlow<()>,
) -> Result<Position, ReadError> {
    let mut reading = Reading {
        next: from.max(Position::ORIGIN.next()),
        envelopes: Vec::with_capacity(HAND_OVER),
        unpacked: Vec::new(),
        each,
    };
    let mut chunk = Chunk::default();
    loop {
        let before = reading.next;
        chunk.clear();
        source.fetch(reading.next, &mut chunk)?;
        if reading.chunk(&chunk)?.is_break() || reading.next == before {
            return Ok(reading.next);
        }
    }
}

/// A damage at a position.
pub(crate) const fn damaged(position: Position, damage: Damage) -> ReadError {
    ReadError::Damaged { position, damage }
}

struct Reading<'a> {
    next: Position,
    envelopes: Vec<Envelope>,
    unpacked: Vec<u8>,
    each: &'a mut dyn FnMut(&mut Vec<Envelope>) -> ControlFlow<()>,
}

impl Reading<'_> {
    fn chunk(&mut self, chunk: &Chunk) -> Result<ControlFlow<()>, ReadError> {
        if let Some(first) = chunk.sealed
            && self.segment(first, &chunk.bytes)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        for (first, bytes) in chunk.blocks() {
            if self.block(first, bytes)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(self.hand_over())
    }

    fn segment(&mut self, first: Position, bytes: &[u8]) -> Result<ControlFlow<()>, ReadError> {
        let segment = Segment::read(first, bytes).map_err(|damage| damaged(first, damage))?;
        self.check_reaches(first, segment.last())?;
        let mut memory = std::mem::take(&mut self.unpacked);
        let mut unpacked = segment
            .unpack(&mut memory)
            .map_err(|damage| damaged(first, damage))?;
        for position in (first.0..self.next.0).map(Position) {
            let passed = unpacked.next(position);
            passed.map_err(|damage| damaged(position, damage))?;
        }
        while self.next <= segment.last() {
            let room = HAND_OVER - self.envelopes.len();
            let to = Position(self.next.0 + room as u64 - 1).min(segment.last());
            let filled = unpacked.fill(self.next, to, &mut self.envelopes);
            if let Err(damage) = filled {
                let decoded = self.envelopes.last().map(|last| last.position.next());
                return Err(damaged(decoded.unwrap_or(self.next), damage));
            }
            self.next = to.next();
            if self.envelopes.len() >= HAND_OVER && self.hand_over().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.unpacked = memory;
        Ok(ControlFlow::Continue(()))
    }

    fn block(&mut self, first: Position, bytes: &[u8]) -> Result<ControlFlow<()>, ReadError> {
        let block = read_block(first, bytes)?;
        if block.last() < self.next {
            return Ok(ControlFlow::Continue(()));
        }
        self.check_reaches(first, block.last())?;
        for (position, row) in (first.0..).map(Position).zip(block.rows()) {
            if position < self.next {
                continue;
            }
            let envelope = decode_envelope(position, row)
                .map_err(|error| damaged(position, Damage::Entry(error)))?;
            if self.push(envelope).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The next position must lie in what was found.
    fn check_reaches(&self, first: Position, last: Position) -> Result<(), ReadError> {
        if first > self.next || last < self.next {
            return Err(damaged(self.next, Damage::Gap));
        }
        Ok(())
    }

    fn push(&mut self, envelope: Envelope) -> ControlFlow<()> {
        self.next = envelope.position.next();
        self.envelopes.push(envelope);
        if self.envelopes.len() >= HAND_OVER {
            self.hand_over()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.envelopes.is_empty() {
            return ControlFlow::Continue(());
        }
        let flow = (self.each)(&mut self.envelopes);
        self.envelopes.clear();
        flow
    }
}
