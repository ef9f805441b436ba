//! A block of a run: records in the order of their keys.
//!
//! The stored form: a checksum of all that follows, the number of records, the keys, where each
//! record ends, the records. All numbers are little endian.

use purser_projections::recall::RecallKey;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SUM: usize = 8;
const HEAD: usize = SUM + 4;
const KEY: usize = 16;
const END: usize = 4;

/// What a record takes in a block beside its own bytes.
pub(super) const OVERHEAD: usize = KEY + END;

/// What a page is: goes into its checksum, so that no page passes for another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// The manifest, of this form.
    Manifest(u64),
    /// This block of this run.
    Block(u32, u32),
    /// This piece of the filter of this run.
    Piece(u32, u32),
}

impl Mark {
    fn seed(self) -> u64 {
        match self {
            Self::Manifest(form) => form,
            Self::Block(run, number) => xxh3_64_with_seed(&number.to_le_bytes(), run.into()),
            Self::Piece(run, number) => !xxh3_64_with_seed(&number.to_le_bytes(), run.into()),
        }
    }
}

/// Puts the checksum in front of the bytes.
pub(super) fn seal(mut bytes: Vec<u8>, mark: Mark) -> Vec<u8> {
    let sum = xxh3_64_with_seed(&bytes[SUM..], mark.seed());
    bytes[..SUM].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The bytes behind the checksum, when it fits.
pub(super) fn unseal(bytes: &[u8], mark: Mark) -> Option<&[u8]> {
    let (sum, rest) = bytes.split_first_chunk::<SUM>()?;
    (u64::from_le_bytes(*sum) == xxh3_64_with_seed(rest, mark.seed())).then_some(rest)
}

/// Room for sealed bytes of this length, with the checksum's place left free.
pub(super) fn unsealed(capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SUM + capacity);
    bytes.extend_from_slice(&[0; SUM]);
    bytes
}

/// Collects the records of one block.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    keys: Vec<u8>,
    ends: Vec<u8>,
    records: Vec<u8>,
}

impl BlockWriter {
    /// Adds a record; keys must grow.
    pub(super) fn push(&mut self, key: RecallKey, record: &[u8]) {
        self.keys.extend_from_slice(&key.0);
        self.records.extend_from_slice(record);
        let end =
            u32::try_from(self.records.len()).expect("the records of a block are under 4 GiB");
        self.ends.extend_from_slice(&end.to_le_bytes());
    }

    /// The stored form of what was collected; the writer is empty again.
    pub(super) fn finish(&mut self, mark: Mark) -> Vec<u8> {
        let count = u32::try_from(self.ends.len() / END).expect("ends are under 4 GiB");
        let mut bytes =
            unsealed(HEAD - SUM + self.keys.len() + self.ends.len() + self.records.len());
        bytes.extend_from_slice(&count.to_le_bytes());
        for part in [&mut self.keys, &mut self.ends, &mut self.records] {
            bytes.extend_from_slice(part);
            part.clear();
        }
        seal(bytes, mark)
    }
}

/// A block to read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    keys: &'a [[u8; KEY]],
    ends: &'a [[u8; END]],
    records: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads stored bytes; none when they were changed.
    pub(super) fn checked(bytes: &'a [u8], mark: Mark) -> Option<Self> {
        unseal(bytes, mark)?;
        Self::again(bytes)
    }

    /// Reads stored bytes that were checked before.
    pub(super) fn again(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.get(SUM..)?.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        let (keys, rest) = rest.split_at_checked(count.checked_mul(KEY)?)?;
        let (ends, records) = rest.split_at_checked(count.checked_mul(END)?)?;
        Some(Self {
            keys: keys.as_chunks().0,
            ends: ends.as_chunks().0,
            records,
        })
    }

    /// The record at a place, counted from 0.
    pub(super) fn entry(&self, at: usize) -> Option<(RecallKey, &'a [u8])> {
        let end = |at: usize| u32::from_le_bytes(self.ends[at]) as usize;
        let key = *self.keys.get(at)?;
        let start = if at == 0 { 0 } else { end(at - 1) };
        Some((RecallKey(key), self.records.get(start..end(at))?))
    }

    /// The record of a key.
    pub(super) fn get(&self, key: &RecallKey) -> Option<&'a [u8]> {
        let at = self.keys.binary_search(&key.0).ok()?;
        self.entry(at).map(|(_, record)| record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark::Block(3, 7);

    fn sample() -> Vec<u8> {
        let mut writer = BlockWriter::default();
        writer.push(RecallKey([1; 16]), b"one");
        writer.push(RecallKey([2; 16]), b"");
        writer.push(RecallKey([3; 16]), b"three");
        writer.finish(MARK)
    }

    #[test]
    fn a_block_answers_what_was_put_in_and_nothing_else() {
        let bytes = sample();
        let block = Block::checked(&bytes, MARK).expect("the bytes are whole");
        assert_eq!(block.get(&RecallKey([1; 16])), Some(&b"one"[..]));
        assert_eq!(block.get(&RecallKey([2; 16])), Some(&b""[..]));
        assert_eq!(block.entry(2), Some((RecallKey([3; 16]), &b"three"[..])));
        assert_eq!(block.entry(3), None);
        assert_eq!(block.get(&RecallKey([9; 16])), None);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let bytes = sample();
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Block::checked(&bad, MARK).is_none(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(
                Block::checked(&bytes[..len], MARK).is_none(),
                "length {len}"
            );
        }
    }

    #[test]
    fn a_page_does_not_pass_for_another() {
        let bytes = sample();
        for other in [
            Mark::Block(3, 8),
            Mark::Block(7, 3),
            Mark::Piece(3, 7),
            Mark::Manifest(3),
        ] {
            assert!(Block::checked(&bytes, other).is_none(), "{other:?}");
        }
    }
}
