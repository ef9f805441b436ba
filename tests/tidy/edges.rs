//! Which room may know which, read from the manifests and from the paths that sources name.

use crate::assert_clean;
use crate::files::{SourceFile, has_word, read, rust};

/// Room, and the rooms and crates that its manifest may name. The shell may name anything.
const CRATE_EDGES: &[(&str, &[&str])] = &[
    ("events", &["bincode", "serde", "thiserror"]),
    (
        "projections",
        &["purser-events", "hashbrown", "serde", "sha2", "thiserror"],
    ),
    (
        "commands",
        &[
            "purser-events",
            "purser-projections",
            "hashbrown",
            "serde",
            "sha2",
            "subtle",
            "thiserror",
        ],
    ),
    (
        "snapshots",
        &[
            "purser-events",
            "purser-projections",
            "hashbrown",
            "serde",
            "sha2",
            "thiserror",
        ],
    ),
];

/// What a room's tests may use besides.
const TEST_CRATES: &[&str] = &["proptest"];

/// The dependencies named in one section of a manifest.
fn section<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let heading = format!("[{name}]");
    manifest
        .lines()
        .skip_while(|line| line.trim() != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect()
}

/// Every dependency of a room's manifest that its row does not allow.
fn crate_findings(manifest: &SourceFile, allowed: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for used in section(&manifest.text, "dependencies") {
        if !allowed.contains(&used) {
            findings.push(format!("{}: `{used}` is no allowed edge", manifest.path));
        }
    }
    for used in section(&manifest.text, "dev-dependencies") {
        if !allowed.contains(&used) && !TEST_CRATES.contains(&used) {
            findings.push(format!("{}: tests may not use `{used}`", manifest.path));
        }
    }
    for odd in ["[target.", "[build-dependencies]", "[dependencies."] {
        if manifest.text.contains(odd) {
            findings.push(format!("{}: `{odd}` hides an edge", manifest.path));
        }
    }
    findings
}

#[test]
fn the_rooms_know_only_the_rooms_below() {
    for (room, allowed) in CRATE_EDGES {
        let manifest = read(&format!("{room}/Cargo.toml"));
        assert_clean(&crate_findings(&manifest, allowed));
    }
}

#[test]
fn every_room_of_the_workspace_has_its_edges_listed() {
    let manifest = read("Cargo.toml");
    let members = manifest
        .text
        .lines()
        .find(|line| line.starts_with("members"))
        .expect("the workspace lists its members");
    let listed: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let known: Vec<&str> = CRATE_EDGES.iter().map(|(room, _)| *room).collect();
    assert_eq!(listed, known);
}

#[test]
fn a_forbidden_edge_is_found() {
    let bad = SourceFile::sample(
        "events/Cargo.toml",
        "[dependencies]\nserde.workspace = true\npurser-commands = { path = \"x\" }\n\
         [dev-dependencies]\ntokio = \"1\"\n[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n",
    );
    assert_eq!(crate_findings(&bad, CRATE_EDGES[0].1).len(), 3);
}

/// Subsystems of the shell that may not know one another: who, and what it may not name.
const SHELL_EDGES: &[(&str, &[&str])] = &[
    (
        "src/log",
        &[
            "http", "cli", "intake", "writer", "view", "service", "recall",
        ],
    ),
    (
        "src/recall",
        &["http", "cli", "intake", "writer", "view", "service"],
    ),
    ("src/intake", &["http", "cli", "writer", "log", "recall"]),
    (
        "src/objects",
        &[
            "http", "cli", "intake", "delivery", "writer", "view", "service", "log", "recall",
        ],
    ),
    ("src/delivery", &["http", "cli", "log", "recall"]),
    (
        "src/analytics",
        &["http", "cli", "intake", "writer", "service", "recall"],
    ),
    (
        "src/archive",
        &["http", "cli", "intake", "writer", "view", "recall"],
    ),
    ("src/export", &["http", "cli", "intake", "writer", "recall"]),
    ("src/writer", &["http", "cli", "intake"]),
    ("src/http", &["cli", "recall"]),
];

/// Every `crate::` path of a file that its subsystem may not name.
fn shell_findings(file: &SourceFile, room: &str, forbidden: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    if !file.is_under(&[room]) {
        return findings;
    }
    for (number, line) in file.code_lines() {
        for other in forbidden {
            if has_word(line, &format!("crate::{other}")) {
                findings.push(format!("{}:{number}: {room} knows {other}", file.path));
            }
        }
    }
    findings
}

#[test]
fn subsystems_of_the_shell_do_not_call_one_another() {
    let mut findings = Vec::new();
    for file in rust() {
        for (room, forbidden) in SHELL_EDGES {
            findings.extend(shell_findings(&file, room, forbidden));
        }
    }
    assert_clean(&findings);
}

#[test]
fn a_forbidden_path_in_the_shell_is_found() {
    let (room, forbidden) = SHELL_EDGES[0];
    let bad = SourceFile::sample("src/log/redb.rs", "use crate::http::Server;\n");
    assert_eq!(shell_findings(&bad, room, forbidden).len(), 1);
    let good = SourceFile::sample("src/log/redb.rs", "use crate::log::Batch;\n");
    assert_eq!(shell_findings(&good, room, forbidden).len(), 0);
}

/// Only the codec may name the encoder: its upkeep has ended.
fn encoder_findings(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| !file.is_under(&["tests"]) && file.path != "events/src/codec.rs")
        .filter(|file| file.text.contains("bincode"))
        .map(|file| format!("{}: names the encoder", file.path))
        .collect()
}

#[test]
fn exactly_one_file_names_the_encoder() {
    assert!(read("events/src/codec.rs").text.contains("bincode"));
    assert_clean(&encoder_findings(&rust()));
}

#[test]
fn a_second_file_that_names_the_encoder_is_found() {
    let bad = SourceFile::sample("src/log/redb.rs", "bincode::serde::encode_to_vec(x)");
    assert_eq!(encoder_findings(&[bad]).len(), 1);
}
