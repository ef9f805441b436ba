//! Moments as text: RFC 3339 in UTC, with milliseconds.

use purser_events::{Micros, Seconds};

use super::text::digits;

/// The first second of the year 0 and the last of 9999: what RFC 3339 can say.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// Why a text is no moment of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It is not of the form `2026-01-31T12:00:00Z`.
    #[error("not a time of the form 2026-01-31T12:00:00.000Z")]
    Malformed,
    /// It lies before 1970.
    #[error("the time lies before 1970")]
    TooEarly,
}

/// Reads a time in RFC 3339, of any offset; what is finer than a microsecond is cut.
///
/// # Errors
/// When the text is no such time, or lies before 1970.
pub fn parse(text: &str) -> Result<Micros, TimeError> {
    // What jiff reads beyond RFC 3339 is refused: a zone in brackets, a space, no seconds.
    let plain = |byte: u8| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte);
    let long = text.len() >= "2026-01-31T12:00:00Z".len();
    if !long || !text.bytes().all(plain) {
        return Err(TimeError::Malformed);
    }
    let read: jiff::Timestamp = text.parse().map_err(|_| TimeError::Malformed)?;
    let micros = u64::try_from(read.as_microsecond()).map_err(|_| TimeError::TooEarly)?;
    Ok(Micros(micros))
}

/// The moment in RFC 3339 with milliseconds; whatever is past the year 9999 is its last moment.
#[must_use]
pub fn show(moment: Micros) -> String {
    let mut out = Vec::with_capacity(24);
    write_micros(&mut out, moment);
    out.into_iter().map(char::from).collect()
}

/// The moment as `YYYYMMDD_HHMMSS`, in UTC.
#[must_use]
pub fn compact_time(moment: Micros) -> String {
    let shown = show(moment);
    let (day, time) = (&shown[..10], &shown[11..19]);
    format!("{}_{}", day.replace('-', ""), time.replace(':', ""))
}

/// Appends the moment as [`show`] has it.
pub fn write_micros(out: &mut Vec<u8>, moment: Micros) {
    let last = Micros(LAST.unsigned_abs() * 1_000_000 + 999_999);
    let millis = moment.min(last).millis();
    let seconds = i64::try_from(millis / 1_000).unwrap_or(LAST);
    write_moment(out, seconds, millis % 1_000);
}

/// Appends a source's time in the same form; outside of the years 0 to 9999 the nearest one.
pub fn write_seconds(out: &mut Vec<u8>, moment: Seconds) {
    write_moment(out, moment.0.clamp(FIRST, LAST), 0);
}

fn write_moment(out: &mut Vec<u8>, seconds: i64, millis: u64) {
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400).unsigned_abs();
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (place, number) in [
        (0..4, year),
        (5..7, month),
        (8..10, day),
        (11..13, second / 3_600),
        (14..16, second / 60 % 60),
        (17..19, second % 60),
        (20..23, millis),
    ] {
        digits(&mut text[place], number);
    }
    out.extend_from_slice(&text);
}

/// Year, month and day of a day since 1970, from the year 0 on. Written out because it runs once
/// or twice per exported event; years begin in March, so that leap days come last.
const fn date(day: i64) -> (u64, u64, u64) {
    // Eras of 400 years begin on 0000-03-01; one is added so that nothing is negative.
    const ERA: u64 = 146_097;
    let shifted = (day + 719_468 + ERA.cast_signed()).unsigned_abs();
    let (era, of_era) = (shifted / ERA, shifted % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let of_month = of_year - (153 * march_month + 2) / 5 + 1;
    (
        year + era * 400 + (month <= 2) as u64 - 400,
        month,
        of_month,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moments_are_shown_as_jiff_shows_them(
            // Where jiff ends, a day before the year 9999 does.
            seconds in FIRST..=253_402_207_200,
            ms in 0u64..1_000,
        ) {
            let jiff = jiff::Timestamp::from_second(seconds).expect("within jiff's range");
            let mut out = Vec::new();
            write_seconds(&mut out, Seconds(seconds));
            prop_assert_eq!(String::from_utf8(out).expect("text"), format!("{jiff:.3}"));
            if let Ok(seconds) = u64::try_from(seconds) {
                let shown = show(Micros(seconds * 1_000_000 + ms * 1_000 + 999));
                let nanos = i32::try_from(ms * 1_000_000).expect("small");
                let jiff = jiff::Timestamp::new(jiff.as_second(), nanos).expect("a time");
                prop_assert_eq!(&shown, &format!("{jiff:.3}"));
                let read = parse(&shown).expect("a time");
                prop_assert_eq!(read, Micros(seconds * 1_000_000 + ms * 1_000));
            }
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,40}|[0-9TZ:.+-]{15,30}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn the_ends_of_time_are_shown() {
        assert_eq!(show(Micros(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(show(Micros(u64::MAX)), "9999-12-31T23:59:59.999Z");
        for (seconds, expected) in [
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
        ] {
            let mut out = Vec::new();
            write_seconds(&mut out, Seconds(seconds));
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn times_are_read_with_any_offset_and_nothing_else() {
        let noon = Ok(Micros(1_769_860_800_000_000));
        assert_eq!(parse("2026-01-31T12:00:00Z"), noon);
        assert_eq!(parse("2026-01-31T13:30:00.000000+01:30"), noon);
        assert_eq!(parse("1970-01-01T00:00:00.0000019Z"), Ok(Micros(1)));
        assert_eq!(parse("1969-12-31T23:59:59Z"), Err(TimeError::TooEarly));
        for text in [
            "",
            "now",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31T12:00:00Z[UTC]",
            "20260131T120000Z",
            "1769860800",
            "2026-01-31T25:00:00.000Z",
        ] {
            assert_eq!(parse(text), Err(TimeError::Malformed), "{text}");
        }
    }
}
