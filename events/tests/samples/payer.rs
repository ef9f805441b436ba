//! Samples of payers, their funds, their jobs and slots.

use purser_events::intake::Split;
use purser_events::paid::{
    CapabilityChanged, CapabilityDeclared, CloseReason, Decision, FundsTransferred, JobAdmitted,
    JobClosed, JobCredited, JobDebited, JobOpened, JobRef, JobTerms, SlotFreed, SlotHolder,
    SlotReserved, Used,
};
use purser_events::payer::{DebtSettled, FundsDeposited, PayerChose, PayerNamed, RailNamed};
use purser_events::{
    Amount, AssetNo, Balance, BasisPoints, CapabilityNo, Event, JobNo, PayerNo, Position, Price,
    RailNo, WorkerNo,
};

use super::label;

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let payer = PayerNamed {
        payer: PayerNo(300),
        name: label("0x5ce5ce0f853906efc26298cf1459080c58e8767b"),
    };
    let rail = RailNamed {
        rail: RailNo(1),
        name: label("stripe"),
    };
    let chose = PayerChose {
        payer: PayerNo(300),
        funds_at_open: true,
    };
    let mut events = vec![
        ("plain", Event::PayerNamed(Box::new(payer))),
        ("plain", Event::RailNamed(Box::new(rail))),
        ("plain", Event::PayerChose(chose)),
    ];
    events.extend(money());
    events.extend(work());
    events.extend(slots());
    events
}

fn job() -> JobRef {
    JobRef {
        number: JobNo(70_000),
        id: label("job-1"),
        payer: PayerNo(300),
        asset: AssetNo(0),
    }
}

fn terms() -> JobTerms {
    JobTerms {
        price: Price::new(Amount(22), 7),
        timeout_sec: Some(60),
        capability: Some(label("llm")),
        payer_ref: Some(label("site-7")),
        worker: Some(WorkerNo(300)),
    }
}

fn money() -> Vec<(&'static str, Event)> {
    let deposited = FundsDeposited {
        payer: PayerNo(300),
        asset: AssetNo(0),
        amount: Amount(1_000),
        settled: Amount(30),
        rail: RailNo(1),
        payment: label("pi_1"),
        funds: Amount(970),
    };
    let settled = DebtSettled {
        payer: PayerNo(300),
        asset: AssetNo(0),
        amount: Amount(30),
        funds: Amount(940),
    };
    let credited = JobCredited {
        job: job(),
        amount: Amount::MAX,
        settled: Amount::ZERO,
        rail: RailNo(1),
        payment: label("pi_2"),
        balance: Balance::default().plus(Amount::MAX),
    };
    let transferred = FundsTransferred {
        job: job(),
        amount: Amount(500),
        transfer: Some(label("t-1")),
        balance: Balance::default().plus(Amount(500)),
    };
    let bare = FundsTransferred {
        transfer: None,
        ..transferred.clone()
    };
    vec![
        ("plain", Event::FundsDeposited(Box::new(deposited))),
        ("plain", Event::DebtSettled(settled)),
        ("plain", Event::JobCredited(Box::new(credited))),
        ("full", Event::FundsTransferred(Box::new(transferred))),
        ("bare", Event::FundsTransferred(Box::new(bare))),
    ]
}

fn work() -> Vec<(&'static str, Event)> {
    let opened = JobOpened {
        payer: PayerNo(300),
        id: label("job-1"),
        asset: AssetNo(0),
        terms: terms(),
    };
    let bare = JobOpened {
        terms: JobTerms {
            price: None,
            timeout_sec: None,
            capability: None,
            payer_ref: None,
            worker: None,
        },
        ..opened.clone()
    };
    let admitted = JobAdmitted {
        job: job(),
        units: 60,
        held: Amount(189),
        balance: Balance::default().plus(Amount(500)),
    };
    let mut events = vec![
        ("full", Event::JobOpened(Box::new(opened))),
        ("bare", Event::JobOpened(Box::new(bare))),
        ("plain", Event::JobAdmitted(Box::new(admitted))),
    ];
    events.extend(charged());
    events
}

fn charged() -> Vec<(&'static str, Event)> {
    let debited = JobDebited {
        job: job(),
        seq: 1,
        used: Used::Units(23),
        charged: Amount(73),
        worker: Some(WorkerNo(300)),
        split: Split {
            policy: Position(2),
            commission: BasisPoints::new(2_500).expect("a rate"),
        },
        total_units: 23,
        balance: Balance::default().plus(Amount(427)),
        decision: Decision::Run,
    };
    let by_amount = JobDebited {
        seq: u64::MAX,
        used: Used::Amount(Amount(500)),
        charged: Amount(500),
        worker: None,
        balance: Balance::default().minus(Amount(73)),
        decision: Decision::Grace,
        ..debited.clone()
    };
    let stopped = JobDebited {
        decision: Decision::Stop,
        ..by_amount.clone()
    };
    let closed = JobClosed {
        job: job(),
        reason: CloseReason::Asked(Some(label("done"))),
        settled: Amount(30),
        swept: Amount(397),
        debt: Amount::ZERO,
        units: 23,
        charged: Amount(73),
        credited: Amount(500),
    };
    let unsaid = JobClosed {
        reason: CloseReason::Asked(None),
        ..closed.clone()
    };
    let idle = JobClosed {
        reason: CloseReason::Idle,
        settled: Amount::ZERO,
        swept: Amount::ZERO,
        debt: Amount(73),
        ..closed.clone()
    };
    vec![
        ("units", Event::JobDebited(Box::new(debited))),
        ("amount", Event::JobDebited(Box::new(by_amount))),
        ("stop", Event::JobDebited(Box::new(stopped))),
        ("asked", Event::JobClosed(Box::new(closed))),
        ("unsaid", Event::JobClosed(Box::new(unsaid))),
        ("idle", Event::JobClosed(Box::new(idle))),
    ]
}

fn slots() -> Vec<(&'static str, Event)> {
    let capability = CapabilityNo(2);
    let changed = |slots| Event::CapabilityChanged(CapabilityChanged { capability, slots });
    let of_job = SlotHolder {
        job_id: label("job-1"),
        payer: Some(PayerNo(300)),
    };
    let other = SlotHolder {
        job_id: label("run 7"),
        payer: None,
    };
    let reserved = |holder: &SlotHolder| {
        let holder = holder.clone();
        Event::SlotReserved(Box::new(SlotReserved { capability, holder }))
    };
    let freed = |holder: &SlotHolder| {
        let holder = holder.clone();
        Event::SlotFreed(Box::new(SlotFreed { capability, holder }))
    };
    vec![
        (
            "plain",
            Event::CapabilityDeclared(Box::new(CapabilityDeclared {
                capability,
                name: label("llm"),
                slots: 4,
            })),
        ),
        ("slots", changed(Some(8))),
        ("removed", changed(None)),
        ("job", reserved(&of_job)),
        ("other", reserved(&other)),
        ("job", freed(&of_job)),
        ("other", freed(&other)),
    ]
}
