//! Points in time: parses RFC 3339 and writes it in UTC, with the same precision.
//!
//! Kubernetes writes whole seconds (`metav1.Time`) or microseconds (`metav1.MicroTime`); other senders use any precision.
//! This module reads no clock.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::format_description::parse_strftime_borrowed;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, UtcOffset};

/// A point in time, and the number of decimals of its seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    at: OffsetDateTime,
    decimals: usize,
}

impl Stamp {
    /// The second in which Unix time begins.
    pub const EPOCH: Self = Self { at: OffsetDateTime::UNIX_EPOCH, decimals: 0 };

    /// Parses RFC 3339 with any offset. `None` for anything else, and for times that in UTC are outside the years 0 to
    /// 9999, which RFC 3339 cannot write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_utc(text.as_bytes()).or_else(|| Self::parse_any(text))
    }

    /// The same for a field that a sender may have left unset. Go and .NET write the year 1, in any zone, for a time that
    /// was never set; others write the first moment of 1970. Such a time counts as missing.
    #[must_use]
    pub fn parse_set(text: &str) -> Option<Self> {
        // Half of an event's time fields are empty, and the full parser is slow to find that out.
        if text.len() < SECONDS_END {
            return None;
        }
        Self::parse(text).filter(|stamp| stamp.is_set())
    }

    /// Whether this is a real time and not a placeholder ([`Stamp::parse_set`]).
    #[must_use]
    pub const fn is_set(self) -> bool {
        // The year 1 of a zone east of Greenwich begins in the year 0.
        match self.at.year() {
            ..=1 => false,
            1970 => self.at.unix_timestamp_nanos() != 0,
            _ => true,
        }
    }

    /// Parses the form that Kubernetes itself writes, `2026-11-20T23:28:49.468737Z` with or without the decimals. It is
    /// five times as fast as the full parser, and every event has two times.
    fn parse_utc(text: &[u8]) -> Option<Self> {
        let (seconds, rest) = text.split_first_chunk::<19>()?;
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *seconds
        else {
            return None;
        };
        let fraction = match rest {
            b"Z" => &[][..],
            [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => fraction,
            _ => return None,
        };
        let year = i32::from(number(&[y0, y1])?) * 100 + i32::from(number(&[y2, y3])?);
        let month = Month::try_from(number(&[m0, m1])?).ok()?;
        let date = Date::from_calendar_date(year, month, number(&[d0, d1])?).ok()?;
        let mut nanos = 0;
        for at in 0..9 {
            let digit = fraction.get(at).map_or(Some(0), |digit| number(&[*digit]))?;
            nanos = nanos * 10 + u32::from(digit);
        }
        let (hour, minute, second) = (number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?);
        let at = date.with_hms_nano(hour, minute, second, nanos).ok()?.assume_utc();
        Some(Self { at, decimals: fraction.len() })
    }

    fn parse_any(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let at = at.checked_to_offset(UtcOffset::UTC)?;
        if !(0..=9_999).contains(&at.year()) {
            return None;
        }
        // The first `.` may not be the decimal point, because the parser accepts any separator between date and time.
        let fraction = text.get(SECONDS_END..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        let decimals = fraction.bytes().take_while(u8::is_ascii_digit).count();
        // The parser drops digits beyond nanoseconds, too.
        Some(Self { at, decimals: decimals.min(9) })
    }

    /// The same time, written with this number of decimals, at most nine; further ones are cut off.
    #[must_use]
    pub const fn with_decimals(self, decimals: usize) -> Self {
        Self { decimals: if decimals < 9 { decimals } else { 9 }, ..self }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        (at.year() <= 9_999).then_some(Self { at, decimals: 0 })
    }

    /// Seconds since 1970 and nanoseconds, as in an `EventTime` of Fluent Bit.
    #[must_use]
    pub fn from_unix(seconds: u32, nanos: u32) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp(i64::from(seconds)).ok()?;
        Some(Self { at: at.replace_nanosecond(nanos).ok()?, decimals: 9 })
    }

    /// Milliseconds since 1970, from a number that may not be a time.
    #[must_use]
    pub fn from_unix_millis(millis: f64) -> Option<Self> {
        let millis = millis.round();
        // The years 0 to 9999; a float represents each of their milliseconds exactly.
        if !(-62_167_219_200_000.0..253_402_300_800_000.0).contains(&millis) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis as i64) * 1_000_000).ok()?;
        Some(Self { at, decimals: 3 })
    }

    /// The time as `strftime(3)` writes it, in UTC; `None` if the format is invalid.
    #[must_use]
    pub fn formatted(self, format: &str) -> Option<String> {
        let format = parse_strftime_borrowed(format).ok()?;
        self.at.format(&format).ok()
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub fn unix_nanos(self) -> i128 {
        self.at.unix_timestamp_nanos()
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.at.unix_timestamp()
    }

    /// The time this much later, if it can still be written.
    #[must_use]
    pub fn later(self, by: Duration) -> Option<Self> {
        let at = self.at.checked_add(by.try_into().ok()?)?;
        (at.year() <= 9_999).then_some(Self { at, ..self })
    }

    /// The time this much earlier, if it can still be written.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Option<Self> {
        let at = self.at.checked_sub(by.try_into().ok()?)?;
        (at.year() >= 0).then_some(Self { at, ..self })
    }

    /// Whether this time is earlier than another, whatever their precision.
    #[must_use]
    pub fn is_before(self, other: Self) -> bool {
        self.at < other.at
    }

    /// The same as a `SystemTime`; `None` before 1970.
    #[must_use]
    pub fn wall(self) -> Option<SystemTime> {
        let nanos = u64::try_from(self.at.unix_timestamp_nanos()).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
    }
}

/// A number of at most two digits.
fn number(digits: &[u8]) -> Option<u8> {
    let add = |number: u8, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + (digit - b'0'));
    digits.iter().try_fold(0, add)
}

/// The text of a [`Stamp`], without an allocation.
#[derive(Debug, Clone, Copy)]
pub struct StampText {
    bytes: [u8; LONGEST],
    len: usize,
}

/// Where the whole seconds end: RFC 3339 has four digits for the year and two for everything else.
const SECONDS_END: usize = "2026-11-20T23:28:49".len();
const LONGEST: usize = "2026-11-20T23:28:49.468737123Z".len();

impl StampText {
    /// The text, RFC 3339 in UTC.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII.
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Stamp {
    /// The time in RFC 3339 and UTC.
    #[must_use]
    pub fn text(self) -> StampText {
        let mut bytes = *b"0000-00-00T00:00:00.000000000Z";
        let (year, month, day) = self.at.to_calendar_date();
        let (hour, minute, second, nanos) = self.at.to_hms_nano();
        write_number(&mut bytes[0..4], year.unsigned_abs());
        for (at, part) in [(5, u8::from(month)), (8, day), (11, hour), (14, minute), (17, second)] {
            write_number(&mut bytes[at..at + 2], u32::from(part));
        }
        write_number(&mut bytes[20..29], nanos);
        let end = if self.decimals > 0 { 20 + self.decimals } else { 19 };
        bytes[end] = b'Z';
        StampText { bytes, len: end + 1 }
    }
}

fn write_number(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Stamp;

    fn again(text: &str) -> Option<String> {
        Stamp::parse(text).map(|stamp| stamp.to_string())
    }

    #[test]
    fn times_that_kubernetes_writes_are_written_unchanged() {
        for text in [
            "2026-11-20T23:28:49Z",
            "2026-11-20T23:28:49.468737Z",
            "2026-11-20T23:28:49.000000Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ] {
            assert_eq!(again(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn offsets_become_utc_and_precision_stays() {
        assert_eq!(again("2026-11-21T00:28:49.50+01:00").as_deref(), Some("2026-11-20T23:28:49.50Z"));
        assert_eq!(again("2026-01-01t00:00:00z").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(again("2026-01-01.12:00:00.125Z").as_deref(), Some("2026-01-01T12:00:00.125Z"));
    }

    #[test]
    fn decimals_are_added_and_cut_off() {
        for (text, expected) in [
            ("2026-11-20T23:28:49Z", "2026-11-20T23:28:49.000000Z"),
            ("2026-11-20T23:28:49.5Z", "2026-11-20T23:28:49.500000Z"),
            ("2026-11-20T23:28:49.999999999Z", "2026-11-20T23:28:49.999999Z"),
        ] {
            let six = Stamp::parse(text).map(|stamp| stamp.with_decimals(6).to_string());
            assert_eq!(six.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_stamp_is_a_clocks_time_from_1970_on() {
        let wall = |text: &str| Stamp::parse(text).and_then(Stamp::wall);
        let epoch = std::time::UNIX_EPOCH;
        assert_eq!(wall("1970-01-01T00:00:00Z"), Some(epoch));
        assert_eq!(
            wall("1970-01-01T01:00:01.5+01:00"),
            Some(epoch + std::time::Duration::from_millis(1_500))
        );
        assert_eq!(wall("1969-12-31T23:59:59Z"), None);
        // More nanoseconds than 64 bits hold.
        assert_eq!(wall("9999-12-31T23:59:59Z"), None);
    }

    #[test]
    fn other_texts_are_not_parsed() {
        for text in ["", "null", "2026-11-20", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1e9"] {
            assert_eq!(again(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_was_never_set_is_no_time_in_any_zone() {
        for text in [
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00.000000Z",
            "0001-01-01T00:00:00+05:30",
            "0001-01-01T00:00:00-08:00",
            "0000-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01T01:00:00.000+01:00",
        ] {
            assert!(Stamp::parse(text).is_some(), "{text}");
            assert_eq!(Stamp::parse_set(text), None, "{text}");
        }
        for text in ["0002-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:01Z"] {
            assert_eq!(Stamp::parse_set(text), Stamp::parse(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_parser_agrees_with_the_full_one(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,11})?(Z|z|[+]01:00)?|[0-9.:TZ-]{19,31}",
        ) {
            let short = Stamp::parse_utc(text.as_bytes());
            prop_assert!(short.is_none() || short == Stamp::parse_any(&text), "{}", text);
        }
    }

    #[test]
    fn the_short_parser_reads_what_kubernetes_writes() {
        for text in ["2024-02-29T23:59:59Z", "2026-11-20T23:28:49.468737Z", "0000-01-01T00:00:00.1Z"] {
            assert!(Stamp::parse_utc(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["2023-02-29T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T23:60:00Z"] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }
}
