//! One file: fetched, copied to the archive, read.

use purser_commands::intake::TakeFile;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::Source;
use super::inventory::Known;
use crate::hex::hex;
use crate::intake::{BadKey, read_file, too_large};
use crate::objects::{Listed, ObjectError};

/// A file of at least this many bytes is read away from the threads that wait for the network.
const LARGE_BYTES: usize = 256 * 1_024;

/// A file that is ready for the writer.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) listed: Listed,
    pub(super) file: TakeFile,
    /// Its room in memory, until it was handed over.
    pub(super) room: OwnedSemaphorePermit,
}

/// A file that did not get as far.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) key: String,
    pub(super) error: ObjectError,
}

/// Fetches a file, copies it to the archive, and reads it.
pub(super) async fn fetch(
    source: &Source,
    (listed, known): (Listed, Known),
    bytes_max: u64,
    room: OwnedSemaphorePermit,
) -> Result<Fetched, Lost> {
    if listed.bytes > bytes_max {
        let Listed {
            key,
            version,
            bytes,
        } = &listed;
        let file = named(key, |key| too_large(key, version, *bytes));
        return Ok(Fetched { listed, file, room });
    }
    let outcome = async {
        let object = source.bucket.get(&listed.key, bytes_max).await?;
        if let Some(archive) = &source.archive {
            let is_anew = known == Known::Changed;
            archive.copy(&listed.key, &object.bytes, is_anew).await?;
        }
        Ok(object)
    };
    let object = match outcome.await {
        Ok(object) => object,
        Err(error) => {
            let key = listed.key;
            return Err(Lost { key, error });
        }
    };
    let key = listed.key.clone();
    let etag = (!object.etag.is_empty()).then_some(object.etag);
    let read = move || read(&key, etag.as_deref(), &object.bytes);
    let file = if listed.bytes < LARGE_BYTES as u64 {
        read()
    } else {
        let reading = tokio::task::spawn_blocking(read).await;
        reading.expect("reading a file does not panic")
    };
    Ok(Fetched { listed, file, room })
}

fn read(key: &str, etag: Option<&str>, bytes: &[u8]) -> TakeFile {
    named(key, |key| read_file(key, etag, bytes))
}

/// Takes a file under its key. One whose key is too long for the books, or holds control
/// characters, is known there by its digest: it is set aside, never left out.
fn named(key: &str, take: impl Fn(&str) -> Result<TakeFile, BadKey>) -> TakeFile {
    take(key).unwrap_or_else(|_| {
        let digest = hex(&Sha256::digest(key.as_bytes()));
        take(&format!("sha256:{digest}")).expect("a digest is a label")
    })
}
