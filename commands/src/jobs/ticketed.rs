//! The job that a batch of tickets pays for.

use purser_events::paid::JobRef;
use purser_events::{Amount, AssetNo, Balance, Event, Label, Price};
use purser_projections::Books;
use purser_projections::jobs::Job;

use super::command::{JobName, OpenJob};
use super::{find, open};
use crate::Rejection;

/// A job that tickets open, where the coordinator did not.
pub(crate) struct Ticketed {
    /// Its name.
    pub(crate) job: JobName,
    /// The price that was quoted.
    pub(crate) price: Option<Price>,
    /// What it asks for.
    pub(crate) capability: Option<Label>,
    /// The payer's own reference.
    pub(crate) payer_ref: Option<Label>,
    /// How many units it is meant to take at most.
    pub(crate) timeout_sec: Option<u32>,
}

/// A job, and what stands between it and money that comes in.
pub(crate) struct Standing {
    /// The job.
    pub(crate) job: JobRef,
    /// Its balance.
    pub(crate) balance: Balance,
    /// What its payer owes.
    pub(crate) debt: Amount,
}

/// The open job of this name, if there is one.
pub(crate) fn named<'a>(books: &'a Books, name: &JobName) -> Option<&'a Job> {
    let payer = books.projections.names.payer(&name.payer)?;
    books.projections.jobs.named(payer, &name.id)
}

/// The job that tickets pay for. It is opened where the payer has none of the name; what that
/// leads to is added to `into`, which must be empty.
///
/// # Errors
/// When the job closed or is paid in another asset, or the payer may not open one.
pub(crate) fn standing(
    books: &Books,
    ticketed: Ticketed,
    into: &mut Vec<Event>,
) -> Result<Standing, Rejection> {
    let found = find::open_job(books, &ticketed.job);
    let found = match found {
        Err(Rejection::UnknownJob) => None,
        found => Some(found?),
    };
    if let Some(job) = found {
        if job.asset != AssetNo::ETH {
            return Err(Rejection::JobDiffers);
        }
        find::room(books, job.asset)?;
        return Ok(Standing {
            job: job.reference(),
            balance: find::balance(books, job),
            debt: find::debt(books, job.payer, job.asset),
        });
    }
    opened(books, ticketed, into)
}

fn opened(books: &Books, ticketed: Ticketed, into: &mut Vec<Event>) -> Result<Standing, Rejection> {
    let assets = books.projections.names.assets();
    let asset = assets.first().ok_or(Rejection::UnknownAsset)?;
    let wish = OpenJob {
        job: ticketed.job,
        asset: asset.code.clone(),
        price: ticketed.price,
        timeout_sec: ticketed.timeout_sec,
        capability: ticketed.capability,
        payer_ref: ticketed.payer_ref,
        worker: None,
        request: None,
    };
    open::open(books, &wish, into)?;
    let mut standing = None;
    let mut settled = Amount::ZERO;
    for (at, event) in (1..).zip(into.iter()) {
        match event {
            Event::JobOpened(one) => {
                let debt = find::debt(books, one.payer, one.asset);
                let job = JobRef {
                    number: books.projections.position.plus(at).into(),
                    id: one.id.clone(),
                    payer: one.payer,
                    asset: one.asset,
                };
                let balance = Balance::default();
                standing = Some(Standing { job, balance, debt });
            }
            Event::DebtSettled(one) => settled = one.amount,
            Event::FundsTransferred(one) => {
                if let Some(standing) = &mut standing {
                    standing.balance = one.balance;
                }
            }
            _ => {}
        }
    }
    let mut standing = standing.ok_or(Rejection::JobClosed)?;
    standing.debt = standing.debt.minus(settled);
    Ok(standing)
}
