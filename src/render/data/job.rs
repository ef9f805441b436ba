//! Jobs, what they earned and who earned it, and the tickets that pay for them.

use purser_events::intake::{
    Attribution, Fee, JobProcessed, JobReattributed, JobReceived, RequestId, Split, Suspense,
    TicketRedeemed,
};
use purser_events::policy::NodeType;
use purser_events::{ModelNo, PartitionNo};

use super::Data;
use crate::render::name;

impl Data<'_, '_> {
    pub(super) fn job_received(&mut self, received: &JobReceived) {
        self.taken(&received.taken);
        self.request(received.request.as_ref());
        if let Some(worker) = received.worker {
            self.worker("worker", worker);
        }
        self.object.flag("matchable", received.matchable);
    }

    pub(super) fn job_processed(&mut self, job: &JobProcessed) {
        self.taken(&job.taken);
        self.request(job.request.as_ref());
        if let Some(model) = job.model {
            self.model(model);
        }
        for (key, value) in [
            ("units", job.units),
            (
                self.response_time_key(job.taken.partition),
                job.response_time,
            ),
            ("duration_ms", job.duration_ms),
            ("real_time_ratio", job.real_time_ratio),
        ] {
            if let Some(value) = value {
                self.object.signed(key, value);
            }
        }
        if let Some(price) = job.price_wei {
            self.object.signed_amount("price_wei", price.into());
        }
        self.fee(&job.fee);
        self.attribution(["worker", "suspense"], job.attribution);
        self.split(["policy", "commission_bps"], job.split);
        self.shares(&job.fee, job.split);
    }

    pub(super) fn job_reattributed(&mut self, job: &JobReattributed) {
        self.object.number("job", job.job.0);
        self.partition(job.partition);
        self.request(Some(&job.request));
        if let Some(model) = job.model {
            self.model(model);
        }
        if let Some(time) = job.response_time {
            let key = self.response_time_key(job.partition);
            self.object.signed(key, time);
        }
        self.fee(&job.fee);
        self.attribution(["from_worker", "from_suspense"], job.from);
        self.split(["from_policy", "from_commission_bps"], job.from_split);
        self.attribution(["worker", "suspense"], job.to);
        self.split(["policy", "commission_bps"], job.to_split);
        self.shares(&job.fee, job.to_split);
        self.object.number("cause", job.cause.0);
    }

    pub(super) fn ticket(&mut self, ticket: &TicketRedeemed) {
        self.taken(&ticket.taken);
        if let Some(recipient) = ticket.recipient {
            self.object.text("recipient", &recipient.to_string());
        }
        if let Some(sender) = ticket.sender {
            self.object.text("sender", &sender.to_string());
        }
        if let Some(value) = ticket.face_value {
            self.object.amount("face_value_wei", value.0);
        }
        if let Some(hash) = ticket.tx_hash {
            self.object.quoted("tx_hash", |out| {
                out.extend_from_slice(b"0x");
                crate::render::text::hex(out, &hash);
            });
        }
    }

    /// Sources measure AI jobs in nanoseconds and transcoding in milliseconds.
    fn response_time_key(&self, partition: PartitionNo) -> &'static str {
        let partition = self.names.partitions().get(partition.index());
        match partition.map(|one| one.node_type) {
            Some(NodeType::Ai) => "response_time_ns",
            Some(NodeType::Transcode) => "response_time_ms",
            None => "response_time",
        }
    }

    pub(super) fn request(&mut self, request: Option<&RequestId>) {
        if let Some(request) = request {
            self.object
                .quoted("request", |out| name::request(out, request));
        }
    }

    pub(super) fn model(&mut self, model: ModelNo) {
        let Some((model_id, pipeline)) = self.names.models().get(model.index()) else {
            return self.object.number("model", model.0);
        };
        self.object.text("model_id", model_id.as_str());
        self.object.text("pipeline", pipeline.as_str());
    }

    fn fee(&mut self, fee: &Fee) {
        match fee {
            Fee::Payable(wei) => self.object.amount("fee_wei", (*wei).into()),
            Fee::NonPositive(wei) => self.object.signed_amount("fee_wei", (*wei).into()),
            Fee::Bad(Some(text)) => self.object.text("bad_fee", text.as_str()),
            Fee::Bad(None) => self.object.null("bad_fee"),
        }
    }

    fn attribution(&mut self, keys: [&str; 2], attribution: Attribution) {
        match attribution {
            Attribution::Worker(worker) => self.worker(keys[0], worker),
            Attribution::Suspense(reason) => self.object.text(keys[1], suspense(reason)),
        }
    }

    fn split(&mut self, keys: [&str; 2], split: Split) {
        self.object.number(keys[0], split.policy.0);
        self.object.number(keys[1], split.commission.get());
    }

    /// What the split comes to, for readers who do not want to compute it.
    fn shares(&mut self, fee: &Fee, split: Split) {
        let commission = split.commission.share_of(fee.payable());
        let net = fee.payable() - commission;
        self.object.amount("commission_wei", commission.into());
        self.object.amount("net_wei", net.into());
    }
}

/// The word for a reason.
const fn suspense(reason: Suspense) -> &'static str {
    match reason {
        Suspense::Orphan => "orphan",
        Suspense::NoAddress => "no_address",
        Suspense::NoRequestId => "no_request_id",
        Suspense::Crowded => "crowded",
    }
}
