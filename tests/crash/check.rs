//! Starts what a crash left, through the real start-up path, and looks whether all is there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purser::log::{End, Log, LogReader, Ranges, RedbLog, verify_with};
use purser::recall::DiskIndex;
use purser::service::{Parts, Running};
use purser_events::{Label, Position};
use purser_projections::Projections;
use purser_snapshots::{Digest, digest};
use tempfile::TempDir;

use crate::disk::{Disk, Files, Name};
use crate::run::{Acknowledged, Run, open_index, register, scratch, settings};

/// What must be true of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// The run that the image was made from.
    pub(crate) run: &'a Run,
    /// How many of its operations came before the crash.
    pub(crate) after: usize,
    /// Whether commands are delivered again.
    pub(crate) repeat: bool,
    /// Whether the log must end where a commit of the run ended.
    pub(crate) ends_as_in_run: bool,
}

/// What the log says of a command id.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    times: usize,
    first: Position,
    events: u64,
}

/// Everything that is read from the log of a started image.
struct Found {
    stamps: BTreeMap<Label, Stamp>,
    end: Position,
    digest: Digest,
}

impl Expected<'_> {
    fn acknowledged(&self) -> impl Iterator<Item = &Acknowledged> {
        self.run
            .acknowledged
            .iter()
            .filter(|one| one.after <= self.after)
    }

    fn next_unacknowledged(&self) -> Option<&Acknowledged> {
        self.run
            .acknowledged
            .iter()
            .find(|one| one.after > self.after)
    }
}

/// Starts the image and checks it; answers the disk with what the start did to it.
pub(crate) fn check(files: Files, expected: &Expected<'_>) -> Result<Disk, String> {
    let disk = Disk::holding(files);
    let data = directory(expected);
    let log =
        RedbLog::create_with_backends(disk.file(Name::Hot), disk.file(Name::Cold)).map_err(told)?;
    let archived = Arc::clone(&expected.run.archived) as Arc<dyn Ranges>;
    log.read_pruned_from(Arc::clone(&archived));
    let left = log.end();
    ends_whole(left, expected)?;
    let index = Arc::new(open_index(&disk).map_err(told)?);
    let log = Box::new(log);
    let parts = Parts { log, index };
    let running = Running::start(&settings(data.path()), parts).map_err(told)?;
    let verdict = look(&running, left, expected);
    running.stop().map_err(told)?;
    verdict?;
    if expected.repeat {
        verify_all(&disk.files(), archived)?;
    }
    Ok(disk)
}

/// Reads every byte of the log's files, the storage engine's own structure with it.
fn verify_all(files: &Files, archived: Arc<dyn Ranges>) -> Result<(), String> {
    let data = scratch();
    write_log(files, data.path())?;
    let verified = verify_with(data.path(), Some(archived), &mut drop);
    verified.map(drop).map_err(told)
}

/// Starts a directory that a crash left while its files were made for the first time. Nothing can
/// have been acknowledged; what is left must not be in the way.
pub(crate) fn check_making(files: &Files) -> Result<(), String> {
    let data = scratch();
    let index = data.path().join("index");
    write_log(files, data.path())?;
    std::fs::write(&index, &files.index).map_err(told)?;
    let log = RedbLog::open(data.path()).map_err(told)?;
    let (index, _) = DiskIndex::open_or_discard(&index).map_err(told)?;
    let parts = Parts {
        log: Box::new(log),
        index: Arc::new(index),
    };
    let running = Running::start(&settings(data.path()), parts).map_err(told)?;
    let reply = running.service.writer.submit_blocking(register(1));
    running.stop().map_err(told)?;
    reply.map(drop).map_err(told)
}

fn write_log(files: &Files, data: &Path) -> Result<(), String> {
    std::fs::write(data.join("log.redb"), &files.cold).map_err(told)?;
    std::fs::write(data.join("hot.redb"), &files.hot).map_err(told)
}

/// A data directory with the newest snapshots that were on disk by then.
fn directory(expected: &Expected<'_>) -> TempDir {
    let data = scratch();
    let folder = data.path().join("snapshots");
    std::fs::create_dir(&folder).expect("a directory for snapshots");
    let kept = expected.run.snapshots.iter();
    for snapshot in kept.filter(|one| one.after <= expected.after) {
        std::fs::write(folder.join(&snapshot.name), &snapshot.bytes).expect("a snapshot");
    }
    data
}

/// No half of a batch, and the tree root that the run had there.
fn ends_whole(left: End, expected: &Expected<'_>) -> Result<(), String> {
    if left.position == Position::ORIGIN || !expected.ends_as_in_run {
        return Ok(());
    }
    match expected.run.ends.get(&left.position) {
        Some(root) if *root == left.root => Ok(()),
        Some(_) => Err(format!("another tree root at {}", left.position)),
        None => Err(format!("{} is within a batch", left.position)),
    }
}

fn look(running: &Running, left: End, expected: &Expected<'_>) -> Result<(), String> {
    let found = read_all(&*running.service.log)?;
    let view = &running.service.view;
    let published = view.reached(found.end, Duration::from_secs(20));
    let timer = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    if !timer.map_err(told)?.block_on(published) {
        return Err("the view does not reach the end of the log".into());
    }
    let live = digest(&view.read());
    if live != found.digest {
        let at = view.position();
        return Err(format!(
            "the folds at {at} differ from a replay up to {}",
            found.end
        ));
    }
    for one in expected.acknowledged() {
        if one.position > left.position {
            return Err(format!(
                "position {} was acknowledged and is lost",
                one.position
            ));
        }
        is_there_once(&found, one)?;
    }
    for (id, stamp) in &found.stamps {
        let last = stamp.first.0 + stamp.events - 1;
        if stamp.times != 1 || last > found.end.0 {
            return Err(format!("`{id}` is not there once and whole: {stamp:?}"));
        }
    }
    if expected.repeat {
        repeat(running, expected)?;
    }
    Ok(())
}

fn is_there_once(found: &Found, one: &Acknowledged) -> Result<(), String> {
    let id = one.submission.id.as_ref().expect("every command has an id");
    let Some(stamp) = found.stamps.get(id) else {
        return Err(format!("`{id}` was acknowledged and is not in the log"));
    };
    let last = stamp.first.0 + stamp.events - 1;
    if stamp.times != 1 || last != one.position.0 {
        return Err(format!(
            "`{id}` was acknowledged at {}: {stamp:?}",
            one.position
        ));
    }
    Ok(())
}

/// Delivers an old command, the newest one and one that was not answered yet, twice each.
fn repeat(running: &Running, expected: &Expected<'_>) -> Result<(), String> {
    let newest = expected.acknowledged().last();
    let oldest = expected.acknowledged().next();
    for one in oldest.into_iter().chain(newest) {
        let reply = running
            .service
            .writer
            .submit_blocking(one.submission.clone());
        match reply {
            Ok(reply) if reply.replayed && reply.position == one.position => {}
            other => return Err(format!("repeated {:?}: {other:?}", one.submission.id)),
        }
    }
    if let Some(one) = expected.next_unacknowledged() {
        let writer = &running.service.writer;
        let first = writer.submit_blocking(one.submission.clone());
        let again = writer.submit_blocking(one.submission.clone());
        // A beat of a worker that is not registered yet is refused, each time.
        if let (Ok(first), Ok(again)) = (first, again)
            && (!again.replayed || again.position != first.position)
        {
            return Err(format!("sent twice: {first:?}, then {again:?}"));
        }
    }
    let found = read_all(&*running.service.log)?;
    match found.stamps.iter().find(|(_, stamp)| stamp.times != 1) {
        Some((id, _)) => Err(format!("`{id}` counts twice after a repetition")),
        None => Ok(()),
    }
}

/// Reads the log from its first position and folds it.
fn read_all(log: &dyn LogReader) -> Result<Found, String> {
    let mut folds = Projections::default();
    let mut stamps: BTreeMap<Label, Stamp> = BTreeMap::new();
    log.read(Position::ORIGIN.next(), &mut |envelope| {
        folds.apply(envelope.recorded());
        if let Some(stamp) = envelope.command {
            let (first, events) = (envelope.position, u64::from(stamp.events));
            let seen = Stamp {
                times: 0,
                first,
                events,
            };
            stamps.entry(stamp.id).or_insert(seen).times += 1;
        }
        ControlFlow::Continue(())
    })
    .map_err(told)?;
    let end = log.end().map_err(told)?;
    if log.root_at(end.position).map_err(told)? != Some(end.root) {
        return Err("the tree root at the end is not that of the entries".into());
    }
    Ok(Found {
        stamps,
        end: end.position,
        digest: digest(&folds),
    })
}

/// An error with its causes, in one line.
fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
