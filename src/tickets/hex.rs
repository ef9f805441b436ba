//! Bytes as hexadecimal digits.

use purser_events::money::hex_digit;

/// Reads digits of any case behind `0x`; `None` for anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let byte = |pair: &[u8]| match *pair {
        [high, low] => Some(hex_digit(high)? << 4 | hex_digit(low)?),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}
