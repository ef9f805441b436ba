//! Samples of jobs and tickets.

use purser_events::intake::{
    Attribution, Fee, JobProcessed, JobReattributed, JobReceived, RequestId, Split, Suspense,
    TicketRedeemed,
};
use purser_events::{BasisPoints, Event, ModelNo, PartitionNo, Position, Wei, WorkerNo};

use super::intake::taken;
use super::{ADDRESS, label};

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let mut events = received();
    events.extend(processed());
    events.extend(reattributed());
    events.extend(tickets());
    events
}

fn split() -> Split {
    Split {
        policy: Position(70_000),
        commission: BasisPoints::new(10_000).expect("a rate"),
    }
}

fn received() -> Vec<(&'static str, Event)> {
    let of = |request, worker: Option<WorkerNo>| {
        Event::JobReceived(Box::new(JobReceived {
            taken: taken(),
            request,
            worker,
            matchable: worker.is_some(),
        }))
    };
    let worker = Some(WorkerNo(3));
    vec![
        ("hex", of(Some(RequestId::Hex(0x1b01_1a91)), worker)),
        ("text", of(Some(RequestId::Text(label("r-1"))), worker)),
        (
            "digest",
            of(Some(RequestId::Digest(Box::new([0xd1; 32]))), worker),
        ),
        ("bare", of(None, None)),
    ]
}

fn job(fee: Fee, attribution: Attribution) -> Event {
    Event::JobProcessed(Box::new(JobProcessed {
        taken: taken(),
        request: Some(RequestId::Hex(0x1b01_1a91)),
        model: Some(ModelNo(1)),
        units: Some(37_000),
        price_wei: Some(11_476_001),
        response_time: Some(3_744_096_103),
        duration_ms: Some(2_000),
        real_time_ratio: Some(-4),
        fee,
        attribution,
        split: split(),
    }))
}

fn processed() -> Vec<(&'static str, Event)> {
    let earned = || Fee::Payable(424_612_037_000);
    let suspense = |reason| job(earned(), Attribution::Suspense(reason));
    let worker = Attribution::Worker(WorkerNo(3));
    vec![
        ("credited", job(earned(), worker)),
        ("greatest_fee", job(Fee::Payable(u64::MAX), worker)),
        ("no_fee", job(Fee::NonPositive(i64::MIN), worker)),
        ("bad_fee", job(Fee::Bad(Some(label("1e30"))), worker)),
        ("absent_fee", job(Fee::Bad(None), worker)),
        ("orphan", suspense(Suspense::Orphan)),
        ("no_address", suspense(Suspense::NoAddress)),
        ("no_request_id", suspense(Suspense::NoRequestId)),
        ("crowded", suspense(Suspense::Crowded)),
        (
            "bare",
            Event::JobProcessed(Box::new(JobProcessed {
                taken: taken(),
                request: None,
                model: None,
                units: None,
                price_wei: None,
                response_time: None,
                duration_ms: None,
                real_time_ratio: None,
                fee: earned(),
                attribution: worker,
                split: split(),
            })),
        ),
    ]
}

fn reattributed() -> Vec<(&'static str, Event)> {
    let full = JobReattributed {
        job: Position(5),
        partition: PartitionNo(4),
        request: RequestId::Hex(1),
        model: Some(ModelNo(1)),
        response_time: Some(7),
        fee: Fee::Payable(1_000),
        from: Attribution::Suspense(Suspense::Orphan),
        from_split: split(),
        to: Attribution::Worker(WorkerNo(3)),
        to_split: split(),
        cause: Position(6),
    };
    let bare = JobReattributed {
        model: None,
        response_time: None,
        ..full.clone()
    };
    vec![
        ("full", Event::JobReattributed(Box::new(full))),
        ("bare", Event::JobReattributed(Box::new(bare))),
    ]
}

fn tickets() -> Vec<(&'static str, Event)> {
    let full = TicketRedeemed {
        taken: taken(),
        recipient: Some(ADDRESS),
        sender: Some(ADDRESS),
        face_value: Some(Wei(u128::MAX)),
        tx_hash: Some([0x77; 32]),
    };
    let bare = TicketRedeemed {
        taken: taken(),
        recipient: None,
        sender: None,
        face_value: None,
        tx_hash: None,
    };
    vec![
        ("full", Event::TicketRedeemed(Box::new(full))),
        ("bare", Event::TicketRedeemed(Box::new(bare))),
    ]
}
