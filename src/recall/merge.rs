//! Several runs become one, a stretch at a time.

use purser_events::codec::{append, from_bytes};
use purser_projections::recall::{RecallKey, Record};

use super::IndexError;
use super::block::{Block, Mark};
use super::build::{RunBuilder, Shape};
use super::store::{Change, Manifest, PageTable, Store, blocks_of, fault};

/// A merge that is under way.
pub(super) struct Merge {
    target: u32,
    sources: Vec<Source>,
    builder: RunBuilder,
}

impl Merge {
    /// Begins to merge these runs into the run `target`.
    pub(super) fn new(target: u32, runs: &[(u32, Shape)]) -> Self {
        let records = runs.iter().map(|(_, shape)| shape.records).sum();
        let bytes = runs.iter().map(|(_, shape)| shape.bytes).sum();
        Self {
            target,
            sources: runs.iter().copied().map(Source::new).collect(),
            builder: RunBuilder::new(target, Shape::of(records, bytes)),
        }
    }

    /// Whether the run is one of those that become one.
    pub(super) fn takes(&self, run: u32) -> bool {
        self.sources.iter().any(|source| source.run == run)
    }

    /// How many records the merge will have read at its end.
    pub(super) fn size(&self) -> u64 {
        self.sources.iter().map(|source| source.shape.records).sum()
    }

    /// The runs that become one.
    pub(super) fn sources(&self) -> Vec<u32> {
        self.sources.iter().map(|source| source.run).collect()
    }

    /// Merges until about `bytes` are ready and stores them; answers whether more is to come.
    pub(super) fn step(&mut self, store: &Store, bytes: u64) -> Result<bool, IndexError> {
        let at = store.at()?;
        let mut tables = Vec::with_capacity(self.sources.len());
        for source in &mut self.sources {
            let table = blocks_of(&at, source.run)?;
            source.settle(&table)?;
            tables.push(table);
        }
        let mut same = Vec::new();
        let mut scratch = Vec::new();
        while self.builder.ready() < bytes {
            let Some(key) = lowest(&self.sources, &mut same) else {
                break;
            };
            let record = merged(&self.sources, &same, &mut scratch)?;
            self.builder.push(key, record);
            for at in same.drain(..) {
                self.sources[at].advance(&tables[at])?;
            }
        }
        store.commit(&Change {
            pages: Some((self.target, &self.builder.take())),
            manifest: None,
        })?;
        Ok(self.sources.iter().any(|source| source.head.is_some()))
    }

    /// Puts the new run in the place of the old ones.
    pub(super) fn publish(self, store: &Store, mut manifest: Manifest) -> Result<(), IndexError> {
        manifest.runs.retain(|(run, _)| !self.takes(*run));
        let (shape, pages) = self.builder.finish();
        manifest.runs.push((self.target, shape));
        store.commit(&Change {
            pages: Some((self.target, &pages)),
            manifest: Some(&manifest),
        })
    }
}

/// The lowest key at hand, and the places of the sources that stand at it.
fn lowest(sources: &[Source], same: &mut Vec<usize>) -> Option<RecallKey> {
    let mut lowest = None;
    for (at, source) in sources.iter().enumerate() {
        let Some(head) = source.head else { continue };
        match lowest {
            Some(low) if low < head => {}
            Some(low) if low == head => same.push(at),
            _ => {
                lowest = Some(head);
                same.clear();
                same.push(at);
            }
        }
    }
    lowest.map(|key| RecallKey(key.to_be_bytes()))
}

/// The record that the sources at these places stand at. Only equal keys are decoded.
fn merged<'a>(
    sources: &'a [Source],
    same: &[usize],
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], IndexError> {
    let (first, rest) = same.split_first().ok_or(IndexError::Damaged)?;
    let first = sources[*first].record()?;
    if rest.is_empty() {
        return Ok(first);
    }
    let mut record = decode(first)?;
    for at in rest {
        record.merge(&decode(sources[*at].record()?)?);
    }
    scratch.clear();
    append(&record, scratch);
    Ok(scratch)
}

/// Reads a stored record.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, IndexError> {
    from_bytes(bytes).map_err(|_| IndexError::Damaged)
}

/// A place in a run that is merged. It holds a copy of its block, and no transaction: pages that
/// are freed in the meantime can be used again.
struct Source {
    run: u32,
    shape: Shape,
    next_block: u32,
    block: Vec<u8>,
    at: usize,
    head: Option<u128>,
}

impl Source {
    fn new((run, shape): (u32, Shape)) -> Self {
        Self {
            run,
            shape,
            next_block: 0,
            block: Vec::new(),
            at: 0,
            head: None,
        }
    }

    /// Finds the first record, if that was not done yet.
    fn settle(&mut self, table: &PageTable) -> Result<(), IndexError> {
        if self.head.is_none() {
            self.next(table)?;
        }
        Ok(())
    }

    fn advance(&mut self, table: &PageTable) -> Result<(), IndexError> {
        self.at += 1;
        self.head = self.entry().map(|(key, _)| u128::from_be_bytes(key.0));
        if self.head.is_none() {
            self.next(table)
        } else {
            Ok(())
        }
    }

    fn entry(&self) -> Option<(RecallKey, &[u8])> {
        Block::again(&self.block)?.entry(self.at)
    }

    fn record(&self) -> Result<&[u8], IndexError> {
        self.entry()
            .map(|(_, record)| record)
            .ok_or(IndexError::Damaged)
    }

    /// Goes to the start of the next block that holds anything.
    fn next(&mut self, table: &PageTable) -> Result<(), IndexError> {
        while u64::from(self.next_block) < self.shape.blocks {
            let number = self.next_block;
            self.next_block += 1;
            let page = table.get(number).map_err(fault)?;
            let page = page.ok_or(IndexError::Damaged)?;
            let mark = Mark::Block(self.run, number);
            Block::checked(page.value(), mark).ok_or(IndexError::Damaged)?;
            self.block.clear();
            self.block.extend_from_slice(page.value());
            self.at = 0;
            self.head = self.entry().map(|(key, _)| u128::from_be_bytes(key.0));
            if self.head.is_some() {
                break;
            }
        }
        Ok(())
    }
}
