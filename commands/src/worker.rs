//! Registering workers, and hearing from them.

use purser_events::{Event, Micros, WorkerNo};
use purser_projections::Books;

use crate::command::{Beat, RegisterWorker, UpdateWorker, WorkerRef};
use crate::{Answer, Rejection};

pub(crate) fn register(
    _books: &Books,
    _at: Micros,
    _register: &RegisterWorker,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}

pub(crate) fn update(
    _books: &Books,
    _at: Micros,
    _update: &UpdateWorker,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}

pub(crate) fn beat(
    _books: &Books,
    _at: Micros,
    _beat: &Beat,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}

pub(crate) fn renew_lease(
    _books: &Books,
    _at: Micros,
    _worker: &WorkerRef,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}

pub(crate) fn log_out(
    _books: &Books,
    _at: Micros,
    _worker: &WorkerRef,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}

pub(crate) fn lapse(
    _books: &Books,
    _at: Micros,
    _worker: WorkerNo,
    _into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    Err(Rejection::UnknownWorker)
}
