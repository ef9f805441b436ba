//! Payouts, and the key that signs them.

use purser_events::payout::{
    Draw, PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged, PayoutRequested,
    PayoutSent, PayoutSigned, Proof, Rail, SignerOpened, SignerStopped,
};
use purser_events::{AssetNo, PayoutNo};
use purser_projections::payouts::{failure_name, payout_id};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    pub(super) fn payout_requested(&mut self, requested: &PayoutRequested) {
        let PayoutRequested {
            payout,
            digest,
            rail,
            address,
            asset,
            draws,
            policy,
        } = requested;
        self.payout(*payout);
        self.object.text("payout_id", &payout_id(*payout, digest));
        self.rail(*rail);
        if let Some(address) = address {
            self.object.prefixed_hex("address", &address.0);
        }
        self.payout_asset(*asset);
        self.draws(draws);
        self.object.number("policy", policy.0);
    }

    /// The signed bytes are left out: they are long, and the chain shows them.
    pub(super) fn payout_signed(&mut self, signed: &PayoutSigned) {
        let PayoutSigned {
            payout,
            nonce,
            hash,
            max_fee,
            tip,
            gas_limit,
            raw: _,
        } = signed;
        self.payout(*payout);
        self.object.number("nonce", *nonce);
        self.object.prefixed_hex("tx_hash", hash);
        self.object.amount("max_fee_wei", max_fee.0);
        self.object.amount("tip_wei", tip.0);
        self.object.number("gas_limit", *gas_limit);
    }

    pub(super) fn payout_sent(&mut self, sent: &PayoutSent) {
        let PayoutSent { payout, proof } = sent;
        self.payout(*payout);
        match proof {
            Proof::Transaction(hash) => self.object.prefixed_hex("tx_hash", hash),
            Proof::Reference(reference) => self.object.text("reference", reference.as_str()),
        }
    }

    pub(super) fn payout_mined(&mut self, mined: &PayoutMined) {
        let PayoutMined {
            payout,
            hash,
            block,
            block_hash,
            succeeded,
            gas_used,
            gas_price,
        } = mined;
        self.payout(*payout);
        self.object.prefixed_hex("tx_hash", hash);
        self.object.number("block", *block);
        self.object.prefixed_hex("block_hash", block_hash);
        self.object.flag("succeeded", *succeeded);
        self.object.number("gas_used", *gas_used);
        self.object.amount("gas_price_wei", gas_price.0);
    }

    pub(super) fn payout_reorged(&mut self, reorged: &PayoutReorged) {
        let PayoutReorged { payout, block_hash } = reorged;
        self.payout(*payout);
        self.object.prefixed_hex("block_hash", block_hash);
    }

    pub(super) fn payout_final(&mut self, settled: &PayoutFinal) {
        let PayoutFinal {
            payout,
            rail,
            asset,
            amount,
            gas,
        } = settled;
        self.payout(*payout);
        self.rail(*rail);
        self.payout_asset(*asset);
        self.object.amount("amount", amount.0);
        self.object.amount("gas", gas.0);
    }

    pub(super) fn payout_failed(&mut self, failed: &PayoutFailed) {
        let PayoutFailed {
            payout,
            reason,
            asset,
            gas,
        } = failed;
        self.payout(*payout);
        self.object.text("reason", failure_name(*reason));
        self.payout_asset(*asset);
        self.object.amount("gas", gas.0);
    }

    pub(super) fn payout_released(&mut self, released: &PayoutReleased) {
        let PayoutReleased {
            payout,
            asset,
            draws,
        } = released;
        self.payout(*payout);
        self.payout_asset(*asset);
        self.draws(draws);
    }

    pub(super) fn signer_opened(&mut self, opened: &SignerOpened) {
        let SignerOpened {
            address,
            chain_id,
            nonce,
        } = opened;
        self.object.prefixed_hex("address", &address.0);
        self.object.number("chain_id", *chain_id);
        self.object.number("nonce", *nonce);
    }

    pub(super) fn signer_stopped(&mut self, stopped: &SignerStopped) {
        let SignerStopped { nonce, chain_nonce } = stopped;
        self.object.number("nonce", *nonce);
        self.object.number("chain_nonce", *chain_nonce);
    }

    fn payout(&mut self, payout: PayoutNo) {
        self.object.number("payout", payout.0);
    }

    fn rail(&mut self, rail: Rail) {
        let names = self.names;
        match rail {
            Rail::Chain => self.object.text("rail", "chain"),
            Rail::Other(rail) => self
                .object
                .quoted("rail", |out| name::rail(out, names, rail)),
        }
    }

    fn payout_asset(&mut self, asset: AssetNo) {
        let names = self.names;
        self.object
            .quoted("asset", |out| name::asset(out, names, asset));
    }

    fn draws(&mut self, draws: &[Draw]) {
        let names = self.names;
        let mut draws = draws.iter().peekable();
        let out = self.object.key("draws");
        out.push(b'[');
        while let Some(draw) = draws.next() {
            let mut object = crate::render::object::Object::new(out);
            object.quoted("worker", |out| name::worker(out, names, draw.worker));
            object.amount("amount", draw.amount.0);
            object.end();
            if draws.peek().is_some() {
                out.push(b',');
            }
        }
        out.push(b']');
    }
}
