//! A delivered file, from bytes to the command that takes it in.

use purser_commands::intake::{Element, FileName, TakeFile};
use purser_events::Label;
use purser_events::intake::FileReason;
use purser_events::label::LabelError;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::element::read_element;
use super::key::read_key;
use super::value::label;

/// No value of a file is nested deeper than this.
const DEPTH: usize = 128;

/// A key that no file can be delivered under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a file is a text of 1 to 256 bytes without control characters")]
pub struct BadKey(#[source] LabelError);

/// Reads a delivered file. Bytes that are no file of events, and elements that are no events, are
/// part of what comes out: taking them in sets them aside with their reason.
///
/// # Errors
/// When the key is empty, longer than 256 bytes or holds control characters.
pub fn read_file(key: &str, etag: Option<&str>, bytes: &[u8]) -> Result<TakeFile, BadKey> {
    let label_of_key = Label::new(key).map_err(BadKey)?;
    let name = read_key(key);
    let elements = match &name {
        Some(name) => read_elements(name, bytes),
        None => Err(FileReason::BadName),
    };
    Ok(TakeFile {
        key: label_of_key,
        name,
        content: Sha256::digest(bytes).into(),
        etag: etag.and_then(label),
        bytes: bytes.len() as u64,
        elements,
    })
}

/// A file that is larger than those that are read, so that its bytes were never had: a version of
/// it is told from others by its entity tag.
///
/// # Errors
/// When the key is empty, longer than 256 bytes or holds control characters.
pub fn too_large(key: &str, version: &str, bytes: u64) -> Result<TakeFile, BadKey> {
    Ok(TakeFile {
        key: Label::new(key).map_err(BadKey)?,
        name: read_key(key),
        content: Sha256::digest(format!("too large: {bytes} {version}")).into(),
        etag: label(version),
        bytes,
        elements: Err(FileReason::TooLarge),
    })
}

fn read_elements(name: &FileName, bytes: &[u8]) -> Result<Vec<Element>, FileReason> {
    let text = std::str::from_utf8(bytes).map_err(|_| FileReason::NotUtf8)?;
    if is_too_deep(bytes) {
        return Err(FileReason::NotJson);
    }
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(raws) => Ok(raws.iter().map(|raw| read_element(name, raw)).collect()),
        Err(_) if serde_json::from_str::<&RawValue>(text).is_ok() => Err(FileReason::NotArray),
        Err(_) => Err(FileReason::NotJson),
    }
}

/// Whether brackets are nested deeper than [`DEPTH`]. Only brackets outside of texts count.
fn is_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                bytes.next();
            }
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
