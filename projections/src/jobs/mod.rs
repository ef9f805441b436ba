//! The jobs that are open. Closed ones leave memory: what is known of them is in the index of ids
//! and in the log.

mod capacity;
mod job;

use std::collections::{BTreeMap, BTreeSet};

use purser_events::paid::{JobAdmitted, JobClosed, JobCredited, JobDebited, JobRef};
use purser_events::{Amount, AssetNo, Balance, Event, JobNo, Label, Micros, PayerNo, Recorded};
use serde::{Deserialize, Serialize};

use crate::accounts::{Account, Accounts};
use crate::paged::Paged;

pub use capacity::{Capability, Capacity};
pub use job::Job;

/// The jobs that are open, and the slots that are held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    open: BTreeMap<JobNo, Box<Job>>,
    /// The open jobs by the minute in which something last happened to them.
    touched: BTreeSet<(u32, JobNo)>,
    payers: Paged<PayerJobs>,
    opened: u64,
    /// The slots of capabilities.
    pub capacity: Capacity,
}

/// What is known of a payer beside its accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PayerJobs {
    funds_at_open: bool,
    open: BTreeMap<Label, JobNo>,
}

impl Jobs {
    /// Folds one event in, after the accounts.
    ///
    /// # Panics
    /// When the event names a job that is not open, or a sum that is not that of the accounts:
    /// history that `decide` could not have written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>, accounts: &Accounts) {
        match fact.event {
            Event::JobOpened(_) => self.open(fact),
            Event::JobCredited(one) => self.credit(one, fact.recorded_at, accounts),
            Event::FundsTransferred(one) => {
                assert_stands(&one.job, one.balance, accounts);
                let job = self.touch(&one.job, fact.recorded_at);
                job.credited = job.credited.plus(one.amount);
            }
            Event::TicketsTaken(one) => {
                assert_stands(&one.job, one.balance, accounts);
                let job = self.touch(&one.job, fact.recorded_at);
                job.credited = job.credited.plus(one.credited.minus(one.settled));
            }
            Event::JobAdmitted(one) => self.admit(one, fact.recorded_at, accounts),
            Event::JobDebited(one) => self.debit(one, fact.recorded_at, accounts),
            Event::JobClosed(one) => self.close(one),
            Event::PayerChose(one) => {
                self.payers.at(one.payer.index()).funds_at_open = one.funds_at_open;
            }
            Event::FundsDeposited(one) => {
                assert_funds((one.payer, one.asset), one.funds, accounts);
            }
            Event::DebtSettled(one) => {
                assert_funds((one.payer, one.asset), one.funds, accounts);
            }
            event => self.capacity.apply(event),
        }
    }

    fn open(&mut self, fact: Recorded<'_>) {
        let Event::JobOpened(opened) = fact.event else {
            return;
        };
        let number = JobNo::from(fact.position);
        let job = Job::new(number, opened, fact.recorded_at);
        let payer = self.payers.at(opened.payer.index());
        let before = payer.open.insert(opened.id.clone(), number);
        assert!(before.is_none(), "an id is open once for its payer");
        self.touched.insert((minute(job.touched_at), number));
        self.open.insert(number, Box::new(job));
        self.opened += 1;
    }

    fn credit(&mut self, credited: &JobCredited, at: Micros, accounts: &Accounts) {
        assert_stands(&credited.job, credited.balance, accounts);
        let job = self.touch(&credited.job, at);
        job.credited = job.credited.plus(credited.amount.minus(credited.settled));
    }

    fn admit(&mut self, admitted: &JobAdmitted, at: Micros, accounts: &Accounts) {
        assert_stands(&admitted.job, admitted.balance, accounts);
        self.touch(&admitted.job, at).held_units = admitted.units;
    }

    fn debit(&mut self, debited: &JobDebited, at: Micros, accounts: &Accounts) {
        assert_stands(&debited.job, debited.balance, accounts);
        let job = self.touch(&debited.job, at);
        job.debit(debited);
        assert_eq!(
            job.units, debited.total_units,
            "a job's units are what the event says"
        );
    }

    fn close(&mut self, closed: &JobClosed) {
        let job = self.open.remove(&closed.job.number);
        let job = job.expect("only an open job closes");
        let stood = self.touched.remove(&(minute(job.touched_at), job.number));
        assert!(stood, "an open job stands under its minute");
        assert_eq!(
            (job.units, job.charged, job.credited),
            (closed.units, closed.charged, closed.credited),
            "a job came to what the event says"
        );
        let payer = self.payers.at(job.payer.index());
        let named = payer.open.remove(&job.id);
        assert_eq!(named, Some(job.number), "a job closes under its id");
        self.capacity.job_closed(job.payer, &job.id);
    }

    fn touch(&mut self, job: &JobRef, at: Micros) -> &mut Job {
        let job = self.open.get_mut(&job.number);
        let job = job.expect("only an open job moves");
        let (before, now) = (minute(job.touched_at), minute(at));
        if before != now {
            self.touched.remove(&(before, job.number));
            self.touched.insert((now, job.number));
        }
        job.touched_at = at;
        job
    }

    /// An open job.
    #[must_use]
    pub fn get(&self, job: JobNo) -> Option<&Job> {
        self.open.get(&job).map(|job| &**job)
    }

    /// The open job of a payer with this id.
    #[must_use]
    pub fn named(&self, payer: PayerNo, id: &Label) -> Option<&Job> {
        let job = self.payers.get(payer.index())?.open.get(id)?;
        self.get(*job)
    }

    /// The open jobs of a payer, by id.
    pub fn of(&self, payer: PayerNo) -> impl Iterator<Item = &Job> {
        let payer = self.payers.get(payer.index());
        let jobs = payer.into_iter().flat_map(|payer| payer.open.values());
        jobs.filter_map(|job| self.get(*job))
    }

    /// How many jobs of a payer are open.
    #[must_use]
    pub fn open_of(&self, payer: PayerNo) -> usize {
        self.payers
            .get(payer.index())
            .map_or(0, |payer| payer.open.len())
    }

    /// Whether a payer's funds go to the job that it opens next.
    #[must_use]
    pub fn funds_at_open(&self, payer: PayerNo) -> bool {
        let payer = self.payers.get(payer.index());
        payer.is_some_and(|payer| payer.funds_at_open)
    }

    /// How many jobs are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many were ever opened.
    #[must_use]
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// The jobs that are idle at this time, those that were left alone for longest first. Only jobs
    /// to which nothing happened for so long are looked at.
    pub fn idle(&self, now: Micros, idle_ms: u32) -> impl Iterator<Item = JobNo> {
        let since = Micros::from_millis(now.millis().saturating_sub(idle_ms.into()));
        let last = minute(since);
        let touched = self.touched.iter();
        let touched = touched.take_while(move |(minute, _)| *minute <= last);
        let jobs = touched.filter_map(|(_, job)| self.get(*job));
        let idle = jobs.filter(move |job| job.idle(now, idle_ms));
        idle.map(|job| job.number)
    }
}

const fn minute(at: Micros) -> u32 {
    (at.0 / 60_000_000) as u32
}

fn assert_funds((payer, asset): (PayerNo, AssetNo), said: Amount, accounts: &Accounts) {
    let found = accounts.balance(asset, Account::Payer(payer));
    let said = Balance::default().plus(said);
    assert_eq!(found, said, "a payer's funds are what the event says");
}

fn assert_stands(job: &JobRef, said: Balance, accounts: &Accounts) {
    let found = accounts.balance(job.asset, Account::Job(job.number));
    assert_eq!(found, said, "a job's balance is what the event says");
}
