//! The thread that writes generations, merges runs, and deletes what is merged.
//!
//! All of it goes in small transactions, generations first, so that a long merge holds nobody up.

use std::collections::BTreeSet;
use std::sync::Arc;

use purser_events::codec::append;
use purser_projections::recall::RecallKey;

use super::IndexError;
use super::build::{Pages, RunBuilder, Shape};
use super::disk::Tuning;
use super::merge::Merge;
use super::run::{Allowance, Run};
use super::shared::{Generation, Shared, Waiting, guarded};
use super::store::{Change, Contents, Manifest, Opener, Store};

/// Runs of at most so many records are of the lowest tier.
const TIER_RECORDS: u64 = 3_000;

pub(super) struct Background {
    shared: Arc<Shared>,
    opener: Opener,
    tuning: Tuning,
    store: Option<Store>,
    merges: Vec<Merge>,
    leftovers: BTreeSet<u32>,
    manifest: Manifest,
    next_run: u32,
}

enum Task {
    Reopen,
    Write(Waiting),
    Discard(u32),
    Merge,
}

impl Background {
    /// Opens the file.
    pub(super) fn open(
        shared: Arc<Shared>,
        opener: Opener,
        tuning: Tuning,
    ) -> Result<Self, IndexError> {
        let mut background = Self {
            shared,
            opener,
            tuning,
            store: None,
            merges: Vec::new(),
            leftovers: BTreeSet::new(),
            manifest: Manifest::default(),
            next_run: 0,
        };
        guarded(|| background.reopen())?;
        Ok(background)
    }

    /// Works until the index is dropped.
    pub(super) fn run(mut self) {
        while let Some(task) = self.next_task() {
            if let Err(failure) = guarded(|| self.perform(task)) {
                self.halt(failure);
            }
        }
        // The readers' tables go first, so that the file is closed in order.
        *self.shared.runs_mut() = None;
    }

    fn next_task(&self) -> Option<Task> {
        let mut state = self.shared.state();
        loop {
            if state.halted {
                if state.stopping {
                    return None;
                }
            } else if self.store.is_none() || state.suspect {
                return Some(Task::Reopen);
            } else if let Some(run) = self.leftovers.first().filter(|_| !state.stopping) {
                return Some(Task::Discard(*run));
            } else if self.is_behind() && !state.stopping {
                return Some(Task::Merge);
            } else if let Some(waiting) = state.queue.front() {
                return Some(Task::Write(waiting.clone()));
            } else if state.stopping {
                return None;
            } else if !self.merges.is_empty() {
                return Some(Task::Merge);
            }
            state = self.shared.wait(state);
        }
    }

    fn perform(&mut self, task: Task) -> Result<(), IndexError> {
        match task {
            Task::Reopen => self.reopen(),
            Task::Write(waiting) => self.write(&waiting),
            Task::Discard(run) => self.discard(run),
            Task::Merge => self.merge(),
        }
    }

    /// After an error redb works no more, so the file is opened anew at once: lookups go on.
    /// Whatever was being written is a leftover then, and is done again later.
    fn halt(&mut self, failure: IndexError) {
        tracing::warn!(error = %failure, "the index of ids could not be written");
        self.shared.change(|state| state.suspect = true);
        if let Err(error) = guarded(|| self.reopen()) {
            tracing::error!(%error, "failed to open the index of ids again");
        }
        self.shared.change(|state| {
            state.halted = true;
            state.failure = Some(failure);
        });
    }

    fn reopen(&mut self) -> Result<(), IndexError> {
        let shared = Arc::clone(&self.shared);
        let mut runs = shared.runs_mut();
        *runs = None;
        self.merges.clear();
        self.store = None;
        let store = Store::open(&self.opener, self.tuning.cache_bytes)?;
        let contents = store.contents()?;
        *runs = Some(self.opened(&contents, &[])?);
        let newest = contents
            .manifest
            .runs
            .iter()
            .map(|(run, _)| run)
            .chain(&contents.leftovers)
            .max();
        self.next_run = self.next_run.max(newest.map_or(0, |run| run + 1));
        self.leftovers = contents.leftovers;
        self.manifest = contents.manifest;
        self.store = Some(store);
        self.plan();
        let checkpoint = self.manifest.checkpoint;
        self.shared.change(|state| {
            state.checkpoint = checkpoint;
            state.suspect = false;
        });
        Ok(())
    }

    /// The runs to look keys up in; small ones come first into the memory for filters, because
    /// every run costs a look, whatever its size.
    fn opened(&self, contents: &Contents, known: &[Run]) -> Result<Vec<Run>, IndexError> {
        let mut wanted = contents.manifest.runs.clone();
        wanted.sort_unstable_by_key(|(_, shape)| shape.lines);
        let mut allowance = Allowance(self.tuning.filter_bytes);
        let mut runs = Vec::with_capacity(wanted.len());
        for run in wanted {
            let known = known.iter().find(|known| known.number == run.0);
            runs.push(Run::open(&contents.at, run, known, &mut allowance)?);
        }
        Ok(runs)
    }

    fn store(&self) -> Result<&Store, IndexError> {
        self.store.as_ref().ok_or(IndexError::Damaged)
    }

    /// Shows what was committed to the lookups, and lets go of the state before it.
    fn refresh(&mut self) -> Result<(), IndexError> {
        let contents = self.store()?.contents()?;
        let opened = {
            let known = self.shared.runs();
            self.opened(&contents, known.as_deref().unwrap_or_default())?
        };
        *self.shared.runs_mut() = Some(opened);
        self.manifest = contents.manifest;
        let written = self.store()?.written();
        let checkpoint = self.manifest.checkpoint;
        self.shared.change(|state| {
            state.checkpoint = checkpoint;
            state.written = written;
        });
        Ok(())
    }

    fn write(&mut self, waiting: &Waiting) -> Result<(), IndexError> {
        let store = self.store()?;
        let mut manifest = self.manifest.clone();
        manifest.checkpoint = waiting.position;
        let mut last = None;
        if !waiting.generation.is_empty() {
            let (run, chunk_bytes) = (self.next_run, self.tuning.chunk_bytes);
            let (shape, pages) = write_run(store, run, &waiting.generation, chunk_bytes)?;
            manifest.runs.push((run, shape));
            last = Some((run, pages));
        }
        store.commit(&Change {
            pages: last.as_ref().map(|(run, pages)| (*run, pages)),
            manifest: Some(&manifest),
        })?;
        self.next_run += 1;
        self.refresh()?;
        self.shared.change(|state| state.queue.pop_front());
        self.plan();
        Ok(())
    }

    fn discard(&mut self, run: u32) -> Result<(), IndexError> {
        self.store()?.discard(run)?;
        self.leftovers.remove(&run);
        self.refresh()?;
        self.plan();
        Ok(())
    }

    /// Goes on with the smallest merge: small runs are many, and each costs a look.
    fn merge(&mut self) -> Result<(), IndexError> {
        let Some(at) = (0..self.merges.len()).min_by_key(|at| self.merges[*at].size()) else {
            return Ok(());
        };
        let store = self.store.as_ref().ok_or(IndexError::Damaged)?;
        if self.merges[at].step(store, self.tuning.chunk_bytes)? {
            return Ok(());
        }
        let merge = self.merges.swap_remove(at);
        let sources = merge.sources();
        merge.publish(store, self.manifest.clone())?;
        self.refresh()?;
        self.leftovers.extend(sources);
        self.plan();
        Ok(())
    }

    /// Begins the merges that are due.
    fn plan(&mut self) {
        for tier in self.free_tiers() {
            if tier.len() >= self.tuning.fan {
                self.merges.push(Merge::new(self.next_run, &tier));
                self.next_run += 1;
            }
        }
        let unfinished = self.merges.len() + self.leftovers.len();
        self.shared
            .change(|state| state.unfinished = unfinished as u64);
    }

    /// The runs that no merge takes, by tier.
    fn free_tiers(&self) -> Vec<Vec<(u32, Shape)>> {
        let mut tiers: Vec<Vec<_>> = Vec::new();
        for run in &self.manifest.runs {
            if self.merges.iter().any(|merge| merge.takes(run.0)) {
                continue;
            }
            let tier = tier_of(run.1, self.tuning.fan as u64);
            if tiers.len() <= tier {
                tiers.resize_with(tier + 1, Vec::new);
            }
            tiers[tier].push(*run);
        }
        tiers
    }

    /// Whether generations come faster than runs are merged.
    fn is_behind(&self) -> bool {
        !self.merges.is_empty() && self.manifest.runs.len() > self.tuning.runs_max
    }
}

/// Writes a generation as a run, but for its last pages, which are handed over.
fn write_run(
    store: &Store,
    run: u32,
    generation: &Generation,
    chunk_bytes: u64,
) -> Result<(Shape, Pages), IndexError> {
    let (entries, bytes) = sorted(generation);
    let planned = Shape::of(entries.len() as u64, bytes.len() as u64);
    let mut builder = RunBuilder::new(run, planned);
    for (key, start, end) in entries {
        let key = RecallKey(key.to_be_bytes());
        builder.push(key, &bytes[start as usize..end as usize]);
        if builder.ready() >= chunk_bytes {
            store.commit(&Change {
                pages: Some((run, &builder.take())),
                manifest: None,
            })?;
        }
    }
    Ok(builder.finish())
}

/// The keys in order, with the places of their encoded records in the bytes. Encoding first, in
/// the map's own order, and sorting then reads each record from memory only once.
fn sorted(generation: &Generation) -> (Vec<(u128, u32, u32)>, Vec<u8>) {
    let mut entries = Vec::with_capacity(generation.len());
    let mut bytes = Vec::with_capacity(generation.len() * 32);
    let place = |bytes: &Vec<u8>| u32::try_from(bytes.len()).expect("a generation is under 4 GiB");
    for (key, record) in generation {
        let start = place(&bytes);
        append(record, &mut bytes);
        entries.push((u128::from_be_bytes(key.0), start, place(&bytes)));
    }
    entries.sort_unstable_by_key(|(key, ..)| *key);
    (entries, bytes)
}

fn tier_of(shape: Shape, fan: u64) -> usize {
    (shape.records / TIER_RECORDS).max(1).ilog(fan) as usize
}
