//! Commands that go through a running server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::run::{dir, json, purser, run};
use crate::sample::{expected, unpack};
use crate::serve::Serving;

#[test]
fn the_sample_pool_adds_up_through_a_server() {
    let dir = dir();
    unpack(dir.path());
    let server = Serving::start(dir.path(), &[]);
    let place = [
        "--url",
        &server.url,
        "--key",
        &server.key(dir.path(), "coordinator"),
    ];
    let taken = run(
        dir.path(),
        &[&["intake", "events", "--json"][..], &place].concat(),
    );
    assert_eq!(taken.code, 0, "{}", taken.err);
    let base = expected("base");
    assert_eq!(json(&taken.out)["events"], base["counts"]["events_unique"]);
    let place = [
        "--url",
        &server.url,
        "--key",
        &server.key(dir.path(), "auditor"),
    ];
    let ask = |args: &[&str]| run(dir.path(), &[args, &place].concat());
    let report = ask(&["intake", "report", "--json"]);
    assert_eq!(json(&report.out), base, "{}", report.err);
    let online = ask(&["fees", "--json"]);
    let events = ask(&["events"]);
    let csv = ask(&["export", "--format", "csv"]);
    assert_eq!(server.end(Signal::TERM), Some(0));
    let offline = |args: &[&str]| run(dir.path(), &[args, &["--data", "p"]].concat()).out;
    assert_eq!(json(&online.out), json(&offline(&["fees", "--json"])));
    assert_eq!(events.out, offline(&["events"]));
    assert_eq!(csv.out, offline(&["export", "--format", "csv"]));
}

#[test]
fn a_wrong_key_and_an_unknown_worker_are_told() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let refused = run(
        dir.path(),
        &["fees", "--url", &server.url, "--key", "wrong"],
    );
    assert_eq!(refused.code, 3);
    assert!(
        refused.err.contains("invalid_credentials"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("wrong"), "{}", refused.err);
    let key = server.key(dir.path(), "auditor");
    let unknown = [
        "events",
        "--url",
        &server.url,
        "--key",
        &key,
        "--worker",
        "nobody",
    ];
    assert_eq!(run(dir.path(), &unknown).code, 3);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn on_the_same_machine_the_key_is_found_in_the_data_directory() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let output = purser(dir.path())
        .args(["fees", "--json"])
        .env("PURSER_URL", &server.url)
        .env("PURSER_DATA", "p")
        .output()
        .expect("the program runs");
    let ended = crate::run::ended(output);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

/// Drives a server with a simulated pool; answers what it made of it.
fn simulated(dir: &Path, server: &Serving, sizes: &[&str]) -> serde_json::Value {
    let key = server.key(dir, "coordinator");
    let door = ["simulate", "--url", &server.url, "--key", &key, "--json"];
    let ended = run(dir, &[&door[..], sizes].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    json(&ended.out)
}

#[test]
fn a_simulated_pool_is_the_same_for_the_same_seed() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let simulate = |seed: &str| {
        let sizes = [
            "--workers",
            "7",
            "--jobs",
            "20",
            "--told",
            "90",
            "--beats",
            "2",
        ];
        simulated(
            dir.path(),
            &server,
            &[&sizes[..], &["--seed", seed]].concat(),
        )
    };
    let first = simulate("5");
    assert_eq!(
        (&first["workers"], &first["beats"]),
        (&7.into(), &14.into())
    );
    assert_eq!((&first["jobs"], &first["known"]), (&20.into(), &0.into()));
    assert!(first["events"].as_u64() > Some(90));
    let again = simulate("5");
    assert_eq!(again["events"], 0, "every file had been delivered");
    assert_eq!((&again["jobs"], &again["known"]), (&0.into(), &20.into()));
    assert_eq!(again["fees"]["workers"], first["fees"]["workers"]);
    assert!(simulate("6")["events"].as_u64() > Some(90));
    assert_eq!(server.end(Signal::TERM), Some(0));
    assert_eq!(run(dir.path(), &["verify", "--data", "p"]).code, 0);
}

#[test]
fn matched_jobs_of_one_seed_end_in_the_same_fees_on_every_server() {
    let mut tables = Vec::new();
    for _ in 0..2 {
        let dir = dir();
        fs::write(dir.path().join("purser.toml"), "match_rate = 'off'\n").expect("written");
        let server = Serving::start(dir.path(), &[]);
        let sizes = [
            "--workers",
            "30",
            "--jobs",
            "300",
            "--told",
            "0",
            "--beats",
            "1",
        ];
        let driven = simulated(dir.path(), &server, &sizes);
        assert_eq!(
            (&driven["jobs"], &driven["unmet"]),
            (&300.into(), &0.into())
        );
        // Some workers refused, and some were lost: others did their jobs.
        assert!(driven["matches"].as_u64() > Some(300), "{driven}");
        let charged = &driven["charged_wei"];
        assert_eq!(&driven["fees"]["totals"]["gross_wei"], charged, "{driven}");
        let workers = driven["fees"]["workers"].as_array().expect("a table");
        assert!(workers.len() > 20, "{} workers earned", workers.len());
        assert_eq!(server.end(Signal::TERM), Some(0));
        let verified = run(dir.path(), &["verify", "--data", "p"]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        let what_if = ["simulate", "match", "--data", "p", "--json", "--weights"];
        let usual = "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05";
        let same = run(dir.path(), &[&what_if[..], &[usual]].concat());
        assert_eq!(
            json(&same.out)["matches"],
            driven["matches"],
            "{}",
            same.err
        );
        assert_eq!(json(&same.out)["changed"], 0, "{}", same.out);
        let by_price = "cap:0,price:1,latency:0,trust:0,load:0";
        let other = run(dir.path(), &[&what_if[..], &[by_price]].concat());
        assert!(
            json(&other.out)["changed"].as_u64() > Some(0),
            "{}",
            other.out
        );
        let fees = run(dir.path(), &["fees", "--data", "p", "--json"]);
        assert_eq!(json(&fees.out)["totals"], driven["fees"]["totals"]);
        let (of, worth) = (
            |row: &serde_json::Value| row["worker"].to_string(),
            "net_wei",
        );
        let mut rows: Vec<_> = workers
            .iter()
            .map(|row| (of(row), row[worth].clone()))
            .collect();
        rows.sort_by(|left, right| left.0.cmp(&right.0));
        tables.push(rows);
    }
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn the_demo_shows_the_fee_table_and_the_verdict() {
    let dir = dir();
    let demo = [
        "demo",
        "--exit",
        "--workers",
        "5",
        "--jobs",
        "60",
        "--told",
        "60",
        "--data",
        "d",
    ];
    let ended = run(dir.path(), &demo);
    assert_eq!(ended.code, 0, "{}", ended.err);
    for part in ["net ETH", "5 workers registered", "verified: "] {
        assert!(ended.out.contains(part), "{part} is not in {}", ended.out);
    }
    assert_eq!(run(dir.path(), &["rebuild", "--data", "d"]).code, 0);
}

#[test]
fn the_demo_leaves_nothing_behind_when_it_ends_at_once() {
    let dir = dir();
    let output = purser(dir.path())
        .args([
            "demo",
            "--exit",
            "--workers",
            "1",
            "--jobs",
            "2",
            "--told",
            "5",
        ])
        .env("TMPDIR", dir.path())
        .output()
        .expect("the program runs");
    assert_eq!(crate::run::ended(output).code, 0);
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
}

#[test]
fn four_feeders_at_once_end_in_the_same_books() {
    let dir = dir();
    unpack(dir.path());
    let server = Serving::start(dir.path(), &[]);
    let regions = fs::read_dir(dir.path().join("events")).expect("listed");
    let feeders: Vec<_> = regions
        .map(|region| {
            let region = region.expect("listed").file_name();
            let region = region.to_str().expect("UTF-8").to_owned();
            let (from, prefix) = (format!("events/{region}"), format!("{region}/"));
            purser(dir.path())
                .args(["intake", &from, "--prefix", &prefix, "--url", &server.url])
                .args(["--data", "p"])
                .stdout(Stdio::null())
                .spawn()
                .expect("a feeder starts")
        })
        .collect();
    assert!(feeders.len() >= 4);
    for mut feeder in feeders {
        assert!(feeder.wait().expect("a feeder ends").success());
    }
    let report = [
        "intake",
        "report",
        "--json",
        "--url",
        &server.url,
        "--data",
        "p",
    ];
    let report = run(dir.path(), &report);
    assert_eq!(json(&report.out), expected("base"), "{}", report.err);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn the_demo_stays_up_until_it_is_told_to_end() {
    let dir = dir();
    let mut child = purser(dir.path())
        .args([
            "demo",
            "--workers",
            "2",
            "--jobs",
            "3",
            "--told",
            "10",
            "--data",
            "p",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    let out = child.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(out).lines().map(|line| line.expect("UTF-8"));
    let health = lines
        .find(|line| line.contains("/v1/health"))
        .expect("it says where to look");
    let url = health
        .trim()
        .trim_start_matches("curl ")
        .trim_end_matches("/v1/health");
    let server = Serving {
        child,
        url: url.to_owned(),
    };
    assert_eq!(server.get("/v1/health").0, "200");
    assert_eq!(server.end(Signal::INT), Some(0));
}

#[test]
fn an_export_follows_what_happens_without_a_gap() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let place = ["--url", &server.url, "--data", "p"];
    let mut child = purser(dir.path())
        .args(["export", "--follow", "--format", "jsonl"])
        .args(place)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the export starts");
    let out = child.stdout.take().expect("its output is piped");
    let mut positions = BufReader::new(out).lines().map(|line| {
        let event = json(&line.expect("UTF-8"));
        event["position"].as_u64().expect("an event has a position")
    });
    assert_eq!(positions.next(), Some(1));
    let key = server.key(dir.path(), "coordinator");
    let pool = [
        "--workers",
        "2",
        "--jobs",
        "2",
        "--told",
        "20",
        "--beats",
        "1",
    ];
    let simulated = ["simulate", "--url", &server.url, "--key", &key];
    let simulated = run(dir.path(), &[&simulated[..], &pool].concat());
    assert_eq!(simulated.code, 0, "{}", simulated.err);
    let (_, health) = server.get("/v1/health");
    let end = json(&health)["position"].as_u64().expect("a position");
    assert!(end > 20, "{end}");
    for expected in 2..=end {
        assert_eq!(positions.next(), Some(expected));
    }
    child.kill().expect("the signal is sent");
    child.wait().expect("the export is gone");
    let offline = run(
        dir.path(),
        &["export", "--follow", "--format", "jsonl", "--data", "d"],
    );
    assert_eq!(offline.code, 2, "{}", offline.err);
    assert_eq!(server.end(Signal::TERM), Some(0));
}
