//! The files that dashboards read, and the analytics behind them, against the sample pool.

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, json, purser, run};
use crate::sample::{expected, trees};
use crate::store::Store;

const METRICS: &str = "pool-metrics";

fn twice(value: &Value) -> i128 {
    let text = value.to_string();
    match text.split_once('.') {
        None => 2 * text.parse::<i128>().expect("an integer"),
        Some((whole, half)) => {
            assert_eq!(half, "5", "a median of integers is whole or a half");
            let whole: i128 = whole.parse().expect("an integer");
            if text.starts_with('-') {
                2 * whole - 1
            } else {
                2 * whole + 1
            }
        }
    }
}

fn rows<'a>(performance: &'a Value, list: &str) -> &'a Vec<Value> {
    performance[list].as_array().expect("a list")
}

fn row<'a>(rows: &'a [Value], what: &[(&str, &str)]) -> &'a Value {
    let is_it = |row: &&Value| what.iter().all(|(key, text)| row[key] == *text);
    rows.iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{what:?} is listed"))
}

/// Medians and samples are those of the sample pool; ranks follow from them.
fn assert_performance(performance: &Value, partition: &Value) {
    let transcoding = rows(performance, "transcode_performance");
    for (worker, of_worker) in partition["performance"].as_object().into_iter().flatten() {
        let found = row(transcoding, &[("worker_address", worker)]);
        for (median, x2) in [
            ("median_real_time_ratio", "real_time_ratio_median_x2"),
            ("median_real_time_milli", "real_time_milli_median_x2"),
            ("median_response_time_ms", "response_time_ms_median_x2"),
        ] {
            assert_eq!(
                Some(twice(&found[median])),
                of_worker[x2].as_i64().map(i128::from)
            );
        }
        assert_eq!(found["samples"], of_worker["samples"]);
    }
    let ai = rows(performance, "ai_performance");
    for (label, model) in partition["models"].as_object().into_iter().flatten() {
        let (model_id, pipeline) = label.split_once(" | ").expect("model and pipeline");
        let models = rows(performance, "models");
        let all = row(models, &[("model_id", model_id), ("pipeline", pipeline)]);
        let x2 = |value: &Value| value["response_time_ns_median_x2"].as_i64().map(i128::from);
        assert_eq!(Some(twice(&all["median_response_time_ns"])), x2(model));
        assert_eq!(all["samples"], model["samples"]);
        for (worker, of_worker) in model["workers"].as_object().expect("workers") {
            let wanted = [
                ("worker_address", worker.as_str()),
                ("model_pipeline", label),
            ];
            let found = row(ai, &wanted);
            assert_eq!(
                Some(twice(&found["median_response_time_ns"])),
                x2(of_worker)
            );
            assert_eq!(found["samples"], of_worker["samples"]);
        }
        let ranked = rows(&performance["ai_model_pipeline_rankings"], label);
        assert_eq!(
            (&ranked[0]["rank"], &ranked[0]["percentile"]),
            (&1.into(), &0.into())
        );
        let times = ranked.iter().map(|row| twice(&row["median_response_time"]));
        assert!(times.is_sorted(), "rank 1 is the fastest");
    }
    let measured = transcoding.iter().filter(|row| !row["rank"].is_null());
    let ratios = measured.map(|row| -twice(&row["median_real_time_milli"]));
    assert!(ratios.is_sorted(), "rank 1 is the fastest");
}

fn assert_summary(summary: &Value, partition: &Value) {
    let data = &summary["data"];
    for (worker, row) in partition["workers"].as_object().expect("workers") {
        let found = &data["workers"][worker];
        assert_eq!(found["total_fees_wei"], row["fees_wei"], "{worker}");
        assert_eq!(found["pool_commission_wei"], row["commission_wei"]);
        assert_eq!(found["worker_earnings_wei"], row["net_wei"]);
        assert_eq!(
            found["pending_fees_wei"], row["net_wei"],
            "nothing was paid"
        );
        let open = row["connections"].as_array().expect("a list").len();
        assert_eq!(found["connection_count"], open);
    }
    let sums = &data[concat!("aggre", "gates")];
    assert_eq!(sums["total_fees_wei"], partition["fees_wei"]);
    assert_eq!(sums["total_worker_earnings_wei"], partition["net_wei"]);
    assert_eq!(sums["active_workers"], partition["active_workers"]);
    assert_eq!(sums["pool_commission_rate"].to_string(), "0.25");
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboards_read_what_the_pool_adds_up_to() {
    let store = Store::start(&["pool-events", "pool-archive", METRICS]);
    let data = TempDir::new().expect("a directory");
    for file in trees(&["events"]) {
        store.put("pool-events", &file.key, &file.bytes);
    }
    json(&run(
        &store,
        data.path(),
        &["intake", "s3://pool-events", "--json"],
    ));
    let base = expected("base");
    let partitions = base["partitions"].as_object().expect("partitions");
    let program = Program::start(&store, data.path());
    let is_written = |runner: &Value| runner["detail"]["written"] == 2 * partitions.len();
    program.until("export_metrics", is_written).await;
    for (name, partition) in partitions {
        let (node_type, region) = name.split_once('|').expect("type and region");
        let file = |what: &str| {
            let bytes = store.object(METRICS, &format!("{region}/{node_type}/{what}.json"));
            bytes.expect("it is written")
        };
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
        let (performance, summary) = (file("worker_performance"), file("worker_summary"));
        assert_performance(&read(&performance), partition);
        assert_summary(&read(&summary), partition);
        for (_, row) in partition["workers"].as_object().expect("workers") {
            for address in row["connections"].as_array().expect("a list") {
                let address = address.as_str().expect("text");
                let shown = String::from_utf8_lossy(&summary).contains(address);
                assert!(!shown, "{address} is nobody's business");
            }
        }
        let online = program
            .get(&format!("/v1/analytics/{node_type}/{region}"))
            .await;
        assert_performance(&online["performance"], partition);
        assert_summary(&online["summary"], partition);
        let month = format!("/v1/analytics/{node_type}/{region}?window=30d");
        let month = program.get(&month).await;
        assert_eq!(
            month["performance"]["models"],
            Value::Array(Vec::new()),
            "long ago"
        );
    }
    program.end();
    what_is_written_comes_back(&store, data.path(), 2 * partitions.len()).await;
}

/// What is written depends on the log alone; addresses are shown where that is asked for.
async fn what_is_written_comes_back(store: &Store, data: &std::path::Path, files: usize) {
    let is_written = |runner: &Value| runner["detail"]["written"] == files;
    let key = "us-west/transcode/worker_summary.json";
    let before = store.object(METRICS, key).expect("it is written");
    store.remove(METRICS, key);
    let program = Program::start(store, data);
    program.until("export_metrics", is_written).await;
    assert!(
        store.object(METRICS, key) == Some(before),
        "it comes back, byte for byte"
    );
    program.end();
    let mut open = purser(store);
    open.env("PURSER_S3_METRICS_CONNECTIONS", "true");
    let program = Program::start_as(open, data);
    program.until("export_metrics", is_written).await;
    let summary = store.object(METRICS, key).expect("it is written");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    let workers = summary["data"]["workers"].as_object().expect("workers");
    let shown = workers
        .values()
        .map(|row| row["connections"].as_array().expect("a list").len());
    assert!(shown.sum::<usize>() > 0);
    program.end();
}
