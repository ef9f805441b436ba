//! A payer's statement, of all its jobs or of those of one reference.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use purser_events::{AssetNo, Label, PayerNo, Position};
use serde::Deserialize;
use utoipa::IntoParams;

use super::events::edge;
use super::statement::{Form, asset};
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, COORDINATOR, InPath, Read, at};
use crate::http::query::ReadParams;
use crate::http::stream::{PIECE_BYTES, Sink, Stop, stream};
use crate::http::wire::field::{name, optional_name};
use crate::log::LogReader;
use crate::render::statement::CsvRowsOf;
use crate::render::statement::payer::{COLUMNS, Entry, Query, Totals, scan};
use crate::view::View;

/// Which part of the statement, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayerStatementParams {
    /// Only jobs that were opened with this reference.
    payer_ref: Option<String>,
    /// The code of the asset; `ETH` where it is left out.
    asset: Option<String>,
    /// The first entry: a position, or a time in RFC 3339.
    from: Option<String>,
    /// The last entry, with it: a position, or a time in RFC 3339.
    to: Option<String>,
    /// JSON where it is left out.
    format: Option<Form>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for PayerStatementParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// Every event behind a payer's balance: what came in, less what its jobs were charged. With a
/// reference, behind the balance of the jobs of that reference: what they got, less what they were
/// charged and gave back.
#[utoipa::path(
    get, path = "/v1/payers/{payer}/statement", tag = "jobs", security(("bearer" = [])),
    params(("payer" = String, Path, description = "The payer"), PayerStatementParams),
    responses(
        (status = 200, content((Object = "application/json"), (String = "text/csv"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn statement(
    State(app): State<App>,
    InPath(text): InPath,
    read: Read<{ AUDITOR | COORDINATOR }, PayerStatementParams>,
) -> Result<Response, Problem> {
    let params = read.params;
    let payer = app.service.view.read().names.payer(&name("payer", &text)?);
    let end = app.service.view.position();
    let wanted = Wanted {
        payer: payer.ok_or_else(|| Problem::new(Code::UnknownPayer))?,
        name: text,
        payer_ref: optional_name("payer_ref", params.payer_ref.as_deref())?,
        asset: asset(&app, params.asset)?,
        log: Arc::clone(&app.service.log),
        view: Arc::clone(&app.service.view),
        edges: [
            edge("from", params.from.as_deref())?,
            edge("to", params.to.as_deref())?,
        ],
        end,
    };
    let response = match params.format.unwrap_or(Form::Json) {
        Form::Json => stream(&app, "application/json", move |sink| wanted.json(sink)).await,
        Form::Csv => {
            let media = "text/csv; charset=utf-8";
            stream(&app, media, move |sink| wanted.csv(sink)).await
        }
    };
    response.map(|response| at(end, response))
}

/// A statement that is to be written.
struct Wanted {
    payer: PayerNo,
    name: String,
    payer_ref: Option<Label>,
    asset: (AssetNo, String),
    log: Arc<dyn LogReader>,
    view: Arc<View>,
    edges: [Option<Edge>; 2],
    end: Position,
}

impl Wanted {
    fn query(&self) -> Result<Query, Stop> {
        let [from, to] = self.edges;
        let first = from.map(|edge| edge.first(&*self.log, self.end));
        let last = to.map(|edge| edge.last(&*self.log, self.end));
        Ok(Query {
            payer: self.payer,
            payer_ref: self.payer_ref.clone(),
            asset: self.asset.0,
            from: first.transpose()?.unwrap_or(Position(1)),
            to: last.transpose()?.unwrap_or(self.end),
        })
    }

    fn scan(&self, mut each: impl FnMut(&Entry) -> Result<(), Stop>) -> Result<Totals, Stop> {
        let mut gone = None;
        let totals = scan(&*self.log, &self.query()?, &mut |entry| match each(entry) {
            Ok(()) => ControlFlow::Continue(()),
            Err(stop) => {
                gone = Some(stop);
                ControlFlow::Break(())
            }
        })?;
        gone.map_or(Ok(totals), Err)
    }

    fn json(&self, sink: &Sink) -> Result<(), Stop> {
        let head = serde_json::json!({
            "payer": self.name, "asset": self.asset.1,
            "payer_ref": self.payer_ref.as_ref().map(Label::as_str),
        });
        let mut out = head.to_string().into_bytes();
        // The object goes on: its closing brace comes at the end.
        out.pop();
        out.extend_from_slice(b",\"entries\":[");
        let mut is_first = true;
        let totals = self.scan(|entry| {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            entry.write_json(&mut out, &self.view.read().names);
            if out.len() >= PIECE_BYTES {
                return sink.send(std::mem::take(&mut out));
            }
            Ok(())
        })?;
        let sums = format!(
            "],\"count\":{},\"opening\":\"{}\",\"closing\":\"{}\",\"position\":{}}}",
            totals.entries, totals.opening, totals.closing, self.end
        );
        out.extend_from_slice(sums.as_bytes());
        sink.send(out)
    }

    fn csv(&self, sink: &Sink) -> Result<(), Stop> {
        let mut rows = CsvRowsOf::default();
        rows.head(&COLUMNS);
        let mut count = 0;
        self.scan(|entry| {
            entry.write_csv(&mut rows, &self.view.read().names);
            count += 1;
            if count % ROWS_PER_PIECE == 0 {
                return sink.send(rows.take());
            }
            Ok(())
        })?;
        sink.send(rows.take())
    }
}

/// Rows of a statement have about 150 bytes.
const ROWS_PER_PIECE: u32 = 400;
