//! What the pure rooms may never name, and what no source may.

use crate::assert_clean;
use crate::files::{SourceFile, has_word, rust};

const PURE: &[&str] = &[
    "events/src",
    "projections/src",
    "commands/src",
    "snapshots/src",
];

/// The world: clocks, disks, sockets, threads, randomness, logging.
const WORLD: &[&str] = &[
    "tokio",
    "std::fs",
    "std::io",
    "std::net",
    "std::time",
    "std::thread",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant",
    "rand",
    "getrandom",
    "uuid",
    "tracing",
    "println",
    "eprintln",
    "async",
    "sleep",
];

/// Types of numbers that money and facts never have.
const FLOATS: &[&str] = &["f32", "f64"];

/// Lines that name floats in order to refuse them: serde asks every encoder about them.
const REFUSALS: &[&str] = &[
    "fn serialize_f32(self, _: f32) -> Result<(), Unsupported> {",
    "fn serialize_f64(self, _: f64) -> Result<(), Unsupported> {",
    "f32 f64 char bytes byte_buf unit unit_struct map identifier ignored_any",
];

fn word_findings(file: &SourceFile, banned: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in file.code_lines() {
        for word in banned {
            if has_word(line, word) && !REFUSALS.contains(&line.trim()) {
                findings.push(format!("{}:{number}: `{word}`", file.path));
            }
        }
    }
    findings
}

#[test]
fn the_pure_rooms_do_not_know_the_world() {
    let mut findings = Vec::new();
    for file in rust().iter().filter(|file| file.is_under(PURE)) {
        findings.extend(word_findings(file, WORLD));
    }
    assert_clean(&findings);
}

#[test]
fn the_pure_rooms_have_no_floats() {
    let mut findings = Vec::new();
    for file in rust().iter().filter(|file| file.is_under(PURE)) {
        findings.extend(word_findings(file, FLOATS));
    }
    assert_clean(&findings);
}

#[test]
fn the_world_and_floats_are_found() {
    let bad = SourceFile::sample(
        "events/src/x.rs",
        "use std::time::Duration; // std::fs in a comment is none\nfn f(x: f64) {}\n",
    );
    assert_eq!(word_findings(&bad, WORLD).len(), 1);
    assert_eq!(word_findings(&bad, FLOATS).len(), 1);
}

/// Reading the time in any way but through `src/clock.rs`.
const CLOCKS: &[&str] = &["SystemTime", "Timestamp::now", "Zoned::now", "UNIX_EPOCH"];

fn clock_findings(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_under(&["src"]) && file.path != "src/clock.rs")
        .flat_map(|file| word_findings(file, CLOCKS))
        .collect()
}

#[test]
fn one_file_reads_the_time() {
    assert_clean(&clock_findings(&rust()));
}

#[test]
fn a_second_clock_is_found() {
    let bad = SourceFile::sample("src/http/mod.rs", "let now = SystemTime::now();");
    assert_eq!(clock_findings(&[bad]).len(), 1);
}

/// Tests wait for conditions, never for time, and none is left out. This folder spells the words.
fn test_findings(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.is_under(&["tests/tidy"])) {
        let in_tests = file.path.starts_with("tests/") || file.path.contains("/tests");
        for (number, line) in file.code_lines() {
            if in_tests && has_word(line, "sleep") {
                findings.push(format!("{}:{number}: a test sleeps", file.path));
            }
            if line.contains("#[ignore") {
                findings.push(format!("{}:{number}: a test is left out", file.path));
            }
            if line.contains("#[should_panic]") {
                findings.push(format!(
                    "{}:{number}: a panic of any kind passes",
                    file.path
                ));
            }
            if line.contains("#[allow(") || line.contains("#![allow(") {
                findings.push(format!("{}:{number}: expect, with a reason", file.path));
            }
        }
    }
    findings
}

#[test]
fn no_test_sleeps_and_none_is_left_out() {
    assert_clean(&test_findings(&rust()));
}

#[test]
fn a_test_that_sleeps_or_is_left_out_is_found() {
    let bad = SourceFile::sample(
        "tests/x.rs",
        "#[ignore = \"slow\"]\n#[should_panic]\nfn t() { std::thread::sleep(d); }\n#[allow(x)]\n",
    );
    assert_eq!(test_findings(&[bad]).len(), 4);
}
