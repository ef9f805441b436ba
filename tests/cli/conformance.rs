//! Reference vectors through the real program.

use crate::run::{dir, run};

const LIVEPEER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/vectors/livepeer.json"
);

const FREETIER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/vectors/freetier.json"
);

/// The three numbers of the last line.
fn summary(out: &str) -> Vec<u64> {
    let last = out.lines().last().unwrap_or_default();
    let numbers = last.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|text| text.parse().ok()).collect()
}

#[test]
fn the_reference_vectors_come_out_as_they_say() {
    let ended = run(dir().path(), &["conformance", LIVEPEER, LIVEPEER]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let counts = summary(&ended.out);
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    assert!(counts[0] > 0 && counts[1] == 0, "{}", ended.out);
    assert_eq!(counts.iter().sum::<u64>(), 2 * 108);
}

#[test]
fn the_scenarios_of_the_grants_come_out_as_they_say() {
    let ended = run(dir().path(), &["conformance", FREETIER]);
    assert_eq!((ended.code, &*ended.err), (0, ""), "{}", ended.out);
    assert_eq!(ended.out, "28 passed, 0 failed, 0 skipped\n");
}

#[test]
fn a_mismatch_is_shown_and_is_a_finding() {
    let dir = dir();
    let text = std::fs::read_to_string(LIVEPEER).expect("the vectors are there");
    let text = text.replace(
        "\"ev_float_string_0\": \"500\"",
        "\"ev_float_string_0\": \"501\"",
    );
    std::fs::write(dir.path().join("other.json"), text).expect("written");
    let ended = run(dir.path(), &["conformance", "other.json"]);
    assert_eq!(ended.code, 1, "{}", ended.out);
    let shown = "other.json: ticket_ev/half: expected.ev_float_string_0: expected 501, found 500";
    assert_eq!(ended.out.lines().next(), Some(shown));
    assert_eq!(summary(&ended.out)[1], 1);
}

#[test]
fn files_that_hold_no_vectors_cannot_be_read() {
    let dir = dir();
    std::fs::write(dir.path().join("empty.json"), "{}").expect("written");
    std::fs::write(dir.path().join("half.json"), "{").expect("written");
    for (file, word) in [
        ("absent.json", "cannot read"),
        ("half.json", "cannot read"),
        ("empty.json", "no vectors of a known form"),
    ] {
        let ended = run(dir.path(), &["conformance", file]);
        assert_eq!(ended.code, 3, "{file}");
        assert!(ended.err.contains(word), "{file}: {}", ended.err);
    }
    assert_eq!(run(dir.path(), &["conformance"]).code, 2);
}
