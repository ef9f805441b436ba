//! The records of history that decisions about grants look at.

use purser_events::Label;
use purser_projections::names::Names;
use purser_projections::recall::RecallKey;

use super::command::{GrantCommand, PaidBy};

impl GrantCommand {
    /// Names every record of history that the decision looks at. A rail without a number has no
    /// history yet.
    pub(crate) fn recall(&self, names: &Names, mut each: impl FnMut(RecallKey)) {
        if let Some(request) = self.request() {
            each(RecallKey::of_grant(request));
        }
        match self {
            Self::Confirm(confirm) => payment(names, &confirm.paid, each),
            Self::TopUp(top_up) => payment(names, &top_up.paid, each),
            Self::RefundCharge(one) => {
                each(RecallKey::of_charge_refund(&one.request, &one.refund));
            }
            _ => {}
        }
    }

    /// The request that it is about.
    const fn request(&self) -> Option<&Label> {
        match self {
            Self::Decide(one) => Some(&one.request),
            Self::Confirm(one) => Some(&one.request),
            Self::Settle(one) => Some(&one.request),
            Self::Release(one) => Some(&one.request),
            Self::RefundCharge(one) => Some(&one.request),
            Self::Find(request) => Some(request),
            Self::Expire(_)
            | Self::OpenPool(_)
            | Self::OrderPools(_)
            | Self::TopUp(_)
            | Self::SetTier(_) => None,
        }
    }
}

fn payment(names: &Names, paid: &PaidBy, mut each: impl FnMut(RecallKey)) {
    if let Some(rail) = names.rail(&paid.rail) {
        each(RecallKey::of_grant_payment(rail, &paid.payment));
        each(RecallKey::of_payment(rail, &paid.payment));
    }
}
