//! Payers, their funds, their jobs and slots.

use purser_events::paid::{
    CapabilityChanged, CapabilityDeclared, CloseReason, Decision, FundsTransferred, JobAdmitted,
    JobClosed, JobCredited, JobDebited, JobOpened, JobRef, JobTerms, SlotHolder, Used,
};
use purser_events::payer::{DebtSettled, FundsDeposited, PayerChose};
use purser_events::{Amount, AssetNo, Balance, CapabilityNo, Label, PayerNo, RailNo};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    pub(super) fn payer(&mut self, payer: PayerNo) {
        let names = self.names;
        self.object
            .quoted("payer", |out| name::payer(out, names, payer));
    }

    pub(super) fn asset(&mut self, asset: AssetNo) {
        let names = self.names;
        self.object
            .quoted("asset", |out| name::asset(out, names, asset));
    }

    pub(super) fn came_by(&mut self, rail: RailNo) {
        let names = self.names;
        self.object
            .quoted("rail", |out| name::rail(out, names, rail));
    }

    fn capability(&mut self, capability: CapabilityNo) {
        let names = self.names;
        self.object
            .quoted("capability", |out| name::capability(out, names, capability));
    }

    pub(super) fn job(&mut self, job: &JobRef) {
        let JobRef {
            number,
            id,
            payer,
            asset,
        } = job;
        self.object.number("job", number.0);
        self.object.text("job_id", id.as_str());
        self.payer(*payer);
        self.asset(*asset);
    }

    fn sum(&mut self, key: &str, amount: Amount) {
        self.object.amount(key, amount.0);
    }

    pub(super) fn balance(&mut self, balance: Balance) {
        let text = balance.to_string();
        self.object
            .plain("balance", |out| out.extend_from_slice(text.as_bytes()));
    }

    pub(super) fn optional(&mut self, key: &str, label: Option<&Label>) {
        if let Some(label) = label {
            self.object.text(key, label.as_str());
        }
    }

    pub(super) fn payer_chose(&mut self, chose: &PayerChose) {
        let PayerChose {
            payer,
            funds_at_open,
        } = chose;
        self.payer(*payer);
        self.object.flag("funds_at_open", *funds_at_open);
    }

    pub(super) fn deposited(&mut self, deposited: &FundsDeposited) {
        let FundsDeposited {
            payer,
            asset,
            amount,
            settled,
            rail,
            payment,
            funds,
        } = deposited;
        self.payer(*payer);
        self.asset(*asset);
        self.sum("amount", *amount);
        self.sum("settled", *settled);
        self.came_by(*rail);
        self.object.text("payment_id", payment.as_str());
        self.sum("funds", *funds);
    }

    pub(super) fn debt_settled(&mut self, settled: &DebtSettled) {
        let DebtSettled {
            payer,
            asset,
            amount,
            funds,
        } = settled;
        self.payer(*payer);
        self.asset(*asset);
        self.sum("amount", *amount);
        self.sum("funds", *funds);
    }

    pub(super) fn job_opened(&mut self, opened: &JobOpened) {
        let JobOpened {
            payer,
            id,
            asset,
            terms,
        } = opened;
        let JobTerms {
            price,
            timeout_sec,
            capability,
            payer_ref,
            worker,
        } = terms;
        self.object.text("job_id", id.as_str());
        self.payer(*payer);
        self.asset(*asset);
        if let Some(price) = price {
            self.object.object("price", |object| {
                object.amount("num", price.numerator().0);
                object.number("den", price.denominator());
            });
        }
        if let Some(timeout) = timeout_sec {
            self.object.number("timeout_sec", *timeout);
        }
        self.optional("capability", capability.as_ref());
        self.optional("payer_ref", payer_ref.as_ref());
        if let Some(worker) = worker {
            self.worker("worker", *worker);
        }
    }

    pub(super) fn job_credited(&mut self, credited: &JobCredited) {
        let JobCredited {
            job,
            amount,
            settled,
            rail,
            payment,
            balance,
        } = credited;
        self.job(job);
        self.sum("amount", *amount);
        self.sum("settled", *settled);
        self.came_by(*rail);
        self.object.text("payment_id", payment.as_str());
        self.balance(*balance);
    }

    pub(super) fn transferred(&mut self, transferred: &FundsTransferred) {
        let FundsTransferred {
            job,
            amount,
            transfer,
            balance,
        } = transferred;
        self.job(job);
        self.sum("amount", *amount);
        self.optional("transfer_id", transfer.as_ref());
        self.balance(*balance);
    }

    pub(super) fn job_admitted(&mut self, admitted: &JobAdmitted) {
        let JobAdmitted {
            job,
            units,
            held,
            balance,
        } = admitted;
        self.job(job);
        self.object.number("units", *units);
        self.sum("held", *held);
        self.balance(*balance);
    }

    pub(super) fn job_debited(&mut self, debited: &JobDebited) {
        let JobDebited {
            job,
            seq,
            used,
            charged,
            worker,
            split,
            total_units,
            balance,
            decision,
        } = debited;
        self.job(job);
        self.object.number("debit_seq", *seq);
        match used {
            Used::Units(units) => self.object.number("units", *units),
            Used::Amount(amount) => self.sum("amount", *amount),
        }
        self.sum("charged", *charged);
        if let Some(worker) = worker {
            self.worker("worker", *worker);
            self.split(["policy", "commission_bps"], *split);
            let share = split.commission.share_of_amount(*charged);
            self.sum("commission", share);
            self.sum("net", charged.minus(share));
        }
        self.object.number("total_units", *total_units);
        self.balance(*balance);
        self.object.text("decision", decision_word(*decision));
    }

    pub(super) fn job_closed(&mut self, closed: &JobClosed) {
        let JobClosed {
            job,
            reason,
            settled,
            swept,
            debt,
            units,
            charged,
            credited,
        } = closed;
        self.job(job);
        match reason {
            CloseReason::Asked(reason) => self.optional("reason", reason.as_ref()),
            CloseReason::Idle => self.object.flag("idle", true),
        }
        self.sum("settled", *settled);
        self.sum("swept", *swept);
        self.sum("debt", *debt);
        self.object.number("units", *units);
        self.sum("charged", *charged);
        self.sum("credited", *credited);
    }

    pub(super) fn capability_declared(&mut self, declared: &CapabilityDeclared) {
        let CapabilityDeclared {
            capability: _,
            name,
            slots,
        } = declared;
        self.object.text("capability", name.as_str());
        self.object.number("slots", *slots);
    }

    pub(super) fn capability_changed(&mut self, changed: &CapabilityChanged) {
        let CapabilityChanged { capability, slots } = changed;
        self.capability(*capability);
        match slots {
            Some(slots) => self.object.number("slots", *slots),
            None => self.object.null("slots"),
        }
    }

    pub(super) fn slot(&mut self, capability: CapabilityNo, holder: &SlotHolder) {
        let SlotHolder { job_id, payer } = holder;
        self.capability(capability);
        self.object.text("job_id", job_id.as_str());
        if let Some(payer) = payer {
            self.payer(*payer);
        }
    }
}

/// The word for a decision.
const fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Run => "run",
        Decision::Grace => "grace",
        Decision::Stop => "stop",
    }
}
