//! The stored form of a hot block: the envelopes of one commit, or a part of them.
//!
//! Key: the first position. Value, all integers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this form |
//! | 8 | xxh3-64 of all that follows, with the first position as its seed |
//! | 1 | flags |
//! | 4 | how many envelopes |
//! | 32 | the seed of the batch |
//! | 32 | the tree root of all entries up to the end of the block |
//! | 16 | the id of the batch |
//! | 32 each | the frontier of the tree at the end of the block, when a flag says so |
//! | 1 to 10 each | the length of each row |
//! | the rest | the rows: the stored envelopes |

use purser_events::Position;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::error::Damage;
use super::tree::{Frontier, Hash, salt};
use super::{Batch, BatchId, Root, varint};

const VERSION: u8 = 1;
const HEAD: usize = 94;
const CHECKED_FROM: usize = 9;

const HAS_FRONTIER: u8 = 1;

/// redb gives a large value a run of pages whose length is a power of two, and puts 16 bytes of
/// its own beside the value. Values of other lengths than just under these waste disk.
pub(crate) const SIZES: [usize; 4] = [32_700, 16_340, 8_150, 4_060];

/// A batch that crosses a multiple of this many positions ends with a block that holds the
/// frontier, so that opening the log hashes fewer entries again than this and one batch.
const FRONTIER_EVERY: u64 = 4_096;

/// A block that was read and whose checksum fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// The position of its first envelope.
    pub(crate) first: Position,
    /// How many envelopes it holds, from 1.
    pub(crate) count: u32,
    /// The batch that it belongs to.
    pub(crate) batch: BatchId,
    /// The seed of the batch.
    pub(crate) seed: Hash,
    /// The tree root of all entries up to its end.
    pub(crate) root: Root,
    frontier: Option<&'a [u8]>,
    lengths: &'a [u8],
    rows: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads a stored block: all of it is checked, save what only its neighbours can tell.
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

    fn read_checked(first: Position, head: &[u8; HEAD], body: &'a [u8]) -> Option<Self> {
        let mut block = Self {
            first,
            count: u32::from_le_bytes(head[10..14].try_into().ok()?),
            batch: BatchId(head[78..94].try_into().ok()?),
            seed: head[14..46].try_into().ok()?,
            root: Root(head[46..78].try_into().ok()?),
            frontier: None,
            lengths: body,
            rows: body,
        };
        if block.count == 0 || head[9] & !HAS_FRONTIER != 0 {
            return None;
        }
        if head[9] & HAS_FRONTIER != 0 {
            let (frontier, rest) = body.split_at_checked(Frontier::bytes_len(block.last().0))?;
            block.frontier = Some(frontier);
            block.lengths = rest;
        }
        block.rows = rows_behind(block.lengths, block.count)?;
        Some(block)
    }

    /// The position of its last envelope.
    pub(crate) const fn last(&self) -> Position {
        Position(self.first.0 + self.count as u64 - 1)
    }

    /// The frontier at its end, where it is stored.
    pub(crate) fn frontier(&self) -> Option<Frontier> {
        Frontier::from_bytes(self.last().0, self.frontier?)
    }

    /// The stored envelopes, in order.
    pub(crate) fn rows(&self) -> Rows<'a> {
        Rows {
            left: self.count,
            lengths: self.lengths,
            rows: self.rows,
        }
    }

    /// Adds the leaves of its entries to a tree that ends where the block begins, but none past
    /// `last`.
    pub(crate) fn append_leaves(&self, last: Position, to: &mut Frontier) {
        let salt = salt(&self.seed, self.first.0);
        let wanted = (last.0 + 1).saturating_sub(self.first.0);
        for (index, row) in (0..wanted).zip(self.rows()) {
            to.append(salt.leaf(index, row));
        }
    }
}

/// What follows the lengths, if it is as long as they say.
fn rows_behind(lengths: &[u8], count: u32) -> Option<&[u8]> {
    let mut rest = lengths;
    let mut sum = 0_u64;
    for _ in 0..count {
        sum = sum.checked_add(varint::take(&mut rest)?)?;
    }
    (sum == rest.len() as u64).then_some(rest)
}

/// The stored envelopes of a block.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    left: u32,
    lengths: &'a [u8],
    rows: &'a [u8],
}

impl<'a> Iterator for Rows<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let length = varint::take(&mut self.lengths)?;
        let (row, rest) = self.rows.split_at_checked(usize::try_from(length).ok()?)?;
        self.rows = rest;
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// Cuts a batch into blocks, adds its leaves to the tree, and hands over each block's key and
/// stored form.
///
/// # Errors
/// Whatever `each` answers.
pub(crate) fn cut<E>(
    batch: &Batch,
    tree: &mut Frontier,
    mut each: impl FnMut(Position, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut cutter = Cutter {
        batch,
        next: 0,
        bytes: Vec::with_capacity(SIZES[0] + 64),
    };
    while cutter.next < batch.len() {
        let first = batch.after().plus(cutter.next as u64 + 1);
        let end = cutter.end_of_block();
        cutter.write(first, end, tree);
        each(first, &cutter.bytes)?;
        cutter.next = end;
    }
    Ok(())
}

struct Cutter<'a> {
    batch: &'a Batch,
    next: usize,
    bytes: Vec<u8>,
}

impl Cutter<'_> {
    /// The block ends before this row: as many rows as fit the largest run of pages that what is
    /// left of the batch can fill.
    fn end_of_block(&self) -> usize {
        let left = HEAD + self.batch.bytes_from(self.next) + (self.batch.len() - self.next);
        let size = SIZES.into_iter().find(|&size| size <= left);
        let Some(size) = size else {
            return self.batch.len();
        };
        let mut used = HEAD + self.frontier_room();
        let fits = (self.next..self.batch.len()).take_while(|&index| {
            let row = self.batch.row(index).len();
            used += row + varint::len(row as u64);
            used <= size
        });
        self.next + fits.count().max(1)
    }

    /// Room for the frontier is kept in every block of a batch whose last block will hold it:
    /// which one that is shows only once the others are cut.
    fn frontier_room(&self) -> usize {
        if self.wants_frontier() {
            Frontier::bytes_len(self.batch.last().0)
        } else {
            0
        }
    }

    fn wants_frontier(&self) -> bool {
        self.batch.after().0 / FRONTIER_EVERY != self.batch.last().0 / FRONTIER_EVERY
    }

    fn write(&mut self, first: Position, end: usize, tree: &mut Frontier) {
        let salt = salt(self.batch.seed(), first.0);
        for index in self.next..end {
            tree.append(salt.leaf((index - self.next) as u64, self.batch.row(index)));
        }
        let frontier = end == self.batch.len() && self.wants_frontier();
        self.bytes.clear();
        self.bytes.push(VERSION);
        self.bytes.extend_from_slice(&[0; 8]);
        self.bytes.push(u8::from(frontier) * HAS_FRONTIER);
        let count = u32::try_from(end - self.next).expect("a batch has fewer than 2^32 rows");
        self.bytes.extend_from_slice(&count.to_le_bytes());
        self.bytes.extend_from_slice(self.batch.seed());
        self.bytes.extend_from_slice(&tree.root().0);
        self.bytes.extend_from_slice(&self.batch.id().0);
        if frontier {
            self.bytes.extend_from_slice(tree.bytes());
        }
        for index in self.next..end {
            varint::put(self.batch.row(index).len() as u64, &mut self.bytes);
        }
        self.bytes
            .extend_from_slice(self.batch.rows_between(self.next, end));
        let checksum = xxh3_64_with_seed(&self.bytes[CHECKED_FROM..], first.0);
        self.bytes[1..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
    }
}
