//! What a granted command answers, beside the position that made it durable.

use purser_events::intake::{FileReason, FileTaken};
use purser_events::payout::PayoutRequested;
use purser_events::ticket::{TicketsTaken, VerdictRun};
use purser_events::{Amount, Balance, Envelope, Event, PayoutNo, Position, WorkerNo};
use purser_projections::recall::SeenCommand;

use crate::grants::answer::GrantAnswer;
use crate::jobs::answer::JobAnswer;

/// What a granted command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done; nothing more to say.
    Done,
    /// It had been done before; no event was recorded.
    Unchanged,
    /// A worker's session.
    Session {
        /// The worker.
        worker: WorkerNo,
        /// Its current session.
        session: u32,
        /// Whether the worker is new.
        created: bool,
    },
    /// What became of a file.
    File(FileAnswer),
    /// Payouts that were requested.
    Payouts {
        /// How many.
        count: u32,
        /// Their amounts, of one asset.
        amount: Amount,
        /// The number of the first; the others follow.
        first: Option<PayoutNo>,
    },
    /// What became of a wish about jobs.
    Job(JobAnswer),
    /// What became of a wish about grants.
    Grant(GrantAnswer),
    /// What became of a batch of tickets.
    Tickets(Box<TicketsAnswer>),
    /// The same was done before, by whatever name: the first answer stands in the log.
    Before(SeenCommand),
    /// A match was recorded, by the event that the reply's position names.
    Recorded {
        /// How many slots the job holds now.
        assigned: u32,
    },
    /// The latest recorded match of a job.
    Match(Position),
    /// What became of a report.
    Feedback {
        /// How far the worker is trusted now, in millionths.
        trust_ppm: u32,
        /// Whether it counts.
        counted: Counted,
    },
}

/// What became of a batch of tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketsAnswer {
    /// What became of each ticket, in the order of the batch.
    pub verdicts: Vec<VerdictRun>,
    /// What the job was credited.
    pub credited: Amount,
    /// How much of that settled the payer's debt.
    pub settled: Amount,
    /// What the job's balance came to.
    pub balance: Balance,
    /// How many won.
    pub winners: u32,
    /// Whether none of them counts, so that nothing happened.
    pub refused: bool,
}

impl TicketsAnswer {
    pub(crate) fn refused(verdicts: Vec<VerdictRun>) -> Self {
        Self {
            verdicts,
            refused: true,
            ..Self::default()
        }
    }

    pub(crate) fn of(taken: &TicketsTaken) -> Self {
        Self {
            verdicts: taken.verdicts.clone(),
            credited: taken.credited,
            settled: taken.settled,
            balance: taken.balance,
            winners: taken.winners,
            refused: false,
        }
    }
}

/// Whether a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It does.
    Yes,
    /// The same was reported before, or the worker's part in the job had ended.
    Duplicate,
    /// The job was never this worker's.
    NotAssigned,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileAnswer {
    /// Whether exactly this content was delivered under this key before.
    pub repeated: bool,
    /// Why the file was set aside; absent when it was read.
    pub quarantined: Option<FileReason>,
    /// Elements of its array.
    pub elements: u32,
    /// Events that are new.
    pub events: u32,
    /// Events that had been taken in before.
    pub duplicates: u32,
    /// Elements whose id had been taken in before with other content.
    pub conflicts: u32,
    /// Elements that are no events.
    pub malformed: u32,
    /// Elements whose region or node type is not the key's.
    pub misrouted: u32,
    /// New jobs whose fee nobody is known to have earned.
    pub suspense: u32,
}

impl Answer {
    /// The first answer to a command, from the events that it led to: for a repetition under the
    /// same command id.
    #[must_use]
    pub fn recollect(events: &[Envelope]) -> Self {
        let of_grant = || GrantAnswer::recollect(events).map_or(Self::Done, Self::Grant);
        let mut answer = JobAnswer::recollect(events).map_or_else(of_grant, Self::Job);
        for envelope in events {
            match &envelope.event {
                Event::WorkerRegistered(registered) => {
                    let worker = registered.worker;
                    answer = Self::Session {
                        worker,
                        session: 1,
                        created: true,
                    };
                }
                Event::LeaseGranted(granted) => {
                    let (worker, session) = (granted.worker, granted.session);
                    answer = Self::Session {
                        worker,
                        session,
                        created: false,
                    };
                }
                Event::FileTaken(taken) => {
                    let events = events.iter().map(|envelope| &envelope.event);
                    answer = Self::File(FileAnswer::of(taken, events));
                }
                Event::TicketsTaken(taken) => {
                    answer = Self::Tickets(Box::new(TicketsAnswer::of(taken)));
                }
                Event::FileQuarantined(set_aside) => {
                    answer = Self::File(FileAnswer::set_aside(set_aside.reason));
                }
                Event::PayoutRequested(requested) => answer = answer.and_payout(requested),
                Event::MatchMade(made) => {
                    let assigned = u32::try_from(made.assigned.len()).unwrap_or(u32::MAX);
                    answer = Self::Recorded { assigned };
                }
                Event::FeedbackGiven(given) => {
                    let (trust_ppm, counted) = (given.trust_ppm, Counted::Yes);
                    answer = Self::Feedback { trust_ppm, counted };
                }
                _ => {}
            }
        }
        answer
    }

    /// One more payout.
    fn and_payout(self, requested: &PayoutRequested) -> Self {
        let (mut count, mut amount, mut first) = (0, Amount::ZERO, None);
        if let Self::Payouts {
            count: c,
            amount: a,
            first: f,
        } = self
        {
            (count, amount, first) = (c, a, f);
        }
        let draws = requested.draws.iter().map(|draw| draw.amount);
        Self::Payouts {
            count: count + 1,
            amount: draws.fold(amount, Amount::plus),
            first: first.or(Some(requested.payout)),
        }
    }
}

impl FileAnswer {
    /// What became of a file that was read, from the events that it led to.
    pub(crate) fn of<'a>(taken: &FileTaken, events: impl Iterator<Item = &'a Event>) -> Self {
        let suspense = events.filter(|event| is_suspense(event)).count();
        let known = taken.duplicates + taken.conflicts;
        Self {
            repeated: false,
            quarantined: None,
            elements: taken.elements,
            events: taken.elements - taken.malformed - taken.misrouted - known,
            duplicates: taken.duplicates,
            conflicts: taken.conflicts,
            malformed: taken.malformed,
            misrouted: taken.misrouted,
            suspense: u32::try_from(suspense).expect("a file has fewer than 2^32 elements"),
        }
    }

    /// What became of a file that was set aside.
    pub(crate) fn set_aside(reason: FileReason) -> Self {
        Self {
            quarantined: Some(reason),
            ..Self::default()
        }
    }
}

fn is_suspense(event: &Event) -> bool {
    use purser_events::intake::Attribution;
    match event {
        Event::JobProcessed(job) => {
            job.fee.payable() > 0 && matches!(job.attribution, Attribution::Suspense(_))
        }
        _ => false,
    }
}
