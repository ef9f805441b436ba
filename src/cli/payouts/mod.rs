//! `purser payouts` and `purser audit payouts`

pub mod args;
mod audit;
mod source;

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::out::{Column, Sheet, eth, print, print_json, stdout};
use super::place::{Door, place, server};
use super::{Failure, configured, runtime};
use crate::client::{Ask, Client};
use crate::keys::Role;
use crate::render::payout::PayoutRecord;
use args::{Act, Asking, Book, Export, List, One, Payouts, Run};

pub(super) use audit::run as audit;

pub(super) fn run(args: &Payouts) -> Result<(), Failure> {
    match &args.act {
        Act::List(args) => list(args),
        Act::Run(args) => request(args),
        Act::Export(args) => export(args),
        Act::Cancel(one) => act(&one.asking, &path_of(one, "cancel"), &json!({})),
        Act::Resume(asking) => act(asking, "/v1/payouts/resume", &json!({})),
        Act::Book(args) => book(args),
        Act::Confirm(args) => {
            let body = json!({ "reference": args.reference });
            act(&args.one.asking, &path_of(&args.one, "confirm"), &body)
        }
    }
}

fn path_of(one: &One, verb: &str) -> String {
    format!("/v1/payouts/{}/{verb}", one.payout)
}

/// A client of the server, as operator.
fn client(asking: &Asking) -> Result<Client, Failure> {
    let config = configured(&asking.config)?;
    let named = std::env::var("PURSER_URL");
    let named = named.ok().filter(|url| !url.is_empty());
    let bound = || format!("http://{}", config.bind);
    let url = asking.url.clone().or(named).unwrap_or_else(bound);
    let door = Door {
        url: &url,
        key: asking.key.as_deref(),
        tls: &asking.tls.files(),
    };
    server(&door, &config.data, Role::Operator)
}

fn post(asking: &Asking, path: &str, body: &Value) -> Result<Value, Failure> {
    let client = client(asking)?;
    let ask = Ask { path, query: &[] };
    Ok(runtime()?.block_on(client.post(ask, body))?)
}

fn act(asking: &Asking, path: &str, body: &Value) -> Result<(), Failure> {
    let answer = post(asking, path, body)?;
    if asking.json {
        return print_json(&answer);
    }
    print(&format!("done at position {}\n", answer["position"]))
}

fn book(args: &Book) -> Result<(), Failure> {
    let body = json!({
        "worker": args.worker, "asset": args.asset, "amount": args.amount,
        "rail": args.rail, "reference": args.reference,
    });
    act(&args.asking, "/v1/payouts", &body)
}

fn request(args: &Run) -> Result<(), Failure> {
    let body = json!({ "dry_run": args.dry_run });
    let answer = post(&args.asking, "/v1/payouts/run", &body)?;
    if args.asking.json {
        return print_json(&answer);
    }
    print(&planned(&answer))
}

/// What a run did, or would do, for people.
fn planned(answer: &Value) -> String {
    let wei = |value: &Value| {
        let digits = value.as_str().and_then(|text| text.parse().ok());
        eth(purser_events::Wei(digits.unwrap_or_default()))
    };
    let mut text = String::new();
    if let Some(due) = answer["due"].as_array() {
        let mut sheet = Sheet::new(&[
            Column::Text("address"),
            Column::Number("ETH"),
            Column::Text("due"),
        ]);
        let all = due.iter().map(|one| (one, "yes"));
        let skipped = answer["skipped"].as_array().into_iter().flatten();
        let skipped = skipped.map(|one| (one, one["why"].as_str().unwrap_or_default()));
        for (one, why) in all.chain(skipped) {
            let name = one["address"].as_str().or(one["worker"].as_str());
            let name = name.unwrap_or_default().to_owned();
            sheet.row([name, wei(&one["amount_wei"]), why.to_owned()]);
        }
        text += &sheet.text();
        let solvency = &answer["solvency"];
        let funds = match &solvency["funds_wei"] {
            Value::Null => "unknown".to_owned(),
            known => format!("{} ETH", wei(known)),
        };
        text += &format!(
            "needed {} ETH, funds {funds}; income {} ETH, spent {} ETH, owed {} ETH\n",
            wei(&solvency["needed_wei"]),
            wei(&solvency["income_wei"]),
            wei(&solvency["spent_wei"]),
            wei(&solvency["owed_wei"]),
        );
    }
    let verb = match answer["dry_run"].as_bool() {
        Some(true) => "would request",
        _ => "requested",
    };
    let (count, sum) = (&answer["requested"], wei(&answer["amount_wei"]));
    text += &format!("{verb} {count} payouts of {sum} ETH together\n");
    text
}

fn list(args: &List) -> Result<(), Failure> {
    let payouts = source::records(&place(&args.place, Role::Auditor)?)?.records;
    if args.json {
        return print_json(&payouts);
    }
    let mut sheet = Sheet::new(&[
        Column::Text("payout"),
        Column::Text("state"),
        Column::Text("to"),
        Column::Number("amount"),
        Column::Text("asset"),
        Column::Text("transaction or reference"),
    ]);
    for record in &payouts {
        sheet.row(row(record));
    }
    print(&sheet.text())
}

fn row(record: &PayoutRecord) -> [String; 6] {
    let worker = record.draws.first().map(|draw| draw.worker.clone());
    let to = record.address.clone().or(worker).unwrap_or_default();
    let amount = match (record.asset.as_str(), record.amount.parse()) {
        ("ETH", Ok(wei)) => eth(purser_events::Wei(wei)),
        _ => record.amount.clone(),
    };
    let block = record.block.as_ref().map(|block| block.transaction.clone());
    let latest = record.transactions.last().map(|one| one.hash.clone());
    let proof = record.reference.clone().or(block).or(latest);
    [
        record.id.clone(),
        record.state.to_string(),
        to,
        amount,
        record.asset.clone(),
        proof.unwrap_or_default(),
    ]
}

/// One JSON file per payout, or one line each on standard output.
fn export(args: &Export) -> Result<(), Failure> {
    let payouts = source::records(&place(&args.place, Role::Auditor)?)?.records;
    let Some(dir) = &args.out else {
        let mut out = stdout();
        for record in &payouts {
            serde_json::to_writer(&mut out, record).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        return Ok(out.flush()?);
    };
    fs::create_dir_all(dir)?;
    for record in &payouts {
        write_record(dir, record)?;
    }
    print(&format!("{} records in {}\n", payouts.len(), dir.display()))
}

fn write_record(dir: &Path, record: &PayoutRecord) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(record).map_err(std::io::Error::from)?;
    text.push('\n');
    Ok(fs::write(dir.join(format!("{}.json", record.id)), text)?)
}
