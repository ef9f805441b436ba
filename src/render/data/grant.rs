//! Grants, pools of generosity, and the payments around them.

use purser_events::grant::{
    ChargeRefunded, Earner, GrantConfirmed, GrantDecided, GrantExpired, GrantJoined, GrantOverran,
    GrantReleased, GrantRule, GrantSettled, GrantVoided, Party, PaymentRefunded, PoolOpened,
    PoolToppedUp, PoolsOrdered, Refund, SettledShare, Share, TierSet,
};
use purser_events::{AssetNo, GrantNo, Label, PoolNo};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    pub(super) fn grant_rule(&mut self, rule: GrantRule) {
        match rule {
            GrantRule::Budget(tier, amount) => {
                self.object
                    .amount(&format!("grant_budget_{}", tier.as_str()), amount.0);
            }
            GrantRule::Score(tier, score) => {
                self.object
                    .number(&format!("grant_score_{}", tier.as_str()), score);
            }
            GrantRule::Paid(tier, amount) => {
                self.object
                    .amount(&format!("grant_paid_{}", tier.as_str()), amount.0);
            }
            GrantRule::PaidShare(share) => self.object.number("grant_paid_share_bps", share.get()),
            GrantRule::CreditShare(share) => {
                self.object.number("grant_credit_bps", share.get());
            }
            GrantRule::QuoteTtlMs(ttl) => self.object.number("grant_quote_ttl_ms", ttl),
            GrantRule::HoldTtlMs(ttl) => self.object.number("grant_hold_ttl_ms", ttl),
        }
    }

    pub(super) fn pool_opened(&mut self, opened: &PoolOpened) {
        let PoolOpened {
            pool,
            name: _,
            asset,
            seed,
            rail,
        } = opened;
        self.pool(*pool);
        self.asset(*asset);
        self.object.amount("seed", seed.0);
        self.came_by(*rail);
    }

    pub(super) fn pools_ordered(&mut self, ordered: &PoolsOrdered) {
        let PoolsOrdered { order } = ordered;
        let names = self.names.pools();
        let names = order.iter().filter_map(|pool| names.get(pool.index()));
        let names: Vec<Label> = names.cloned().collect();
        self.object.labels("order", &names);
    }

    pub(super) fn pool_topped_up(&mut self, one: &PoolToppedUp) {
        let PoolToppedUp {
            pool,
            asset,
            amount,
            rail,
            payment,
        } = one;
        self.pool(*pool);
        self.asset(*asset);
        self.object.amount("amount", amount.0);
        self.came_by(*rail);
        self.object.text("payment", payment.as_str());
    }

    pub(super) fn tier_set(&mut self, one: &TierSet) {
        let TierSet { identity, tier } = one;
        self.object.text("identity", identity.as_str());
        match tier {
            Some(tier) => self.object.text("tier", tier.as_str()),
            None => self.object.null("tier"),
        }
    }

    pub(super) fn grant_decided(&mut self, decided: &GrantDecided) {
        let GrantDecided {
            grant,
            request,
            identity,
            tier,
            est,
            mode,
            serve,
            absorb,
            charge,
            reason,
            asset,
            holds,
            payer,
            valid_ms,
            available,
        } = decided;
        self.grant(*grant, request);
        if let Some(identity) = identity {
            self.object.text("identity", identity.as_str());
        }
        if let Some(tier) = tier {
            self.object.text("tier", tier.as_str());
        }
        self.asset(*asset);
        self.object.amount("est", est.0);
        self.object.text("mode", mode.as_str());
        self.object.text("serve", serve.as_str());
        self.object.amount("absorb", absorb.0);
        self.object.amount("charge", charge.0);
        if let Some(reason) = reason {
            self.object.text("reason", reason.as_str());
        }
        self.shares_of("holds", holds);
        if let Some(payer) = payer {
            self.payer(*payer);
        }
        self.object.number("valid_ms", *valid_ms);
        self.object.amount("available", available.0);
    }

    pub(super) fn grant_confirmed(&mut self, confirmed: &GrantConfirmed) {
        let GrantConfirmed {
            grant,
            request,
            asset,
            payment,
            paid,
            rail,
            holds,
            valid_ms,
            available,
        } = confirmed;
        self.grant(*grant, request);
        self.asset(*asset);
        self.object.amount("paid", paid.0);
        self.came_by(*rail);
        self.object.text("payment", payment.as_str());
        self.shares_of("holds", holds);
        self.object.number("valid_ms", *valid_ms);
        self.object.amount("available", available.0);
    }

    pub(super) fn payment_refunded(&mut self, one: &PaymentRefunded) {
        let PaymentRefunded {
            grant,
            request,
            asset,
            payment,
            paid,
            rail,
            reason,
            refunded_total,
        } = one;
        self.grant(*grant, request);
        self.asset(*asset);
        self.object.amount("paid", paid.0);
        self.came_by(*rail);
        self.object.text("payment", payment.as_str());
        self.object.text("reason", reason.as_str());
        self.object.amount("refunded_total", refunded_total.0);
    }

    pub(super) fn grant_settled(&mut self, settled: &GrantSettled) {
        let GrantSettled {
            grant,
            request,
            asset,
            actual,
            shares,
            charged,
            paid_by,
            refunded,
            overrun,
            credit,
            earner,
            available,
        } = settled;
        self.grant(*grant, request);
        self.asset(*asset);
        self.object.amount("actual", actual.0);
        let names = self.names;
        self.object.objects("shares", shares, |object, share| {
            let SettledShare {
                pool,
                absorbed,
                returned,
            } = share;
            object.quoted("pool", |out| name::pool(out, names, *pool));
            object.amount("absorbed", absorbed.0);
            object.amount("returned", returned.0);
        });
        self.object.amount("charged", charged.0);
        if let Some(party) = paid_by {
            self.party(*party);
        }
        self.object.amount("refunded", refunded.0);
        self.object.amount("overrun", overrun.0);
        self.object.amount("credit", credit.0);
        self.object.amount("available", available.0);
        self.earner(*earner);
    }

    pub(super) fn grant_released(&mut self, released: &GrantReleased) {
        let GrantReleased {
            grant,
            request,
            asset,
            returned,
            refund,
            fault,
            available,
        } = released;
        self.grant(*grant, request);
        self.given_back(*asset, returned, *refund);
        self.object.flag("fault", *fault);
        self.object.amount("available", available.0);
    }

    pub(super) fn grant_expired(&mut self, expired: &GrantExpired) {
        let GrantExpired {
            grant,
            request,
            asset,
            returned,
            refund,
            available,
        } = expired;
        self.grant(*grant, request);
        self.given_back(*asset, returned, *refund);
        self.object.amount("available", available.0);
    }

    pub(super) fn grant_voided(&mut self, voided: &GrantVoided) {
        let GrantVoided {
            grant,
            request,
            reason,
        } = voided;
        self.grant(*grant, request);
        self.object.text("reason", reason.as_str());
    }

    pub(super) fn grant_overran(&mut self, overran: &GrantOverran) {
        let GrantOverran {
            grant,
            request,
            asset,
            actual,
            earner,
        } = overran;
        self.grant(*grant, request);
        self.asset(*asset);
        self.object.amount("actual", actual.0);
        self.earner(*earner);
    }

    pub(super) fn charge_refunded(&mut self, one: &ChargeRefunded) {
        let ChargeRefunded {
            grant,
            request,
            asset,
            refund,
            to,
            amount,
            refunded_total,
        } = one;
        self.grant(*grant, request);
        self.asset(*asset);
        self.object.text("refund", refund.as_str());
        self.party(*to);
        self.object.amount("amount", amount.0);
        self.object.amount("refunded_total", refunded_total.0);
    }

    pub(super) fn grant_joined(&mut self, joined: &GrantJoined) {
        let GrantJoined {
            grant,
            request,
            job,
        } = joined;
        self.grant(*grant, request);
        self.object.number("job", job.0);
    }

    fn grant(&mut self, grant: GrantNo, request: &Label) {
        self.object.number("grant", grant.0);
        self.object.text("request", request.as_str());
    }

    fn given_back(&mut self, asset: AssetNo, returned: &[Share], refund: Option<Refund>) {
        self.asset(asset);
        self.shares_of("returned", returned);
        if let Some(Refund { to, amount }) = refund {
            self.party(to);
            self.object.amount("refunded", amount.0);
        }
    }

    fn pool(&mut self, pool: PoolNo) {
        let names = self.names;
        self.object
            .quoted("pool", |out| name::pool(out, names, pool));
    }

    fn party(&mut self, party: Party) {
        match party {
            Party::Rail(rail) => self.came_by(rail),
            Party::Payer(payer) => self.payer(payer),
        }
    }

    fn earner(&mut self, earner: Earner) {
        match earner {
            Earner::Nobody => {}
            Earner::Worker(worker, split) => {
                self.worker("worker", worker);
                self.split(["policy", "commission_bps"], split);
            }
            Earner::Job(job) => self.object.number("job", job.0),
        }
    }

    fn shares_of(&mut self, key: &str, shares: &[Share]) {
        let names = self.names;
        self.object.objects(key, shares, |object, share| {
            let Share { pool, amount } = share;
            object.quoted("pool", |out| name::pool(out, names, *pool));
            object.amount("amount", amount.0);
        });
    }
}
