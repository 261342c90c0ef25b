//! How large a run is, and from which seed: the environment says so.

use std::str::FromStr;

/// The number that a variable holds; a text that is none ends the test, as a run of another size than was meant would
/// prove something else.
pub fn number_from<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
