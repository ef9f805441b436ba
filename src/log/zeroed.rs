//! A file whose new parts are zeroed before they are first written.
//!
//! A write into a part of a file that has no blocks on the disk yet makes each sync commit the
//! file system's journal as well. Zeroing a part as a whole, once, pays that once per part, not
//! once per commit; it takes a third off the time of a sync.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// Bytes that are zeroed at once: little enough that no commit waits long for it.
const PART: u64 = 1 << 20;

/// Zeroes new parts of the storage below it before they are first written.
#[derive(Debug)]
pub(crate) struct Zeroed<B> {
    below: B,
    grown: Mutex<Grown>,
}

/// What was never written since the storage grew.
#[derive(Debug)]
struct Grown {
    len: u64,
    // Parts that lie wholly in what was added since the start, and were not written yet. What was
    // there before is never touched.
    untouched: BTreeSet<u64>,
}

impl Grown {
    fn set_len(&mut self, len: u64) {
        let fresh = self.len.div_ceil(PART)..len / PART;
        self.untouched.retain(|part| (part + 1) * PART <= len);
        self.untouched.extend(fresh);
        self.len = len;
    }

    /// The parts that a write reaches for the first time.
    fn reach(&self, offset: u64, len: usize) -> Vec<u64> {
        let last = (offset + len as u64).div_ceil(PART);
        self.untouched.range(offset / PART..last).copied().collect()
    }
}

impl<B: StorageBackend> Zeroed<B> {
    pub(crate) fn new(below: B) -> io::Result<Self> {
        let len = below.len()?;
        let grown = Mutex::new(Grown {
            len,
            untouched: BTreeSet::new(),
        });
        Ok(Self { below, grown })
    }

    fn grown(&self) -> MutexGuard<'_, Grown> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: StorageBackend> StorageBackend for Zeroed<B> {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut grown = self.grown();
        self.below.set_len(len)?;
        grown.set_len(len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.below.sync_data()
    }

    /// The lock is held over the zeroing, so that no other write gets into a part before it.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut grown = self.grown();
        for part in grown.reach(offset, data.len()) {
            self.below.write(part * PART, &ZEROES)?;
            grown.untouched.remove(&part);
        }
        drop(grown);
        self.below.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }
}

static ZEROES: [u8; PART as usize] = [0; PART as usize];

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    fn bytes(storage: &impl StorageBackend, offset: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![9; len];
        storage.read(offset, &mut bytes).expect("within the length");
        bytes
    }

    #[test]
    fn what_was_there_before_and_what_was_written_is_never_zeroed() {
        let below = InMemoryBackend::new();
        below.set_len(PART + 10).expect("memory grows");
        below.write(PART, &[1; 10]).expect("within the length");
        let storage = Zeroed::new(below).expect("a length");
        storage.set_len(5 * PART).expect("memory grows");
        storage
            .write(3 * PART + 5, &[2; 7])
            .expect("within the length");
        storage
            .write(3 * PART + 20, &[3; 2])
            .expect("within the length");
        storage
            .write(2 * PART - 1, &[4; 2])
            .expect("across two parts");
        assert_eq!(
            bytes(&storage, PART, 11),
            [[1; 10].as_slice(), &[0]].concat()
        );
        assert_eq!(bytes(&storage, 3 * PART + 5, 8), [2, 2, 2, 2, 2, 2, 2, 0]);
        assert_eq!(bytes(&storage, 3 * PART + 20, 2), [3, 3]);
        assert_eq!(bytes(&storage, 2 * PART - 1, 2), [4, 4]);
    }

    #[test]
    fn each_new_part_is_zeroed_once_and_again_only_after_it_was_cut_off() {
        let mut grown = Grown {
            len: PART / 2,
            untouched: BTreeSet::new(),
        };
        grown.set_len(4 * PART);
        assert!(grown.reach(0, 10).is_empty());
        assert_eq!(grown.reach(PART + 3, PART as usize), [1, 2]);
        grown.untouched.remove(&1);
        grown.set_len(2 * PART + 1);
        assert!(grown.reach(0, 4 * PART as usize).is_empty());
        grown.set_len(4 * PART);
        assert_eq!(
            grown.reach(0, 4 * PART as usize),
            [3],
            "the part that was cut holds bytes"
        );
    }
}
