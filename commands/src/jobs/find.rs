//! What the books know of what a command names.

use purser_events::payer::{PayerNamed, RailNamed};
use purser_events::worker::WorkerNamed;
use purser_events::{Address, Amount, AssetNo, Event, Label, PayerNo, RailNo, WorkerNo};
use purser_projections::Books;
use purser_projections::jobs::Job;
use purser_projections::recall::{RecallKey, Record, SeenJob};

use super::RAILS_MAX;
use super::answer::JobAnswer;
use super::command::JobName;
use crate::{Answer, Rejection};

/// Once so much was posted in an asset, counting every posting, no more is: sums stay far below
/// 2^128. It takes 2^24 of the greatest amounts to get there.
const POSTED_MAX: Amount = Amount(1 << 120);

/// The asset that a command names by its code.
pub(crate) fn asset(books: &Books, code: &Label) -> Result<AssetNo, Rejection> {
    let found = books.projections.names.asset(code.as_str());
    found.ok_or(Rejection::UnknownAsset)
}

/// Whether there is room in an asset's books for a further command.
pub(crate) fn room(books: &Books, asset: AssetNo) -> Result<(), Rejection> {
    let ledger = books.projections.accounts.ledger(asset);
    if ledger.is_some_and(|ledger| ledger.posted().debits >= POSTED_MAX) {
        return Err(Rejection::AmountTooLarge);
    }
    Ok(())
}

/// What history knows of a job.
pub(super) fn seen(books: &Books, payer: PayerNo, id: &Label) -> Option<SeenJob> {
    match books.recalled.get(&RecallKey::of_job(payer, id)).as_deref() {
        Some(Record::Job(seen)) => Some(**seen),
        _ => None,
    }
}

/// The open job that a command names.
pub(super) fn open_job<'a>(books: &'a Books, name: &JobName) -> Result<&'a Job, Rejection> {
    let projections = &books.projections;
    let payer = projections.names.payer(&name.payer);
    let payer = payer.ok_or(Rejection::UnknownJob)?;
    if let Some(job) = projections.jobs.named(payer, &name.id) {
        return Ok(job);
    }
    match seen(books, payer, &name.id) {
        Some(_) => Err(Rejection::JobClosed),
        None => Err(Rejection::UnknownJob),
    }
}

/// What is known of a job, whether or not it closed.
pub(super) fn job(books: &Books, name: &JobName) -> Result<Answer, Rejection> {
    let payer = books.projections.names.payer(&name.payer);
    let seen = payer.and_then(|payer| seen(books, payer, &name.id));
    let seen = seen.ok_or(Rejection::UnknownJob)?;
    Ok(Answer::Job(JobAnswer::Found(seen)))
}

/// The payer of this name; it is named when it is new.
pub(crate) fn payer(books: &Books, name: &Label, into: &mut Vec<Event>) -> PayerNo {
    let names = &books.projections.names;
    names.payer(name).unwrap_or_else(|| {
        let payer = PayerNo::following(names.payers().len());
        let name = name.clone();
        into.push(Event::PayerNamed(Box::new(PayerNamed { payer, name })));
        payer
    })
}

/// The rail of this name; it is named when it is new.
pub(crate) fn rail(
    books: &Books,
    name: &Label,
    into: &mut Vec<Event>,
) -> Result<RailNo, Rejection> {
    let names = &books.projections.names;
    if let Some(rail) = names.rail(name) {
        return Ok(rail);
    }
    if names.rails().len() >= RAILS_MAX {
        return Err(Rejection::TooManyNames);
    }
    let rail = RailNo::following(names.rails().len());
    let name = name.clone();
    into.push(Event::RailNamed(Box::new(RailNamed { rail, name })));
    Ok(rail)
}

/// The worker that a text names: a registered miner's id, or an address, which is named when it is
/// new.
pub(crate) fn worker(
    books: &Books,
    text: &Label,
    into: &mut Vec<Event>,
) -> Result<WorkerNo, Rejection> {
    let names = &books.projections.names;
    if let Some(worker) = names.worker(text.as_str()) {
        return Ok(worker);
    }
    let address = Address::parse(text.as_str()).ok_or(Rejection::UnknownWorker)?;
    let worker = WorkerNo::following(names.workers().len());
    into.push(Event::WorkerNamed(WorkerNamed { worker, address }));
    Ok(worker)
}

/// What a payer owes in an asset.
pub(crate) fn debt(books: &Books, payer: PayerNo, asset: AssetNo) -> Amount {
    let account = purser_projections::accounts::Account::Debt(payer);
    let debt = books.projections.accounts.balance(asset, account);
    debt.above_zero()
}

/// What a payer's funds are in an asset.
pub(crate) fn funds(books: &Books, payer: PayerNo, asset: AssetNo) -> Amount {
    let account = purser_projections::accounts::Account::Payer(payer);
    let funds = books.projections.accounts.balance(asset, account);
    funds.above_zero()
}

/// What stands on a job's account.
pub(crate) fn balance(books: &Books, job: &Job) -> purser_events::Balance {
    let account = purser_projections::accounts::Account::Job(job.number);
    books.projections.accounts.balance(job.asset, account)
}
