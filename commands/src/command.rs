//! Every wish that Purser can be asked to grant.

use purser_events::policy::{NodeType, PolicyChange};
use purser_events::worker::Manifest;
use purser_events::{Label, WorkerNo};
use purser_projections::names::Names;
use purser_projections::recall::RecallKey;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::grants::GrantCommand;
use crate::instruction::{AnswerInstruction, InstructWorker};
use crate::intake::TakeFile;
use crate::jobs::JobCommand;
use crate::matching::{
    AssignMatch, ExpireAssignment, GiveFeedback, ProbeRegion, RotateKey, SetStanding,
};
use crate::payout::{
    ConfirmPayout, ObservePayout, OpenSigner, PayoutRef, RequestElsewhere, ResumeSigner,
    RunPayouts, SignPayout, StopSigner,
};
use crate::ticket::chain::{ObserveChain, ObserveSender};
use crate::ticket::pay::PayTickets;
use crate::ticket::winner::ReportWinner;

/// A wish. What is not part of its content, such as fresh randomness, is skipped by `Serialize`.
#[derive(Clone, Debug, Serialize)]
pub enum Command {
    /// Register a worker, or say again what it offers.
    RegisterWorker(Box<RegisterWorker>),
    /// Report a change between heartbeats.
    UpdateWorker(Box<UpdateWorker>),
    /// Say that a worker lives.
    Beat(Beat),
    /// Renew a worker's lease.
    RenewLease(WorkerRef),
    /// End a worker's session at its own wish.
    LogOut(WorkerRef),
    /// End a worker's session if it was silent past the grace.
    LapseWorker(WorkerNo),
    /// Ask something of a worker.
    InstructWorker(Box<InstructWorker>),
    /// Say whether a worker does what it was asked for.
    AnswerInstruction(AnswerInstruction),
    /// Set a rule.
    SetPolicy(SetPolicy),
    /// Take in files of a further partition.
    DeclarePartition(DeclarePartition),
    /// Hold amounts in a further asset.
    DeclareAsset(DeclareAsset),
    /// Take in a delivered file.
    TakeFile(Box<TakeFile>),
    /// Request a payout on chain for everybody who is due.
    RunPayouts(RunPayouts),
    /// Hold an amount for a payout that is made elsewhere, or book it as made.
    RequestElsewhere(Box<RequestElsewhere>),
    /// Book a payout as made elsewhere.
    ConfirmPayout(Box<ConfirmPayout>),
    /// Give a payout up that never lands.
    CancelPayout(PayoutRef),
    /// Record the transfer that was signed for a payout.
    SignPayout(Box<SignPayout>),
    /// Record what the chain said of a payout.
    ObservePayout(Box<ObservePayout>),
    /// Sign payouts with a key.
    OpenSigner(OpenSigner),
    /// Sign and send nothing any more.
    StopSigner(StopSigner),
    /// Let a stopped signer go on.
    ResumeSigner(ResumeSigner),
    /// Do something about payers, their jobs and slots.
    Job(Box<JobCommand>),
    /// Say that a worker's lease ran out, if it did.
    DegradeWorker(WorkerNo),
    /// Take a worker out of matching, or let it in again.
    SetStanding(SetStanding),
    /// Bind a worker's id to a new API key.
    RotateKey(Box<RotateKey>),
    /// Tell how far a worker is from a known place.
    ProbeRegion(ProbeRegion),
    /// Record a match, and give its best workers the job.
    AssignMatch(Box<AssignMatch>),
    /// Tell how an assigned job went.
    GiveFeedback(Box<GiveFeedback>),
    /// Free a slot that nobody reported on, if its time is over.
    ExpireAssignment(ExpireAssignment),
    /// Find the latest recorded match of a job. Nothing happens.
    FindMatch(Label),
    /// Do something about grants, pools of generosity and identities.
    Grant(Box<GrantCommand>),
    /// Say where the chain stands.
    ObserveChain(Box<ObserveChain>),
    /// Say which funds a sender has on the chain.
    ObserveSender(Box<ObserveSender>),
    /// Say that parameters are issued with a further secret, by its number.
    AddTicketSecret(u16),
    /// Pay for a job with a batch of tickets.
    PayTickets(Box<PayTickets>),
    /// Say what became of a winner.
    ReportWinner(Box<ReportWinner>),
}

/// A secret text that is never shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Secret(pub Box<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Register a worker.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterWorker {
    /// The id that the worker chose.
    pub miner_id: Label,
    /// Its API key; the id is bound to it from the first registration on.
    pub api_key: Secret,
    /// Random bytes for a new key hash, drawn in the shell.
    #[serde(skip)]
    pub fresh_salt: [u8; 16],
    /// What it offers.
    pub manifest: Manifest,
}

/// How a command names its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum WorkerRef {
    /// By the session that a token proves: the session must still be the worker's current one.
    Session {
        /// The worker.
        worker: WorkerNo,
        /// The session, from 1.
        session: u32,
    },
    /// By its id, on behalf of the worker.
    Miner(Label),
}

/// Report a change between heartbeats; absent fields stay as they were.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateWorker {
    /// The worker.
    pub worker: WorkerRef,
    /// Jobs that wait.
    pub queue_len: Option<u32>,
    /// Whether it takes no further work.
    pub busy: Option<bool>,
    /// The jobs it is at.
    pub current_jobs: Option<Vec<Label>>,
    /// Price in millionths of a credit per kilosecond.
    pub price_micro: Option<u64>,
}

/// Say that a worker lives.
#[derive(Clone, Debug, Serialize)]
pub struct Beat {
    /// The worker.
    pub worker: WorkerRef,
    /// When the worker says it sent this, in milliseconds since 1970; 0 when it did not say.
    /// A beat that is not newer than the worker's last one is a repetition.
    pub sent_at_ms: u64,
    /// Jobs that wait.
    pub queue_len: u32,
    /// Mean latency of its recent jobs in milliseconds.
    pub avg_latency_ms: Option<u32>,
    /// Temperature in tenths of a degree Celsius.
    pub temp_decidegrees: Option<i32>,
    /// Free GPU memory in MiB.
    pub mem_free_mb: Option<u32>,
}

/// Set a rule.
#[derive(Clone, Debug, Serialize)]
pub struct SetPolicy {
    /// The rule and its new value.
    pub change: PolicyChange,
    /// The value that the caller believes is in force; refused when it is another.
    pub expected: Option<PolicyChange>,
}

/// Take in files of a further partition.
#[derive(Clone, Debug, Serialize)]
pub struct DeclarePartition {
    /// What its nodes do.
    pub node_type: NodeType,
    /// Where they are.
    pub region: Label,
}

/// Hold amounts in a further asset.
#[derive(Clone, Debug, Serialize)]
pub struct DeclareAsset {
    /// The code people use.
    pub code: Label,
    /// Decimal places between the asset's unit and its base unit.
    pub exponent: u8,
}

impl Command {
    /// The first half of the SHA-256 of what is asked: tells a repetition from a reuse of an id.
    #[must_use]
    pub fn content(&self) -> [u8; 16] {
        let digest = Sha256::digest(purser_events::codec::to_bytes(self));
        let mut content = [0; 16];
        content.copy_from_slice(&digest[..16]);
        content
    }

    /// Names every record of history that a decision on this command looks at. `names` are those
    /// of a state that is not older than the index.
    pub fn recall(&self, names: &Names, each: impl FnMut(RecallKey)) {
        match self {
            Self::TakeFile(file) => file.recall(names, each),
            Self::Job(command) => command.recall(names, each),
            Self::AssignMatch(assign) => assign.recall(each),
            Self::GiveFeedback(feedback) => feedback.recall(names, each),
            Self::FindMatch(job) => crate::matching::recall_match(job, each),
            Self::Grant(command) => command.recall(names, each),
            Self::PayTickets(pay) => pay.recall(names, each),
            Self::ReportWinner(report) => report.recall(each),
            _ => {}
        }
    }
}
