//! Moments as answers write them.

use purser_events::Micros;

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(moment: Micros) -> String {
    // Moments beyond the year 9999 cannot be written; no clock of ours gets there.
    let millis = i64::try_from(moment.millis()).unwrap_or(i64::MAX);
    let stamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{stamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_three_decimals_and_a_z() {
        assert_eq!(
            rfc3339(Micros(1_767_323_045_678_999)),
            "2026-01-02T03:04:05.678Z"
        );
        assert_eq!(rfc3339(Micros(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Micros(u64::MAX)).len(), 24 + 4 - 4);
    }
}
