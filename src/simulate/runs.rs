//! The jobs of a simulated pool's coordinator, and how each one goes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::pool::SimulatedWorker;
use super::random::Random;
use crate::client::{Ask, Client, ClientError};

/// How many payers there are.
const PAYERS: u64 = 7;

/// How soon a job has to be done, in milliseconds.
const DEADLINE_MS: u64 = 20_000;

/// A job that the coordinator runs for a payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    payer: String,
    job_id: String,
    requirements: Value,
    hints: Value,
    units: u64,
    price_wei: u64,
    first: Course,
    took_ms: u64,
}

/// How it goes with the first worker that gets the job; with the next one it goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// The worker does it in time.
    Well,
    /// The worker does it, too late.
    Late,
    /// The worker has no room after all.
    Refused,
    /// The worker is lost half-way.
    Broken,
}

/// A job, and how many workers had it before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn<'a> {
    run: &'a Run,
    before: u32,
}

/// Whom a job went to, and the position of the match.
#[derive(Debug)]
pub(super) enum Found {
    /// This worker.
    Worker(String, u64),
    /// Nobody: all have no room, or had their part in it. A match that found nobody is recorded.
    Nobody(Option<u64>),
    /// It was done before: by the same pool, which was here already.
    Known,
}

/// What a match with `assign` answers.
#[derive(Deserialize)]
struct Assigned {
    assigned: Vec<String>,
    position: u64,
}

impl Found {
    fn of(mut made: Assigned) -> Self {
        match made.assigned.pop() {
            Some(worker) => Self::Worker(worker, made.position),
            None => Self::Nobody(Some(made.position)),
        }
    }
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worked {
    /// What the payer was charged, in wei.
    pub(super) charged_wei: u128,
    /// Whether another worker is needed.
    pub(super) again: bool,
    /// Where the log ended.
    pub(super) position: u64,
}

#[derive(Deserialize)]
struct Written {
    position: u64,
    #[serde(default)]
    charged: Option<String>,
}

impl Run {
    /// One of the jobs of a seed: for one of these workers it is as if made.
    pub(super) fn of(seed: u64, index: u32, workers: &[SimulatedWorker]) -> Self {
        let mut random = Random::new(seed ^ (u64::from(index) << 20) ^ 0x72_75_6e);
        let fits = &random.pick(workers).manifest;
        let mut hints = json!({"deadline_ms": DEADLINE_MS});
        if random.within(1, 3) == 1 {
            hints["region"] = fits["region"].clone();
        }
        let first = match random.within(1, 40) {
            1 => Course::Refused,
            2 => Course::Broken,
            3 => Course::Late,
            _ => Course::Well,
        };
        Self {
            payer: format!("sim-{seed}-payer-{}", random.within(1, PAYERS)),
            job_id: format!("sim-{seed}-run-{index}"),
            requirements: json!({
                "capabilities_all": [fits["capabilities"][0]],
                "min_vram_gb": random.within(4, 12),
            }),
            hints,
            units: random.within(5, 120),
            price_wei: random.within(1_000_000_000, 9_000_000_000),
            first,
            took_ms: random.within(200, DEADLINE_MS / 2),
        }
    }
}

impl<'a> Turn<'a> {
    /// The first turn of a job.
    pub(super) const fn first(run: &'a Run) -> Self {
        Self { run, before: 0 }
    }

    /// The turn after this one.
    pub(super) const fn next(self) -> Self {
        let before = self.before + 1;
        Self { before, ..self }
    }

    /// Looks for the best worker, and gives it the job.
    pub(super) async fn assign(self, client: &Client, seen: u64) -> Result<Found, ClientError> {
        let Run {
            requirements,
            hints,
            job_id,
            ..
        } = self.run;
        let body = json!({
            "job_id": job_id, "requirements": requirements, "hints": hints, "top_k": 3,
            "assign": true,
        });
        // What was reported before is part of the question: the same seed gives the same answers.
        let seen = seen.to_string();
        let ask = Ask {
            path: "/v1/match",
            query: &[("min_position", &seen)],
        };
        match client.post::<Assigned>(ask, &body).await {
            Ok(assigned) => Ok(Found::of(assigned)),
            Err(ClientError::Refused { code, .. }) if code == "job_completed" => Ok(Found::Known),
            Err(ClientError::Refused { code, .. }) if code == "candidates_gone" => {
                Ok(Found::Nobody(None))
            }
            Err(error) => Err(error),
        }
    }

    /// Does the job: opens it and takes the payer's money, charges what the worker did, reports how
    /// it went, and sweeps what is left.
    pub(super) async fn work(self, client: &Client, worker: &str) -> Result<Worked, ClientError> {
        let run = self.run;
        let course = if self.before == 0 {
            run.first
        } else {
            Course::Well
        };
        let mut worked = Worked::default();
        let report = |outcome: &str, more: Value| run.report(worker, outcome, more);
        if course == Course::Refused {
            let refused = report("rejected", json!({"fail_code": "busy"}));
            worked.add(post(client, "/v1/feedback", &refused).await?);
            worked.again = true;
            return Ok(worked);
        }
        post(client, "/v1/feedback", &report("accepted", json!({}))).await?;
        run.open(client).await?;
        // A worker that is lost has done a third; whoever comes next does the rest.
        let third = run.units / 3;
        let parts = match course {
            Course::Broken => vec![(1, third)],
            _ if self.before > 0 && run.first == Course::Broken => vec![(2, run.units - third)],
            _ => vec![(1, third), (2, run.units - third)],
        };
        for (debit_seq, units) in parts {
            let debit = json!({
                "payer": run.payer, "units": units, "debit_seq": debit_seq, "worker": worker,
            });
            worked.add(run.step(client, "debits", &debit).await?);
        }
        let (outcome, more) = match course {
            Course::Broken => ("failed", json!({"fail_code": "net_timeout"})),
            Course::Late => (
                "completed",
                json!({"latency_ms": DEADLINE_MS + run.took_ms}),
            ),
            _ => (
                "completed",
                json!({"latency_ms": run.took_ms, "tokens_spent": run.units}),
            ),
        };
        worked.add(post(client, "/v1/feedback", &report(outcome, more)).await?);
        worked.again = course == Course::Broken;
        if !worked.again {
            let close = json!({"payer": run.payer, "reason": "done"});
            worked.add(run.step(client, "close", &close).await?);
        }
        Ok(worked)
    }
}

impl Worked {
    fn add(&mut self, written: Written) {
        let charged = written.charged.and_then(|digits| digits.parse().ok());
        self.charged_wei += charged.unwrap_or(0u128);
        self.position = self.position.max(written.position);
    }
}

impl Run {
    /// Opens the job, and takes more of the payer's money for it than is used.
    async fn open(&self, client: &Client) -> Result<(), ClientError> {
        let price = json!({"num": self.price_wei.to_string()});
        let open = json!({"job_id": self.job_id, "payer": self.payer, "price": price});
        post(client, "/v1/jobs", &open).await?;
        let paid = u128::from(self.units) * u128::from(self.price_wei) * 5 / 4;
        let credit = json!({
            "payer": self.payer, "amount": paid.to_string(), "payment_id": self.job_id,
            "source": "simulated",
        });
        self.step(client, "credits", &credit).await?;
        Ok(())
    }

    fn report(&self, worker: &str, outcome: &str, mut more: Value) -> Value {
        more["job_id"] = self.job_id.as_str().into();
        more["miner_id"] = worker.into();
        more["outcome"] = outcome.into();
        more
    }

    async fn step(
        &self,
        client: &Client,
        step: &str,
        body: &Value,
    ) -> Result<Written, ClientError> {
        post(client, &format!("/v1/jobs/{}/{step}", self.job_id), body).await
    }
}

async fn post(client: &Client, path: &str, body: &Value) -> Result<Written, ClientError> {
    client.post(Ask { path, query: &[] }, body).await
}
