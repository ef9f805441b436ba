//! A job as it is read.

use purser_events::paid::{CloseReason, JobClosed, JobTerms};
use purser_events::{Amount, AssetNo, Balance, Envelope, Event, Label, Micros, PayerNo};
use purser_projections::Projections;
use purser_projections::accounts::Account;
use purser_projections::jobs::Job;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::time::rfc3339;

/// What a unit costs: `num / den` base units of the asset.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceView {
    /// A text of digits.
    num: String,
    /// From 1 to 1000000000.
    den: u32,
}

/// One job. Amounts are texts of digits in base units of its asset.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    job_id: String,
    payer: String,
    /// `open` or `closed`.
    state: &'static str,
    asset: String,
    /// What a unit costs; null where it is debited by amount only.
    price: Option<PriceView>,
    timeout_sec: Option<u32>,
    capability: Option<String>,
    payer_ref: Option<String>,
    /// Who earns what it is debited; null where nobody is named.
    worker: Option<String>,
    /// What stands on its account; below zero with a minus.
    balance: String,
    /// Units that are held for it.
    held_units: u64,
    /// What they cost.
    held: String,
    /// What it used.
    units: u64,
    /// What it was charged.
    charged: String,
    /// What it got, less what of it settled its payer's debt.
    credited: String,
    opened_at: String,
    /// The position that opened it.
    opened_position: u64,
    /// When it was last opened, paid for, admitted or debited; null when it is closed.
    touched_at: Option<String>,
    /// How it ended; null while it is open.
    closed: Option<ClosedView>,
}

/// How a job ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClosedView {
    closed_at: String,
    /// The position that closed it.
    position: u64,
    /// Whether it was closed because nothing happened to it.
    idle: bool,
    reason: Option<String>,
    /// What of the rest went to the payer's funds.
    swept: String,
    /// What of the rest settled what the payer owed.
    settled: String,
    /// What was missing: the payer owes it.
    debt: String,
}

/// What the views of open and closed jobs share.
struct Common<'a> {
    folds: &'a Projections,
    id: &'a Label,
    payer: PayerNo,
    asset: AssetNo,
    terms: &'a JobTerms,
    opened: (u64, Micros),
}

impl Common<'_> {
    fn view(&self) -> JobView {
        let (names, terms) = (&self.folds.names, self.terms);
        let text = |label: &Option<Label>| label.as_ref().map(Label::to_string);
        let worker = terms
            .worker
            .and_then(|one| names.workers().get(one.index()));
        let payer = names.payers().get(self.payer.index());
        JobView {
            job_id: self.id.to_string(),
            payer: payer.map(Label::to_string).unwrap_or_default(),
            state: "open",
            asset: names.asset_code(self.asset),
            price: terms.price.map(|price| PriceView {
                num: price.numerator().to_string(),
                den: price.denominator(),
            }),
            timeout_sec: terms.timeout_sec,
            capability: text(&terms.capability),
            payer_ref: text(&terms.payer_ref),
            worker: worker.map(ToString::to_string),
            balance: Balance::default().to_string(),
            held_units: 0,
            held: Amount::ZERO.to_string(),
            units: 0,
            charged: Amount::ZERO.to_string(),
            credited: Amount::ZERO.to_string(),
            opened_at: rfc3339(self.opened.1),
            opened_position: self.opened.0,
            touched_at: None,
            closed: None,
        }
    }
}

impl JobView {
    /// An open job.
    pub(crate) fn open(folds: &Projections, job: &Job) -> Self {
        let common = Common {
            folds,
            id: &job.id,
            payer: job.payer,
            asset: job.asset,
            terms: &job.terms,
            opened: (job.number.0, job.opened_at),
        };
        let account = Account::Job(job.number);
        Self {
            balance: folds.accounts.balance(job.asset, account).to_string(),
            held_units: job.held_units,
            held: job.held().to_string(),
            units: job.units,
            charged: job.charged.to_string(),
            credited: job.credited.to_string(),
            touched_at: Some(rfc3339(job.touched_at)),
            ..common.view()
        }
    }

    /// A closed job, from the event that opened it and the one that closed it; `None` when they
    /// are others.
    pub(crate) fn closed(
        folds: &Projections,
        opened: &Envelope,
        closed: &Envelope,
    ) -> Option<Self> {
        let (Event::JobOpened(begun), Event::JobClosed(ended)) = (&opened.event, &closed.event)
        else {
            return None;
        };
        let common = Common {
            folds,
            id: &begun.id,
            payer: begun.payer,
            asset: begun.asset,
            terms: &begun.terms,
            opened: (opened.position.0, opened.recorded_at),
        };
        Some(Self {
            state: "closed",
            units: ended.units,
            charged: ended.charged.to_string(),
            credited: ended.credited.to_string(),
            closed: Some(ClosedView::of(closed, ended)),
            ..common.view()
        })
    }
}

impl ClosedView {
    fn of(envelope: &Envelope, ended: &JobClosed) -> Self {
        let reason = match &ended.reason {
            CloseReason::Asked(reason) => reason.as_ref().map(Label::to_string),
            CloseReason::Idle => None,
        };
        Self {
            closed_at: rfc3339(envelope.recorded_at),
            position: envelope.position.0,
            idle: ended.reason == CloseReason::Idle,
            reason,
            swept: ended.swept.to_string(),
            settled: ended.settled.to_string(),
            debt: ended.debt.to_string(),
        }
    }
}
