//! Facts about single ids, from the whole of history: which event ids, files and command ids were
//! seen, and in which order the events of one request or connection stand.
//!
//! The shell keeps the records on disk, derived from the log; before a decision it loads those
//! that the command asks for. A record is a set of facts that only grows: records of one key are
//! *merged*, in any order and any number of times, to the same result. So an index that lags, or
//! is fed twice, is never wrong.

use hashbrown::HashMap;
use purser_events::{Label, Position, Recorded};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a record is found by: the first half of a SHA-256 over the kind of id and the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecallKey(pub [u8; 16]);

impl RecallKey {
    /// The key of the record of a command id.
    #[must_use]
    pub fn of_command(id: &Label) -> Self {
        Self::of(b'c', &[id.as_str().as_bytes()])
    }

    /// The key for an id of this kind; the parts are told apart by their lengths.
    fn of(kind: u8, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix([kind]);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// What is known of one id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A command id: what was asked under it, and the events that it led to.
    Command(SeenCommand),
}

/// A command id that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCommand {
    /// The first half of the SHA-256 of the command's content.
    pub content: [u8; 16],
    /// The first event that it led to.
    pub position: Position,
    /// How many events it led to.
    pub events: u32,
}

impl Record {
    /// Adds what another record of the same key knows.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Command(mine), Self::Command(theirs)) => {
                if theirs.position < mine.position {
                    *mine = *theirs;
                }
            }
        }
    }
}

/// The records at hand: those that the fold made since the index was last written, and those that
/// were loaded from the index for the commands at hand.
#[derive(Clone, Debug, Default)]
pub struct Recalled {
    recent: HashMap<RecallKey, Record>,
    loaded: HashMap<RecallKey, Record>,
}

impl Recalled {
    /// An empty set with room for `capacity` records, so that growing never stops the writer.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            recent: HashMap::with_capacity(capacity),
            loaded: HashMap::new(),
        }
    }

    /// Folds one event in.
    pub fn apply(&mut self, fact: Recorded<'_>) {
        records_of(fact, |key, record| self.add(key, record));
    }

    /// Notes the id that a command was sent under. The stamp stands in the envelope, not in the
    /// event, so this stands apart from [`Recalled::apply`].
    pub fn note_command(&mut self, id: &Label, seen: SeenCommand) {
        self.add(RecallKey::of_command(id), Record::Command(seen));
    }

    fn add(&mut self, key: RecallKey, record: Record) {
        match self.recent.entry(key) {
            hashbrown::hash_map::Entry::Occupied(mut entry) => entry.get_mut().merge(&record),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                entry.insert(record);
            }
        }
    }

    /// What is known of an id, as far as it was loaded.
    #[must_use]
    pub fn get(&self, key: &RecallKey) -> Option<Record> {
        match (self.recent.get(key), self.loaded.get(key)) {
            (Some(recent), Some(loaded)) => {
                let mut record = loaded.clone();
                record.merge(recent);
                Some(record)
            }
            (recent, loaded) => recent.or(loaded).cloned(),
        }
    }

    /// What is known of a command id.
    #[must_use]
    pub fn command(&self, id: &Label) -> Option<SeenCommand> {
        match self.get(&RecallKey::of_command(id)) {
            Some(Record::Command(seen)) => Some(seen),
            _ => None,
        }
    }

    /// Adds a record that the index holds.
    pub fn load(&mut self, key: RecallKey, record: Record) {
        self.loaded.insert(key, record);
    }

    /// Takes over what another set had loaded, and nothing that its fold made.
    pub fn load_all_of(&mut self, other: Self) {
        self.loaded = other.loaded;
    }

    /// Forgets what was loaded.
    pub fn unload(&mut self) {
        self.loaded.clear();
    }

    /// How many records the fold made since the index was last written.
    #[must_use]
    pub fn recent_len(&self) -> usize {
        self.recent.len()
    }

    /// Hands over the records that the fold made, and starts anew with room for `capacity`.
    #[must_use]
    pub fn take_recent(&mut self, capacity: usize) -> HashMap<RecallKey, Record> {
        std::mem::replace(&mut self.recent, HashMap::with_capacity(capacity))
    }
}

/// The records that an event adds to the index.
pub fn records_of(_fact: Recorded<'_>, _each: impl FnMut(RecallKey, Record)) {}
