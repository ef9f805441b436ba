//! What this machine can do, without Purser.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Blocks of the file that is written.
const BLOCKS: usize = 400;

/// A file of zeroed blocks of 4 KiB, that can be written one after another, round and round.
struct Blocks {
    file: File,
    next: usize,
}

impl Blocks {
    fn new(directory: &Path) -> Self {
        let file = File::create(directory.join(NAME)).expect("the directory can be written");
        let zeroes = vec![0; 4_096 * BLOCKS];
        file.write_all_at(&zeroes, 0)
            .expect("the disk takes two megabytes");
        file.sync_all().expect("the disk syncs");
        Self { file, next: 0 }
    }

    /// Writes the next block and syncs.
    fn sync(&mut self) -> Duration {
        let began = Instant::now();
        let at = (self.next % BLOCKS * 4_096) as u64;
        self.file
            .write_all_at(&[7; 4_096], at)
            .expect("zeroed before");
        self.file.sync_data().expect("the disk syncs");
        self.next += 1;
        began.elapsed()
    }
}

const NAME: &str = "calibration";

/// The median time of writing and syncing a 4 KiB block that was zeroed before.
pub(crate) fn sync_time(directory: &Path) -> Duration {
    let mut blocks = Blocks::new(directory);
    let mut took: Vec<Duration> = (0..BLOCKS).map(|_| blocks.sync()).collect();
    std::fs::remove_file(directory.join(NAME)).expect("just made");
    took.sort_unstable();
    took[BLOCKS / 2]
}

/// The longest of such syncs in a while, one after another.
pub(crate) fn longest_sync(directory: &Path, period: Duration) -> Duration {
    let (mut blocks, until) = (Blocks::new(directory), Instant::now() + period);
    let mut longest = Duration::ZERO;
    while Instant::now() < until {
        longest = longest.max(blocks.sync());
    }
    std::fs::remove_file(directory.join(NAME)).expect("just made");
    longest
}
