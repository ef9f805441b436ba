//! Files and their consequences as short lines of text.
//!
//! A file is `ai 3: a 01 received r1 A; b 02 processed r1 100`: the partition's type, the second
//! that its key bears, and its elements. An element is an id, the second of its time, what happened
//! and to whom. Workers are letters from A to F; every file belongs to the region `eu`.

use purser_events::intake::{Attribution, Standing};
use purser_events::policy::NodeType;
use purser_events::{Event, EventKind, Position};
use purser_projections::fees::suspense_name;
use purser_projections::intake::{element_reason_name, file_reason_name};
use purser_projections::order::taken_of;
use serde_json::{Value, json};

use crate::ledger::Ledger;

/// The partitions that scripts name.
pub(crate) const SCRIPTED: &[(NodeType, &str)] =
    &[(NodeType::Ai, "eu"), (NodeType::Transcode, "eu")];

/// The key of a file that bears this second.
pub(crate) fn key(node_type: &str, second: &str) -> String {
    let stamp = format!("20251105T0000{second:0>2}Z");
    format!("eu/{node_type}/eu-{node_type}-{stamp}_{stamp}.json")
}

/// The key and the bytes of a scripted file.
pub(crate) fn file(script: &str) -> (String, Vec<u8>) {
    let (head, elements) = script.split_once(':').expect("a file has a head");
    let (node_type, second) = head.split_once(' ').expect("a head is a type and a second");
    let elements = elements
        .split(';')
        .filter(|element| !element.trim().is_empty());
    let elements: Vec<Value> = elements.map(|one| element(node_type, one)).collect();
    let bytes = serde_json::to_vec(&elements).expect("elements are JSON");
    (key(node_type, second), bytes)
}

fn element(node_type: &str, script: &str) -> Value {
    let words: Vec<&str> = script.split_whitespace().collect();
    let [id, second, what, arguments @ ..] = words.as_slice() else {
        panic!("an element has an id, a second and a type: {script}");
    };
    let (event_type, payload) = payload(what, arguments);
    json!({
        "ID": id,
        "DT": format!("2025-11-05T00:00:{second:0>2}Z"),
        "EventType": event_type,
        "NodeType": node_type,
        "Region": "eu",
        "Payload": payload,
        "Version": 1,
    })
}

fn payload<'a>(what: &'a str, arguments: &[&str]) -> (&'a str, Value) {
    match (what, arguments) {
        ("reset", []) => ("orchestrator-reset", json!({})),
        ("connect", [worker, connection]) => {
            let payload = json!({"ethAddress": address(worker), "connection": connection});
            ("worker-connected", payload)
        }
        ("disconnect", [worker, connection]) => {
            let payload = json!({"ethAddress": address(worker), "connection": connection});
            ("worker-disconnected", payload)
        }
        ("received", [request, worker]) => {
            let payload = json!({"requestID": request, "ethAddress": address(worker)});
            ("job-received", payload)
        }
        ("processed", [request, fee]) => {
            let payload = json!({"requestID": request, "fees": number(fee), "responseTime": 5});
            ("job-processed", payload)
        }
        ("transcoded", [worker, fee]) => {
            let payload = json!({
                "ethAddress": address(worker),
                "fees": number(fee),
                "responseTime": 5,
                "duration": 20,
                "realTimeRatio": 4,
            });
            ("job-processed", payload)
        }
        ("ticket", [face_value]) => {
            let hash = format!("0x{}", "1".repeat(64));
            let payload = json!({"faceValue": number(face_value), "txHash": hash});
            ("ticket-redeemed", payload)
        }
        (other, []) => (other, json!({})),
        other => panic!("no such element: {other:?}"),
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("an amount is JSON")
}

/// The address of a lettered worker, or the text itself.
pub(crate) fn address(worker: &str) -> String {
    match worker.as_bytes() {
        [letter @ b'A'..=b'F'] => format!("0x{}", char::from(*letter).to_string().repeat(40)),
        _ => worker.to_owned(),
    }
}

/// Takes in a scripted file and says what happened.
pub(crate) fn deliver(ledger: &mut Ledger, script: &str) -> Vec<String> {
    let from = ledger.events.len();
    let (key, bytes) = file(script);
    ledger.deliver(&key, &bytes);
    said(ledger, from)
}

/// What the events from index `from` on say; names given on the way are left out.
pub(crate) fn said(ledger: &Ledger, from: usize) -> Vec<String> {
    let is_name = |event: &Event| {
        use EventKind as Kind;
        matches!(
            event.kind(),
            Kind::WorkerNamed | Kind::ModelNamed | Kind::TypeNamed
        )
    };
    let new = ledger.events[from..].iter().filter(|event| !is_name(event));
    new.map(|event| says(ledger, event)).collect()
}

fn says(ledger: &Ledger, event: &Event) -> String {
    let id = taken_of(event)
        .map(|taken| id_text(&taken.id))
        .unwrap_or_default();
    match event {
        Event::JobReceived(job) if job.matchable => format!("received {id}"),
        Event::JobReceived(_) => format!("received {id} in vain"),
        Event::JobProcessed(job) => format!("processed {id}: {}", who(ledger, job.attribution)),
        Event::JobReattributed(change) => format!(
            "reattributed {}: {} to {}",
            id_at(ledger, change.job),
            who(ledger, change.from),
            who(ledger, change.to)
        ),
        Event::WorkerConnected(one) => format!("connected {id}: {}", standing(one.standing)),
        Event::WorkerDisconnected(one) => format!("disconnected {id}: {}", standing(one.standing)),
        Event::EarlierCopyFound(found) => {
            assert_eq!(
                id,
                id_at(ledger, found.event),
                "a copy is of the event it names"
            );
            format!("earlier {id}")
        }
        Event::ElementQuarantined(one) => {
            format!(
                "set aside {}: {}",
                one.index,
                element_reason_name(one.reason)
            )
        }
        Event::FileTaken(file) => format!(
            "taken {}: {} malformed, {} misrouted, {} duplicates, {} conflicts",
            file.elements, file.malformed, file.misrouted, file.duplicates, file.conflicts
        ),
        Event::FileQuarantined(one) => format!("quarantined: {}", file_reason_name(one.reason)),
        other => format!("{} {id}", other.kind().name()),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Void => "void",
        Standing::Superseded => "superseded",
        Standing::Latest => "latest",
    }
}

fn who(ledger: &Ledger, attribution: Attribution) -> String {
    match attribution {
        Attribution::Worker(worker) => {
            let name = ledger.books.projections.names.workers()[worker.index()].to_string();
            name[2..3].to_uppercase()
        }
        Attribution::Suspense(reason) => suspense_name(reason).to_owned(),
    }
}

fn id_at(ledger: &Ledger, position: Position) -> String {
    let index = usize::try_from(position.0 - 1).expect("a position is an index");
    let taken = taken_of(&ledger.events[index]).expect("the event came from a source");
    id_text(&taken.id)
}

fn id_text(id: &purser_events::intake::EventId) -> String {
    match id {
        purser_events::intake::EventId::Text(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}
