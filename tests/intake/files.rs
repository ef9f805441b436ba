//! Whole files: keys and their states, unreadable bytes, elements that are no events.

use purser::intake::read_file;
use purser_events::intake::FileReason;
use purser_events::policy::NodeType;
use purser_projections::report::Counts;

use crate::ledger::Ledger;
use crate::script::{SCRIPTED, deliver, file, key, said};

fn counts(ledger: &Ledger) -> Counts {
    ledger.report().counts
}

#[test]
fn unreadable_bytes_are_set_aside_with_their_reason() {
    let deep = "[".repeat(100_000);
    let deep_array = format!("{deep}{}", "]".repeat(100_000));
    let nested = format!("[{{\"a\":{}1{}}}]", "[".repeat(127), "]".repeat(127));
    let table: &[(&[u8], FileReason)] = &[
        (b"", FileReason::NotJson),
        (
            b"<html><body>502 Bad Gateway</body></html>",
            FileReason::NotJson,
        ),
        (b"[{\"ID\": \"\xff\xfe\"}]", FileReason::NotUtf8),
        (b"null", FileReason::NotArray),
        (b"{\"ID\": \"x\"}", FileReason::NotArray),
        (b"\"[]\"", FileReason::NotArray),
        (b"1e999", FileReason::NotArray),
        (b"[1,", FileReason::NotJson),
        (b"[1 2]", FileReason::NotJson),
        (b"[1,]", FileReason::NotJson),
        (b"[] []", FileReason::NotJson),
        (b"[NaN]", FileReason::NotJson),
        (b"[-Infinity]", FileReason::NotJson),
        (b"[01]", FileReason::NotJson),
        (b"['a']", FileReason::NotJson),
        (b"\xef\xbb\xbf[]", FileReason::NotJson),
        (b"[\"a\nb\"]", FileReason::NotJson),
        (b"[\"\\x\"]", FileReason::NotJson),
        (b"[\0]", FileReason::NotJson),
        (deep.as_bytes(), FileReason::NotJson),
        (deep_array.as_bytes(), FileReason::NotJson),
        (nested.as_bytes(), FileReason::NotJson),
    ];
    for (second, (bytes, reason)) in table.iter().enumerate() {
        let mut ledger = Ledger::with(SCRIPTED, 2_500);
        let answer = ledger.deliver(&key("ai", &second.to_string()), bytes);
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
        assert_eq!(answer.quarantined, Some(*reason), "{start}");
        assert_eq!(counts(&ledger).files_malformed, 1);
        ledger.assert_replays();
    }
}

#[test]
fn readable_oddities_are_read() {
    let brackets = format!("[\"{}\"]", "[{".repeat(1_000));
    let escaped = format!("[\"\\\"{}\"]", "[".repeat(1_000));
    for text in [
        "[]",
        " [ ] \n",
        "[1e999]",
        "[\"\\ud800\"]",
        &brackets,
        &escaped,
    ] {
        let mut ledger = Ledger::with(SCRIPTED, 2_500);
        let answer = ledger.deliver(&key("ai", "1"), text.as_bytes());
        assert_eq!(answer.quarantined, None, "{text}");
        assert_eq!(counts(&ledger).files_ok, 1);
    }
}

const GOOD: &str = r#"{"ID":"good","DT":"2025-11-05T00:00:01Z","EventType":"job-processed",
    "NodeType":"transcode","Region":"eu","Version":1,
    "Payload":{"ethAddress":"0xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","fees":100}}"#;

/// One change of [`GOOD`], and the reason that it is set aside for.
const BAD: &[(&str, &str, &str)] = &[
    (GOOD, "null", "not_object"),
    (GOOD, "[]", "not_object"),
    (GOOD, "\"job-processed\"", "not_object"),
    (GOOD, "1e999", "not_object"),
    (r#""ID":"good""#, r#""ID":"""#, "bad_field"),
    (r#""ID":"good""#, r#""ID":7"#, "bad_field"),
    (r#""ID":"good""#, r#""ID":null"#, "bad_field"),
    (r#""ID":"good""#, r#""ID":"\udc00""#, "bad_field"),
    (r#""ID":"good""#, r#""id":"good""#, "bad_field"),
    (r#""ID":"good""#, r#""ID":"good","ID":7"#, "bad_field"),
    (
        r#""EventType":"job-processed""#,
        r#""EventType":"""#,
        "bad_field",
    ),
    (r#""NodeType":"transcode""#, r#""NodeType":{}"#, "bad_field"),
    (r#""Region":"eu""#, r#""Region":["eu"]"#, "bad_field"),
    ("2025-11-05T00:00:01Z", "2025-13-45T99:99:99Z", "bad_time"),
    ("2025-11-05T00:00:01Z", "2025-11-05T00:00:01.5Z", "bad_time"),
    ("2025-11-05T00:00:01Z", "", "bad_time"),
    (r#""Payload":{"#, r#""Payload":null,"x":{"#, "bad_payload"),
    (r#""Payload":{"#, r#""Payload":"{}","x":{"#, "bad_payload"),
    (r#""Payload":{"#, r#""payload":{"#, "bad_payload"),
    (r#""Version":1"#, r#""Version":2"#, "bad_version"),
    (r#""Version":1"#, r#""Version":1.0"#, "bad_version"),
    (r#""Version":1"#, r#""Version":true"#, "bad_version"),
    (r#""Version":1"#, r#""Version":"1""#, "bad_version"),
    (r#""Version":1"#, r#""v":1"#, "bad_version"),
    (r#""Region":"eu""#, r#""Region":"us""#, "misrouted"),
    (
        r#""NodeType":"transcode""#,
        r#""NodeType":"ai""#,
        "misrouted",
    ),
];

#[test]
fn a_bad_element_is_set_aside_and_loses_nothing_else() {
    for (from, to, reason) in BAD {
        let bad = GOOD.replacen(from, to, 1);
        assert_ne!(bad, GOOD, "{to}");
        let mut ledger = Ledger::with(SCRIPTED, 2_500);
        let start = ledger.events.len();
        let text = format!("[{bad}, {GOOD}]");
        let answer = ledger.deliver(&key("transcode", "1"), text.as_bytes());
        assert_eq!(answer.events, 1, "{to}");
        assert_eq!(answer.malformed + answer.misrouted, 1, "{to}");
        let said = said(&ledger, start);
        assert_eq!(said[0], format!("set aside 0: {reason}"), "{to}");
        assert_eq!(said[1], "processed good: A", "{to}");
        ledger.assert_replays();
    }
}

#[test]
fn a_later_value_of_a_repeated_key_counts_and_strangers_are_ignored() {
    let text = GOOD
        .replacen(r#""ID":"good""#, r#""ID":7,"ID":"good","new":{"a":[1]}"#, 1)
        .replacen(r#""fees":100"#, r#""fees":"x","fees":100,"\ud800":1"#, 1);
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let answer = ledger.deliver(&key("transcode", "1"), format!("[{text}]").as_bytes());
    assert_eq!(answer.events, 1);
    assert_eq!(ledger.report().totals.jobs_payable, 1);
}

#[test]
fn texts_of_any_length_are_bounded() {
    let long = "x".repeat(1_000_000);
    let text = GOOD
        .replacen(r#""ID":"good""#, &format!(r#""ID":"{long}""#), 1)
        .replacen(r#""fees":100"#, &format!(r#""fees":"{long}""#), 1);
    let other = format!("{{\"ID\":\"{long}\"}}");
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let text = format!("[{text}, {other}]");
    let answer = ledger.deliver(&key("transcode", "1"), text.as_bytes());
    assert_eq!((answer.events, answer.malformed), (1, 1));
    ledger.each(|fact| {
        let bytes = purser_events::codec::to_bytes(&format!("{:?}", fact.event));
        assert!(bytes.len() < 2_000, "no event is longer than its bounds");
    });
}

#[test]
fn only_a_key_that_is_no_label_is_refused() {
    for key in ["", "a\nb", &"x".repeat(257)] {
        assert!(read_file(key, None, b"[]").is_err(), "{key}");
    }
    let odd = read_file("us-west/transcode/notes.txt", Some("\"etag\""), b"hello");
    let odd = odd.expect("an odd name is a label");
    assert_eq!(odd.name, None);
    assert_eq!(
        odd.etag.as_ref().map(purser_events::Label::as_str),
        Some("\"etag\"")
    );
}

#[test]
fn a_key_is_counted_once_in_the_state_it_came_to() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let (good_key, good) = file("ai 1: a 01 reset");
    for bytes in [b"cut".as_slice(), b"[{", &good, b"cut again", b"[]"] {
        ledger.deliver(&good_key, bytes);
    }
    let after = counts(&ledger);
    assert_eq!(
        (after.keys_total, after.files_ok, after.files_malformed),
        (1, 1, 0)
    );
    for bytes in [b"one".as_slice(), b"two", b"one"] {
        ledger.deliver("notes.txt", bytes);
    }
    let after = counts(&ledger);
    assert_eq!((after.keys_total, after.keys_bad_name), (2, 1));
    ledger.assert_replays();
}

#[test]
fn a_partition_that_is_declared_later_is_read_on_the_next_delivery() {
    let mut ledger = Ledger::with(&[], 2_500);
    let (key, bytes) = file("ai 1: a 01 received r A; b 02 processed r 100");
    let answer = ledger.deliver(&key, &bytes);
    assert_eq!(answer.quarantined, Some(FileReason::UnknownPartition));
    assert!(ledger.deliver(&key, &bytes).repeated);
    assert_eq!(counts(&ledger).keys_unknown_partition, 1);
    ledger.declare(NodeType::Ai, "eu");
    let answer = ledger.deliver(&key, &bytes);
    assert_eq!(
        (answer.repeated, answer.quarantined, answer.events),
        (false, None, 2)
    );
    let after = counts(&ledger);
    assert_eq!(
        (
            after.keys_total,
            after.files_ok,
            after.keys_unknown_partition
        ),
        (1, 1, 0)
    );
    assert_eq!(ledger.report().totals.jobs_payable, 1);
    ledger.assert_replays();
}

#[test]
fn the_same_bytes_under_the_same_key_are_a_repetition_without_events() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let script = "ai 1: a 01 reset; a 01 reset; b 01 gateway-reset";
    let first = deliver(&mut ledger, script);
    assert_eq!(
        first.last().map(String::as_str),
        Some("taken 3: 0 malformed, 0 misrouted, 1 duplicates, 0 conflicts")
    );
    let (key, bytes) = file(script);
    let again = ledger.deliver(&key, &bytes);
    assert!(again.repeated);
    assert_eq!((again.elements, again.events, again.duplicates), (3, 0, 3));
    let elsewhere = deliver(&mut ledger, "ai 2: a 01 reset");
    assert_eq!(
        elsewhere.len(),
        1,
        "a copy is counted with its file: {elsewhere:?}"
    );
}
