//! Payouts that are not finished, what was paid to whom, and the signer.
//!
//! A payout that is final or released leaves memory; its history is found by the index of ids.

mod open;
mod rows;
mod signer;

use std::collections::BTreeMap;

use purser_events::payout::{
    FailureReason, PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged,
    PayoutRequested, PayoutSent, PayoutSigned, Rail,
};
use purser_events::{Amount, AssetNo, Event, Micros, PayoutNo, Recorded, WorkerNo};
use serde::{Deserialize, Serialize};

pub use open::{Attempt, Mined, OpenPayout, PayoutState, parse_payout_id, payout_id};
pub use rows::{DAY_US, DayTotal, PaidRow};
pub use signer::{Signer, Stop};

/// Payouts that are not finished, what was paid to whom, and the signer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payouts {
    requested: u32,
    open: BTreeMap<PayoutNo, OpenPayout>,
    nonces: BTreeMap<u64, PayoutNo>,
    rows: BTreeMap<(AssetNo, WorkerNo), PaidRow>,
    day: DayTotal,
    signer: Option<Signer>,
    finished: BTreeMap<AssetNo, Finished>,
}

/// What the finished payouts of an asset come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Payouts that are final.
    pub count: u64,
    /// Their amounts.
    pub amount: Amount,
    /// Payouts that were given up.
    pub released: u64,
    /// What the chain took, for failed ones too.
    pub gas: Amount,
}

impl Payouts {
    /// Folds one event in.
    ///
    /// # Panics
    /// When the event does not follow from the payout's state: history that `decide` could not
    /// have written.
    pub(crate) fn apply(&mut self, fact: Recorded<'_>) {
        match fact.event {
            Event::PayoutRequested(requested) => self.requested(fact, requested),
            Event::PayoutSigned(signed) => self.signed(fact, signed),
            Event::PayoutSent(sent) => self.sent(sent),
            Event::PayoutMined(mined) => self.mined(mined),
            Event::PayoutReorged(reorged) => self.reorged(reorged),
            Event::PayoutFinal(settled) => self.settled(settled),
            Event::PayoutFailed(failed) => self.failed(failed),
            Event::PayoutReleased(released) => self.released(released),
            Event::SignerOpened(opened) => self.signer = Some(Signer::opened(opened)),
            Event::SignerStopped(stopped) => self.signer_mut().stop(stopped),
            Event::SignerResumed(resumed) => self.signer_mut().resume(resumed.nonce),
            _ => {}
        }
    }

    fn requested(&mut self, fact: Recorded<'_>, requested: &PayoutRequested) {
        let number = PayoutNo::following(self.requested as usize);
        assert_eq!(requested.payout, number, "payouts are numbered densely");
        assert!(!requested.draws.is_empty(), "a payout draws on an account");
        assert!(
            requested.rail != Rail::Chain || requested.address.is_some(),
            "a payout on chain has an address"
        );
        self.requested += 1;
        for draw in &requested.draws {
            assert!(draw.amount > Amount::ZERO, "a draw is more than nothing");
            let row = self.rows.entry((requested.asset, draw.worker)).or_default();
            row.in_flight = row.in_flight.plus(draw.amount);
            row.requested_at = fact.recorded_at;
        }
        let payout = OpenPayout::new(fact, requested);
        if requested.rail == Rail::Chain {
            self.day.add(fact.recorded_at, payout.amount);
        }
        self.open.insert(number, payout);
    }

    fn signed(&mut self, fact: Recorded<'_>, signed: &PayoutSigned) {
        let payout = self
            .open
            .get_mut(&signed.payout)
            .expect("the payout is open");
        if payout.nonce.is_none() {
            let signer = self.signer.as_mut().expect("the signer is open");
            assert_eq!(signed.nonce, signer.next_nonce, "nonces are used in order");
            signer.next_nonce += 1;
            let before = self.nonces.insert(signed.nonce, signed.payout);
            assert!(before.is_none(), "a nonce is one payout's");
        }
        payout.sign(fact, signed);
    }

    fn sent(&mut self, sent: &PayoutSent) {
        self.open_mut(sent.payout).send(sent);
    }

    fn mined(&mut self, mined: &PayoutMined) {
        self.open_mut(mined.payout).mine(mined);
    }

    fn reorged(&mut self, reorged: &PayoutReorged) {
        self.open_mut(reorged.payout).reorg(reorged);
    }

    fn settled(&mut self, settled: &PayoutFinal) {
        let payout = self.close(settled.payout);
        assert_eq!(
            (payout.rail, payout.asset, payout.amount),
            (settled.rail, settled.asset, settled.amount),
            "exactly what was requested is paid"
        );
        assert!(payout.may_settle(), "only what landed is final");
        for draw in &payout.draws {
            let row = self.row_mut(payout.asset, draw.worker);
            row.in_flight = row.in_flight.minus(draw.amount);
            row.paid = row.paid.plus(draw.amount);
        }
        let finished = self.finished.entry(settled.asset).or_default();
        finished.count += 1;
        finished.amount = finished.amount.plus(settled.amount);
        finished.gas = finished.gas.plus(settled.gas);
    }

    fn failed(&mut self, failed: &PayoutFailed) {
        let payout = self.open_mut(failed.payout);
        payout.fail(failed.reason);
        let nonce = payout.nonce.expect("only a signed payout fails");
        self.nonces.remove(&nonce);
        let finished = self.finished.entry(failed.asset).or_default();
        finished.gas = finished.gas.plus(failed.gas);
    }

    fn released(&mut self, released: &PayoutReleased) {
        let payout = self.close(released.payout);
        assert!(payout.may_release(), "what may still land is not released");
        assert_eq!(payout.draws, released.draws, "what was held is released");
        for draw in &payout.draws {
            let row = self.row_mut(payout.asset, draw.worker);
            row.in_flight = row.in_flight.minus(draw.amount);
        }
        self.finished.entry(released.asset).or_default().released += 1;
    }

    fn close(&mut self, number: PayoutNo) -> OpenPayout {
        let payout = self.open.remove(&number).expect("the payout is open");
        if let Some(nonce) = payout.nonce {
            self.nonces.remove(&nonce);
        }
        payout
    }

    fn open_mut(&mut self, number: PayoutNo) -> &mut OpenPayout {
        self.open.get_mut(&number).expect("the payout is open")
    }

    fn row_mut(&mut self, asset: AssetNo, worker: WorkerNo) -> &mut PaidRow {
        let row = self.rows.get_mut(&(asset, worker));
        row.expect("what is paid was requested")
    }

    fn signer_mut(&mut self) -> &mut Signer {
        self.signer.as_mut().expect("the signer is open")
    }

    /// How many payouts were ever requested: the number of the next one.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.requested
    }

    /// A payout that is not finished.
    #[must_use]
    pub fn open(&self, number: PayoutNo) -> Option<&OpenPayout> {
        self.open.get(&number)
    }

    /// Every payout that is not finished, by number.
    pub fn all_open(&self) -> impl Iterator<Item = (PayoutNo, &OpenPayout)> {
        self.open.iter().map(|(number, payout)| (*number, payout))
    }

    /// Every payout whose transaction may still land, by nonce.
    pub fn signed_payouts(&self) -> impl Iterator<Item = (PayoutNo, &OpenPayout)> {
        self.nonces
            .values()
            .map(|number| (*number, &self.open[number]))
    }

    /// What was paid and what is on its way to a worker.
    #[must_use]
    pub fn row(&self, asset: AssetNo, worker: WorkerNo) -> PaidRow {
        self.rows.get(&(asset, worker)).copied().unwrap_or_default()
    }

    /// What was paid and what is on its way, over all workers.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<(AssetNo, WorkerNo), PaidRow> {
        &self.rows
    }

    /// What was requested on chain on the day of `at`.
    #[must_use]
    pub fn requested_on_day(&self, at: Micros) -> Amount {
        self.day.of(at)
    }

    /// The key that signs, once one was opened.
    #[must_use]
    pub const fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// What the finished payouts of an asset come to.
    #[must_use]
    pub fn finished(&self, asset: AssetNo) -> Finished {
        self.finished.get(&asset).copied().unwrap_or_default()
    }

    /// What is on its way in an asset, over all workers: what `payouts:in_flight` holds.
    #[must_use]
    pub fn in_flight(&self, asset: AssetNo) -> Amount {
        let open = self.open.values().filter(|payout| payout.asset == asset);
        open.fold(Amount::ZERO, |sum, payout| sum.plus(payout.amount))
    }

    /// Payouts that wait for a person.
    #[must_use]
    pub fn failures(&self) -> usize {
        let failed = |payout: &&OpenPayout| matches!(payout.state, PayoutState::Failed(_));
        self.open.values().filter(failed).count()
    }
}

/// The payout that an event tells of.
#[must_use]
pub const fn payout_of(event: &Event) -> Option<PayoutNo> {
    Some(match event {
        Event::PayoutRequested(one) => one.payout,
        Event::PayoutSigned(one) => one.payout,
        Event::PayoutSent(one) => one.payout,
        Event::PayoutMined(one) => one.payout,
        Event::PayoutReorged(one) => one.payout,
        Event::PayoutFinal(one) => one.payout,
        Event::PayoutFailed(one) => one.payout,
        Event::PayoutReleased(one) => one.payout,
        _ => return None,
    })
}

/// The word for a reason.
#[must_use]
pub const fn failure_name(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Reverted => "reverted",
        FailureReason::NonceUsed => "nonce_used",
    }
}
