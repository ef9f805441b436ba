//! The stored form of a sealed segment: a closed range of blocks, in compressed columns.
//!
//! Blocks disappear, what they said stays: where each began and the seed of its salt, hence every
//! entry and leaf; the tree root and frontier at the segment's end; and, by way of the columns,
//! every byte of every stored envelope. All integers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this form |
//! | 8 | xxh3-64 of all that follows, with the first position as its seed |
//! | 4 | how many envelopes |
//! | 32 | the tree root of all entries up to the end of the segment |
//! | 32 each | the frontier of the tree there |
//! | 1 to 10, then each 32 and 1 to 10 | runs of blocks of one seed: the seed, how many blocks |
//! | 1 to 10, twice | unpacked length of the columns, and of the block lengths that follow them |
//! | the rest | both, as one zstd frame |

use std::io::Write as _;
use std::ops::Range;

use purser_events::codec::{decode_envelope, encode_envelope};
use purser_events::columns::{Decoder, Encoded, Encoder};
use purser_events::{Envelope, Position};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::block::Block;
use super::error::{Damage, ReadError};
use super::read::damaged;
use super::tree::{Frontier, Hash, salt};
use super::{Root, varint};

const VERSION: u8 = 1;
const CHECKED_FROM: usize = 9;
const HEAD: usize = 45;

/// A segment ends with the block that brings it to this many envelopes,
const EVENTS_MAX: u64 = 65_536;
/// or to this many bytes of rows,
const BYTES_MAX: usize = 4 << 20;
/// or to this many blocks: removing them from redb costs about a microsecond each, and the writer
/// waits meanwhile.
const BLOCKS_MAX: usize = 8_192;

/// No segment unpacks to more: a batch is at most 64 MiB, columns never much more than its rows.
const UNPACKED_MAX: u64 = 512 << 20;

/// Level 1 already finds nearly all that columns leave to find; level 3 takes twice the time for
/// two percent.
const LEVEL: i32 = 1;

/// Bytes of one nature are compressed by themselves when there are this many of them.
const CUT_MIN: usize = 1_024;

/// A segment that was read and whose checksum fits.
#[derive(Clone, Debug)]
pub(crate) struct Segment<'a> {
    /// The position of its first envelope.
    pub(crate) first: Position,
    /// How many envelopes it holds, from 1.
    pub(crate) count: u32,
    /// The tree root of all entries up to its end.
    pub(crate) root: Root,
    frontier: &'a [u8],
    runs: Vec<(Hash, u64)>,
    columns: usize,
    lengths: usize,
    packed: &'a [u8],
}

impl<'a> Segment<'a> {
    /// How many envelopes the segment that begins with these bytes holds; for finding one's way
    /// only, because nothing is checked.
    pub(crate) fn peek_count(bytes: &[u8]) -> Option<u32> {
        let count = bytes.get(CHECKED_FROM..CHECKED_FROM + 4)?;
        Some(u32::from_le_bytes(count.try_into().ok()?))
    }

    /// Reads a stored segment. What it has packed is looked at by [`Self::unpack`].
    pub(crate) fn read(first: Position, bytes: &'a [u8]) -> Result<Self, Damage> {
        let (head, body) = bytes.split_first_chunk::<HEAD>().ok_or(Damage::Form)?;
        if head[0] != VERSION {
            return Err(Damage::Form);
        }
        let checksum = xxh3_64_with_seed(&bytes[CHECKED_FROM..], first.0);
        if checksum.to_le_bytes() != head[1..CHECKED_FROM] {
            return Err(Damage::Checksum);
        }
        Self::read_checked(first, head, body).ok_or(Damage::Form)
    }

    fn read_checked(first: Position, head: &[u8; HEAD], mut body: &'a [u8]) -> Option<Self> {
        let count = u32::from_le_bytes(head[9..13].try_into().ok()?);
        let last = first.0.checked_add(u64::from(count))?.checked_sub(1)?;
        let frontier = body.split_off(..Frontier::bytes_len(last))?;
        let mut runs = Vec::new();
        for _ in 0..varint::take(&mut body)? {
            let (seed, rest) = body.split_first_chunk::<32>()?;
            body = rest;
            runs.push((*seed, varint::take(&mut body)?));
        }
        let columns = varint::take(&mut body)?;
        let lengths = varint::take(&mut body)?;
        if count == 0 || columns > UNPACKED_MAX || lengths > UNPACKED_MAX {
            return None;
        }
        Some(Self {
            first,
            count,
            root: Root(head[13..HEAD].try_into().ok()?),
            frontier,
            runs,
            columns: usize::try_from(columns).ok()?,
            lengths: usize::try_from(lengths).ok()?,
            packed: body,
        })
    }

    /// The position of its last envelope.
    pub(crate) const fn last(&self) -> Position {
        Position(self.first.0 + self.count as u64 - 1)
    }

    /// The tree at its end.
    pub(crate) fn frontier(&self) -> Option<Frontier> {
        Frontier::from_bytes(self.last().0, self.frontier)
    }

    /// Unpacks it into a vector whose memory may be used again.
    pub(crate) fn unpack<'b>(&self, into: &'b mut Vec<u8>) -> Result<Unpacked<'b>, Damage> {
        let len = self.columns + self.lengths;
        into.clear();
        into.reserve(len);
        let unpacked = zstd::bulk::Decompressor::new()
            .and_then(|mut zstd| zstd.decompress_to_buffer(self.packed, into));
        if unpacked.ok() != Some(len) {
            return Err(Damage::Form);
        }
        let (columns, lengths) = into.split_at(self.columns);
        let decoder = Decoder::new(columns)?;
        Ok(Unpacked { decoder, lengths })
    }

    /// Calls `each` with every envelope and its stored bytes, and adds its leaf to the tree, which
    /// ends before the segment; stops behind `last`.
    pub(crate) fn each_leaf(
        &self,
        last: Position,
        tree: &mut Frontier,
        mut each: impl FnMut(Envelope, &[u8]) -> Result<(), Damage>,
    ) -> Result<(), ReadError> {
        let at_first = |damage| damaged(self.first, damage);
        let mut memory = Vec::new();
        let mut unpacked = self.unpack(&mut memory).map_err(at_first)?;
        let mut next = self.first;
        let mut row = Vec::new();
        for (seed, blocks) in &self.runs {
            for _ in 0..*blocks {
                let length = varint::take(&mut unpacked.lengths);
                let length = length.ok_or(Damage::Form).map_err(at_first)?;
                let salt = salt(seed, next.0);
                for index in 0..length {
                    if next > last {
                        return Ok(());
                    }
                    let envelope = unpacked
                        .next(next)
                        .map_err(|damage| damaged(next, damage))?;
                    let row = unpacked.row(&envelope, &mut row);
                    tree.append(salt.leaf(index, row));
                    each(envelope, row).map_err(|damage| damaged(next, damage))?;
                    next = next.next();
                }
            }
        }
        let whole = next == self.last().next() && unpacked.is_done();
        whole.then_some(()).ok_or(at_first(Damage::Form))
    }
}

/// The columns of a segment, ready to be read.
pub(crate) struct Unpacked<'a> {
    decoder: Decoder<'a>,
    lengths: &'a [u8],
}

impl Unpacked<'_> {
    /// The next envelope.
    pub(crate) fn next(&mut self, position: Position) -> Result<Envelope, Damage> {
        Ok(self.decoder.next(position)?)
    }

    /// The envelopes of these positions, which come next; appends them.
    pub(crate) fn fill(
        &mut self,
        from: Position,
        to: Position,
        into: &mut Vec<Envelope>,
    ) -> Result<(), Damage> {
        Ok(self.decoder.fill(from, to, into)?)
    }

    /// The stored bytes of the envelope that came last.
    fn row<'a>(&'a self, envelope: &Envelope, memory: &'a mut Vec<u8>) -> &'a [u8] {
        self.decoder.raw().unwrap_or_else(|| {
            memory.clear();
            encode_envelope(envelope, memory);
            memory
        })
    }

    fn is_done(&self) -> bool {
        self.decoder.is_done() && self.lengths.is_empty()
    }
}

/// Blocks on their way into a segment.
#[derive(Debug)]
pub(crate) struct Packing {
    first: Position,
    tree: Frontier,
    root: Root,
    rows: Vec<u8>,
    ends: Vec<usize>,
    blocks: usize,
    lengths: Vec<u8>,
    runs: Vec<(Hash, u64)>,
}

/// A segment that was packed and proved, ready to be stored.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Its first position.
    pub(crate) first: Position,
    /// Its last position.
    pub(crate) last: Position,
    bytes: Vec<u8>,
}

impl Packed {
    /// The parts to store it in, each just under a run of redb's pages.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        chunks(&self.bytes)
    }
}

/// Cuts a stored segment into the parts that redb stores without waste.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    chunk_ranges(bytes.len()).map(|range| &bytes[range])
}

/// Cuts a length into sizes that redb stores without waste.
fn chunk_ranges(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = len - start;
        let fitting = super::block::SIZES.into_iter().find(|&size| size <= left);
        let range = start..start + fitting.unwrap_or(left);
        start = range.end;
        (!range.is_empty()).then_some(range)
    })
}

impl Packing {
    /// Begins behind this tree.
    pub(crate) fn after(tree: Frontier) -> Self {
        Self {
            first: Position(tree.size() + 1),
            root: tree.root(),
            tree,
            rows: Vec::new(),
            ends: Vec::new(),
            blocks: 0,
            lengths: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Whether it should end here.
    pub(crate) fn is_full(&self) -> bool {
        self.ends.len() as u64 >= EVENTS_MAX
            || self.rows.len() >= BYTES_MAX
            || self.blocks >= BLOCKS_MAX
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds the next block.
    pub(crate) fn push(&mut self, block: &Block<'_>) -> Result<(), ReadError> {
        let next = self.first.plus(self.ends.len() as u64);
        if block.first != next {
            return Err(damaged(next, Damage::Gap));
        }
        for row in block.rows() {
            self.rows.extend_from_slice(row);
            self.ends.push(self.rows.len());
        }
        self.blocks += 1;
        self.root = block.root;
        varint::put(u64::from(block.count), &mut self.lengths);
        match self.runs.last_mut() {
            Some((seed, blocks)) if *seed == block.seed => *blocks += 1,
            _ => self.runs.push((block.seed, 1)),
        }
        Ok(())
    }

    /// Packs it, unpacks it again, and compares every row and the root: nothing is ever replaced
    /// by what was not proved to say the same.
    pub(crate) fn finish(self) -> Result<Packed, ReadError> {
        let columns = self.columns()?;
        let mut tree = self.tree.clone();
        let frontier = self.frontier_at_end(&mut tree)?;
        let bytes = self.bytes(&columns, &frontier);
        self.prove(&bytes)?;
        Ok(Packed {
            first: self.first,
            last: Position(frontier.size()),
            bytes,
        })
    }

    fn row(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[index]]
    }

    fn columns(&self) -> Result<Encoded, ReadError> {
        let mut encoder = Encoder::new();
        let mut again = Vec::new();
        for index in 0..self.ends.len() {
            let position = self.first.plus(index as u64);
            let row = self.row(index);
            let envelope = decode_envelope(position, row)
                .map_err(|error| damaged(position, Damage::Entry(error)))?;
            again.clear();
            encode_envelope(&envelope, &mut again);
            if again != row {
                encoder.push_raw(row);
            } else if encoder.push(&envelope).is_err() {
                return Ok(self.raw_columns());
            }
        }
        Ok(encoder.finish())
    }

    /// For events of a type that columns cannot hold: there is none, but nothing would be lost.
    fn raw_columns(&self) -> Encoded {
        let mut encoder = Encoder::new();
        (0..self.ends.len()).for_each(|index| encoder.push_raw(self.row(index)));
        encoder.finish()
    }

    fn frontier_at_end(&self, tree: &mut Frontier) -> Result<Frontier, ReadError> {
        let mut lengths = &self.lengths[..];
        let mut index = 0;
        for (seed, blocks) in &self.runs {
            for _ in 0..*blocks {
                let salt = salt(seed, self.first.0 + index as u64);
                for within in 0..varint::take(&mut lengths).unwrap_or(0) {
                    tree.append(salt.leaf(within, self.row(index)));
                    index += 1;
                }
            }
        }
        if tree.root() != self.root {
            return Err(damaged(self.first, Damage::Root));
        }
        Ok(tree.clone())
    }

    fn bytes(&self, columns: &Encoded, frontier: &Frontier) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&[0; 8]);
        let count = u32::try_from(self.ends.len()).expect("a segment ends long before");
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.root.0);
        bytes.extend_from_slice(frontier.bytes());
        varint::put(self.runs.len() as u64, &mut bytes);
        for (seed, blocks) in &self.runs {
            bytes.extend_from_slice(seed);
            varint::put(*blocks, &mut bytes);
        }
        varint::put(columns.bytes.len() as u64, &mut bytes);
        varint::put(self.lengths.len() as u64, &mut bytes);
        let mut bytes = compress(columns, &self.lengths, bytes).expect("memory takes all writes");
        let checksum = xxh3_64_with_seed(&bytes[CHECKED_FROM..], self.first.0);
        bytes[1..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn prove(&self, bytes: &[u8]) -> Result<(), ReadError> {
        let segment =
            Segment::read(self.first, bytes).map_err(|damage| damaged(self.first, damage))?;
        let mut tree = self.tree.clone();
        let mut index = 0;
        segment.each_leaf(segment.last(), &mut tree, |_, row| {
            index += 1;
            let same = self.row(index - 1) == row;
            same.then_some(()).ok_or(Damage::Form)
        })?;
        let same = index == self.ends.len() && tree.root() == self.root;
        same.then_some(()).ok_or(damaged(self.first, Damage::Root))
    }
}

/// Compresses planes of one nature by themselves: their statistics have nothing in common.
fn compress(columns: &Encoded, lengths: &[u8], into: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(into, LEVEL)?;
    let mut start = 0;
    for &cut in &columns.cuts {
        if cut - start >= CUT_MIN {
            encoder.write_all(&columns.bytes[start..cut])?;
            encoder.flush()?;
            start = cut;
        }
    }
    encoder.write_all(&columns.bytes[start..])?;
    encoder.write_all(lengths)?;
    encoder.finish()
}
