//! Facts about single ids, from the whole of history: which event ids, files and command ids were
//! seen, and in which order the events of one request or connection stand.
//!
//! The shell keeps the records on disk, derived from the log; before a decision it loads those
//! that the command asks for. A record is a set of facts that only grows: records of one key are
//! *merged*, in any order and any number of times, to the same result. So an index that lags, or
//! is fed twice, is never wrong.

mod derive;
mod grant;
mod key;
mod matching;
mod paid;
mod record;
mod ticket;
mod timeline;

use std::borrow::Cow;

use hashbrown::HashMap;
use purser_events::{Actor, Label, Recorded};

pub use derive::records_of;
pub use grant::{
    Ending, PaidFor, SeenDecision, SeenGrant, SeenGrantPayment, Settlement, asked_digest,
};
pub use key::RecallKey;
pub use matching::{MATCH_ROOM, SeenMatch};
pub use paid::{SeenClose, SeenDebit, SeenJob, SeenPayment, terms_digest};
pub use record::{PayoutTrail, Record, SeenCommand, SeenEvent, SeenFile, TRAIL_ROOM};
pub use ticket::{SeenWinner, report_content};
pub use timeline::{
    CONNECTION_ROOM, ConnectionEntry, ConnectionTimeline, Job, REQUEST_ROOM, RequestEntry,
    RequestTimeline, Stands, What,
};

/// The records at hand: those that the fold made since the index was last written, and those that
/// were loaded from the index for the commands at hand.
#[derive(Clone, Debug, Default)]
pub struct Recalled {
    recent: HashMap<RecallKey, Record>,
    loaded: HashMap<RecallKey, Record>,
    /// What stood under each key before it was changed, while that may have to be taken back.
    before: Option<Vec<(RecallKey, Option<Record>)>>,
}

impl Recalled {
    /// An empty set with room for `capacity` records, so that growing never stops the writer.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            recent: HashMap::with_capacity(capacity),
            loaded: HashMap::new(),
            before: None,
        }
    }

    /// Begins to remember what the fold changes, until it is kept or taken back.
    pub fn remember(&mut self) {
        self.before = Some(Vec::new());
    }

    /// Keeps what the fold changed.
    pub fn keep(&mut self) {
        self.before = None;
    }

    /// Takes back what the fold changed since it is remembered.
    pub fn take_back(&mut self) {
        for (key, record) in self.before.take().into_iter().flatten().rev() {
            match record {
                Some(record) => self.recent.insert(key, record),
                None => self.recent.remove(&key),
            };
        }
    }

    /// Folds one event in.
    pub fn apply(&mut self, fact: Recorded<'_>) {
        records_of(fact, |key, record| self.add(key, record));
    }

    /// Notes the id that a command was sent under. The stamp stands in the envelope, not in the
    /// event, so this stands apart from [`Recalled::apply`].
    pub fn note_command(&mut self, actor: Actor, id: &Label, seen: SeenCommand) {
        self.add(RecallKey::of_command(actor, id), Record::Command(seen));
    }

    fn add(&mut self, key: RecallKey, record: Record) {
        if let Some(before) = &mut self.before {
            before.push((key, self.recent.get(&key).cloned()));
        }
        match self.recent.entry(key) {
            hashbrown::hash_map::Entry::Occupied(mut entry) => entry.get_mut().merge(&record),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                entry.insert(record);
            }
        }
    }

    /// What is known of an id, as far as it was loaded.
    #[must_use]
    pub fn get(&self, key: &RecallKey) -> Option<Cow<'_, Record>> {
        match (self.recent.get(key), self.loaded.get(key)) {
            (Some(recent), Some(loaded)) => {
                let mut record = loaded.clone();
                record.merge(recent);
                Some(Cow::Owned(record))
            }
            (recent, loaded) => recent.or(loaded).map(Cow::Borrowed),
        }
    }

    /// What is known of a command id.
    #[must_use]
    pub fn command(&self, actor: Actor, id: &Label) -> Option<SeenCommand> {
        match self.get(&RecallKey::of_command(actor, id)).as_deref() {
            Some(Record::Command(seen)) => Some(*seen),
            _ => None,
        }
    }

    /// Adds a record that the index holds.
    pub fn load(&mut self, key: RecallKey, record: Record) {
        self.loaded.insert(key, record);
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
