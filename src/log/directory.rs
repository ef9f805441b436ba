//! The data directory: which format it has, and who holds it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{DatabaseError, ReadableDatabase};

use super::AcquireError;
use super::store::{StoreError, caught};
use super::stored::{META_FORMAT, meta};

/// The newest format of the data directory that this program knows.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "format";
const FORMAT_TEXT: &str = "purser log, format ";
const LOG_FILE: &str = "log.redb";

/// Opens the log's file in a directory, or makes both; refuses a newer format before anything is
/// written.
pub(crate) fn open(directory: &Path) -> Result<(FileBackend, PathBuf), AcquireError> {
    fs::create_dir_all(directory).map_err(unreachable_at)?;
    refuse_newer(directory)?;
    let path = directory.join(LOG_FILE);
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(unreachable_at)?;
    let backend = FileBackend::new(file).map_err(|error| unopened(error, &path))?;
    super::unfinished::discard(&directory.join(FORMAT_FILE), &backend).map_err(unreachable_at)?;
    Ok((backend, path))
}

/// Opens the log's file in a directory for reading only. Nothing is made.
pub(crate) fn look(directory: &Path) -> Result<(FileBackend, PathBuf), AcquireError> {
    refuse_newer(directory)?;
    let path = directory.join(LOG_FILE);
    let file = fs::File::open(&path).map_err(unreachable_at)?;
    let backend = FileBackend::new(file).map_err(|error| unopened(error, &path))?;
    Ok((backend, path))
}

/// Refuses a format that is newer than this program.
pub(crate) fn refuse(found: u32) -> Result<(), AcquireError> {
    if found > FORMAT {
        let known = FORMAT;
        return Err(AcquireError::NewerFormat { found, known });
    }
    Ok(())
}

/// Refuses a directory of a newer format before anything in it is opened for writing: redb writes
/// to a file as soon as it opens it.
fn refuse_newer(directory: &Path) -> Result<(), AcquireError> {
    match fs::read_to_string(directory.join(FORMAT_FILE)) {
        Ok(text) => {
            let number = text.strip_prefix(FORMAT_TEXT).map(str::trim);
            let number = number.and_then(|number| number.parse().ok());
            refuse(number.unwrap_or(u32::MAX))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreachable_at(error)),
    }
    let path = directory.join(LOG_FILE);
    let database = match caught(|| redb::Builder::new().open_read_only(&path)) {
        Some(Ok(database)) => database,
        Some(Err(DatabaseError::DatabaseAlreadyOpen)) => return Err(AcquireError::Held { path }),
        // There is none yet, or only opening it for writing can tell what it holds.
        Some(Err(_)) | None => return Ok(()),
    };
    let found = format_of(&database).ok().flatten();
    refuse(found.map_or(0, |found| u32::try_from(found).unwrap_or(u32::MAX)))
}

fn format_of(database: &redb::ReadOnlyDatabase) -> Result<Option<u64>, StoreError> {
    meta(&database.begin_read()?, META_FORMAT)
}

/// Leaves the format in the directory in plain text, once the log is open.
pub(crate) fn mark(directory: &Path) -> Result<(), AcquireError> {
    write_format_file(directory).map_err(unreachable_at)
}

fn write_format_file(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(FORMAT_FILE);
    if path.exists() {
        return Ok(());
    }
    let mut file = fs::File::create(&path)?;
    writeln!(file, "{FORMAT_TEXT}{FORMAT}")?;
    file.sync_all()?;
    // Without this a crash could leave the log's file without a name in its directory.
    fs::File::open(directory)?.sync_all()
}

/// Says why redb did not open.
pub(crate) fn unopened(error: DatabaseError, path: &Path) -> AcquireError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => AcquireError::Held {
            path: path.to_owned(),
        },
        error => AcquireError::Unreachable(Box::new(redb::Error::from(error))),
    }
}

fn unreachable_at(error: std::io::Error) -> AcquireError {
    AcquireError::Unreachable(Box::new(error))
}
