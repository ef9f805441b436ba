//! Envelopes as CloudEvents 1.0, one JSON object per line.

use purser_events::Envelope;
use purser_projections::names::Names;

use super::filter::workers_of;
use super::object::Object;
use super::{data, name, text};

/// Writes envelopes as CloudEvents, one per line, into a buffer that is used again.
#[derive(Debug, Default)]
pub struct CloudLines {
    out: Vec<u8>,
}

impl CloudLines {
    /// Appends one envelope and an end of line. `names` are the latest ones, or any that are no
    /// older than the envelope.
    pub fn push(&mut self, envelope: &Envelope, names: &Names) {
        let kind = envelope.event.kind().name();
        let mut object = Object::new(&mut self.out);
        object.text("specversion", "1.0");
        object.plain("id", |out| text::decimal(out, envelope.position.0));
        object.text("source", "urn:purser:log");
        object.plain("type", |out| {
            out.extend_from_slice(b"purser.");
            out.extend_from_slice(kind.as_bytes());
        });
        if let Some(worker) = workers_of(&envelope.event)[0] {
            object.quoted("subject", |out| name::worker(out, names, worker));
        }
        object.moment("time", envelope.recorded_at);
        object.text("datacontenttype", "application/json");
        object.object("data", |data| data::write(data, envelope, names));
        object.end();
        self.out.push(b'\n');
    }

    /// The lines so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Forgets the lines so far; the buffer stays.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// Hands over the lines so far.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}
