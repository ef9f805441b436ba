//! What the books know of a request, or of a payment.

use purser_events::{Amount, Label};
use purser_projections::Books;
use purser_projections::grants::OpenGrant;
use purser_projections::recall::{PaidFor, RecallKey, Record, SeenGrant, SeenGrantPayment};

use super::answer::{GrantAnswer, Granted};
use super::command::PaidBy;
use crate::{Answer, Rejection};

/// What history knows of a request.
pub(super) fn seen(books: &Books, request: &Label) -> Result<SeenGrant, Rejection> {
    match books.recalled.get(&RecallKey::of_grant(request)).as_deref() {
        Some(Record::Grant(seen)) => Ok(**seen),
        _ => Err(Rejection::UnknownRequest),
    }
}

/// A request as it is open, or as history knows it.
pub(super) enum Found<'a> {
    /// It is open.
    Open(&'a OpenGrant),
    /// It is closed.
    Closed(Box<SeenGrant>),
}

/// The request of this id.
pub(super) fn found<'a>(books: &'a Books, request: &Label) -> Result<Found<'a>, Rejection> {
    match books.projections.grants.named(request) {
        Some(open) => Ok(Found::Open(open)),
        None => seen(books, request).map(|seen| Found::Closed(Box::new(seen))),
    }
}

pub(super) fn request(books: &Books, request: &Label) -> Result<Answer, Rejection> {
    let found = Granted::Found((&seen(books, request)?).into());
    Ok(Answer::Grant(found.into()))
}

/// What is known of a payment that was taken in before; `None` when it is new.
///
/// # Errors
/// When its id was used for another payment.
pub(super) fn payment(
    books: &Books,
    paid: &PaidBy,
    to: PaidFor,
) -> Result<Option<SeenGrantPayment>, Rejection> {
    let Some(rail) = books.projections.names.rail(&paid.rail) else {
        return Ok(None);
    };
    let elsewhere = RecallKey::of_payment(rail, &paid.payment);
    if books.recalled.get(&elsewhere).is_some() {
        return Err(Rejection::PaymentDiffers);
    }
    let key = RecallKey::of_grant_payment(rail, &paid.payment);
    before(books, key, (to, paid.amount))
}

/// What is known of a payment under this key.
pub(super) fn before(
    books: &Books,
    key: RecallKey,
    said: (PaidFor, Amount),
) -> Result<Option<SeenGrantPayment>, Rejection> {
    let record = books.recalled.get(&key);
    let Some(Record::GrantPayment(seen)) = record.as_deref() else {
        return Ok(None);
    };
    if (seen.to, seen.amount) != said {
        return Err(Rejection::PaymentDiffers);
    }
    Ok(Some(**seen))
}

/// An amount of at least one.
pub(super) fn some(amount: Amount) -> Result<Amount, Rejection> {
    match amount {
        Amount::ZERO => Err(Rejection::BadAmount),
        amount if amount > Amount::MAX => Err(Rejection::AmountTooLarge),
        amount => Ok(amount),
    }
}

/// The answer to a repetition.
pub(super) fn again(what: Granted) -> Answer {
    Answer::Grant(GrantAnswer::again(what))
}
