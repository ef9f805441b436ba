//! `purser audit payouts`

use std::time::Duration;

use super::args::{Audit, AuditPayouts, Subject};
use super::source;
use crate::cli::out::{Column, Sheet, eth, print, print_json};
use crate::cli::place::place;
use crate::cli::{Failure, runtime};
use crate::keys::Role;
use crate::payouts::{Audited, Node, NodeSettings, audit};

/// How long a node may take: those that keep history are slow.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The first pause after no node answered.
const BACKOFF: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Audit) -> Result<(), Failure> {
    let Subject::Payouts(args) = &args.subject;
    let audited = compare(args)?;
    if args.json {
        print_json(&audited)?;
    } else {
        print(&people(&audited))?;
    }
    match audited.differences.len() {
        0 => Ok(()),
        count => Err(Failure::Differences { count }),
    }
}

fn compare(args: &AuditPayouts) -> Result<Audited, Failure> {
    let source = source::records(&place(&args.place, Role::Auditor)?)?;
    let Some(last) = source.opened.last() else {
        // No key ever signed: the log knows of no chain.
        return Ok(Audited::default());
    };
    let settings = NodeSettings {
        urls: args.rpc.clone(),
        chain_id: last.chain_id,
        timeout: TIMEOUT,
        backoff: BACKOFF,
    };
    let node = Node::new(settings).map_err(Failure::Http)?;
    let audited = audit(&node, &source.records, &source.opened);
    Ok(runtime()?.block_on(audited)?)
}

fn people(audited: &Audited) -> String {
    let wei = |text: &str| eth(purser_events::Wei(text.parse().unwrap_or_default()));
    let mut text = format!(
        "{} final payouts of {} ETH in the log, {} ETH transferred on chain; {} not finished; {} \
         transactions of the key before the log\n",
        audited.final_payouts,
        wei(&audited.final_wei),
        wei(&audited.transferred_wei),
        audited.open_payouts,
        audited.before_the_log,
    );
    if audited.differences.is_empty() {
        text += "clean: each final payout is exactly one transfer, and the key made no other\n";
        return text;
    }
    let mut sheet = Sheet::new(&[
        Column::Text("difference"),
        Column::Text("payout"),
        Column::Number("nonce"),
        Column::Text("transaction"),
        Column::Text("detail"),
    ]);
    for one in &audited.differences {
        sheet.row([
            one.kind.clone(),
            one.payout.clone().unwrap_or_default(),
            one.nonce.map(|nonce| nonce.to_string()).unwrap_or_default(),
            one.transaction.clone().unwrap_or_default(),
            one.detail.clone(),
        ]);
    }
    text + &sheet.text()
}
