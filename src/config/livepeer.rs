//! The values that say how tickets are issued.

use std::collections::BTreeMap;
use std::str::FromStr;

use purser_events::{Address, Price};
use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError};
use crate::tickets::desk::Compat;

/// An account on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(pub Address);

impl FromStr for Account {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Address::parse(text).map(Self).ok_or(ValueError::Address)
    }
}

impl TryFrom<String> for Account {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.0.to_string()
    }
}

impl Setting for Account {
    type Effective = Option<Self>;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn effective(value: Option<Self>) -> Option<Self> {
        value
    }
}

/// Where gateways reach the node: a text without spaces, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceAddr(String);

impl ServiceAddr {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceAddr {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(ValueError::ServiceAddr);
        }
        Ok(Self(text))
    }
}

impl From<ServiceAddr> for String {
    fn from(addr: ServiceAddr) -> Self {
        addr.0
    }
}

impl Setting for ServiceAddr {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.to_owned().try_into()
    }

    fn effective(value: Option<Self>) -> Self {
        value.unwrap_or_default()
    }
}

/// What a unit of each capability costs, in wei; a list of texts in `purser.toml`, separated by
/// commas in a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Prices(BTreeMap<String, (u64, u64)>);

impl Prices {
    /// Numerator and denominator, by capability.
    #[must_use]
    pub const fn table(&self) -> &BTreeMap<String, (u64, u64)> {
        &self.0
    }

    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let mut table = BTreeMap::new();
        for text in texts {
            let (capability, price) = text.rsplit_once('=').ok_or(ValueError::Price)?;
            let (numerator, denominator) = price.split_once('/').unwrap_or((price, "1"));
            let number = |text: &str| text.parse().map_err(|_| ValueError::Price);
            let price: (u64, u64) = (number(numerator)?, number(denominator)?);
            // Gateways read prices as signed numbers of 64 bits.
            let fits = i64::try_from(price.0).is_ok()
                && (1..=Price::DENOMINATOR_MAX.into()).contains(&price.1);
            if capability.is_empty() || !fits {
                return Err(ValueError::Price);
            }
            if table.insert(capability.to_owned(), price).is_some() {
                return Err(ValueError::TwicePriced);
            }
        }
        Ok(Self(table))
    }
}

impl TryFrom<Vec<String>> for Prices {
    type Error = ValueError;

    fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
        Self::read(texts.iter().map(String::as_str))
    }
}

impl From<Prices> for Vec<String> {
    fn from(prices: Prices) -> Self {
        let prices = prices.0.into_iter();
        let text = |(name, (numerator, denominator))| format!("{name}={numerator}/{denominator}");
        prices.map(text).collect()
    }
}

impl Setting for Prices {
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
}

/// Where the reference node is followed; a list of words in `purser.toml`, separated by commas in
/// a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Switches(pub Compat);

const SWITCHES: [&str; 4] = [
    "sticky_batches",
    "token_balance_zero",
    "whole_wei_prices",
    "price_overhead",
];

impl Switches {
    fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let mut compat = Compat::default();
        for word in words {
            *switch(&mut compat, word).ok_or(ValueError::Switch)? = true;
        }
        Ok(Self(compat))
    }
}

fn switch<'a>(compat: &'a mut Compat, word: &str) -> Option<&'a mut bool> {
    let [sticky, zero, whole, overhead] = SWITCHES;
    Some(match word {
        word if word == sticky => &mut compat.sticky_batches,
        word if word == zero => &mut compat.token_balance_zero,
        word if word == whole => &mut compat.whole_wei_prices,
        word if word == overhead => &mut compat.price_overhead,
        _ => return None,
    })
}

impl TryFrom<Vec<String>> for Switches {
    type Error = ValueError;

    fn try_from(words: Vec<String>) -> Result<Self, ValueError> {
        Self::read(words.iter().map(String::as_str))
    }
}

impl From<Switches> for Vec<String> {
    fn from(mut switches: Switches) -> Self {
        let compat = &mut switches.0;
        let mut is_on = |word: &&str| switch(compat, word).is_some_and(|on| *on);
        let words = SWITCHES.into_iter().filter(|word| is_on(word));
        words.map(str::to_owned).collect()
    }
}

impl Setting for Switches {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_ratios_by_capability() {
        let prices = Prices::from_text("llm=1000000000, live=video=3/2").expect("prices");
        assert_eq!(prices.table()["llm"], (1_000_000_000, 1));
        assert_eq!(prices.table()["live=video"], (3, 2));
        let texts: Vec<String> = prices.clone().into();
        assert_eq!(texts, ["live=video=3/2", "llm=1000000000/1"]);
        assert_eq!(Prices::try_from(texts), Ok(prices));
        for text in [
            "llm",
            "=1",
            "llm=",
            "llm=1/0",
            "llm=-1",
            "llm=9223372036854775808",
        ] {
            assert_eq!(Prices::from_text(text), Err(ValueError::Price), "{text}");
        }
        assert_eq!(Prices::from_text("a=1,a=2"), Err(ValueError::TwicePriced));
    }

    #[test]
    fn each_switch_has_its_word() {
        let all = Switches::from_text(&SWITCHES.join(",")).expect("all");
        let on = Compat {
            sticky_batches: true,
            token_balance_zero: true,
            whole_wei_prices: true,
            price_overhead: true,
        };
        assert_eq!(all.0, on);
        let words: Vec<String> = all.into();
        assert_eq!(words, SWITCHES);
        assert_eq!(Switches::from_text("sticky"), Err(ValueError::Switch));
        assert_eq!(Switches::from_text(""), Ok(Switches::default()));
    }
}
