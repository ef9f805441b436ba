//! The index's own redb file: a manifest of runs, and two tables for each run.
//!
//! A run's tables are written in several transactions and mean nothing until the transaction that
//! puts the run into the manifest. Tables of runs that are not in the manifest are leftovers.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use purser_events::Position;
use purser_events::codec::{append, from_bytes};
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, TableDefinition,
    TableHandle, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::IndexError;
use super::block::{Mark, seal, unseal, unsealed};
use super::build::{Pages, Shape};

/// Grows with every change of the stored form, [`purser_projections::recall::Record`]'s included:
/// a file of another form is thrown away and made anew from the log.
pub(super) const FORM: u64 = 1;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const MANIFEST: &str = "manifest";

/// What counts: the runs, and how far they reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) checkpoint: Position,
    pub(super) runs: Vec<(u32, Shape)>,
}

/// Sealed bytes by number.
pub(super) type PageTable = redb::ReadOnlyTable<u32, &'static [u8]>;

/// Opens the database: the file, or what a test puts in its place.
pub type Opener = Box<dyn Fn(&mut Builder) -> Result<Database, DatabaseError> + Send>;

/// Wraps what redb says.
pub(super) fn fault(error: impl Into<redb::Error>) -> IndexError {
    match error.into() {
        redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::UnorderedKey
        | redb::Error::TypeDefinitionChanged { .. } => IndexError::Damaged,
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
            ) =>
        {
            IndexError::Damaged
        }
        error => IndexError::Storage(Box::new(error)),
    }
}

/// What stands in the file.
pub(super) struct Contents {
    pub(super) manifest: Manifest,
    /// Runs of which there are tables, but which the manifest does not name.
    pub(super) leftovers: BTreeSet<u32>,
    pub(super) at: ReadTransaction,
}

/// What one transaction does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) pages: Option<(u32, &'a Pages)>,
    pub(super) manifest: Option<&'a Manifest>,
}

/// The opened file.
pub(super) struct Store {
    database: Database,
    written: AtomicU64,
}

impl Store {
    /// Opens the file, or makes an empty index in an empty one.
    pub(super) fn open(opener: &Opener, cache_bytes: usize) -> Result<Self, IndexError> {
        let mut builder = Builder::new();
        builder.set_cache_size(cache_bytes);
        let database = opener(&mut builder).map_err(fault)?;
        let store = Self {
            database,
            written: AtomicU64::new(0),
        };
        store.prepare()?;
        Ok(store)
    }

    /// Writes an empty manifest into a new file.
    fn prepare(&self) -> Result<(), IndexError> {
        let at = self.at()?;
        if at.list_tables().map_err(fault)?.next().is_some() {
            return Ok(());
        }
        self.commit(&Change {
            pages: None,
            manifest: Some(&Manifest::default()),
        })
    }

    /// Every commit is ready for a quick repair, so that opening after a crash reads no history.
    fn begin(&self) -> Result<WriteTransaction, IndexError> {
        let mut write = self.database.begin_write().map_err(fault)?;
        write.set_quick_repair(true);
        Ok(write)
    }

    /// Stores pages and changes the manifest, durably and at once.
    pub(super) fn commit(&self, change: &Change<'_>) -> Result<(), IndexError> {
        let write = self.begin()?;
        if let Some((run, pages)) = change.pages {
            store_pages(&write, run, pages)?;
            self.written.fetch_add(pages.bytes, Ordering::Relaxed);
        }
        if let Some(manifest) = change.manifest {
            let mut bytes = unsealed(0);
            append(manifest, &mut bytes);
            let mut meta = write.open_table(META).map_err(fault)?;
            let bytes = seal(bytes, Mark::Manifest(FORM));
            meta.insert(MANIFEST, bytes.as_slice()).map_err(fault)?;
        }
        write.commit().map_err(fault)
    }

    /// How many bytes of pages were stored since the file was opened.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Deletes the tables of a run.
    pub(super) fn discard(&self, run: u32) -> Result<(), IndexError> {
        let write = self.begin()?;
        for name in [blocks(run), filter(run)] {
            write.delete_table(definition(&name)).map_err(fault)?;
        }
        write.commit().map_err(fault)
    }

    /// A view of the file as it is now.
    pub(super) fn at(&self) -> Result<ReadTransaction, IndexError> {
        self.database.begin_read().map_err(fault)
    }

    /// What stands in the file.
    pub(super) fn contents(&self) -> Result<Contents, IndexError> {
        let at = self.at()?;
        let manifest = manifest(&at)?;
        let mut leftovers = tables(&at)?;
        leftovers.retain(|run| manifest.runs.iter().all(|(kept, _)| kept != run));
        Ok(Contents {
            manifest,
            leftovers,
            at,
        })
    }
}

fn manifest(at: &ReadTransaction) -> Result<Manifest, IndexError> {
    let meta = at.open_table(META).map_err(fault)?;
    let row = meta.get(MANIFEST).map_err(fault)?;
    let row = row.ok_or(IndexError::Damaged)?;
    let bytes = unseal(row.value(), Mark::Manifest(FORM)).ok_or(IndexError::Damaged)?;
    from_bytes(bytes).map_err(|_| IndexError::Damaged)
}

/// Pages come in the order of their numbers, so that they are put at the table's end.
fn store_pages(write: &WriteTransaction, run: u32, pages: &Pages) -> Result<(), IndexError> {
    for (name, pages) in [(blocks(run), &pages.blocks), (filter(run), &pages.pieces)] {
        let mut table = write.open_table(definition(&name)).map_err(fault)?;
        let mut end = table
            .upper_bound_mut(Bound::<u32>::Unbounded)
            .map_err(fault)?;
        for (number, bytes) in pages {
            end.insert_before(number, bytes.as_slice()).map_err(fault)?;
        }
        end.close().map_err(fault)?;
    }
    Ok(())
}

fn blocks(run: u32) -> String {
    format!("blocks {run}")
}

fn filter(run: u32) -> String {
    format!("filter {run}")
}

fn definition(name: &str) -> TableDefinition<'_, u32, &'static [u8]> {
    TableDefinition::new(name)
}

/// The runs of which there are tables.
fn tables(at: &ReadTransaction) -> Result<BTreeSet<u32>, IndexError> {
    let run_of = |name: &str| name.split_once(' ')?.1.parse().ok();
    let tables = at.list_tables().map_err(fault)?;
    Ok(tables.filter_map(|table| run_of(table.name())).collect())
}

/// The blocks of a run.
pub(super) fn blocks_of(at: &ReadTransaction, run: u32) -> Result<PageTable, IndexError> {
    at.open_table(definition(&blocks(run))).map_err(fault)
}

/// The filter pieces of a run.
pub(super) fn filter_of(at: &ReadTransaction, run: u32) -> Result<PageTable, IndexError> {
    at.open_table(definition(&filter(run))).map_err(fault)
}
