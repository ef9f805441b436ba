//! Matching: who gets a job, how it went, and who may be matched at all.

mod assign;
mod feedback;
mod standing;

use purser_events::matching::{Ask, Candidate, Outcome, Reason, Weights};
use purser_events::{KeyTag, Label, Position, WorkerNo};
use purser_projections::Books;
use purser_projections::names::Names;
use purser_projections::recall::{RecallKey, Record, SeenMatch};
use serde::Serialize;

use crate::command::{Secret, WorkerRef};
use crate::{Answer, Rejection};

pub(crate) use assign::{assign, expire};
pub use feedback::evidence_of;
pub(crate) use feedback::give;
pub(crate) use standing::{probe, set_standing};

/// Record a match, and give its best workers the job.
#[derive(Clone, Debug, Serialize)]
pub struct AssignMatch {
    /// The coordinator's id of the job.
    pub job: Label,
    /// Whose job it is.
    pub coordinator: KeyTag,
    /// What it asks for.
    pub ask: Ask,
    /// How many workers are to get it.
    pub count: u32,
    /// What was found.
    #[serde(skip)]
    pub found: Finding,
}

/// What a match found when it looked: a fact from outside, another at each delivery.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The last event that the registry had folded in.
    pub looked_at: Position,
    /// The weights of the score.
    pub weights: Weights,
    /// The best workers, the best first.
    pub candidates: Vec<Candidate>,
    /// How many workers were left out, by the first reason.
    pub left_out: Vec<(Reason, u32)>,
}

/// Tell how an assigned job went.
#[derive(Clone, Debug, Serialize)]
pub struct GiveFeedback {
    /// The coordinator's id of the job.
    pub job: Label,
    /// The worker's id.
    pub worker: Label,
    /// Who tells.
    pub coordinator: KeyTag,
    /// How it went.
    pub outcome: Outcome,
    /// How long the worker took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Why it failed or was refused.
    pub fail_code: Option<Label>,
    /// What the job cost, in tokens.
    pub tokens_spent: Option<u64>,
    /// Whether the worker was offered for the job to this coordinator in a match that was not
    /// recorded: a fact from outside, which the shell forgets after a while.
    #[serde(skip)]
    pub offered: Option<Offered>,
}

/// A match that was answered and not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// How soon the job has to be done, in milliseconds.
    pub deadline_ms: Option<u32>,
}

/// Free a slot that nobody reported on, if its time is over.
#[derive(Clone, Debug, Serialize)]
pub struct ExpireAssignment {
    /// The coordinator's id of the job.
    pub job: Label,
    /// The worker.
    pub worker: WorkerNo,
}

/// Take a worker out of matching, or let it in again.
#[derive(Clone, Debug, Serialize)]
pub struct SetStanding {
    /// The worker's id.
    pub worker: Label,
    /// Whether it is suspended from now on.
    pub suspended: bool,
    /// Why.
    pub reason: Label,
}

/// Bind a worker's id to a new API key.
#[derive(Clone, Debug, Serialize)]
pub struct RotateKey {
    /// The worker.
    pub worker: WorkerRef,
    /// The new key.
    pub api_key: Secret,
    /// Random bytes for its hash, drawn in the shell.
    #[serde(skip)]
    pub fresh_salt: [u8; 16],
    /// How long the old key stays good, in milliseconds.
    pub overlap_ms: u32,
}

/// Tell how far a worker is from a known place.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeRegion {
    /// The worker's id.
    pub worker: Label,
    /// The region that the probe stands in.
    pub probe: Label,
    /// The shortest way there and back, in microseconds.
    pub rtt_us: u32,
    /// How many were measured.
    pub samples: u32,
    /// How far the probe is from the region that the worker claims, in kilometres.
    pub distance_km: Option<u32>,
    /// The claim that this is about; absent where it is about whichever holds.
    #[serde(skip)]
    pub claimed: Option<Label>,
}

impl AssignMatch {
    pub(crate) fn recall(&self, mut each: impl FnMut(RecallKey)) {
        each(RecallKey::of_match(&self.job));
        for candidate in &self.found.candidates {
            each(RecallKey::of_outcome(&self.job, candidate.worker));
        }
    }
}

impl GiveFeedback {
    pub(crate) fn recall(&self, names: &Names, mut each: impl FnMut(RecallKey)) {
        if let Some(worker) = names.miner(&self.worker) {
            each(RecallKey::of_outcome(&self.job, worker));
        }
    }
}

pub(crate) fn recall_match(job: &Label, mut each: impl FnMut(RecallKey)) {
    each(RecallKey::of_match(job));
}

/// What history knows of the matches of a job.
fn seen(books: &Books, job: &Label) -> SeenMatch {
    match books.recalled.get(&RecallKey::of_match(job)).as_deref() {
        Some(Record::Match(seen)) => seen.clone(),
        _ => SeenMatch::default(),
    }
}

/// Whether a worker's part in a job ended.
fn is_over(books: &Books, job: &Label, worker: WorkerNo) -> bool {
    let key = RecallKey::of_outcome(job, worker);
    books.recalled.get(&key).is_some()
}

/// The registered worker of this id.
fn known(books: &Books, id: &Label) -> Result<WorkerNo, Rejection> {
    let worker = books.projections.names.miner(id);
    worker.ok_or(Rejection::UnknownWorker)
}

/// The latest recorded match of a job.
pub(crate) fn find(books: &Books, job: &Label) -> Result<Answer, Rejection> {
    let seen = seen(books, job);
    let latest = seen.positions.last().ok_or(Rejection::UnknownMatch)?;
    Ok(Answer::Match(*latest))
}
