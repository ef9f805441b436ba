//! The values that say how tickets are issued.

use std::collections::BTreeMap;
use std::str::FromStr;

use purser_commands::jobs::command::{AdmitRule, JobRules, StopRule};
use purser_events::{Address, Price};
use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError, list_setting};
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

impl From<Prices> for Vec<String> {
    fn from(prices: Prices) -> Self {
        let prices = prices.0.into_iter();
        let text = |(name, (numerator, denominator))| format!("{name}={numerator}/{denominator}");
        prices.map(text).collect()
    }
}

list_setting!(Prices Switches);

/// A point where the reference node is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    StickyBatches,
    TokenBalanceZero,
    WholeWeiPrices,
    PriceOverhead,
    FullMinute,
    LateStop,
}

impl Switch {
    /// In the order of their discriminants.
    const ALL: [Self; 6] = [
        Self::StickyBatches,
        Self::TokenBalanceZero,
        Self::WholeWeiPrices,
        Self::PriceOverhead,
        Self::FullMinute,
        Self::LateStop,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::StickyBatches => "sticky_batches",
            Self::TokenBalanceZero => "token_balance_zero",
            Self::WholeWeiPrices => "whole_wei_prices",
            Self::PriceOverhead => "price_overhead",
            Self::FullMinute => "full_minute",
            Self::LateStop => "late_stop",
        }
    }
}

/// Where the reference node is followed; a list of words in `purser.toml`, separated by commas in
/// a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Switches([bool; Switch::ALL.len()]);

impl Switches {
    fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let mut switches = Self::default();
        for word in words {
            let known = Switch::ALL.iter().position(|switch| switch.word() == word);
            switches.0[known.ok_or(ValueError::Switch)?] = true;
        }
        Ok(switches)
    }

    const fn is_on(self, switch: Switch) -> bool {
        self.0[switch as usize]
    }

    /// Where tickets and tokens follow it.
    #[must_use]
    pub const fn tickets(self) -> Compat {
        Compat {
            sticky_batches: self.is_on(Switch::StickyBatches),
            token_balance_zero: self.is_on(Switch::TokenBalanceZero),
            whole_wei_prices: self.is_on(Switch::WholeWeiPrices),
            price_overhead: self.is_on(Switch::PriceOverhead),
        }
    }

    /// The rules that jobs are admitted and stopped by.
    #[must_use]
    pub const fn jobs(self) -> JobRules {
        JobRules {
            admit: match self.is_on(Switch::FullMinute) {
                true => AdmitRule::AllAskedFor,
                false => AdmitRule::UpToTimeout,
            },
            stop: match self.is_on(Switch::LateStop) {
                true => StopRule::SecondBelowZero,
                false => StopRule::FoundBelowZero,
            },
        }
    }
}

impl From<Switches> for Vec<String> {
    fn from(switches: Switches) -> Self {
        let on = Switch::ALL.into_iter().filter(|one| switches.is_on(*one));
        on.map(|switch| switch.word().to_owned()).collect()
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
    fn each_switch_has_its_word_and_its_effect() {
        let words = Switch::ALL.map(Switch::word);
        for (at, word) in words.into_iter().enumerate() {
            assert_eq!(Switch::ALL[at] as usize, at);
            let one = Switches::from_text(word).expect("a switch");
            assert_eq!(Vec::<String>::from(one), [word]);
            let effect = (one.tickets(), one.jobs());
            assert_ne!(effect, (Compat::default(), JobRules::default()), "{word}");
        }
        let all = Switches::from_text(&words.join(", ")).expect("all");
        assert_eq!(Vec::<String>::from(all), words);
        for word in words {
            let one = Switches::from_text(word).expect("a switch");
            assert_ne!((one.tickets(), one.jobs()), (all.tickets(), all.jobs()));
        }
        assert_eq!(Switches::from_text("sticky"), Err(ValueError::Switch));
        assert_eq!(Switches::from_text(""), Ok(Switches::default()));
        let told = ValueError::Switch.to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}
