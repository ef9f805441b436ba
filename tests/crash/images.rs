//! What a power cut could leave: everything synced, and any part of what was not.

use crate::disk::{Files, Name, Operation, apply, usize_of};
use crate::random::Random;

/// The smallest part of a write that a disk makes durable as one.
const SECTOR: usize = 512;

/// How much of the unsynced operations a crash lets survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survive {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// Some operations whole, others not at all.
    Some,
    /// Of some writes, some sectors.
    Torn,
}

/// The files as they are durable at one moment, and what may or may not be on disk besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moment {
    durable: Files,
    unsynced: Vec<(Name, Operation)>,
}

impl Moment {
    /// Nothing was done to these files yet.
    pub(crate) const fn starting_from(files: Files) -> Self {
        Self {
            durable: files,
            unsynced: Vec::new(),
        }
    }

    /// Goes on by one operation. A sync makes durable what its own file was told before.
    pub(crate) fn advance(&mut self, name: Name, operation: &Operation) {
        if *operation != Operation::Sync {
            self.unsynced.push((name, operation.clone()));
            return;
        }
        for (of, operation) in std::mem::take(&mut self.unsynced) {
            if of == name {
                apply(self.durable.of(of), &operation).expect("the run kept within its files");
            } else {
                self.unsynced.push((of, operation));
            }
        }
    }

    /// Whether there is anything that a crash could lose.
    pub(crate) const fn is_settled(&self) -> bool {
        self.unsynced.is_empty()
    }

    /// The files that a crash leaves.
    pub(crate) fn image(&self, survive: Survive, random: &mut Random) -> Files {
        let mut files = self.durable.clone();
        for (name, operation) in &self.unsynced {
            let file = files.of(*name);
            match (survive, operation) {
                (Survive::None, _) => {}
                (Survive::Torn, Operation::Write(offset, bytes)) => {
                    write_torn(file, *offset, bytes, random);
                }
                (Survive::All, _) => write_within(file, operation),
                (Survive::Some | Survive::Torn, _) if random.coin() => {
                    write_within(file, operation);
                }
                (Survive::Some | Survive::Torn, _) => {}
            }
        }
        files
    }
}

/// Does what the operation says, as far as the file reaches: where its growth was lost, so is what
/// was written there.
fn write_within(file: &mut Vec<u8>, operation: &Operation) {
    let Operation::Write(offset, bytes) = operation else {
        return apply(file, operation).expect("only writes can miss the file");
    };
    let start = usize_of(*offset);
    let end = (start + bytes.len()).min(file.len());
    if start < end {
        file[start..end].copy_from_slice(&bytes[..end - start]);
    }
}

/// Writes some of the sectors that a write touches; boundaries are those of the disk.
fn write_torn(file: &mut Vec<u8>, offset: u64, bytes: &[u8], random: &mut Random) {
    let mut at = 0;
    while at < bytes.len() {
        let position = usize_of(offset) + at;
        let len = (SECTOR - position % SECTOR).min(bytes.len() - at);
        if random.coin() {
            let part = bytes[at..at + len].to_vec();
            write_within(file, &Operation::Write(position as u64, part));
        }
        at += len;
    }
}

fn moment_with(writes: &[(u64, &[u8])]) -> Moment {
    let mut moment = Moment::starting_from(Files {
        cold: vec![0; 2 * SECTOR],
        ..Files::default()
    });
    for (offset, bytes) in writes {
        moment.advance(Name::Cold, &Operation::Write(*offset, bytes.to_vec()));
    }
    moment
}

#[test]
fn nothing_all_and_some_of_the_unsynced_writes_survive() {
    let moment = moment_with(&[(0, b"a"), (1, b"b"), (2, b"c")]);
    let mut random = Random::new(1);
    assert_eq!(
        moment.image(Survive::None, &mut random).cold[..3],
        *b"\0\0\0"
    );
    assert_eq!(moment.image(Survive::All, &mut random).cold[..3], *b"abc");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        seen.insert(moment.image(Survive::Some, &mut random).cold[..3].to_vec());
    }
    assert_eq!(seen.len(), 8, "every subset comes up");
}

#[test]
fn a_torn_write_keeps_whole_sectors() {
    let moment = moment_with(&[(256, &[7; SECTOR])]);
    let mut random = Random::new(2);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let log = moment.image(Survive::Torn, &mut random).cold;
        let halves = [&log[256..512], &log[512..768]];
        for half in halves {
            assert!(
                half.iter().all(|byte| *byte == half[0]),
                "a sector is whole"
            );
        }
        seen.insert(halves.map(|half| half[0]));
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_sync_makes_its_own_file_durable_and_no_other() {
    let mut moment = moment_with(&[(0, b"a")]);
    moment.advance(Name::Index, &Operation::SetLen(4));
    moment.advance(Name::Index, &Operation::Write(0, b"wxyz".to_vec()));
    moment.advance(Name::Index, &Operation::Sync);
    let left = moment.image(Survive::None, &mut Random::new(3));
    assert_eq!((left.cold[0], &left.index[..]), (0, &b"wxyz"[..]));
    assert!(!moment.is_settled());
    moment.advance(Name::Cold, &Operation::Sync);
    assert!(moment.is_settled());
    assert_eq!(
        moment.image(Survive::None, &mut Random::new(4)).cold[0],
        b'a'
    );
}

#[test]
fn what_was_written_behind_a_lost_growth_is_lost() {
    let mut moment = moment_with(&[]);
    let behind = 2 * SECTOR as u64;
    moment.advance(Name::Cold, &Operation::SetLen(behind + 8));
    moment.advance(Name::Cold, &Operation::Write(behind, b"grown".to_vec()));
    let mut lens = std::collections::BTreeSet::new();
    let mut random = Random::new(5);
    for _ in 0..50 {
        lens.insert(moment.image(Survive::Some, &mut random).cold.len());
    }
    assert_eq!(
        lens.len(),
        2,
        "the growth survives or not, and nothing goes wrong"
    );
}
