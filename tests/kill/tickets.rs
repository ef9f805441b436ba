//! Batches of signed tickets, each under parameters of its own.

use serde_json::{Value, json};

use crate::gateway::{Gateway, chain, encoded};
use crate::server::Http;

/// The job that tickets pay for.
pub(crate) const JOB: &str = "ticketed";

/// Tickets of each batch, and what one is worth in whole wei.
pub(crate) const TICKETS: u32 = 3;
pub(crate) const TICKET_WEI: u64 = 8_000_000_000;

const PRICE: (i64, i64) = (1_000_000_000, 1);

/// Who sends them.
pub(crate) fn gateway() -> Gateway {
    Gateway::named("purser/tests/killed")
}

/// A batch that is signed once, and sent until it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// What it is told from the others by in the log.
    pub(crate) number: u64,
    payment: String,
}

impl Batch {
    /// Asks for parameters and signs tickets; `None` where no whole answer came.
    pub(crate) async fn quoted(http: &Http, number: u64) -> Option<Self> {
        let gateway = gateway();
        let body = json!({
            "sender": gateway.address.to_string(), "job_id": JOB,
            "price": { "num": PRICE.0.to_string() }, "chain": chain(21_000_000),
        });
        let url = format!("{}/v1/quotes", http.url);
        let answer = http.coordinator.post(url).json(&body).send().await.ok()?;
        let status = answer.status();
        let quote: Value = answer.json().await.ok()?;
        assert_eq!(status, 200, "{quote}");
        let payment = gateway.payment(&quote["ticket_params"], PRICE, 1..=TICKETS);
        let payment = encoded(&payment);
        Some(Self { number, payment })
    }

    /// What is sent.
    pub(crate) fn body(&self) -> Value {
        let reference = self.number.to_string();
        json!({ "payment": self.payment, "job_id": JOB, "payer_ref": reference })
    }
}
