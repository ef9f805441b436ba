//! A run: sorted records in blocks, which never change, and the filter before them.

use std::sync::Arc;

use purser_projections::recall::RecallKey;
use redb::{AccessGuard, ReadTransaction, ReadableTable};

use super::IndexError;
use super::block::{Block, Mark};
use super::build::Shape;
use super::filter::{PIECE_LINES, Piece, Resident, place};
use super::store::{PageTable, blocks_of, fault, filter_of};

/// A run to look keys up in.
pub(super) struct Run {
    pub(super) number: u32,
    pub(super) shape: Shape,
    blocks: PageTable,
    filter: Filter,
}

enum Filter {
    Resident(Arc<Resident>),
    Stored(PageTable),
}

/// Takes the place of a key, and the encoded record of it.
pub(super) type Each<'a> = dyn FnMut(usize, &[u8]) -> Result<(), IndexError> + 'a;

/// How much memory filters may still take.
pub(super) struct Allowance(pub(super) u64);

impl Run {
    /// Opens a run of the manifest; takes its filter into memory if the allowance covers it.
    pub(super) fn open(
        at: &ReadTransaction,
        (number, shape): (u32, Shape),
        known: Option<&Self>,
        allowance: &mut Allowance,
    ) -> Result<Self, IndexError> {
        let pieces = filter_of(at, number)?;
        let needed = shape.lines * size_of::<[u64; 8]>() as u64;
        let filter = if needed > allowance.0 {
            Filter::Stored(pieces)
        } else {
            allowance.0 -= needed;
            Filter::Resident(match known.map(|run| &run.filter) {
                Some(Filter::Resident(filter)) => Arc::clone(filter),
                _ => Arc::new(resident(&pieces, number, shape.lines)?),
            })
        };
        Ok(Self {
            number,
            shape,
            blocks: blocks_of(at, number)?,
            filter,
        })
    }

    /// Hands over the encoded records of these keys, with the keys' places. The keys are sorted,
    /// so that those of one block or piece come together.
    pub(super) fn look_up(
        &self,
        keys: &[RecallKey],
        each: &mut Each<'_>,
    ) -> Result<(), IndexError> {
        let mut pieces = Pages::default();
        let mut blocks = Pages::default();
        for (at, key) in keys.iter().enumerate() {
            if !self.may_hold(key, &mut pieces)? {
                continue;
            }
            let number = self.shape.block_of(key);
            let (bytes, fresh) = blocks.get(&self.blocks, number)?;
            let block = if fresh {
                Block::checked(bytes, Mark::Block(self.number, number))
            } else {
                Block::again(bytes)
            };
            if let Some(record) = block.ok_or(IndexError::Damaged)?.get(key) {
                each(at, record)?;
            }
        }
        Ok(())
    }

    fn may_hold(&self, key: &RecallKey, pieces: &mut Pages) -> Result<bool, IndexError> {
        match &self.filter {
            Filter::Resident(filter) => Ok(filter.may_hold(key)),
            Filter::Stored(table) => {
                let (number, line) = place(key, self.shape.lines);
                let (bytes, _) = pieces.get(table, number)?;
                let mark = Mark::Piece(self.number, number);
                let piece = Piece::checked(bytes, mark).ok_or(IndexError::Damaged)?;
                Ok(piece.may_hold(key, line))
            }
        }
    }
}

fn resident(pieces: &PageTable, run: u32, lines: u64) -> Result<Resident, IndexError> {
    let mut filter = Resident::new(lines);
    let mut rows = pieces.iter().map_err(fault)?;
    for number in 0..lines.div_ceil(PIECE_LINES) as u32 {
        let (_, bytes) = rows.next().ok_or(IndexError::Damaged)?.map_err(fault)?;
        let piece = Piece::checked(bytes.value(), Mark::Piece(run, number));
        filter.fill(number, &piece.ok_or(IndexError::Damaged)?);
    }
    Ok(filter)
}

/// The page of a table that was read last.
#[derive(Default)]
struct Pages {
    last: Option<(u32, AccessGuard<'static, &'static [u8]>)>,
}

impl Pages {
    /// A page, and whether it was read just now.
    fn get(&mut self, table: &PageTable, number: u32) -> Result<(&[u8], bool), IndexError> {
        let fresh = self.last.as_ref().is_none_or(|(last, _)| *last != number);
        if fresh {
            let page = table.get(number).map_err(fault)?;
            self.last = Some((number, page.ok_or(IndexError::Damaged)?));
        }
        let (_, page) = self.last.as_ref().expect("it was read just now");
        Ok((page.value(), fresh))
    }
}
