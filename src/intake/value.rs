//! Single JSON values, exactly as they stand in the file: no float on the way, no default.

use std::borrow::Cow;

use crate::hex::hex;
use purser_events::intake::{EventId, RequestId};
use purser_events::money::hex_digit;
use purser_events::{Address, Label, Seconds};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The text, if the value is one.
pub(super) fn text<'a>(value: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    let raw = value?.get();
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// The text, if the value is one and not empty.
pub(super) fn some_text<'a>(value: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    text(value).filter(|text| !text.is_empty())
}

/// The integer, if the value is one of 64 bits; `1.0` and `1e3` are none.
pub(super) fn integer(value: Option<&RawValue>) -> Option<i64> {
    digits(value)?.parse().ok()
}

/// The natural number, if the value is one of 128 bits.
pub(super) fn natural(value: Option<&RawValue>) -> Option<u128> {
    digits(value)?.parse().ok()
}

fn digits(value: Option<&RawValue>) -> Option<&str> {
    let raw = value?.get();
    // JSON has neither a leading plus nor leading zeros, so the rest is for the parser to tell.
    let is_integer = raw
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_integer.then_some(raw)
}

/// A text from outside within bounds: what is too long or holds control characters is replaced by
/// its digest; `None` only for the empty text.
pub(super) fn label(text: &str) -> Option<Label> {
    if text.is_empty() {
        return None;
    }
    Label::new(text).ok().or_else(|| {
        let digest = hex(&Sha256::digest(text));
        Label::new(&format!("sha256:{digest}")).ok()
    })
}

pub(super) fn some_label(value: Option<&RawValue>) -> Option<Label> {
    label(&text(value)?)
}

pub(super) fn address(value: Option<&RawValue>) -> Option<Address> {
    Address::parse(&text(value)?)
}

pub(super) fn event_id(text: &str) -> EventId {
    if let Some(uuid) = uuid(text.as_bytes()) {
        return EventId::Uuid(uuid);
    }
    match Label::new(text) {
        Ok(label) => EventId::Text(label),
        Err(_) => EventId::Digest(Box::new(Sha256::digest(text).into())),
    }
}

pub(super) fn request_id(value: Option<&RawValue>) -> Option<RequestId> {
    let text = some_text(value)?;
    if text.len() == 8 && text.bytes().all(is_lower_hex) {
        return u32::from_str_radix(&text, 16).ok().map(RequestId::Hex);
    }
    Some(match Label::new(&text) {
        Ok(label) => RequestId::Text(label),
        Err(_) => RequestId::Digest(Box::new(Sha256::digest(text.as_bytes()).into())),
    })
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Reads a UUID in its canonical lower-case form.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    const GROUPS: [(usize, usize); 5] = [(0, 8), (9, 13), (14, 18), (19, 23), (24, 36)];
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    let mut into = uuid.iter_mut();
    for (start, end) in GROUPS {
        for pair in text[start..end].chunks_exact(2) {
            if !is_lower_hex(pair[0]) || !is_lower_hex(pair[1]) {
                return None;
            }
            *into.next()? = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
        }
    }
    Some(uuid)
}

/// The hash of a chain transaction: `0x` and 64 digits that are not all zero.
pub(super) fn tx_hash(value: Option<&RawValue>) -> Option<[u8; 32]> {
    let text = text(value)?;
    let digits = text.strip_prefix("0x")?.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
    }
    (hash != [0; 32]).then_some(hash)
}

/// Reads `YYYY-MM-DDTHH:MM:SSZ`, if it is a real time of the years 1 to 9999.
pub(super) fn seconds(text: &str) -> Option<Seconds> {
    let bytes = text.as_bytes();
    let marks = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'Z'),
    ];
    if bytes.len() != 20 || marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    let field = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i64, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let is_real = year >= 1
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let clock = hour * 3_600 + minute * 60 + second;
    is_real.then(|| Seconds(days_since_1970(year, month, day) * 86_400 + clock))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, for years from 1 on. Years are counted from
/// March, so that the leap day comes last.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("the test's JSON is well formed")
    }

    #[test]
    fn only_integers_are_integers() {
        let max = i64::MAX.to_string();
        assert_eq!(integer(Some(raw(&max))), Some(i64::MAX));
        assert_eq!(integer(Some(raw("-0"))), Some(0));
        assert_eq!(integer(Some(raw("-12"))), Some(-12));
        for other in [
            "1.0",
            "1e3",
            "1E3",
            "\"1\"",
            "null",
            "true",
            "[1]",
            "9223372036854775808",
        ] {
            assert_eq!(integer(Some(raw(other))), None, "{other}");
        }
        assert_eq!(integer(None), None);
        let max = u128::MAX.to_string();
        assert_eq!(natural(Some(raw(&max))), Some(u128::MAX));
        assert_eq!(natural(Some(raw("-1"))), None);
    }

    #[test]
    fn texts_are_unescaped_and_a_lone_surrogate_is_no_text() {
        assert_eq!(text(Some(raw("\"a\""))).as_deref(), Some("a"));
        assert_eq!(text(Some(raw(r#""\u0061\"""#))).as_deref(), Some("a\""));
        assert_eq!(text(Some(raw(r#""\ud800""#))), None);
        assert_eq!(text(Some(raw("1"))), None);
        assert_eq!(some_text(Some(raw("\"\""))), None);
    }

    #[test]
    fn long_or_strange_texts_are_replaced_by_their_digest() {
        let long = "x".repeat(257);
        let digest = label(&long).expect("a digest is a label");
        assert!(digest.as_str().starts_with("sha256:"));
        assert_eq!(digest.as_str().len(), 7 + 64);
        assert_ne!(label("a\u{0}b"), label("a\u{0}c"));
        assert_eq!(label(""), None);
        assert!(matches!(event_id(&long), EventId::Digest(_)));
        assert!(matches!(event_id("a\nb"), EventId::Digest(_)));
    }

    #[test]
    fn equal_texts_and_only_they_are_equal_ids() {
        let lower = "8e8e15d1-6e6e-4962-be20-2d3f91cf9e77";
        let EventId::Uuid(bytes) = event_id(lower) else {
            panic!("the canonical form is a UUID");
        };
        assert_eq!((bytes[0], bytes[6], bytes[15]), (0x8e, 0x49, 0x77));
        assert!(matches!(event_id(&lower.to_uppercase()), EventId::Text(_)));
        assert!(matches!(
            event_id(&lower.replace('-', "_")),
            EventId::Text(_)
        ));
        assert_eq!(
            request_id(Some(raw("\"00ff00ff\""))),
            Some(RequestId::Hex(0x00ff_00ff))
        );
        let upper = request_id(Some(raw("\"00FF00FF\"")));
        assert!(matches!(upper, Some(RequestId::Text(_))));
        let signed = request_id(Some(raw("\"+0ff00ff\"")));
        assert!(matches!(signed, Some(RequestId::Text(_))));
        assert_eq!(request_id(Some(raw("\"\""))), None);
        assert_eq!(request_id(Some(raw("12345678"))), None);
    }

    #[test]
    fn times_are_real_and_of_one_form() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(Seconds(0)));
        assert_eq!(
            seconds("2025-11-05T00:09:10Z"),
            Some(Seconds(1_762_301_350))
        );
        assert_eq!(seconds("2000-02-29T23:59:59Z"), Some(Seconds(951_868_799)));
        assert_eq!(
            seconds("0001-01-01T00:00:00Z"),
            Some(Seconds(-62_135_596_800))
        );
        assert_eq!(
            seconds("9999-12-31T23:59:59Z"),
            Some(Seconds(253_402_300_799))
        );
        let bad = [
            "2025-13-45T99:99:99Z",
            "2025-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2025-11-05T24:00:00Z",
            "2025-11-05T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "2025-11-05T00:09:10",
            "2025-11-05T00:09:10.0Z",
            "2025-11-05 00:09:10Z",
            "2025-11-05T00:09:1\u{661}",
            "+025-11-05T00:09:10Z",
            "",
        ];
        for text in bad {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_hash_of_zeros_is_a_failed_attempt() {
        let zeros = format!("\"0x{}\"", "0".repeat(64));
        assert_eq!(tx_hash(Some(raw(&zeros))), None);
        let one = format!("\"0x{}1\"", "0".repeat(63));
        assert_eq!(tx_hash(Some(raw(&one))).map(|hash| hash[31]), Some(1));
        assert_eq!(tx_hash(Some(raw("\"0x1\""))), None);
    }
}
