//! The files of the workspace, as the rules see them.

use std::path::{Path, PathBuf};

/// A text file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    /// Its path from the root of the workspace, with forward slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl SourceFile {
    /// A made-up file, for a rule's own test.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether the file lies under one of these folders.
    pub(crate) fn is_under(&self, folders: &[&str]) -> bool {
        folders
            .iter()
            .any(|folder| self.path.starts_with(&format!("{folder}/")))
    }

    /// The lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    /// The lines without what follows `//`.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| {
            let code = line.find("//").map_or(line, |comment| &line[..comment]);
            (number, code)
        })
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads one file of the workspace.
pub(crate) fn read(path: &str) -> SourceFile {
    let text = std::fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
    SourceFile {
        path: path.to_owned(),
        text,
    }
}

/// Every file of the workspace with this ending, in order of path.
pub(crate) fn with_ending(ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    collect(root(), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every Rust file of the workspace.
pub(crate) fn rust() -> Vec<SourceFile> {
    let files = with_ending(".rs");
    assert!(files.len() > 40, "the walk found the workspace's sources");
    files
}

/// Adds the files under `folder`; build products, version control and test data are left out.
fn collect(folder: &Path, ending: &str, found: &mut Vec<SourceFile>) {
    let entries = std::fs::read_dir(folder).expect("the workspace can be listed");
    for entry in entries {
        let path: PathBuf = entry.expect("the workspace can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !matches!(
                &*name,
                "target" | ".git" | "data" | "golden" | "vectors" | "node_modules"
            ) {
                collect(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            let from_root = path.strip_prefix(root()).expect("below the root");
            found.push(read(&from_root.to_string_lossy()));
        }
    }
}

/// Whether `text` holds `word` with no letter, digit or underscore on either side.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn a_word_is_found_whole_only() {
    assert!(has_word("an f64 here", "f64"));
    assert!(has_word("x:f64", "f64"));
    assert!(!has_word("of64", "f64"));
    assert!(!has_word("f64_bits", "f64"));
}
