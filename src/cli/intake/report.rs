//! `purser intake report`

use std::ops::ControlFlow;

use purser_events::{Position, Wei};
use purser_projections::report::ReportBuilder;
use serde_json::Value;

use crate::cli::args::Online;
use crate::cli::ledger::Books;
use crate::cli::out::{Column, Sheet, eth, grouped, print, print_json};
use crate::cli::place::{Place, place};
use crate::cli::{Failure, runtime};
use crate::client::Ask;
use crate::config::Config;
use crate::keys::Role;

pub(super) fn run(args: &Online) -> Result<(), Failure> {
    let report = match place(&args.place, Role::Auditor)? {
        Place::Data(config) => offline(&config)?,
        Place::Server(client) => {
            let ask = Ask {
                path: "/v1/intake/report",
                query: &[],
            };
            runtime()?.block_on(client.get::<Value>(ask))?
        }
    };
    if args.json {
        print_json(&report)
    } else {
        print(&people(&report))
    }
}

fn offline(config: &Config) -> Result<Value, Failure> {
    let books = Books::open(config)?;
    let folds = books.folds()?.folds;
    let mut report = ReportBuilder::default();
    books.reader().read(Position(1), &mut |envelope| {
        report.fold(envelope.recorded());
        ControlFlow::Continue(())
    })?;
    Ok(serde_json::json!(report.finish(&folds)))
}

fn people(report: &Value) -> String {
    let mut text = String::new();
    for (name, count) in report["counts"].as_object().into_iter().flatten() {
        text += &format!(
            "{name:<24} {:>12}\n",
            grouped(count.as_u64().unwrap_or_default())
        );
    }
    let mut sheet = Sheet::new(&[
        Column::Text("partition"),
        Column::Number("events"),
        Column::Number("jobs"),
        Column::Number("payable"),
        Column::Number("fees ETH"),
        Column::Number("net ETH"),
        Column::Number("suspense ETH"),
        Column::Number("connections"),
    ]);
    for (name, partition) in report["partitions"].as_object().into_iter().flatten() {
        let count = |value: &Value| grouped(value.as_u64().unwrap_or_default());
        let jobs = &partition["jobs"];
        sheet.row([
            name.clone(),
            count(&partition["unique_events"]),
            count(&jobs["processed"]),
            count(&jobs["payable"]),
            in_eth(&partition["fees_wei"]),
            in_eth(&partition["net_wei"]),
            in_eth(&partition["suspense_fees_wei"]),
            count(&partition["active_connections"]),
        ]);
    }
    text + &sheet.text()
}

fn in_eth(wei: &Value) -> String {
    let wei = wei.as_str().and_then(|wei| wei.parse().ok());
    wei.map_or_else(String::new, |wei| eth(Wei(wei)))
}
