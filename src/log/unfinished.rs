//! A log's file that a crash left half made.

use std::io;
use std::path::Path;

use redb::StorageBackend;

/// What redb writes last when it makes a file, once everything else of it is durable.
const MAGIC_LEN: usize = 9;

/// Empties a file whose making a crash interrupted, so that it is made anew. Nothing can be lost:
/// the `mark` is written only after the log was opened once, so without it no batch was appended.
/// A file that lost its beginning later still has the mark beside it, and is left as it is.
pub(super) fn discard(mark: &Path, file: &impl StorageBackend) -> io::Result<()> {
    if mark.exists() {
        return Ok(());
    }
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    let mut begin = [0; MAGIC_LEN];
    let known = len.min(MAGIC_LEN);
    file.read(0, &mut begin[..known])?;
    if len == 0 || begin != [0; MAGIC_LEN] {
        return Ok(());
    }
    file.set_len(0)?;
    file.sync_data()
}
