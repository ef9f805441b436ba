//! The index on a disk of memory that crashes, fills up and fails on demand.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use proptest::prelude::*;
use purser_events::Position;
use purser_projections::recall::{RecallKey, Record, SeenCommand};
use redb::StorageBackend;

use super::*;

/// A disk of which the writes since the last sync can be lost.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    seen: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Write>,
    /// Writes that reach further fail: the disk is full.
    end_max: Option<u64>,
    /// So many more operations succeed.
    life: Option<u64>,
}

#[derive(Clone, Debug)]
enum Write {
    Bytes(u64, Vec<u8>),
    Len(u64),
}

impl Write {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Bytes(offset, bytes) => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                image.resize(image.len().max(end), 0);
                image[start..end].copy_from_slice(bytes);
            }
            Self::Len(len) => image.resize(*len as usize, 0),
        }
    }
}

impl Platter {
    fn step(&mut self) -> Result<(), Error> {
        match &mut self.life {
            Some(0) => Err(Error::other("the disk is dead")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn put(&mut self, write: Write) {
        write.apply(&mut self.seen);
        self.unsynced.push(write);
    }
}

impl Disk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holding(image: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.platter().seen.clone_from(&image);
        disk.platter().synced = image;
        disk
    }

    /// What is found after a crash: what was synced, and of the rest what `kept` says.
    fn after_crash(&self, mut kept: impl FnMut() -> bool) -> Self {
        let platter = self.platter();
        let mut image = platter.synced.clone();
        for write in platter.unsynced.iter().filter(|_| kept()) {
            write.apply(&mut image);
        }
        drop(platter);
        Self::holding(image)
    }

    fn open(&self, filter_bytes: u64) -> Result<DiskIndex, IndexError> {
        let disk = self.clone();
        let opener: Opener = Box::new(move |builder| builder.create_with_backend(disk.clone()));
        let tuning = Tuning {
            cache_bytes: 1 << 20,
            filter_bytes,
            chunk_bytes: 4_096,
            fan: 2,
            runs_max: 8,
        };
        DiskIndex::open_with(opener, tuning)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platter().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let platter = self.platter();
        let start = offset as usize;
        let bytes = platter.seen.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.step()?;
        platter.put(Write::Len(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.step()?;
        let Platter {
            synced, unsynced, ..
        } = &mut *platter;
        for write in unsynced.drain(..) {
            write.apply(synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.step()?;
        let end = offset + data.len() as u64;
        if platter.end_max.is_some_and(|end_max| end > end_max) {
            return Err(Error::from(ErrorKind::StorageFull));
        }
        platter.put(Write::Bytes(offset, data.to_vec()));
        Ok(())
    }
}

type Facts = BTreeMap<RecallKey, Record>;

fn key(number: u64) -> RecallKey {
    RecallKey(xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes()).to_be_bytes())
}

fn content(position: u64) -> [u8; 16] {
    xxhash_rust::xxh3::xxh3_128(&position.to_le_bytes()).to_be_bytes()
}

fn record(position: u64) -> Record {
    Record::Command(SeenCommand {
        content: content(position),
        position: Position(position),
        events: position as u32 % 7,
    })
}

/// `count` records from `first` on, each under an own key.
fn generation(first: u64, count: u64) -> HashMap<RecallKey, Record> {
    (first..first + count)
        .map(|number| (key(number), record(number)))
        .collect()
}

fn learn(facts: &mut Facts, generation: &HashMap<RecallKey, Record>) {
    for (key, new) in generation {
        let known = facts.entry(*key).or_insert_with(|| new.clone());
        known.merge(new);
    }
}

fn known(index: &DiskIndex, keys: &[RecallKey]) -> Result<Facts, IndexError> {
    let mut facts = Facts::new();
    index.load(keys, &mut |key, record| {
        assert!(
            facts.insert(key, record).is_none(),
            "a key was answered twice"
        );
    })?;
    Ok(facts)
}

fn keys(range: std::ops::Range<u64>) -> Vec<RecallKey> {
    range.map(key).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Absorb(Vec<(u64, u64)>),
    Flush,
    Reopen,
    /// The disk dies after so many operations, and these unsynced writes of it stay.
    Crash(u64, Vec<bool>),
}

fn step() -> impl Strategy<Value = Step> {
    let entry = (0..400_u64, 1..1_000_u64);
    prop_oneof![
        6 => proptest::collection::vec(entry, 0..120).prop_map(Step::Absorb),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        2 => (0..40_u64, proptest::collection::vec(any::<bool>(), 16))
            .prop_map(|(life, kept)| Step::Crash(life, kept)),
    ]
}

/// The index beside a model that forgets nothing.
struct Pair {
    disk: Disk,
    filter_bytes: u64,
    index: Option<DiskIndex>,
    facts: Facts,
    fed: Vec<HashMap<RecallKey, Record>>,
    durable: Position,
}

impl Pair {
    fn new(filter_bytes: u64) -> Self {
        let disk = Disk::default();
        let index = disk.open(filter_bytes).expect("the disk works");
        Self {
            disk,
            filter_bytes,
            index: Some(index),
            facts: Facts::new(),
            fed: Vec::new(),
            durable: Position::ORIGIN,
        }
    }

    fn index(&self) -> &DiskIndex {
        self.index.as_ref().expect("it is open between the steps")
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Absorb(entries) => {
                let mut generation = HashMap::new();
                for (number, position) in entries {
                    let new = record(position);
                    generation
                        .entry(key(number))
                        .or_insert_with(|| new.clone())
                        .merge(&new);
                }
                learn(&mut self.facts, &generation);
                self.fed.push(generation.clone());
                let position = Position(self.fed.len() as u64);
                self.index()
                    .absorb(generation, position)
                    .expect("the disk works");
            }
            Step::Flush => {
                self.index().flush().expect("the disk works");
                self.durable = Position(self.fed.len() as u64);
                assert_eq!(self.index().checkpoint(), self.durable);
            }
            Step::Reopen => {
                self.index = None;
                self.durable = Position(self.fed.len() as u64);
                self.open();
            }
            Step::Crash(life, kept) => {
                self.disk.platter().life = Some(life);
                // The last flush meets the dying disk in the middle of its writes or merges.
                let flushed = self.index().flush().is_ok();
                if flushed {
                    self.durable = Position(self.fed.len() as u64);
                }
                self.disk.platter().life = Some(0);
                self.index = None;
                let mut kept = kept.into_iter().cycle();
                self.disk = self.disk.after_crash(|| kept.next().unwrap_or(true));
                self.open();
            }
        }
    }

    /// Opens the index, and feeds it again what its checkpoint does not cover.
    fn open(&mut self) {
        let index = self.disk.open(self.filter_bytes).expect("the disk works");
        let checkpoint = index.checkpoint();
        assert!(checkpoint >= self.durable, "what was flushed is not lost");
        for at in checkpoint.0..self.fed.len() as u64 {
            let generation = self.fed[at as usize].clone();
            index
                .absorb(generation, Position(at + 1))
                .expect("the disk works");
        }
        self.index = Some(index);
    }

    fn check(&self) {
        let found = known(self.index(), &keys(0..450)).expect("the disk works");
        assert_eq!(found, self.facts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_index_knows_what_it_was_told_whatever_happens(
        steps in proptest::collection::vec(step(), 1..30),
        filter_bytes in prop_oneof![Just(0_u64), Just(64), Just(1 << 20)],
    ) {
        let mut pair = Pair::new(filter_bytes);
        for step in steps {
            pair.take(step);
            pair.check();
        }
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_left_behind_when_there_is_space() {
    let disk = Disk::default();
    let index = disk.open(1 << 20).expect("the disk works");
    index
        .absorb(generation(0, 1_000), Position(1))
        .expect("the disk works");
    index.flush().expect("the disk works");

    let full = disk.platter().seen.len() as u64;
    disk.platter().end_max = Some(full);
    index
        .absorb(generation(1_000, 40_000), Position(2))
        .expect("nothing failed yet");
    assert!(matches!(index.flush(), Err(IndexError::Storage(_))));
    assert_eq!(index.checkpoint(), Position(1));
    let told = index.absorb(generation(41_000, 10), Position(3));
    assert!(matches!(index.flush(), Err(IndexError::Storage(_))));
    drop(told);
    let found = known(&index, &keys(0..41_010)).expect("reading goes on");
    assert_eq!(found.len(), 41_010);

    disk.platter().end_max = None;
    index.flush().expect("there is space again");
    assert_eq!(index.checkpoint(), Position(3));
    drop(index);
    let index = disk.open(0).expect("the disk works");
    assert_eq!(
        known(&index, &keys(0..42_000))
            .expect("the disk works")
            .len(),
        41_010
    );
}

#[test]
fn an_error_surfaces_in_the_next_absorb() {
    let disk = Disk::default();
    let index = disk.open(1 << 20).expect("the disk works");
    disk.platter().life = Some(2);
    let failed = (0..10).find(|n| index.absorb(generation(*n, 1), Position(n + 1)).is_err());
    assert!(
        failed.is_some_and(|n| n > 0),
        "the first cannot know, one of the next must"
    );
    disk.platter().life = None;
    index.flush().expect("the disk works again");
    assert_eq!(
        known(&index, &keys(0..10)).expect("it works").len() as u64,
        index.checkpoint().0
    );
}

#[test]
fn merging_leaves_few_runs_and_no_leftovers() {
    let disk = Disk::default();
    let index = disk.open(1 << 20).expect("the disk works");
    for n in 0..32 {
        index
            .absorb(generation(n * 100, 200), Position(n + 1))
            .expect("the disk works");
    }
    index.flush().expect("the disk works");
    while index.figures().unfinished > 0 {
        std::thread::yield_now();
    }
    assert_eq!((index.figures().runs, index.figures().records), (1, 3_300));
    assert_eq!(
        known(&index, &keys(0..4_000)).expect("it works").len(),
        3_300
    );
}

#[test]
fn a_changed_byte_is_found_or_harmless() {
    let disk = Disk::default();
    let index = disk.open(1 << 20).expect("the disk works");
    index
        .absorb(generation(0, 500), Position(9))
        .expect("the disk works");
    drop(index);
    let image = disk.platter().seen.clone();
    let expected: Facts = generation(0, 500).into_iter().collect();
    // Other pages are redb's own: of their damage it makes panics, some of them while closing.
    let contents: hashbrown::HashSet<_> = (0..500).map(content).collect();
    let ours = |page: &[u8]| page.array_windows().any(|part| contents.contains(part));
    let starts = (0..image.len()).step_by(4_096);
    let pages: Vec<_> = starts
        .filter(|start| ours(&image[*start..][..4_096]))
        .collect();
    assert!(pages.len() > 3, "the records fill several pages");
    let mut found = 0;
    for at in pages
        .iter()
        .flat_map(|start| (*start..start + 4_096).step_by(257))
    {
        let mut image = image.clone();
        image[at] ^= 0x10;
        match Disk::holding(image).open(0) {
            Err(IndexError::Damaged) => found += 1,
            Err(error) => panic!("byte {at}: {error}"),
            Ok(index) => match known(&index, &keys(0..600)) {
                Err(_) => found += 1,
                Ok(_) if index.checkpoint() == Position::ORIGIN => {}
                Ok(facts) => assert_eq!(facts, expected, "byte {at}"),
            },
        }
    }
    assert!(found > 10, "only {found} changes were found");
}

#[test]
fn a_file_that_is_no_index_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("recall.redb");
    std::fs::write(&path, vec![7; 100_000]).expect("it can be written");
    assert!(matches!(DiskIndex::open(&path), Err(IndexError::Damaged)));
    let (index, kept) = DiskIndex::open_or_discard(&path).expect("it can be made");
    assert_eq!(
        (index.checkpoint(), kept),
        (Position::ORIGIN, Kept::Discarded)
    );
    index
        .absorb(generation(0, 10), Position(5))
        .expect("the disk works");
    drop(index);
    let (index, kept) = DiskIndex::open_or_discard(&path).expect("it is whole");
    assert_eq!((index.checkpoint(), kept), (Position(5), Kept::Whole));
    assert_eq!(known(&index, &keys(0..20)).expect("it works").len(), 10);
}

#[test]
fn an_index_of_another_form_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("recall.redb");
    let database = redb::Database::create(&path).expect("it can be made");
    let write = database.begin_write().expect("it can be written");
    {
        let table = redb::TableDefinition::<&str, &[u8]>::new("meta");
        let mut meta = write.open_table(table).expect("it can be made");
        let mut bytes = block::unsealed(0);
        purser_events::codec::append(&store::Manifest::default(), &mut bytes);
        let bytes = block::seal(bytes, block::Mark::Manifest(store::FORM + 1));
        meta.insert("manifest", bytes.as_slice())
            .expect("it can be written");
    }
    write.commit().expect("it can be written");
    drop(database);
    assert!(matches!(DiskIndex::open(&path), Err(IndexError::Damaged)));
}
