//! A payout's whole history as one record, from its events alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use purser_events::payout::{
    Draw, PayoutFailed, PayoutFinal, PayoutMined, PayoutRequested, PayoutSent, PayoutSigned, Proof,
    Rail,
};
use purser_events::{Envelope, Event, Micros, PayoutNo};
use purser_projections::names::Names;
use purser_projections::payouts::{failure_name, payout_id, payout_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{name, text, time};

/// A payout, from its request to its end.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PayoutRecord {
    /// What it is known by.
    pub id: String,
    /// Its number.
    pub number: u32,
    /// `requested`, `signed`, `sent`, `mined`, `final`, `failed` or `released`.
    pub state: Cow<'static, str>,
    /// Why it failed; null where it did not.
    pub failure: Option<Cow<'static, str>>,
    /// `chain`, or the operator's word for another way of paying.
    pub rail: String,
    /// Where it goes to; null where the worker never said.
    pub address: Option<String>,
    /// What is paid.
    pub asset: String,
    /// How much, in base units.
    pub amount: String,
    /// Whose accounts pay for it.
    pub draws: Vec<DrawRecord>,
    /// The event that last changed a rule before it.
    pub policy: u64,
    /// The signer's nonce; null before it was signed, and for other ways of paying.
    pub nonce: Option<u64>,
    /// Every transaction that was signed for it, in order.
    pub transactions: Vec<TransactionRecord>,
    /// Where its transaction stands in the chain.
    pub block: Option<BlockRecord>,
    /// How often a block that held it was lost again.
    pub reorgs: u32,
    /// What the chain took for it, once it is final or failed, in base units.
    pub gas: Option<String>,
    /// The operator's reference to a payment made elsewhere.
    pub reference: Option<String>,
    /// When it was requested.
    pub requested_at: String,
    /// When its latest event was recorded.
    pub changed_at: String,
    /// The positions of its events.
    pub positions: Vec<u64>,
}

/// What one account pays.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DrawRecord {
    /// The worker.
    pub worker: String,
    /// How much, in base units.
    pub amount: String,
}

/// A transaction that was signed for a payout.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransactionRecord {
    /// Its hash.
    pub hash: String,
    /// The most that a unit of gas may cost, in wei.
    pub max_fee_wei: String,
    /// What of it goes to whoever makes the block, at most, in wei.
    pub tip_wei: String,
    /// The most units of gas that it may use.
    pub gas_limit: u64,
    /// When it was signed.
    pub signed_at: String,
}

/// Where a transaction stands in the chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BlockRecord {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: String,
    /// The transaction.
    pub transaction: String,
    /// Whether the value moved.
    pub succeeded: bool,
    /// Units of gas that were used.
    pub gas_used: u64,
    /// What a unit of gas cost, in wei.
    pub gas_price_wei: String,
}

/// Gathers the records of many payouts from their events, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct PayoutRecords {
    records: BTreeMap<PayoutNo, PayoutRecord>,
}

impl PayoutRecords {
    /// Adds an event; what tells of no payout is passed over.
    pub fn add(&mut self, envelope: &Envelope, names: &Names) {
        let Some(number) = payout_of(&envelope.event) else {
            return;
        };
        if let Event::PayoutRequested(requested) = &envelope.event {
            let record = PayoutRecord::new(requested, envelope.recorded_at, names);
            self.records.insert(number, record);
        }
        // A payout whose beginning was not read is not told.
        if let Some(record) = self.records.get_mut(&number) {
            record.add(envelope);
        }
    }

    /// The records, by number.
    #[must_use]
    pub fn into_records(self) -> Vec<PayoutRecord> {
        self.records.into_values().collect()
    }
}

impl PayoutRecord {
    fn new(requested: &PayoutRequested, at: Micros, names: &Names) -> Self {
        let total = requested.draws.iter().map(|draw| draw.amount.0);
        Self {
            id: payout_id(requested.payout, &requested.digest),
            number: requested.payout.0,
            state: "requested".into(),
            failure: None,
            rail: match requested.rail {
                Rail::Chain => "chain".into(),
                Rail::Other(rail) => written(|out| name::rail(out, names, rail)),
            },
            address: requested.address.map(|address| address.to_string()),
            asset: written(|out| name::asset(out, names, requested.asset)),
            amount: total.fold(0, u128::saturating_add).to_string(),
            draws: requested
                .draws
                .iter()
                .map(|draw| drawn(draw, names))
                .collect(),
            policy: requested.policy.0,
            nonce: None,
            transactions: Vec::new(),
            block: None,
            reorgs: 0,
            gas: None,
            reference: None,
            requested_at: moment(at),
            changed_at: moment(at),
            positions: Vec::new(),
        }
    }

    fn add(&mut self, envelope: &Envelope) {
        let at = envelope.recorded_at;
        match &envelope.event {
            Event::PayoutSigned(signed) => self.signed(signed, at),
            Event::PayoutSent(sent) => self.sent(sent),
            Event::PayoutMined(mined) => self.mined(mined),
            Event::PayoutReorged(_) => {
                self.state = "sent".into();
                self.block = None;
                self.reorgs += 1;
            }
            Event::PayoutFinal(settled) => self.settled(settled),
            Event::PayoutFailed(failed) => self.failed(failed),
            Event::PayoutReleased(_) => self.state = "released".into(),
            _ => {}
        }
        self.changed_at = moment(at);
        self.positions.push(envelope.position.0);
    }

    fn signed(&mut self, signed: &PayoutSigned, at: Micros) {
        if self.state == "requested" {
            self.state = "signed".into();
        }
        self.nonce = Some(signed.nonce);
        self.transactions.push(TransactionRecord {
            hash: prefixed(&signed.hash),
            max_fee_wei: signed.max_fee.to_string(),
            tip_wei: signed.tip.to_string(),
            gas_limit: signed.gas_limit,
            signed_at: moment(at),
        });
    }

    fn sent(&mut self, sent: &PayoutSent) {
        self.state = "sent".into();
        if let Proof::Reference(reference) = &sent.proof {
            self.reference = Some(reference.to_string());
        }
    }

    fn mined(&mut self, mined: &PayoutMined) {
        self.state = "mined".into();
        self.block = Some(BlockRecord {
            number: mined.block,
            hash: prefixed(&mined.block_hash),
            transaction: prefixed(&mined.hash),
            succeeded: mined.succeeded,
            gas_used: mined.gas_used,
            gas_price_wei: mined.gas_price.to_string(),
        });
    }

    fn settled(&mut self, settled: &PayoutFinal) {
        self.state = "final".into();
        self.gas = Some(settled.gas.to_string());
    }

    fn failed(&mut self, failed: &PayoutFailed) {
        self.state = "failed".into();
        self.failure = Some(failure_name(failed.reason).into());
        self.gas = Some(failed.gas.to_string());
    }
}

fn drawn(draw: &Draw, names: &Names) -> DrawRecord {
    DrawRecord {
        worker: written(|out| name::worker(out, names, draw.worker)),
        amount: draw.amount.to_string(),
    }
}

fn moment(at: Micros) -> String {
    written(|out| time::write_micros(out, at))
}

fn prefixed(bytes: &[u8]) -> String {
    written(|out| {
        out.extend_from_slice(b"0x");
        text::hex(out, bytes);
    })
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
