//! Digits, hexadecimal digits and JSON texts, appended to bytes.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the decimal digits of a number.
pub(super) fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the last `width` decimal digits of a number, with leading zeros; at most 20.
pub(super) fn padded(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut text = [0; 20];
    digits(&mut text[..width], number);
    out.extend_from_slice(&text[..width]);
}

/// Fills a place with the last decimal digits of a number.
pub(super) fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Appends the decimal digits of a number, with a sign below zero.
pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    decimal(out, number.unsigned_abs());
}

/// Appends the decimal digits of a large number.
pub(super) fn large(out: &mut Vec<u8>, number: u128) {
    const CHUNK: u128 = 10_000_000_000_000_000_000;
    match u64::try_from(number) {
        Ok(small) => decimal(out, small),
        Err(_) => {
            large(out, number / CHUNK);
            padded(out, (number % CHUNK) as u64, 19);
        }
    }
}

/// Appends the decimal digits of a large number, with a sign below zero.
pub(super) fn large_signed(out: &mut Vec<u8>, number: i128) {
    if number < 0 {
        out.push(b'-');
    }
    large(out, number.unsigned_abs());
}

/// Appends two lower-case hexadecimal digits per byte.
pub(super) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    for (pair, byte) in out[start..].chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}

/// Appends a UUID in its canonical form.
pub(super) fn uuid(out: &mut Vec<u8>, bytes: &[u8; 16]) {
    for (index, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if index > 0 {
            out.push(b'-');
        }
        hex(out, &bytes[part]);
    }
}

/// Appends a JSON text.
pub(super) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    escape_from(out, start);
    out.push(b'"');
}

/// Escapes for JSON what was appended from `start` on; most texts need none.
pub(super) fn escape_from(out: &mut Vec<u8>, start: usize) {
    // Looks at every byte: without an early end, many are compared at once.
    let found = out[start..]
        .iter()
        .fold(false, |found, byte| found | special(*byte));
    if found {
        let raw = out.split_off(start);
        escape(out, &raw);
    }
}

const fn special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut Vec<u8>, mut rest: &[u8]) {
    while let Some(at) = rest.iter().position(|byte| special(*byte)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            mark @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', mark]),
            control => {
                out.extend_from_slice(b"\\u00");
                hex(out, &[control]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_the_standard_library_does(
            small: u64,
            negative: i64,
            wide: u128,
            shift in 0u32..128,
            wide_negative: i128,
        ) {
            prop_assert_eq!(written(|out| decimal(out, small)), small.to_string());
            prop_assert_eq!(written(|out| signed(out, negative)), negative.to_string());
            let wide = wide >> shift;
            prop_assert_eq!(written(|out| large(out, wide)), wide.to_string());
            let text = wide_negative.to_string();
            prop_assert_eq!(written(|out| large_signed(out, wide_negative)), text);
        }

        #[test]
        fn texts_are_read_back_by_a_json_parser(text in "(\\PC|[\"\\\\\u{0}-\u{1f}]){0,30}") {
            let json = written(|out| {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                escape_from(out, 1);
                out.push(b'"');
            });
            let read: String = serde_json::from_str(&json).expect("a JSON text");
            prop_assert_eq!(read, text);
        }

        #[test]
        fn uuids_are_written_in_their_canonical_form(bytes: [u8; 16]) {
            let canonical = uuid::Uuid::from_bytes(bytes).to_string();
            prop_assert_eq!(written(|out| super::uuid(out, &bytes)), canonical);
        }
    }

    #[test]
    fn the_greatest_and_least_numbers_are_written() {
        assert_eq!(written(|out| decimal(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(written(|out| signed(out, i64::MIN)), i64::MIN.to_string());
        assert_eq!(written(|out| large(out, u128::MAX)), u128::MAX.to_string());
        assert_eq!(
            written(|out| large(out, 10u128.pow(38))),
            10u128.pow(38).to_string()
        );
        assert_eq!(
            written(|out| large_signed(out, i128::MIN)),
            i128::MIN.to_string()
        );
        assert_eq!(written(|out| padded(out, 7, 4)), "0007");
    }
}
