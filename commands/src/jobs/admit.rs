//! Admission: whether a job covers further units, and holding them for it.

use purser_events::paid::JobAdmitted;
use purser_events::{Amount, Balance, Event};
use purser_projections::Books;

use super::answer::{Admitted, JobAnswer};
use super::command::{AdmitJob, AdmitRule};
use super::find;
use crate::grants::on_job;
use crate::{Answer, Rejection};

/// A job is admitted when its balance, with what a request bears of it and less what its payer
/// owes, covers the units asked for; by the default rule, no more of them than its timeout. Work
/// that costs nothing is always admitted. The hold takes the place of an earlier one.
pub(super) fn admit(
    books: &Books,
    admit: &AdmitJob,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let job = find::open_job(books, &admit.job)?;
    if job.terms.price.is_none() {
        return Err(Rejection::NoPrice);
    }
    let timeout = job.terms.timeout_sec.map_or(u64::MAX, u64::from);
    let units = match admit.rule {
        AdmitRule::UpToTimeout => admit.units.min(timeout),
        AdmitRule::AllAskedFor => admit.units,
    };
    let held = job.cost_of(units).ok_or(Rejection::AmountTooLarge)?;
    let balance = find::balance(books, job);
    let debt = find::debt(books, job.payer, job.asset);
    let cover = on_job::cover(books, job.number);
    let shortfall = shortfall(balance.plus(cover), debt, held);
    if shortfall > Amount::ZERO {
        return Err(Rejection::InsufficientBalance { shortfall });
    }
    if units != job.held_units {
        into.push(Event::JobAdmitted(Box::new(JobAdmitted {
            job: job.reference(),
            units,
            held,
            balance,
        })));
    }
    Ok(Answer::Job(JobAnswer::Admitted(Admitted {
        units,
        held,
        balance,
    })))
}

/// What is missing to cover so much: nothing where it costs nothing, whatever is owed.
#[must_use]
pub fn shortfall(balance: Balance, debt: Amount, cost: Amount) -> Amount {
    if cost == Amount::ZERO {
        return Amount::ZERO;
    }
    balance.minus(debt).minus(cost).missing()
}
