//! The values of the keys about payouts on chain.

use std::num::NonZeroU64;
use std::str::FromStr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ValueError;
use super::value::Setting;

/// The nodes of the chain, in the order in which they are asked; a list of texts in `purser.toml`,
/// separated by commas in a variable. An address may hold a key of its provider: only its host is
/// ever shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct RpcUrls(Vec<Url>);

impl RpcUrls {
    /// The addresses.
    #[must_use]
    pub fn as_slice(&self) -> &[Url] {
        &self.0
    }

    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let url = |text: &str| {
            let url = Url::parse(text.trim()).map_err(|_| ValueError::Rpc)?;
            let known = matches!(url.scheme(), "http" | "https") && url.has_host();
            if known { Ok(url) } else { Err(ValueError::Rpc) }
        };
        let urls = texts.map(url).collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(ValueError::Rpc);
        }
        Ok(Self(urls))
    }

    fn shown(&self) -> Vec<String> {
        self.0.iter().map(host_of).collect()
    }
}

/// What may be shown of an address: its scheme, host and port.
#[must_use]
pub fn host_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl std::fmt::Debug for RpcUrls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RpcUrls").field(&self.shown()).finish()
    }
}

impl Serialize for RpcUrls {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(to)
    }
}

impl TryFrom<Vec<String>> for RpcUrls {
    type Error = ValueError;

    fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
        Self::read(texts.iter().map(String::as_str))
    }
}

impl FromStr for RpcUrls {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::read(text.split(','))
    }
}

impl Setting for RpcUrls {
    type Effective = Option<Self>;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn effective(value: Option<Self>) -> Option<Self> {
        value
    }
}

/// When a block counts as final: by the chain's own word, or by the blocks above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Finality {
    /// The chain's tag `finalized`.
    Finalized,
    /// So many blocks, its own included.
    Confirmations(NonZeroU64),
}

impl FromStr for Finality {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "finalized" {
            return Ok(Self::Finalized);
        }
        text.parse()
            .map(Self::Confirmations)
            .map_err(|_| ValueError::Finality)
    }
}

impl TryFrom<String> for Finality {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl std::fmt::Display for Finality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finalized => f.write_str("finalized"),
            Self::Confirmations(count) => count.fmt(f),
        }
    }
}

impl Serialize for Finality {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Setting for Finality {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn effective(value: Option<Self>) -> Self {
        value.expect("this key has a default")
    }
}
