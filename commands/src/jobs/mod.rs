//! Payers' jobs: money that comes in, work that is charged, what is left at the end.
//!
//! Whatever stops, updates or pays is never refused for lack of money: only opening a job with too
//! much debt, and admitting further work, are.

pub mod answer;
pub mod command;

mod admit;
mod capacity;
mod close;
mod debit;
pub(crate) mod find;
mod funds;
mod open;
mod recall;
pub(crate) mod ticketed;

use purser_events::{Event, Micros};
use purser_projections::Books;

use crate::{Answer, Rejection};
pub use admit::shortfall;
pub use command::JobCommand;
pub use debit::{decision, reference_decision};

/// Ways by which money may come in.
pub const RAILS_MAX: usize = 64;

/// Capabilities whose slots may be counted.
pub const CAPABILITIES_MAX: usize = 1_024;

/// The pure choice on a command about jobs.
pub(crate) fn decide(
    books: &Books,
    at: Micros,
    command: &JobCommand,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let mut events = Vec::new();
    let answer = match command {
        JobCommand::Open(open) => open::open(books, open, &mut events)?,
        JobCommand::Credit(credit) => funds::credit(books, credit, &mut events)?,
        JobCommand::Deposit(deposit) => funds::deposit(books, deposit, &mut events)?,
        JobCommand::Transfer(transfer) => funds::transfer(books, transfer, &mut events)?,
        JobCommand::Settle(settle) => funds::settle(books, settle, &mut events)?,
        JobCommand::Choose(choose) => open::choose(books, choose, &mut events),
        JobCommand::Admit(admit) => admit::admit(books, admit, &mut events)?,
        JobCommand::Debit(debit) => debit::debit(books, debit, &mut events)?,
        JobCommand::Close(close) => close::close(books, close, &mut events)?,
        JobCommand::CloseIdle(job) => close::close_idle(books, at, *job, &mut events)?,
        JobCommand::Find(job) => find::job(books, job)?,
        JobCommand::DeclareCapability(declare) => capacity::declare(books, declare, &mut events)?,
        JobCommand::RemoveCapability(name) => capacity::remove(books, name, &mut events)?,
        JobCommand::ReserveSlot(slot) => capacity::reserve(books, slot, &mut events)?,
        JobCommand::FreeSlot(slot) => capacity::free(books, slot, &mut events)?,
    };
    into.append(&mut events);
    Ok(answer)
}
