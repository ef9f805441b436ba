//! Every payout, from a data directory or from a server.

use std::ops::ControlFlow;

use purser_events::{Address, Event, Position};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::ledger::Books;
use crate::cli::place::Place;
use crate::cli::{Failure, runtime};
use crate::client::{Ask, Client, ClientError};
use crate::payouts::Opened;
use crate::render::payout::{PayoutRecord, PayoutRecords};

/// Every payout by number, and the keys that signed.
#[derive(Default)]
pub(super) struct Source {
    pub(super) records: Vec<PayoutRecord>,
    pub(super) opened: Vec<Opened>,
}

/// Reads every payout.
pub(super) fn records(place: &Place) -> Result<Source, Failure> {
    match place {
        Place::Data(config) => {
            let books = Books::open(config)?;
            let names = books.folds()?.folds.names;
            let (mut records, mut opened) = (PayoutRecords::default(), Vec::new());
            books.reader().read(Position(1), &mut |envelope| {
                records.add(&envelope, &names);
                if let Event::SignerOpened(one) = &envelope.event {
                    opened.push(Opened {
                        position: envelope.position.0,
                        address: one.address,
                        chain_id: one.chain_id,
                        nonce: one.nonce,
                    });
                }
                ControlFlow::Continue(())
            })?;
            Ok(Source {
                records: records.into_records(),
                opened,
            })
        }
        Place::Server(client) => Ok(runtime()?.block_on(of_server(client))?),
    }
}

/// A page, as a server answers it.
#[derive(Deserialize)]
struct Page {
    payouts: Vec<PayoutRecord>,
    next: Option<u32>,
}

async fn of_server(client: &Client) -> Result<Source, ClientError> {
    let mut source = Source::default();
    let mut cursor: Option<u32> = None;
    loop {
        let text = cursor.map(|cursor| cursor.to_string());
        let mut query = vec![("limit", "500")];
        query.extend(text.as_deref().map(|cursor| ("cursor", cursor)));
        let ask = Ask {
            path: "/v1/payouts",
            query: &query,
        };
        let page: Page = client.get(ask).await?;
        source.records.extend(page.payouts);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    source.records.reverse();
    source.opened = keys(client).await?;
    Ok(source)
}

/// The keys that signed, from the events that say so.
async fn keys(client: &Client) -> Result<Vec<Opened>, ClientError> {
    let ask = Ask {
        path: "/v1/events",
        query: &[("type", "signer_opened"), ("format", "jsonl")],
    };
    let mut pieces = client.stream(ask).await?;
    let mut text = Vec::new();
    while let Some(piece) = pieces.next().await? {
        text.extend_from_slice(&piece);
    }
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(opened).collect())
}

fn opened(line: &[u8]) -> Option<Opened> {
    let event: Value = serde_json::from_slice(line).ok()?;
    let data = &event["data"];
    Some(Opened {
        position: event["position"].as_u64()?,
        address: Address::parse(data["address"].as_str()?)?,
        chain_id: data["chain_id"].as_u64()?,
        nonce: data["nonce"].as_u64()?,
    })
}
