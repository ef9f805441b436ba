//! Single fields: from what is written to a checked value, or a problem that names the field.

use std::borrow::Cow;

use purser_events::{Address, Amount, Label, Word};
use serde_json::value::RawValue;

use crate::hex::unhex;
use crate::http::code::Code;
use crate::http::error::Problem;

/// The longest id, tag, capability or job name in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// The largest count of tags, capabilities, accelerators or current jobs.
pub(crate) const LIST_MAX: usize = 64;

/// A text of 1 to 256 bytes.
pub(crate) fn label(field: &'static str, text: &str) -> Result<Label, Problem> {
    Label::new(text).map_err(|error| Problem::field(Code::OutOfRange, field, error.to_string()))
}

/// A text of 1 to 128 bytes.
pub(crate) fn name(field: &'static str, text: &str) -> Result<Label, Problem> {
    if text.len() > NAME_BYTES_MAX {
        let detail = "the text is longer than 128 bytes";
        return Err(Problem::field(Code::OutOfRange, field, detail));
    }
    label(field, text)
}

/// A name that may be absent.
pub(crate) fn optional_name(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Label>, Problem> {
    text.map(|text| name(field, text)).transpose()
}

/// A list of names.
pub(crate) fn names(field: &'static str, texts: &[Cow<'_, str>]) -> Result<Vec<Label>, Problem> {
    if texts.len() > LIST_MAX {
        return Err(Problem::field(
            Code::OutOfRange,
            field,
            "has more than 64 entries",
        ));
    }
    texts.iter().map(|text| name(field, text)).collect()
}

/// A whole number that fits the target type and is at least `min`.
pub(crate) fn whole<T>(field: &'static str, value: i64, min: i64) -> Result<T, Problem>
where
    T: TryFrom<i64>,
{
    let fits = (value >= min).then(|| T::try_from(value).ok()).flatten();
    fits.ok_or_else(|| {
        let detail = if value < min {
            format!("must be at least {min}")
        } else {
            String::from("is too large")
        };
        Problem::field(Code::OutOfRange, field, detail)
    })
}

/// What a capability may be, before its colon.
const KINDS: [&str; 5] = ["task", "model", "accel", "runtime", "feature"];

/// Capabilities: `kind:name`, or bare names. A word that is meant as a kind and is none would never
/// be found.
pub(crate) fn capabilities(
    field: &'static str,
    texts: &[Cow<'_, str>],
) -> Result<Vec<Label>, Problem> {
    for text in texts {
        let known = match text.split_once(':') {
            Some((kind, name)) => KINDS.contains(&kind) && !name.is_empty(),
            None => true,
        };
        if !known {
            let detail = "must be `kind:name`, the kind one of task, model, accel, runtime and \
                          feature, or a name without a colon";
            return Err(Problem::field(Code::OutOfRange, field, detail));
        }
    }
    names(field, texts)
}

/// A number that is no greater than `max`.
pub(crate) fn at_most(field: &'static str, value: i64, max: i64) -> Result<i64, Problem> {
    if value > max {
        return Err(Problem::field(
            Code::OutOfRange,
            field,
            format!("must be at most {max}"),
        ));
    }
    Ok(value)
}

/// An Ethereum address.
pub(crate) fn address(field: &'static str, text: &str) -> Result<Address, Problem> {
    let detail = "must be `0x` and 40 hexadecimal digits";
    Address::parse(text).ok_or_else(|| Problem::field(Code::OutOfRange, field, detail))
}

/// An amount: a text of digits, in base units.
pub(crate) fn amount(field: &'static str, text: &str) -> Result<Amount, Problem> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        let detail = "must be a text of digits, in base units";
        return Err(Problem::field(Code::InvalidField, field, detail));
    }
    let amount = text.parse().ok().map(Amount);
    let amount = amount.filter(|amount| *amount <= Amount::MAX);
    amount.ok_or_else(|| Problem::field(Code::OutOfRange, field, "is above 2^96 - 1"))
}

/// Thirty-two bytes.
pub(crate) fn word(field: &'static str, text: &str) -> Result<Word, Problem> {
    let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
    let detail = "must be `0x` and 64 hexadecimal digits";
    bytes
        .map(Word)
        .ok_or_else(|| Problem::field(Code::OutOfRange, field, detail))
}

/// A moment: RFC 3339 text, or whole Unix milliseconds. Answers milliseconds since 1970.
pub(crate) fn moment_ms(field: &'static str, raw: &RawValue) -> Result<u64, Problem> {
    let shape = || {
        let detail = "must be RFC 3339 text or whole Unix milliseconds";
        Problem::field(Code::InvalidField, field, detail)
    };
    let text = raw.get();
    let ms = if text.starts_with('"') {
        let text: Cow<'_, str> = serde_json::from_str(text).map_err(|_| shape())?;
        let moment: jiff::Timestamp = text.parse().map_err(|_| shape())?;
        moment.as_millisecond()
    } else {
        text.parse().map_err(|_| shape())?
    };
    whole(field, at_most(field, ms, YEAR_9999_MS)?, 0)
}

/// The last millisecond that RFC 3339 can write.
pub(crate) const YEAR_9999_MS: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_from_text_and_from_milliseconds() {
        let table = [
            ("\"2026-01-02T03:04:05.678Z\"", Ok(1_767_323_045_678)),
            ("\"2026-01-02T04:04:05.678+01:00\"", Ok(1_767_323_045_678)),
            ("1767323045678", Ok(1_767_323_045_678)),
            ("0", Ok(0)),
            ("-1", Err("out_of_range")),
            ("999999999999999", Err("out_of_range")),
            ("1767323045.5", Err("invalid_field")),
            ("\"yesterday\"", Err("invalid_field")),
            ("\"2026-01-02T03:04:05\"", Err("invalid_field")),
            ("null", Err("invalid_field")),
            ("99999999999999999999", Err("invalid_field")),
        ];
        for (raw, expected) in table {
            let value = RawValue::from_string(raw.to_owned()).expect("the case is JSON");
            let found = moment_ms("ts", &value).map_err(|problem| problem.code.as_str());
            assert_eq!(found, expected, "{raw}");
        }
    }
}
