//! The records of history that decisions about jobs look at.

use purser_events::Label;
use purser_projections::names::Names;
use purser_projections::recall::RecallKey;

use super::command::{JobCommand, JobName, Payment};

impl JobCommand {
    /// Names every record of history that the decision looks at. A name without a number has no
    /// history yet.
    pub(crate) fn recall(&self, names: &Names, mut each: impl FnMut(RecallKey)) {
        match self {
            Self::Open(open) => {
                job(names, &open.job, &mut each);
                open.request.iter().map(RecallKey::of_grant).for_each(each);
            }
            Self::Credit(credit) => {
                job(names, &credit.job, &mut each);
                payment(names, &credit.payment, each);
            }
            Self::Deposit(deposit) => payment(names, &deposit.payment, each),
            Self::Transfer(transfer) => {
                job(names, &transfer.job, &mut each);
                if let Some(id) = &transfer.transfer {
                    with_payer(names, &transfer.job.payer, |payer| {
                        each(RecallKey::of_transfer(payer, id));
                    });
                }
            }
            Self::Admit(admit) => job(names, &admit.job, each),
            Self::Debit(debit) => {
                job(names, &debit.job, &mut each);
                with_payer(names, &debit.job.payer, |payer| {
                    each(RecallKey::of_debit(payer, &debit.job.id, debit.seq));
                });
            }
            Self::Close(close) => job(names, &close.job, each),
            Self::Find(name) => job(names, name, each),
            Self::Settle(_)
            | Self::Choose(_)
            | Self::CloseIdle(_)
            | Self::DeclareCapability(_)
            | Self::RemoveCapability(_)
            | Self::ReserveSlot(_)
            | Self::FreeSlot(_) => {}
        }
    }
}

fn with_payer(names: &Names, payer: &Label, each: impl FnOnce(purser_events::PayerNo)) {
    if let Some(payer) = names.payer(payer) {
        each(payer);
    }
}

fn job(names: &Names, job: &JobName, mut each: impl FnMut(RecallKey)) {
    with_payer(names, &job.payer, |payer| {
        each(RecallKey::of_job(payer, &job.id));
    });
}

fn payment(names: &Names, payment: &Payment, mut each: impl FnMut(RecallKey)) {
    if let Some(rail) = names.rail(&payment.rail) {
        each(RecallKey::of_payment(rail, &payment.id));
        each(RecallKey::of_grant_payment(rail, &payment.id));
    }
}
