use std::fs;

use crate::run::{dir, ended, purser, run};

#[test]
fn the_check_prints_what_is_in_force_with_secrets_masked() {
    let dir = dir();
    fs::write(
        dir.path().join("purser.toml"),
        "bind = '10.0.0.1:1'\ndata = 'f'",
    )
    .expect("the file can be written");
    let output = purser(dir.path())
        .args(["serve", "--check", "--data", "g"])
        .env("POOLHUB_PORT", "2")
        .env("COORDINATOR_SHARED_SECRET", "hunter2")
        .env(
            "DEFAULT_WEIGHTS",
            "load:0.05,cap:0.1,price:0.5,latency:0.2,trust:0.15",
        )
        .output()
        .expect("the program runs");
    let ended = ended(output);
    assert_eq!(ended.code, 0, "{}", ended.err);
    for line in [
        "data = \"g\"",
        "bind = \"10.0.0.1:2\"",
        "coordinator_secret = \"********\"",
        "commission_bps = 2500",
        "match_weights = \"cap:0.1,price:0.5,latency:0.2,trust:0.15,load:0.05\"",
    ] {
        assert!(ended.out.contains(line), "{line} is not in {}", ended.out);
    }
    assert!(!ended.out.contains("hunter2") && !ended.err.contains("hunter2"));
    assert!(!dir.path().join("g").exists(), "a check makes no directory");
}

#[test]
fn an_unknown_key_is_a_usage_error_that_names_it() {
    let dir = dir();
    fs::write(dir.path().join("my.toml"), "\nbnid = ':1'").expect("the file can be written");
    let ended = run(dir.path(), &["serve", "--check", "--config", "my.toml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("my.toml line 2"), "{}", ended.err);
    assert!(ended.err.contains("bnid"), "{}", ended.err);
}

#[test]
fn a_wrong_variable_is_a_usage_error_that_names_it() {
    let dir = dir();
    let output = purser(dir.path())
        .args(["serve", "--check"])
        .env("POOL_COMMISSION_RATE", "25%")
        .output()
        .expect("the program runs");
    let ended = ended(output);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("POOL_COMMISSION_RATE"), "{}", ended.err);
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_a_usage_error() {
    let ended = run(dir().path(), &["serve", "--check", "--config", "none.toml"]);
    assert_eq!(ended.code, 3);
    assert!(ended.err.contains("none.toml"), "{}", ended.err);
}
