//! Registering workers, and hearing from them.

use purser_events::matching::{KeyRotated, WorkerDegraded};
use purser_events::worker::{
    KeyHash, LeaseGranted, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut,
    WorkerRegistered, WorkerUpdated,
};
use purser_events::{Event, Micros, WorkerNo};
use purser_projections::Books;
use purser_projections::registry::{Pulse, State, Worker, WorkerFile};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::command::{Beat, RegisterWorker, Secret, UpdateWorker, WorkerRef};
use crate::matching::RotateKey;
use crate::{Answer, Rejection};

/// A new id is bound to its key. A known id with its own key gets its session: the one that goes
/// on, or the next one.
pub(crate) fn register(
    books: &Books,
    at: Micros,
    register: &RegisterWorker,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let projections = &books.projections;
    let known = projections.names.miner(&register.miner_id);
    match known.and_then(|worker| projections.registry.worker(worker)) {
        Some(worker) => come_back(worker, at, register, into),
        None => Ok(join(books, register, into)),
    }
}

fn join(books: &Books, register: &RegisterWorker, into: &mut Vec<Event>) -> Answer {
    let worker = WorkerNo::following(books.projections.names.workers().len());
    let salt = register.fresh_salt;
    into.push(Event::WorkerRegistered(Box::new(WorkerRegistered {
        worker,
        miner_id: register.miner_id.clone(),
        key: KeyHash {
            salt,
            hash: hash_key(&salt, &register.api_key),
        },
        manifest: register.manifest.clone(),
    })));
    Answer::Session {
        worker,
        session: 1,
        created: true,
    }
}

fn come_back(
    known: Worker<'_>,
    at: Micros,
    register: &RegisterWorker,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if !opens(known.file, &register.api_key, at) {
        return Err(Rejection::KeyMismatch);
    }
    let worker = known.number;
    let changed = known.file.manifest != register.manifest;
    if changed {
        let manifest = register.manifest.clone();
        into.push(Event::ManifestChanged(Box::new(ManifestChanged {
            worker,
            manifest,
        })));
    }
    let session = known.pulse.session + u32::from(!known.pulse.live());
    if changed || !known.pulse.leased(at) {
        into.push(Event::LeaseGranted(LeaseGranted { worker, session }));
    }
    Ok(Answer::Session {
        worker,
        session,
        created: false,
    })
}

fn hash_key(salt: &[u8; 16], key: &Secret) -> [u8; 32] {
    Sha256::new_with_prefix(salt)
        .chain_update(key.0.as_bytes())
        .finalize()
        .into()
}

/// Whether a key opens a worker's id: its own, or for a while the one before.
fn opens(file: &WorkerFile, key: &Secret, at: Micros) -> bool {
    let old = file.old_key.as_ref();
    let old = old.is_some_and(|(old, until_ms)| is_key(old, key) && at.millis() <= *until_ms);
    is_key(&file.key, key) || old
}

/// Takes as long for every wrong key, so that time tells nothing about the right one.
fn is_key(kept: &KeyHash, key: &Secret) -> bool {
    hash_key(&kept.salt, key).ct_eq(&kept.hash).into()
}

/// The worker that a command names, whether or not its session goes on; for a worker that names
/// itself, the session must be its latest.
pub(crate) fn named<'a>(
    books: &'a Books,
    by: &WorkerRef,
) -> Result<(WorkerNo, &'a Pulse), Rejection> {
    let projections = &books.projections;
    let worker = match by {
        WorkerRef::Session { worker, .. } => Some(*worker),
        WorkerRef::Miner(id) => projections.names.miner(id),
    };
    let worker = worker.ok_or(Rejection::UnknownWorker)?;
    let pulse = projections.registry.pulse(worker);
    let pulse = pulse.ok_or(Rejection::UnknownWorker)?;
    match by {
        WorkerRef::Session { session, .. } if *session != pulse.session => {
            Err(Rejection::SessionEnded)
        }
        _ => Ok((worker, pulse)),
    }
}

/// The worker that a command names, whose session must go on.
pub(crate) fn live<'a>(
    books: &'a Books,
    by: &WorkerRef,
) -> Result<(WorkerNo, &'a Pulse), Rejection> {
    let (worker, pulse) = named(books, by)?;
    if pulse.live() {
        Ok((worker, pulse))
    } else {
        Err(Rejection::SessionEnded)
    }
}

/// A report that changes nothing is no event.
pub(crate) fn update(
    books: &Books,
    update: &UpdateWorker,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, pulse) = live(books, &update.worker)?;
    let known = books.projections.registry.worker(worker);
    let file = known.expect("a live worker has a file").file;
    let event = WorkerUpdated {
        worker,
        queue_len: update.queue_len.filter(|new| *new != pulse.queue_len),
        busy: update.busy.filter(|new| *new != pulse.busy),
        current_jobs: update
            .current_jobs
            .as_ref()
            .filter(|new| **new != file.current_jobs)
            .cloned(),
        price_micro: update
            .price_micro
            .filter(|new| *new != file.manifest.price_micro),
    };
    if says_nothing(&event) {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::WorkerUpdated(Box::new(event)));
    Ok(Answer::Done)
}

const fn says_nothing(update: &WorkerUpdated) -> bool {
    update.queue_len.is_none()
        && update.busy.is_none()
        && update.current_jobs.is_none()
        && update.price_micro.is_none()
}

/// A heartbeat that was not sent after the last one is a repetition, and no event.
pub(crate) fn beat(
    books: &Books,
    at: Micros,
    beat: &Beat,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, pulse) = live(books, &beat.worker)?;
    let said = beat.sent_at_ms > 0;
    if said && beat.sent_at_ms <= pulse.sent_at_ms {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::WorkerBeat(WorkerBeat {
        worker,
        lag_ms: said.then(|| WorkerBeat::lag(at, beat.sent_at_ms)),
        queue_len: beat.queue_len,
        avg_latency_ms: beat.avg_latency_ms,
        temp_decidegrees: beat.temp_decidegrees,
        mem_free_mb: beat.mem_free_mb,
    }));
    Ok(Answer::Done)
}

pub(crate) fn renew_lease(
    books: &Books,
    by: &WorkerRef,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, pulse) = live(books, by)?;
    let session = pulse.session;
    into.push(Event::LeaseGranted(LeaseGranted { worker, session }));
    Ok(Answer::Session {
        worker,
        session,
        created: false,
    })
}

/// Logging out of a session that has ended already changes nothing.
pub(crate) fn log_out(
    books: &Books,
    by: &WorkerRef,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, pulse) = named(books, by)?;
    if !pulse.live() {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::WorkerLoggedOut(WorkerLoggedOut { worker }));
    Ok(Answer::Done)
}

pub(crate) fn lapse(
    books: &Books,
    at: Micros,
    worker: WorkerNo,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let projections = &books.projections;
    let pulse = projections.registry.pulse(worker);
    let pulse = pulse.ok_or(Rejection::UnknownWorker)?;
    if !pulse.live() {
        return Ok(Answer::Unchanged);
    }
    if !pulse.silent(at, projections.policy.heartbeat_grace_ms) {
        return Err(Rejection::NotSilent);
    }
    into.push(Event::WorkerLapsed(WorkerLapsed {
        worker,
        last_heard_ms: pulse.last_heard.millis(),
    }));
    Ok(Answer::Done)
}

/// A lease that ran out is told once; whoever was heard since is not degraded.
pub(crate) fn degrade(
    books: &Books,
    at: Micros,
    worker: WorkerNo,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let pulse = books.projections.registry.pulse(worker);
    let pulse = pulse.ok_or(Rejection::UnknownWorker)?;
    if pulse.state != State::Live {
        return Ok(Answer::Unchanged);
    }
    if pulse.leased(at) {
        return Err(Rejection::NotSilent);
    }
    into.push(Event::WorkerDegraded(WorkerDegraded {
        worker,
        last_heard_ms: pulse.last_heard.millis(),
    }));
    Ok(Answer::Done)
}

/// Binding an id to the key that it is bound to already changes nothing.
pub(crate) fn rotate_key(
    books: &Books,
    at: Micros,
    rotate: &RotateKey,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (worker, _) = live(books, &rotate.worker)?;
    let known = books.projections.registry.worker(worker);
    let file = known.expect("a live worker has a file").file;
    if is_key(&file.key, &rotate.api_key) {
        return Ok(Answer::Unchanged);
    }
    let salt = rotate.fresh_salt;
    into.push(Event::KeyRotated(Box::new(KeyRotated {
        worker,
        key: KeyHash {
            salt,
            hash: hash_key(&salt, &rotate.api_key),
        },
        old_until_ms: at.millis().saturating_add(rotate.overlap_ms.into()),
    })));
    Ok(Answer::Done)
}
