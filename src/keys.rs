//! The keys of coordinators, operators and auditors: made on the first start, kept in
//! `keys.toml`, held in memory as hashes only.

mod file;

use std::path::PathBuf;

use purser_events::{Actor, KeyTag};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::session::Sessions;

pub use file::{KeyFile, open, read_file};

/// What a key allows. Workers have sessions instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sends work: commands, and the reads that go with them.
    Coordinator,
    /// Runs the ledger.
    Operator,
    /// Reads.
    Auditor,
}

impl Role {
    /// Every role, in the order of the key file.
    pub const ALL: [Self; 3] = [Self::Coordinator, Self::Operator, Self::Auditor];

    /// The word that the key file uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

/// Who holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What the key allows.
    pub role: Role,
    /// Tells the key from others, without saying it.
    pub tag: KeyTag,
}

impl Principal {
    /// How envelopes name the principal; `None` for auditors, who only read.
    #[must_use]
    pub const fn actor(self) -> Option<Actor> {
        match self.role {
            Role::Coordinator => Some(Actor::Coordinator(self.tag)),
            Role::Operator => Some(Actor::Operator(self.tag)),
            Role::Auditor => None,
        }
    }
}

/// Every valid key, as hashes.
#[derive(Clone)]
pub struct Keys {
    known: Vec<([u8; 32], Principal)>,
    sessions: Sessions,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let principals = self.known.iter().map(|(_, principal)| principal);
        f.debug_list().entries(principals).finish()
    }
}

impl Keys {
    /// The holder of a key; `None` for a text that is no key. Every key is compared, in constant
    /// time, whichever it is.
    #[must_use]
    pub fn authenticate(&self, key: &str) -> Option<Principal> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for (known, principal) in &self.known {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(*principal);
            }
        }
        found
    }

    /// What makes and checks the session tokens of workers.
    #[must_use]
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn add(&mut self, role: Role, key: &str) -> Result<(), KeysError> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeysError::Unusable {
                role: role.as_str(),
            });
        }
        match self.authenticate(key) {
            Some(known) if known.role != role => {
                let (first, second) = (known.role.as_str(), role.as_str());
                return Err(KeysError::TwoRoles { first, second });
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let [a, b, c, d, ..] = hash;
        let tag = KeyTag(u32::from_be_bytes([a, b, c, d]));
        self.known.push((hash, Principal { role, tag }));
        Ok(())
    }
}

/// Why the keys cannot be used. No variant holds any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The key file cannot be read.
    #[error("cannot read the keys at {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The key file cannot be written.
    #[error("cannot write new keys to {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The key file is no TOML.
    #[error("the keys at {path} are no TOML from line {line} on")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The key file says something unknown.
    #[error("{key} in {path} is not known; known are {}", file::KNOWN)]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What it says.
        key: String,
    },
    /// An entry of the key file has the wrong type.
    #[error("{key} in {path} is not {expected}")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The entry.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A key is empty or holds what cannot stand in a header.
    #[error("a key of the role {role} is empty, or holds more than visible ASCII characters")]
    Unusable {
        /// The role.
        role: &'static str,
    },
    /// One key stands for two roles.
    #[error("the same key is given for the roles {first} and {second}")]
    TwoRoles {
        /// One role.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}
