//! How much may come, and from where.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError};

/// How often something may happen: a bucket of tokens, or no limit. Written as
/// `COUNT/PERIOD burst BURST`, such as `20/s burst 40`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Option<Bucket>);

/// So many tokens per period; at most `burst` are saved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Tokens that are added per period.
    pub count: NonZeroU32,
    /// The period in seconds.
    pub period_sec: NonZeroU32,
    /// Tokens that are saved up at most.
    pub burst: NonZeroU32,
}

impl Bucket {
    /// The time in which one token is added.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.period_sec.get().into()) / self.count.get()
    }
}

impl Rate {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// So many per period, with a burst.
    ///
    /// # Panics
    /// When one of them is 0.
    #[must_use]
    pub(crate) const fn of(count: u32, period_sec: u32, burst: u32) -> Self {
        let message = "a default rate is above zero";
        Self(Some(Bucket {
            count: NonZeroU32::new(count).expect(message),
            period_sec: NonZeroU32::new(period_sec).expect(message),
            burst: NonZeroU32::new(burst).expect(message),
        }))
    }

    /// The bucket; `None` where there is no limit.
    #[must_use]
    pub const fn bucket(&self) -> Option<Bucket> {
        self.0
    }
}

impl FromStr for Rate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        let read = || {
            let (rate, burst) = text.split_once(" burst ")?;
            let (count, period) = rate.split_once('/')?;
            let unit = period.trim_start_matches(|c: char| c.is_ascii_digit());
            let many = &period[..period.len() - unit.len()];
            let many = if many.is_empty() {
                1
            } else {
                many.parse().ok()?
            };
            let seconds: u32 = match unit {
                "s" => 1,
                "min" => 60,
                "h" => 3_600,
                _ => return None,
            };
            let bucket = Bucket {
                count: count.parse().ok()?,
                period_sec: NonZeroU32::new(seconds.checked_mul(many)?)?,
                burst: burst.parse().ok()?,
            };
            // A token that takes no time is none.
            (!bucket.interval().is_zero()).then_some(bucket)
        };
        read()
            .map(|bucket| Self(Some(bucket)))
            .ok_or(ValueError::Frequency)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Bucket {
            count,
            period_sec,
            burst,
        }) = self.0
        else {
            return f.write_str("off");
        };
        match period_sec.get() {
            1 => write!(f, "{count}/s burst {burst}"),
            60 => write!(f, "{count}/min burst {burst}"),
            seconds => write!(f, "{count}/{seconds}s burst {burst}"),
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl Setting for Rate {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn effective(value: Option<Self>) -> Self {
        value.expect("this key has a default")
    }
}

/// Networks as `ADDRESS/BITS`, or single addresses; a list of texts in `purser.toml`, separated by
/// commas in a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them holds this address.
    #[must_use]
    pub fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let read = |text: &str| -> Result<IpNet, ValueError> {
            match text.parse::<IpAddr>() {
                Ok(address) => Ok(IpNet::from(address)),
                Err(_) => text.parse().map_err(|_| ValueError::Network),
            }
        };
        texts.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<Vec<String>> for Networks {
    type Error = ValueError;

    fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
        Self::read(texts.iter().map(String::as_str))
    }
}

impl From<Networks> for Vec<String> {
    fn from(networks: Networks) -> Self {
        networks.0.iter().map(ToString::to_string).collect()
    }
}

impl Setting for Networks {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        let texts = text.split(',').map(str::trim);
        Self::read(texts.filter(|text| !text.is_empty()))
    }

    fn effective(value: Option<Self>) -> Self {
        value.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_written_alike() {
        for text in ["off", "20/s burst 40", "5/min burst 5", "1/5s burst 1"] {
            let rate: Rate = text.parse().expect(text);
            assert_eq!(rate.to_string(), text);
        }
        let hour: Rate = "7/2h burst 3".parse().expect("a rate");
        assert_eq!(hour.to_string(), "7/7200s burst 3");
        for text in [
            "",
            "20",
            "20/s",
            "0/s burst 1",
            "1/0s burst 1",
            "1/s burst 0",
            "-1/s burst 1",
            "1/d burst 1",
            "1/s burst 1 burst 1",
            "4000000000/s burst 1",
            "1/9999999h burst 1",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(ValueError::Frequency), "{text}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_in_both_families() {
        let networks = Networks::from_text("10.0.0.0/8, ::1, 192.0.2.7").expect("networks");
        for (address, held) in [
            ("10.255.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("::1", true),
            ("::2", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(
                networks.hold(address.parse().expect(address)),
                held,
                "{address}"
            );
        }
        for text in ["10.0.0.0/33", "example.com", "10.0.0"] {
            assert_eq!(
                Networks::from_text(text),
                Err(ValueError::Network),
                "{text}"
            );
        }
        assert!(!Networks::default().hold("10.0.0.1".parse().expect("an address")));
    }
}
