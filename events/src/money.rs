//! Amounts as integers of base units; never a float, never a rounding that is not named.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An unsigned amount in wei, the base unit of ETH (10^-18).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Wei(pub u128);

impl Wei {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum.
    ///
    /// # Panics
    /// Past 2^128 - 1 wei, which is more than will ever exist: a breach, never a wrap.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(
            self.0
                .checked_add(other.0)
                .expect("amounts stay below 2^128"),
        )
    }

    /// The difference.
    ///
    /// # Panics
    /// Below zero: a breach, never a clamp.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(
            self.0
                .checked_sub(other.0)
                .expect("an amount never falls below zero"),
        )
    }
}

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An unsigned amount in base units of some asset.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Amount(pub u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The greatest amount that a single command or source may name, 2^96 - 1: 79 thousand million
    /// whole units of 18 decimals. Sums of as many as there will ever be stay within 128 bits.
    pub const MAX: Self = Self((1 << 96) - 1);

    /// The sum.
    ///
    /// # Panics
    /// Past 2^128 - 1: a breach, never a wrap.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = self.0.checked_add(other.0);
        Self(sum.expect("amounts stay below 2^128"))
    }

    /// The difference.
    ///
    /// # Panics
    /// Below zero: a breach, never a clamp.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let difference = self.0.checked_sub(other.0);
        Self(difference.expect("an amount never falls below zero"))
    }
}

impl From<Wei> for Amount {
    fn from(wei: Wei) -> Self {
        Self(wei.0)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What stands on an account: an amount on its normal side, or on the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Balance {
    /// Whether it stands on the other side; never for nothing.
    pub below_zero: bool,
    /// How much stands there.
    pub amount: Amount,
}

impl Balance {
    /// What is left of `normal` after `other`.
    #[must_use]
    pub fn of(normal: Amount, other: Amount) -> Self {
        let below_zero = normal < other;
        let amount = if below_zero {
            other.minus(normal)
        } else {
            normal.minus(other)
        };
        Self { below_zero, amount }
    }

    /// With so much more on the normal side.
    #[must_use]
    pub fn plus(self, amount: Amount) -> Self {
        Self::of(self.above_zero().plus(amount), self.missing())
    }

    /// With so much more on the other side.
    #[must_use]
    pub fn minus(self, amount: Amount) -> Self {
        Self::of(self.above_zero(), self.missing().plus(amount))
    }

    /// What may be spent: nothing below zero.
    #[must_use]
    pub const fn above_zero(self) -> Amount {
        if self.below_zero {
            Amount::ZERO
        } else {
            self.amount
        }
    }

    /// What is missing: nothing above zero.
    #[must_use]
    pub const fn missing(self) -> Amount {
        if self.below_zero {
            self.amount
        } else {
            Amount::ZERO
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below_zero {
            f.write_str("-")?;
        }
        self.amount.fmt(f)
    }
}

/// A rate in hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// One whole.
    pub const WHOLE: u16 = 10_000;

    /// Checks a rate; `None` above 10,000.
    #[must_use]
    pub const fn new(rate: u16) -> Option<Self> {
        if rate <= Self::WHOLE {
            Some(Self(rate))
        } else {
            None
        }
    }

    /// The rate, 0 to 10,000.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// `floor(fee x rate / 10,000)`: the pool's share; the worker gets the rest.
    #[must_use]
    pub const fn share_of(self, fee: u64) -> u64 {
        let whole = Self::WHOLE as u64;
        let rate = self.0 as u64;
        // Quotient and remainder apart stay within 64 bits, whatever the fee.
        (fee / whole) * rate + (fee % whole) * rate / whole
    }

    /// `floor(amount x rate / 10,000)`: the same for amounts of any asset.
    #[must_use]
    pub const fn share_of_amount(self, amount: Amount) -> Amount {
        let whole = Self::WHOLE as u128;
        let rate = self.0 as u128;
        // Quotient and remainder apart stay within 128 bits, whatever the amount.
        Amount((amount.0 / whole) * rate + (amount.0 % whole) * rate / whole)
    }
}

impl<'de> Deserialize<'de> for BasisPoints {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rate = u16::deserialize(from)?;
        Self::new(rate).ok_or_else(|| serde::de::Error::custom("a rate is at most 10000"))
    }
}

/// A 20-byte Ethereum address; written as `0x` and 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// Reads `0x` and 40 hexadecimal digits of any case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))?
            .as_bytes();
        if digits.len() != 40 {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

/// The value of one hexadecimal digit of any case.
#[must_use]
pub const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
