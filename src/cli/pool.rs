//! `purser pool`: what the pools of generosity have, hold and paid, and how long they last.

use serde_json::Value;

use super::args::Pool;
use super::ledger::Books;
use super::out::{Column, Sheet, grouped, print, print_json};
use super::place::{Place, place};
use super::{Failure, runtime};
use crate::client::Ask;
use crate::clock::Clock;
use crate::http::pool_table;
use crate::keys::Role;

pub(super) fn run(args: &Pool) -> Result<(), Failure> {
    let table = match place(&args.place, Role::Auditor)? {
        Place::Data(config) => {
            let folds = Books::open(&config)?.folds()?.folds;
            // A test clock may have been moved past today.
            pool_table(&folds, Clock::Real.now().max(folds.recorded_at))
        }
        Place::Server(client) => runtime()?.block_on(client.get(Ask {
            path: "/v1/pool",
            query: &[],
        }))?,
    };
    if args.json {
        print_json(&table)
    } else {
        print(&people(&table))
    }
}

const FIGURES: [&str; 6] = [
    "available",
    "reserved",
    "granted",
    "credited",
    "seeded",
    "topped_up",
];

/// The pools for people, in the order in which they are asked, and the line that says whether they
/// last. Amounts are in base units.
fn people(table: &Value) -> String {
    let mut sheet = Sheet::new(&[
        Column::Text("pool"),
        Column::Number("available"),
        Column::Number("reserved"),
        Column::Number("granted"),
        Column::Number("credited"),
        Column::Number("seeded"),
        Column::Number("topped up"),
    ]);
    let figures = |row: &Value| FIGURES.map(|name| text(&row[name]));
    let row = |name: String, row: &Value| [name].into_iter().chain(figures(row));
    for pool in table["pools"].as_array().into_iter().flatten() {
        sheet.row(row(text(&pool["pool"]), pool));
    }
    sheet.row(row("all".to_owned(), table));
    format!(
        "{}{}{}in base units of {}, as of position {}\n",
        sheet.text(),
        rules(table),
        solvency(&table["solvency"]),
        table["asset"].as_str().unwrap_or("no asset"),
        table["position"],
    )
}

fn rules(table: &Value) -> String {
    let budgets = ["new", "established", "trusted", "elite"];
    let budgets = budgets.map(|tier| format!("{tier} {}", text(&table["budgets"][tier])));
    let count = |name: &str| grouped(table[name].as_u64().unwrap_or_default());
    format!(
        "budgets per UTC day: {}; credited: {} bps of each charge\n\
         requests: {} open, {} decided\n",
        budgets.join(", "),
        table["credit_bps"],
        count("open_requests"),
        count("decided_requests"),
    )
}

fn solvency(line: &Value) -> String {
    let verdict = match line["days_left"].as_str() {
        Some(days) => format!("at that, what is available lasts {days} days"),
        None => "credits cover what is granted".to_owned(),
    };
    let per_day = |name: &str| text(&line[name]);
    format!(
        "per day, over {} days: {} granted, {} credited, {} topped up; {verdict}\n",
        line["days"],
        per_day("granted_per_day"),
        per_day("credited_per_day"),
        per_day("topped_up_per_day"),
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
