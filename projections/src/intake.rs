//! What was taken in, and what was set aside.

use purser_events::intake::{ElementReason, FileQuarantined, FileReason, FileTaken, KeyState};
use purser_events::{Event, FileNo, PartitionNo, Recorded, TypeNo};
use serde::{Deserialize, Serialize};

use crate::paged::grown;

/// What was taken in, and what was set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    files: u32,
    /// Keys, each in the one state that it is in.
    pub keys: KeyCounts,
    /// Elements of all files that were read.
    pub elements: ElementCounts,
    partitions: Vec<PartitionEvents>,
}

/// Keys, each in the one state that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCounts {
    /// No well-formed keys.
    pub bad_name: u64,
    /// Keys of partitions that are not declared.
    pub unknown: u64,
    /// Keys under which nothing readable was delivered.
    pub unreadable: u64,
    /// Keys under which something readable was delivered.
    pub read: u64,
}

/// Elements of all files that were read, over distinct contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementCounts {
    /// All of them.
    pub total: u64,
    /// Elements that are no events.
    pub malformed: u64,
    /// Elements whose region or node type is not the key's.
    pub misrouted: u64,
    /// Copies of events.
    pub duplicates: u64,
    /// Elements with the id of an event and another content.
    pub conflicts: u64,
}

/// The events of one partition, each counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionEvents {
    known: [u64; KNOWN_TYPES.len()],
    others: Vec<u64>,
}

/// The source's words for the events that are interpreted.
pub const KNOWN_TYPES: [&str; 6] = [
    "orchestrator-reset",
    "worker-connected",
    "worker-disconnected",
    "job-received",
    "job-processed",
    "ticket-redeemed",
];

impl Intake {
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::PartitionReset(event) => self.count(event.taken.partition, 0),
            Event::WorkerConnected(event) => self.count(event.taken.partition, 1),
            Event::WorkerDisconnected(event) => self.count(event.taken.partition, 2),
            Event::JobReceived(event) => self.count(event.taken.partition, 3),
            Event::JobProcessed(event) => self.count(event.taken.partition, 4),
            Event::TicketRedeemed(event) => self.count(event.taken.partition, 5),
            Event::OtherTaken(event) => {
                let partition = grown(&mut self.partitions, event.taken.partition.index());
                *grown(&mut partition.others, event.event_type.index()) += 1;
            }
            Event::FileTaken(file) => self.file_taken(file),
            Event::FileQuarantined(file) => self.file_quarantined(file),
            _ => {}
        }
    }

    fn count(&mut self, partition: PartitionNo, known: usize) {
        grown(&mut self.partitions, partition.index()).known[known] += 1;
    }

    fn file_taken(&mut self, file: &FileTaken) {
        assert_eq!(file.file, self.next_file(), "files are numbered densely");
        self.files += 1;
        self.keys.step(file.before, KeyState::Read);
        self.elements.total += u64::from(file.elements);
        self.elements.malformed += u64::from(file.malformed);
        self.elements.misrouted += u64::from(file.misrouted);
        self.elements.duplicates += u64::from(file.duplicates);
        self.elements.conflicts += u64::from(file.conflicts);
    }

    fn file_quarantined(&mut self, file: &FileQuarantined) {
        let now = state_of(file.reason).max(file.before);
        self.keys.step(file.before, now);
    }

    /// The number that the next file gets.
    #[must_use]
    pub const fn next_file(&self) -> FileNo {
        FileNo(self.files)
    }

    /// The events of a partition; absent when none was taken in.
    #[must_use]
    pub fn partition(&self, partition: PartitionNo) -> Option<&PartitionEvents> {
        self.partitions.get(partition.index())
    }

    /// All events, each counted once.
    #[must_use]
    pub fn unique_events(&self) -> u64 {
        self.partitions.iter().map(PartitionEvents::unique).sum()
    }
}

/// The state that a key is in after nothing but this.
#[must_use]
pub const fn state_of(reason: FileReason) -> KeyState {
    match reason {
        FileReason::BadName => KeyState::BadName,
        FileReason::UnknownPartition => KeyState::Unknown,
        FileReason::NotUtf8 | FileReason::NotJson | FileReason::NotArray | FileReason::TooLarge => {
            KeyState::Unreadable
        }
    }
}

/// The stable name of the reason that an element was set aside for.
#[must_use]
pub const fn element_reason_name(reason: ElementReason) -> &'static str {
    match reason {
        ElementReason::NotObject => "not_object",
        ElementReason::BadField => "bad_field",
        ElementReason::BadTime => "bad_time",
        ElementReason::BadPayload => "bad_payload",
        ElementReason::BadVersion => "bad_version",
        ElementReason::Misrouted => "misrouted",
        ElementReason::IdConflict => "id_conflict",
    }
}

/// The stable name of the reason that a file was set aside for.
#[must_use]
pub const fn file_reason_name(reason: FileReason) -> &'static str {
    match reason {
        FileReason::BadName => "bad_name",
        FileReason::UnknownPartition => "unknown_partition",
        FileReason::NotUtf8 => "not_utf8",
        FileReason::NotJson => "not_json",
        FileReason::NotArray => "not_array",
        FileReason::TooLarge => "too_large",
    }
}

impl KeyCounts {
    /// All keys.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.bad_name + self.unknown + self.unreadable + self.read
    }

    fn step(&mut self, before: KeyState, now: KeyState) {
        if let Some(count) = self.of(before) {
            *count -= 1;
        }
        if let Some(count) = self.of(now) {
            *count += 1;
        }
    }

    const fn of(&mut self, state: KeyState) -> Option<&mut u64> {
        match state {
            KeyState::New => None,
            KeyState::BadName => Some(&mut self.bad_name),
            KeyState::Unknown => Some(&mut self.unknown),
            KeyState::Unreadable => Some(&mut self.unreadable),
            KeyState::Read => Some(&mut self.read),
        }
    }
}

impl PartitionEvents {
    /// All of them.
    #[must_use]
    pub fn unique(&self) -> u64 {
        self.known.iter().chain(&self.others).sum()
    }

    /// How many there are of each interpreted type, in the order of [`KNOWN_TYPES`].
    #[must_use]
    pub const fn known(&self) -> &[u64; KNOWN_TYPES.len()] {
        &self.known
    }

    /// How many there are of each other type.
    pub fn others(&self) -> impl Iterator<Item = (TypeNo, u64)> {
        let numbered = self.others.iter().enumerate();
        numbered.map(|(index, count)| (TypeNo::following(index), *count))
    }
}
