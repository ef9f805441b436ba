//! Bytes as hexadecimal digits.

use purser_events::money::hex_digit;

/// The digits of bytes, in lower case and with nothing before them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}

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
