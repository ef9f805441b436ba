//! A JSON object, appended to bytes field by field.

use purser_events::{Label, Micros, Seconds};

use super::{text, time};

/// A JSON object under way; [`Object::end`] closes it.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Opens an object at the end of `out`.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Writes a key, which needs no escape; the value is for the caller to append.
    pub(super) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        // One growth for key and marks.
        self.out.reserve(key.len() + 4);
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a key that may need escapes; the value is for the caller to append.
    pub(super) fn escaped_key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        text::quote(self.out, key);
        self.out.push(b':');
        self.out
    }

    pub(super) fn number(&mut self, key: &str, number: impl Into<u64>) {
        text::decimal(self.key(key), number.into());
    }

    pub(super) fn signed(&mut self, key: &str, number: impl Into<i64>) {
        text::signed(self.key(key), number.into());
    }

    pub(super) fn flag(&mut self, key: &str, flag: bool) {
        let word: &[u8] = if flag { b"true" } else { b"false" };
        self.key(key).extend_from_slice(word);
    }

    pub(super) fn null(&mut self, key: &str) {
        self.key(key).extend_from_slice(b"null");
    }

    /// A text whose characters `write` appends; those that need it are escaped afterwards.
    pub(super) fn quoted(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.plain(key, |out| {
            let start = out.len();
            write(out);
            text::escape_from(out, start);
        });
    }

    /// A text whose characters `write` appends; none of them needs an escape.
    pub(super) fn plain(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let out = self.key(key);
        out.push(b'"');
        write(out);
        out.push(b'"');
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.quoted(key, |out| out.extend_from_slice(value.as_bytes()));
    }

    pub(super) fn amount(&mut self, key: &str, wei: u128) {
        self.plain(key, |out| text::large(out, wei));
    }

    pub(super) fn signed_amount(&mut self, key: &str, wei: i128) {
        self.plain(key, |out| text::large_signed(out, wei));
    }

    pub(super) fn moment(&mut self, key: &str, moment: Micros) {
        self.plain(key, |out| time::write_micros(out, moment));
    }

    pub(super) fn source_time(&mut self, key: &str, moment: Seconds) {
        self.plain(key, |out| time::write_seconds(out, moment));
    }

    pub(super) fn hex(&mut self, key: &str, bytes: &[u8]) {
        self.plain(key, |out| text::hex(out, bytes));
    }

    /// Hexadecimal digits behind `0x`.
    pub(super) fn prefixed_hex(&mut self, key: &str, bytes: &[u8]) {
        self.plain(key, |out| {
            out.extend_from_slice(b"0x");
            text::hex(out, bytes);
        });
    }

    pub(super) fn labels(&mut self, key: &str, labels: &[Label]) {
        let out = self.key(key);
        out.push(b'[');
        for (index, label) in labels.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
            let start = out.len();
            out.extend_from_slice(label.as_str().as_bytes());
            text::escape_from(out, start);
            out.push(b'"');
        }
        out.push(b']');
    }

    pub(super) fn object(&mut self, key: &str, write: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object::new(self.key(key));
        write(&mut inner);
        inner.end();
    }

    /// An array of objects.
    pub(super) fn objects<T>(
        &mut self,
        key: &str,
        items: &[T],
        write: impl Fn(&mut Object<'_>, &T),
    ) {
        let out = self.key(key);
        out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let mut inner = Object::new(out);
            write(&mut inner, item);
            inner.end();
        }
        out.push(b']');
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}
