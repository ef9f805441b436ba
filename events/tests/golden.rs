//! Stored bytes stay readable for ever: `golden/form-1.txt` holds some of every kind. Lines are
//! added to it, never edited and never removed; a new form of a kind gets a file of its own.

mod samples;

use std::collections::BTreeMap;

use purser_events::codec::{decode_envelope, encode_envelope};
use purser_events::{EventKind, Position};

const GOLDEN: &str = include_str!("golden/form-1.txt");

/// The name and the bytes of each line.
fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let lines = GOLDEN.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, hex) = line.split_once(' ').expect("a name and bytes");
            let pairs = hex.as_bytes().chunks(2);
            let byte = |pair| {
                let text = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(text, 16).expect("two hexadecimal digits")
            };
            (name, pairs.map(byte).collect())
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn golden_bytes_are_read_and_written_again_unchanged() {
    for (name, bytes) in golden() {
        let envelope = decode_envelope(Position(1), &bytes).expect(name);
        let kind = name.split_once('.').map_or(name, |(kind, _)| kind);
        assert_eq!(envelope.event.kind().name(), kind, "{name}");
        let mut again = Vec::new();
        encode_envelope(&envelope, &mut again);
        assert_eq!(hex(&again), hex(&bytes), "{name}");
    }
}

#[test]
fn golden_bytes_say_what_they_always_said() {
    let golden: BTreeMap<_, _> = golden().into_iter().collect();
    let mut missing = String::new();
    for (name, envelope) in samples::all() {
        let mut bytes = Vec::new();
        encode_envelope(&envelope, &mut bytes);
        match golden.get(name.as_str()) {
            Some(stored) => assert_eq!(hex(stored), hex(&bytes), "{name}"),
            None => missing += &format!("{name} {}\n", hex(&bytes)),
        }
    }
    assert!(missing.is_empty(), "add to golden/form-1.txt:\n{missing}");
    assert_eq!(
        golden.len(),
        samples::all().len(),
        "each line has its sample"
    );
}

#[test]
fn every_kind_has_golden_bytes() {
    for kind in EventKind::ALL {
        let prefix = format!("{}.", kind.name());
        let shown = golden().iter().any(|(name, _)| name.starts_with(&prefix));
        assert!(shown, "no golden bytes of {}", kind.name());
    }
}
