//! Whether the server still knows everything that it answered.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::load::{EVENTS_PER_FILE, Ledger, Work, ids, send};
use crate::server::{Http, purser};

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
        if !matches!(one.work, Work::File(_)) {
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
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        position += 1;
        assert_eq!(event["position"], position, "positions are dense");
        if let Some(id) = event["command_id"].as_str() {
            *times.entry(id.to_owned()).or_default() += 1;
        }
        jobs += u64::from(event["type"] == "job_processed");
        files += u64::from(event["type"] == "file_taken");
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
