//! A file that can be written to without being changed: what is written stays in memory.

use std::collections::HashMap;
use std::io::{self, Error, ErrorKind};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

const PAGE: u64 = 4_096;

/// A storage on top of another, which it never writes to. The lock that it takes there is a shared
/// one: others may read meanwhile, nobody may write.
#[derive(Debug)]
pub(crate) struct Overlay<B> {
    below: B,
    above: Mutex<Above>,
}

#[derive(Debug, Default)]
struct Above {
    // How long the storage is, once that is no longer what is below.
    len: Option<u64>,
    // From where on nothing of what is below shows any more.
    cut: Option<u64>,
    pages: HashMap<u64, Box<[u8]>>,
}

impl<B: StorageBackend> Overlay<B> {
    /// On top of this storage.
    pub(crate) fn over(below: B) -> Self {
        let above = Mutex::default();
        Self { below, above }
    }

    fn above(&self) -> MutexGuard<'_, Above> {
        self.above.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is below, and zeros where it ends or is cut.
    fn read_below(&self, above: &Above, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = self.below.len()?.min(above.cut.unwrap_or(u64::MAX));
        let there = end.saturating_sub(offset).min(out.len() as u64) as usize;
        out[there..].fill(0);
        self.below.read(offset, &mut out[..there])
    }

    fn len_of(&self, above: &Above) -> io::Result<u64> {
        above.len.map_or_else(|| self.below.len(), Ok)
    }
}

/// The parts of a range that lie on one page each: the page, and where the part begins on it, and
/// in the range.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = (at % PAGE) as usize;
        let part = done..len.min(done + PAGE as usize - start);
        done = part.end;
        (!part.is_empty()).then_some((at / PAGE, start, part))
    })
}

impl<B: StorageBackend> StorageBackend for Overlay<B> {
    fn len(&self) -> io::Result<u64> {
        self.len_of(&self.above())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let above = self.above();
        if offset + out.len() as u64 > self.len_of(&above)? {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        self.read_below(&above, offset, out)?;
        if above.pages.is_empty() {
            return Ok(());
        }
        for (page, start, part) in parts(offset, out.len()) {
            if let Some(bytes) = above.pages.get(&page) {
                let count = part.len();
                out[part].copy_from_slice(&bytes[start..start + count]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut above = self.above();
        let before = above.cut.unwrap_or(u64::MAX);
        above.cut = Some(before.min(len));
        above.len = Some(len);
        above.pages.retain(|page, _| page * PAGE < len);
        if let Some(bytes) = above.pages.get_mut(&(len / PAGE)) {
            bytes[(len % PAGE) as usize..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut above = self.above();
        for (page, start, part) in parts(offset, data.len()) {
            if !above.pages.contains_key(&page) {
                let mut bytes = vec![0; PAGE as usize].into_boxed_slice();
                self.read_below(&above, page * PAGE, &mut bytes)?;
                above.pages.insert(page, bytes);
            }
            if let Some(bytes) = above.pages.get_mut(&page) {
                bytes[start..start + part.len()].copy_from_slice(&data[part]);
            }
        }
        let end = offset + data.len() as u64;
        let len = self.len_of(&above)?.max(end);
        above.len = Some(len);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.unlock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::StorageBackend;
    use redb::backends::InMemoryBackend;

    use super::Overlay;

    #[test]
    fn what_is_written_above_is_read_above_and_absent_below() {
        let below = InMemoryBackend::new();
        below.set_len(10_000).expect("memory");
        below.write(0, &[1; 10_000]).expect("memory");
        let overlay = Overlay::over(below);
        overlay.write(4_090, &[2; 10]).expect("memory");
        overlay.set_len(5_000).expect("memory");
        overlay.set_len(12_000).expect("memory");
        let mut out = vec![9; 12_000];
        overlay.read(0, &mut out).expect("within");
        let expected = [vec![1; 4_090], vec![2; 10], vec![1; 900], vec![0; 7_000]].concat();
        assert!(out == expected);
        assert!(overlay.read(1, &mut out).is_err());
        let mut below = vec![9; 10_000];
        overlay.below.read(0, &mut below).expect("within");
        assert!(below == [1; 10_000]);
    }
}
