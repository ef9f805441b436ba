//! Sizes, as a ratchet: what is larger today may shrink and never grow.

use crate::assert_clean;
use crate::files::{SourceFile, rust};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Functions that may be longer: path, name, lines today. Only tables belong here.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[
    (
        "tests/intake/cases.rs",
        "what_is_open_follows_the_latest_reset_and_the_latest_event",
        71,
    ),
    ("commands/src/rejection.rs", "detail", 85),
    ("src/render/filter.rs", "workers_of", 91),
];

fn file_findings(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = file.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(format!("{}: {lines} lines", file.path));
    }
    for (number, line) in file.lines() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            findings.push(format!("{}:{number}: {columns} columns", file.path));
        }
    }
    findings
}

/// A function with the line that it begins on and how many it takes.
struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

/// The name, when the line begins a function.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    for word in words.by_ref() {
        match word {
            "fn" => break,
            "const" | "async" | "pub" | "extern" | "default" => {}
            word if word.starts_with("pub(") => {}
            _ => return None,
        }
    }
    words.next()?.split(['(', '<']).next()
}

/// The functions of a formatted file: each ends where its first line's indentation closes.
fn functions(file: &SourceFile) -> Vec<Function<'_>> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let one_line = line.ends_with('}') || line.ends_with(';');
        let ends = |at: usize, line: &str| {
            let inner = line.len() - line.trim_start().len();
            at > start
                && inner == indent
                && !line.trim().is_empty()
                && (line.trim() == "}" || line.ends_with(';'))
        };
        let end = (start..lines.len()).find(|&at| (one_line && at == start) || ends(at, lines[at]));
        found.push(Function {
            name,
            line: start + 1,
            lines: end.map_or(1, |end| end - start + 1),
        });
    }
    found
}

fn function_findings(file: &SourceFile, long: &[(&str, &str, usize)]) -> Vec<String> {
    let mut findings = Vec::new();
    for function in functions(file) {
        let Function { name, line, lines } = function;
        let known = long
            .iter()
            .find(|(path, known, _)| *path == file.path && *known == name);
        let limit = known.map_or(FUNCTION_LINES_MAX, |(_, _, lines)| *lines);
        if lines > limit {
            findings.push(format!("{}:{line}: `{name}` has {lines} lines", file.path));
        }
        if known.is_some() && lines < limit {
            findings.push(format!(
                "{}:{line}: lower the ratchet to {lines}",
                file.path
            ));
        }
    }
    findings
}

#[test]
fn files_and_lines_are_short() {
    let mut findings = Vec::new();
    for file in &rust() {
        findings.extend(file_findings(file));
    }
    assert_clean(&findings);
}

#[test]
fn functions_are_short() {
    let mut findings = Vec::new();
    for file in rust() {
        findings.extend(function_findings(&file, LONG_FUNCTIONS));
    }
    assert_clean(&findings);
}

#[test]
fn the_functions_of_this_workspace_are_seen() {
    let count: usize = rust().iter().map(|file| functions(file).len()).sum();
    assert!(count > 150, "{count} functions seen");
}

#[test]
fn a_long_file_and_a_long_line_are_found() {
    let text = "x\n".repeat(FILE_LINES_MAX + 1) + &"y".repeat(COLUMNS_MAX + 1);
    let bad = SourceFile::sample("src/x.rs", &text);
    assert_eq!(file_findings(&bad).len(), 2);
}

#[test]
fn a_long_function_is_found_and_the_ratchet_only_goes_down() {
    let body = "        let x = 1;\n".repeat(FUNCTION_LINES_MAX);
    let long =
        format!("    pub(crate) const fn long(\n        self,\n    ) -> u8 {{\n{body}    }}\n");
    let short = "    fn short() {}\n    fn declared(\n        x: u8,\n    ) -> u8;\n";
    let text = format!("impl X {{\n{long}{short}}}\n");
    let bad = SourceFile::sample("src/x.rs", &text);
    let lines: Vec<usize> = functions(&bad).iter().map(|found| found.lines).collect();
    assert_eq!(lines, [FUNCTION_LINES_MAX + 4, 1, 3]);
    assert_eq!(function_findings(&bad, &[]).len(), 1);
    let kept = [("src/x.rs", "long", FUNCTION_LINES_MAX + 4)];
    assert_eq!(function_findings(&bad, &kept).len(), 0);
    let loose = [("src/x.rs", "long", FUNCTION_LINES_MAX + 9)];
    assert_eq!(function_findings(&bad, &loose).len(), 1);
}
