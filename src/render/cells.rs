//! What an event says in typed cells, for tables with a column per field.

use purser_events::intake::{Attribution, JobProcessed, JobReattributed, RequestId, Taken};
use purser_events::{Event, ModelNo, PartitionNo, WorkerNo};

use super::csv::{Amount, amounts_of, partition_of};
use super::filter::workers_of;

/// What an event says in typed cells. An event that moves a worker's fee to another one says two
/// things: what the old one loses, and what the new one gets. Sums over these are the books.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cells<'a> {
    /// The worker that it concerns.
    pub worker: Option<WorkerNo>,
    /// The partition.
    pub partition: Option<PartitionNo>,
    /// The source's time, in microseconds since 1970.
    pub occurred_at: Option<i64>,
    /// The model and pipeline.
    pub model: Option<ModelNo>,
    /// The request.
    pub request: Option<&'a RequestId>,
    /// Units of compute.
    pub units: Option<i64>,
    /// Price of a unit, in wei.
    pub price_wei: Option<i64>,
    /// Nanoseconds for AI, milliseconds for transcoding.
    pub response_time: Option<i64>,
    /// Length of the source segment.
    pub duration_ms: Option<i64>,
    /// What moves.
    pub amount: Option<i128>,
    /// The pool's share of it.
    pub commission: Option<i128>,
    /// The worker's share of it.
    pub net: Option<i128>,
}

/// What an event says: one row of cells, or two.
#[must_use]
pub fn cells(event: &Event) -> (Cells<'_>, Option<Cells<'_>>) {
    match event {
        Event::JobProcessed(job) => (processed(job), None),
        Event::JobReattributed(moved) => {
            let [from, to] = reattributed(moved);
            (to, Some(from))
        }
        _ => (plain(event), None),
    }
}

fn plain(event: &Event) -> Cells<'_> {
    let [amount, commission] = amounts_of(event).map(|amount| match amount? {
        Amount::Unsigned(amount) => i128::try_from(amount).ok(),
        Amount::Signed(amount) => Some(amount.into()),
    });
    let (taken, request) = match event {
        Event::JobReceived(one) => (Some(&one.taken), one.request.as_ref()),
        Event::WorkerConnected(one) => (Some(&one.taken), None),
        Event::WorkerDisconnected(one) => (Some(&one.taken), None),
        Event::PartitionReset(one) => (Some(&one.taken), None),
        Event::TicketRedeemed(one) => (Some(&one.taken), None),
        Event::OtherTaken(one) => (Some(&one.taken), None),
        _ => (None, None),
    };
    Cells {
        worker: workers_of(event)[0],
        partition: partition_of(event),
        occurred_at: taken.map(micros),
        request,
        amount,
        commission,
        net: amount.zip(commission).map(|(amount, share)| amount - share),
        ..Cells::default()
    }
}

fn processed(job: &JobProcessed) -> Cells<'_> {
    let fee = job.fee.payable();
    let commission = job.split.commission.share_of(fee);
    Cells {
        worker: credited(job.attribution),
        partition: Some(job.taken.partition),
        occurred_at: Some(micros(&job.taken)),
        model: job.model,
        request: job.request.as_ref(),
        units: job.units,
        price_wei: job.price_wei,
        response_time: job.response_time,
        duration_ms: job.duration_ms,
        amount: Some(fee.into()),
        ..shares(job.attribution, (fee, commission))
    }
}

/// What the one loses, and what the other gets.
fn reattributed(moved: &JobReattributed) -> [Cells<'_>; 2] {
    let fee = moved.fee.payable();
    let common = Cells {
        partition: Some(moved.partition),
        model: moved.model,
        request: Some(&moved.request),
        response_time: moved.response_time,
        ..Cells::default()
    };
    let sides = [
        (moved.from, moved.from_split, -1),
        (moved.to, moved.to_split, 1),
    ];
    sides.map(|(who, split, sign)| {
        let told = shares(who, (fee, split.commission.share_of(fee)));
        Cells {
            worker: credited(who),
            amount: Some(sign * i128::from(fee)),
            commission: told.commission.map(|share| sign * share),
            net: told.net.map(|share| sign * share),
            ..common
        }
    })
}

/// Only what is somebody's is shared out.
fn shares<'a>(who: Attribution, (fee, commission): (u64, u64)) -> Cells<'a> {
    match who {
        Attribution::Worker(_) => Cells {
            commission: Some(commission.into()),
            net: Some((fee - commission).into()),
            ..Cells::default()
        },
        Attribution::Suspense(_) => Cells::default(),
    }
}

const fn credited(who: Attribution) -> Option<WorkerNo> {
    match who {
        Attribution::Worker(worker) => Some(worker),
        Attribution::Suspense(_) => None,
    }
}

const fn micros(taken: &Taken) -> i64 {
    taken.occurred_at.0.saturating_mul(1_000_000)
}
