//! A file of the log that a crash left half made.

use std::io;

use redb::StorageBackend;

/// What redb writes last when it makes a file, once everything else of it is durable.
const MAGIC_LEN: usize = 9;

/// Empties a file whose making a crash interrupted, so that it is made anew. Nothing can be lost,
/// as long as it is asked for only before anything could have been written to the file.
pub(super) fn discard(file: &impl StorageBackend) -> io::Result<()> {
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
