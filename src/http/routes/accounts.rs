//! Every account, now and as it was.

use std::sync::Arc;

use axum::extract::State;
use purser_events::{AssetNo, Position};
use purser_projections::Projections;
use purser_projections::accounts::{Account, Side, Turnover};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::edge::Edge;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, InPath, Read};
use crate::http::query::ReadParams;
use crate::http::stream::room;
use crate::service::{ReplayError, replay_until};

const LIMIT_MAX: usize = 500;

/// Which accounts, when, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountsParams {
    /// Only accounts of this asset: its code.
    asset: Option<String>,
    /// Only accounts whose name begins so, such as `worker:`.
    prefix: Option<String>,
    /// As of this position.
    at: Option<u64>,
    /// As of this moment, in RFC 3339.
    at_time: Option<String>,
    /// Accounts on the page, 1 to 500; 500 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for AccountsParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// One account of one asset. Amounts are texts of digits in base units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// The asset's code.
    asset: String,
    /// The account's name. A job's is `job:` and the position that opened it.
    account: String,
    /// The side its balance normally stands on: `debit` or `credit`.
    normal_side: &'static str,
    /// The sum of its debits.
    debits: String,
    /// The sum of its credits.
    credits: String,
    /// What stands on the normal side; on the other one with a minus.
    balance: String,
    /// Of an open job: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
    /// Of an open job: its payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
}

/// Accounts by asset and name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountsPage {
    accounts: Vec<AccountView>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
    /// The position that the answer reflects.
    position: u64,
}

/// Every account that moved and is open.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", security(("bearer" = [])),
    params(AccountsParams),
    responses(
        (status = 200, body = AccountsPage), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn page(
    State(app): State<App>,
    read: Read<{ AUDITOR | COORDINATOR }, AccountsParams>,
) -> Result<Answer<AccountsPage>, Problem> {
    let params = read.params;
    let limit = params.limit.unwrap_or(LIMIT_MAX);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = "must be from 1 to 500";
        return Err(Problem::field(Code::OutOfRange, "limit", detail));
    }
    let at = moment(params.at, params.at_time.as_deref())?;
    look(&app, at, move |folds| {
        let wanted = params.asset.as_deref().map(|code| asset(folds, code));
        let wanted = wanted.transpose()?;
        let rows = rows(folds, wanted, params.prefix.as_deref().unwrap_or(""));
        let cursor = params.cursor.as_deref().unwrap_or("");
        let mut behind = rows.into_iter().filter(|row| key(row).as_str() >= cursor);
        let accounts = behind.by_ref().take(limit).collect();
        Ok(AccountsPage {
            accounts,
            next: behind.next().map(|row| key(&row)),
            position: folds.position.0,
        })
    })
    .await
}

fn key(row: &AccountView) -> String {
    format!("{} {}", row.asset, row.account)
}

/// When.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountParams {
    /// Only this asset: its code.
    asset: Option<String>,
    /// As of this position.
    at: Option<u64>,
    /// As of this moment, in RFC 3339.
    at_time: Option<String>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for AccountParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// One account, in each asset that moved on it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneAccount {
    account: String,
    balances: Vec<AccountView>,
    /// The position that the answer reflects.
    position: u64,
}

/// One account by its name, such as `payer:alice`, now or at a past position.
#[utoipa::path(
    get, path = "/v1/accounts/{account}", tag = "accounts", security(("bearer" = [])),
    params(("account" = String, Path, description = "The account's name"), AccountParams),
    responses(
        (status = 200, body = OneAccount), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    InPath(account): InPath,
    read: Read<{ AUDITOR | COORDINATOR }, AccountParams>,
) -> Result<Answer<OneAccount>, Problem> {
    let params = read.params;
    let at = moment(params.at, params.at_time.as_deref())?;
    // Whatever the name stands for now, it stood for then, or for nothing yet.
    let known = Account::parse(&account, &app.service.view.read().names);
    let known = known.ok_or_else(|| Problem::new(Code::UnknownAccount))?;
    look(&app, at, move |folds| {
        let wanted = params.asset.as_deref().map(|code| asset(folds, code));
        let wanted = wanted.transpose()?;
        let ledgers = folds.accounts.ledgers();
        let ledgers = ledgers.filter(|(asset, _)| wanted.is_none_or(|one| one == *asset));
        let moved = ledgers.map(|(asset, ledger)| (asset, ledger.turnover(known)));
        let balances = moved
            .filter(|(_, turnover)| !turnover.is_nothing())
            .map(|(asset, turnover)| view(folds, (asset, known), account.clone(), turnover))
            .collect();
        Ok(OneAccount {
            account: account.clone(),
            balances,
            position: folds.position.0,
        })
    })
    .await
}

fn asset(folds: &Projections, code: &str) -> Result<AssetNo, Problem> {
    let found = folds.names.asset(code);
    found.ok_or_else(|| Problem::new(Code::UnknownAsset))
}

/// The past that is asked for, if any.
fn moment(at: Option<u64>, at_time: Option<&str>) -> Result<Option<Edge>, Problem> {
    match (at, at_time) {
        (Some(_), Some(_)) => {
            let detail = "is not known beside `at`";
            Err(Problem::field(Code::InvalidParameter, "at_time", detail))
        }
        (Some(position), None) => Ok(Some(Edge::At(Position(position)))),
        (None, Some(text)) => Edge::parse("at_time", text).map(Some),
        (None, None) => Ok(None),
    }
}

/// Looks at the folds of now, or folds the past from the newest snapshot before it.
async fn look<T: Send + 'static>(
    app: &App,
    at: Option<Edge>,
    take: impl FnOnce(&Projections) -> Result<T, Problem> + Send + 'static,
) -> Result<Answer<T>, Problem> {
    let Some(edge) = at else {
        let folds = app.service.view.read();
        let (position, body) = (folds.position, take(&folds)?);
        return Ok(Answer { position, body });
    };
    let room = room(app)?;
    let (log, store) = (Arc::clone(&app.service.log), app.service.snapshots.clone());
    let end = app.service.view.position();
    let past = tokio::task::spawn_blocking(move || {
        let _room = room;
        let last = edge.last(&*log, end)?;
        let folds = replay_until(&store, &*log, last).map_err(unreadable)?;
        let (position, body) = (folds.position, take(&folds)?);
        Ok(Answer { position, body })
    });
    let failed = |_| Problem::with(Code::Internal, "folding the past failed");
    past.await.map_err(failed)?
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

/// Accounts whose name begins with `prefix`, by asset and name.
fn rows(folds: &Projections, asset: Option<AssetNo>, prefix: &str) -> Vec<AccountView> {
    let mut rows = Vec::new();
    for (number, ledger) in folds.accounts.ledgers() {
        if asset.is_some_and(|wanted| wanted != number) {
            continue;
        }
        for (account, turnover) in ledger.accounts() {
            let name = account.name(&folds.names);
            if name.starts_with(prefix) {
                rows.push(view(folds, (number, account), name, turnover));
            }
        }
    }
    rows.sort_unstable_by(|one, other| {
        (&one.asset, &one.account).cmp(&(&other.asset, &other.account))
    });
    rows
}

fn view(
    folds: &Projections,
    (asset, account): (AssetNo, Account),
    name: String,
    turnover: Turnover,
) -> AccountView {
    let job = match account {
        Account::Job(job) => folds.jobs.get(job),
        _ => None,
    };
    let payer = job.and_then(|job| folds.names.payers().get(job.payer.index()));
    AccountView {
        asset: folds.names.asset_code(asset),
        account: name,
        normal_side: match account.normal_side() {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        debits: turnover.debits.to_string(),
        credits: turnover.credits.to_string(),
        balance: turnover.balance(account.normal_side()).to_string(),
        job_id: job.map(|job| job.id.to_string()),
        payer: payer.map(ToString::to_string),
    }
}
