//! The worker-fee table.

use axum::extract::State;
use hashbrown::HashMap;
use purser_events::policy::NodeType;
use purser_events::{AssetNo, Label, PartitionNo, Position, Wei, WorkerNo};
use purser_projections::Projections;
use purser_projections::accounts::{Account, Side, Turnover};
use purser_projections::fees::FeeRow;
use purser_projections::names::Partition;
use purser_projections::payouts::PaidRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, Read};
use crate::http::query::ReadParams;

const LIMIT_MAX: usize = 500;

/// Which partitions, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeesParams {
    /// Only partitions of this node type: `ai` or `transcode`.
    node_type: Option<String>,
    /// Only partitions of this region.
    region: Option<String>,
    /// The code of the asset; `ETH` where it is left out. Intake earns ETH only.
    asset: Option<String>,
    /// Workers on the page, 1 to 500; 500 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<u32>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for FeesParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// Who earned what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeeTable {
    /// The asset of all amounts.
    asset: String,
    /// The workers that earned something, in the order in which they were first named.
    workers: Vec<WorkerFees>,
    /// The cursor of the next page; null on the last one.
    next: Option<u32>,
    /// The sums over all workers, on this page or not.
    totals: Sums,
    /// Fees that nobody is known to have earned yet.
    suspense_wei: String,
    /// The position that the table reflects.
    position: u64,
}

/// What one worker earned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerFees {
    /// Its id, or its address where it never registered.
    worker: String,
    /// Where it is paid; null when it did not say.
    eth_address: Option<String>,
    #[serde(flatten)]
    sums: Sums,
}

/// Amounts as texts of digits, in base units of the table's asset: wei for ETH.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sums {
    /// Payable jobs of intake.
    jobs: u64,
    /// Debits of payers' jobs that charged something.
    debits: u64,
    /// Fees before the pool's share.
    gross_wei: String,
    /// The pool's share.
    commission_wei: String,
    /// What is the worker's.
    net_wei: String,
    /// What was paid out. Payouts are made on the total: null in a table of some partitions.
    paid_wei: Option<String>,
    /// What is held for payouts that are not finished; null in a table of some partitions.
    in_flight_wei: Option<String>,
    /// What is still to be paid: below zero where more was paid than late facts left. Null in a
    /// table of some partitions.
    unpaid_wei: Option<String>,
}

/// What became of what was earned.
#[derive(Clone, Copy, Default)]
struct Paid {
    row: PaidRow,
    account: Turnover,
}

impl Paid {
    fn of(folds: &Projections, asset: AssetNo, worker: WorkerNo) -> Self {
        Self {
            row: folds.payouts.row(asset, worker),
            account: folds.accounts.turnover(asset, Account::Worker(worker)),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            row: PaidRow {
                paid: self.row.paid.plus(other.row.paid),
                in_flight: self.row.in_flight.plus(other.row.in_flight),
                ..self.row
            },
            account: self.account.plus(other.account),
        }
    }
}

impl Sums {
    fn of(earned: &Earned, paid: Option<Paid>) -> Self {
        let row = &earned.fees;
        let unpaid = |paid: Paid| paid.account.balance(Side::Credit).to_string();
        Self {
            jobs: row.jobs,
            debits: earned.debits,
            gross_wei: row.gross.to_string(),
            commission_wei: row.commission.to_string(),
            net_wei: row.net().to_string(),
            paid_wei: paid.map(|paid| paid.row.paid.to_string()),
            in_flight_wei: paid.map(|paid| paid.row.in_flight.to_string()),
            unpaid_wei: paid.map(unpaid),
        }
    }
}

/// What one worker earned, by intake and by debits of payers' jobs.
#[derive(Clone, Copy, Default)]
struct Earned {
    fees: FeeRow,
    debits: u64,
}

/// Which partitions and which asset are asked for.
struct Wanted {
    asset: AssetNo,
    node_type: Option<NodeType>,
    region: Option<String>,
}

impl Wanted {
    const fn is_all(&self) -> bool {
        self.node_type.is_none() && self.region.is_none()
    }

    /// Jobs of payers have no partition: a worker's debits count where it says that it is.
    fn takes_debits(&self, folds: &Projections, worker: WorkerNo) -> bool {
        if self.is_all() {
            return true;
        }
        let file = folds.registry.worker(worker).map(|worker| worker.file);
        file.is_some_and(|file| {
            let is = |said: &Option<Label>, wanted: Option<&str>| {
                wanted.is_none_or(|wanted| said.as_ref().is_some_and(|one| one.as_str() == wanted))
            };
            is(
                &file.manifest.node_type,
                self.node_type.map(NodeType::as_str),
            ) && is(&file.manifest.region, self.region.as_deref())
        })
    }

    fn takes(&self, partition: &Partition) -> bool {
        self.node_type
            .is_none_or(|wanted| wanted == partition.node_type)
            && self
                .region
                .as_deref()
                .is_none_or(|wanted| wanted == partition.region.as_str())
    }
}

/// The worker-fee table, over all partitions or some.
#[utoipa::path(
    get, path = "/v1/workers/fees", tag = "fees", security(("bearer" = [])), params(FeesParams),
    responses(
        (status = 200, body = FeeTable), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn fees(
    State(app): State<App>,
    read: Read<{ AUDITOR | COORDINATOR }, FeesParams>,
) -> Result<Answer<FeeTable>, Problem> {
    let params = read.params;
    let limit = params.limit.unwrap_or(LIMIT_MAX);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::field(
            Code::OutOfRange,
            "limit",
            "must be from 1 to 500",
        ));
    }
    let node_type = params.node_type.as_deref().map(|text| {
        let wrong = || Problem::field(Code::InvalidParameter, "node_type", "is no node type");
        NodeType::parse(text).ok_or_else(wrong)
    });
    let folds = app.service.view.read();
    let asset = params.asset.as_deref().unwrap_or("ETH");
    let asset = folds.names.asset(asset);
    let wanted = Wanted {
        asset: asset.ok_or_else(|| Problem::new(Code::UnknownAsset))?,
        node_type: node_type.transpose()?,
        region: params.region,
    };
    let from = WorkerNo(params.cursor.unwrap_or(0));
    let body = table(&folds, &wanted, (from, limit));
    let position = folds.position;
    Ok(Answer { position, body })
}

fn table(folds: &Projections, wanted: &Wanted, (from, limit): (WorkerNo, usize)) -> FeeTable {
    let (rows, suspense) = rows(folds, wanted);
    let asset = wanted.asset;
    let paid = |worker| wanted.is_all().then(|| Paid::of(folds, asset, worker));
    let mut total = Earned::default();
    let mut total_paid = wanted.is_all().then(Paid::default);
    for (worker, row) in &rows {
        total = plus(&total, row);
        total_paid = total_paid
            .zip(paid(*worker))
            .map(|(sum, one)| sum.plus(one));
    }
    let mut page = rows.iter().filter(|(worker, _)| *worker >= from);
    let shown = page.by_ref().take(limit);
    let workers = shown
        .map(|(worker, row)| worker_fees(folds, *worker, Sums::of(row, paid(*worker))))
        .collect();
    FeeTable {
        asset: folds.names.asset_code(asset),
        workers,
        next: page.next().map(|(worker, _)| worker.0),
        totals: Sums::of(&total, total_paid),
        suspense_wei: suspense.to_string(),
        position: folds.position.0,
    }
}

/// The whole table on one page, for the command line.
pub(crate) fn whole(
    folds: &Projections,
    node_type: Option<NodeType>,
    region: Option<&str>,
) -> serde_json::Value {
    let region = region.map(str::to_owned);
    let asset = AssetNo::ETH;
    let wanted = Wanted {
        asset,
        node_type,
        region,
    };
    serde_json::json!(table(folds, &wanted, (WorkerNo(0), usize::MAX)))
}

/// What each worker earned in the wanted partitions, by number; and what is in suspense there.
fn rows(folds: &Projections, wanted: &Wanted) -> (Vec<(WorkerNo, Earned)>, Wei) {
    let mut sums: HashMap<WorkerNo, Earned> = HashMap::new();
    let mut suspense = Wei::ZERO;
    for (worker, row) in folds.fees.debits(wanted.asset) {
        if wanted.takes_debits(folds, worker) {
            let fees = FeeRow {
                gross: Wei(row.gross.0),
                commission: Wei(row.commission.0),
                jobs: 0,
            };
            let debits = row.debits;
            sums.insert(worker, Earned { fees, debits });
        }
    }
    let is_intake = wanted.asset == AssetNo::ETH;
    for (index, partition) in folds.names.partitions().iter().enumerate() {
        let fees = folds.fees.partition(PartitionNo::following(index));
        let Some(fees) = fees.filter(|_| is_intake && wanted.takes(partition)) else {
            continue;
        };
        suspense = suspense.plus(fees.suspense_total());
        for (worker, row) in fees.workers() {
            let sum = sums.entry(worker).or_default();
            let fees = *row;
            *sum = plus(sum, &Earned { fees, debits: 0 });
        }
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_unstable_by_key(|(worker, _)| *worker);
    (rows, suspense)
}

fn plus(left: &Earned, right: &Earned) -> Earned {
    Earned {
        fees: FeeRow {
            gross: left.fees.gross.plus(right.fees.gross),
            commission: left.fees.commission.plus(right.fees.commission),
            jobs: left.fees.jobs + right.fees.jobs,
        },
        debits: left.debits + right.debits,
    }
}

fn worker_fees(folds: &Projections, worker: WorkerNo, sums: Sums) -> WorkerFees {
    let name = &folds.names.workers()[worker.index()];
    let address = folds.payout_address(worker);
    WorkerFees {
        worker: name.to_string(),
        eth_address: address.map(|address| address.to_string()),
        sums,
    }
}
