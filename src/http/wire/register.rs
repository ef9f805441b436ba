//! The body of a registration.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::command::{RegisterWorker, Secret};
use purser_events::worker::Manifest;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field::{address, capabilities, label, name, names, optional_name, whole};
use crate::http::code::Code;
use crate::http::decimal::{GB_TO_MIB, TO_MILLIONTHS};
use crate::http::error::Problem;

/// The longest API key in bytes.
pub(crate) const API_KEY_BYTES_MAX: usize = 512;

/// What a worker says of itself. Decimals may be JSON numbers or text; gigabytes are of 1,024 MiB
/// and are kept in whole MiB, cut; a price has at most six decimal places.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The id that the worker chose; bound to its key from now on.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 128)]
    miner_id: Cow<'a, str>,
    /// The worker's own key.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 512)]
    api_key: Cow<'a, str>,
    /// Where coordinators reach it.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 256)]
    addr: Cow<'a, str>,
    /// The protocol spoken there.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 256)]
    proto: Cow<'a, str>,
    /// Memory of its GPU in GB.
    #[serde(borrow)]
    #[schema(value_type = f64)]
    gpu_vram: &'a RawValue,
    /// The name of its GPU.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 256)]
    gpu_name: Cow<'a, str>,
    /// Processor cores, at least 1.
    cpu_cores: i64,
    /// Main memory in GB, above zero.
    #[serde(borrow)]
    #[schema(value_type = f64)]
    ram_gb: &'a RawValue,
    /// Price in credits per kilosecond.
    #[serde(borrow)]
    #[schema(value_type = String, example = "0.75")]
    price_token_per_ksec: &'a RawValue,
    /// How many jobs it runs at once, at least 1.
    max_parallel: i64,
    /// Free words.
    #[schema(value_type = Vec<String>, max_items = 64)]
    tags: Vec<Cow<'a, str>>,
    /// What it can do: `kind:name`, where the kind is `task`, `model`, `accel`, `runtime` or
    /// `feature`; or a bare name, as the pool hub's guide writes them.
    #[schema(value_type = Vec<String>, max_items = 64)]
    capabilities: Vec<Cow<'a, str>>,
    /// Accelerator kinds.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    accel: Option<Vec<Cow<'a, str>>>,
    /// The region that it claims.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    region: Option<Cow<'a, str>>,
    /// The node type that it claims.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    node_type: Option<Cow<'a, str>>,
    /// Where it wants to be paid.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "0x1b4897e079059ad22d9cd179c9e412e131594917")]
    eth_address: Option<Cow<'a, str>>,
}

impl RegisterBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(Command::RegisterWorker(Box::new(RegisterWorker {
            miner_id: name("miner_id", &self.miner_id)?,
            api_key: self.api_key()?,
            fresh_salt: salt()?,
            manifest: self.manifest()?,
        })))
    }

    fn api_key(&self) -> Result<Secret, Problem> {
        let key = self.api_key.as_ref();
        if key.is_empty() || key.len() > API_KEY_BYTES_MAX {
            let detail = "must have 1 to 512 bytes";
            return Err(Problem::field(Code::OutOfRange, "api_key", detail));
        }
        Ok(Secret(key.into()))
    }

    fn manifest(&self) -> Result<Manifest, Problem> {
        let eth_address = self.eth_address.as_deref();
        Ok(Manifest {
            addr: label("addr", &self.addr)?,
            proto: label("proto", &self.proto)?,
            gpu_name: label("gpu_name", &self.gpu_name)?,
            vram_mb: memory("gpu_vram", self.gpu_vram, 0)?,
            cpu_cores: whole("cpu_cores", self.cpu_cores, 1)?,
            ram_mb: memory("ram_gb", self.ram_gb, 1)?,
            price_micro: price(self.price_token_per_ksec)?,
            max_parallel: whole("max_parallel", self.max_parallel, 1)?,
            tags: names("tags", &self.tags)?,
            capabilities: capabilities("capabilities", &self.capabilities)?,
            accel: names("accel", self.accel.as_deref().unwrap_or_default())?,
            region: optional_name("region", self.region.as_deref())?,
            node_type: optional_name("node_type", self.node_type.as_deref())?,
            payout_address: eth_address
                .map(|text| address("eth_address", text))
                .transpose()?,
        })
    }
}

/// Memory in MiB.
fn memory(field: &'static str, raw: &RawValue, min: i64) -> Result<u32, Problem> {
    whole(field, GB_TO_MIB.read(field, raw)?, min)
}

/// A price in millionths.
pub(crate) fn price(raw: &RawValue) -> Result<u64, Problem> {
    const FIELD: &str = "price_token_per_ksec";
    whole(FIELD, TO_MILLIONTHS.read(FIELD, raw)?, 0)
}

/// Random bytes for the hash of a new key.
pub(crate) fn salt() -> Result<[u8; 16], Problem> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Problem::with(Code::Internal, format!("no randomness: {error}")))?;
    Ok(salt)
}
