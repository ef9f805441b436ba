//! What this machine can do, without Purser.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The median time of writing and syncing a 4 KiB block that was zeroed before.
pub(crate) fn sync_time(directory: &Path) -> Duration {
    const BLOCKS: usize = 400;
    let path = directory.join("calibration");
    let file = File::create(&path).expect("the directory can be written");
    let zeroes = vec![0; 4_096 * BLOCKS];
    file.write_all_at(&zeroes, 0)
        .expect("the disk takes two megabytes");
    file.sync_all().expect("the disk syncs");
    let block = [7; 4_096];
    let mut took: Vec<Duration> = (0..BLOCKS)
        .map(|number| {
            let began = Instant::now();
            file.write_all_at(&block, (number * block.len()) as u64)
                .expect("zeroed before");
            file.sync_data().expect("the disk syncs");
            began.elapsed()
        })
        .collect();
    std::fs::remove_file(path).expect("just made");
    took.sort_unstable();
    took[BLOCKS / 2]
}
