//! The secrets that tickets are drawn with: made where there are none, kept in
//! `ticket-secrets.toml` in the data directory, never shown, never logged.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use toml::Table;

const FILE: &str = "ticket-secrets.toml";

/// Names a secret in events and seeds.
pub type SecretId = u16;

/// Why the secrets cannot be used. No variant holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The file cannot be read.
    #[error("cannot read the ticket secrets at {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the ticket secrets to {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The file says something else.
    #[error("{path} is not of the form: a number from 1 = the text of 32 bytes in base64url")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// No further secret can be named.
    #[error("65535 secrets were made; no further one can be named")]
    Exhausted,
}

/// The secrets, each under its number; the greatest number is the one in use.
pub struct Ring {
    data: PathBuf,
    secrets: RwLock<BTreeMap<SecretId, [u8; 32]>>,
    /// Held while the file is written, so that two rotations do not lose one of them.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ring(..)")
    }
}

impl Ring {
    /// Reads the secrets of a data directory, and makes the first where there is none.
    ///
    /// # Errors
    /// When they cannot be made, written, read or used.
    pub fn open(data: &Path) -> Result<Self, RingError> {
        let path = data.join(FILE);
        let secrets = match fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or(RingError::Form { path })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(RingError::Read { path, source }),
        };
        let is_new = secrets.is_empty();
        let ring = Self {
            data: data.to_owned(),
            secrets: RwLock::new(secrets),
            writing: Mutex::new(()),
        };
        if is_new {
            ring.rotate()?;
        }
        Ok(ring)
    }

    /// The secret in use.
    ///
    /// # Panics
    /// Never: a ring is made with a secret and loses none.
    #[must_use]
    pub fn newest(&self) -> (SecretId, [u8; 32]) {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let newest = secrets.last_key_value();
        let (id, secret) = newest.expect("a ring has a secret from its making on");
        (*id, *secret)
    }

    /// The secret of this number.
    #[must_use]
    pub fn get(&self, id: SecretId) -> Option<[u8; 32]> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(&id).copied()
    }

    /// Makes a further secret, which is the one in use from now on. The earlier ones stay: tickets
    /// that were issued with them can still come in and win.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn rotate(&self) -> Result<SecretId, RingError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut secrets = {
            let held = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
            held.clone()
        };
        let last = secrets.last_key_value().map_or(0, |(id, _)| *id);
        let id = last.checked_add(1).ok_or(RingError::Exhausted)?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(RingError::Random)?;
        secrets.insert(id, secret);
        write(&self.data, &secrets).map_err(|source| RingError::Write {
            path: self.data.join(FILE),
            source,
        })?;
        // Nothing is issued with a secret before it is durable.
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        Ok(id)
    }
}

fn parse(text: &str) -> Option<BTreeMap<SecretId, [u8; 32]>> {
    let table: Table = text.parse().ok()?;
    let secret = |(id, value): (&String, &toml::Value)| {
        let id: SecretId = id.parse().ok().filter(|id| *id > 0)?;
        let secret = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
        Some((id, secret.try_into().ok()?))
    };
    table.iter().map(secret).collect()
}

/// Writes the file whole or not at all, for nobody else to read, durably.
fn write(data: &Path, secrets: &BTreeMap<SecretId, [u8; 32]>) -> io::Result<()> {
    let mut text = String::from("# Whoever reads this file can make tickets that win.\n");
    for (id, secret) in secrets {
        text += &format!("{id} = \"{}\"\n", URL_SAFE_NO_PAD.encode(secret));
    }
    let (path, draft) = (data.join(FILE), data.join("ticket-secrets.toml.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&draft)?;
    // The mode above counts only for a file that was not there.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_found_again() {
        let data = tempfile::tempdir().expect("a directory");
        let first = Ring::open(data.path()).expect("made").newest();
        let again = Ring::open(data.path()).expect("read");
        assert_eq!((again.newest(), first.0), (first, 1));
        let file = fs::metadata(data.path().join(FILE)).expect("there");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_rotation_keeps_the_earlier_secrets() {
        let data = tempfile::tempdir().expect("a directory");
        let ring = Ring::open(data.path()).expect("made");
        let (_, first) = ring.newest();
        assert_eq!(ring.rotate().expect("room for more"), 2);
        let ring = Ring::open(data.path()).expect("read");
        assert_eq!((ring.newest().0, ring.get(1)), (2, Some(first)));
        assert_ne!(ring.get(2), Some(first));
        assert_eq!(ring.get(3), None);
    }

    #[test]
    fn a_file_of_another_form_is_refused_without_a_word_of_it() {
        let data = tempfile::tempdir().expect("a directory");
        for text in ["1 = 2", "0 = \"AA\"", "x = \"AA\"", "1 = \"AA\"", "{}"] {
            fs::write(data.path().join(FILE), text).expect("written");
            let error = Ring::open(data.path()).expect_err("it is refused");
            assert!(matches!(error, RingError::Form { .. }), "{text}");
            assert!(!error.to_string().contains(text));
        }
    }
}
