//! `purser balances`: what payers have, owe, and may still spend.

use serde_json::Value;

use super::args::Balances;
use super::ledger::Books;
use super::out::{Column, Sheet, grouped, print, print_json};
use super::place::{Place, place};
use super::{Failure, runtime};
use crate::client::{Ask, Client, ClientError};
use crate::http::balance_table;
use crate::keys::Role;

pub(super) fn run(args: &Balances) -> Result<(), Failure> {
    let table = match place(&args.place, Role::Auditor)? {
        Place::Data(config) => balance_table(&Books::open(&config)?.folds()?.folds),
        Place::Server(client) => runtime()?.block_on(pages(&client))?,
    };
    if args.json {
        print_json(&table)
    } else {
        print(&people(&table))
    }
}

/// The whole table of a server, page by page.
async fn pages(client: &Client) -> Result<Value, ClientError> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query: Vec<(&str, &str)> = cursor
            .iter()
            .map(|cursor| ("cursor", cursor.as_str()))
            .collect();
        let ask = Ask {
            path: "/v1/balances",
            query: &query,
        };
        let mut page: Value = client.get(ask).await?;
        if let Some(more) = page["balances"].as_array_mut() {
            rows.append(more);
        }
        match page["next"].as_u64() {
            Some(next) => cursor = Some(next.to_string()),
            None => {
                page["balances"] = rows.into();
                return Ok(page);
            }
        }
    }
}

/// The table for people, in base units of each asset.
fn people(table: &Value) -> String {
    let mut sheet = Sheet::new(&[
        Column::Text("payer"),
        Column::Text("asset"),
        Column::Number("funds"),
        Column::Number("on jobs"),
        Column::Number("owed"),
        Column::Number("open jobs"),
    ]);
    for row in table["balances"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        sheet.row([
            text("payer"),
            text("asset"),
            text("funds"),
            text("on_jobs"),
            text("debt"),
            grouped(row["open_jobs"].as_u64().unwrap_or_default()),
        ]);
    }
    format!("{}as of position {}\n", sheet.text(), table["position"])
}
