//! What a start does to the log's files before anything else: it brings over the blocks of the
//! first format, and ends what a crash of the sealer left half done.

use purser_events::Position;
use redb::{ReadableTable, TableError};

use super::block::Block;
use super::directory::{FORMAT, has_hot};
use super::error::{AcquireError, Damage, ReadError};
use super::files::{Files, Found};
use super::read::{damaged, read_block};
use super::sealed::Segment;
use super::sealer::remove_sealed;
use super::store::StoreError;
use super::stored::{BLOCKS, BlockBytes, META, META_FORMAT, SEALED, Stored, unreadable};

/// Brings the files into the newest format, and removes the blocks that are sealed already, once
/// they are proved to say what their segment says.
pub(crate) fn settle(files: &Files, found: Found) -> Result<(), AcquireError> {
    if !has_hot(found) {
        adopt(files).map_err(|error| AcquireError::Unreachable(Box::new(error)))?;
    }
    let stored = Stored::now(files, Position::ORIGIN)?;
    let sealed_to = stored.sealed_to();
    if prove(&stored)? {
        drop(stored);
        let removed = remove_sealed(files, sealed_to, drop);
        removed.map_err(|error| unreadable(sealed_to, error))?;
    }
    Ok(())
}

/// Makes the tables of a new log. In the first format the blocks stood in the cold file: they are
/// copied to the hot one. A crash before the second commit leaves the old format as it was, and
/// the copy is made again; that commit makes the copy count and the originals go.
fn adopt(files: &Files) -> Result<(), StoreError> {
    copy_blocks(files)?;
    let writing = files.cold.writing();
    let transaction = writing.begin()?;
    transaction.delete_table(BLOCKS)?;
    transaction.open_table(SEALED)?;
    transaction
        .open_table(META)?
        .insert(META_FORMAT, u64::from(FORMAT))?;
    Ok(transaction.commit()?)
}

fn copy_blocks(files: &Files) -> Result<(), StoreError> {
    let writing = files.hot.writing();
    let transaction = writing.begin()?;
    {
        let mut blocks = transaction.open_table(BLOCKS)?;
        match files.cold.begin_read()?.open_table(BLOCKS) {
            Ok(old) => {
                for entry in old.iter()? {
                    let (first, bytes) = entry?;
                    blocks.insert(first.value(), bytes.value())?;
                }
            }
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(transaction.commit()?)
}

/// Compares the blocks that are sealed but still there with their segments, row by row, and by the
/// tree root behind the last of each segment. `false` when there are none.
fn prove(stored: &Stored) -> Result<bool, ReadError> {
    let mut left_over = stored.left_over()?.peekable();
    let mut any = false;
    while let Some(entry) = left_over.next() {
        let (first, bytes) = entry?;
        let gap = damaged(first, Damage::Gap);
        let segment = stored.segment_of(first)?.ok_or(gap)?;
        let mut memory = Vec::new();
        stored.segment(segment, &mut memory)?;
        let segment = Segment::read(segment, &memory).map_err(|damage| damaged(segment, damage))?;
        let mut blocks = vec![(first, bytes)];
        while let Some(Ok((first, _))) = left_over.peek()
            && *first <= segment.last()
        {
            blocks.extend(left_over.next().transpose()?);
        }
        prove_one(stored, &segment, &blocks)?;
        any = true;
    }
    Ok(any)
}

fn prove_one(
    stored: &Stored,
    segment: &Segment<'_>,
    blocks: &[(Position, BlockBytes)],
) -> Result<(), ReadError> {
    let blocks = blocks
        .iter()
        .map(|(first, bytes)| read_block(*first, bytes.as_ref()));
    let blocks: Vec<Block<'_>> = blocks.collect::<Result<_, ReadError>>()?;
    let Some(newest) = blocks.last() else {
        return Ok(());
    };
    let rows = blocks
        .iter()
        .flat_map(|block| (block.first.0..).zip(block.rows()));
    let mut rows = rows.peekable();
    let mut tree = stored.tree_behind(Position(segment.first.0 - 1))?;
    segment.each_leaf(newest.last(), &mut tree, |envelope, row| {
        let ours = rows.next_if(|(position, _)| *position == envelope.position.0);
        let same = ours.is_none_or(|(_, ours)| ours == row);
        same.then_some(()).ok_or(Damage::Root)
    })?;
    let same = rows.next().is_none() && tree.root() == newest.root;
    same.then_some(())
        .ok_or(damaged(newest.first, Damage::Root))
}
