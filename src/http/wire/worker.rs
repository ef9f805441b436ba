//! The bodies of a registered worker: heartbeat, update, lease, logout.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::command::{Beat, UpdateWorker, WorkerRef};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{moment_ms, names, whole};
use super::register::price;
use crate::http::code::Code;
use crate::http::decimal::{GB_TO_MIB, Scale, TO_TENTHS, WHOLE};
use crate::http::error::Problem;

/// How a body names its worker: exactly one of these, depending on the route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) session_token: Option<&'a str>,
    pub(crate) miner_id: Option<&'a str>,
}

/// What the bodies of a registered worker have in common.
pub(crate) trait OfWorker {
    /// The idempotency key in the body.
    fn id(&self) -> Option<&str>;

    /// How the body names its worker.
    fn named(&self) -> Named<'_>;
}

/// Declares a body of a registered worker: its own fields, and those that all of them have.
macro_rules! of_worker {
    ($(#[$about:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name<'a> {
            /// The same as the `Idempotency-Key` header.
            #[serde(borrow, default)]
            #[schema(value_type = Option<String>, max_length = 128)]
            id: Option<Cow<'a, str>>,
            /// In a batch: the worker.
            #[serde(borrow, default)]
            #[schema(value_type = Option<String>, max_length = 128)]
            miner_id: Option<Cow<'a, str>>,
            /// On the worker's own route: its session, unless the query or the bearer carries it.
            #[serde(borrow, default)]
            #[schema(value_type = Option<String>)]
            session_token: Option<Cow<'a, str>>,
            $($own)*
        }

        impl OfWorker for $name<'_> {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn named(&self) -> Named<'_> {
                Named {
                    session_token: self.session_token.as_deref(),
                    miner_id: self.miner_id.as_deref(),
                }
            }
        }
    };
}

of_worker! {
    /// A heartbeat. Decimals may be JSON numbers or text.
    BeatBody {
        /// When the worker sends this: RFC 3339 text, or whole Unix milliseconds. Optional in a
        /// batch.
        #[serde(borrow, default)]
        #[schema(value_type = String, example = "2026-01-02T03:04:05.678Z")]
        pub(crate) ts: Option<&'a RawValue>,
        /// Jobs that wait.
        queue_len: i64,
        /// Mean latency of its recent jobs in milliseconds, rounded.
        #[serde(borrow, default)]
        #[schema(value_type = Option<f64>)]
        avg_latency_ms: Option<&'a RawValue>,
        /// Temperature in degrees Celsius, kept in tenths.
        #[serde(borrow, default)]
        #[schema(value_type = Option<f64>)]
        temp_c: Option<&'a RawValue>,
        /// Free GPU memory in GB of 1,024 MiB, kept in whole MiB, cut.
        #[serde(borrow, default)]
        #[schema(value_type = Option<f64>)]
        mem_free_gb: Option<&'a RawValue>,
    }
}

impl BeatBody<'_> {
    /// The command of a worker that speaks for itself: then it says when.
    pub(crate) fn own_command(&self, worker: WorkerRef) -> Result<Command, Problem> {
        if self.ts.is_none() {
            return Err(Problem::field(Code::MissingField, "ts", "is required"));
        }
        self.command(worker)
    }

    /// The command.
    pub(crate) fn command(&self, worker: WorkerRef) -> Result<Command, Problem> {
        let sent_at_ms = self.ts.map(|ts| moment_ms("ts", ts)).transpose()?;
        Ok(Command::Beat(Beat {
            worker,
            sent_at_ms: sent_at_ms.unwrap_or(0),
            queue_len: whole("queue_len", self.queue_len, 0)?,
            avg_latency_ms: scaled(WHOLE, "avg_latency_ms", self.avg_latency_ms, 0)?,
            temp_decidegrees: scaled(TO_TENTHS, "temp_c", self.temp_c, ABSOLUTE_ZERO_TENTHS)?,
            mem_free_mb: scaled(GB_TO_MIB, "mem_free_gb", self.mem_free_gb, 0)?,
        }))
    }
}

const ABSOLUTE_ZERO_TENTHS: i64 = -2_732;

of_worker! {
    /// A change between heartbeats; absent fields stay as they were.
    UpdateBody {
        /// Jobs that wait.
        queue_len: Option<i64>,
        /// Whether it takes no further work.
        busy: Option<bool>,
        /// The jobs it is at.
        #[serde(default)]
        #[schema(value_type = Option<Vec<String>>, max_items = 64)]
        current_jobs: Option<Vec<Cow<'a, str>>>,
        /// Price in credits per kilosecond, of at most six decimal places.
        #[serde(borrow, default)]
        #[schema(value_type = Option<String>, example = "0.75")]
        price_token_per_ksec: Option<&'a RawValue>,
    }
}

impl UpdateBody<'_> {
    /// The command.
    pub(crate) fn command(&self, worker: WorkerRef) -> Result<Command, Problem> {
        let jobs = self.current_jobs.as_deref();
        Ok(Command::UpdateWorker(Box::new(UpdateWorker {
            worker,
            queue_len: self
                .queue_len
                .map(|len| whole("queue_len", len, 0))
                .transpose()?,
            busy: self.busy,
            current_jobs: jobs.map(|jobs| names("current_jobs", jobs)).transpose()?,
            price_micro: self.price_token_per_ksec.map(price).transpose()?,
        })))
    }
}

of_worker! {
    /// Nothing but the worker: lease and logout.
    #[derive(Default)]
    WorkerBody {}
}

impl Named<'_> {
    /// In a batch a worker is named by its id.
    pub(crate) fn in_batch(self) -> Result<WorkerRef, Problem> {
        if self.session_token.is_some() {
            let detail = "is not known in a batch; name the worker by `miner_id`";
            return Err(Problem::field(Code::UnknownField, "session_token", detail));
        }
        let Some(id) = self.miner_id else {
            return Err(Problem::field(
                Code::MissingField,
                "miner_id",
                "is required",
            ));
        };
        super::field::name("miner_id", id).map(WorkerRef::Miner)
    }
}

fn scaled<T: TryFrom<i64>>(
    scale: Scale,
    field: &'static str,
    raw: Option<&RawValue>,
    min: i64,
) -> Result<Option<T>, Problem> {
    raw.map(|raw| whole(field, scale.read(field, raw)?, min))
        .transpose()
}
