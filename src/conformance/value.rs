//! Reading vectors: integers as decimal text, rationals as `numerator/denominator`, bytes as `0x`
//! and hexadecimal digits.

use std::fmt::Display;
use std::str::FromStr;

use alloy_primitives::Uint;
use purser_events::{Address, U256, Word};
use serde_json::Value;

use crate::hex::{hex, unhex};

/// What a case says and what came out, or why it cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Mismatch {
    /// The field.
    pub field: String,
    /// What is wrong.
    pub detail: String,
}

impl Mismatch {
    /// A mismatch in this field.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let (field, detail) = (field.into(), detail.into());
        Self { field, detail }
    }
}

/// A part of a vector, with the path to it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// The root of a vector.
    #[must_use]
    pub const fn root(value: &'a Value) -> Self {
        let path = String::new();
        Self { value, path }
    }

    /// A field of an object; null where it is absent.
    #[must_use]
    pub fn get(&self, field: &str) -> Self {
        let path = match self.path.as_str() {
            "" => field.to_owned(),
            path => format!("{path}.{field}"),
        };
        Self {
            value: &self.value[field],
            path,
        }
    }

    /// Whether there is something.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !self.value.is_null()
    }

    /// The value itself.
    #[must_use]
    pub const fn value(&self) -> &'a Value {
        self.value
    }

    /// A mismatch here.
    #[must_use]
    pub fn wrong(&self, detail: impl Into<String>) -> Mismatch {
        Mismatch::new(self.path.clone(), detail)
    }

    /// The elements of a list.
    pub fn list(&self) -> Result<impl Iterator<Item = Self> + use<'a>, Mismatch> {
        let values = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong("is no list"))?;
        let path = self.path.clone();
        Ok(values.iter().enumerate().map(move |(at, value)| Self {
            value,
            path: format!("{path}[{at}]"),
        }))
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, Mismatch> {
        self.value.as_str().ok_or_else(|| self.wrong("is no text"))
    }

    /// A boolean.
    pub fn flag(&self) -> Result<bool, Mismatch> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("is no boolean"))
    }

    /// An integer of any type that reads decimal digits; a JSON number will do.
    pub fn integer<T: FromStr>(&self) -> Result<T, Mismatch> {
        let text = match self.value {
            Value::Number(number) => number.to_string(),
            _ => self.text()?.to_owned(),
        };
        let read = text.parse();
        read.map_err(|_| self.wrong(format!("{text} is no integer of the expected size")))
    }

    /// An unsigned integer of 256 bits.
    pub fn wide(&self) -> Result<U256, Mismatch> {
        let number: Uint<256, 4> = self.integer()?;
        Ok(U256::from_be_bytes(number.to_be_bytes()))
    }

    /// Bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Mismatch> {
        unhex(self.text()?).ok_or_else(|| self.wrong("is no hexadecimal text behind 0x"))
    }

    /// Thirty-two bytes.
    pub fn word(&self) -> Result<Word, Mismatch> {
        let bytes = self.bytes()?.try_into();
        bytes
            .map(Word)
            .map_err(|_| self.wrong("is not of 32 bytes"))
    }

    /// An account.
    pub fn address(&self) -> Result<Address, Mismatch> {
        Address::parse(self.text()?).ok_or_else(|| self.wrong("is no address"))
    }

    /// A rational.
    pub fn rational(&self) -> Result<Rational, Mismatch> {
        Rational::parse(self.text()?).ok_or_else(|| self.wrong("is no rational"))
    }

    /// Compares the text that stands here with what came out.
    pub fn is(&self, found: impl Display) -> Result<(), Mismatch> {
        let expected = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let found = found.to_string();
        if expected == found {
            return Ok(());
        }
        Err(self.wrong(format!("expected {expected}, found {found}")))
    }

    /// Compares a rational, rounded down, with whole base units.
    pub fn is_floor(&self, found: i128) -> Result<(), Mismatch> {
        let expected = self.rational()?;
        if expected.floor() == Some(found) {
            return Ok(());
        }
        let floor = expected
            .floor()
            .map_or("out of range".into(), |f| f.to_string());
        Err(self.wrong(format!("expected {floor}, found {found}")))
    }

    /// Compares bytes.
    pub fn is_bytes(&self, found: &[u8]) -> Result<(), Mismatch> {
        self.is(format!("0x{}", hex(found)))
    }
}

/// Wide enough for every product that the comparisons take.
pub(super) type Wide = Uint<1024, 16>;

/// A rational number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rational {
    /// Whether it is below zero.
    pub is_negative: bool,
    /// The numerator without its sign.
    pub numerator: Wide,
    /// The denominator, above zero.
    pub denominator: Wide,
}

impl Rational {
    /// Reads `numerator/denominator`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once('/')?;
        let digits = numerator.strip_prefix('-');
        let denominator: Wide = denominator.parse().ok()?;
        (denominator > Wide::ZERO).then_some(Self {
            is_negative: digits.is_some(),
            numerator: digits.unwrap_or(numerator).parse().ok()?,
            denominator,
        })
    }

    /// The greatest whole number that is not above it.
    #[must_use]
    pub fn floor(&self) -> Option<i128> {
        let (quotient, rest) = self.numerator.div_rem(self.denominator);
        let quotient = i128::try_from(u128::try_from(quotient).ok()?).ok()?;
        match (self.is_negative, rest == Wide::ZERO) {
            (false, _) => Some(quotient),
            (true, true) => Some(-quotient),
            (true, false) => Some(-quotient - 1),
        }
    }

    /// Its numerator and denominator, where both are small and it is not below zero.
    #[must_use]
    pub fn small(&self) -> Option<(u64, u64)> {
        let numerator = u64::try_from(self.numerator).ok()?;
        let denominator = u64::try_from(self.denominator).ok()?;
        (!self.is_negative).then_some((numerator, denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rationals_are_rounded_down() {
        let floor = |text| Rational::parse(text).and_then(|rational| rational.floor());
        let table = [("7/2", 3), ("-7/2", -4), ("-4/2", -2), ("0/1", 0)];
        for (text, expected) in table {
            assert_eq!(floor(text), Some(expected), "{text}");
        }
        for text in ["", "1", "1/0", "x/1", "1/-1", "nil"] {
            assert_eq!(Rational::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_mismatch_names_the_path() {
        let value = serde_json::json!({ "a": [{ "b": "1" }] });
        let node = Node::root(&value).get("a");
        let inner = node.list().expect("a list").next().expect("an element");
        let mismatch = inner.get("b").is(2).expect_err("they differ");
        assert_eq!(mismatch.to_string(), "a[0].b: expected 1, found 2");
    }
}
