//! One line of the report, and the format of times and ages in it.

use event_gateway::time::Stamp;

#[derive(Debug, PartialEq)]
pub struct Finding {
    pub is_trouble: bool,
    pub what: &'static str,
    pub text: String,
}

pub fn finding(is_trouble: bool, what: &'static str, text: impl Into<String>) -> Finding {
    Finding { is_trouble, what, text: text.into() }
}

/// At most two units: `3 s`, `5 min 3 s`, `2 h 5 min`.
pub fn span(seconds: f64) -> String {
    let whole = whole(seconds);
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

pub fn time(unix_seconds: f64) -> String {
    Stamp::from_unix_seconds(whole(unix_seconds)).map_or("no time".to_owned(), |at| at.to_string())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}
