//! Winners that wait to be redeemed.

use std::collections::BTreeMap;

use purser_events::ticket::{
    TicketParams, TicketSignature, TicketWon, WinnerReport, WinnerReported,
};
use purser_events::{Amount, JobNo, Micros, PayerNo, Recorded, WinnerNo, Word};
use serde::{Deserialize, Serialize};

use super::TicketSet;

/// A ticket that won and is not redeemed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Winner {
    /// Who pays.
    pub payer: PayerNo,
    /// The job that it paid for.
    pub job: JobNo,
    /// What it says beside its number.
    pub params: TicketParams,
    /// Its number among those of its set.
    pub nonce: u32,
    /// Its signature.
    pub signature: TicketSignature,
    /// When it came in.
    pub won_at: Micros,
    /// The transaction on its way, and when that was reported.
    pub submitted: Option<(Word, Micros)>,
}

/// Winners that wait, in the order that they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Winners {
    waiting: BTreeMap<WinnerNo, Winner>,
    amount: Amount,
}

impl Winners {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What those that wait pay together.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// The winner of this number, if it waits.
    #[must_use]
    pub fn get(&self, number: WinnerNo) -> Option<&Winner> {
        self.waiting.get(&number)
    }

    /// Those that wait, behind `after`.
    pub fn after(&self, after: WinnerNo) -> impl Iterator<Item = (WinnerNo, &Winner)> {
        let behind = WinnerNo(after.0 + 1)..;
        self.waiting
            .range(behind)
            .map(|(number, one)| (*number, one))
    }

    pub(super) fn add(&mut self, fact: Recorded<'_>, won: &TicketWon, set: &TicketSet) {
        assert_eq!(
            won.face_value, set.params.face_value,
            "a winner pays its face value"
        );
        let winner = Winner {
            payer: set.payer,
            job: set.job,
            params: set.params.clone(),
            nonce: won.nonce,
            signature: won.signature,
            won_at: fact.recorded_at,
            submitted: None,
        };
        self.amount = self.amount.plus(won.face_value);
        self.waiting.insert(fact.position.into(), winner);
    }

    pub(super) fn report(&mut self, fact: Recorded<'_>, reported: &WinnerReported) {
        let winner = self.waiting.get_mut(&reported.winner);
        let winner = winner.expect("what is reported of waits");
        assert_eq!(reported.face_value, winner.params.face_value);
        if let WinnerReport::Submitted(hash) = reported.report {
            winner.submitted = Some((hash, fact.recorded_at));
        } else {
            self.amount = self.amount.minus(reported.face_value);
            self.waiting.remove(&reported.winner);
        }
    }
}
