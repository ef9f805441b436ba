use std::collections::BTreeMap;
use std::path::Path;

use super::{Config, ConfigError, KEYS, Layer, SOURCE_VARIABLES, parse};

fn file(text: &str) -> Layer {
    parse(Path::new("purser.toml"), text).expect("the file is well-formed")
}

fn environment(pairs: &[(&str, &str)]) -> Result<Layer, ConfigError> {
    let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    Layer::from_environment(&|name| pairs.get(name).map(|&value| value.to_owned()))
}

fn refusal(text: &str) -> String {
    parse(Path::new("purser.toml"), text)
        .expect_err("the file is refused")
        .to_string()
}

#[test]
fn flags_stand_over_the_environment_over_the_file_over_the_defaults() {
    let flags = file("bind = ':4'");
    let variables = environment(&[("PURSER_BIND", "10.0.0.3:3"), ("PURSER_DATA", "three")]);
    let layer = flags
        .over(variables.expect("the variables are well-formed"))
        .over(file("data = 'two'\nmetrics_open = true"));
    let config = Config::from_layers(layer);
    assert_eq!(config.bind.to_string(), "10.0.0.3:4");
    assert_eq!(config.data, Path::new("three"));
    assert!(config.metrics_open);
    assert_eq!(config.connections_max.get(), 4096);
}

#[test]
fn the_names_of_the_sources_are_honoured() {
    let layer = environment(&[
        ("POOLHUB_BIND", "0.0.0.0"),
        ("POOLHUB_PORT", "9000"),
        ("COORDINATOR_SHARED_SECRET", "s3cret"),
        ("SESSION_TTL_SEC", "61"),
        ("HEARTBEAT_GRACE_SEC", "121"),
        (
            "DEFAULT_WEIGHTS",
            "cap:0.1,price:0.5,latency:0.2,trust:0.15,load:0.05",
        ),
        ("POOL_COMMISSION_RATE", "0.29"),
        (
            "PAYMENT_THRESHOLD_WEI",
            "340282366920938463463374607431768211455",
        ),
    ]);
    let config = Config::from_layers(layer.expect("the variables are well-formed"));
    assert_eq!(config.bind.to_string(), "0.0.0.0:9000");
    assert_eq!(config.lease_ttl_sec.millis(), 61_000);
    assert_eq!(config.heartbeat_grace_sec.millis(), 121_000);
    assert_eq!(config.match_weights.weights().price, 500_000);
    assert_eq!(config.commission_bps.basis_points().get(), 2_900);
    assert_eq!(config.payout_threshold_wei.wei().0, u128::MAX);
    let secret = config.coordinator_secret.expect("it was given");
    assert_eq!(secret.reveal(), "s3cret");
}

#[test]
fn our_own_variables_stand_over_those_of_the_sources() {
    let layer = environment(&[
        ("POOL_COMMISSION_RATE", "0.5"),
        ("PURSER_COMMISSION_BPS", "7"),
    ]);
    let config = Config::from_layers(layer.expect("the variables are well-formed"));
    assert_eq!(config.commission_bps.basis_points().get(), 7);
}

#[test]
fn a_rate_is_exact_or_refused() {
    for (text, points) in [
        ("0", 0),
        ("1", 10_000),
        ("0.2500", 2_500),
        (".0001", 1),
        ("1.0", 10_000),
    ] {
        let layer = environment(&[("POOL_COMMISSION_RATE", text)]).expect(text);
        let config = Config::from_layers(layer);
        assert_eq!(config.commission_bps.basis_points().get(), points, "{text}");
    }
    for text in [
        "",
        "0.00001",
        "1.0001",
        "-0.1",
        "25%",
        "1e-2",
        "0.33333333333333333333333333333333",
    ] {
        let refused = environment(&[("POOL_COMMISSION_RATE", text)]);
        assert!(refused.is_err(), "{text}");
    }
}

#[test]
fn every_key_refuses_a_wrong_value_by_its_name() {
    for key in KEYS {
        let wrong = match key.name {
            // Any text is one, unless it is empty.
            "data" | "coordinator_secret" | "payout_key" | "payout_key_password" => "",
            "tls_certificate" | "tls_key" | "tls_client_ca" => "",
            "s3_endpoint" | "s3_region" | "s3_access_key_id" | "s3_secret_access_key" => "",
            "s3_bucket" | "s3_prefix" | "s3_metrics_bucket" => "",
            "s3_archive_bucket" | "s3_archive_prefix" | "s3_log_prefix" => "",
            _ => "no such value",
        };
        let error = environment(&[(key.variable, wrong)]).expect_err(key.name);
        assert!(error.to_string().contains(key.variable), "{error}");
        let text = refusal(&format!("# a comment\n{} = {{}}", key.name));
        assert!(text.contains(key.name) && text.contains("line 2"), "{text}");
    }
}

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let text = refusal("data = 'p'\nbnid = ':1'");
    assert!(
        text.contains("purser.toml line 2") && text.contains("`bnid`"),
        "{text}"
    );
}

#[test]
fn values_out_of_range_are_refused() {
    for line in [
        "connections_max = 0",
        "lease_ttl_sec = 0",
        "lease_ttl_sec = 86401",
        "commission_bps = 10001",
        "payout_threshold_wei = '+1'",
        "payout_threshold_wei = ''",
        "payout_threshold_wei = 1",
        "partitions = ['ai|x', 'ai|x']",
        "partitions = ['gpu|x']",
        "partitions = ['ai|a/b']",
        "bind = 'localhost'",
        "bind = '1.2.3.4:99999'",
    ] {
        let text = refusal(line);
        let key = line.split(' ').next().expect("a line has a key");
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn a_secret_is_shown_nowhere() {
    let config = Config::from_layers(file("coordinator_secret = 'hunter2'"));
    let shown = toml::to_string(&config).expect("the configuration can be written");
    assert!(
        shown.contains("coordinator_secret = \"********\""),
        "{shown}"
    );
    assert!(!format!("{config:?}{shown}").contains("hunter2"));
    assert!(!refusal("coordinator_secret = 987654").contains("987654"));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let config = Config::from_layers(file("payout_threshold_wei = '18446744073709551616'"));
    let shown = toml::to_string(&config).expect("the configuration can be written");
    assert_eq!(Config::from_layers(file(&shown)), config);
}

#[test]
fn every_key_and_variable_is_documented() {
    let page = include_str!("../../docs/configuration.md");
    for key in KEYS {
        assert!(
            page.contains(&format!("| `{}` |", key.name)),
            "{}",
            key.name
        );
        assert!(
            page.contains(&format!("`{}`", key.variable)),
            "{}",
            key.variable
        );
    }
    for source in SOURCE_VARIABLES {
        assert!(
            page.contains(&format!("`{}`", source.variable)),
            "{}",
            source.variable
        );
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(
        rows,
        KEYS.len() + SOURCE_VARIABLES.len(),
        "a row stands for no key"
    );
}
