//! Files that were delivered, and connections.

use purser_events::intake::{
    EarlierCopyFound, ElementQuarantined, ElementReason, FileQuarantined, FileReason, FileTaken,
    KeyState, Moved, OtherTaken, Standing, Taken, WorkerConnected, WorkerDisconnected,
};
use purser_events::{Label, WorkerNo};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    pub(super) fn taken(&mut self, taken: &Taken) {
        self.object
            .quoted("event_id", |out| name::event_id(out, &taken.id));
        self.object.source_time("occurred_at", taken.occurred_at);
        self.partition(taken.partition);
        self.object.number("file", taken.file.0);
        self.object.number("index", taken.index);
    }

    pub(super) fn file_taken(&mut self, taken: &FileTaken) {
        let names = self.names;
        self.object.number("file", taken.file.0);
        self.object.quoted("key", |out| {
            name::file_key(out, names, taken.partition, taken.stamps);
        });
        self.partition(taken.partition);
        self.object.hex("content_sha256", &taken.content);
        self.etag(taken.etag.as_ref());
        self.object.text("before", key_state(taken.before));
        for (key, count) in [
            ("elements", taken.elements),
            ("malformed", taken.malformed),
            ("misrouted", taken.misrouted),
            ("duplicates", taken.duplicates),
            ("conflicts", taken.conflicts),
        ] {
            self.object.number(key, count);
        }
    }

    pub(super) fn file_quarantined(&mut self, set_aside: &FileQuarantined) {
        self.object.text("key", set_aside.key.as_str());
        if let Some((partition, _)) = set_aside.place {
            self.partition(partition);
        }
        self.object.hex("content_sha256", &set_aside.content);
        self.etag(set_aside.etag.as_ref());
        self.object.number("bytes", set_aside.bytes);
        self.object.text("reason", file_reason(set_aside.reason));
        self.object.text("before", key_state(set_aside.before));
    }

    fn etag(&mut self, etag: Option<&Label>) {
        if let Some(etag) = etag {
            self.object.text("etag", etag.as_str());
        }
    }

    pub(super) fn element_quarantined(&mut self, set_aside: &ElementQuarantined) {
        self.object.number("file", set_aside.file.0);
        self.object.number("index", set_aside.index);
        let reason = element_reason(set_aside.reason);
        self.object.text("reason", reason);
        if let Some(excerpt) = &set_aside.excerpt {
            self.object.text("excerpt", excerpt.as_str());
        }
    }

    pub(super) fn connected(&mut self, connected: &WorkerConnected) {
        self.taken(&connected.taken);
        self.connection(connected.worker, connected.connection.as_ref());
        self.object.text("standing", standing(connected.standing));
    }

    pub(super) fn disconnected(&mut self, disconnected: &WorkerDisconnected) {
        self.taken(&disconnected.taken);
        self.connection(disconnected.worker, disconnected.connection.as_ref());
        self.object
            .text("standing", standing(disconnected.standing));
    }

    fn connection(&mut self, worker: Option<WorkerNo>, connection: Option<&Label>) {
        if let Some(worker) = worker {
            self.worker("worker", worker);
        }
        if let Some(connection) = connection {
            self.object.text("connection", connection.as_str());
        }
    }

    pub(super) fn other(&mut self, other: &OtherTaken) {
        self.taken(&other.taken);
        match self.names.types().get(other.event_type.index()) {
            Some(name) => self.object.text("event_type", name.as_str()),
            None => self.object.number("event_type", other.event_type.0),
        }
    }

    pub(super) fn earlier_copy(&mut self, found: &EarlierCopyFound) {
        self.object.number("event", found.event.0);
        self.taken(&found.copy);
        match &found.moved {
            Moved::Nothing => self.object.text("moved", "nothing"),
            Moved::Reset => self.object.text("moved", "reset"),
            Moved::Received(request) => {
                self.object.text("moved", "received");
                self.request(Some(request));
            }
            Moved::Processed(request) => {
                self.object.text("moved", "processed");
                self.request(Some(request));
            }
            Moved::Connection {
                worker, connection, ..
            } => {
                self.object.text("moved", "connection");
                self.connection(Some(*worker), Some(connection));
            }
        }
    }
}

const fn key_state(state: KeyState) -> &'static str {
    match state {
        KeyState::New => "new",
        KeyState::BadName => "bad_name",
        KeyState::Unknown => "unknown_partition",
        KeyState::Unreadable => "unreadable",
        KeyState::Read => "read",
    }
}

/// The word for a reason.
const fn file_reason(reason: FileReason) -> &'static str {
    match reason {
        FileReason::BadName => "bad_name",
        FileReason::UnknownPartition => "unknown_partition",
        FileReason::NotUtf8 => "not_utf8",
        FileReason::NotJson => "not_json",
        FileReason::NotArray => "not_array",
    }
}

/// The word for a reason.
const fn element_reason(reason: ElementReason) -> &'static str {
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

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Void => "void",
        Standing::Superseded => "superseded",
        Standing::Latest => "latest",
    }
}
