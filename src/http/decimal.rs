//! People's decimals at the edge: a JSON number or text, turned into a whole number of a smaller
//! unit without ever passing through a float.

use std::borrow::Cow;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

use super::code::Code;
use super::error::Problem;

/// What becomes of digits below the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// They are refused: prices.
    Refused,
    /// They are cut towards zero: memory, so that nobody claims more than there is.
    Cut,
    /// They are rounded half up: temperatures.
    Rounded,
}

/// How a decimal becomes a whole number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How many of the smaller unit make one.
    pub(crate) factor: u32,
    /// What becomes of digits below the smaller unit.
    pub(crate) below: Below,
}

/// Gigabytes (of 1024 MiB, as GPUs are sold) to MiB.
pub(crate) const GB_TO_MIB: Scale = Scale {
    factor: 1_024,
    below: Below::Cut,
};
/// To whole ones.
pub(crate) const WHOLE: Scale = Scale {
    factor: 1,
    below: Below::Rounded,
};
/// Credits to millionths of a credit.
pub(crate) const TO_MILLIONTHS: Scale = Scale {
    factor: 1_000_000,
    below: Below::Refused,
};
/// Degrees to tenths of a degree.
pub(crate) const TO_TENTHS: Scale = Scale {
    factor: 10,
    below: Below::Rounded,
};

impl Scale {
    /// The whole number that `raw`, a JSON number or text, means in the smaller unit.
    pub(crate) fn read(self, field: &'static str, raw: &RawValue) -> Result<i64, Problem> {
        let value = parse(raw.get())
            .ok_or_else(|| Problem::field(Code::InvalidField, field, "must be a decimal number"))?;
        let range = || Problem::field(Code::OutOfRange, field, "is too large");
        let scaled = value
            .checked_mul(Decimal::from(self.factor))
            .ok_or_else(range)?;
        let whole = match self.below {
            Below::Cut => scaled.trunc(),
            Below::Rounded => {
                scaled.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            }
            Below::Refused if scaled.fract().is_zero() => scaled.trunc(),
            Below::Refused => {
                let detail = "has more decimal places than the unit";
                return Err(Problem::field(Code::OutOfRange, field, detail));
            }
        };
        whole.to_i64().ok_or_else(range)
    }
}

/// Reads a JSON number or a JSON text that holds one.
fn parse(raw: &str) -> Option<Decimal> {
    let text: Cow<'_, str> = if raw.starts_with('"') {
        serde_json::from_str(raw).ok()?
    } else {
        raw.into()
    };
    let known =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    // The parser is more generous than JSON, with underscores for one.
    if text.is_empty() || text.len() > 64 || !text.bytes().all(known) {
        return None;
    }
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(&text).ok()
    } else {
        Decimal::from_str_exact(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scale: Scale, raw: &str) -> Result<i64, &'static str> {
        let raw = RawValue::from_string(raw.to_owned()).expect("the case is JSON");
        scale
            .read("field", &raw)
            .map_err(|problem| problem.code.as_str())
    }

    #[test]
    fn decimals_become_whole_numbers_exactly() {
        let table = [
            (GB_TO_MIB, "24", Ok(24_576)),
            (GB_TO_MIB, "\"24\"", Ok(24_576)),
            (GB_TO_MIB, "0.5", Ok(512)),
            (GB_TO_MIB, "23.99", Ok(24_565)),
            (GB_TO_MIB, "0", Ok(0)),
            (GB_TO_MIB, "2.4e1", Ok(24_576)),
            (TO_MILLIONTHS, "0.75", Ok(750_000)),
            (TO_MILLIONTHS, "\"0.750000\"", Ok(750_000)),
            (TO_MILLIONTHS, "0.1", Ok(100_000)),
            (TO_MILLIONTHS, "0.0000001", Err("out_of_range")),
            (TO_MILLIONTHS, "-1", Ok(-1_000_000)),
            (TO_MILLIONTHS, "1e30", Err("invalid_field")),
            (TO_MILLIONTHS, "9999999999999999", Err("out_of_range")),
            (TO_TENTHS, "61.25", Ok(613)),
            (TO_TENTHS, "-0.04", Ok(0)),
            (TO_TENTHS, "true", Err("invalid_field")),
            (TO_TENTHS, "\"\"", Err("invalid_field")),
            (TO_TENTHS, "\"1_0\"", Err("invalid_field")),
            (TO_TENTHS, "\" 1\"", Err("invalid_field")),
            (TO_TENTHS, "\"NaN\"", Err("invalid_field")),
            (TO_TENTHS, "[1]", Err("invalid_field")),
        ];
        for (scale, raw, expected) in table {
            assert_eq!(read(scale, raw), expected, "{raw}");
        }
    }
}
