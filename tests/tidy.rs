//! The house rules as tests: edges between rooms, sizes, words, purity, documents.
//!
//! Each rule is a function from files to findings, so that its own test can show it a bad sample
//! and see it fail.

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/edges.rs"]
mod edges;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/words.rs"]
mod words;

/// Fails with every finding on a line of its own.
fn assert_clean(findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{} finding(s):\n{}",
        findings.len(),
        findings.join("\n")
    );
}
