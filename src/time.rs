//! Instants are values: RFC 3339 in, RFC 3339 in UTC out, with the precision they came with.
//!
//! Kubernetes writes whole seconds (`metav1.Time`) and microseconds (`metav1.MicroTime`); other senders
//! write what they like. This file reads no clock.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A point in time and how many decimals of its second were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    at: OffsetDateTime,
    decimals: usize,
}

impl Stamp {
    /// Parses RFC 3339 with any offset; `None` for anything else, and for times that in UTC leave the
    /// years 0 to 9999, which RFC 3339 cannot write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let at = at.checked_to_offset(UtcOffset::UTC)?;
        if !(0..=9_999).contains(&at.year()) {
            return None;
        }
        let decimals =
            text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        // The clock of a computer knows nanoseconds; more digits are noise that the parser drops as well.
        Some(Self { at, decimals: decimals.min(9) })
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        (at.year() <= 9_999).then_some(Self { at, decimals: 0 })
    }

    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.at.unix_timestamp()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.at.to_calendar_date();
        let (hour, minute, second, nanos) = self.at.to_hms_nano();
        write!(f, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))?;
        if self.decimals > 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", &digits[..self.decimals])?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    fn again(text: &str) -> Option<String> {
        Stamp::parse(text).map(|stamp| stamp.to_string())
    }

    #[test]
    fn what_kubernetes_writes_comes_back_as_it_was() {
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
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "null", "2026-11-20", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1e9"] {
            assert_eq!(again(text), None, "{text}");
        }
    }
}
