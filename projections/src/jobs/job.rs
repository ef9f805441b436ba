//! One open job.

use purser_events::paid::{Decision, JobDebited, JobOpened, JobRef, JobTerms, Used};
use purser_events::{Amount, AssetNo, JobNo, Label, Micros, PayerNo};
use serde::{Deserialize, Serialize};

/// One open job. Its balance is on its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub number: JobNo,
    /// Its id.
    pub id: Label,
    /// Its payer.
    pub payer: PayerNo,
    /// The asset that it is paid in.
    pub asset: AssetNo,
    /// What it was opened with.
    pub terms: JobTerms,
    /// What it used.
    pub units: u64,
    /// What it was charged for its units.
    pub charged_units: Amount,
    /// What it was charged for all.
    pub charged: Amount,
    /// What it got, less what of it settled its payer's debt.
    pub credited: Amount,
    /// The units that are held for it.
    pub held_units: u64,
    /// How often it was debited.
    pub debits: u64,
    /// Whether a debit was ever borne as grace.
    pub was_warned: bool,
    /// When it was opened.
    pub opened_at: Micros,
    /// When it was last opened, paid for, admitted or debited.
    pub touched_at: Micros,
}

impl Job {
    pub(super) fn new(number: JobNo, opened: &JobOpened, at: Micros) -> Self {
        Self {
            number,
            id: opened.id.clone(),
            payer: opened.payer,
            asset: opened.asset,
            terms: opened.terms.clone(),
            units: 0,
            charged_units: Amount::ZERO,
            charged: Amount::ZERO,
            credited: Amount::ZERO,
            held_units: 0,
            debits: 0,
            was_warned: false,
            opened_at: at,
            touched_at: at,
        }
    }

    pub(super) fn debit(&mut self, debited: &JobDebited) {
        if let Used::Units(units) = debited.used {
            let total = self.units.checked_add(units);
            self.units = total.expect("a job's units stay below 2^64");
            self.charged_units = self.charged_units.plus(debited.charged);
            // Units beyond those that were held were simply not held.
            self.held_units = self.held_units.saturating_sub(units);
        }
        self.charged = self.charged.plus(debited.charged);
        self.debits += 1;
        self.was_warned |= debited.decision == Decision::Grace;
    }

    /// How events name it.
    #[must_use]
    pub fn reference(&self) -> JobRef {
        JobRef {
            number: self.number,
            id: self.id.clone(),
            payer: self.payer,
            asset: self.asset,
        }
    }

    /// What further units would cost on top of what was charged for units so far. `None` when the
    /// job has no price, or the sum leaves the range of amounts.
    #[must_use]
    pub fn cost_of(&self, further: u64) -> Option<Amount> {
        let total = self.units.checked_add(further)?;
        let all = self.terms.price?.charge(total)?;
        Some(all.minus(self.charged_units))
    }

    /// What is held: the cost of the held units.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.cost_of(self.held_units).unwrap_or_default()
    }

    /// Whether nothing happened to it for longer than `idle_ms`, and for longer than it was meant
    /// to take.
    #[must_use]
    pub fn idle(&self, now: Micros, idle_ms: u32) -> bool {
        let timeout_ms = u64::from(self.terms.timeout_sec.unwrap_or(0)) * 1_000;
        let patience = u64::from(idle_ms).max(timeout_ms);
        now.millis() > self.touched_at.millis().saturating_add(patience)
    }
}
