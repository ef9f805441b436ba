//! A disk in memory that writes down everything it is told to do.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// One of the files on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The newest blocks of the log.
    Hot,
    /// The rest of the log.
    Cold,
    /// The index of ids.
    Index,
}

/// What the disk was told to do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Write these bytes at this offset.
    Write(u64, Vec<u8>),
    /// Make the file this long.
    SetLen(u64),
    /// Make everything before this durable.
    Sync,
}

/// The bytes of all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// The newest blocks of the log.
    pub(crate) hot: Vec<u8>,
    /// The rest of the log.
    pub(crate) cold: Vec<u8>,
    /// The index of ids.
    pub(crate) index: Vec<u8>,
}

impl Files {
    /// One of them.
    pub(crate) const fn of(&mut self, name: Name) -> &mut Vec<u8> {
        match name {
            Name::Hot => &mut self.hot,
            Name::Cold => &mut self.cold,
            Name::Index => &mut self.index,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    operations: Vec<(Name, Operation)>,
}

/// A disk with three files; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// A disk that holds these files; what was done to it before is forgotten.
    pub(crate) fn holding(files: Files) -> Self {
        Self(Arc::new(Mutex::new(State {
            files,
            operations: Vec::new(),
        })))
    }

    /// How many operations it was told so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().operations.len()
    }

    /// Everything it was told.
    pub(crate) fn operations(&self) -> Vec<(Name, Operation)> {
        self.lock().operations.clone()
    }

    /// What its files hold now.
    pub(crate) fn files(&self) -> Files {
        self.lock().files.clone()
    }

    /// One of its files, as a storage for redb.
    pub(crate) fn file(&self, name: Name) -> OpenFile {
        OpenFile {
            disk: self.clone(),
            name,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file of the disk, opened.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    disk: Disk,
    name: Name,
}

impl OpenFile {
    fn record(&self, operation: Operation) {
        let mut state = self.disk.lock();
        if let Err(error) = apply(state.files.of(self.name), &operation) {
            panic!("the run keeps within its files: {error}");
        }
        state.operations.push((self.name, operation));
    }
}

/// Does to a file what the operation says.
pub(crate) fn apply(file: &mut Vec<u8>, operation: &Operation) -> io::Result<()> {
    match operation {
        Operation::Write(offset, bytes) => {
            let start = usize_of(*offset);
            let end = start + bytes.len();
            let place = file
                .get_mut(start..end)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            place.copy_from_slice(bytes);
        }
        Operation::SetLen(len) => file.resize(usize_of(*len), 0),
        Operation::Sync => {}
    }
    Ok(())
}

pub(crate) fn usize_of(offset: u64) -> usize {
    usize::try_from(offset).expect("files of a test fit the memory")
}

impl StorageBackend for OpenFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files.of(self.name).len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let start = usize_of(offset);
        let file = state.files.of(self.name);
        let place = file
            .get(start..start + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(place);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.record(Operation::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.record(Operation::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.record(Operation::Write(offset, data.to_vec()));
        Ok(())
    }
}
