//! Whether the server still knows everything that it answered.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::load::{Done, EVENTS_PER_FILE, Ledger, PAID, Work, ids, send};
use crate::server::{Http, purser};
use crate::tickets::{self, TICKET_WEI, TICKETS};

/// How many answered works are delivered again after each start.
const REPEATED: usize = 12;

/// Delivers again what was not answered, and some of what was.
pub(crate) async fn deliver_again(http: &Http, ledger: &Ledger) {
    let done = ledger.done();
    let newest = done.iter().rev().take(REPEATED / 2);
    let spread = done.iter().step_by(done.len() / REPEATED + 1);
    for one in newest.chain(spread) {
        let answered = send(http, &one.work).await.expect("the server is up");
        assert!(answered.replayed, "{one:?} is new to the server");
        // A file, a debit and a payment are known by what they are, not by a command's id.
        if matches!(
            one.work,
            Work::Register(_) | Work::Beats(_) | Work::Tickets(_)
        ) {
            assert_eq!(answered.positions, one.positions, "{one:?}");
        }
    }
    for work in ledger.take_unanswered() {
        let answered = send(http, &work).await.expect("the server is up");
        ledger.finish(work, answered.positions);
    }
}

/// Reads the whole log: positions are dense, each command and each file is there once.
pub(crate) async fn events(http: &Http, ledger: &Ledger) {
    let request = http.auditor.get(format!("{}/v1/events", http.url));
    let answer = request.send().await.expect("the server is up");
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("the log is read to its end");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let (mut position, mut jobs, mut files) = (0, 0, 0);
    let (mut debits, mut credits, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        position += 1;
        assert_eq!(event["position"], position, "positions are dense");
        if let Some(id) = event["command_id"].as_str() {
            *times.entry(id.to_owned()).or_default() += 1;
        }
        jobs += u64::from(event["type"] == "job_processed");
        files += u64::from(event["type"] == "file_taken");
        match event["type"].as_str() {
            Some("job_debited") => debits.push(event["data"]["debit_seq"].as_u64()),
            Some("job_credited") => {
                let id = event["data"]["payment_id"].as_str();
                credits.push(id.and_then(|id| id.parse().ok()));
            }
            Some("tickets_taken") => {
                let worth = u64::from(TICKETS) * TICKET_WEI;
                assert_eq!(event["data"]["credited"], worth.to_string(), "{event}");
                let id = event["data"]["payer_ref"].as_str();
                batches.push(id.and_then(|id| id.parse().ok()));
            }
            _ => {}
        }
    }
    assert!(position > 0, "the log has its first events");
    let done = ledger.done();
    for one in &done {
        for id in ids(&one.work) {
            assert_eq!(times.get(&id), Some(&1), "`{id}` is there once");
        }
        let highest = one
            .positions
            .iter()
            .max()
            .expect("an answer has a position");
        assert!(*highest <= position, "{one:?} lies past the end");
    }
    // Whatever was sent was answered by now, in this life of the server or an earlier one.
    let delivered = done.iter().filter(|one| matches!(one.work, Work::File(_)));
    let delivered = delivered.count() as u64;
    assert_eq!((files, jobs), (delivered, EVENTS_PER_FILE * delivered));
    once(&done, debits, |work| match work {
        Work::Debit(number) => Some(*number),
        _ => None,
    });
    once(&done, credits, |work| match work {
        Work::Credit(number) => Some(*number),
        _ => None,
    });
    once(&done, batches, |work| match work {
        Work::Tickets(batch) => Some(batch.number),
        _ => None,
    });
}

/// What the log holds of one kind is what was done of it, each once.
fn once(done: &[Done], mut found: Vec<Option<u64>>, pick: fn(&Work) -> Option<u64>) {
    let numbers = done.iter().filter_map(|one| pick(&one.work));
    let mut numbers: Vec<_> = numbers.map(Some).collect();
    numbers.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, numbers, "each counts once");
}

/// The jobs' balances are what all payments and tickets brought, less what all units cost.
pub(crate) async fn balance(http: &Http, ledger: &Ledger) {
    let count = |pick: fn(&Work) -> bool| {
        let done = ledger.done();
        done.iter().filter(|one| pick(&one.work)).count() as u64
    };
    let paid = PAID * count(|work| matches!(work, Work::Credit(_)));
    let units = count(|work| matches!(work, Work::Debit(_)));
    let cost = (units * 3).div_ceil(2);
    let job = job(http, ("payer", "job")).await;
    let balance = i128::from(paid) - i128::from(cost);
    assert_eq!(job["balance"], balance.to_string(), "{job}");
    assert_eq!(job["units"], units);
    let batches = count(|work| matches!(work, Work::Tickets(_)));
    let sender = tickets::gateway().address.to_string();
    let job = self::job(http, (&sender, tickets::JOB)).await;
    let brought = batches * u64::from(TICKETS) * TICKET_WEI;
    assert_eq!(job["balance"], brought.to_string(), "{job}");
}

async fn job(http: &Http, (payer, job): (&str, &str)) -> Value {
    let url = format!("{}/v1/balances?payer={payer}&job={job}", http.url);
    let answer = http.auditor.get(url).send().await;
    let answer = answer.expect("the server is up");
    let body: Value = answer.json().await.expect("an answer is JSON");
    body["jobs"][0].clone()
}

/// Every byte of the directory is as it was written.
pub(crate) fn verify(data: &Path) {
    let output = purser().arg("verify").arg("--data").arg(data).output();
    let output = output.expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
