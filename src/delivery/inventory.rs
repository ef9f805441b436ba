//! Which files of a bucket were taken in, and in which version: a cache on disk.
//!
//! An entry is written after the events of its file are durable. A crash between the two leaves a
//! file that is fetched once more and changes nothing.

use std::fs;
use std::io;
use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::objects::Listed;

/// Which files of a bucket were taken in, and in which version.
#[derive(Debug)]
pub struct Inventory {
    file: Database,
    table: String,
}

/// Why the inventory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the inventory of files cannot be used")]
pub struct InventoryError(#[from] redb::Error);

/// What the inventory knows of a listed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: it is new.
    New,
    /// Another version of it was taken in.
    Changed,
    /// This version was set aside, since its partition was not declared.
    Foreign,
    /// This version was set aside, since it was larger than the files that are read.
    Large,
    /// This version was taken in.
    Taken,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was taken in, or set aside for good.
    Taken,
    /// It was set aside, since its partition was not declared.
    Foreign,
    /// It was set aside, since it was larger than the files that are read.
    Large,
}

impl Mark {
    const fn letter(self) -> char {
        match self {
            Self::Taken => 't',
            Self::Foreign => 'f',
            Self::Large => 'l',
        }
    }
}

/// A file that was taken in, or set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) version: String,
    /// What became of it.
    pub(super) mark: Mark,
}

impl Inventory {
    /// The inventory of a bucket, in a file that is made anew when it is damaged.
    ///
    /// # Errors
    /// When the file cannot be opened or made.
    pub fn open(path: &Path, bucket: &str) -> Result<Self, InventoryError> {
        let file = Database::create(path).or_else(|error| {
            tracing::warn!(%error, "the inventory of files is damaged and is made anew");
            remove(path).map_err(redb::DatabaseError::from)?;
            Database::create(path)
        });
        Ok(Self {
            file: file.map_err(redb::Error::from)?,
            table: format!("files of {bucket}"),
        })
    }

    fn table(&self) -> TableDefinition<'_, &'static str, &'static str> {
        TableDefinition::new(&self.table)
    }

    /// What it knows of each of these files.
    pub(super) fn know(&self, files: &[Listed]) -> Result<Vec<Known>, InventoryError> {
        let reading = self.file.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(self.table()) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(vec![Known::New; files.len()]),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let known = files.iter().map(|file| {
            let found = table.get(file.key.as_str()).map_err(redb::Error::from)?;
            Ok(found.map_or(Known::New, |found| known_by(found.value(), &file.version)))
        });
        known.collect()
    }

    /// Notes files whose events are durable. The note itself is durable after [`Self::settle`]:
    /// until then a power cut leaves files that are fetched once more.
    pub(super) fn note(&self, entries: &[Entry]) -> Result<(), InventoryError> {
        let write = || -> Result<(), redb::Error> {
            let mut writing = self.file.begin_write()?;
            writing.set_durability(Durability::None)?;
            {
                let mut table = writing.open_table(self.table())?;
                for entry in entries {
                    let row = format!("{}{}", entry.mark.letter(), entry.version);
                    table.insert(entry.key.as_str(), row.as_str())?;
                }
            }
            Ok(writing.commit()?)
        };
        Ok(write()?)
    }

    /// Makes durable what was noted.
    pub(super) fn settle(&self) -> Result<(), InventoryError> {
        let write = || -> Result<(), redb::Error> { Ok(self.file.begin_write()?.commit()?) };
        Ok(write()?)
    }

    /// Hands over every key that it knows, in order.
    pub(super) fn each_key(&self, mut each: impl FnMut(&str)) -> Result<(), InventoryError> {
        let mut read = || -> Result<(), redb::Error> {
            let reading = self.file.begin_read()?;
            let table = match reading.open_table(self.table()) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(()),
                table => table?,
            };
            for row in table.iter()? {
                each(row?.0.value());
            }
            Ok(())
        };
        Ok(read()?)
    }
}

fn known_by(row: &str, version: &str) -> Known {
    match row.split_at_checked(1) {
        Some(("t", taken)) if taken == version => Known::Taken,
        Some(("f", set_aside)) if set_aside == version => Known::Foreign,
        Some(("l", set_aside)) if set_aside == version => Known::Large,
        _ => Known::Changed,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(key: &str, version: &str) -> Listed {
        Listed {
            key: key.into(),
            version: version.into(),
            bytes: 1,
        }
    }

    fn entry(key: &str, version: &str, mark: Mark) -> Entry {
        Entry {
            key: key.into(),
            version: version.into(),
            mark,
        }
    }

    #[test]
    fn a_file_is_known_in_the_version_that_was_taken_in() {
        let root = tempfile::tempdir().expect("a directory can be made");
        let path = root.path().join("inventory.redb");
        let files = [
            listed("a", "1"),
            listed("b", "2"),
            listed("c", "3"),
            listed("d", "4"),
            listed("e", "5"),
        ];
        {
            let inventory = Inventory::open(&path, "x").expect("it opens");
            assert_eq!(inventory.know(&files).expect("read"), vec![Known::New; 5]);
            let taken = [
                entry("a", "1", Mark::Taken),
                entry("b", "1", Mark::Taken),
                entry("c", "3", Mark::Foreign),
                entry("e", "5", Mark::Large),
            ];
            inventory.note(&taken).expect("written");
            inventory.settle().expect("written");
        }
        let inventory = Inventory::open(&path, "x").expect("it opens again");
        let known = inventory.know(&files).expect("read");
        assert_eq!(
            known,
            [
                Known::Taken,
                Known::Changed,
                Known::Foreign,
                Known::New,
                Known::Large
            ]
        );
        let mut keys = String::new();
        inventory.each_key(|key| keys.push_str(key)).expect("read");
        assert_eq!(keys, "abce");
        drop(inventory);
        let other = Inventory::open(&path, "y").expect("it opens for another bucket");
        assert_eq!(other.know(&files).expect("read"), vec![Known::New; 5]);
    }

    #[test]
    fn a_damaged_inventory_is_made_anew() {
        let root = tempfile::tempdir().expect("a directory can be made");
        let path = root.path().join("inventory.redb");
        fs::write(&path, b"no database at all").expect("written");
        let inventory = Inventory::open(&path, "x").expect("it opens");
        assert_eq!(
            inventory.know(&[listed("a", "1")]).expect("read"),
            [Known::New]
        );
    }
}
