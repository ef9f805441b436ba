//! Commands against books: decide, fold, and on to the next.

use purser_events::{Event, Micros, Recorded};
use purser_projections::Books;

use crate::{
    Answer, Command, Rejection, grants, instruction, intake, jobs, matching, payout, policy,
    ticket, worker,
};

/// The events of one commit as they are decided: each is folded into the books at once, so that
/// the next command is decided against them.
#[derive(Debug)]
pub struct Execution<'a> {
    /// The state that commands are decided against.
    pub books: &'a mut Books,
    /// The time of this commit.
    pub at: Micros,
    /// What was decided so far.
    pub events: &'a mut Vec<Event>,
}

impl Execution<'_> {
    /// Folds an event into the books and keeps it for the log.
    pub fn happen(&mut self, event: Event) {
        let position = self.books.projections.position.next();
        self.books.apply(Recorded {
            position,
            recorded_at: self.at,
            event: &event,
        });
        self.events.push(event);
    }
}

/// Decides a command and folds what it leads to.
///
/// # Errors
/// When the command is refused; then nothing happened.
pub fn execute(run: &mut Execution<'_>, command: &Command) -> Result<Answer, Rejection> {
    match command {
        Command::TakeFile(file) => Ok(intake::take_file(run, file)),
        Command::PayTickets(pay) => ticket::pay::pay(run, pay),
        simple => {
            let from = run.events.len();
            let answer = decide(run.books, run.at, simple, run.events)?;
            fold(run, from);
            Ok(answer)
        }
    }
}

/// Folds the events from index `from` on, which a decision has just added.
fn fold(run: &mut Execution<'_>, from: usize) {
    for event in &run.events[from..] {
        let position = run.books.projections.position.next();
        run.books.apply(Recorded {
            position,
            recorded_at: run.at,
            event,
        });
    }
}

/// The pure choice: adds the events that the command leads to, or refuses and adds none.
fn decide(
    books: &Books,
    at: Micros,
    command: &Command,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    match command {
        Command::RegisterWorker(register) => worker::register(books, at, register, into),
        Command::UpdateWorker(update) => worker::update(books, update, into),
        Command::Beat(beat) => worker::beat(books, at, beat, into),
        Command::RenewLease(worker) => worker::renew_lease(books, worker, into),
        Command::LogOut(worker) => worker::log_out(books, worker, into),
        Command::LapseWorker(worker) => worker::lapse(books, at, *worker, into),
        Command::InstructWorker(asked) => instruction::instruct(books, asked, into),
        Command::AnswerInstruction(said) => instruction::answer(books, said, into),
        Command::SetPolicy(set) => policy::set(books, set, into),
        Command::DeclarePartition(declare) => policy::declare_partition(books, declare, into),
        Command::DeclareAsset(declare) => policy::declare_asset(books, declare, into),
        Command::RunPayouts(run) => payout::run(books, at, run, into),
        Command::RequestElsewhere(request) => payout::request_elsewhere(books, request, into),
        Command::ConfirmPayout(confirm) => payout::confirm(books, confirm, into),
        Command::CancelPayout(wanted) => payout::cancel(books, *wanted, into),
        Command::SignPayout(sign) => payout::sign(books, sign, into),
        Command::ObservePayout(observed) => payout::observe(books, observed, into),
        Command::OpenSigner(open) => payout::open(books, open, into),
        Command::StopSigner(stop) => payout::stop(books, stop, into),
        Command::ResumeSigner(resume) => payout::resume(books, resume, into),
        Command::Job(command) => jobs::decide(books, at, command, into),
        Command::DegradeWorker(worker) => worker::degrade(books, at, *worker, into),
        Command::SetStanding(set) => matching::set_standing(books, set, into),
        Command::RotateKey(rotate) => worker::rotate_key(books, at, rotate, into),
        Command::ProbeRegion(probe) => matching::probe(books, probe, into),
        Command::AssignMatch(assign) => matching::assign(books, at, assign, into),
        Command::GiveFeedback(given) => matching::give(books, at, given, into),
        Command::ExpireAssignment(expire) => matching::expire(books, at, expire, into),
        Command::FindMatch(job) => matching::find(books, job),
        Command::Grant(command) => grants::decide(books, at, command, into),
        Command::ObserveChain(seen) => ticket::chain::observe(books, seen, into),
        Command::ObserveSender(seen) => ticket::chain::observe_sender(books, seen, into),
        Command::AddTicketSecret(secret) => Ok(ticket::chain::add_secret(books, *secret, into)),
        Command::ReportWinner(said) => ticket::winner::report(books, said, into),
        Command::TakeFile(_) | Command::PayTickets(_) => {
            unreachable!("these are executed event by event")
        }
    }
}
