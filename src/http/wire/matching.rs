//! The bodies of matching: what a job asks for, what was found, how it went.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use purser_commands::matching::{GiveFeedback, ProbeRegion};
use purser_events::matching::{Ask, Candidate, Components, MatchMade, Outcome, Weights};
use purser_events::{KeyTag, Label};
use purser_projections::matching::index::{MatchIndex, explain};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{capabilities, name, names, optional_name, whole};
use crate::http::code::Code;
use crate::http::decimal::{GB_TO_MIB, Scale, TO_MILLIONTHS, WHOLE};
use crate::http::error::Problem;

/// The most candidates that are answered.
pub(crate) const TOP_K_MAX: u32 = 50;

/// A job that looks for workers, in the shape of the pool hub's guide.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchBody<'a> {
    /// The same as the `Idempotency-Key` header; it acts on matches with `assign`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The coordinator's id of the job.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    job_id: Cow<'a, str>,
    /// What a worker must have.
    #[serde(borrow, default)]
    requirements: Option<RequirementsBody<'a>>,
    /// Where, how dear and how soon.
    #[serde(borrow, default)]
    hints: Option<HintsBody<'a>>,
    /// How many candidates are wanted: 1 to 50; 1 where it is left out.
    top_k: Option<i64>,
    /// Record the match and give the job to its best worker (`true`), or to as many as the number
    /// says. Without it the match is answered from memory and leaves no event.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Object>, example = true)]
    assign: Option<&'a RawValue>,
}

/// What a worker must have.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequirementsBody<'a> {
    /// The task: a worker says so with the capability `task:…`, or the bare word.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    task: Option<Cow<'a, str>>,
    /// The least memory of the GPU in GB.
    #[serde(borrow, default)]
    #[schema(value_type = Option<f64>)]
    min_vram_gb: Option<&'a RawValue>,
    /// The least main memory in GB.
    #[serde(borrow, default)]
    #[schema(value_type = Option<f64>)]
    min_ram_gb: Option<&'a RawValue>,
    /// Accelerator kinds, one of which is needed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    accel: Option<Vec<Cow<'a, str>>>,
    /// Tags, one of which is needed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    tags_any: Option<Vec<Cow<'a, str>>>,
    /// Capabilities, one of which is needed; the more, the better.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    capabilities_any: Option<Vec<Cow<'a, str>>>,
    /// Capabilities, all of which are needed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    capabilities_all: Option<Vec<Cow<'a, str>>>,
}

/// Where, how dear and how soon.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HintsBody<'a> {
    /// The region, or its first segments: `eu` takes in `eu-west-1`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    region: Option<Cow<'a, str>>,
    /// `claimed`, the usual, or `verified`: a probe must have confirmed the claim.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    region_trust: Option<Cow<'a, str>>,
    /// The greatest price in credits per kilosecond.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "0.8")]
    max_price: Option<&'a RawValue>,
    /// The greatest price in millionths of a credit per kilosecond.
    max_price_micro: Option<u64>,
    /// How soon the job has to be done, in milliseconds.
    deadline_ms: Option<i64>,
}

/// A match as it was asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) job: Label,
    pub(crate) ask: Ask,
    /// How many workers are to get the job; absent when the match is not recorded.
    pub(crate) assign: Option<u32>,
}

impl MatchBody<'_> {
    /// What is wanted.
    pub(crate) fn wanted(&self) -> Result<Wanted, Problem> {
        let top_k = self.top_k.unwrap_or(1);
        if !(1..=i64::from(TOP_K_MAX)).contains(&top_k) {
            let detail = "must be from 1 to 50";
            return Err(Problem::field(Code::OutOfRange, "top_k", detail));
        }
        let top_k = whole("top_k", top_k, 1)?;
        let bare = (RequirementsBody::default(), HintsBody::default());
        let requirements = self.requirements.as_ref().unwrap_or(&bare.0);
        let hints = self.hints.as_ref().unwrap_or(&bare.1);
        let list = |field, texts: &Option<Vec<Cow<'_, str>>>| {
            names(field, texts.as_deref().unwrap_or_default())
        };
        let kinds = |field, texts: &Option<Vec<Cow<'_, str>>>| {
            capabilities(field, texts.as_deref().unwrap_or_default())
        };
        let (region, region_verified) = hints.region()?;
        Ok(Wanted {
            job: name("job_id", &self.job_id)?,
            assign: self
                .assign
                .map(|raw| assign(raw, top_k))
                .transpose()?
                .flatten(),
            ask: Ask {
                task: optional_name("requirements.task", requirements.task.as_deref())?,
                min_vram_mb: memory("requirements.min_vram_gb", requirements.min_vram_gb)?,
                min_ram_mb: memory("requirements.min_ram_gb", requirements.min_ram_gb)?,
                accel: list("requirements.accel", &requirements.accel)?,
                capabilities_any: kinds(
                    "requirements.capabilities_any",
                    &requirements.capabilities_any,
                )?,
                capabilities_all: kinds(
                    "requirements.capabilities_all",
                    &requirements.capabilities_all,
                )?,
                tags_any: list("requirements.tags_any", &requirements.tags_any)?,
                region,
                region_verified,
                max_price_micro: hints.max_price()?,
                deadline_ms: hints
                    .deadline_ms
                    .map(|ms| whole("hints.deadline_ms", ms, 0))
                    .transpose()?,
                top_k,
            },
        })
    }
}

impl HintsBody<'_> {
    fn region(&self) -> Result<(Option<Label>, bool), Problem> {
        const FIELD: &str = "hints.region_trust";
        let region = optional_name("hints.region", self.region.as_deref())?;
        let verified = match self.region_trust.as_deref() {
            None | Some("claimed") => false,
            Some("verified") if region.is_some() => true,
            Some("verified") => {
                let detail = "needs a region";
                return Err(Problem::field(Code::OutOfRange, FIELD, detail));
            }
            Some(_) => {
                let detail = "must be `claimed` or `verified`";
                return Err(Problem::field(Code::OutOfRange, FIELD, detail));
            }
        };
        Ok((region, verified))
    }

    fn max_price(&self) -> Result<Option<u64>, Problem> {
        const FIELD: &str = "hints.max_price";
        match (self.max_price, self.max_price_micro) {
            (Some(_), Some(_)) => {
                let detail = "stands beside `max_price_micro`; send one of them";
                Err(Problem::field(Code::InvalidField, FIELD, detail))
            }
            (Some(raw), None) => whole(FIELD, TO_MILLIONTHS.read(FIELD, raw)?, 0).map(Some),
            (None, micro) => Ok(micro),
        }
    }
}

/// `true`, `false`, or how many.
fn assign(raw: &RawValue, top_k: u32) -> Result<Option<u32>, Problem> {
    let wrong = || {
        let detail = "must be true, false, or a number from 1 to top_k";
        Problem::field(Code::OutOfRange, "assign", detail)
    };
    match raw.get() {
        "false" | "null" => Ok(None),
        "true" => Ok(Some(1)),
        number => match number.parse() {
            Ok(count) if (1..=top_k).contains(&count) => Ok(Some(count)),
            _ => Err(wrong()),
        },
    }
}

/// Memory in MiB.
fn memory(field: &'static str, raw: Option<&RawValue>) -> Result<u32, Problem> {
    let Some(raw) = raw else { return Ok(0) };
    whole(field, GB_TO_MIB.read(field, raw)?, 0)
}

/// A match as it is answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchAnswer<'a> {
    #[schema(value_type = String)]
    pub(crate) job_id: &'a str,
    /// The best workers, the best first.
    pub(crate) candidates: Vec<CandidateBody<'a>>,
    /// The match in one line.
    pub(crate) explain: String,
    /// How many workers fit; null when no reasons were asked for.
    pub(crate) eligible: Option<u32>,
    /// How many workers were left out by their first reason; with `reasons=all`, every reason of
    /// each worker that was left out.
    pub(crate) rejected: Rejected<'a>,
    /// With `reasons=all`: how many workers were left out by their first reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rejected_primary_histogram: Option<BTreeMap<&'static str, u32>>,
    /// With `reasons=all`: how often each reason stands for some worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason_counts: Option<BTreeMap<&'static str, u32>>,
    /// With `assign`: the workers that hold a slot for the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) assigned: Option<Vec<&'a str>>,
    /// With `assign`: without a report the slots are free again from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
    /// Of a recorded match: the weights of its scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weights: Option<WeightsOfMatch>,
    /// Of a recorded match: when it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recorded_at: Option<String>,
    /// The position that the answer reflects; with `assign` the one that made it durable.
    pub(crate) position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    pub(crate) replayed: bool,
}

/// Why workers were left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Rejected<'a> {
    /// Counts by first reason.
    Counts(BTreeMap<&'static str, u32>),
    /// Every reason, by worker; at most 1,000 workers.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    Workers(BTreeMap<&'a str, Vec<&'static str>>),
}

/// The weights of a recorded match in millionths.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WeightsOfMatch {
    cap: u32,
    price: u32,
    latency: u32,
    trust: u32,
    load: u32,
}

impl From<&Weights> for WeightsOfMatch {
    fn from(weights: &Weights) -> Self {
        let Weights {
            cap,
            price,
            latency,
            trust,
            load,
        } = *weights;
        Self {
            cap,
            price,
            latency,
            trust,
            load,
        }
    }
}

/// A worker that fits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateBody<'a> {
    #[schema(value_type = String)]
    miner_id: &'a str,
    /// Where coordinators reach it.
    #[schema(value_type = String)]
    addr: &'a str,
    #[schema(value_type = String)]
    proto: &'a str,
    /// The score, from 0 to 1.
    #[schema(value_type = f64, example = 0.757_5)]
    score: Millionths,
    /// The score in millionths.
    score_ppm: u32,
    /// When the job may be done, in milliseconds; null when its latency is not known.
    eta_ms: Option<u64>,
    /// Credits per kilosecond.
    #[schema(value_type = f64, example = 0.75)]
    price: Millionths,
    price_micro: u64,
    /// The parts of the score, cut to three places.
    explain: String,
    /// The parts of the score in millionths.
    components: ComponentsBody,
}

/// The parts of a score in millionths.
#[derive(Debug, Serialize, ToSchema)]
struct ComponentsBody {
    cap: u32,
    price: u32,
    latency: u32,
    trust: u32,
    load: u32,
}

/// Millionths, written as a decimal number without ever passing through a float.
#[derive(Clone, Copy, Debug)]
struct Millionths(u64);

impl Millionths {
    /// The longest are 14 digits, the point and 6 more.
    const LONGEST: usize = 21;

    /// The shortest decimal of this value, at the end of `text`.
    fn write(self, text: &mut [u8; Self::LONGEST]) -> &str {
        let (mut whole, mut part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let mut from = text.len();
        let mut put = |byte| {
            from -= 1;
            text[from] = byte;
        };
        let mut places = 6;
        while part > 0 && part % 10 == 0 {
            (part, places) = (part / 10, places - 1);
        }
        if part > 0 {
            for _ in 0..places {
                put(b'0' + (part % 10) as u8);
                part /= 10;
            }
            put(b'.');
        }
        loop {
            put(b'0' + (whole % 10) as u8);
            whole /= 10;
            if whole == 0 {
                break;
            }
        }
        str::from_utf8(&text[from..]).expect("digits are text")
    }
}

impl Serialize for Millionths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; Self::LONGEST];
        let number: &RawValue =
            serde_json::from_str(self.write(&mut text)).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl<'a> CandidateBody<'a> {
    /// A candidate as it is answered.
    pub(crate) fn of(index: &'a MatchIndex, candidate: &Candidate) -> Self {
        let offer = index.offer(candidate.worker);
        let manifest = offer.map(|offer| &offer.file.manifest);
        let Components {
            cap,
            price,
            latency,
            trust,
            load,
        } = candidate.components;
        Self {
            miner_id: offer.map_or("", |offer| offer.miner_id.as_str()),
            addr: manifest.map_or("", |offer| offer.addr.as_str()),
            proto: manifest.map_or("", |offer| offer.proto.as_str()),
            score: Millionths(candidate.score_ppm.into()),
            score_ppm: candidate.score_ppm,
            eta_ms: candidate.eta_ms,
            price: Millionths(candidate.price_micro),
            price_micro: candidate.price_micro,
            explain: explain(&candidate.components),
            components: ComponentsBody {
                cap,
                price,
                latency,
                trust,
                load,
            },
        }
    }
}

impl<'a> MatchAnswer<'a> {
    /// A recorded match.
    pub(crate) fn of_event(index: &'a MatchIndex, made: &'a MatchMade) -> Self {
        let left_out = made.left_out.iter();
        let left_out: BTreeMap<_, _> = left_out.map(|(one, count)| (one.code(), *count)).collect();
        let id = |worker| {
            let offer = index.offer(worker);
            offer.map_or("", |offer| offer.miner_id.as_str())
        };
        let candidates = made.candidates.iter();
        let expires = purser_events::Micros::from_millis(made.expires_at_ms);
        Self {
            job_id: made.job.as_str(),
            candidates: candidates
                .map(|one| CandidateBody::of(index, one))
                .collect(),
            explain: summary(made.candidates.len(), &left_out),
            eligible: None,
            rejected: Rejected::Counts(left_out),
            rejected_primary_histogram: None,
            reason_counts: None,
            assigned: Some(made.assigned.iter().map(|worker| id(*worker)).collect()),
            expires_at: Some(crate::http::time::rfc3339(expires)),
            weights: Some((&made.weights).into()),
            recorded_at: None,
            position: 0,
            replayed: false,
        }
    }
}

/// A match in one line.
pub(crate) fn summary(found: usize, left_out: &BTreeMap<&'static str, u32>) -> String {
    let mut text = format!("{found} candidates");
    for (reason, count) in left_out {
        write!(text, " \u{2022} {reason}={count}").expect("a text takes everything");
    }
    text
}

/// How a job went.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The coordinator's id of the job.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    job_id: Cow<'a, str>,
    /// The worker.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    miner_id: Cow<'a, str>,
    /// `accepted`, `completed`, `rejected` or `failed`.
    #[serde(borrow)]
    #[schema(value_type = String, example = "completed")]
    outcome: Cow<'a, str>,
    /// How long the worker took, in milliseconds.
    #[serde(borrow, default)]
    #[schema(value_type = Option<f64>)]
    latency_ms: Option<&'a RawValue>,
    /// Why it failed or was refused.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    fail_code: Option<Cow<'a, str>>,
    /// What the job cost, in tokens.
    tokens_spent: Option<u64>,
}

impl FeedbackBody<'_> {
    /// The report; whether the worker was offered is for the caller to add.
    pub(crate) fn report(&self, coordinator: KeyTag) -> Result<GiveFeedback, Problem> {
        let outcome = match self.outcome.as_ref() {
            "accepted" => Outcome::Accepted,
            "completed" => Outcome::Completed,
            "rejected" => Outcome::Rejected,
            "failed" => Outcome::Failed,
            _ => {
                let detail = "must be `accepted`, `completed`, `rejected` or `failed`";
                return Err(Problem::field(Code::OutOfRange, "outcome", detail));
            }
        };
        let latency = self.latency_ms.map(|raw| number(WHOLE, "latency_ms", raw));
        Ok(GiveFeedback {
            job: name("job_id", &self.job_id)?,
            worker: name("miner_id", &self.miner_id)?,
            coordinator,
            outcome,
            latency_ms: latency.transpose()?,
            fail_code: optional_name("fail_code", self.fail_code.as_deref())?,
            tokens_spent: self.tokens_spent,
            offered: None,
        })
    }
}

fn number(scale: Scale, field: &'static str, raw: &RawValue) -> Result<u32, Problem> {
    whole(field, scale.read(field, raw)?, 0)
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedbackAnswer {
    /// How far the worker is trusted now, in millionths.
    pub(crate) trust_ppm: u32,
    /// Whether the report counts.
    pub(crate) counted: bool,
    /// Why it does not: `duplicate` or `not_assigned`.
    pub(crate) ignored: Option<&'static str>,
    /// The position that made it durable.
    pub(crate) position: u64,
    /// Whether this is the first answer to an earlier delivery of the same command.
    pub(crate) replayed: bool,
}

/// Why a worker is suspended or resumed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// Why.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    pub(crate) reason: Cow<'a, str>,
}

/// How far a worker is from a known place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The region that the probe stands in.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    region: Cow<'a, str>,
    /// The shortest way there and back in milliseconds.
    #[serde(borrow)]
    #[schema(value_type = f64)]
    rtt_ms: &'a RawValue,
    /// How many were measured; at least 5 within 10 minutes verify a claim.
    samples: i64,
    /// How far the probe is from the region that the worker claims.
    distance_km: Option<i64>,
}

/// Milliseconds to microseconds.
const TO_MICROS: Scale = Scale {
    factor: 1_000,
    below: crate::http::decimal::Below::Cut,
};

impl ProbeBody<'_> {
    /// The command of a worker.
    pub(crate) fn probe(&self, worker: &str) -> Result<ProbeRegion, Problem> {
        let distance = self.distance_km.map(|km| whole("distance_km", km, 0));
        Ok(ProbeRegion {
            worker: name("id", worker)?,
            probe: name("region", &self.region)?,
            rtt_us: number(TO_MICROS, "rtt_ms", self.rtt_ms)?,
            samples: whole("samples", self.samples, 1)?,
            distance_km: distance.transpose()?,
            claimed: None,
        })
    }
}

/// A new API key of a worker.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The worker's session, unless the query or the bearer carries it.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    pub(crate) session_token: Option<Cow<'a, str>>,
    /// The new key. A secret.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 512)]
    pub(crate) new_api_key: Cow<'a, str>,
    /// How long the old key stays good, in seconds: 0 to 604800; 86400 where it is left out.
    pub(crate) overlap_sec: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millionths_are_written_as_the_shortest_decimal() {
        let table = [
            (0, "0"),
            (1, "0.000001"),
            (757_500, "0.7575"),
            (1_000_000, "1"),
            (12_000_000, "12"),
            (u64::MAX, "18446744073709.551615"),
        ];
        for (micro, text) in table {
            assert_eq!(Millionths(micro).write(&mut [0; 21]), text);
        }
    }
}
