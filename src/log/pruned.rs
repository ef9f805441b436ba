//! Ranges of the log that are kept elsewhere, and no longer here.
//!
//! Pruning puts a stub in the place of a sealed range, in one transaction: the log stays dense, and
//! knows of each range how many entries it holds, the tree behind it, and the hash of its bytes.
//! Whoever reads such a range gets it from where it is kept; its bytes count only if they have that
//! hash. A stub, all integers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this form: another one than that of a segment |
//! | 8 | xxh3-64 of all that follows, with the first position as its seed |
//! | 4 | how many envelopes the range holds |
//! | 32 | the tree root of all entries up to its end |
//! | 32 each | the frontier of the tree there |
//! | 32 | SHA-256 of the range's bytes |

use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock};

use purser_events::{Micros, Position};
use redb::TableDefinition;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::directory::PRUNED_FORMAT;
use super::error::{Damage, ReadError};
use super::range::SealedRange;
use super::read::damaged;
use super::redb_log::{RedbLog, Shared};
use super::sealed::Segment;
use super::store::{Store, StoreError};
use super::stored::{META, META_FORMAT, META_PRUNED, SEALED, Stored, unreadable};
use super::tree::{Frontier, Hash};

/// Where pruned ranges are kept, in words: in the cold file.
pub(super) const PLACES: TableDefinition<'static, &str, &str> = TableDefinition::new("places");

/// The only row of [`PLACES`].
pub(super) const ARCHIVE: &str = "archive";

const VERSION: u8 = 2;
const CHECKED_FROM: usize = 9;
const HEAD: usize = 45;
const HASH: usize = 32;

/// A range that is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunedRange {
    /// Its first position.
    pub first: Position,
    /// Its last position.
    pub last: Position,
    /// Where it was kept when it was pruned here, in words.
    pub place: String,
}

/// Why a range cannot be had.
pub type RangeFault = Box<dyn std::error::Error + Send + Sync>;

/// Reads ranges that are kept elsewhere, for any thread.
pub trait Ranges: Send + Sync + Debug {
    /// The bytes of a range. Waits for them; whoever asks compares their hash.
    ///
    /// # Errors
    /// When they cannot be had now.
    fn range(&self, wanted: &PrunedRange) -> Result<Vec<u8>, RangeFault>;
}

/// Where the log's reader gets pruned ranges from.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere(RwLock<Option<Arc<dyn Ranges>>>);

impl Elsewhere {
    pub(crate) fn set(&self, ranges: Arc<dyn Ranges>) {
        let mut own = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *own = Some(ranges);
    }

    pub(super) fn get(&self) -> Option<Arc<dyn Ranges>> {
        let own = self.0.read().unwrap_or_else(PoisonError::into_inner);
        own.clone()
    }
}

/// Nobody said where pruned ranges are to be read.
#[derive(Debug, thiserror::Error)]
#[error("no archive is configured")]
struct Nowhere;

/// What stays of a range that was pruned.
#[derive(Clone, Debug)]
pub(super) struct Stub {
    pub(super) first: Position,
    pub(super) last: Position,
    pub(super) tree: Frontier,
    digest: Hash,
}

impl Stub {
    /// Of a range whose bytes were read and fit.
    fn of(range: &SealedRange) -> Result<Self, Damage> {
        let segment = Segment::read(range.first, &range.bytes)?;
        Ok(Self {
            first: range.first,
            last: range.last,
            tree: segment.frontier().ok_or(Damage::Form)?,
            digest: Sha256::digest(&range.bytes).into(),
        })
    }

    /// Whether stored bytes are those of a stub.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        bytes.first() == Some(&VERSION)
    }

    /// Reads a stored stub.
    pub(super) fn read(first: Position, bytes: &[u8]) -> Result<Self, Damage> {
        let (head, body) = bytes.split_first_chunk::<HEAD>().ok_or(Damage::Form)?;
        if head[0] != VERSION {
            return Err(Damage::Form);
        }
        let checksum = xxh3_64_with_seed(&bytes[CHECKED_FROM..], first.0);
        if checksum.to_le_bytes() != head[1..CHECKED_FROM] {
            return Err(Damage::Checksum);
        }
        Self::read_checked(first, head, body).ok_or(Damage::Form)
    }

    fn read_checked(first: Position, head: &[u8; HEAD], body: &[u8]) -> Option<Self> {
        let count = u32::from_le_bytes(head[9..13].try_into().ok()?);
        let last = first.0.checked_add(u64::from(count))?.checked_sub(1)?;
        let (frontier, digest) = body.split_at_checked(body.len().checked_sub(HASH)?)?;
        let tree = Frontier::from_bytes(last, frontier)?;
        let is_whole = count > 0 && tree.root().0 == head[13..HEAD];
        is_whole.then_some(Self {
            first,
            last: Position(last),
            tree,
            digest: digest.try_into().ok()?,
        })
    }

    /// The stored form.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&[0; 8]);
        let count = u32::try_from(self.last.0 - self.first.0 + 1);
        let count = count.expect("a range was counted with 32 bits");
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.tree.root().0);
        bytes.extend_from_slice(self.tree.bytes());
        bytes.extend_from_slice(&self.digest);
        let checksum = xxh3_64_with_seed(&bytes[CHECKED_FROM..], self.first.0);
        bytes[1..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Gets the range's bytes from where they are kept.
    pub(super) fn fetch(
        &self,
        ranges: Option<&dyn Ranges>,
        place: String,
    ) -> Result<Vec<u8>, ReadError> {
        let (first, last) = (self.first, self.last);
        let wanted = PrunedRange { first, last, place };
        let fetched = match ranges {
            Some(ranges) => ranges.range(&wanted),
            None => Err(Nowhere.into()),
        };
        let bytes = fetched.map_err(|source| ReadError::Away {
            position: first,
            place: wanted.place,
            source,
        })?;
        match Sha256::digest(&bytes).as_slice() == self.digest {
            true => Ok(bytes),
            false => Err(damaged(first, Damage::Archive)),
        }
    }
}

/// Takes ranges out of a log that are kept elsewhere. There should be one for a log.
#[derive(Clone, Debug)]
pub struct Pruner {
    shared: Arc<Shared>,
}

impl RedbLog {
    /// What takes ranges out of this log.
    #[must_use]
    pub fn pruner(&self) -> Pruner {
        let shared = Arc::clone(self.shared());
        Pruner { shared }
    }

    /// Says where ranges are to be read that are kept here no longer.
    pub fn read_pruned_from(&self, ranges: Arc<dyn Ranges>) {
        self.shared().files.elsewhere.set(ranges);
    }
}

impl Pruner {
    /// Up to where ranges are kept elsewhere only.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn pruned_to(&self) -> Result<Position, ReadError> {
        let found = self.shared.files.meta(META_PRUNED);
        let found = found.map_err(|error| unreadable(Position::ORIGIN, error))?;
        Ok(found.map_or(Position::ORIGIN, Position))
    }

    /// The oldest range that is kept here, unless it is the newest one too: that one always stays.
    ///
    /// # Errors
    /// When the log is damaged, or cannot be read.
    pub fn oldest(&self) -> Result<Option<SealedRange>, ReadError> {
        let from = self.pruned_to()?.next();
        let stored = Stored::now(&self.shared.files, from)?;
        let Some(first) = stored.segment_from(from)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        stored.segment(first, &mut bytes)?;
        let range = SealedRange::read(first, bytes)?;
        // Blocks that could not be removed are compared with their range at the next start.
        let is_needed = range.last >= stored.sealed_to() || stored.left_over()?.next().is_some();
        Ok((!is_needed).then_some(range))
    }

    /// Leaves a stub of the oldest range. Whoever calls has made sure that its bytes are kept in
    /// that place: they are gone from here when this returns. A crash leaves the range or the stub.
    ///
    /// # Errors
    /// When it is not the oldest range, or the log cannot be written.
    pub fn prune(&self, range: &SealedRange, place: &str) -> Result<(), ReadError> {
        if self.oldest()?.as_ref() != Some(range) {
            return Err(damaged(range.first, Damage::Gap));
        }
        let stub = Stub::of(range).map_err(|damage| damaged(range.first, damage))?;
        let cold = &self.shared.files.cold;
        store(cold, &stub, place).map_err(|error| {
            // What is sealed stays readable meanwhile, if the file can be opened again at all.
            let _ = cold.writing().recover();
            unreadable(stub.first, error)
        })
    }
}

/// Puts a stub in the place of its range, and says so: all of it or nothing. From then on the
/// directory is of a format that programs which know no stubs do not touch.
fn store(cold: &Store, stub: &Stub, place: &str) -> Result<(), StoreError> {
    let writing = cold.writing();
    let transaction = writing.begin()?;
    {
        let mut sealed = transaction.open_table(SEALED)?;
        let first = stub.first.0;
        sealed.insert((first, 0), stub.bytes().as_slice())?;
        sealed.retain_in((first, 1)..=(first, u32::MAX), |_, _| false)?;
        let mut meta = transaction.open_table(META)?;
        meta.insert(META_PRUNED, stub.last.0)?;
        meta.insert(META_FORMAT, u64::from(PRUNED_FORMAT))?;
        transaction.open_table(PLACES)?.insert(ARCHIVE, place)?;
    }
    Ok(transaction.commit()?)
}

impl SealedRange {
    /// When its last event was recorded.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn last_recorded_at(&self) -> Result<Micros, ReadError> {
        let at_first = |damage| damaged(self.first, damage);
        let segment = Segment::read(self.first, &self.bytes).map_err(at_first)?;
        let mut memory = Vec::new();
        let mut unpacked = segment.unpack(&mut memory).map_err(at_first)?;
        let mut recorded_at = Micros(0);
        for position in self.first.0..=self.last.0 {
            let envelope = unpacked.next(Position(position)).map_err(at_first)?;
            recorded_at = envelope.recorded_at;
        }
        Ok(recorded_at)
    }
}
