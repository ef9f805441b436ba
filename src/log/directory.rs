//! The data directory: which format it has, which files, and who holds it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use redb::backends::FileBackend;
use redb::{DatabaseError, ReadableDatabase};

use super::AcquireError;
use super::files::Found;
use super::store::{StoreError, caught};
use super::stored::{META_FORMAT, meta};

/// The format of a data directory that holds its whole log.
pub const FORMAT: u32 = 2;

/// The format of one whose older ranges are kept elsewhere; the newest that this program knows.
pub const PRUNED_FORMAT: u32 = 3;

/// Whether a directory of this format has a hot file. The first format had none.
pub(crate) fn has_hot(found: Found) -> bool {
    found.is_some_and(|found| found >= FORMAT)
}

const FORMAT_FILE: &str = "format";
const DRAFT_FILE: &str = "format.new";
const FORMAT_TEXT: &str = "purser log, format ";

/// The file of what is sealed.
pub(crate) const COLD_FILE: &str = "log.redb";

/// The file of the newest blocks. The first format had none.
pub(crate) const HOT_FILE: &str = "hot.redb";

/// Whether there is a log in a directory.
#[must_use]
pub fn is_there(directory: &Path) -> bool {
    directory.join(COLD_FILE).exists()
}

/// How many bytes the log's files take.
///
/// # Errors
/// When they cannot be asked.
pub fn bytes(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = fs::metadata(directory.join(COLD_FILE))?.len();
    match fs::metadata(directory.join(HOT_FILE)) {
        Ok(hot) => bytes += hot.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(bytes)
}

/// Opens the cold file in a directory, or makes both; refuses a newer format before anything is
/// written. From here on nobody else can open the log.
pub(crate) fn open(directory: &Path) -> Result<FileBackend, AcquireError> {
    fs::create_dir_all(directory).map_err(unreachable_at)?;
    refuse_newer(directory)?;
    let path = directory.join(COLD_FILE);
    let marked = directory.join(FORMAT_FILE).exists();
    // redb would take an empty file for one to be made.
    if marked && fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        return Err(AcquireError::Missing { path });
    }
    let file = made(&path)?;
    // redb takes this lock as well, but not before the file was looked at.
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(AcquireError::Held { path }),
        Err(fs::TryLockError::Error(error)) => return Err(unreachable_at(error)),
    }
    let backend = FileBackend::new(file).map_err(|error| unopened(error, &path))?;
    // The mark is written only after the log was opened once: without it no batch was appended. A
    // file that lost its beginning later still has the mark beside it, and is left as it is.
    if !marked {
        super::unfinished::discard(&backend).map_err(unreachable_at)?;
    }
    Ok(backend)
}

/// Opens the hot file in a directory whose cold file is held, or makes it when the format that was
/// found says that there need not be one.
pub(crate) fn open_hot(directory: &Path, found: Found) -> Result<FileBackend, AcquireError> {
    let path = directory.join(HOT_FILE);
    if has_hot(found) && !path.exists() {
        return Err(AcquireError::Missing { path });
    }
    let backend = FileBackend::new(made(&path)?).map_err(|error| unopened(error, &path))?;
    if !has_hot(found) {
        super::unfinished::discard(&backend).map_err(unreachable_at)?;
        // The cold file will say that this one has to be there: its name must not be lost.
        sync_directory(directory).map_err(unreachable_at)?;
    }
    Ok(backend)
}

fn made(path: &Path) -> Result<fs::File, AcquireError> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(unreachable_at)
}

/// Opens the cold file in a directory for reading only. Nothing is made.
pub(crate) fn look(directory: &Path) -> Result<FileBackend, AcquireError> {
    refuse_newer(directory)?;
    let path = directory.join(COLD_FILE);
    let file = fs::File::open(&path).map_err(unreachable_at)?;
    FileBackend::new(file).map_err(|error| unopened(error, &path))
}

/// Opens the hot file in a directory for reading only; `None` when the format that was found says
/// that there need not be one.
pub(crate) fn look_hot(
    directory: &Path,
    found: Found,
) -> Result<Option<FileBackend>, AcquireError> {
    let path = directory.join(HOT_FILE);
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && has_hot(found) => {
            return Err(AcquireError::Missing { path });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreachable_at(error)),
    };
    let backend = FileBackend::new(file).map_err(|error| unopened(error, &path))?;
    Ok(Some(backend))
}

/// Refuses a format that is newer than this program.
pub(crate) fn refuse(found: u32) -> Result<(), AcquireError> {
    if found > PRUNED_FORMAT {
        let known = PRUNED_FORMAT;
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
    let path = directory.join(COLD_FILE);
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
pub(crate) fn mark(directory: &Path, format: u32) -> Result<(), AcquireError> {
    write_format_file(directory, format).map_err(unreachable_at)
}

fn write_format_file(directory: &Path, format: u32) -> std::io::Result<()> {
    let path = directory.join(FORMAT_FILE);
    let text = format!("{FORMAT_TEXT}{format}\n");
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    // Renamed into place: a half-written number would read as a newer format.
    let draft = directory.join(DRAFT_FILE);
    let mut file = fs::File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    sync_directory(directory)
}

/// Without this a crash could leave a file without a name in its directory.
fn sync_directory(directory: &Path) -> std::io::Result<()> {
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
