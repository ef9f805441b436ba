//! The documents say what the code is.

use purser_events::EventKind;

use crate::assert_clean;
use crate::files::{SourceFile, read, rust, with_ending};

/// The part of the catalogue that speaks of one kind: from its heading to the next.
fn part(catalogue: &str, kind: EventKind) -> Option<&str> {
    let heading = format!("### {} `{}`", kind as u8, kind.name());
    let start = catalogue.find(&heading)? + heading.len();
    let rest = &catalogue[start..];
    Some(rest.find("\n### ").map_or(rest, |end| &rest[..end]))
}

/// The public fields of a struct, as far as rustfmt writes them.
fn fields(sources: &[SourceFile], name: &str) -> Vec<String> {
    let opening = format!("pub struct {name} {{");
    let text = sources
        .iter()
        .find_map(|file| file.text.split_once(&opening))
        .map(|(_, after)| after)
        .unwrap_or_else(|| panic!("struct {name} is not found"));
    text.lines()
        .take_while(|line| *line != "}")
        .filter_map(|line| line.trim().strip_prefix("pub "))
        .filter_map(|field| field.split_once(':'))
        .map(|(field, _)| field.to_owned())
        .collect()
}

/// The struct that a kind carries, from the catalogue's source.
fn carried(catalogue_source: &str, kind: EventKind) -> String {
    let row = catalogue_source
        .lines()
        .find(|line| line.contains(&format!("\"{}\",", kind.name())))
        .unwrap_or_else(|| panic!("{} is not in the catalogue", kind.name()));
    let inner = row.split_once('(').expect("a row names a type").1;
    let inner = inner.split_once(')').expect("a row names a type").0;
    inner
        .trim_start_matches("Box<")
        .trim_end_matches('>')
        .to_owned()
}

fn event_findings(document: &str) -> Vec<String> {
    let mut sources = rust();
    sources.retain(|file| file.is_under(&["events/src"]));
    let catalogue = read("events/src/catalogue.rs").text;
    let mut findings = Vec::new();
    for &kind in EventKind::ALL {
        let Some(part) = part(document, kind) else {
            findings.push(format!("{} `{}` is not described", kind as u8, kind.name()));
            continue;
        };
        for field in fields(&sources, &carried(&catalogue, kind)) {
            if !part.contains(&format!("`{field}`")) {
                findings.push(format!("`{}`: field `{field}` is missing", kind.name()));
            }
        }
    }
    findings
}

#[test]
fn every_event_and_field_is_in_the_catalogue() {
    assert_clean(&event_findings(&read("docs/events.md").text));
}

#[test]
fn a_missing_event_or_field_is_found() {
    let findings = event_findings("### 1 `worker_named`\n`worker`\n");
    assert_eq!(findings[0], "`worker_named`: field `address` is missing");
    assert_eq!(findings.len(), EventKind::ALL.len());
}

const RECORD_PARTS: &[&str] = &[
    "## Context",
    "## Decision",
    "## Rejected",
    "## Consequences",
];

/// Decision records are numbered without gaps, listed, whole, and one page each.
fn record_findings(records: &[SourceFile], index: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let name = record.path.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(&format!("{:04}-", at + 1)) {
            findings.push(format!("{name}: the next number is {:04}", at + 1));
        }
        if !index.contains(&format!("({name})")) {
            findings.push(format!("{name}: is not listed"));
        }
        for part in RECORD_PARTS
            .iter()
            .filter(|part| !record.text.contains(**part))
        {
            findings.push(format!("{name}: has no `{part}`"));
        }
        if record.text.lines().count() > 70 {
            findings.push(format!("{name}: is longer than a page"));
        }
    }
    findings
}

#[test]
fn every_decision_record_is_listed_and_whole() {
    let mut records = with_ending(".md");
    records.retain(|file| file.is_under(&["docs/adr"]) && !file.path.ends_with("README.md"));
    assert!(records.len() >= 5, "{} records found", records.len());
    assert_clean(&record_findings(&records, &read("docs/adr/README.md").text));
}

#[test]
fn an_unlisted_or_partial_decision_record_is_found() {
    let bad = SourceFile::sample(
        "docs/adr/0002-x.md",
        "# 2\n## Context\n## Decision\n## Rejected\n",
    );
    assert_eq!(record_findings(&[bad], "").len(), 3);
}

/// Every relative link of a document leads to a file.
fn link_findings(document: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    let folder = std::path::Path::new(&document.path)
        .parent()
        .unwrap_or(std::path::Path::new(""));
    for (number, line) in document.lines() {
        for piece in line.split("](").skip(1) {
            let target = piece.split([')', '#']).next().unwrap_or_default();
            let outside = target.is_empty() || target.contains("://");
            if !outside && !crate::files::root().join(folder).join(target).exists() {
                findings.push(format!("{}:{number}: no file `{target}`", document.path));
            }
        }
    }
    findings
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let findings: Vec<String> = with_ending(".md").iter().flat_map(link_findings).collect();
    assert_clean(&findings);
}

#[test]
fn a_broken_link_is_found() {
    let bad = SourceFile::sample(
        "docs/x.md",
        "[a](nowhere.md) [b](https://a.b) [c](../Cargo.toml)",
    );
    assert_eq!(link_findings(&bad).len(), 1);
}

/// Every test that a table of a document names, in the last cell of a row, is there.
fn test_findings(document: &SourceFile, sources: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in document.lines() {
        let cells = line.trim().strip_suffix('|').unwrap_or_default();
        let last = cells.rsplit('|').next().unwrap_or_default();
        for name in last.split('`').skip(1).step_by(2) {
            let opening = format!("fn {name}(");
            if !sources.iter().any(|file| file.text.contains(&opening)) {
                findings.push(format!("{}:{number}: no test `{name}`", document.path));
            }
        }
    }
    findings
}

#[test]
fn every_test_that_the_races_and_invariants_name_is_there() {
    let document = read("docs/grants.md");
    let from = document.text.find("## Invariants").expect("it is there");
    let tables = SourceFile::sample("docs/grants.md", &document.text[from..]);
    assert!(
        tables
            .text
            .lines()
            .filter(|line| line.contains("`a_"))
            .count()
            > 10
    );
    assert_clean(&test_findings(&tables, &rust()));
}

#[test]
fn a_test_that_is_not_there_is_found() {
    let bad = SourceFile::sample("docs/x.md", "| a race | `nobody_wrote_this_one` |\n");
    assert_eq!(test_findings(&bad, &rust()).len(), 1);
}

#[test]
fn the_style_guide_is_short_enough_to_be_read() {
    assert!(read("docs/style.md").lines().count() <= 150);
}
