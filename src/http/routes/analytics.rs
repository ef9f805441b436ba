//! How fast the jobs of a partition are done, and what they earn.

use axum::extract::{Path, State};
use axum::response::Response;
use purser_events::policy::NodeType;
use purser_events::{PartitionNo, Position};
use purser_projections::analytics::Window;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Read, at, json};
use crate::http::query::ReadParams;
use crate::render::{Summary, compact_time};

/// Over which time, and how fresh.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnalyticsParams {
    /// The time over which performance is measured, by the source's clock; all of it where it is
    /// left out.
    window: Option<WindowName>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for AnalyticsParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) enum WindowName {
    /// All jobs.
    #[default]
    #[serde(rename = "all")]
    All,
    /// This hour and the 24 hours before it.
    #[serde(rename = "24h")]
    Day,
    /// This day in UTC and the 7 days before it.
    #[serde(rename = "7d")]
    Week,
    /// This day in UTC and the 30 days before it.
    #[serde(rename = "30d")]
    Month,
}

impl From<WindowName> for Window {
    fn from(name: WindowName) -> Self {
        match name {
            WindowName::All => Self::All,
            WindowName::Day => Self::Day,
            WindowName::Week => Self::Week,
            WindowName::Month => Self::Month,
        }
    }
}

/// Performance and summary of a partition, in the layouts of the OpenPool's dashboards. Medians
/// are exact; rank 1 is the best.
#[utoipa::path(
    get, path = "/v1/analytics/{node_type}/{region}", tag = "fees", security(("bearer" = [])),
    params(
        ("node_type" = String, Path, description = "`ai` or `transcode`"),
        ("region" = String, Path, description = "The region"),
        AnalyticsParams,
    ),
    responses(
        (status = 200, body = Object, description = "`performance` and `summary`"),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn analytics(
    State(app): State<App>,
    Path((node_type, region)): Path<(String, String)>,
    read: Read<AUDITOR, AnalyticsParams>,
) -> Result<Response, Problem> {
    let analyst = &app.service.analyst;
    if let Some(failure) = analyst.failure() {
        return Err(Problem::with(Code::LogUnavailable, failure));
    }
    let at_least = Position(read.params.min_position.unwrap_or(0));
    let wait = app.settings.min_position_wait;
    if !analyst.reached(at_least, wait).await {
        return Err(Problem::new(Code::PositionNotReached));
    }
    let window = read.params.window.unwrap_or_default().into();
    let number = number_of(&app, &node_type, &region)?;
    let writing = tokio::task::spawn_blocking(move || write(&app, number, (window, at_least)));
    let written = writing.await;
    let (position, bytes) =
        written.map_err(|_| Problem::with(Code::Internal, "writing the table failed"))?;
    Ok(at(position, json(bytes)))
}

fn number_of(app: &App, node_type: &str, region: &str) -> Result<PartitionNo, Problem> {
    let node_type = NodeType::parse(node_type);
    let folds = app.service.view.read();
    let number = node_type.and_then(|node_type| folds.names.partition(node_type, region));
    number.ok_or_else(|| Problem::new(Code::UnknownPartition))
}

fn write(
    app: &App,
    number: PartitionNo,
    (window, at_least): (Window, Position),
) -> (Position, Vec<u8>) {
    let service = &app.service;
    let shown = service.analyst.speed((number, window), at_least);
    let folds = service.view.read();
    let partition = &folds.names.partitions()[number.index()];
    let timestamp = &compact_time(folds.recorded_at);
    let position = shown.position.min(folds.position);
    let mut out = format!(r#"{{"position":{},"performance":"#, position.0).into_bytes();
    out.extend_from_slice(&shown.table.text);
    out.extend_from_slice(br#","summary":"#);
    let summary = Summary {
        folds: &folds,
        number,
        partition,
        timestamp,
        with_connections: true,
    };
    summary.write(&mut out);
    out.push(b'}');
    (position, out)
}
