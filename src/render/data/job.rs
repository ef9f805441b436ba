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
        let JobReceived {
            taken,
            request,
            worker,
            matchable,
        } = received;
        self.taken(taken);
        self.request(request.as_ref());
        if let Some(worker) = worker {
            self.worker("worker", *worker);
        }
        self.object.flag("matchable", *matchable);
    }

    pub(super) fn job_processed(&mut self, job: &JobProcessed) {
        let JobProcessed {
            taken,
            request,
            model,
            units,
            price_wei,
            response_time,
            duration_ms,
            real_time_ratio,
            fee,
            attribution,
            split,
        } = job;
        self.taken(taken);
        self.request(request.as_ref());
        self.model_of(*model);
        self.figure("units", *units);
        self.figure(self.response_time_key(taken.partition), *response_time);
        self.figure("duration_ms", *duration_ms);
        self.figure("real_time_ratio", *real_time_ratio);
        if let Some(price) = price_wei {
            self.object.signed_amount("price_wei", (*price).into());
        }
        self.fee(fee);
        self.attribution(["worker", "suspense"], *attribution);
        self.split(["policy", "commission_bps"], *split);
        self.shares(fee, *split);
    }

    pub(super) fn job_reattributed(&mut self, moved: &JobReattributed) {
        let JobReattributed {
            job,
            partition,
            request,
            model,
            response_time,
            fee,
            from,
            from_split,
            to,
            to_split,
            cause,
        } = moved;
        self.object.number("job", job.0);
        self.partition(*partition);
        self.request(Some(request));
        self.model_of(*model);
        self.figure(self.response_time_key(*partition), *response_time);
        self.fee(fee);
        self.attribution(["from_worker", "from_suspense"], *from);
        self.split(["from_policy", "from_commission_bps"], *from_split);
        self.attribution(["worker", "suspense"], *to);
        self.split(["policy", "commission_bps"], *to_split);
        self.shares(fee, *to_split);
        self.object.number("cause", cause.0);
    }

    pub(super) fn ticket(&mut self, ticket: &TicketRedeemed) {
        let TicketRedeemed {
            taken,
            recipient,
            sender,
            face_value,
            tx_hash,
        } = ticket;
        self.taken(taken);
        if let Some(recipient) = recipient {
            self.object.prefixed_hex("recipient", &recipient.0);
        }
        if let Some(sender) = sender {
            self.object.prefixed_hex("sender", &sender.0);
        }
        if let Some(value) = face_value {
            self.object.amount("face_value_wei", value.0);
        }
        if let Some(hash) = tx_hash {
            self.object.prefixed_hex("tx_hash", hash);
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

    fn model_of(&mut self, model: Option<ModelNo>) {
        if let Some(model) = model {
            self.model(model);
        }
    }

    fn figure(&mut self, key: &str, figure: Option<i64>) {
        if let Some(figure) = figure {
            self.object.signed(key, figure);
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

    pub(super) fn split(&mut self, keys: [&str; 2], split: Split) {
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
