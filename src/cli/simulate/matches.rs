//! `purser simulate match`

use purser_events::Position;
use serde_json::Value;

use crate::cli::args::WhatIfArgs;
use crate::cli::ledger::Books;
use crate::cli::out::{Column, Sheet, grouped, print, print_json};
use crate::cli::place::{Place, place};
use crate::cli::{Failure, runtime};
use crate::client::Ask;
use crate::keys::Role;
use crate::what_if::{Supposed, what_if};

pub(super) fn run(args: &WhatIfArgs) -> Result<(), Failure> {
    let found = match place(&args.place, Role::Auditor)? {
        Place::Data(config) => {
            let books = Books::open(&config)?;
            let supposed = Supposed {
                weights: args.weights.weights(),
                from: Position(args.from),
                to: Position(args.to.unwrap_or(u64::MAX)),
                shown: args.limit.into(),
            };
            let found = what_if(&books.snapshots(), &*books.reader(), supposed)?;
            serde_json::json!(found)
        }
        Place::Server(client) => {
            let mut query = vec![
                ("weights", args.weights.to_string()),
                ("from", args.from.to_string()),
                ("limit", args.limit.to_string()),
            ];
            query.extend(args.to.map(|to| ("to", to.to_string())));
            let query: Vec<(&str, &str)> = query
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let ask = Ask {
                path: "/v1/what-if/match",
                query: &query,
            };
            runtime()?.block_on(client.get::<Value>(ask))?
        }
    };
    if args.json {
        print_json(&found)
    } else {
        print(&people(&found))
    }
}

/// What was found, for people.
fn people(found: &Value) -> String {
    let mut sheet = Sheet::new(&[
        Column::Number("position"),
        Column::Text("job"),
        Column::Text("was"),
        Column::Text("would be"),
        Column::Text("as"),
    ]);
    for change in found["changes"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
        sheet.row([
            change["position"].to_string(),
            text(&change["job_id"]),
            text(&change["before"]["miner_id"]),
            text(&change["after"]["miner_id"]),
            text(&change["after"]["explain"]),
        ]);
    }
    let count = |name: &str| grouped(found[name].as_u64().unwrap_or_default());
    let mean = |when: &str, what: &str| match found[when][what].as_u64() {
        Some(mean) => grouped(mean),
        None => "–".to_owned(),
    };
    let mut text = sheet.text();
    text.push_str(&format!(
        "{} matches: {} with the same best worker, {} with another, {} with nobody\n",
        count("matches"),
        count("same"),
        count("changed"),
        count("nobody"),
    ));
    for (what, unit) in [
        ("price_micro", "millionths of a credit per kilosecond"),
        ("eta_ms", "ms until the job may be done"),
        ("trust_ppm", "millionths of trust"),
    ] {
        let (before, after) = (mean("before", what), mean("after", what));
        text.push_str(&format!(
            "on the average {before} {unit}; it would be {after}\n"
        ));
    }
    text
}
