//! What recorded matches would have found under other weights.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use purser_events::Position;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::config::{MatchWeights, ValueError};
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, OPERATOR, Read};
use crate::http::query::ReadParams;
use crate::http::stream::room;
use crate::service::ReplayError;
use crate::what_if::{Supposed, WhatIf, what_if};

/// The most changes that are shown.
const SHOWN_MAX: usize = 500;
const SHOWN_USUAL: usize = 20;

/// Which weights, and which matches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhatIfParams {
    /// The weights of the parts of a score, one together.
    #[param(example = "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05")]
    weights: String,
    /// The first position; 1 where it is left out.
    from: Option<u64>,
    /// The last position; the end of the log where it is left out.
    to: Option<u64>,
    /// How many of the matches that change are shown, 0 to 500; 20 where it is left out.
    #[param(maximum = 500)]
    limit: Option<usize>,
    /// Wait, for a bounded time, until the log is read up to this position.
    min_position: Option<u64>,
}

impl ReadParams for WhatIfParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// What recorded matches would have found under other weights. The log is folded up to each of
/// them, and it is asked anew.
#[utoipa::path(
    get, path = "/v1/what-if/match", tag = "matching", security(("bearer" = [])),
    params(WhatIfParams),
    responses(
        (status = 200, body = WhatIf), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn ask(
    State(app): State<App>,
    read: Read<{ AUDITOR | OPERATOR }, WhatIfParams>,
) -> Result<Answer<WhatIf>, Problem> {
    let params = read.params;
    let weights: MatchWeights = params
        .weights
        .parse()
        .map_err(|error: ValueError| wrong("weights", error.to_string()))?;
    let shown = params.limit.unwrap_or(SHOWN_USUAL);
    if shown > SHOWN_MAX {
        return Err(wrong("limit", "must be at most 500"));
    }
    let position = app.service.view.position();
    let supposed = Supposed {
        weights: weights.weights(),
        from: Position(params.from.unwrap_or(1)),
        to: params.to.map_or(position, |to| position.min(Position(to))),
        shown,
    };
    let room = room(&app)?;
    let (log, store) = (Arc::clone(&app.service.log), app.service.snapshots.clone());
    let found = tokio::task::spawn_blocking(move || {
        let _room = room;
        what_if(&store, &*log, supposed)
    });
    let failed = |_| Problem::with(Code::Internal, "folding the past failed");
    let body = found.await.map_err(failed)?.map_err(unreadable)?;
    Ok(Answer { position, body })
}

fn wrong(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::field(Code::InvalidParameter, field, detail)
}

fn unreadable(error: ReplayError) -> Problem {
    match error {
        ReplayError::Log(error) => error.into(),
        other => {
            tracing::error!(error = %other, "the past cannot be folded");
            Problem::new(Code::LogUnavailable)
        }
    }
}
