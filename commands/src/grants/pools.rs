//! Opening pools, adding to them, ordering them; and the tiers that operators set.

use purser_events::grant::{PoolOpened, PoolToppedUp, PoolsOrdered, TierSet};
use purser_events::{Amount, Event, Label, PoolNo};
use purser_projections::Books;
use purser_projections::recall::PaidFor;

use super::command::{OpenPool, SetTier, TopUpPool};
use super::{POOLS_MAX, find};
use crate::jobs::find as jobs;
use crate::{Answer, Rejection};

/// All pools are in one asset, that of the first: budgets are counted in it.
pub(super) fn open(
    books: &Books,
    open: &OpenPool,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if open.seed > Amount::MAX {
        return Err(Rejection::AmountTooLarge);
    }
    let folds = &books.projections;
    let asset = jobs::asset(books, &open.asset)?;
    if let Some(known) = folds.names.pool(&open.name) {
        let seeded = folds.grants.pools()[known.index()].seeded;
        let same = seeded == open.seed && folds.grants.asset() == Some(asset);
        return if same {
            Ok(Answer::Unchanged)
        } else {
            Err(Rejection::PoolDiffers)
        };
    }
    if folds.grants.asset().is_some_and(|one| one != asset) {
        return Err(Rejection::PoolDiffers);
    }
    if folds.grants.pools().len() >= POOLS_MAX {
        return Err(Rejection::TooManyNames);
    }
    jobs::room(books, asset)?;
    let rail = jobs::rail(books, &open.rail, into)?;
    into.push(Event::PoolOpened(Box::new(PoolOpened {
        pool: PoolNo::following(folds.grants.pools().len()),
        name: open.name.clone(),
        asset,
        seed: open.seed,
        rail,
    })));
    Ok(Answer::Done)
}

/// The order names every pool once.
pub(super) fn order(
    books: &Books,
    names: &[Label],
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    let number = |name| folds.names.pool(name).ok_or(Rejection::UnknownPool);
    let order: Vec<PoolNo> = names.iter().map(number).collect::<Result<_, _>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != order.len() || order.len() != folds.grants.pools().len() {
        return Err(Rejection::OrderIncomplete);
    }
    if order == folds.grants.order() {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::PoolsOrdered(Box::new(PoolsOrdered { order })));
    Ok(Answer::Done)
}

pub(super) fn top_up(
    books: &Books,
    top_up: &TopUpPool,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let amount = find::some(top_up.paid.amount)?;
    let folds = &books.projections;
    let pool = match &top_up.pool {
        Some(name) => folds.names.pool(name).ok_or(Rejection::UnknownPool)?,
        None => PoolNo::HOUSE,
    };
    let asset = folds.grants.asset().ok_or(Rejection::NoPool)?;
    if find::payment(books, &top_up.paid, PaidFor::Pool(pool))?.is_some() {
        return Ok(Answer::Unchanged);
    }
    jobs::room(books, asset)?;
    let rail = jobs::rail(books, &top_up.paid.rail, into)?;
    into.push(Event::PoolToppedUp(Box::new(PoolToppedUp {
        pool,
        asset,
        amount,
        rail,
        payment: top_up.paid.payment.clone(),
    })));
    Ok(Answer::Done)
}

pub(super) fn set_tier(books: &Books, set: &SetTier, into: &mut Vec<Event>) -> Answer {
    let known = books.projections.grants.identity(&set.identity);
    if known.and_then(|identity| identity.set) == set.tier {
        return Answer::Unchanged;
    }
    into.push(Event::TierSet(Box::new(TierSet {
        identity: set.identity.clone(),
        tier: set.tier,
    })));
    Answer::Done
}
