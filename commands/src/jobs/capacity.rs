//! Slots of capabilities, apart from money.

use purser_events::paid::{
    CapabilityChanged, CapabilityDeclared, SlotFreed, SlotHolder, SlotReserved,
};
use purser_events::{CapabilityNo, Event, Label};
use purser_projections::Books;
use purser_projections::jobs::Capability;

use super::CAPABILITIES_MAX;
use super::command::{DeclareCapability, JobName, SlotOf};
use super::find;
use crate::{Answer, Rejection};

/// Fewer slots than are held take none away: no further one is given until some are freed.
pub(super) fn declare(
    books: &Books,
    declare: &DeclareCapability,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let names = &books.projections.names;
    let slots = declare.slots;
    let Some(capability) = names.capability(&declare.name) else {
        if names.capabilities().len() >= CAPABILITIES_MAX {
            return Err(Rejection::TooManyNames);
        }
        into.push(Event::CapabilityDeclared(Box::new(CapabilityDeclared {
            capability: CapabilityNo::following(names.capabilities().len()),
            name: declare.name.clone(),
            slots,
        })));
        return Ok(Answer::Done);
    };
    let known = books.projections.jobs.capacity.get(capability);
    let slots = Some(slots);
    if known.is_some_and(|known| known.slots == slots) {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::CapabilityChanged(CapabilityChanged {
        capability,
        slots,
    }));
    Ok(Answer::Done)
}

pub(super) fn remove(
    books: &Books,
    name: &Label,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let capability = books.projections.names.capability(name);
    let capability = capability.ok_or(Rejection::UnknownCapability)?;
    let Some(known) = books.projections.jobs.capacity.get(capability) else {
        return Ok(Answer::Unchanged);
    };
    if known.slots.is_none() {
        return Ok(Answer::Unchanged);
    }
    if known.in_use() > 0 {
        return Err(Rejection::SlotsHeld);
    }
    let slots = None;
    into.push(Event::CapabilityChanged(CapabilityChanged {
        capability,
        slots,
    }));
    Ok(Answer::Done)
}

/// A job holds one slot of a capability: reserving it again changes nothing.
pub(super) fn reserve(
    books: &Books,
    slot: &SlotOf,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (capability, known) = declared(books, &slot.capability)?;
    if let Some(payer) = &slot.payer {
        let (payer, id) = (payer.clone(), slot.job_id.clone());
        find::open_job(books, &JobName { payer, id })?;
    }
    let holder = holder(books, slot).ok_or(Rejection::UnknownJob)?;
    if known.is_held_by(&holder) {
        return Ok(Answer::Unchanged);
    }
    if known.in_use() >= known.slots.unwrap_or(0) {
        return Err(Rejection::CapacityFull);
    }
    into.push(Event::SlotReserved(Box::new(SlotReserved {
        capability,
        holder,
    })));
    Ok(Answer::Done)
}

/// Freeing what is not held changes nothing.
pub(super) fn free(
    books: &Books,
    slot: &SlotOf,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (capability, known) = declared(books, &slot.capability)?;
    let Some(holder) = holder(books, slot).filter(|holder| known.is_held_by(holder)) else {
        return Ok(Answer::Unchanged);
    };
    into.push(Event::SlotFreed(Box::new(SlotFreed { capability, holder })));
    Ok(Answer::Done)
}

fn declared<'a>(
    books: &'a Books,
    name: &Label,
) -> Result<(CapabilityNo, &'a Capability), Rejection> {
    let capability = books.projections.names.capability(name);
    let known = capability.and_then(|capability| {
        let known = books.projections.jobs.capacity.get(capability)?;
        known.slots.map(|_| (capability, known))
    });
    known.ok_or(Rejection::UnknownCapability)
}

/// Who a slot is for; `None` for a payer that nobody knows.
fn holder(books: &Books, slot: &SlotOf) -> Option<SlotHolder> {
    let payer = slot.payer.as_ref();
    let payer = payer.map(|name| books.projections.names.payer(name).ok_or(()));
    Some(SlotHolder {
        job_id: slot.job_id.clone(),
        payer: payer.transpose().ok()?,
    })
}
