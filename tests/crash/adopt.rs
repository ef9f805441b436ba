//! A directory of the first format, crashed while it is brought into the second.

use std::path::Path;

use purser::log::{Batch, BatchId, End, Log, RedbLog, verify};
use purser_events::worker::LeaseGranted;
use purser_events::{Actor, Envelope, Event, Micros, Position, WorkerNo};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::disk::{Disk, Files, Name};
use crate::images::{Moment, Survive};
use crate::random::Random;
use crate::run::scratch;

const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

fn batch(after: Position, count: u64) -> Batch {
    let mut batch = Batch::new(BatchId([after.0 as u8; 16]), [5; 32], after);
    for number in after.0 + 1..=after.0 + count {
        batch.push(&Envelope {
            position: Position(number),
            recorded_at: Micros(number),
            command: None,
            actor: Actor::Purser,
            event: Event::LeaseGranted(LeaseGranted {
                worker: WorkerNo(number as u32),
                session: 1,
            }),
        });
    }
    batch
}

/// A log with a segment and some blocks, as the first format had it: all in the cold file.
fn first_format() -> (Files, End) {
    let disk = Disk::default();
    let log = RedbLog::create_with_backends(disk.file(Name::Hot), disk.file(Name::Cold));
    let mut log = log.expect("a new log");
    let lease = log.acquire().expect("nobody else holds it");
    for count in [300, 1, 40, 700] {
        let batch = batch(log.end().position, count);
        log.append(lease, &batch).expect("a good batch");
        if count == 40 {
            log.seal_all().expect("a whole log");
        }
    }
    let end = log.end();
    drop(log);
    move_blocks(&disk);
    let mut files = disk.files();
    files.hot.clear();
    (files, end)
}

fn move_blocks(disk: &Disk) {
    let open = |name| Database::builder().create_with_backend(disk.file(name));
    let hot = open(Name::Hot).expect("the hot file");
    let cold = open(Name::Cold).expect("the cold file");
    let from = hot.begin_read().expect("a transaction");
    let from = from.open_table(BLOCKS).expect("the table");
    let to = cold.begin_write().expect("a transaction");
    {
        let mut blocks = to.open_table(BLOCKS).expect("the table");
        for entry in from.iter().expect("the table") {
            let (first, bytes) = entry.expect("an entry");
            blocks
                .insert(first.value(), bytes.value())
                .expect("inserted");
        }
        let mut meta = to.open_table(META).expect("the table");
        meta.insert("format", 1).expect("inserted");
    }
    to.commit().expect("committed");
}

fn write(files: &Files, data: &Path) {
    std::fs::write(data.join("log.redb"), &files.cold).expect("written");
    std::fs::write(data.join("hot.redb"), &files.hot).expect("written");
    std::fs::write(data.join("format"), "purser log, format 1\n").expect("written");
}

#[test]
fn a_crash_while_a_directory_changes_its_format_loses_nothing() {
    let (files, end) = first_format();
    let disk = Disk::holding(files.clone());
    let log = RedbLog::create_with_backends(disk.file(Name::Hot), disk.file(Name::Cold));
    assert_eq!(log.expect("an older log").end(), end);
    let mut random = Random::new(11);
    let mut moment = Moment::starting_from(files);
    for (name, operation) in disk.operations() {
        moment.advance(name, &operation);
        for survive in [Survive::None, Survive::All, Survive::Some, Survive::Torn] {
            let data = scratch();
            write(&moment.image(survive, &mut random), data.path());
            let mut count = 0;
            let verified = verify(data.path(), &mut |_| count += 1);
            let log = RedbLog::open(data.path());
            assert_eq!(log.expect("either format").end(), end, "{survive:?}");
            // A hot file that is half made is no log yet: verifying it before the start may fail.
            if let Ok(verified) = verified {
                assert_eq!((verified.end, count), (end, end.position.0));
            }
        }
    }
}
