//! Files that were delivered, and connections.

use purser_events::intake::{
    EarlierCopyFound, ElementQuarantined, ElementReason, FileQuarantined, FileReason, FileTaken,
    KeyState, Moved, OtherTaken, Standing, Taken, WorkerConnected, WorkerDisconnected,
};
use purser_events::{Label, WorkerNo};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    /// The stamps are left out: the file's own event shows its key.
    pub(super) fn taken(&mut self, taken: &Taken) {
        let Taken {
            id,
            occurred_at,
            file,
            index,
            partition,
            stamps: _,
        } = taken;
        self.object
            .quoted("event_id", |out| name::event_id(out, id));
        self.object.source_time("occurred_at", *occurred_at);
        self.partition(*partition);
        self.object.number("file", file.0);
        self.object.number("index", *index);
    }

    pub(super) fn file_taken(&mut self, taken: &FileTaken) {
        let FileTaken {
            file,
            partition,
            stamps,
            content,
            etag,
            before,
            elements,
            malformed,
            misrouted,
            duplicates,
            conflicts,
        } = taken;
        let names = self.names;
        self.object.number("file", file.0);
        self.object.quoted("key", |out| {
            name::file_key(out, names, *partition, *stamps);
        });
        self.partition(*partition);
        self.object.hex("content_sha256", content);
        self.etag(etag.as_ref());
        self.object.text("before", key_state(*before));
        self.object.number("elements", *elements);
        self.object.number("malformed", *malformed);
        self.object.number("misrouted", *misrouted);
        self.object.number("duplicates", *duplicates);
        self.object.number("conflicts", *conflicts);
    }

    pub(super) fn file_quarantined(&mut self, set_aside: &FileQuarantined) {
        let FileQuarantined {
            key,
            place,
            content,
            etag,
            bytes,
            reason,
            before,
        } = set_aside;
        self.object.text("key", key.as_str());
        if let Some((partition, _)) = place {
            self.partition(*partition);
        }
        self.object.hex("content_sha256", content);
        self.etag(etag.as_ref());
        self.object.number("bytes", *bytes);
        self.object.text("reason", file_reason(*reason));
        self.object.text("before", key_state(*before));
    }

    fn etag(&mut self, etag: Option<&Label>) {
        if let Some(etag) = etag {
            self.object.text("etag", etag.as_str());
        }
    }

    pub(super) fn element_quarantined(&mut self, set_aside: &ElementQuarantined) {
        let ElementQuarantined {
            file,
            index,
            reason,
            excerpt,
        } = set_aside;
        self.object.number("file", file.0);
        self.object.number("index", *index);
        self.object.text("reason", element_reason(*reason));
        if let Some(excerpt) = excerpt {
            self.object.text("excerpt", excerpt.as_str());
        }
    }

    pub(super) fn connected(&mut self, connected: &WorkerConnected) {
        let WorkerConnected {
            taken,
            worker,
            connection,
            standing,
        } = connected;
        self.taken(taken);
        self.connection(*worker, connection.as_ref());
        self.object.text("standing", standing_word(*standing));
    }

    pub(super) fn disconnected(&mut self, disconnected: &WorkerDisconnected) {
        let WorkerDisconnected {
            taken,
            worker,
            connection,
            standing,
        } = disconnected;
        self.taken(taken);
        self.connection(*worker, connection.as_ref());
        self.object.text("standing", standing_word(*standing));
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
        let OtherTaken { taken, event_type } = other;
        self.taken(taken);
        match self.names.types().get(event_type.index()) {
            Some(name) => self.object.text("event_type", name.as_str()),
            None => self.object.number("event_type", event_type.0),
        }
    }

    pub(super) fn earlier_copy(&mut self, found: &EarlierCopyFound) {
        let EarlierCopyFound {
            event,
            copy,
            content: _,
            moved,
        } = found;
        self.object.number("event", event.0);
        self.taken(copy);
        match moved {
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
                worker,
                connection,
                opens,
                connected: _,
            } => {
                self.object.text("moved", "connection");
                self.connection(Some(*worker), Some(connection));
                self.object.flag("opens", *opens);
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
        FileReason::TooLarge => "too_large",
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

const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Void => "void",
        Standing::Superseded => "superseded",
        Standing::Latest => "latest",
    }
}
