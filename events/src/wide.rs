//! Numbers and hashes of 256 bits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An unsigned number of 256 bits.
///
/// Two halves, the greater first, so that the derived order is the order of numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct U256 {
    high: u128,
    low: u128,
}

impl U256 {
    /// 0
    pub const ZERO: Self = Self { high: 0, low: 0 };
    /// 2^256 - 1
    pub const MAX: Self = Self {
        high: u128::MAX,
        low: u128::MAX,
    };

    /// A small number.
    #[must_use]
    pub const fn from_u128(low: u128) -> Self {
        Self { high: 0, low }
    }

    /// The number with these bytes, the greatest first.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        let (mut high, mut low) = ([0; 16], [0; 16]);
        high.copy_from_slice(&bytes[..16]);
        low.copy_from_slice(&bytes[16..]);
        Self {
            high: u128::from_be_bytes(high),
            low: u128::from_be_bytes(low),
        }
    }

    /// The number with these bytes, the greatest first and none of them needed; `None` above 32
    /// bytes that count.
    #[must_use]
    pub fn from_be_slice(bytes: &[u8]) -> Option<Self> {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = &bytes[zeros..];
        let mut whole = [0; 32];
        whole
            .get_mut(32_usize.checked_sub(bytes.len())?..)?
            .copy_from_slice(bytes);
        Some(Self::from_be_bytes(whole))
    }

    /// Its 32 bytes, the greatest first.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.high.to_be_bytes());
        bytes[16..].copy_from_slice(&self.low.to_be_bytes());
        bytes
    }

    /// The number, if it fits 128 bits.
    #[must_use]
    pub const fn to_u128(self) -> Option<u128> {
        if self.high == 0 { Some(self.low) } else { None }
    }

    /// The sum, and whether it went past 2^256.
    #[must_use]
    pub const fn plus(self, other: Self) -> (Self, bool) {
        let (low, carry) = self.low.overflowing_add(other.low);
        let (high, over) = self.high.overflowing_add(other.high);
        let (high, again) = high.overflowing_add(carry as u128);
        (Self { high, low }, over || again)
    }

    /// The difference, modulo 2^256.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        let high = self.high.wrapping_sub(other.high);
        Self {
            high: high.wrapping_sub(borrow as u128),
            low,
        }
    }

    /// The product with a number of 128 bits: its part above 2^256, and the rest.
    #[must_use]
    pub const fn times(self, factor: u128) -> (u128, Self) {
        let low = product(self.low, factor);
        let high = product(self.high, factor);
        let (middle, carry) = high.low.overflowing_add(low.high);
        let rest = Self {
            high: middle,
            low: low.low,
        };
        // The whole product is below 2^384, so this sum is below 2^128.
        (high.high + carry as u128, rest)
    }

    /// Quotient and remainder.
    ///
    /// # Panics
    /// When the divisor is zero.
    #[must_use]
    pub const fn divided_by(self, divisor: u128) -> (Self, u128) {
        assert!(divisor > 0, "a divisor is above zero");
        let mut quotient = Self::ZERO;
        let mut rest: u128 = 0;
        let mut bit = 256;
        while bit > 0 {
            bit -= 1;
            let past = rest >> 127 == 1;
            rest = rest << 1 | self.bit(bit);
            if past || rest >= divisor {
                rest = rest.wrapping_sub(divisor);
                quotient = quotient.with_bit(bit);
            }
        }
        (quotient, rest)
    }

    const fn bit(self, bit: u32) -> u128 {
        if bit < 128 {
            self.low >> bit & 1
        } else {
            self.high >> (bit - 128) & 1
        }
    }

    const fn with_bit(mut self, bit: u32) -> Self {
        if bit < 128 {
            self.low |= 1 << bit;
        } else {
            self.high |= 1 << (bit - 128);
        }
        self
    }
}

/// The whole product of two numbers of 128 bits.
const fn product(one: u128, other: u128) -> U256 {
    const HALF: u128 = u64::MAX as u128;
    let (a, b) = (one >> 64, one & HALF);
    let (c, d) = (other >> 64, other & HALF);
    let low = b * d;
    let (middle, carried) = (a * d).overflowing_add(b * c);
    let (low, carry) = low.overflowing_add(middle << 64);
    let high = a * c + (middle >> 64) + ((carried as u128) << 64) + carry as u128;
    U256 { high, low }
}

impl fmt::Display for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHUNK: u128 = 10_u128.pow(38);
        let (rest, last) = self.divided_by(CHUNK);
        if rest == Self::ZERO {
            return last.fmt(f);
        }
        let (first, middle) = rest.divided_by(CHUNK);
        match first.low {
            0 => write!(f, "{middle}{last:038}"),
            first => write!(f, "{first}{middle:038}{last:038}"),
        }
    }
}

/// Thirty-two bytes that mean nothing by themselves: a hash, a seed; written as `0x` and 64
/// hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Word(#[serde(with = "crate::bytes::thirty_two")] pub [u8; 32]);

impl Word {
    /// Thirty-two zeros.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(high: u128, low: u128) -> U256 {
        U256 { high, low }
    }

    #[test]
    fn products_and_quotients_undo_each_other() {
        let numbers = [
            0,
            1,
            2,
            10,
            u64::MAX.into(),
            1 << 64,
            u128::MAX / 3,
            u128::MAX,
        ];
        for high in numbers {
            for low in numbers {
                for divisor in numbers.into_iter().filter(|divisor| *divisor > 0) {
                    let whole = number(high, low);
                    let (quotient, rest) = whole.divided_by(divisor);
                    assert!(rest < divisor);
                    let (above, back) = quotient.times(divisor);
                    assert_eq!(
                        (above, back.plus(U256::from_u128(rest))),
                        (0, (whole, false))
                    );
                }
            }
        }
    }

    #[test]
    fn the_greatest_product_fills_384_bits() {
        let (above, rest) = U256::MAX.times(u128::MAX);
        assert_eq!(above, u128::MAX - 1);
        assert_eq!(rest, U256::MAX.minus(U256::from_u128(u128::MAX - 1)));
    }

    #[test]
    fn sums_say_when_they_go_past_the_end() {
        let one = U256::from_u128(1);
        assert_eq!(U256::MAX.plus(one), (U256::ZERO, true));
        assert_eq!(U256::ZERO.minus(one), U256::MAX);
        assert_eq!(number(0, u128::MAX).plus(one), (number(1, 0), false));
        assert_eq!(number(1, 0).minus(one), number(0, u128::MAX));
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        let maximum =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(U256::MAX.to_string(), maximum);
        assert_eq!(
            number(1, 0).to_string(),
            "340282366920938463463374607431768211456"
        );
        assert_eq!(U256::ZERO.to_string(), "0");
    }

    #[test]
    fn bytes_of_any_length_are_read_unless_too_many_count() {
        assert_eq!(U256::from_be_slice(&[]), Some(U256::ZERO));
        assert_eq!(U256::from_be_slice(&[1, 0]), Some(U256::from_u128(256)));
        assert_eq!(U256::from_be_slice(&[0; 40]), Some(U256::ZERO));
        assert_eq!(U256::from_be_slice(&[0xff; 32]), Some(U256::MAX));
        assert_eq!(U256::from_be_slice(&[1; 33]), None);
        let bytes = number(7, 9).to_be_bytes();
        assert_eq!(U256::from_be_bytes(bytes), number(7, 9));
    }
}
