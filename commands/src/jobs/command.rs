//! Wishes about payers, their funds, their jobs and slots.

use purser_events::paid::Used;
use purser_events::{Amount, JobNo, Label, Price};
use serde::Serialize;

/// How a command names a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobName {
    /// The payer.
    pub payer: Label,
    /// The id that the coordinator chose.
    pub id: Label,
}

/// Open a job.
#[derive(Clone, Debug, Serialize)]
pub struct OpenJob {
    /// Its name.
    pub job: JobName,
    /// The code of the asset that it is paid in.
    pub asset: Label,
    /// What a unit costs.
    pub price: Option<Price>,
    /// How many units it is meant to take at most.
    pub timeout_sec: Option<u32>,
    /// What it asks for.
    pub capability: Option<Label>,
    /// The payer's own reference.
    pub payer_ref: Option<Label>,
    /// Who earns what it is debited: a worker's id or address.
    pub worker: Option<Label>,
    /// The request under way that bears what it is debited.
    pub request: Option<Label>,
}

/// A payment as its rail tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Payment {
    /// How much came in.
    pub amount: Amount,
    /// The way it came.
    pub rail: Label,
    /// The rail's own id of it.
    pub id: Label,
}

/// Credit a job with a payment.
#[derive(Clone, Debug, Serialize)]
pub struct CreditJob {
    /// The job.
    pub job: JobName,
    /// The code of the asset, where the caller says it: the job's.
    pub asset: Option<Label>,
    /// The payment.
    pub payment: Payment,
}

/// Credit a payer's own funds with a payment.
#[derive(Clone, Debug, Serialize)]
pub struct Deposit {
    /// The payer.
    pub payer: Label,
    /// The code of the asset.
    pub asset: Label,
    /// The payment.
    pub payment: Payment,
}

/// Give a payer's funds to a job.
#[derive(Clone, Debug, Serialize)]
pub struct TransferFunds {
    /// The job.
    pub job: JobName,
    /// The code of the asset, where the caller says it: the job's.
    pub asset: Option<Label>,
    /// How much.
    pub amount: Amount,
    /// The coordinator's id of the transfer.
    pub transfer: Option<Label>,
}

/// Settle what a payer owes from its funds, as far as they go.
#[derive(Clone, Debug, Serialize)]
pub struct SettleDebt {
    /// The payer.
    pub payer: Label,
    /// The code of the asset.
    pub asset: Label,
}

/// Choose what becomes of a payer's funds when it opens a job.
#[derive(Clone, Debug, Serialize)]
pub struct ChooseFunds {
    /// The payer.
    pub payer: Label,
    /// Whether all its funds of the job's asset go to the job that it opens next.
    pub at_open: bool,
}

/// Which units a job must cover to be admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdmitRule {
    /// Those that are asked for, but no more than its timeout.
    #[default]
    UpToTimeout,
    /// All that are asked for, however short its timeout is: the reference node's rule.
    AllAskedFor,
}

/// When a job that is below zero stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StopRule {
    /// At the debit that finds it below zero. Money that lifts it gives it its grace again.
    #[default]
    FoundBelowZero,
    /// At the second debit that leaves it below zero, whatever was paid in between: the reference
    /// node's rule.
    SecondBelowZero,
}

/// The rules that jobs are admitted and stopped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobRules {
    /// Which units a job must cover.
    pub admit: AdmitRule,
    /// When a job that is below zero stops.
    pub stop: StopRule,
}

/// Hold units for a job, if it covers them.
#[derive(Clone, Debug, Serialize)]
pub struct AdmitJob {
    /// The job.
    pub job: JobName,
    /// The units asked for.
    pub units: u64,
    /// Which of them it must cover.
    #[serde(skip)]
    pub rule: AdmitRule,
}

/// Charge a job for work.
#[derive(Clone, Debug, Serialize)]
pub struct DebitJob {
    /// The job.
    pub job: JobName,
    /// The coordinator's number of the debit.
    pub seq: u64,
    /// What was used.
    pub used: Used,
    /// Who earned it, if not the worker that the job was opened with: an id or an address.
    pub worker: Option<Label>,
    /// When the job stops, should it be below zero.
    #[serde(skip)]
    pub rule: StopRule,
}

/// End a job.
#[derive(Clone, Debug, Serialize)]
pub struct CloseJob {
    /// The job.
    pub job: JobName,
    /// Why.
    pub reason: Option<Label>,
}

/// Count a capability's slots.
#[derive(Clone, Debug, Serialize)]
pub struct DeclareCapability {
    /// What it is known by.
    pub name: Label,
    /// How many jobs may hold a slot at once.
    pub slots: u32,
}

/// Reserve or free a slot.
#[derive(Clone, Debug, Serialize)]
pub struct SlotOf {
    /// The capability.
    pub capability: Label,
    /// The job's id.
    pub job_id: Label,
    /// Its payer, where it is an open job of these books.
    pub payer: Option<Label>,
}

/// A wish about payers, their funds, their jobs and slots.
#[derive(Clone, Debug, Serialize)]
pub enum JobCommand {
    /// Open a job.
    Open(OpenJob),
    /// Credit a job with a payment.
    Credit(CreditJob),
    /// Credit a payer's own funds with a payment.
    Deposit(Deposit),
    /// Give a payer's funds to a job.
    Transfer(TransferFunds),
    /// Settle what a payer owes from its funds.
    Settle(SettleDebt),
    /// Choose what becomes of a payer's funds when it opens a job.
    Choose(ChooseFunds),
    /// Hold units for a job, if it covers them.
    Admit(AdmitJob),
    /// Charge a job for work.
    Debit(DebitJob),
    /// End a job.
    Close(CloseJob),
    /// End a job that is idle longer than the rule allows.
    CloseIdle(JobNo),
    /// Look up what the books know of a job that closed.
    Find(JobName),
    /// Count a capability's slots.
    DeclareCapability(DeclareCapability),
    /// Count a capability's slots no longer.
    RemoveCapability(Label),
    /// Reserve a slot.
    ReserveSlot(SlotOf),
    /// Free a slot.
    FreeSlot(SlotOf),
}
