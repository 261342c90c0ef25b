//! `make doctor`: do events flow? Reads Fluent Bit's page of metrics once and says so, output by output.
//!
//! The exit code is 0 when all is well, 1 when not, and 2 when the page cannot be read.

mod examine;
mod page;
mod verdict;

use std::io::Write;
use std::process::ExitCode;

/// Fluent Bit's default, as a port-forward shows it.
const DEFAULT_URL: &str = "http://127.0.0.1:2020";

fn main() -> ExitCode {
    let url = std::env::args().nth(1).filter(|url| !url.is_empty());
    let (text, code) = examine::examine(url.as_deref().unwrap_or(DEFAULT_URL));
    // A reader that has gone away does not change what was found.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}
