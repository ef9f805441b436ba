//! A Bloom filter in lines of 64 bytes: one look at memory says that a key is surely absent.
//!
//! Keys are halves of a SHA-256, so their bits serve as the hash. The upper half chooses the line
//! and grows with the key: a filter is written piece by piece while the keys come in order.

use purser_projections::recall::RecallKey;

use super::block::{Mark, seal, unseal, unsealed};

const LINE_WORDS: usize = 8;
const LINE_BITS: u64 = 512;
/// With seven bits set per key, this leaves about one false answer in a hundred.
const BITS_PER_KEY: u64 = 12;
const PROBES: u32 = 7;

/// So many lines and their checksum fill a page of redb (4,096 bytes) but for its own head.
pub(super) const PIECE_LINES: u64 = 63;
const PIECE_WORDS: usize = PIECE_LINES as usize * LINE_WORDS;

/// One line of the filter.
type Line = [u64; LINE_WORDS];

/// Which of `of` equal parts of the key space holds the key.
pub(super) const fn part(key: &RecallKey, of: u64) -> u64 {
    let [upper, _] = halves(key);
    ((upper as u128 * of as u128) >> 64) as u64
}

const fn halves(key: &RecallKey) -> [u64; 2] {
    let all = u128::from_be_bytes(key.0);
    [(all >> 64) as u64, all as u64]
}

/// How many lines a filter for so many keys has.
pub(super) fn lines_for(keys: u64) -> u64 {
    (keys * BITS_PER_KEY).div_ceil(LINE_BITS).max(1)
}

/// The bits of a key in its line.
fn mask(key: &RecallKey) -> Line {
    let [_, mut bits] = halves(key);
    let mut line = [0; LINE_WORDS];
    for _ in 0..PROBES {
        line[(bits & 7) as usize] |= 1 << ((bits >> 3) & 63);
        bits >>= 9;
    }
    line
}

fn covers(line: &Line, mask: &Line) -> bool {
    line.iter()
        .zip(mask)
        .all(|(have, want)| have & want == *want)
}

/// Writes a filter in pieces.
#[derive(Debug)]
pub(super) struct FilterWriter {
    run: u32,
    lines: u64,
    piece: u32,
    words: Vec<u64>,
}

impl FilterWriter {
    pub(super) fn new(run: u32, lines: u64) -> Self {
        Self {
            run,
            lines,
            piece: 0,
            words: vec![0; PIECE_WORDS],
        }
    }

    /// Adds a key; keys must grow. Hands over the pieces that are complete by this.
    pub(super) fn add(&mut self, key: &RecallKey, done: &mut Vec<(u32, Vec<u8>)>) {
        let (piece, line) = place(key, self.lines);
        self.close_until(piece, done);
        let words = &mut self.words[line * LINE_WORDS..];
        for (word, bits) in words.iter_mut().zip(mask(key)) {
            *word |= bits;
        }
    }

    /// Hands over all that is left.
    pub(super) fn finish(&mut self, done: &mut Vec<(u32, Vec<u8>)>) {
        self.close_until(self.lines.div_ceil(PIECE_LINES) as u32, done);
    }

    /// Pieces without a key are written too, so that a missing one is a sign of damage.
    fn close_until(&mut self, next: u32, done: &mut Vec<(u32, Vec<u8>)>) {
        while self.piece < next {
            let mut bytes = unsealed(PIECE_WORDS * 8);
            for word in &mut self.words {
                bytes.extend_from_slice(&std::mem::take(word).to_le_bytes());
            }
            done.push((self.piece, seal(bytes, Mark::Piece(self.run, self.piece))));
            self.piece += 1;
        }
    }
}

/// Where a key's line stands in the stored form: the piece, and the line in it.
pub(super) fn place(key: &RecallKey, lines: u64) -> (u32, usize) {
    let line = part(key, lines);
    ((line / PIECE_LINES) as u32, (line % PIECE_LINES) as usize)
}

/// A stored piece.
pub(super) struct Piece<'a>(&'a [[u8; 8]]);

impl<'a> Piece<'a> {
    /// Reads stored bytes; none when they were changed.
    pub(super) fn checked(bytes: &'a [u8], mark: Mark) -> Option<Self> {
        let words = unseal(bytes, mark)?.as_chunks().0;
        (words.len() == PIECE_WORDS).then_some(Self(words))
    }

    /// Whether the key may be in the run; `line` as [`place`] says.
    pub(super) fn may_hold(&self, key: &RecallKey, line: usize) -> bool {
        let words = &self.0[line * LINE_WORDS..][..LINE_WORDS];
        let mask = mask(key);
        words
            .iter()
            .zip(mask)
            .all(|(have, want)| u64::from_le_bytes(*have) & want == want)
    }
}

/// A whole filter in memory.
pub(super) struct Resident(Box<[Line]>);

impl Resident {
    pub(super) fn new(lines: u64) -> Self {
        Self(vec![[0; LINE_WORDS]; lines as usize].into_boxed_slice())
    }

    /// Takes over a stored piece.
    pub(super) fn fill(&mut self, number: u32, piece: &Piece<'_>) {
        let start = u64::from(number) * PIECE_LINES;
        let lines = self.0.iter_mut().skip(start as usize);
        for (line, words) in lines.zip(piece.0.as_chunks::<LINE_WORDS>().0) {
            *line = words.map(u64::from_le_bytes);
        }
    }

    /// Whether the key may be in the run.
    pub(super) fn may_hold(&self, key: &RecallKey) -> bool {
        covers(&self.0[part(key, self.0.len() as u64) as usize], &mask(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> RecallKey {
        let sum = xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes());
        RecallKey(sum.to_be_bytes())
    }

    fn written(keys: &mut [RecallKey]) -> (u64, Vec<(u32, Vec<u8>)>) {
        keys.sort_unstable();
        let lines = lines_for(keys.len() as u64);
        let mut writer = FilterWriter::new(4, lines);
        let mut pieces = Vec::new();
        for key in keys.iter() {
            writer.add(key, &mut pieces);
        }
        writer.finish(&mut pieces);
        (lines, pieces)
    }

    #[test]
    fn every_key_is_found_and_few_others_are() {
        let mut keys: Vec<_> = (0..20_000).map(key).collect();
        let (lines, pieces) = written(&mut keys);
        let mut resident = Resident::new(lines);
        for (number, bytes) in &pieces {
            let piece = Piece::checked(bytes, Mark::Piece(4, *number)).expect("the piece is whole");
            resident.fill(*number, &piece);
            for key in keys.iter().filter(|key| place(key, lines).0 == *number) {
                assert!(piece.may_hold(key, place(key, lines).1));
            }
        }
        assert!(keys.iter().all(|key| resident.may_hold(key)));
        let wrong = (1_000_000..1_100_000)
            .filter(|n| resident.may_hold(&key(*n)))
            .count();
        assert!(wrong < 1_500, "{wrong} of 100,000 absent keys look present");
    }

    #[test]
    fn a_changed_piece_is_found() {
        let (_, mut pieces) = written(&mut [key(1)]);
        let (_, bytes) = &mut pieces[0];
        bytes[100] ^= 1;
        assert!(Piece::checked(bytes, Mark::Piece(4, 0)).is_none());
    }
}
