//! `purser fees`, and the fee table as people read it.

use purser_events::Wei;
use purser_events::policy::NodeType;
use serde_json::Value;

use super::args::Fees;
use super::ledger::Books;
use super::out::{Column, Sheet, eth, grouped, print, print_json};
use super::place::{Place, place};
use super::{Failure, runtime};
use crate::client::{Ask, Client, ClientError};
use crate::http::fee_table;
use crate::keys::Role;

pub(super) fn run(args: &Fees) -> Result<(), Failure> {
    let table = match place(&args.place, Role::Auditor)? {
        Place::Data(config) => {
            let node_type = args.node_type.map(NodeType::from);
            let folds = Books::open(&config)?.folds()?.folds;
            fee_table(&folds, node_type, args.region.as_deref())
        }
        Place::Server(client) => {
            let node_type = args
                .node_type
                .map(|one| NodeType::from(one).as_str().to_owned());
            let narrow = [("node_type", node_type), ("region", args.region.clone())];
            let narrow = narrow
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            runtime()?.block_on(pages(&client, &narrow.collect::<Vec<_>>()))?
        }
    };
    if args.json {
        print_json(&table)
    } else {
        print(&people(&table))
    }
}

/// The whole table of a server, page by page.
pub(super) async fn pages(client: &Client, query: &[(&str, String)]) -> Result<Value, ClientError> {
    let mut workers = Vec::new();
    let mut cursor = None;
    loop {
        let mut query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let ask = Ask {
            path: "/v1/workers/fees",
            query: &query,
        };
        let mut page: Value = client.get(ask).await?;
        if let Some(rows) = page["workers"].as_array_mut() {
            workers.append(rows);
        }
        match page["next"].as_u64() {
            Some(next) => cursor = Some(next.to_string()),
            None => {
                page["workers"] = workers.into();
                return Ok(page);
            }
        }
    }
}

/// The table for people: the greatest earners first.
pub(super) fn people(table: &Value) -> String {
    let mut sheet = Sheet::new(&[
        Column::Text("worker"),
        Column::Number("jobs"),
        Column::Number("gross ETH"),
        Column::Number("commission ETH"),
        Column::Number("net ETH"),
        Column::Number("paid ETH"),
        Column::Number("in flight ETH"),
        Column::Number("unpaid ETH"),
    ]);
    let mut workers: Vec<&Value> = table["workers"].as_array().into_iter().flatten().collect();
    workers.sort_by_key(|worker| std::cmp::Reverse(amount(&worker["net_wei"])));
    for worker in workers {
        sheet.row(cells(worker["worker"].as_str().unwrap_or_default(), worker));
    }
    sheet.row(cells("all", &table["totals"]));
    let suspense = eth(amount(&table["suspense_wei"]));
    let position = &table["position"];
    format!(
        "{}in suspense: {suspense} ETH; as of position {position}\n",
        sheet.text()
    )
}

fn cells(name: &str, sums: &Value) -> [String; 8] {
    let in_eth = |name: &str| eth(amount(&sums[name]));
    let part = |name: &str| signed_eth(&sums[name]);
    [
        name.to_owned(),
        grouped(sums["jobs"].as_u64().unwrap_or_default()),
        in_eth("gross_wei"),
        in_eth("commission_wei"),
        in_eth("net_wei"),
        part("paid_wei"),
        part("in_flight_wei"),
        part("unpaid_wei"),
    ]
}

/// What may stand below zero, or be unknown in a table of some partitions.
fn signed_eth(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        return "–".to_owned();
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let wei = digits.parse().unwrap_or_default();
    format!("{sign}{}", eth(Wei(wei)))
}

fn amount(value: &Value) -> Wei {
    Wei(value
        .as_str()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default())
}
