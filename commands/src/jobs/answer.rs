//! What granted commands about jobs answer.

use purser_events::paid::{Decision, JobDebited};
use purser_events::{Amount, Balance, Envelope, Event};
use purser_projections::recall::{SeenClose, SeenDebit, SeenJob, SeenPayment};

/// What a granted command about jobs answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAnswer {
    /// A job is open, or was.
    Opened(Opened),
    /// Money came in, or went to a job.
    Credited(Credited),
    /// Units are held.
    Admitted(Admitted),
    /// A job was charged.
    Debited(Debited),
    /// A job ended.
    Closed(Closed),
    /// What is known of a job that may have closed.
    Found(SeenJob),
}

/// A job is open, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whether this command opened it.
    pub created: bool,
    /// Whether it has closed meanwhile.
    pub closed: bool,
    /// What its balance is.
    pub balance: Balance,
}

/// Money came in, or went to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credited {
    /// Whether it had been taken in before.
    pub repeated: bool,
    /// What of it settled debt.
    pub settled: Amount,
    /// What the job's balance, or the payer's funds, came to.
    pub balance: Balance,
}

/// Units are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// How many.
    pub units: u64,
    /// What they cost.
    pub held: Amount,
    /// What the job's balance is, with what is held.
    pub balance: Balance,
}

/// A job was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debited {
    /// Whether it had been taken in before.
    pub repeated: bool,
    /// What it cost.
    pub charged: Amount,
    /// What the job's units came to.
    pub total_units: u64,
    /// What the job's balance came to.
    pub balance: Balance,
    /// What to do.
    pub decision: Decision,
}

/// A job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Whether it had ended before.
    pub repeated: bool,
    /// What of the rest settled debt.
    pub settled: Amount,
    /// What of the rest went to the payer's funds.
    pub swept: Amount,
    /// What was missing.
    pub debt: Amount,
}

impl From<&JobDebited> for Debited {
    fn from(one: &JobDebited) -> Self {
        Self {
            repeated: false,
            charged: one.charged,
            total_units: one.total_units,
            balance: one.balance,
            decision: one.decision,
        }
    }
}

impl From<&SeenDebit> for Debited {
    fn from(seen: &SeenDebit) -> Self {
        Self {
            repeated: true,
            charged: seen.charged,
            total_units: seen.total_units,
            balance: seen.balance,
            decision: seen.decision,
        }
    }
}

impl From<&SeenPayment> for Credited {
    fn from(seen: &SeenPayment) -> Self {
        Self {
            repeated: true,
            settled: seen.settled,
            balance: seen.balance,
        }
    }
}

impl From<&SeenClose> for Closed {
    fn from(seen: &SeenClose) -> Self {
        Self {
            repeated: true,
            settled: seen.settled,
            swept: seen.swept,
            debt: seen.debt,
        }
    }
}

impl JobAnswer {
    /// The first answer to a command about jobs, from the events that it led to; `None` when these
    /// are no events of such a command.
    pub(crate) fn recollect(events: &[Envelope]) -> Option<Self> {
        let (mut answer, mut opened) = (None, false);
        for envelope in events {
            answer = match &envelope.event {
                Event::JobOpened(_) => {
                    opened = true;
                    Some(Self::opened(Balance::default()))
                }
                Event::FundsTransferred(one) if opened => Some(Self::opened(one.balance)),
                Event::FundsTransferred(one) => Some(Self::credited(Amount::ZERO, one.balance)),
                Event::JobCredited(one) => Some(Self::credited(one.settled, one.balance)),
                Event::FundsDeposited(one) => {
                    let funds = Balance::default().plus(one.funds);
                    Some(Self::credited(one.settled, funds))
                }
                Event::DebtSettled(one) if !opened => {
                    let funds = Balance::default().plus(one.funds);
                    Some(Self::credited(one.amount, funds))
                }
                Event::JobAdmitted(one) => Some(Self::Admitted(Admitted {
                    units: one.units,
                    held: one.held,
                    balance: one.balance,
                })),
                Event::JobDebited(one) => Some(Self::Debited((&**one).into())),
                Event::JobClosed(one) => Some(Self::Closed(Closed {
                    repeated: false,
                    settled: one.settled,
                    swept: one.swept,
                    debt: one.debt,
                })),
                _ => answer,
            };
        }
        answer
    }

    pub(crate) const fn opened(balance: Balance) -> Self {
        Self::Opened(Opened {
            created: true,
            closed: false,
            balance,
        })
    }

    pub(crate) const fn credited(settled: Amount, balance: Balance) -> Self {
        Self::Credited(Credited {
            repeated: false,
            settled,
            balance,
        })
    }
}
