//! The values of the grants' keys.

use purser_events::{Amount, BasisPoints, Label};
use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError};

/// An amount in base units: a text of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Units(pub(super) u128);

/// A whole number of percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct Percent(pub(super) u16);

/// An asset that pools are in, as `code:exponent`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PoolAsset {
    code: Label,
    exponent: u8,
}

impl Units {
    /// The amount.
    #[must_use]
    pub const fn amount(self) -> Amount {
        Amount(self.0)
    }
}

impl Percent {
    /// The rate.
    #[must_use]
    pub fn basis_points(self) -> BasisPoints {
        BasisPoints::new(self.0 * 100).expect("the range was checked")
    }
}

impl PoolAsset {
    /// The code people use, and the places between the asset's unit and its base unit.
    #[must_use]
    pub fn parts(&self) -> (Label, u8) {
        (self.code.clone(), self.exponent)
    }
}

impl Default for PoolAsset {
    /// Satoshis: what the pool that this replaces was in.
    fn default() -> Self {
        let code = Label::new("BTC").expect("a short word is a label");
        Self { code, exponent: 8 }
    }
}

impl TryFrom<String> for Units {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = text.parse().ok().filter(|_| all_digits);
        let amount = amount.filter(|amount| *amount <= Amount::MAX.0);
        amount.map(Self).ok_or(ValueError::Units)
    }
}

impl TryFrom<u16> for Percent {
    type Error = ValueError;

    fn try_from(percent: u16) -> Result<Self, ValueError> {
        if percent <= 100 {
            Ok(Self(percent))
        } else {
            Err(ValueError::Percent)
        }
    }
}

impl TryFrom<String> for PoolAsset {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let (code, exponent) = text.split_once(':').ok_or(ValueError::PoolAsset)?;
        let code = Label::new(code).map_err(|_| ValueError::PoolAsset)?;
        let exponent: u8 = exponent.parse().map_err(|_| ValueError::PoolAsset)?;
        // Base units beyond this are no longer told apart by 128 bits.
        if exponent > 36 {
            return Err(ValueError::PoolAsset);
        }
        Ok(Self { code, exponent })
    }
}

impl Serialize for Units {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Serialize for PoolAsset {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}:{}", self.code, self.exponent))
    }
}

macro_rules! plain {
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

plain! {
    Units, |text| Self::try_from(text.to_owned());
    Percent, |text| text.parse::<u16>().map_err(|_| ValueError::Percent).and_then(Self::try_from);
    PoolAsset, |text| Self::try_from(text.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_exactly_or_refused() {
        for (text, expected) in [
            ("0", Some(0)),
            ("10000", Some(10_000)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("99999999999999999999999999999999", None),
        ] {
            let found = Units::from_text(text).ok().map(|units| units.0);
            assert_eq!(found, expected, "{text}");
        }
        for (text, expected) in [("10", Some(1_000)), ("100", Some(10_000)), ("101", None)] {
            let found = Percent::from_text(text).ok();
            assert_eq!(
                found.map(|one| one.basis_points().get()),
                expected,
                "{text}"
            );
        }
        for (text, is_asset) in [
            ("BTC:8", true),
            ("BTC", false),
            (":8", false),
            ("X:37", false),
        ] {
            assert_eq!(PoolAsset::from_text(text).is_ok(), is_asset, "{text}");
        }
    }
}
