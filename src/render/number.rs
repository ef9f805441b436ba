//! Fractions as JSON numbers, exact to their last digit, without a float on the way.

use super::text;

/// Digits behind the point of a number that does not end.
const DIGITS: usize = 6;

/// Appends a fraction, cut behind the sixth digit; zero where the divisor is.
pub(super) fn ratio(out: &mut Vec<u8>, dividend: i128, divisor: u128) {
    let divisor = divisor.max(1);
    let size = dividend.unsigned_abs();
    let (whole, mut rest) = (size / divisor, size % divisor);
    let mut digits = Vec::with_capacity(DIGITS);
    while rest > 0 && digits.len() < DIGITS {
        // A divisor is a count or a power of ten: ten times what is left has room.
        rest *= 10;
        digits.push(b'0' + u8::try_from(rest / divisor).unwrap_or(9));
        rest %= divisor;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    if dividend < 0 && (whole > 0 || !digits.is_empty()) {
        out.push(b'-');
    }
    text::large(out, whole);
    if !digits.is_empty() {
        out.push(b'.');
        out.extend_from_slice(&digits);
    }
}

/// Appends an amount of wei as ether, to its last digit.
pub(super) fn ether(out: &mut Vec<u8>, wei: i128) {
    const ETHER: u128 = 1_000_000_000_000_000_000;
    if wei < 0 {
        out.push(b'-');
    }
    let wei = wei.unsigned_abs();
    text::large(out, wei / ETHER);
    let rest = wei % ETHER;
    if rest > 0 {
        let digits = format!("{rest:018}");
        out.push(b'.');
        out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("digits are text")
    }

    #[test]
    fn fractions_are_written_to_the_sixth_digit() {
        assert_eq!(shown(|out| ratio(out, 7, 2)), "3.5");
        assert_eq!(shown(|out| ratio(out, -1, 2)), "-0.5");
        assert_eq!(shown(|out| ratio(out, 8, 2)), "4");
        assert_eq!(shown(|out| ratio(out, 1, 3)), "0.333333");
        assert_eq!(shown(|out| ratio(out, -2, 3)), "-0.666666");
        assert_eq!(shown(|out| ratio(out, -1, 10_000_000)), "0");
        assert_eq!(shown(|out| ratio(out, 5, 0)), "5");
        assert_eq!(shown(|out| ratio(out, 1_000, 8)), "125");
        assert_eq!(
            shown(|out| ratio(out, i128::MAX, 2)),
            format!("{}.5", i128::MAX / 2)
        );
    }

    #[test]
    fn ether_has_all_its_digits() {
        assert_eq!(shown(|out| ether(out, 0)), "0");
        assert_eq!(shown(|out| ether(out, 1)), "0.000000000000000001");
        assert_eq!(shown(|out| ether(out, -1_500_000_000_000_000_000)), "-1.5");
    }
}
