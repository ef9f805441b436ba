use std::process::Stdio;

use crate::run::{dir, purser, run};

#[test]
fn help_and_version_end_well() {
    let dir = dir();
    for args in [["--help"], ["--version"]] {
        let ended = run(dir.path(), &args);
        assert_eq!(ended.code, 0);
        assert!(ended.out.contains("purser"), "{}", ended.out);
    }
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let dir = dir();
    for args in [
        &[][..],
        &["no-such-command"],
        &["serve", "--bind", "nowhere"],
    ] {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, 2, "{args:?}");
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = dir();
    let mut child = purser(dir.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
