//! The vocabulary: one word for one thing, in code and in documents.

use crate::assert_clean;
use crate::files::{SourceFile, has_word, rust, with_ending};

/// Words with a better one, everywhere: what not to say, what to say.
const EVERYWHERE: &[(&str, &str)] = &[
    ("aggregate", "stream"),
    ("wallet", "account"),
    ("watermark", "checkpoint"),
    ("withdrawal", "payout"),
    ("disbursement", "payout"),
    ("read model", "projection"),
    ("LSN", "position"),
    ("customer", "payer"),
    ("transcoder", "worker"),
    ("whitelist", "allowed"),
    ("blacklist", "banned"),
    ("TODO", "an issue"),
    ("FIXME", "an issue"),
    ("XXX", "an issue"),
];

/// Words that the pure rooms do not say besides.
const IN_PURE_ROOMS: &[(&str, &str)] = &[
    ("handler", "fold or decision"),
    ("mutate", "apply"),
    ("middleware", "nothing: that is HTTP"),
    ("client", "payer or coordinator"),
    ("user", "payer or worker"),
    ("importer", "intake"),
    ("loader", "intake"),
    ("endpoint", "nothing: that is HTTP"),
    ("table row", "nothing: that is storage"),
];

/// Names of modules that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "misc", "common", "manager",
];

const PURE_ROOMS: &[&str] = &["events", "projections", "commands", "snapshots"];

/// These name the banned words in order to ban them.
const ABOUT_WORDS: &[&str] = &["docs/vocabulary.md", "docs/style.md", "tests/tidy/words.rs"];

/// Every line of a file that holds one of the words, or its plural.
fn word_findings(file: &SourceFile, banned: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let lower = line.to_lowercase();
        for (word, instead) in banned {
            let is_shout = word.chars().all(char::is_uppercase);
            let text = if is_shout { line } else { lower.as_str() };
            if has_word(text, word) || has_word(text, &format!("{word}s")) {
                let path = &file.path;
                findings.push(format!("{path}:{number}: `{word}`; say {instead}"));
            }
        }
    }
    findings
}

fn texts() -> Vec<SourceFile> {
    let mut files = rust();
    files.extend(with_ending(".md"));
    files.extend(with_ending(".toml"));
    files.retain(|file| !ABOUT_WORDS.contains(&file.path.as_str()));
    files
}

#[test]
fn banned_words_are_not_said() {
    let mut findings = Vec::new();
    for file in texts() {
        findings.extend(word_findings(&file, EVERYWHERE));
        if file.is_under(PURE_ROOMS) {
            findings.extend(word_findings(&file, IN_PURE_ROOMS));
        }
    }
    assert_clean(&findings);
}

#[test]
fn a_banned_word_is_found() {
    let bad = SourceFile::sample(
        "events/src/x.rs",
        "/// The Aggregates of\n/// an LSN, no lsn; the handler\n",
    );
    assert_eq!(word_findings(&bad, EVERYWHERE).len(), 2);
    assert_eq!(word_findings(&bad, IN_PURE_ROOMS).len(), 1);
}

fn name_findings(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| {
            let parts = file.path.trim_end_matches(".rs").split('/');
            parts.into_iter().any(|part| EMPTY_NAMES.contains(&part))
        })
        .map(|file| format!("{}: the name says nothing", file.path))
        .collect()
}

#[test]
fn files_are_named_by_their_subject() {
    let mut files = rust();
    files.retain(|file| !file.is_under(&["tests"]));
    assert_clean(&name_findings(&files));
}

#[test]
fn an_empty_name_is_found() {
    let bad = SourceFile::sample("src/utils/mod.rs", "");
    assert_eq!(name_findings(&[bad]).len(), 1);
}

/// Paths of the machine that somebody happened to work on.
fn local_path_findings(file: &SourceFile) -> Vec<String> {
    // In parts, so that this file does not name them.
    let local = [
        ["/wo", "rk/"].concat(),
        ["/tm", "p/"].concat(),
        ["/ho", "me/"].concat(),
        ["/ro", "ot/"].concat(),
        ["../sh", "ared"].concat(),
        ["BRI", "EF"].concat(),
    ];
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        for path in &local {
            if line.contains(path.as_str()) {
                findings.push(format!("{}:{number}: names `{path}`", file.path));
            }
        }
    }
    findings
}

#[test]
fn nothing_names_local_paths() {
    let mut files = texts();
    files.extend(with_ending(".json"));
    files.extend(["check", ".ci/run"].map(crate::files::read));
    let mut findings = Vec::new();
    for file in files {
        findings.extend(local_path_findings(&file));
    }
    assert_clean(&findings);
}

#[test]
fn a_local_path_is_found() {
    let bad = SourceFile::sample("README.md", &["see /ho", "me/me/x"].concat());
    assert_eq!(local_path_findings(&bad).len(), 1);
}
