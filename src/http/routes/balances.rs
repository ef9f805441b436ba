//! What payers have, owe, and may still spend.

use axum::extract::State;
use purser_events::{AssetNo, Position};
use purser_events::{Label, PayerNo};
use purser_projections::Projections;
use purser_projections::accounts::Account;
use purser_projections::jobs::Job;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, Read};
use crate::http::query::ReadParams;
use crate::http::wire::field::name;

const LIMIT_MAX: usize = 500;

/// Whose balances, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BalanceParams {
    /// Only this payer, with its open jobs.
    payer: Option<String>,
    /// Only this open job of the payer.
    job: Option<String>,
    /// Payers on the page, or open jobs of the one payer, 1 to 500; 500 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<u64>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for BalanceParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// What payers have, owe, and may still spend.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Balances {
    /// One row per payer and asset.
    balances: Vec<PayerBalance>,
    /// The open jobs of the one payer that was asked for; null for many payers.
    jobs: Option<Vec<JobBalance>>,
    /// The cursor of the next page; null on the last one.
    next: Option<u64>,
    /// The position that the answer reflects.
    position: u64,
}

/// What one payer has in one asset. Amounts are texts of digits in base units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayerBalance {
    payer: String,
    asset: String,
    /// Funds that no job holds.
    funds: String,
    /// What it owes.
    debt: String,
    /// What stands on its open jobs, taken together; below zero with a minus.
    on_jobs: String,
    /// How many of its jobs are open in this asset.
    open_jobs: u64,
    /// Whether its funds go to the job that it opens next.
    funds_at_open: bool,
}

/// What one open job may still spend.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobBalance {
    job_id: String,
    asset: String,
    /// What stands on its account; below zero with a minus.
    balance: String,
    /// What of it is held.
    held: String,
    /// What it was charged.
    charged: String,
    /// What it used.
    units: u64,
    payer_ref: Option<String>,
}

/// What payers have, owe, and may still spend.
#[utoipa::path(
    get, path = "/v1/balances", tag = "jobs", security(("bearer" = [])), params(BalanceParams),
    responses(
        (status = 200, body = Balances), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn balances(
    State(app): State<App>,
    read: Read<{ AUDITOR | COORDINATOR }, BalanceParams>,
) -> Result<Answer<Balances>, Problem> {
    let params = read.params;
    let limit = params.limit.unwrap_or(LIMIT_MAX);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = "must be from 1 to 500";
        return Err(Problem::field(Code::OutOfRange, "limit", detail));
    }
    let page = (params.cursor.unwrap_or(0), limit);
    let folds = app.service.view.read();
    let position = folds.position;
    let body = match (&params.payer, &params.job) {
        (None, None) => of_all(&folds, page),
        (Some(payer), job) => {
            let payer = folds.names.payer(&name("payer", payer)?);
            let payer = payer.ok_or_else(|| Problem::new(Code::UnknownPayer))?;
            match job {
                Some(job) => of_job(&folds, payer, &name("job", job)?)?,
                None => of_one(&folds, payer, page),
            }
        }
        (None, Some(_)) => {
            let detail = "is required beside `job`";
            return Err(Problem::field(Code::MissingParameter, "payer", detail));
        }
    };
    Ok(Answer { position, body })
}

/// Every payer, page by page.
fn of_all(folds: &Projections, (from, limit): (u64, usize)) -> Balances {
    let payers = folds.names.payers().len();
    let from = usize::try_from(from).unwrap_or(payers).min(payers);
    let to = from.saturating_add(limit).min(payers);
    let rows = (from..to).flat_map(|payer| rows(folds, PayerNo::following(payer)));
    Balances {
        balances: rows.collect(),
        jobs: None,
        next: (to < payers).then_some(to as u64),
        position: folds.position.0,
    }
}

/// Every payer on one page, for the command line.
pub(crate) fn whole(folds: &Projections) -> serde_json::Value {
    serde_json::json!(of_all(folds, (0, usize::MAX)))
}

/// One payer, and its open jobs in the order in which they were opened.
fn of_one(folds: &Projections, payer: PayerNo, (from, limit): (u64, usize)) -> Balances {
    let mut jobs: Vec<&Job> = folds.jobs.of(payer).collect();
    jobs.sort_unstable_by_key(|job| job.number);
    let mut behind = jobs.iter().filter(|job| job.number.0 >= from);
    let shown = behind.by_ref().take(limit);
    let shown = shown.map(|job| job_balance(folds, job)).collect();
    Balances {
        balances: rows(folds, payer).collect(),
        jobs: Some(shown),
        next: behind.next().map(|job| job.number.0),
        position: folds.position.0,
    }
}

fn of_job(folds: &Projections, payer: PayerNo, id: &Label) -> Result<Balances, Problem> {
    let job = folds.jobs.named(payer, id);
    let job = job.ok_or_else(|| Problem::new(Code::UnknownJob))?;
    let rows = rows(folds, payer).filter(|row| row.asset == folds.names.asset_code(job.asset));
    Ok(Balances {
        balances: rows.collect(),
        jobs: Some(vec![job_balance(folds, job)]),
        next: None,
        position: folds.position.0,
    })
}

/// A payer's row in each asset that it ever moved or opened a job in.
fn rows(folds: &Projections, payer: PayerNo) -> impl Iterator<Item = PayerBalance> {
    let assets = 0..folds.names.assets().len();
    assets.filter_map(move |asset| row(folds, payer, AssetNo::following(asset)))
}

fn row(folds: &Projections, payer: PayerNo, asset: AssetNo) -> Option<PayerBalance> {
    let accounts = &folds.accounts;
    let jobs = folds.jobs.of(payer).filter(|job| job.asset == asset);
    let (mut on_jobs, mut open_jobs) = (purser_events::Balance::default(), 0);
    for job in jobs {
        let balance = accounts.balance(asset, Account::Job(job.number));
        on_jobs = on_jobs.plus(balance.above_zero()).minus(balance.missing());
        open_jobs += 1;
    }
    let [funds, debt] = [Account::Payer(payer), Account::Debt(payer)];
    let never = [funds, debt]
        .iter()
        .all(|account| accounts.turnover(asset, *account).is_nothing());
    if never && open_jobs == 0 {
        return None;
    }
    Some(PayerBalance {
        payer: folds.names.payers().get(payer.index())?.to_string(),
        asset: folds.names.asset_code(asset),
        funds: accounts.balance(asset, funds).to_string(),
        debt: accounts.balance(asset, debt).to_string(),
        on_jobs: on_jobs.to_string(),
        open_jobs,
        funds_at_open: folds.jobs.funds_at_open(payer),
    })
}

fn job_balance(folds: &Projections, job: &Job) -> JobBalance {
    let account = Account::Job(job.number);
    JobBalance {
        job_id: job.id.to_string(),
        asset: folds.names.asset_code(job.asset),
        balance: folds.accounts.balance(job.asset, account).to_string(),
        held: job.held().to_string(),
        charged: job.charged.to_string(),
        units: job.units,
        payer_ref: job.terms.payer_ref.as_ref().map(Label::to_string),
    }
}
