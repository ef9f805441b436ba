//! Charging jobs for work.

use purser_events::paid::{Decision, JobDebited, Used};
use purser_events::{Balance, Event, PayerNo};
use purser_projections::Books;
use purser_projections::recall::{RecallKey, Record};

use super::answer::{Debited, JobAnswer};
use super::command::{DebitJob, StopRule};
use super::find;
use crate::grants::on_job;
use crate::{Answer, Rejection};

/// Work that was done is charged, whether or not it is paid for. Units are metered cumulatively:
/// the charge is the cost of all units so far, less what was charged for them before, so that no
/// fraction drifts and the order of debits does not matter.
pub(super) fn debit(
    books: &Books,
    debit: &DebitJob,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let payer = books.projections.names.payer(&debit.job.payer);
    let payer = payer.ok_or(Rejection::UnknownJob)?;
    if let Some(answer) = before(books, payer, debit)? {
        return Ok(answer);
    }
    let job = find::open_job(books, &debit.job)?;
    let (charged, further) = match debit.used {
        Used::Units(_) if job.terms.price.is_none() => return Err(Rejection::NoPrice),
        Used::Units(units) => (job.cost_of(units), units),
        Used::Amount(amount) => (Some(amount), 0),
    };
    let charged = charged.ok_or(Rejection::AmountTooLarge)?;
    let total_units = job.units.checked_add(further);
    let total_units = total_units.ok_or(Rejection::AmountTooLarge)?;
    find::room(books, job.asset)?;
    let worker = match &debit.worker {
        Some(text) => Some(find::worker(books, text, into)?),
        None => job.terms.worker,
    };
    let was = find::balance(books, job);
    let balance = was.minus(charged);
    let cover = on_job::cover(books, job.number);
    let debited = JobDebited {
        job: job.reference(),
        seq: debit.seq,
        used: debit.used,
        charged,
        worker,
        split: books.projections.policy.commission,
        total_units,
        balance,
        decision: match debit.rule {
            StopRule::FoundBelowZero => decision(was.plus(cover), balance.plus(cover)),
            StopRule::SecondBelowZero => reference_decision(job.was_warned, balance.plus(cover)),
        },
    };
    let answer = Debited::from(&debited);
    into.push(Event::JobDebited(Box::new(debited)));
    Ok(Answer::Job(JobAnswer::Debited(answer)))
}

/// The rule: a job runs while its balance, with what a request bears of it, is not below zero. The
/// debit that brings it below zero is borne, as grace; the next one that finds it there still says
/// stop. Money that lifts it to zero or above gives it its grace again.
#[must_use]
pub const fn decision(was: Balance, is: Balance) -> Decision {
    match (was.below_zero, is.below_zero) {
        (_, false) => Decision::Run,
        (false, true) => Decision::Grace,
        (true, true) => Decision::Stop,
    }
}

/// The reference node's rule: the first debit that leaves a job below zero is borne, and each later
/// one stops it, whatever was paid in between.
#[must_use]
pub const fn reference_decision(was_warned: bool, is: Balance) -> Decision {
    match (is.below_zero, was_warned) {
        (false, _) => Decision::Run,
        (true, false) => Decision::Grace,
        (true, true) => Decision::Stop,
    }
}

/// The answer to a debit that was taken in before; `None` when it is new.
fn before(books: &Books, payer: PayerNo, debit: &DebitJob) -> Result<Option<Answer>, Rejection> {
    let key = RecallKey::of_debit(payer, &debit.job.id, debit.seq);
    let record = books.recalled.get(&key);
    let Some(Record::Debit(seen)) = record.as_deref() else {
        return Ok(None);
    };
    let names = &books.projections.names;
    let worker = debit.worker.as_ref();
    let same_worker = worker.is_none_or(|text| {
        let named = names.worker(text.as_str());
        named.is_some() && named == seen.worker
    });
    if seen.used != debit.used || !same_worker {
        return Err(Rejection::DebitDiffers);
    }
    Ok(Some(Answer::Job(JobAnswer::Debited((&**seen).into()))))
}

#[cfg(test)]
mod tests {
    use purser_events::Amount;

    use super::*;

    #[test]
    fn the_first_debit_below_zero_is_grace_and_the_next_one_stops() {
        let at = |balance: i32| Balance {
            below_zero: balance < 0,
            amount: Amount(balance.unsigned_abs().into()),
        };
        for (was, is, expected) in [
            (60, 58, Decision::Run),
            (1, 0, Decision::Run),
            (12, -11, Decision::Grace),
            (0, -1, Decision::Grace),
            (-11, -34, Decision::Stop),
            (-11, -11, Decision::Stop),
        ] {
            assert_eq!(decision(at(was), at(is)), expected, "{was} to {is}");
        }
    }
}
