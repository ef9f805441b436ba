use std::fs;

use crate::run::{dir, json, ledger, run};

/// The positions of JSON Lines.
fn positions(lines: &str) -> Vec<u64> {
    lines
        .lines()
        .map(|line| json(line)["position"].as_u64().expect("a number"))
        .collect()
}

fn a_ledger() -> tempfile::TempDir {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    dir
}

#[test]
fn events_are_lines_of_json_in_a_pipe() {
    let dir = a_ledger();
    let all = run(dir.path(), &["events", "--data", "p"]);
    assert_eq!(all.code, 0, "{}", all.err);
    let found = positions(&all.out);
    assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
    let some = run(
        dir.path(),
        &[
            "events", "--data", "p", "--from", "2", "--to", "4", "--json",
        ],
    );
    assert_eq!(positions(&some.out), [2, 3, 4]);
    let past = run(dir.path(), &["events", "--data", "p", "--from", "1000000"]);
    assert_eq!((past.code, past.out.as_str()), (0, ""));
}

#[test]
fn events_are_chosen_by_type() {
    let dir = a_ledger();
    let some = run(
        dir.path(),
        &["events", "--data", "p", "--type", "partition_declared"],
    );
    assert_eq!(positions(&some.out).len(), 5);
    for args in [["--type", "no_such_type"], ["--worker", "nobody"]] {
        let ended = run(
            dir.path(),
            &[&["events", "--data", "p"], &args[..]].concat(),
        );
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains(args[1]), "{}", ended.err);
    }
}

#[test]
fn events_have_other_forms() {
    let dir = a_ledger();
    let csv = run(dir.path(), &["events", "--data", "p", "--format", "csv"]);
    assert!(
        csv.out.starts_with("position,recorded_at,type,"),
        "{}",
        csv.out
    );
    let lines = run(dir.path(), &["events", "--data", "p", "--format", "lines"]);
    assert_eq!(lines.out.lines().count() + 1, csv.out.lines().count());
    assert!(lines.out.starts_with("         1  20"), "{}", lines.out);
}

#[test]
fn an_export_goes_on_where_it_ended() {
    let dir = a_ledger();
    for form in ["jsonl", "csv"] {
        let to = |file: &str, more: &[&str]| {
            let args = ["export", "--data", "p", "--format", form, "--out", file];
            run(dir.path(), &[&args, more].concat())
        };
        let read = |file: &str| fs::read_to_string(dir.path().join(file)).expect("it is there");
        let whole = format!("whole.{form}");
        assert_eq!(to(&whole, &[]).code, 0);
        let part = format!("part.{form}");
        assert_eq!(to(&part, &["--to", "3"]).code, 0);
        let cut = read(&part).trim_end().to_owned();
        fs::write(dir.path().join(&part), &cut[..cut.len() - 2]).expect("written");
        assert_eq!(to(&part, &["--resume"]).code, 0);
        assert_eq!(read(&part), read(&whole));
        assert_eq!(to(&part, &["--resume"]).code, 0, "nothing is left to do");
        assert_eq!(read(&part), read(&whole));
        let piped = run(dir.path(), &["export", "--data", "p", "--format", form]);
        assert_eq!(piped.out, read(&whole));
    }
}

#[test]
fn an_export_overwrites_nothing() {
    let dir = a_ledger();
    fs::write(dir.path().join("mine.txt"), "a letter\n").expect("written");
    let args = [
        "export", "--data", "p", "--format", "jsonl", "--out", "mine.txt",
    ];
    for more in [&[][..], &["--resume"]] {
        let ended = run(dir.path(), &[&args, more].concat());
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains("mine.txt"), "{}", ended.err);
    }
    let kept = fs::read_to_string(dir.path().join("mine.txt")).expect("it is there");
    assert_eq!(kept, "a letter\n");
}
