//! The values of the configuration, from the text of a variable or from `purser.toml`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use purser_events::policy::NodeType;
use purser_events::{Amount, BasisPoints, Label, Wei};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// Why a text is no value of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is no whole number from 1 on.
    #[error("takes a whole number from 1 on")]
    Count,
    /// It is no boolean.
    #[error("takes true or false")]
    Bool,
    /// It is no address to listen on.
    #[error("takes IP, :PORT or IP:PORT")]
    Bind,
    /// It is no port.
    #[error("takes a port, 0 to 65535")]
    Port,
    /// It is no duration that the rules allow.
    #[error("takes whole seconds, 1 to 86400")]
    Seconds,
    /// It is no rate in basis points.
    #[error("takes hundredths of a percent, 0 to 10000")]
    Commission,
    /// It is no rate between 0 and 1 of at most four decimal places.
    #[error("takes a decimal from 0 to 1 with at most four decimal places, such as 0.25")]
    Rate,
    /// It is no amount in wei.
    #[error("takes an amount in wei as a text of digits, below 2^128")]
    Threshold,
    /// They are no weights.
    #[error(
        "takes weights that are one together, such as \
             cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05"
    )]
    Weights,
    /// It is no list of partitions.
    #[error(
        "takes partitions as node_type|region, such as ai|us-central; the node type is \
             ai or transcode"
    )]
    Partition,
    /// It is no frequency.
    #[error("takes off, or COUNT/PERIOD burst BURST, such as 20/s burst 40 or 1/5s burst 1")]
    Frequency,
    /// It is no network.
    #[error("takes networks such as 10.0.0.0/8, or addresses")]
    Network,
    /// It is nobody who could show a certificate.
    #[error("takes coordinator, operator, auditor or worker")]
    Party,
    /// It is no amount in base units.
    #[error("takes an amount in base units as a text of digits, at most 2^96 - 1")]
    Units,
    /// It is no percentage.
    #[error("takes whole percent, 0 to 100")]
    Percent,
    /// It is no asset.
    #[error("takes an asset as code:exponent, such as BTC:8; the exponent is 0 to 36")]
    PoolAsset,
    /// It is no list of addresses of nodes.
    #[error("takes addresses of nodes of the chain, such as https://HOST/PATH")]
    Rpc,
    /// It is no finality.
    #[error("takes \"finalized\", or the blocks to wait for as a text of digits, from 1 on")]
    Finality,
    /// It is no whole number.
    #[error("takes a whole number")]
    Whole,
    /// It is no account on the chain.
    #[error("takes 0x and 40 hexadecimal digits")]
    Address,
    /// It is no address of a node.
    #[error("takes an address without spaces, such as https://orch.example:8935")]
    ServiceAddr,
    /// It is no list of prices.
    #[error("takes prices in wei as capability=numerator/denominator, such as llm=3/2")]
    Price,
    /// A capability is priced twice.
    #[error("prices a capability twice")]
    TwicePriced,
    /// It is no list of switches.
    #[error(
        "takes words out of sticky_batches, token_balance_zero, whole_wei_prices, \
         price_overhead, full_minute and late_stop"
    )]
    Switch,
    /// It is no region.
    #[error("takes a region such as eu-west: segments between dashes, without spaces")]
    Region,
    /// It is no list of distances.
    #[error("takes distances as region=kilometres, such as us-west=8000; 1 to 20040")]
    Distance,
    /// A region is so far, and so far.
    #[error("gives the distance of a region twice")]
    TwiceFar,
    /// A partition stands twice.
    #[error("names a partition twice")]
    Twice,
}

/// What a key takes.
pub trait Setting: Sized {
    /// What is in force once every source was heard.
    type Effective;

    /// Reads the text of a variable.
    ///
    /// # Errors
    /// When the text is no value of this kind.
    fn from_text(text: &str) -> Result<Self, ValueError>;

    /// One source over another.
    fn over(above: Option<Self>, below: Option<Self>) -> Option<Self> {
        above.or(below)
    }

    /// What is in force, once the default stands below every source.
    ///
    /// # Panics
    /// When a key that has a default is absent.
    fn effective(value: Option<Self>) -> Self::Effective;
}

/// A setting that is a list which may be empty: texts in `purser.toml`, separated by commas in a
/// variable. Its type has a function `read` of those texts.
macro_rules! list_setting {
    ($($list:ident)+) => {
        $(impl TryFrom<Vec<String>> for $list {
            type Error = ValueError;

            fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
                Self::read(texts.iter().map(String::as_str))
            }
        }

        impl Setting for $list {
            type Effective = Self;

            fn from_text(text: &str) -> Result<Self, ValueError> {
                if text.is_empty() {
                    return Ok(Self::default());
                }
                Self::read(text.split(',').map(str::trim))
            }

            fn effective(value: Option<Self>) -> Self {
                value.unwrap_or_default()
            }
        })+
    };
}

pub(super) use list_setting;

macro_rules! settings {
    ($($kind:ty, $read:expr;)*) => {$(
        impl Setting for $kind {
            type Effective = Self;

            fn from_text(text: &str) -> Result<Self, ValueError> {
                let read: fn(&str) -> Result<Self, ValueError> = $read;
                read(text)
            }

            fn effective(value: Option<Self>) -> Self {
                value.expect("this key has a default")
            }
        }
    )*};
}

settings! {
    PathBuf, |text| if text.is_empty() { Err(ValueError::Empty) } else { Ok(Self::from(text)) };
    bool, |text| text.parse().map_err(|_| ValueError::Bool);
    u64, |text| text.parse().map_err(|_| ValueError::Whole);
    NonZeroU64, |text| text.parse().map_err(|_| ValueError::Count);
    NonZeroUsize, |text| text.parse().map_err(|_| ValueError::Count);
    Port, |text| text.parse().map(Port).map_err(|_| ValueError::Port);
    Seconds, |text| text.parse::<u32>().map_err(|_| ValueError::Seconds).and_then(Self::try_from);
    Commission, |text| {
        text.parse::<u16>().map_err(|_| ValueError::Commission).and_then(Self::try_from)
    };
    Threshold, |text| Self::try_from(text.to_owned());
    Partitions, str::parse;
}

/// An address to listen on, or only its host or its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Bind {
    host: Option<IpAddr>,
    port: Option<u16>,
}

impl Bind {
    /// `127.0.0.1:8203`
    pub const DEFAULT: Self = Self {
        host: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        port: Some(8203),
    };

    /// Only a port.
    pub(super) const fn of_port(port: Port) -> Self {
        Self {
            host: None,
            port: Some(port.0),
        }
    }
}

impl FromStr for Bind {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok(Self {
                host: Some(both.ip()),
                port: Some(both.port()),
            });
        }
        let (host, port) = match text.strip_prefix(':') {
            Some(port) => (None, Some(port.parse().map_err(|_| ValueError::Bind)?)),
            None => (Some(text.parse().map_err(|_| ValueError::Bind)?), None),
        };
        Ok(Self { host, port })
    }
}

impl TryFrom<String> for Bind {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl Setting for Bind {
    type Effective = SocketAddr;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    /// Host and port are overridden each on its own.
    fn over(above: Option<Self>, below: Option<Self>) -> Option<Self> {
        let (Some(above), Some(below)) = (above, below) else {
            return above.or(below);
        };
        Some(Self {
            host: above.host.or(below.host),
            port: above.port.or(below.port),
        })
    }

    fn effective(value: Option<Self>) -> SocketAddr {
        let bind = value.expect("this key has a default");
        let host = bind.host.expect("the default has a host");
        SocketAddr::new(host, bind.port.expect("the default has a port"))
    }
}

/// A port to listen on; 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port(pub(super) u16);

/// A secret: never shown, neither by `Debug` nor when the configuration is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// What is shown in a secret's place.
    pub const MASK: &'static str = "********";

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(Self::MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A value of the wrong kind may still be the secret: the error must not show it.
        let value = toml::Value::deserialize(from)?;
        let text = value
            .as_str()
            .ok_or_else(|| serde::de::Error::custom("takes a text"))?;
        Self::from_text(text).map_err(serde::de::Error::custom)?;
        Ok(Self(text.into()))
    }
}

impl Setting for Secret {
    type Effective = Option<Self>;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        Ok(Self(text.into()))
    }

    fn effective(value: Option<Self>) -> Option<Self> {
        value
    }
}

/// A text, such as the name of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(Box<str>);

impl Text {
    pub(super) fn fixed(text: &str) -> Self {
        Self(text.into())
    }
}

impl TryFrom<String> for Text {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::from_text(&text)
    }
}

impl Setting for Text {
    type Effective = Option<String>;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        Ok(Self(text.into()))
    }

    fn effective(value: Option<Self>) -> Option<String> {
        value.map(|text| text.0.into())
    }
}

/// A duration in whole seconds, 1 to 86,400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Seconds(pub(super) u32);

impl Seconds {
    /// The duration in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u32 {
        self.0 * 1_000
    }

    /// The duration.
    #[must_use]
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0 as u64)
    }
}

impl TryFrom<u32> for Seconds {
    type Error = ValueError;

    fn try_from(seconds: u32) -> Result<Self, ValueError> {
        if (1..=86_400).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(ValueError::Seconds)
        }
    }
}

/// The pool's share of each fee in hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct Commission(pub(super) u16);

impl Commission {
    /// The rate.
    #[must_use]
    pub fn basis_points(self) -> BasisPoints {
        BasisPoints::new(self.0).expect("the range was checked")
    }
}

impl TryFrom<u16> for Commission {
    type Error = ValueError;

    fn try_from(rate: u16) -> Result<Self, ValueError> {
        BasisPoints::new(rate).map_or(Err(ValueError::Commission), |rate| Ok(Self(rate.get())))
    }
}

impl FromStr for Commission {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::from_text(text)
    }
}

/// Reads a rate such as `0.25`; exact, or refused.
pub(super) fn commission_of_rate(text: &str) -> Result<Commission, ValueError> {
    let rate = Decimal::from_str_exact(text).map_err(|_| ValueError::Rate)?;
    let points = rate
        .checked_mul(Decimal::from(BasisPoints::WHOLE))
        .ok_or(ValueError::Rate)?;
    if !points.is_integer() {
        return Err(ValueError::Rate);
    }
    let points = points.to_u16().ok_or(ValueError::Rate)?;
    Commission::try_from(points).map_err(|_| ValueError::Rate)
}

/// An amount in wei; a text of digits in `purser.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Threshold(Wei);

impl Threshold {
    /// 0.01 ETH
    pub const DEFAULT: Self = Self(Wei(10_000_000_000_000_000));

    /// 8 gwei: what the reference node wants of a ticket.
    pub const TICKET: Self = Self(Wei(8_000_000_000));

    /// The greatest amount that a command may name.
    pub const MOST: Self = Self(Wei(Amount::MAX.0));

    /// This amount.
    pub(super) const fn of(wei: u128) -> Self {
        Self(Wei(wei))
    }

    /// The amount.
    #[must_use]
    pub const fn wei(self) -> Wei {
        self.0
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl TryFrom<String> for Threshold {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::Threshold);
        }
        let wei = text.parse().map_err(|_| ValueError::Threshold)?;
        Ok(Self(Wei(wei)))
    }
}

/// A node type in a region, whose files are taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What its nodes do.
    pub node_type: NodeType,
    /// Where they are.
    pub region: Label,
}

/// The partitions whose files are taken in; a list of texts in `purser.toml`, separated by commas
/// in a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Partitions(Vec<Partition>);

impl Partitions {
    /// The partitions, in the order that they were named.
    #[must_use]
    pub fn as_slice(&self) -> &[Partition] {
        &self.0
    }

    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let mut partitions = Vec::new();
        for text in texts {
            let partition = Partition::from_str(text)?;
            if partitions.contains(&partition) {
                return Err(ValueError::Twice);
            }
            partitions.push(partition);
        }
        Ok(Self(partitions))
    }
}

impl Default for Partitions {
    /// The five of the pool that the format comes from.
    fn default() -> Self {
        let texts = [
            "ai|us-central",
            "transcode|eu-central",
            "transcode|oceania",
            "transcode|us-central",
            "transcode|us-west",
        ];
        Self::read(texts.into_iter()).expect("the defaults are well-formed")
    }
}

impl FromStr for Partition {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (node_type, region) = text.split_once('|').ok_or(ValueError::Partition)?;
        let node_type = NodeType::parse(node_type).ok_or(ValueError::Partition)?;
        if region.contains(['/', '|']) {
            return Err(ValueError::Partition);
        }
        let region = Label::new(region).map_err(|_| ValueError::Partition)?;
        Ok(Self { node_type, region })
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}|{}", self.node_type.as_str(), self.region)
    }
}

impl FromStr for Partitions {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::read(text.split(',').map(str::trim))
    }
}

impl TryFrom<Vec<String>> for Partitions {
    type Error = ValueError;

    fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
        Self::read(texts.iter().map(String::as_str))
    }
}

impl From<Partitions> for Vec<String> {
    fn from(partitions: Partitions) -> Self {
        partitions.0.iter().map(ToString::to_string).collect()
    }
}
