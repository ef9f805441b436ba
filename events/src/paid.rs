//! Payers' jobs: opened, credited, admitted, debited, closed.

use serde::{Deserialize, Serialize};

use crate::intake::Split;
use crate::{
    Amount, AssetNo, Balance, CapabilityNo, JobNo, Label, PayerNo, Price, RailNo, WorkerNo,
};

/// Which job an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// The job's number: the position of the event that opened it.
    pub number: JobNo,
    /// The id that the coordinator chose: unique for its payer, for ever.
    pub id: Label,
    /// The payer.
    pub payer: PayerNo,
    /// The asset that the job is paid in.
    pub asset: AssetNo,
}

/// A payer's job began. Its number is this event's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOpened {
    /// The payer.
    pub payer: PayerNo,
    /// The id that the coordinator chose.
    pub id: Label,
    /// The asset that it is paid in.
    pub asset: AssetNo,
    /// What it was opened with.
    pub terms: JobTerms,
}

/// What a job is opened with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTerms {
    /// What a unit costs; absent where the job is debited by amount only.
    pub price: Option<Price>,
    /// How many units it is meant to take at most, one per second.
    pub timeout_sec: Option<u32>,
    /// What it asks for.
    pub capability: Option<Label>,
    /// The payer's own reference: whom it runs the job for.
    pub payer_ref: Option<Label>,
    /// Who earns what it is debited, unless a debit says otherwise.
    pub worker: Option<WorkerNo>,
}

/// A job was paid for. What its payer owes is settled from it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCredited {
    /// The job.
    pub job: JobRef,
    /// How much came in.
    pub amount: Amount,
    /// How much of it settled the payer's debt.
    pub settled: Amount,
    /// The way it came.
    pub rail: RailNo,
    /// The rail's own id of the payment: counts once, for ever.
    pub payment: Label,
    /// What the job's balance came to: the first answer can be given again, and a replay proves it.
    pub balance: Balance,
}

/// A payer's funds went to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundsTransferred {
    /// The job.
    pub job: JobRef,
    /// How much.
    pub amount: Amount,
    /// The coordinator's id of the transfer, where it gave one: counts once, for ever.
    pub transfer: Option<Label>,
    /// What the job's balance came to.
    pub balance: Balance,
}

/// A job was found to cover further units: they are held for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobAdmitted {
    /// The job.
    pub job: JobRef,
    /// The units held from now on; debits use them up.
    pub units: u64,
    /// What they cost.
    pub held: Amount,
    /// What the job's balance is, with what is held.
    pub balance: Balance,
}

/// A job was charged for work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDebited {
    /// The job.
    pub job: JobRef,
    /// The coordinator's number of the debit: counts once, for ever.
    pub seq: u64,
    /// What was used.
    pub used: Used,
    /// What it cost: the cost of all units up to now, less what was charged for them before.
    pub charged: Amount,
    /// Who earned it; absent where the pool did.
    pub worker: Option<WorkerNo>,
    /// How it is shared out between worker and pool.
    pub split: Split,
    /// What the job's units came to.
    pub total_units: u64,
    /// What the job's balance came to.
    pub balance: Balance,
    /// What the coordinator was told to do.
    pub decision: Decision,
}

/// What a debit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Used {
    /// Units, at the job's price.
    Units(u64),
    /// Work whose cost the coordinator names.
    Amount(Amount),
}

/// Whether a job may go on after a debit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    /// It is paid for.
    Run,
    /// This debit brought it below zero: one more is borne.
    Grace,
    /// It was below zero already.
    Stop,
}

/// A job ended. What was left went to its payer; what was missing became the payer's debt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobClosed {
    /// The job.
    pub job: JobRef,
    /// Why.
    pub reason: CloseReason,
    /// How much of what was left settled the payer's debt.
    pub settled: Amount,
    /// How much of what was left went to the payer's funds.
    pub swept: Amount,
    /// How much was missing.
    pub debt: Amount,
    /// What it used in all.
    pub units: u64,
    /// What it was charged in all.
    pub charged: Amount,
    /// What it got in all, less what of it settled its payer's debt.
    pub credited: Amount,
}

/// Why a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseReason {
    /// The coordinator said so, perhaps with a reason.
    Asked(Option<Label>),
    /// Nothing happened to it for longer than the rule allows.
    Idle,
}

/// A capability's slots are counted from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityDeclared {
    /// The capability's number: the next one.
    pub capability: CapabilityNo,
    /// What it is known by.
    pub name: Label,
    /// How many jobs may hold a slot at once.
    pub slots: u32,
}

/// A capability has another number of slots from now on; without any it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityChanged {
    /// The capability.
    pub capability: CapabilityNo,
    /// How many jobs may hold a slot at once; absent when it was removed.
    pub slots: Option<u32>,
}

/// A job holds a slot of a capability from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotReserved {
    /// The capability.
    pub capability: CapabilityNo,
    /// Who holds the slot.
    pub holder: SlotHolder,
}

/// A job no longer holds a slot of a capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotFreed {
    /// The capability.
    pub capability: CapabilityNo,
    /// Who held the slot.
    pub holder: SlotHolder,
}

/// Who holds a slot. A payer's open job gives its slots back when it closes; any other text is
/// freed by the coordinator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotHolder {
    /// The job's id.
    pub job_id: Label,
    /// Its payer, where it is a job of these books.
    pub payer: Option<PayerNo>,
}
