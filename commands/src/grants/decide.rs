//! Deciding how a request is served.

use purser_events::grant::{GrantDecided, PayMode, Share};
use purser_events::{Amount, AssetNo, Event, GrantNo, Label, Micros, PayerNo};
use purser_projections::Books;
use purser_projections::grants::GrantState;
use purser_projections::recall::asked_digest;

use super::answer::{Decided, Granted, begun};
use super::command::DecideGrant;
use super::find;
use super::offer::{Offer, available, offer, take};
use crate::jobs::find as jobs;
use crate::{Answer, Rejection};

/// A request is decided once: the same again answers as the first time. What runs at once is held,
/// and paid, by the same event.
pub(super) fn decide(
    books: &Books,
    at: Micros,
    decide: &DecideGrant,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let est = find::some(decide.est)?;
    if let Some(answer) = before(books, decide)? {
        return Ok(answer);
    }
    let folds = &books.projections;
    let asset = folds.grants.asset().ok_or(Rejection::NoPool)?;
    jobs::room(books, asset)?;
    let offer = offer(folds, at, decide.identity.as_ref(), est);
    let state = begun(offer.serve, decide.mode);
    let event = GrantDecided {
        grant: GrantNo::from(folds.position.next()),
        request: decide.request.clone(),
        identity: decide.identity.clone(),
        tier: offer.standing.map(|standing| standing.tier),
        est,
        mode: decide.mode,
        serve: offer.serve,
        absorb: offer.absorb,
        charge: offer.charge,
        reason: offer.reason,
        asset,
        available: available(folds).minus(match state {
            GrantState::Reserved => offer.absorb,
            _ => Amount::ZERO,
        }),
        holds: holds(books, &offer, state),
        payer: payer(books, decide, (asset, offer.charge))?,
        valid_ms: valid_ms(books, state),
    };
    let decided = Decided {
        serve: offer.serve,
        absorb: offer.absorb,
        charge: offer.charge,
        reason: offer.reason,
        state,
    };
    into.push(Event::GrantDecided(Box::new(event)));
    Ok(Answer::Grant(Granted::Decided(decided).into()))
}

/// The first answer to the same request; `None` when it is new.
fn before(books: &Books, decide: &DecideGrant) -> Result<Option<Answer>, Rejection> {
    let Ok(seen) = find::seen(books, &decide.request) else {
        return Ok(None);
    };
    let asked = asked_digest(decide.identity.as_ref(), decide.est, decide.mode);
    match seen.decided {
        Some(decided) if decided.asked == asked => {
            Ok(Some(find::again(Granted::Decided((&decided).into()))))
        }
        _ => Err(Rejection::RequestDiffers),
    }
}

fn holds(books: &Books, offer: &Offer, state: GrantState) -> Vec<Share> {
    match state {
        GrantState::Reserved => take(&books.projections, offer.absorb),
        _ => Vec::new(),
    }
}

/// Whose prepaid funds pay the charge. Nobody's who does not have so much: then nothing is held
/// either.
fn payer(
    books: &Books,
    decide: &DecideGrant,
    (asset, charge): (AssetNo, Amount),
) -> Result<Option<PayerNo>, Rejection> {
    if decide.mode == PayMode::Invoice || charge == Amount::ZERO {
        return Ok(None);
    }
    let known = |identity: &Label| books.projections.names.payer(identity);
    let payer = decide.identity.as_ref().and_then(known);
    let funds = payer.map_or(Amount::ZERO, |payer| jobs::funds(books, payer, asset));
    if funds < charge {
        let shortfall = charge.minus(funds);
        return Err(Rejection::InsufficientFunds { shortfall });
    }
    Ok(payer)
}

pub(super) fn valid_ms(books: &Books, state: GrantState) -> u32 {
    let rules = &books.projections.policy.grants;
    match state {
        GrantState::Quoted | GrantState::Awaiting => rules.quote_ttl_ms,
        _ => rules.hold_ttl_ms,
    }
}
