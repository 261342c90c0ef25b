//! Sizes, times and switches, in Fluent Bit's notation.
//!
//! Sizes are decimal, as in the host's own `flb_utils_size_to_bytes`: `1K` is 1,000 bytes, and `KB` means the same as
//! `K`. Times have a unit; a number without a unit means seconds, as in the host's `flb_utils_time_to_seconds`.

use std::time::Duration;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// What is wrong with the value.
    pub problem: String,
    /// Which values are accepted.
    pub expected: String,
}

impl ValueError {
    pub(super) fn new(value: &str, what: &str, expected: impl Into<String>) -> Self {
        const SHOWN: usize = 80;
        Self { problem: format!("\"{}\" is {what}", shorten(value, SHOWN)), expected: expected.into() }
    }
}

/// Shortens a value, so that a hostile value of a megabyte does not fill the log.
pub(super) fn shorten(value: &str, characters: usize) -> String {
    match value.char_indices().nth(characters) {
        Some((cut, _)) => format!("{}…", &value[..cut]),
        None => value.to_owned(),
    }
}

/// A number with an optional decimal part, and the unit after it in lower case.
fn split_unit(text: &str) -> Option<(f64, String)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    Some((number, unit.trim().to_ascii_lowercase()))
}

/// Bytes: `500`, `64K`, `1M`, `1.5GB`.
///
/// # Errors
/// If it is not a size, or not in `least..=most`.
pub fn size(text: &str, least: u64, most: u64) -> Result<u64, ValueError> {
    let expected = || format!("a size from {least} to {most} bytes, such as 512K, 1M or 2G");
    let (number, unit) = split_unit(text).ok_or_else(|| ValueError::new(text, "not a size", expected()))?;
    let factor = match unit.as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        _ => return Err(ValueError::new(text, "not a size", expected())),
    };
    within(number * factor, least, most).ok_or_else(|| ValueError::new(text, "out of range", expected()))
}

/// A time: `500ms`, `10s`, `5m`, `3h`, `1d`; a number without a unit means seconds.
///
/// # Errors
/// If it is not a time, or not in `least..=most`.
pub fn time(text: &str, least: Duration, most: Duration) -> Result<Duration, ValueError> {
    let expected = || format!("a time from {least:?} to {most:?}, such as 500ms, 10s, 5m or 3h");
    let (number, unit) = split_unit(text).ok_or_else(|| ValueError::new(text, "not a time", expected()))?;
    let millis = match unit.as_str() {
        "ms" => 1.0,
        "" | "s" => 1e3,
        "m" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ => return Err(ValueError::new(text, "not a time", expected())),
    };
    let bounds = (u64::try_from(least.as_millis()).ok(), u64::try_from(most.as_millis()).ok());
    let (Some(least_ms), Some(most_ms)) = bounds else {
        return Err(ValueError::new(text, "out of range", expected()));
    };
    within(number * millis, least_ms, most_ms)
        .map(Duration::from_millis)
        .ok_or_else(|| ValueError::new(text, "out of range", expected()))
}

/// A whole number in `least..=most`.
///
/// # Errors
/// If it is not a whole number, or out of range.
pub fn count(text: &str, least: usize, most: usize) -> Result<usize, ValueError> {
    let expected = || format!("a whole number from {least} to {most}");
    let number: usize = text.parse().map_err(|_| ValueError::new(text, "not a whole number", expected()))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(ValueError::new(text, "out of range", expected()))
    }
}

/// A switch, with the words that the host accepts: on/off, true/false, yes/no.
///
/// # Errors
/// If it is any other word.
pub fn switch(text: &str) -> Result<bool, ValueError> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Ok(true),
        "off" | "false" | "no" => Ok(false),
        _ => Err(ValueError::new(text, "not a switch", "on or off")),
    }
}

/// One of a few words.
///
/// # Errors
/// If it is any other word; the error lists the words.
pub fn choice<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, ValueError> {
    words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        ValueError::new(text, "not one of the choices", names.join(", "))
    })
}

/// A float, cut to whole units, if it is within the bounds; NaN and infinity never are.
fn within(value: f64, least: u64, most: u64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: above it a float skips whole numbers
    if !(0.0..EXACT).contains(&value) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let whole = value as u64;
    (least..=most).contains(&whole).then_some(whole)
}
