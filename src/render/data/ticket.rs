//! Signed tickets: the chain, sets of parameters, batches, winners.

use purser_events::ticket::{
    ChainObserved, SenderObserved, TicketSetOpened, TicketWon, TicketsTaken, WinnerReport,
    WinnerReported,
};

use super::Data;
use crate::render::object::Object;
use crate::render::text;

impl Data<'_, '_> {
    pub(super) fn chain(&mut self, seen: &ChainObserved) {
        self.object.number("l1_block", seen.l1_block);
        self.object.number("round", seen.round);
        self.object.prefixed_hex("round_hash", &seen.round_hash.0);
        self.object.amount("gas_price_wei", seen.gas_price.0);
        self.object.flag("recipient_active", seen.recipient_active);
    }

    pub(super) fn sender(&mut self, seen: &SenderObserved) {
        let funds = &seen.funds;
        self.payer(seen.payer);
        self.object.amount("deposit_wei", funds.deposit.0);
        self.object.amount("reserve_wei", funds.reserve.0);
        self.object.amount("claimed_wei", funds.claimed.0);
        self.object
            .amount("claimed_by_us_wei", funds.claimed_by_us.0);
        self.object.number("recipients", funds.recipients);
        self.object.amount("pending_wei", funds.pending.0);
        self.object.number("unlock_round", funds.unlock_round);
    }

    pub(super) fn ticket_set(&mut self, opened: &TicketSetOpened) {
        let params = &opened.params;
        self.payer(opened.payer);
        self.object.number("job", opened.job.0);
        self.object.prefixed_hex("sender", &params.sender.0);
        self.object.prefixed_hex("recipient", &params.recipient.0);
        self.object.amount("face_value_wei", params.face_value.0);
        let win_prob = params.win_prob.to_string();
        self.object.text("win_prob", &win_prob);
        self.object
            .prefixed_hex("recipient_rand_hash", &params.rand_hash.0);
        self.object.prefixed_hex("seed", &params.seed.0);
        self.object.number("secret", params.secret);
        self.object
            .number("expiration_block", params.expiration_block);
        self.object.number("round", params.round);
        self.object.prefixed_hex("round_hash", &params.round_hash.0);
        self.object
            .number("price_numerator", params.price_numerator);
        self.object
            .number("price_denominator", params.price_denominator);
    }

    pub(super) fn tickets_taken(&mut self, taken: &TicketsTaken) {
        self.object.number("set", taken.set.0);
        self.job(&taken.job);
        self.object.hex("payment", &taken.payment);
        let out = self.object.key("verdicts");
        out.push(b'[');
        for (at, run) in taken.verdicts.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let mut one = Object::new(out);
            one.number("nonce", run.nonce);
            one.number("count", run.count);
            one.text("verdict", run.verdict.as_str());
            one.end();
        }
        out.push(b']');
        self.object.number("winners", taken.winners);
        self.object.amount("credited", taken.credited.0);
        self.object.amount("settled", taken.settled.0);
        self.optional("payer_ref", taken.payer_ref.as_ref());
        self.balance(taken.balance);
    }

    pub(super) fn ticket_won(&mut self, won: &TicketWon) {
        self.object.number("set", won.set.0);
        self.object.number("nonce", won.nonce);
        self.object
            .prefixed_hex("signature", &won.signature.to_bytes());
        self.object.amount("face_value_wei", won.face_value.0);
    }

    pub(super) fn winner(&mut self, reported: &WinnerReported) {
        self.object.number("winner", reported.winner.0);
        self.object.amount("face_value_wei", reported.face_value.0);
        self.object.text("state", reported.report.as_str());
        match &reported.report {
            WinnerReport::Submitted(hash) | WinnerReport::Redeemed(hash) => {
                self.object.plain("tx_hash", |out| {
                    out.extend_from_slice(b"0x");
                    text::hex(out, &hash.0);
                });
            }
            WinnerReport::Failed(reason) => self.object.text("reason", reason.as_str()),
        }
    }
}
