//! What one commit appends.

use purser_events::codec::encode_envelope;
use purser_events::{Envelope, Micros, Position};

/// Tells one batch from every other: drawn at random in the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchId(pub [u8; 16]);

/// The stored envelopes of one commit, one behind the other.
#[derive(Clone, Debug)]
pub struct Batch {
    id: BatchId,
    seed: [u8; 32],
    after: Position,
    recorded_at: Micros,
    rows: Vec<u8>,
    ends: Vec<u32>,
}

impl Batch {
    /// An empty batch that follows the position `after`. Its block salts are derived from `seed`
    /// and their positions, so batches may share a seed as long as it stays secret; a seed for each
    /// small batch would cost 32 bytes each in the sealed log.
    #[must_use]
    pub const fn new(id: BatchId, seed: [u8; 32], after: Position) -> Self {
        let recorded_at = Micros(0);
        Self {
            id,
            seed,
            after,
            recorded_at,
            rows: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Adds the next envelope.
    ///
    /// # Panics
    /// When it is not the next one.
    pub fn push(&mut self, envelope: &Envelope) {
        assert_eq!(envelope.position, self.last().next(), "a batch has no gaps");
        encode_envelope(envelope, &mut self.rows);
        self.recorded_at = envelope.recorded_at;
        self.ends
            .push(u32::try_from(self.rows.len()).expect("a batch stays below 4 GiB"));
    }

    /// Which batch this is.
    #[must_use]
    pub const fn id(&self) -> BatchId {
        self.id
    }

    /// What the salts of its blocks are derived from.
    #[must_use]
    pub const fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The position that the batch follows.
    #[must_use]
    pub const fn after(&self) -> Position {
        self.after
    }

    /// The position of its last envelope.
    #[must_use]
    pub fn last(&self) -> Position {
        self.after.plus(self.ends.len() as u64)
    }

    /// When its last envelope was recorded.
    #[must_use]
    pub const fn recorded_at(&self) -> Micros {
        self.recorded_at
    }

    /// How many envelopes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all stored envelopes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.rows
    }

    /// The stored form of each envelope, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// The stored form of one envelope.
    pub(crate) fn row(&self, index: usize) -> &[u8] {
        self.rows_between(index, index + 1)
    }

    /// The stored envelopes from row `start` to before row `end`, one behind the other.
    pub(crate) fn rows_between(&self, start: usize, end: usize) -> &[u8] {
        &self.rows[self.start_of(start)..self.start_of(end)]
    }

    /// How many bytes the rows from `start` on have.
    pub(crate) fn bytes_from(&self, start: usize) -> usize {
        self.rows.len() - self.start_of(start)
    }

    fn start_of(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            None => 0,
            Some(before) => self.ends[before] as usize,
        }
    }
}
