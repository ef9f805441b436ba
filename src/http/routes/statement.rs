//! A worker's statement: every event behind its balance.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use purser_events::{AssetNo, Position, WorkerNo};
use purser_projections::Projections;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::events::edge;
use crate::http::address::identify;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, InPath, admit, at, bearer, reach};
use crate::http::peer::Head;
use crate::http::query::ReadParams;
use crate::http::session::{goes_on, prove};
use crate::http::stream::{PIECE_BYTES, Sink, Stop, stream};
use crate::log::LogReader;
use crate::render::statement::{CsvEntries, Entry, Query, Totals, scan};
use crate::tls::Party;
use crate::view::View;

/// Which part of the statement, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementParams {
    /// The first entry: a position, or a time in RFC 3339.
    from: Option<String>,
    /// The last entry, with it: a position, or a time in RFC 3339.
    to: Option<String>,
    /// The code of the asset that was earned; `ETH` where it is left out. Amounts are in its base
    /// units, whatever their names say.
    asset: Option<String>,
    /// JSON where it is left out.
    format: Option<Form>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for StatementParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// How a statement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// One JSON object: `worker`, `asset`, `entries`, and the sums.
    Json,
    /// Comma-separated values, with a row of names.
    Csv,
}

/// Every event behind a worker's balance, with positions: for an auditor, or for the worker itself
/// by its session.
#[utoipa::path(
    get, path = "/v1/workers/{id}/statement", tag = "fees",
    security(("bearer" = []), ("session" = [])),
    params(("id" = String, Path, description = "The worker's id or address"), StatementParams),
    responses(
        (status = 200, content((Object = "application/json"), (String = "text/csv"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn statement(
    State(app): State<App>,
    InPath(id): InPath,
    request: Request,
) -> Result<Response, Problem> {
    let reader = reader(&app, (&request).into())?;
    let params: StatementParams = reach(&app, request.uri()).await?;
    let end = app.service.view.position();
    let account = Account {
        workers: workers(&app, &id, reader)?,
        asset: asset(&app, params.asset)?,
        id,
        log: Arc::clone(&app.service.log),
        view: Arc::clone(&app.service.view),
        edges: [
            edge("from", params.from.as_deref())?,
            edge("to", params.to.as_deref())?,
        ],
        end,
    };
    let response = match params.format.unwrap_or(Form::Json) {
        Form::Json => stream(&app, "application/json", move |sink| account.json(sink)).await,
        Form::Csv => {
            let media = "text/csv; charset=utf-8";
            stream(&app, media, move |sink| account.csv(sink)).await
        }
    };
    response.map(|response| at(end, response))
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Auditor,
    Worker(WorkerNo),
}

fn reader(app: &App, head: Head<'_>) -> Result<Reader, Problem> {
    let token = bearer(head.headers).filter(|token| app.keys.sessions().verify(token).is_some());
    let Some(token) = token else {
        return admit(app, head, AUDITOR).map(|_| Reader::Auditor);
    };
    identify(app, head, Party::Worker)?;
    let session = prove(app, Some(token))?;
    goes_on(app, session)?;
    Ok(Reader::Worker(session.worker))
}

/// The numbers that the worker earns under, if this reader may know.
fn workers(app: &App, id: &str, reader: Reader) -> Result<Vec<WorkerNo>, Problem> {
    let folds = app.service.view.read();
    let number = folds.names.worker(id);
    match (reader, number) {
        (Reader::Worker(own), number) if number != Some(own) => Err(Problem::new(Code::Forbidden)),
        (_, None) => Err(Problem::new(Code::UnknownWorker)),
        (_, Some(number)) => Ok(numbers(&folds, number)),
    }
}

/// A worker's own number, and that of the payee whose address it is paid at.
pub(crate) fn numbers(folds: &Projections, number: WorkerNo) -> Vec<WorkerNo> {
    let mut numbers = vec![number];
    let worker = folds.registry.worker(number);
    let address = worker.and_then(|worker| worker.file.manifest.payout_address);
    let payee = address.and_then(|address| folds.names.payee(&address));
    numbers.extend(payee.filter(|payee| *payee != number));
    numbers
}

/// An asset by its code; ETH where none is named.
pub(super) fn asset(app: &App, code: Option<String>) -> Result<(AssetNo, String), Problem> {
    let code = code.unwrap_or_else(|| "ETH".to_owned());
    let found = app.service.view.read().names.asset(&code);
    found
        .map(|asset| (asset, code))
        .ok_or_else(|| Problem::new(Code::UnknownAsset))
}

/// A statement that is to be written.
struct Account {
    id: String,
    asset: (AssetNo, String),
    workers: Vec<WorkerNo>,
    log: Arc<dyn LogReader>,
    view: Arc<View>,
    edges: [Option<Edge>; 2],
    end: Position,
}

impl Account {
    fn query(&self) -> Result<Query, Stop> {
        let [from, to] = self.edges;
        let first = from
            .map(|edge| edge.first(&*self.log, self.end))
            .transpose()?;
        let last = to.map(|edge| edge.last(&*self.log, self.end)).transpose()?;
        Ok(Query {
            workers: self.workers.clone(),
            from: first.unwrap_or(Position(1)),
            to: last.unwrap_or(self.end),
            asset: self.asset.0,
        })
    }

    /// Scans the log; entries are gathered, and handed to `each` one after the other.
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
        let worker = serde_json::to_string(&self.id).expect("a text is JSON");
        let asset = serde_json::to_string(&self.asset.1).expect("a text is JSON");
        let head = format!("{{\"worker\":{worker},\"asset\":{asset},\"entries\":[");
        let mut out = head.into_bytes();
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
        let Totals {
            opening_net_wei,
            closing_net_wei,
            opening_unpaid_wei,
            closing_unpaid_wei,
            paid_wei,
            in_flight_wei,
            entries,
        } = totals;
        let position = self.end;
        let sums = format!(
            "],\"count\":{entries},\"opening_net_wei\":\"{opening_net_wei}\",\
             \"closing_net_wei\":\"{closing_net_wei}\",\
             \"opening_unpaid_wei\":\"{opening_unpaid_wei}\",\
             \"closing_unpaid_wei\":\"{closing_unpaid_wei}\",\
             \"paid_wei\":\"{paid_wei}\",\"in_flight_wei\":\"{in_flight_wei}\",\
             \"position\":{position}}}"
        );
        out.extend_from_slice(sums.as_bytes());
        sink.send(out)
    }

    fn csv(&self, sink: &Sink) -> Result<(), Stop> {
        let mut rows = CsvEntries::default();
        rows.head();
        let mut count = 0;
        self.scan(|entry| {
            rows.push(entry, &self.view.read().names);
            count += 1;
            if count % ROWS_PER_PIECE == 0 {
                return sink.send(rows.take());
            }
            Ok(())
        })?;
        sink.send(rows.take())
    }
}

/// Rows of a statement have about 300 bytes.
const ROWS_PER_PIECE: u32 = 200;
