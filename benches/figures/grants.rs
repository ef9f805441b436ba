//! A hot pool beside spread jobs: every request is on the same two accounts of one pool, every job
//! has an account of its own. Both are played from their first to their last command, with money
//! that moves: a request is decided and settled, a job is opened, paid for, debited and closed.

use std::path::Path;
use std::time::{Duration, Instant};

use purser::service::{Running, Settings};
use purser_commands::Command;
use purser_commands::command::SetPolicy;
use purser_commands::grants::GrantCommand;
use purser_commands::grants::command::{DecideGrant, PaidBy, SetTier, SettleGrant, TopUpPool};
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{
    CloseJob, CreditJob, DebitJob, JobName, OpenJob, Payment, StopRule,
};
use purser_events::Amount;
use purser_events::grant::{GrantRule, PayMode, Tier};
use purser_events::paid::Used;
use purser_events::policy::PolicyChange;
use serde_json::{Value, json};

use super::http::{Server, key_of};
use super::load;
use super::pool::{label, submission};
use super::table::{Figures, rate};

const IDENTITIES: u64 = 1_000;
const PAYERS: u64 = 1_000;
const BATCH: u64 = 512;
const BATCHES: u64 = 40;
const RUNS: u64 = 5;

/// Enough for every request of every run.
const PLENTY: u128 = 1_000_000_000_000;

const CONNECTIONS: usize = 64;
const PERIOD: Duration = Duration::from_secs(4);

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    writer(figures, &directory.join("grants"));
    http(figures, &directory.join("grants-http"));
}

fn grant(command: GrantCommand) -> Command {
    Command::Grant(Box::new(command))
}

fn decide(number: u64) -> Command {
    grant(GrantCommand::Decide(DecideGrant {
        request: label(&format!("request-{number:012x}")),
        identity: Some(label(&format!("identity-{}", number % IDENTITIES))),
        est: Amount(40),
        mode: PayMode::Invoice,
    }))
}

fn settle(number: u64) -> Command {
    grant(GrantCommand::Settle(SettleGrant {
        request: label(&format!("request-{number:012x}")),
        actual: Amount(30),
        worker: None,
    }))
}

fn job(number: u64) -> JobName {
    JobName {
        payer: label(&format!("payer-{}", number % PAYERS)),
        id: label(&format!("job-{number:012x}")),
    }
}

fn open(number: u64) -> Command {
    Command::Job(Box::new(JobCommand::Open(OpenJob {
        job: job(number),
        asset: label("BTC"),
        price: None,
        timeout_sec: Some(60),
        capability: None,
        payer_ref: None,
        worker: None,
        request: None,
    })))
}

fn credit(number: u64) -> Command {
    Command::Job(Box::new(JobCommand::Credit(CreditJob {
        job: job(number),
        asset: None,
        payment: Payment {
            amount: Amount(40),
            rail: label("bench"),
            id: label(&format!("payment-{number:012x}")),
        },
    })))
}

fn debit(number: u64) -> Command {
    Command::Job(Box::new(JobCommand::Debit(DebitJob {
        job: job(number),
        seq: 1,
        used: Used::Amount(Amount(30)),
        worker: None,
        rule: StopRule::default(),
    })))
}

fn close(number: u64) -> Command {
    let (job, reason) = (job(number), None);
    Command::Job(Box::new(JobCommand::Close(CloseJob { job, reason })))
}

/// What makes identities and the pool rich enough.
fn riches() -> Vec<Command> {
    let rule = GrantRule::Budget(Tier::Elite, Amount(PLENTY));
    let (change, expected) = (PolicyChange::Grants(rule), None);
    let mut riches = vec![
        Command::SetPolicy(SetPolicy { change, expected }),
        grant(GrantCommand::TopUp(TopUpPool {
            pool: None,
            paid: PaidBy {
                amount: Amount(PLENTY),
                rail: label("bench"),
                payment: label("plenty"),
            },
        })),
    ];
    riches.extend((0..IDENTITIES).map(|at| {
        let (identity, tier) = (label(&format!("identity-{at}")), Some(Tier::Elite));
        grant(GrantCommand::SetTier(SetTier { identity, tier }))
    }));
    riches
}

/// Commands per second of so many lives, each batch at the same step of its life.
fn lives(running: &Running, run: u64, steps: &[fn(u64) -> Command]) -> f64 {
    let from = run * BATCH * BATCHES;
    let batch = |at: u64, make: fn(u64) -> Command| {
        let numbers = from + at * BATCH..from + (at + 1) * BATCH;
        let batch = numbers.map(|number| submission(make(number)));
        batch.collect::<Vec<_>>()
    };
    let batches = (0..BATCHES).flat_map(|at| steps.iter().map(move |make| (at, *make)));
    let batches: Vec<_> = batches.map(|(at, make)| batch(at, make)).collect();
    let commands = batches.len() as u64 * BATCH;
    let began = Instant::now();
    for batch in batches {
        let replies = running.service.writer.submit_all_blocking(batch);
        assert!(replies.iter().all(Result::is_ok));
    }
    commands as f64 / began.elapsed().as_secs_f64()
}

fn middle(mut seen: Vec<f64>) -> f64 {
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}

fn row(figures: &mut Figures, name: &str, hot: f64, spread: f64) {
    let against = format!("{:.2} of spread jobs, {}", hot / spread, rate(spread));
    figures.row(name, rate(hot), against, ">= 0.90 of spread jobs");
}

/// In turns, so that both meet the same machine.
fn writer(figures: &mut Figures, data: &Path) {
    let running = Running::open(&Settings::new(data)).expect("it starts");
    let rich = riches().into_iter().map(submission).collect();
    let replies = running.service.writer.submit_all_blocking(rich);
    assert!(replies.iter().all(Result::is_ok));
    let (mut hot, mut spread) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        spread.push(lives(&running, run, &[open, credit, debit, close]));
        hot.push(lives(&running, run, &[decide, settle]));
    }
    let folds = running.service.view.read().grants.totals();
    assert_eq!(
        (folds.free, folds.decided),
        (RUNS * BATCH * BATCHES, folds.free)
    );
    let name = format!("hot pool, requests decided and settled, batches of {BATCH}");
    row(figures, &name, middle(hot), middle(spread));
    running.stop().expect("it stops");
}

/// The same with single commands over real HTTP.
fn http(figures: &mut Figures, data: &Path) {
    let server = Server::purser(data);
    let operator = key_of(data, "operator");
    let post = |path: &str, body: &Value| {
        load::once(
            server.address,
            &load::post(path, &operator, &body.to_string()),
        );
    };
    let plenty = PLENTY.to_string();
    post(
        "/v1/policy",
        &json!({"rule": "grant_budget_elite", "value": plenty}),
    );
    post(
        "/v1/pool/topups",
        &json!({"amount": plenty, "payment": "plenty"}),
    );
    let tier = |at| json!({"set_tier": {"identity": format!("identity-{at}"), "tier": "elite"}});
    post("/v1/commands", &(0..IDENTITIES).map(tier).collect());
    let (mut hot, mut spread) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        spread.push(driven(&server, data, move |at| one_of_jobs(run, at)));
        hot.push(driven(&server, data, move |at| one_of_requests(run, at)));
    }
    let name = format!("hot pool over HTTP, single commands, {CONNECTIONS} connections");
    row(figures, &name, middle(hot), middle(spread));
    server.stop();
}

/// Commands per second of these requests, each made from its connection and count.
fn driven(
    server: &Server,
    data: &Path,
    one: impl Fn((usize, u64)) -> (String, Value) + Clone + Send + Sync + 'static,
) -> f64 {
    let key = key_of(data, "coordinator");
    let seen = load::run(server.address, CONNECTIONS, PERIOD, move |number, count| {
        let (path, body) = one((number, count));
        load::post(&path, &key, &body.to_string())
    });
    seen.per_second()
}

fn one_of_requests(run: u64, (connection, count): (usize, u64)) -> (String, Value) {
    let request = format!("r{run}-{connection}-{}", count / 2);
    if count % 2 == 1 {
        let path = format!("/v1/grants/{request}/settle");
        return (path, json!({"actual": "30"}));
    }
    let identity = format!("identity-{}", (count * 7 + connection as u64) % IDENTITIES);
    let body = json!({"request": request, "identity": identity, "est": "40", "mode": "invoice"});
    ("/v1/grants/decide".to_owned(), body)
}

fn one_of_jobs(run: u64, (connection, count): (usize, u64)) -> (String, Value) {
    let number = count / 4;
    let job = format!("j{run}-{connection}-{number}");
    let payer = format!("payer-{}", (number * 7 + connection as u64) % PAYERS);
    let path = |verb: &str| format!("/v1/jobs/{job}/{verb}");
    match count % 4 {
        0 => {
            let body = json!({"job_id": job, "payer": payer, "asset": "BTC", "timeout_sec": 60});
            ("/v1/jobs".to_owned(), body)
        }
        1 => {
            let body = json!({
                "payer": payer, "amount": "40", "payment_id": format!("p-{job}"),
                "source": "bench",
            });
            (path("credits"), body)
        }
        2 => {
            let body = json!({"payer": payer, "amount": "30", "debit_seq": 1});
            (path("debits"), body)
        }
        _ => (path("close"), json!({"payer": payer})),
    }
}
