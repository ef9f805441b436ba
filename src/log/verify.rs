//! Reads every byte of a log and compares all that is stored twice: checksums, positions, times,
//! leaves and roots, and at last the storage engine's own checksums.
//!
//! The files are only read: redb works on a copy in memory of what it would write.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use purser_events::codec::decode_envelope;
use purser_events::{Envelope, Micros, Position};
use redb::backends::InMemoryBackend;

use super::error::{AcquireError, Damage, ReadError};
use super::files::Files;
use super::overlay::Overlay;
use super::pruned::Ranges;
use super::read::{damaged, read_block};
use super::sealed::Segment;
use super::store::{StoreError, caught};
use super::stored::Stored;
use super::tree::{Frontier, salt};
use super::{End, directory, settle};

/// What was found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Where the log ends.
    pub end: End,
    /// How many blocks are not sealed.
    pub blocks: u64,
    /// How many segments are sealed.
    pub segments: u64,
    /// How many bytes blocks and segments take, without what the storage engine adds.
    pub bytes: u64,
}

/// The first thing that is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log cannot be opened: it is held, newer, missing, or its file is damaged where the
    /// storage engine looks first.
    #[error(transparent)]
    Open(#[from] AcquireError),
    /// The log is damaged at a position, or cannot be read there.
    #[error(transparent)]
    Breach(#[from] ReadError),
    /// Every event is whole, but the storage engine's own structure is not.
    #[error("the storage engine finds its file damaged; every event up to {last} is whole")]
    Structure {
        /// The last position.
        last: Position,
        /// The storage engine's word, when it has one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// Verifies the log in a data directory that no other process holds, and hands over every
/// envelope that was found whole, in order, to whoever wants to check more.
///
/// # Errors
/// The first breach.
pub fn verify(directory: &Path, each: &mut dyn FnMut(Envelope)) -> Result<Verified, VerifyError> {
    verify_with(directory, None, each)
}

/// The same, with where ranges are read that were pruned in the directory: they are verified as
/// all others.
///
/// # Errors
/// The first breach, or that a range cannot be had.
pub fn verify_with(
    directory: &Path,
    ranges: Option<Arc<dyn Ranges>>,
    each: &mut dyn FnMut(Envelope),
) -> Result<Verified, VerifyError> {
    let files = look(directory)?;
    if let Some(ranges) = ranges {
        files.elsewhere.set(ranges);
    }
    let at = Cell::new(Position::ORIGIN.next());
    let walked = caught(|| Walk::over(&files, each, &at));
    let found = walked.unwrap_or_else(|| Err(damaged(at.get(), Damage::Form)))?;
    let last = found.end.position;
    for store in [&files.cold, &files.hot] {
        match caught(|| store.check_integrity()) {
            Some(Ok(true)) => {}
            Some(Err(error)) => return Err(structure(last, error)),
            Some(Ok(false)) | None => {
                return Err(VerifyError::Structure { last, source: None });
            }
        }
    }
    Ok(found)
}

/// Both files, as the next start would find them, and with what it would do to them in memory.
fn look(directory: &Path) -> Result<Files, VerifyError> {
    let cold = Arc::new(Overlay::over(directory::look(directory)?));
    let opened = Files::open(cold, directory, |found| {
        let hot = directory::look_hot(directory, found)?;
        Ok(match hot {
            Some(hot) => Arc::new(Overlay::over(hot)),
            None => Arc::new(InMemoryBackend::new()),
        })
    });
    let (files, found) = opened?;
    match settle::settle(&files, found) {
        Ok(()) => Ok(files),
        Err(AcquireError::Corrupt(breach)) => Err(VerifyError::Breach(breach)),
        Err(error) => Err(VerifyError::Open(error)),
    }
}

fn structure(last: Position, error: StoreError) -> VerifyError {
    let source = Some(Box::from(error));
    VerifyError::Structure { last, source }
}

struct Walk<'a> {
    stored: Stored,
    each: &'a mut dyn FnMut(Envelope),
    // Which position is looked at, for whoever must know when redb gives up.
    at: &'a Cell<Position>,
    tree: Frontier,
    recorded_at: Micros,
    found: Verified,
}

impl<'a> Walk<'a> {
    fn over(
        files: &Files,
        each: &'a mut dyn FnMut(Envelope),
        at: &'a Cell<Position>,
    ) -> Result<Verified, ReadError> {
        let end = End {
            position: Position::ORIGIN,
            recorded_at: Micros(0),
            root: Frontier::EMPTY.root(),
        };
        let mut walk = Self {
            stored: Stored::now(files, Position::ORIGIN)?,
            each,
            at,
            tree: Frontier::EMPTY,
            recorded_at: Micros(0),
            found: Verified {
                end,
                blocks: 0,
                segments: 0,
                bytes: 0,
            },
        };
        walk.segments()?;
        walk.blocks()?;
        walk.found.end = End {
            position: Position(walk.tree.size()),
            recorded_at: walk.recorded_at,
            root: walk.tree.root(),
        };
        Ok(walk.found)
    }

    fn next(&self) -> Position {
        Position(self.tree.size() + 1)
    }

    fn check_next(&self, first: Position) -> Result<(), ReadError> {
        self.at.set(self.next());
        if first != self.next() {
            return Err(damaged(self.next().min(first), Damage::Gap));
        }
        Ok(())
    }

    fn check_root(&self, first: Position, root: super::Root) -> Result<(), ReadError> {
        if self.tree.root() != root {
            return Err(damaged(first, Damage::Root));
        }
        Ok(())
    }

    fn segments(&mut self) -> Result<(), ReadError> {
        let mut bytes = Vec::new();
        let mut from = Position::ORIGIN;
        while let Some(first) = self.stored.segment_from(from)? {
            self.check_next(first)?;
            bytes.clear();
            self.stored.segment(first, &mut bytes)?;
            self.segment(first, &bytes)?;
            if let Some(tree) = self.stored.pruned_tree(first)? {
                self.check_frontier(first, Some(&tree))?;
            }
            self.found.segments += 1;
            self.found.bytes += bytes.len() as u64;
            from = self.next();
        }
        Ok(())
    }

    fn segment(&mut self, first: Position, bytes: &[u8]) -> Result<(), ReadError> {
        let segment = Segment::read(first, bytes).map_err(|damage| damaged(first, damage))?;
        let (each, recorded_at) = (&mut self.each, &mut self.recorded_at);
        segment.each_leaf(segment.last(), &mut self.tree, |envelope, _| {
            follow(recorded_at, &envelope)?;
            each(envelope);
            Ok(())
        })?;
        self.check_root(first, segment.root)?;
        let frontier = segment.frontier();
        self.check_frontier(first, frontier.as_ref())
    }

    fn check_frontier(&self, first: Position, stored: Option<&Frontier>) -> Result<(), ReadError> {
        match stored {
            Some(frontier) if frontier.bytes() == self.tree.bytes() => Ok(()),
            _ => Err(damaged(first, Damage::Root)),
        }
    }

    fn blocks(&mut self) -> Result<(), ReadError> {
        for entry in self.stored.blocks(Position::ORIGIN, Position(u64::MAX))? {
            let (first, bytes) = entry?;
            self.check_next(first)?;
            self.block(first, bytes.as_ref())?;
            self.found.blocks += 1;
            self.found.bytes += bytes.as_ref().len() as u64;
        }
        Ok(())
    }

    fn block(&mut self, first: Position, bytes: &[u8]) -> Result<(), ReadError> {
        let block = read_block(first, bytes)?;
        let salt = salt(&block.seed, first.0);
        for (index, row) in (0..).zip(block.rows()) {
            let position = first.plus(index);
            let envelope = decode_envelope(position, row)
                .map_err(Damage::Entry)
                .and_then(|envelope| {
                    follow(&mut self.recorded_at, &envelope)?;
                    Ok(envelope)
                })
                .map_err(|damage| damaged(position, damage))?;
            self.tree.append(salt.leaf(index, row));
            (self.each)(envelope);
        }
        self.check_root(first, block.root)?;
        match block.frontier() {
            Some(frontier) => self.check_frontier(first, Some(&frontier)),
            None => Ok(()),
        }
    }
}

/// Time never goes back.
fn follow(recorded_at: &mut Micros, envelope: &Envelope) -> Result<(), Damage> {
    if envelope.recorded_at < *recorded_at {
        return Err(Damage::Time);
    }
    *recorded_at = envelope.recorded_at;
    Ok(())
}
