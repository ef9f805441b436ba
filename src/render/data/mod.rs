//! What each kind of event says.

mod grant;
mod intake;
mod job;
mod matching;
mod paid;
mod payout;
mod ticket;
mod worker;

use purser_events::policy::{AssetDeclared, PartitionDeclared, PolicyChange};
use purser_events::{Envelope, Event, PartitionNo, WorkerNo};
use purser_projections::names::Names;

use super::name;
use super::object::Object;

/// An object, and the names that its numbers stand for.
pub(super) struct Data<'a, 'o> {
    object: &'a mut Object<'o>,
    names: &'a Names,
}

/// Writes every field of an event.
pub(super) fn write(object: &mut Object<'_>, envelope: &Envelope, names: &Names) {
    let mut data = Data { object, names };
    match &envelope.event {
        Event::WorkerBeat(beat) => data.beat(beat, envelope.recorded_at),
        Event::JobReceived(received) => data.job_received(received),
        Event::JobProcessed(job) => data.job_processed(job),
        Event::JobReattributed(job) => data.job_reattributed(job),
        Event::TicketRedeemed(ticket) => data.ticket(ticket),
        Event::WorkerNamed(named) => data.worker("worker", named.worker),
        Event::WorkerRegistered(registered) => data.registered(registered),
        Event::ManifestChanged(changed) => data.manifest_changed(changed),
        Event::WorkerUpdated(updated) => data.updated(updated),
        Event::LeaseGranted(granted) => data.lease(granted),
        Event::WorkerLapsed(lapsed) => data.lapsed(lapsed),
        Event::WorkerLoggedOut(gone) => data.worker("worker", gone.worker),
        Event::WorkerInstructed(asked) => data.instructed(asked),
        Event::InstructionAnswered(said) => data.instruction_answered(said),
        Event::PolicyChanged(changed) => data.policy(changed.change),
        Event::PartitionDeclared(declared) => data.partition_declared(declared),
        Event::AssetDeclared(declared) => data.asset_declared(declared),
        Event::FileTaken(taken) => data.file_taken(taken),
        Event::FileQuarantined(set_aside) => data.file_quarantined(set_aside),
        Event::ElementQuarantined(set_aside) => data.element_quarantined(set_aside),
        Event::WorkerConnected(connected) => data.connected(connected),
        Event::WorkerDisconnected(disconnected) => data.disconnected(disconnected),
        Event::PartitionReset(reset) => data.taken(&reset.taken),
        Event::OtherTaken(other) => data.other(other),
        Event::EarlierCopyFound(found) => data.earlier_copy(found),
        Event::ModelNamed(named) => data.model(named.model),
        Event::TypeNamed(named) => data.object.text("event_type", named.name.as_str()),
        Event::PayerNamed(named) => data.object.text("payer", named.name.as_str()),
        Event::RailNamed(named) => data.object.text("rail", named.name.as_str()),
        Event::PoolOpened(opened) => data.pool_opened(opened),
        Event::PoolsOrdered(ordered) => data.pools_ordered(ordered),
        Event::PoolToppedUp(topped_up) => data.pool_topped_up(topped_up),
        Event::TierSet(set) => data.tier_set(set),
        Event::GrantDecided(decided) => data.grant_decided(decided),
        Event::GrantConfirmed(confirmed) => data.grant_confirmed(confirmed),
        Event::PaymentRefunded(refunded) => data.payment_refunded(refunded),
        Event::GrantSettled(settled) => data.grant_settled(settled),
        Event::GrantReleased(released) => data.grant_released(released),
        Event::GrantExpired(expired) => data.grant_expired(expired),
        Event::GrantVoided(voided) => data.grant_voided(voided),
        Event::GrantOverran(overran) => data.grant_overran(overran),
        Event::ChargeRefunded(refunded) => data.charge_refunded(refunded),
        Event::GrantJoined(joined) => data.grant_joined(joined),
        Event::PayoutRequested(requested) => data.payout_requested(requested),
        Event::PayoutSigned(signed) => data.payout_signed(signed),
        Event::PayoutSent(sent) => data.payout_sent(sent),
        Event::PayoutMined(mined) => data.payout_mined(mined),
        Event::PayoutReorged(reorged) => data.payout_reorged(reorged),
        Event::PayoutFinal(settled) => data.payout_final(settled),
        Event::PayoutFailed(failed) => data.payout_failed(failed),
        Event::PayoutReleased(released) => data.payout_released(released),
        Event::SignerOpened(opened) => data.signer_opened(opened),
        Event::SignerStopped(stopped) => data.signer_stopped(stopped),
        Event::SignerResumed(resumed) => data.object.number("nonce", resumed.nonce),
        Event::PayerChose(chose) => data.payer_chose(chose),
        Event::FundsDeposited(deposited) => data.deposited(deposited),
        Event::JobOpened(opened) => data.job_opened(opened),
        Event::JobCredited(credited) => data.job_credited(credited),
        Event::FundsTransferred(transferred) => data.transferred(transferred),
        Event::JobAdmitted(admitted) => data.job_admitted(admitted),
        Event::JobDebited(debited) => data.job_debited(debited),
        Event::JobClosed(closed) => data.job_closed(closed),
        Event::CapabilityDeclared(declared) => data.capability_declared(declared),
        Event::CapabilityChanged(changed) => data.capability_changed(changed),
        Event::SlotReserved(slot) => data.slot(slot.capability, &slot.holder),
        Event::SlotFreed(slot) => data.slot(slot.capability, &slot.holder),
        Event::DebtSettled(settled) => data.debt_settled(settled),
        Event::WorkerDegraded(degraded) => data.degraded(degraded),
        Event::WorkerSuspended(one) => data.standing(one.worker, &one.reason),
        Event::WorkerResumed(one) => data.standing(one.worker, &one.reason),
        Event::KeyRotated(rotated) => data.key_rotated(rotated),
        Event::RegionProbed(probed) => data.probed(probed),
        Event::MatchMade(made) => data.match_made(made),
        Event::FeedbackGiven(given) => data.feedback(given),
        Event::AssignmentExpired(expired) => data.expired(expired),
        Event::ChainObserved(seen) => data.chain(seen),
        Event::BlockObserved(seen) => data.object.number("l1_block", seen.l1_block),
        Event::SenderObserved(seen) => data.sender(seen),
        Event::TicketSecretAdded(added) => data.object.number("secret", added.secret),
        Event::TicketSetOpened(opened) => data.ticket_set(opened),
        Event::TicketsTaken(taken) => data.tickets_taken(taken),
        Event::TicketWon(won) => data.ticket_won(won),
        Event::WinnerReported(reported) => data.winner(reported),
    }
}

impl Data<'_, '_> {
    fn worker(&mut self, key: &str, worker: WorkerNo) {
        let names = self.names;
        self.object
            .quoted(key, |out| name::worker(out, names, worker));
    }

    fn partition(&mut self, partition: PartitionNo) {
        let names = self.names;
        self.object
            .quoted("partition", |out| name::partition(out, names, partition));
    }

    fn policy(&mut self, change: PolicyChange) {
        match change {
            PolicyChange::Commission(rate) => self.object.number("commission_bps", rate.get()),
            PolicyChange::PayoutThreshold(threshold) => {
                self.object.amount("payout_threshold_wei", threshold.0);
            }
            PolicyChange::LeaseTtlMs(ttl) => self.object.number("lease_ttl_ms", ttl),
            PolicyChange::HeartbeatGraceMs(grace) => {
                self.object.number("heartbeat_grace_ms", grace);
            }
            PolicyChange::HeartbeatIntervalMs(interval) => {
                self.object.number("heartbeat_interval_ms", interval);
            }
            PolicyChange::PayoutIntervalMs(interval) => {
                self.object.number("payout_interval_ms", interval);
            }
            PolicyChange::PayoutRunMax(most) => self.object.amount("payout_run_max_wei", most.0),
            PolicyChange::PayoutDayMax(most) => self.object.amount("payout_day_max_wei", most.0),
            PolicyChange::JobIdleMs(idle) => self.object.number("job_idle_ms", idle),
            PolicyChange::DebtLimit(limit) => self.object.amount("debt_limit", limit.0),
            PolicyChange::OpenJobsMax(most) => self.object.number("open_jobs_max", most),
            PolicyChange::MatchWeights(weights) => {
                self.object.object("match_weights", |object| {
                    matching::write_weights(object, &weights);
                });
            }
            PolicyChange::Grants(rule) => self.grant_rule(rule),
        }
    }

    fn partition_declared(&mut self, declared: &PartitionDeclared) {
        self.partition(declared.partition);
        self.object.text("node_type", declared.node_type.as_str());
        self.object.text("region", declared.region.as_str());
    }

    fn asset_declared(&mut self, declared: &AssetDeclared) {
        self.object.text("asset", declared.code.as_str());
        self.object.number("exponent", declared.exponent);
    }
}
