//! Who may be matched: an operator's word, and what probes found.

use purser_events::Event;
use purser_events::matching::{RegionFinding, RegionProbed, WorkerResumed, WorkerSuspended};
use purser_projections::Books;
use purser_projections::matching::contains;

use super::{ProbeRegion, SetStanding, known};
use crate::{Answer, Rejection};

/// A probe this near is in the same region, in microseconds there and back.
const NEAR_US: u32 = 30_000;

/// So many ways there and back are enough to say that it is near.
const SAMPLES_LEAST: u32 = 5;

/// Light in fibre takes at least this long there and back, in microseconds per kilometre.
const LIGHT_US_PER_KM: u64 = 10;

/// Suspending who is suspended, or resuming who is not, changes nothing.
pub(crate) fn set_standing(
    books: &Books,
    set: &SetStanding,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let worker = known(books, &set.worker)?;
    let standing = books.projections.matching.standing(worker);
    let reason = set.reason.clone();
    let changes = match set.suspended {
        true => standing.suspended.is_none(),
        false => standing.barred(),
    };
    if !changes {
        return Ok(Answer::Unchanged);
    }
    into.push(match set.suspended {
        true => Event::WorkerSuspended(Box::new(WorkerSuspended { worker, reason })),
        false => Event::WorkerResumed(Box::new(WorkerResumed { worker, reason })),
    });
    Ok(Answer::Done)
}

/// Nearness needs several measurements; that the worker is elsewhere, one proves.
pub(crate) fn probe(
    books: &Books,
    probe: &ProbeRegion,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let worker = known(books, &probe.worker)?;
    let claimed = &books.projections.matching.standing(worker).claimed;
    let claimed = claimed.as_ref().ok_or(Rejection::NoRegionClaimed)?;
    // A distance to one region says nothing about another.
    if probe.claimed.as_ref().is_some_and(|meant| meant != claimed) {
        return Err(Rejection::NoRegionClaimed);
    }
    let least_us = |km| u64::from(km) * LIGHT_US_PER_KM;
    let impossible = probe.distance_km.map(least_us);
    let near = contains(claimed.as_str(), probe.probe.as_str())
        && probe.rtt_us <= NEAR_US
        && probe.samples >= SAMPLES_LEAST;
    let finding = match impossible {
        Some(least_us) if u64::from(probe.rtt_us) < least_us => RegionFinding::Contradicted,
        _ if near => RegionFinding::Verified,
        _ => RegionFinding::Open,
    };
    into.push(Event::RegionProbed(Box::new(RegionProbed {
        worker,
        probe: probe.probe.clone(),
        rtt_us: probe.rtt_us,
        samples: probe.samples,
        distance_km: probe.distance_km,
        finding,
    })));
    Ok(Answer::Done)
}
