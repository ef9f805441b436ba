//! Envelopes as JSON Lines.

use purser_events::Envelope;
use purser_projections::names::Names;

use super::object::Object;
use super::{data, name};

/// Writes envelopes as JSON objects, one per line, into a buffer that is used again.
#[derive(Debug, Default)]
pub struct JsonLines {
    out: Vec<u8>,
}

impl JsonLines {
    /// Appends one envelope and an end of line. `names` are the latest ones, or any that are no
    /// older than the envelope.
    pub fn push(&mut self, envelope: &Envelope, names: &Names) {
        write_envelope(&mut self.out, envelope, names);
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

/// Appends one envelope as a JSON object without an end of line.
pub fn write_envelope(out: &mut Vec<u8>, envelope: &Envelope, names: &Names) {
    let mut object = Object::new(out);
    object.number("position", envelope.position.0);
    object.moment("recorded_at", envelope.recorded_at);
    object.text("type", envelope.event.kind().name());
    object.quoted("actor", |out| name::actor(out, names, envelope.actor));
    if let Some(command) = &envelope.command {
        object.text("command_id", command.id.as_str());
    }
    object.object("data", |data| data::write(data, envelope, names));
    object.end();
}

/// Appends what an event says, without its envelope, as a JSON object.
pub fn write_data(out: &mut Vec<u8>, envelope: &Envelope, names: &Names) {
    let mut object = Object::new(out);
    data::write(&mut object, envelope, names);
    object.end();
}
