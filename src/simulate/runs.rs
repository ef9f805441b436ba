//! What the coordinator of a simulated pool does: jobs of payers, paid for, run and charged.

use serde::Deserialize;
use serde_json::{Value, json};

use super::random::Random;
use crate::client::{Ask, Client, ClientError};

/// How many payers there are.
const PAYERS: u64 = 7;

/// A job that the coordinator runs for a payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    payer: String,
    job_id: String,
    worker: String,
    units: u64,
    price_wei: u64,
}

#[derive(Deserialize)]
struct Written {
    position: u64,
}

impl Run {
    /// One of the jobs of a seed.
    pub(super) fn of(seed: u64, index: u32, workers: &[String]) -> Self {
        let mut random = Random::new(seed ^ (u64::from(index) << 20) ^ 0x72_75_6e);
        Self {
            payer: format!("sim-{seed}-payer-{}", random.within(1, PAYERS)),
            job_id: format!("sim-{seed}-run-{index}"),
            worker: workers[random.index(workers.len())].clone(),
            units: random.within(5, 120),
            price_wei: random.within(1_000_000_000, 9_000_000_000),
        }
    }

    /// Opens the job, takes the payer's money for it, charges the work, and sweeps what is left.
    /// Answers where the log ended.
    pub(super) async fn drive(&self, client: &Client) -> Result<u64, ClientError> {
        let (payer, worker) = (&self.payer, &self.worker);
        // The payer pays for more than is used.
        let paid = (u128::from(self.units) * u128::from(self.price_wei) * 5 / 4).to_string();
        let price = json!({"num": self.price_wei.to_string()});
        let open = json!({
            "job_id": self.job_id, "payer": payer, "price": price, "worker": worker,
        });
        post(client, "/v1/jobs", &open).await?;
        let credit = json!({
            "payer": payer, "amount": paid, "payment_id": self.job_id, "source": "simulated",
        });
        self.step(client, "credits", &credit).await?;
        let debit = json!({"payer": payer, "units": self.units, "debit_seq": 1});
        self.step(client, "debits", &debit).await?;
        let close = json!({"payer": payer, "reason": "done"});
        self.step(client, "close", &close).await
    }

    async fn step(&self, client: &Client, step: &str, body: &Value) -> Result<u64, ClientError> {
        post(client, &format!("/v1/jobs/{}/{step}", self.job_id), body).await
    }
}

async fn post(client: &Client, path: &str, body: &Value) -> Result<u64, ClientError> {
    let ask = Ask { path, query: &[] };
    let written: Written = client.post(ask, body).await?;
    Ok(written.position)
}
