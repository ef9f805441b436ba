//! The statement of a worker.

use std::ops::ControlFlow;

use purser_events::intake::{Attribution, Fee, JobReattributed, RequestId, Suspense};
use purser_events::payout::{Draw, PayoutFinal, PayoutReleased, PayoutRequested, Rail};
use purser_events::{Amount, AssetNo, Event, ModelNo, PartitionNo, PayoutNo, Position, WorkerNo};
use serde_json::Value;

use super::history::{envelope, job, names, split};
use crate::log::memory::MemoryLog;
use crate::log::{Batch, BatchId, Log};
use crate::render::statement::{COLUMNS, CsvEntries, Entry, Query, Totals, scan};

const ORPHAN: Attribution = Attribution::Suspense(Suspense::Orphan);

fn of(worker: u32) -> Attribution {
    Attribution::Worker(WorkerNo(worker))
}

fn moved(fee: u64, from: Attribution, to: Attribution) -> Event {
    Event::JobReattributed(Box::new(JobReattributed {
        job: Position(2),
        partition: PartitionNo(0),
        request: RequestId::Hex(1),
        model: Some(ModelNo(0)),
        response_time: None,
        fee: Fee::Payable(fee),
        from,
        from_split: split(15, 2_500),
        to,
        to_split: split(16, 1_000),
        cause: Position(5),
    }))
}

fn log() -> MemoryLog {
    let events = [
        Event::JobProcessed(job(Fee::Payable(10_001), of(0))),
        Event::JobProcessed(job(Fee::Payable(1_000), of(0))),
        Event::JobProcessed(job(Fee::NonPositive(-7), of(0))),
        Event::JobProcessed(job(Fee::Payable(5), of(1))),
        moved(1_000, of(0), of(1)),
        moved(1_000, of(1), ORPHAN),
        moved(1_000, ORPHAN, of(0)),
        Event::JobProcessed(job(Fee::Payable(u64::MAX), of(0))),
    ];
    let mut log = MemoryLog::new();
    let lease = log.acquire().expect("free");
    let mut batch = Batch::new(BatchId([1; 16]), [2; 32], Position::ORIGIN);
    for (index, event) in events.into_iter().enumerate() {
        batch.push(&envelope(index as u64 + 1, event));
    }
    log.append(lease, &batch).expect("appended");
    log
}

fn statement(workers: &[u32], from: u64, to: u64) -> (Vec<Entry>, Totals) {
    let query = Query {
        workers: workers.iter().copied().map(WorkerNo).collect(),
        from: Position(from),
        to: Position(to),
        asset: AssetNo::ETH,
    };
    let mut entries = Vec::new();
    let totals = scan(&*log().reader(), &query, &mut |entry| {
        entries.push(entry.clone());
        ControlFlow::Continue(())
    });
    (entries, totals.expect("memory can be read"))
}

/// Position, fee, commission, net and running net of each entry.
fn figures(entries: &[Entry]) -> Vec<[i128; 5]> {
    let figures = |one: &Entry| {
        let position = i128::from(one.position.0);
        let (fee, commission) = (one.fee_wei, one.commission_wei);
        [position, fee, commission, one.net_wei, one.running_net_wei]
    };
    entries.iter().map(figures).collect()
}

#[test]
fn a_statement_lists_each_credit_and_each_reversal() {
    let (entries, totals) = statement(&[0], 1, 7);
    let expected = [
        [1, 10_001, 2_500, 7_501, 7_501],
        [2, 1_000, 250, 750, 8_251],
        [5, -1_000, -250, -750, 7_501],
        [7, 1_000, 100, 900, 8_401],
    ];
    assert_eq!(figures(&entries), expected);
    assert_eq!((totals.opening_net_wei, totals.closing_net_wei), (0, 8_401));
    assert_eq!(totals.entries, 4);
    assert_eq!(entries[2].job, Some(Position(2)));
    assert_eq!(entries[2].cause, Some(Position(5)));
}

#[test]
fn a_statement_of_a_part_opens_where_the_part_before_closed() {
    let (entries, totals) = statement(&[0], 3, 5);
    assert_eq!(figures(&entries), [[5, -1_000, -250, -750, 7_501]]);
    assert_eq!(
        (totals.opening_net_wei, totals.closing_net_wei),
        (8_251, 7_501)
    );
    let (entries, totals) = statement(&[0], 6, 6);
    assert_eq!(entries, []);
    assert_eq!(
        (totals.opening_net_wei, totals.closing_net_wei),
        (7_501, 7_501)
    );
}

#[test]
fn a_worker_with_two_numbers_has_one_statement() {
    let (entries, totals) = statement(&[0, 1], 1, 5);
    let last_two = &figures(&entries)[3..];
    assert_eq!(
        last_two,
        [[5, -1_000, -250, -750, 7_505], [5, 1_000, 100, 900, 8_405]]
    );
    assert_eq!(totals.closing_net_wei, 7_501 + 750 - 750 + 4 + 900);
}

#[test]
fn the_greatest_fee_is_listed_exactly() {
    let (entries, _) = statement(&[0], 8, 8);
    let fee = i128::from(u64::MAX);
    assert_eq!(entries[0].fee_wei, fee);
    assert_eq!(entries[0].commission_wei, fee / 4);
    assert_eq!(entries[0].net_wei, fee - fee / 4);
}

#[test]
fn reading_ends_when_the_reader_has_enough() {
    let query = Query {
        workers: vec![WorkerNo(0)],
        from: Position(1),
        to: Position(u64::MAX),
        asset: AssetNo::ETH,
    };
    let mut seen = 0;
    let totals = scan(&*log().reader(), &query, &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((seen, totals.expect("read").entries), (1, 1));
}

#[test]
fn entries_are_shown_alike_as_json_and_as_csv() {
    let (names, mut csv) = (names(), CsvEntries::default());
    csv.head();
    let (entries, _) = statement(&[0], 1, 8);
    let mut objects: Vec<Value> = Vec::new();
    for entry in &entries {
        let mut json = Vec::new();
        entry.write_json(&mut json, &names);
        objects.push(serde_json::from_slice(&json).expect("JSON"));
        csv.push(entry, &names);
    }
    assert_eq!(objects[0]["net_wei"], "7501");
    assert_eq!(objects[2]["fee_wei"], "-1000");
    assert_eq!(objects[2]["event_id"], Value::Null);
    assert_eq!(
        objects[0]["event_id"],
        "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a"
    );
    assert_eq!(objects[0]["partition"], "ai|us-central");
    let bytes = csv.take();
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a head"), COLUMNS.as_slice());
    for (record, object) in reader.records().zip(&objects) {
        let record = record.expect("a row");
        for (column, field) in COLUMNS.iter().zip(record.iter()) {
            let value = match &object[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(value, field, "{column}");
        }
    }
}

fn payouts() -> MemoryLog {
    let (payout, asset) = (PayoutNo(0), AssetNo::ETH);
    let draw = |worker, amount| Draw {
        worker: WorkerNo(worker),
        amount: Amount(amount),
    };
    let requested = |payout, draws| {
        Event::PayoutRequested(Box::new(PayoutRequested {
            payout,
            digest: [0; 8],
            rail: Rail::Chain,
            address: None,
            asset,
            draws,
            policy: Position(1),
        }))
    };
    let events = [
        Event::JobProcessed(job(Fee::Payable(1_000), of(0))),
        Event::JobProcessed(job(Fee::Payable(100), of(1))),
        requested(payout, vec![draw(0, 500), draw(1, 75)]),
        Event::PayoutFinal(Box::new(PayoutFinal {
            payout,
            rail: Rail::Chain,
            asset,
            amount: Amount(575),
            gas: Amount(9),
        })),
        requested(PayoutNo(1), vec![draw(0, 200)]),
        Event::PayoutReleased(Box::new(PayoutReleased {
            payout: PayoutNo(1),
            asset,
            draws: vec![draw(0, 200)],
        })),
        requested(PayoutNo(2), vec![draw(0, 50)]),
    ];
    let mut log = MemoryLog::new();
    let lease = log.acquire().expect("free");
    let mut batch = Batch::new(BatchId([1; 16]), [2; 32], Position::ORIGIN);
    for (index, event) in events.into_iter().enumerate() {
        batch.push(&envelope(index as u64 + 1, event));
    }
    log.append(lease, &batch).expect("appended");
    log
}

#[test]
fn a_statement_shows_what_is_paid_in_flight_and_unpaid() {
    let query = Query {
        workers: vec![WorkerNo(0)],
        asset: AssetNo::ETH,
        from: Position(1),
        to: Position(9),
    };
    let mut seen = Vec::new();
    let totals = scan(&*payouts().reader(), &query, &mut |one| {
        let payout = one.payout.map(|payout| payout.0);
        seen.push((
            one.position.0,
            payout,
            one.payout_wei,
            one.running_unpaid_wei,
        ));
        ControlFlow::Continue(())
    });
    let expected = [
        (1, None, 0, 750),
        (3, Some(0), -500, 250),
        (4, Some(0), 0, 250),
        (5, Some(1), -200, 50),
        (6, Some(1), 200, 250),
        (7, Some(2), -50, 200),
    ];
    assert_eq!(seen, expected);
    let totals = totals.expect("memory can be read");
    assert_eq!(
        (totals.closing_net_wei, totals.closing_unpaid_wei),
        (750, 200)
    );
    assert_eq!((totals.paid_wei, totals.in_flight_wei), (500, 50));
}
