//! What writes about payers and their jobs answer. Amounts are texts of digits in base units.

use purser_commands::Answer;
use purser_commands::jobs::answer::JobAnswer;
use purser_events::paid::Decision;
use serde::Serialize;
use utoipa::ToSchema;

use crate::writer::Reply;

/// What an opened job answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenedBody {
    /// Whether this command opened it.
    pub(crate) created: bool,
    /// `open`, or `closed` where it had been opened and has ended.
    state: &'static str,
    /// What its balance is.
    balance: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

/// What a payment, a deposit, a transfer or a settlement answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditedBody {
    /// How much of it settled what the payer owed.
    settled: String,
    /// What the job's balance, or the payer's funds, came to.
    balance: String,
    /// The position that made it durable.
    position: u64,
    /// Whether it had been taken in before: then this is the first answer.
    replayed: bool,
}

/// What an admission answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdmittedBody {
    /// Always true: what is not allowed is an error of 402.
    allow: bool,
    /// The units held.
    held_units: u64,
    /// What they cost.
    held: String,
    /// The job's balance, with what is held.
    balance: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    replayed: bool,
}

/// What a debit answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DebitedBody {
    /// What it cost.
    charged: String,
    /// What the job's units came to.
    total_units: u64,
    /// What the job's balance came to; below zero with a minus.
    balance: String,
    /// `run` while the balance is not below zero; `grace` for the debit that brings it there;
    /// `stop` for one that finds it there.
    decision: &'static str,
    /// The position that made it durable.
    position: u64,
    /// Whether it had been taken in before: then this is the first answer.
    replayed: bool,
}

/// What the end of a job answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClosedBody {
    /// What of the rest went to the payer's funds.
    swept: String,
    /// Where the rest went: `payer`, or `debt` where something was missing.
    to: &'static str,
    /// What of the rest settled what the payer owed.
    settled: String,
    /// What was missing: the payer owes it.
    debt: String,
    /// The position that made it durable.
    position: u64,
    /// Whether the job had ended before: then this is the first answer.
    replayed: bool,
}

/// Any of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum JobBody {
    /// A job is open, or was.
    Opened(OpenedBody),
    /// Money came in, or went to a job.
    Credited(CreditedBody),
    /// Units are held.
    Admitted(AdmittedBody),
    /// A job was charged.
    Debited(DebitedBody),
    /// A job ended.
    Closed(ClosedBody),
}

impl JobBody {
    /// The body of a reply; `None` when it is none about jobs.
    pub(crate) fn of(reply: &Reply) -> Option<Self> {
        let Answer::Job(answer) = reply.answer else {
            return None;
        };
        let (position, replayed) = (reply.position.0, reply.replayed);
        Some(match answer {
            JobAnswer::Opened(one) => Self::Opened(OpenedBody {
                created: one.created,
                state: if one.closed { "closed" } else { "open" },
                balance: one.balance.to_string(),
                position,
                replayed,
            }),
            JobAnswer::Credited(one) => Self::Credited(CreditedBody {
                settled: one.settled.to_string(),
                balance: one.balance.to_string(),
                position,
                replayed: replayed || one.repeated,
            }),
            JobAnswer::Admitted(one) => Self::Admitted(AdmittedBody {
                allow: true,
                held_units: one.units,
                held: one.held.to_string(),
                balance: one.balance.to_string(),
                position,
                replayed,
            }),
            JobAnswer::Debited(one) => Self::Debited(DebitedBody {
                charged: one.charged.to_string(),
                total_units: one.total_units,
                balance: one.balance.to_string(),
                decision: decision(one.decision),
                position,
                replayed: replayed || one.repeated,
            }),
            JobAnswer::Closed(one) => Self::Closed(ClosedBody {
                swept: one.swept.to_string(),
                to: if one.debt.0 > 0 { "debt" } else { "payer" },
                settled: one.settled.to_string(),
                debt: one.debt.to_string(),
                position,
                replayed: replayed || one.repeated,
            }),
            JobAnswer::Found(_) => return None,
        })
    }
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Run => "run",
        Decision::Grace => "grace",
        Decision::Stop => "stop",
    }
}
